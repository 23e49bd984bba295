# SPDX-License-Identifier: GPL-2.0-only
"""A reporter for pytest that prints KTAP, one line as each test ends: see pytest.sh.

A skip has its reason, and what a failed test printed follows as diagnostics.
"""
import pathlib

import pytest

COUNTS = {"passed": 0, "failed": 0, "skipped": 0}


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    """Instead of pytest's own reporter."""
    config.pluginmanager.unregister(name="terminalreporter")


def pytest_sessionstart():
    """Before the first result."""
    print("TAP version 13", flush=True)


def _result(outcome, nodeid, reason="", details=""):
    COUNTS[outcome] += 1
    file, _, test = nodeid.replace("#", "-").partition("::")
    print(f"{'not ok' if outcome == 'failed' else 'ok'} {sum(COUNTS.values())}"
          f" {pathlib.PurePath(file).stem}.{test}"
          + (f" # SKIP {reason}" if outcome == "skipped" else ""))
    for line in details.splitlines():
        print("#", line)
    print(end="", flush=True)


def pytest_runtest_logreport(report):
    """A test is its call; it fails too if its fixtures do, before it or after."""
    if report.failed:
        _result("failed", report.nodeid, details=report.longreprtext + "\n" + report.capstderr)
    elif report.skipped:
        _result("skipped", report.nodeid, reason=report.longrepr[2].removeprefix("Skipped: "))
    elif report.when == "call":
        _result("passed", report.nodeid)


def pytest_collectreport(report):
    """A file that cannot be read has tests that do not run."""
    if report.failed:
        _result("failed", report.nodeid, details=report.longreprtext)


def pytest_sessionfinish():
    """After the last one."""
    print(f"1..{sum(COUNTS.values())}")
    print("# Totals: pass:{passed} fail:{failed} xfail:0 xpass:0 skip:{skipped} error:0"
          .format(**COUNTS))
