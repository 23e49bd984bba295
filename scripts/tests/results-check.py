#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Check a results.json of the main job: what it must show.

    results-check.py [--state STATE]... [--path PATH]... [--kunit SUITE]... FILE

States that a BAR must have, paths that must have been timed with the module (and pread
without it), KUnit suites that must have run and passed. Each path must have been timed,
or be named with the reason why not. Prints what is wrong; exit code 1 if anything is.
"""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from report import bars, ladder, load, opens, schema, text, verdict


def contents(results, states):
    """What the main job should have shown and did not."""
    judged, why = verdict.of(results)
    if judged != "pass":
        yield f"{judged}: {why}"
    for state in states:
        if not any(bar["state"] == state for bar in results.bars if bar["module"]):
            yield f"no BAR has the state {state}"
    for bar in results.bars:
        # The module makes a page of it, and only the module does.
        shown = results.page if bar["state"] in bars.PAGES else bar["size"]
        if bar["shown_size"] != shown:
            yield (f"{text.binding(bar)}: {bar['bdf']} BAR {bar['bar']}: shown as "
                   f"{bar['shown_size']} bytes")
    for phase in opens.PHASES:
        if {entry["module"] for entry in results.opens if entry["phase"] == phase} != \
           {False, True}:
            yield f"opens: {phase} not without the module and with it"


def timings(results, expected):
    """Paths that were neither timed nor skipped with a reason, and times that cannot be;
    where no register may be written there is no pwrite."""
    if not results.perf or not results.machine or not results.machine["cpu_model"]:
        yield f"no clock or no CPU: {results.perf} {results.machine}"
    timed = {(timing["path"], timing["module"]) for timing in results.timings}
    either = {path for path, _ in timed} | {skip["path"] for skip in results.skipped}
    for path in ladder.PATHS:
        if path not in either and (path != "pwrite" or path in expected):
            yield f"path {path} was neither timed nor skipped"
    for path, module in [*((path, True) for path in expected), ("pread", False)]:
        if (path, module) not in timed:
            yield f"no timing of {path} {'with' if module else 'without'} the module"
    for timing in results.timings:
        low, high = timing["ci95_ns"] or (timing["median_ns"], timing["median_ns"])
        if not timing["min_ns"] <= low <= timing["median_ns"] <= high <= timing["p99_ns"] * 1.01:
            yield f"timing out of order: {timing}"
    for group in ladder.groups(results.timings, "read"):
        medians = ladder.medians(group)
        for module in (False, True):
            trapped, mapped = medians.get(("pread", module)), medians.get(("mmap", module))
            if trapped and mapped and mapped >= trapped:
                yield f"{text.place(group[0])}: mmap takes {mapped} ns, pread {trapped} ns"


def kunit(results, expected):
    """KUnit suites that did not run, or did nothing."""
    passed = {suite["suite"]: suite["pass"] for suite in results.kunit}
    for name in expected:
        if not passed.get(name):
            yield f"no test of the KUnit suite {name} has passed"


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--state", action="append")
    parser.add_argument("--path", action="append")
    parser.add_argument("--kunit", action="append", default=[])
    parser.add_argument("file")
    args = parser.parse_args()
    try:
        results = load.load(args.file)
    except schema.Unusable as error:
        sys.exit(f"{args.file}: {error}")
    faults = [*contents(results, args.state or bars.PAGES),
              *timings(results, args.path or ["mmap", "pread", "pwrite"]),
              *kunit(results, args.kunit)]
    print("\n".join(faults) or f"{args.file}: as it should be")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
