#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Check a results.json of the main job: its schema, and what it must show.

    results-check.py [--claim CLAIM]... [--path PATH]... [--kunit SUITE]... FILE

Claims that a BAR must have, paths that must have been timed under each driver,
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
    "bars": {"bdf": str, "vendor": str, "device": str, "driver": str, "bar": int,
             "size": int, "start": (int, str), "flags": (int, str),
             "claim": (str, type(None)), "reason": (str, type(None)),
             "expected_mmap": bool, "mmap": bool, "backend": str},
    "timings": {"bdf": str, "driver": str, "bar": int, "offset": int, "path": str,
                "op": str, "width": int, "median_ns": NUMBER, "min_ns": NUMBER,
                "p99_ns": NUMBER, "ci95_ns": list, "samples": int},
    "opens": {"driver": str, "functions": int, "phase": str, "median_ns": NUMBER,
              "min_ns": NUMBER, "p99_ns": NUMBER, "ci95_ns": list, "samples": int},
    "kunit": {"suite": str, "pass": int, "fail": int, "skip": int, "cases": list},
    "totals": {"pass": int, "fail": int, "skip": int, "xfail": int, "error": int},
}
LADDER = ("kernel", "sysfs", "mmap", "pread", "pwrite", "kvm-mapped", "kvm-trapped",
          "kvm-ioeventfd")
DRIVERS = ("vfio-pci", "vfio-pci-subpage")


def schema(results):
    """What does not fit the schema."""
    if results.get("schema") != 1:
        yield f"schema is {results.get('schema')}, not 1"
    for part, keys in KEYS.items():
        entries = results.get(part)
        for entry in entries if isinstance(entries, list) else [entries]:
            for key, kind in keys.items():
                if not isinstance((entry or {}).get(key), kind) and \
                   key not in (entry or {}):
                    yield f"{part}: {entry}: no {key}"
                elif not isinstance(entry[key], kind):
                    yield f"{part}: {key} is {entry[key]!r}"


def contents(results, claims, timed):
    """What the main job should have shown and did not."""
    subpage = [bar for bar in results["bars"]
               if bar["claim"] and bar["driver"] == "vfio-pci-subpage"]
    for claim in claims:
        if not any(bar["claim"] == claim for bar in subpage):
            yield f"no BAR has the claim {claim}"
    for bar in results["bars"]:
        if bar["mmap"] != bar["expected_mmap"]:
            yield f"{bar['driver']} {bar['bdf']} BAR {bar['bar']}: mmap is not as expected"
    for driver in DRIVERS:
        paths = {timing["path"] for timing in results["timings"]
                 if timing["driver"] == driver}
        for path in timed:
            if path not in paths:
                yield f"no timing of {path} under {driver}"
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
        drivers = {entry["driver"] for entry in results["opens"] if entry["phase"] == phase}
        if drivers != set(DRIVERS):
            yield f"opens: {phase} of {sorted(drivers)} only"


def ratios(timings):
    """BARs for which a mapped read is not faster than a trapped one."""
    reads = {}
    for timing in timings:
        if timing["op"] == "read":
            key = (timing["driver"], timing["bdf"], timing["bar"], timing["offset"],
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
    parser.add_argument("--claim", action="append")
    parser.add_argument("--path", action="append")
    parser.add_argument("--kunit", action="append", default=[])
    parser.add_argument("file")
    args = parser.parse_args()
    with open(args.file, encoding="utf-8") as file:
        results = json.load(file)
    faults = list(schema(results)) or [
        *contents(results, args.claim or ["in-place", "relocated"],
                  args.path or ["mmap", "pread", "pwrite"]),
        *kunit(results, args.kunit)]
    print("\n".join(faults) or f"{args.file}: as it should be")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
