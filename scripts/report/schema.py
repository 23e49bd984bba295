# SPDX-License-Identifier: GPL-2.0-only
"""The schema of records and of results.json: version, fields, types, and what names
an entry. Documentation/dev-tools/subpage-results.rst says what the fields mean.

A type is one of KINDS, an object {field: type}, or an array [type]. A field whose
name ends in "?" may be null or absent. Fields that are not known are left out.
"""
import json
import re

VERSION = 2
REMEDY = "run the suite again, and use the report.py that came with it"

TEST = "vfio_pci_subpage_test"
PERF = "vfio_pci_subpage_perf"

PLATFORM = {"name": "text", "arch": "text", "page_size": "whole", "kernel": "text",
            "accel": "text", "cpus": "whole"}
RUN = {"program": "text", "command": "text", "time?": "text", "module_version?": "text"}
BINDING = {"bdf": "text", "driver": "text", "module": "bool", "bar": "whole"}
BAR = {**BINDING, "vendor": "hex", "device": "hex", "class?": "hex", "name?": "text",
       "size": "whole", "shown_size?": "whole", "start": "hex", "flags": "hex",
       "state?": "text", "expected_mmap?": "bool", "mmap?": "bool", "backend?": "text"}
NEIGHBOUR = {"module": "bool", "start": "hex", "end": "hex", "name": "text"}
STATISTICS = {"median_ns": "number", "min_ns": "number", "p99_ns": "number",
              "ci95_ns?": "interval", "samples": "whole"}
TIMING = {**BINDING, "offset": "whole", "path": "text", "op": "text", "width": "whole",
          **STATISTICS, "batch?": "whole", "cpu?": "whole", "node?": "whole",
          "outliers?": "whole", "loop_ns?": "number"}
SKIP = {**BINDING, "offset?": "whole", "path?": "text", "op?": "text", "width?": "whole",
        "kind": "skip", "reason": "text"}
OPEN = {"driver": "text", "module": "bool", "functions": "whole", "phase": "text",
        **STATISTICS}
METHOD = {"seed?": "hex", "counter": "text", "counter_hz": "number",
          "resolution_ns?": "number", "blocks?": "whole", "rounds?": "whole",
          "remote_node?": "bool"}
MACHINE = {"cpu_model?": "text", "governor?": "text", "smt?": "bool", "hypervisor?": "text",
           "steal_percent?": "number", "warnings": ["text"]}
TOTALS = {"pass": "whole", "fail": "whole", "skip": "whole", "xfail": "whole",
          "error": "whole"}
CASE = {"name": "text", "result": "text", "reason?": "text"}
SUITE = {"suite": "text", "pass": "whole", "fail": "whole", "skip": "whole", "cases": [CASE]}

# What a program writes, by the type of the record.
RECORDS = {"run": {**RUN, "platform": PLATFORM}, "bar": BAR, "neighbour": NEIGHBOUR,
           "perf": METHOD, "machine": MACHINE, "timing": TIMING, "skip": SKIP, "open": OPEN,
           "end": {"totals?": TOTALS, "complete": "bool"}}

# What is made of the records.
RESULTS = {"platform": PLATFORM, "revision?": "text", "runs": [{**RUN, "complete": "bool"}],
           "bars": [BAR], "neighbours": [NEIGHBOUR], "timings": [TIMING], "skipped": [SKIP],
           "perf?": METHOD, "machine?": MACHINE, "opens": [OPEN], "kunit": [SUITE],
           "totals?": TOTALS, "partial": "bool"}

# What names an entry. The same register, for a ratio, is all but path and module.
BAR_KEY = ("bdf", "bar", "driver", "module")
REGISTER_KEY = ("bdf", "driver", "bar", "offset", "width", "op")
TIMING_KEY = (*REGISTER_KEY, "module", "path")
OPEN_KEY = ("driver", "module", "functions", "phase")

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
HEX = re.compile("0x[0-9a-fA-F]{1,16}")


class Unusable(Exception):
    """Input that cannot be used; the text is "cause: remedy"."""


def is_number(value):
    """Neither true nor false, nor what no axis can hold."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and \
        (value == 0 or 2.0 ** -64 <= abs(value) < 2.0 ** 64)


def is_whole(value):
    """A number without a fraction, at least 0."""
    return is_number(value) and isinstance(value, int) and value >= 0


def is_interval(value):
    """Two numbers in order."""
    return isinstance(value, list) and len(value) == 2 and all(map(is_number, value)) and \
        value[0] <= value[1]


KINDS = {
    "text": (lambda value: isinstance(value, str), "text"),
    "bool": (lambda value: isinstance(value, bool), "true or false"),
    "whole": (is_whole, "a whole number"),
    "number": (is_number, "a number (0, or from 2^-64 to 2^64)"),
    "hex": (lambda value: isinstance(value, str) and HEX.fullmatch(value),
            'text in hexadecimal, as "0x10"'),
    "interval": (is_interval, "[low, high]"),
    "skip": (lambda value: value in ("missing", "not-applicable"),
             '"missing" or "not-applicable"'),
}


def check(value, kind, where):
    """The value, with the fields that are known, all of their types."""
    if isinstance(kind, dict):
        if not isinstance(value, dict):
            raise Unusable(f"{where} is not an object: {REMEDY}")
        return {key.rstrip("?"): None if key.endswith("?") and value.get(key[:-1]) is None else
                check(value.get(key.rstrip("?")), one, f"{where}.{key.rstrip('?')}")
                for key, one in kind.items()}
    if isinstance(kind, list):
        if not isinstance(value, list):
            raise Unusable(f"{where} is not an array: {REMEDY}")
        return [check(one, kind[0], f"{where}[{i}]") for i, one in enumerate(value)]
    fits, name = KINDS[kind]
    if not fits(value):
        raise Unusable(f"{where} is not {name}: {REMEDY}")
    return value


def check_version(value):
    """Only the one that this was written for."""
    version = value.get("schema")
    if not is_whole(version):
        raise Unusable("no schema number: name a file that the suite has made")
    if version != VERSION:
        raise Unusable(f"schema {version} is not known, only schema {VERSION}: {REMEDY}")


def clean(value):
    """Without characters that HTML, Markdown or UTF-8 cannot hold."""
    if isinstance(value, str):
        return CONTROL.sub("\ufffd", value)
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    return value


def decode(text):
    """A JSON object; Unusable if the text is something else."""
    try:
        value = clean(json.loads(text))
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
            raise Unusable(f"the JSON is truncated: {REMEDY}") from error
        raise Unusable(f"not JSON, line {error.lineno}: {error.msg}: "
                       "name a file that the suite has made") from error
    except (ValueError, RecursionError) as error:
        raise Unusable("the JSON is none of the suite: "
                       "name a file that the suite has made") from error
    if not isinstance(value, dict):
        raise Unusable("no JSON object: name a file that the suite has made")
    return value


def last(entries, key):
    """Of entries with the same name the last one counts."""
    return list({tuple(entry[part] for part in key): entry for entry in entries}.values())


def read_file(path):
    """The text of a file; what was torn inside a character is no reason to refuse it."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError as error:
        raise Unusable(f"{error.strerror}: name a file that can be read") from error
