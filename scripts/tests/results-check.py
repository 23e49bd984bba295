#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Check a results.json of the main job: its schema, and what it must show.

    results-check.py [--state STATE]... [--path PATH]... [--kunit SUITE]... FILE

States that a BAR must have, paths that must have been timed without the module and with it,
KUnit suites that must have run and passed. Of the performance core each path must
have been timed, or be named with the reason why not. Prints what is wrong; exit code 1 if anything is.
"""
import argparse
import json
import sys

NUMBER = (int, float)
KEYS = {
    "platform": {"name": str, "arch": str, "page_size": int, "kernel": str,
                 "accel": str, "cpus": int},
    "bars": {"bdf": str, "vendor": str, "device": str, "driver": str, "module": bool,
             "bar": int, "size": int, "shown_size": int, "start": (int, str), "flags": (int, str),
             "state": (str, type(None)),
             "expected_mmap": bool, "mmap": bool, "backend": str},
    "timings": {"bdf": str, "driver": str, "module": bool, "bar": int, "offset": int, "path": str,
                "op": str, "width": int, "median_ns": NUMBER, "min_ns": NUMBER,
                "p99_ns": NUMBER, "ci95_ns": list, "samples": int},
    "opens": {"driver": str, "module": bool, "functions": int, "phase": str, "median_ns": NUMBER,
              "min_ns": NUMBER, "p99_ns": NUMBER, "ci95_ns": list, "samples": int},
    "kunit": {"suite": str, "pass": int, "fail": int, "skip": int, "cases": list},
    "totals": {"pass": int, "fail": int, "skip": int, "xfail": int, "error": int},
}
LADDER = ("kernel", "sysfs", "mmap", "pread", "pwrite", "kvm-mapped", "kvm-trapped",
          "kvm-ioeventfd")


def schema(results):
    """What does not fit the schema."""
    if results.get("schema") != 2:
        yield f"schema is {results.get('schema')}, not 2"
    for part, keys in KEYS.items():
        entries = results.get(part)
        for entry in entries if isinstance(entries, list) else [entries]:
            for key, kind in keys.items():
                if not isinstance((entry or {}).get(key), kind) and \
                   key not in (entry or {}):
                    yield f"{part}: {entry}: no {key}"
                elif not isinstance(entry[key], kind):
                    yield f"{part}: {key} is {entry[key]!r}"


def contents(results, states, timed):
    """What the main job should have shown and did not."""
    page = results["platform"]["page_size"]
    for state in states:
        if not any(bar["state"] == state for bar in results["bars"] if bar["module"]):
            yield f"no BAR has the state {state}"
    for bar in results["bars"]:
        if bar["mmap"] != bar["expected_mmap"]:
            yield f"{name(bar)} {bar['bdf']} BAR {bar['bar']}: mmap is not as expected"
        # The module makes a page of it, and only the module does.
        shown = page if bar["state"] in ("in-place", "relocated") else bar["size"]
        if bar["shown_size"] != shown:
            yield f"{name(bar)} {bar['bdf']} BAR {bar['bar']}: shown as {bar['shown_size']} bytes"
    for module in (False, True):
        paths = {timing["path"] for timing in results["timings"] if timing["module"] == module}
        for path in timed:
            if path not in paths:
                yield f"no timing of {path} {'with' if module else 'without'} the module"
    for timing in results["timings"]:
        low, high = timing["ci95_ns"]
        if not timing["min_ns"] <= low <= timing["median_ns"] <= high <= timing["p99_ns"] * 1.01:
            yield f"timing out of order: {timing}"
        if timing.get("loop_ns") is None and timing["min_ns"] <= 0:
            yield f"timing of nothing: {timing}"
    yield from ladder(results, timed)
    yield from ratios(results["timings"])
    if results["totals"]["fail"] or results["totals"]["error"]:
        yield f"totals: {results['totals']}"


def name(entry):
    """Of what it is about, for a message."""
    return f"{entry['driver']} {'with' if entry['module'] else 'without'} the module,"


def ladder(results, expected):
    """Paths of the performance core that are neither timed nor skipped with a reason;
    where no register may be written there is no pwrite."""
    perf = results.get("perf") or {}
    if perf.get("partial") is not False:
        yield f"perf: partial is {perf.get('partial')!r}"
        return
    if not perf["counter_hz"] > 0 or not perf["machine"]["cpu_model"]:
        yield f"perf: no clock or no CPU: {perf['counter_hz']} {perf['machine']}"
    reasons = {skip["path"] for skip in perf["skipped"] if skip["reason"]}
    timed = {timing["path"] for timing in results["timings"]
             if timing.get("loop_ns") is not None}
    for path in LADDER:
        if path not in timed | reasons and (path != "pwrite" or path in expected):
            yield f"perf: path {path} was neither timed nor skipped"
    for phase in ("bind", "open", "mmap", "touch", "close", "unbind", "total"):
        if {entry["module"] for entry in results["opens"] if entry["phase"] == phase} != \
           {False, True}:
            yield f"opens: {phase} not without the module and with it"


def ratios(timings):
    """BARs for which a mapped read is not faster than a trapped one."""
    reads = {}
    for timing in timings:
        if timing["op"] == "read":
            key = (timing["module"], timing["bdf"], timing["bar"], timing["offset"],
                   timing["width"])
            reads.setdefault(key, {})[timing["path"]] = timing["median_ns"]
    for key, paths in reads.items():
        if "mmap" in paths and "pread" in paths and paths["mmap"] >= paths["pread"]:
            yield f"{key}: mmap takes {paths['mmap']} ns, pread {paths['pread']} ns"


def kunit(results, expected):
    """KUnit suites that did not run, or not well."""
    found = {suite["suite"]: suite for suite in results["kunit"]}
    for name in expected:
        suite = found.get(name)
        if not suite:
            yield f"no result of the KUnit suite {name}"
        elif not suite["pass"] or suite["fail"]:
            yield f"KUnit suite {name}: {suite['pass']} passed, {suite['fail']} failed"
        elif len(suite["cases"]) != suite["pass"] + suite["skip"]:
            yield f"KUnit suite {name}: {len(suite['cases'])} cases do not add up"


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--state", action="append")
    parser.add_argument("--path", action="append")
    parser.add_argument("--kunit", action="append", default=[])
    parser.add_argument("file")
    args = parser.parse_args()
    with open(args.file, encoding="utf-8") as file:
        results = json.load(file)
    faults = list(schema(results)) or [
        *contents(results, args.state or ["in-place", "relocated"],
                  args.path or ["mmap", "pread", "pwrite"]),
        *kunit(results, args.kunit)]
    print("\n".join(faults) or f"{args.file}: as it should be")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
