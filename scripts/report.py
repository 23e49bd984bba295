#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""Make results.json of the records of the suite, and a report of it.

    report.py --merge RECORDS [--kunit KTAP...] [--complete no] RESULTS.json
    report.py [--text] [--html FILE] [--markdown FILE] [--csv FILE] RESULTS.json
    report.py [--html FILE] [--markdown FILE] [--csv FILE] [--tolerance PERCENT]
              [--fail-if-worse PERCENT] RESULTS.json --compare AFTER.json

Without anything to write: report.html beside the last results. "-" is stdout.

Exit code: 0; 1 something is lost, or worse than --fail-if-worse allows, or an
input cannot be used; 2 wrong use.
"""
import argparse
import json
import math
import os
import stat
import sys
import tempfile

from report import (compare, comparison, console, csvfile, gate, kunit, load, markdown, merge,
                    page, schema, single)


def percent(value):
    """A number for an option."""
    number = float(value)
    if not 0 <= number < math.inf:
        raise ValueError(value)
    return number


class Parser(argparse.ArgumentParser):
    """One that complains in one line."""

    def error(self, message):
        print(f"report.py: {message}: see report.py --help", file=sys.stderr)
        sys.exit(2)


def parser():
    """Of the command line."""
    made = Parser(prog="report.py", description=__doc__.splitlines()[0],
                  epilog=__doc__.rsplit("\n\n", maxsplit=1)[-1])
    made.add_argument("--merge", metavar="RECORDS", help="make RESULTS.json of this file, to "
                      "which programs have appended their records")
    made.add_argument("--kunit", metavar="KTAP", nargs="+", default=[],
                      help="with --merge: results of KUnit suites, as debugfs has them")
    made.add_argument("--complete", choices=("yes", "no"), default="yes",
                      help="with --merge: whether the job came to its end (default %(default)s)")
    made.add_argument("--text", action="store_true", help="print the table for people")
    made.add_argument("--html", metavar="FILE", help="page to write; default report.html "
                      "beside the last results, if nothing else is to be written")
    made.add_argument("--markdown", metavar="FILE", help="the same for a pull request")
    made.add_argument("--csv", metavar="FILE", help="all rows with all digits")
    made.add_argument("--compare", metavar="AFTER", help="compare with these results")
    made.add_argument("--tolerance", metavar="PERCENT", type=percent, default=5.0,
                      help="differences up to this are none (default %(default)g)")
    made.add_argument("--fail-if-worse", metavar="PERCENT", type=percent,
                      help="exit code 1 if a row is certainly worse by more than this, or "
                      "a mapping or a row is lost")
    made.add_argument("results", metavar="RESULTS.json", nargs="?")
    return made


def arguments():
    """The command line."""
    made = parser()
    args = made.parse_args()
    # An option with many values takes the name of the results too, if that comes next.
    if not args.results and args.kunit:
        args.results = args.kunit.pop()
    if not args.results:
        made.error("the following arguments are required: RESULTS.json")
    if args.kunit and not args.merge:
        made.error("--kunit needs --merge")
    if args.compare and (args.merge or args.text):
        made.error("--compare goes neither with --merge nor with --text")
    if args.fail_if_worse is not None and not args.compare:
        made.error("--fail-if-worse needs --compare")
    if not (args.merge or args.text or args.html or args.markdown or args.csv):
        args.html = os.path.join(os.path.dirname(args.compare or args.results), "report.html")
    return args


class Failed(Exception):
    """The text is "thing: cause: remedy"."""


def usable(path, function, *args):
    """What a function makes of a file."""
    try:
        return function(path, *args)
    except schema.Unusable as error:
        raise Failed(f"{path}: {error}") from error


def replace(path, text):
    """A reader finds the old page or the new one, never a half."""
    path = os.path.realpath(path)
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".report-")
    try:
        mask = os.umask(0)
        os.umask(mask)
        with open(handle, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o666 & ~mask)
            file.write(text)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def is_special(path):
    """A pipe or a device is written to; it must not become a file."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        return False


def save(path, text):
    """Write a report."""
    try:
        if path == "-":
            sys.stdout.write(text)
            sys.stdout.flush()
        elif is_special(path):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        else:
            replace(path, text)
    except OSError as error:
        raise Failed(f"{path}: {error.strerror}: name a file that can be written") from error


def make_page(document):
    """The page, with its charts."""
    try:
        return page.write(document)
    except ImportError as error:
        raise Failed(f"{error.name or 'matplotlib'}: not installed: "
                     "run scripts/packages.sh report") from error


def passes(compared, limit):
    """Whether nothing is worse than the limit allows; says what is."""
    reasons = gate.reasons(compared, limit)
    for reason in reasons:
        print(f"report.py: {reason}", file=sys.stderr)
    return not reasons


def write(args, document, table):
    """All that is wanted."""
    if args.csv:
        save(args.csv, table)
    if args.markdown:
        save(args.markdown, markdown.write(document))
    if args.html:
        save(args.html, make_page(document))


def compare_files(args):
    """Two results; whether the second is good enough."""
    compared = compare.Comparison(usable(args.results, load.load),
                                  usable(args.compare, load.load), args.tolerance)
    if not compared.has_anything():
        raise Failed(f"{args.compare}: no BAR and no row in common with {args.results}: "
                     "compare runs on the same devices, under the same drivers")
    write(args, comparison.document(compared), csvfile.comparison(compared))
    return args.fail_if_worse is None or passes(compared, args.fail_if_worse)


def show(args):
    """One file of results."""
    results = usable(args.results, load.load)
    if args.text:
        save("-", console.write(results))
    write(args, single.document(results), csvfile.single(results))


def main():
    """The command."""
    args = arguments()
    if args.compare:
        return compare_files(args)
    if args.merge:
        text = usable(args.merge, schema.read_file)
        suites = [suite for path in args.kunit for suite in usable(path, kunit.read)]
        merged = usable(args.merge, lambda _: merge.merge(text, suites, args.complete == "yes"))
        save(args.results, json.dumps(merged, indent=1) + "\n")
    if args.text or args.html or args.markdown or args.csv:
        show(args)
    return True


if __name__ == "__main__":
    try:
        sys.exit(0 if main() else 1)
    except Failed as failure:
        print(f"report.py: {failure}", file=sys.stderr)
        sys.exit(1)
