# SPDX-License-Identifier: GPL-2.0-only
"""Read a results.json of schema 2 and check it once, so that nobody else has to.

What a file lacks is None from here on, and what it has is of the right type.
Text is free of control characters, which no format that is written allows.
"""
import dataclasses
import json
import os
import re

from .text import count

SCHEMA = 2
# What a device is bound to, without the module and with it.
WITHOUT = "vfio-pci"
WITH = "vfio-pci with the module"

NUMBER = (int, float)
PLATFORM = {"name": str, "arch": str, "page_size": int, "kernel": str, "accel": str,
            "cpus": int}
BAR = {"bdf": str, "vendor": str, "device": str, "driver": str, "module": bool, "bar": int,
       "size": int, "shown_size": int, "start": (int, str), "flags": (int, str), "state": str,
       "expected_mmap": bool, "mmap": bool, "backend": str}
STATISTICS = {"median_ns": NUMBER, "min_ns": NUMBER, "p99_ns": NUMBER, "ci95_ns": list,
              "samples": int, "loop_ns": NUMBER}
REGISTER = {"bdf": str, "driver": str, "module": bool, "bar": int, "offset": int, "path": str, "op": str,
            "width": int}
TIMING = {**REGISTER, **STATISTICS, "batch": int, "cpu": int, "node": int, "outliers": int,
          "counter": str}
OPEN = {"driver": str, "module": bool, "functions": int, "phase": str, **STATISTICS}
SKIPPED = {**REGISTER, "reason": str}
SUITE = {"suite": str, "pass": int, "fail": int, "skip": int, "cases": list}
TOTALS = {"pass": int, "fail": int, "skip": int, "xfail": int, "error": int}
PERF = {"warnings": list, "skipped": list, "machine": dict, "partial": bool}

TIMING_KEY = ("bdf", "driver", "bar", "offset", "path", "op", "width")
OPEN_KEY = ("driver", "functions", "phase")

KIND = {str: "text", int: "a whole number", NUMBER: "a number (0, or from 2^-64 to 2^64)",
        bool: "true or false", list: "an array", dict: "an object",
        (int, str): "a number or text in hexadecimal"}
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Unusable(Exception):
    """A file that cannot be used; the text is "cause: remedy"."""


@dataclasses.dataclass
class Results:
    """A results file."""
    path: str
    platform: dict
    bars: list
    timings: list
    opens: list
    kunit: list
    totals: dict
    perf: dict
    skipped: list
    warnings: list
    partial: bool

    @property
    def source(self):
        """The file, for people: "latest" becomes the run that it points to."""
        return os.sep.join(os.path.realpath(self.path).split(os.sep)[-2:])


def is_a(value, kind):
    """Whether a value of JSON is of a kind; true and false are no numbers, nor is
    what no axis can hold."""
    if isinstance(value, bool):
        return kind is bool
    if isinstance(value, NUMBER) and value != 0 and not 2.0 ** -64 <= abs(value) < 2.0 ** 64:
        return False
    return isinstance(value, kind)


def check(value, kind, where):
    """The value, or None for null; complains about any other kind."""
    if value is not None and not is_a(value, kind):
        raise Unusable(f"{where} is not {KIND[kind]}: write the file again with the suite")
    return value


def fields(entry, kinds, where):
    """The entry with each of the known fields."""
    check(entry, dict, where)
    entry = entry or {}
    return {**entry, **{key: check(entry.get(key), kind, f"{where}.{key}")
                        for key, kind in kinds.items()}}


def array(top, name, kinds):
    """An array of such entries, empty if the file lacks it."""
    return [bound(fields(entry, kinds, f"{name}[{i}]"))
            for i, entry in enumerate(check(top.get(name), list, name) or [])]


def bound(entry):
    """From here on the driver tells whether the module was there, too."""
    if entry.get("module"):
        entry["driver"] = f"{entry['driver']} with the module"
    return entry


