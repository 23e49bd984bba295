#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Make a report of one results.json, or compare two.

    report.py [--html FILE] [--markdown FILE] [--csv FILE] [--tolerance PERCENT]
              [--fail-if-worse PERCENT] RESULTS.json [AFTER.json]

Without a FILE to write: report.html beside the last results. "-" is stdout.

Exit code: 0; 1 something is lost, or worse than --fail-if-worse allows, or an
input cannot be used; 2 wrong use.
"""
import argparse
import math
import os
import stat
import sys
import tempfile

from report import compare, comparison, csvfile, gate, load, markdown, page, single


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


def arguments():
    """The command line."""
    parser = Parser(prog="report.py", description=__doc__.splitlines()[0],
                    epilog=__doc__.rsplit("\n\n", maxsplit=1)[-1])
    parser.add_argument("--html", metavar="FILE", help="page to write; default report.html "
                        "beside the last results, if nothing else is to be written")
    parser.add_argument("--markdown", metavar="FILE", help="the same for a pull request")
    parser.add_argument("--csv", metavar="FILE", help="all rows with all digits")
    parser.add_argument("--tolerance", metavar="PERCENT", type=percent, default=5.0,
                        help="differences up to this are none (default %(default)g)")
    parser.add_argument("--fail-if-worse", metavar="PERCENT", type=percent,
                        help="exit code 1 if a row is certainly worse by more than this, or "
                        "a mapping or a row is lost")
    parser.add_argument("results", metavar="RESULTS.json")
    parser.add_argument("after", metavar="AFTER.json", nargs="?")
    args = parser.parse_args()
    if args.fail_if_worse is not None and args.after is None:
        parser.error("--fail-if-worse needs two results files")
    if not (args.html or args.markdown or args.csv):
        args.html = os.path.join(os.path.dirname(args.after or args.results), "report.html")
    return args


class Failed(Exception):
    """The text is "thing: cause: remedy"."""


def read(path):
    """A results file."""
    try:
        return load.load(path)
    except load.Unusable as error:
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


def main():
    """The command."""
    args = arguments()
    results = read(args.results)
    compared = None
    if args.after is None:
        document, table = single.document(results), csvfile.single(results)
    else:
        compared = compare.Comparison(results, read(args.after), args.tolerance)
        if not compared.has_anything():
            raise Failed(f"{args.after}: no BAR and no row in common with {args.results}: "
                         "compare runs on the same devices, under the same drivers")
        document, table = comparison.document(compared), csvfile.comparison(compared)
    if args.csv:
        save(args.csv, table)
    if args.markdown:
        save(args.markdown, markdown.write(document))
    if args.html:
        save(args.html, make_page(document))
    return args.fail_if_worse is None or passes(compared, args.fail_if_worse)


if __name__ == "__main__":
    try:
        sys.exit(0 if main() else 1)
    except Failed as failure:
        print(f"report.py: {failure}", file=sys.stderr)
        sys.exit(1)
