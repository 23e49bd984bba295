#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Check a results.json of the main job: its schema, and what it must show.

    results-check.py FILE

Prints what is wrong; exit code 1 if anything is.
"""
import json
import sys

NUMBER = (int, float)
KEYS = {
    "platform": {"name": str, "arch": str, "page_size": int, "kernel": str,
                 "accel": str, "cpus": int},
    "bars": {"bdf": str, "vendor": str, "device": str, "driver": str, "bar": int,
             "size": int, "start": (int, str), "flags": (int, str),
             "claim": (str, type(None)), "reason": (str, type(None)),
             "expected_mmap": bool, "mmap": bool},
    "timings": {"bdf": str, "driver": str, "bar": int, "offset": int, "path": str,
                "op": str, "width": int, "median_ns": NUMBER, "min_ns": NUMBER,
                "p99_ns": NUMBER, "ci95_ns": list, "samples": int},
    "totals": {"pass": int, "fail": int, "skip": int, "xfail": int, "error": int},
}
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


def contents(results):
    """What the main job should have shown and did not."""
    subpage = [bar for bar in results["bars"]
               if bar["claim"] and bar["driver"] == "vfio-pci-subpage"]
    for claim in ("in-place", "relocated"):
        if not any(bar["claim"] == claim for bar in subpage):
            yield f"no BAR has the claim {claim}"
    for bar in results["bars"]:
        if bar["mmap"] != bar["expected_mmap"]:
            yield f"{bar['driver']} {bar['bdf']} BAR {bar['bar']}: mmap is not as expected"
    for driver in DRIVERS:
        paths = {timing["path"] for timing in results["timings"]
                 if timing["driver"] == driver}
        for path in ("mmap", "pread", "pwrite"):
            if path not in paths:
                yield f"no timing of {path} under {driver}"
    for timing in results["timings"]:
        low, high = timing["ci95_ns"]
        if not 0 < timing["min_ns"] <= low <= timing["median_ns"] <= high:
            yield f"timing out of order: {timing}"
    yield from ratios(results["timings"])
    if results["totals"]["fail"] or results["totals"]["error"]:
        yield f"totals: {results['totals']}"


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


def main():
    """The command."""
    with open(sys.argv[1], encoding="utf-8") as file:
        results = json.load(file)
    faults = list(schema(results)) or list(contents(results))
    print("\n".join(faults) or f"{sys.argv[1]}: as it should be")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