def hexadecimal(entry, key, where):
    """Addresses are text in hexadecimal, as not every reader has 64 bits."""
    try:
        if isinstance(entry[key], str):
            entry[key] = int(entry[key], 16)
    except ValueError:
        check(entry[key], int, f"{where}.{key}")


def interval(entry, where):
    """Two numbers in order, or None."""
    bounds = entry["ci95_ns"]
    if bounds is None or bounds == [None, None]:
        entry["ci95_ns"] = None
    elif len(bounds) != 2 or not all(is_a(x, NUMBER) for x in bounds) or bounds[0] > bounds[1]:
        raise Unusable(f"{where}.ci95_ns is not [low, high]: write the file again with the suite")


def timed(name, entries, key, warnings):
    """Check the statistics; of an entry that comes twice the last one counts."""
    last = {}
    for i, entry in enumerate(entries):
        interval(entry, f"{name}[{i}]")
        last[tuple(entry[part] for part in key)] = entry
    if len(last) < len(entries):
        warnings.append(f"{len(entries) - len(last)} entries of {name} come more than once; "
                        "the last one of each is shown.")
    few = sum(bool(entry["ci95_ns"]) and (entry["samples"] or 6) < 6 for entry in last.values())
    if few:
        warnings.append(f"{count(few, 'entry', 'entries')} of {name} with an interval of fewer "
                        "than 6 samples: it holds the median with less than 95 %.")
    return list(last.values())


def clean(value):
    """Without characters that HTML, Markdown or UTF-8 cannot hold."""
    if isinstance(value, str):
        return CONTROL.sub("\ufffd", value)
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    return value


def parse(path):
    """The JSON of a file."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError as error:
        raise Unusable(f"{error.strerror}: name a results.json") from error
    except UnicodeDecodeError as error:
        raise Unusable("not UTF-8 text: name a results.json") from error
    try:
        top = clean(json.loads(text))
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
            raise Unusable("the JSON is truncated: run the suite again") from error
        raise Unusable(f"not JSON, line {error.lineno}: {error.msg}: "
                       "name a results.json") from error
    except (ValueError, RecursionError) as error:
        raise Unusable("not JSON of a results file: name a results.json") from error
    if not isinstance(top, dict):
        raise Unusable("not a results file, no JSON object: name a results.json")
    return top


def check_schema(top):
    """Only the one that this was written for."""
    schema = top.get("schema")
    if not is_a(schema, int):
        raise Unusable("not a results file, no schema number: name a results.json")
    if schema != SCHEMA:
        raise Unusable(f"schema {schema} is not known, only schema {SCHEMA}: "
                       "run the suite again, or use the report.py that came with it")


def load(path):
    """A results file; Unusable if it is none."""
    top = parse(path)
    check_schema(top)
    perf = fields(top.get("perf"), PERF, "perf")
    warnings = [str(warning) for warning in perf["warnings"] or []]
    bars = array(top, "bars", BAR)
    for i, bar in enumerate(bars):
        hexadecimal(bar, "start", f"bars[{i}]")
        hexadecimal(bar, "flags", f"bars[{i}]")
    kunit = array(top, "kunit", SUITE)
    for suite in kunit:
        suite["cases"] = array(suite, "cases", {"name": str, "result": str, "reason": str})
    return Results(
        path=path,
        platform=fields(top.get("platform"), PLATFORM, "platform"),
        bars=bars,
        timings=timed("timings", array(top, "timings", TIMING), TIMING_KEY, warnings),
        opens=timed("opens", array(top, "opens", OPEN), OPEN_KEY, warnings),
        kunit=kunit,
        totals=fields(top.get("totals"), TOTALS, "totals"),
        perf=perf,
        skipped=array(perf, "skipped", SKIPPED),
        warnings=warnings,
        partial=bool(perf["partial"] or check(top.get("partial"), bool, "partial")))
