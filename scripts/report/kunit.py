# SPDX-License-Identifier: GPL-2.0-only
"""What KUnit says of the module's suites: KTAP, as debugfs has it."""
import os
import re

from . import schema

# Cases stand one level below their suite, parameters of a case deeper.
SUITE = re.compile(r" {4}# Subtest: (\S+)")
PLAN = re.compile(r" {4}1\.\.(\d+)")
CASE = re.compile(r" {4}(not )?ok \d+(?: -)? (\S+)(?: # SKIP ?(.*))?")


def of_suite(name):
    """One that has not run yet."""
    return {"suite": name, "pass": 0, "fail": 0, "skip": 0, "cases": []}


def add(suite, name, result, reason=None):
    """A case to a suite."""
    suite["cases"].append({"name": name, "result": result, "reason": reason})
    suite[result] += 1


def finish(suite, planned):
    """A suite that has not done all that it wanted to has failed."""
    done = len(suite["cases"])
    if done != planned or not planned:
        add(suite, "(all)", "fail", f"{done} of {planned} tests have a result: "
                                    "is kunit.enable set?")
    return suite


def parse(text, name):
    """The suites in the text of a file; without any, the one that should be there."""
    found, planned = [], {}
    for line in text.splitlines():
        head, plan, case = SUITE.match(line), PLAN.match(line), CASE.match(line)
        if head:
            found.append(of_suite(head[1]))
        elif plan and found:
            planned[len(found) - 1] = int(plan[1])
        elif case and found:
            add(found[-1], case[2], "fail" if case[1] else
                "pass" if case[3] is None else "skip", case[3] or None)
    return [finish(suite, planned.get(i, 0)) for i, suite in enumerate(found or [of_suite(name)])]


def suite_name(path):
    """debugfs names the directory for the suite, and each file "results"."""
    directory, file = os.path.split(os.path.abspath(path))
    return os.path.basename(directory) if file == "results" else os.path.splitext(file)[0]


def read(path):
    """The suites in a file."""
    return parse(schema.read_file(path), suite_name(path))
