# SPDX-License-Identifier: GPL-2.0-only
"""Make results.json of the records that programs have appended to one file.

A program that is killed leaves a line that is torn, and no record "end"; the next
program may have appended to that very line.
"""
import dataclasses
import os
import re
import subprocess

from . import schema
from .schema import REMEDY, Unusable

RUN = re.compile(r'\{\s*"type"\s*:\s*"run"')
# CPUs may be taken offline between two runs.
SAME = tuple(key for key in schema.PLATFORM if key != "cpus")


@dataclasses.dataclass
class Run:
    """A run of a program: its first record, and the others by type."""
    record: dict
    records: dict

    def all(self, kind):
        """Its records of a type."""
        return self.records.get(kind, [])

    def last(self, kind):
        """The one that counts, or None."""
        return (self.all(kind) or [None])[-1]

    def is_complete(self):
        """Whether it has come to its end."""
        end = self.last("end")
        return bool(end and end["complete"])


def decode(line):
    """A record, or None for a line that is none."""
    try:
        return schema.decode(line)
    except Unusable:
        return None


def records(text):
    """(line, record). A torn line may only stand before a run, or at the end."""
    torn = 0
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        record = decode(line)
        if not record:
            run = RUN.search(line, 1)
            record, torn = decode(line[run.start():]) if run else None, number
        if not record:
            continue
        if torn and record.get("type") != "run":
            raise Unusable(f"line {torn} is not JSON: name a file of records, or {REMEDY}")
        torn = 0
        yield number, record


def runs(text):
    """The runs in a file of records."""
    found = []
    for number, record in records(text):
        kind = record.get("type")
        if kind not in schema.RECORDS:
            raise Unusable(f"line {number}: records of type {kind!r} are not known: {REMEDY}")
        if kind == "run":
            schema.check_version(record)
        elif not found:
            raise Unusable(f"line {number}: a record of no run: {REMEDY}")
        value = schema.check(record, schema.RECORDS[kind], f"line {number}: {kind}")
        if kind == "run":
            found.append(Run(value, {}))
        else:
            found[-1].records.setdefault(kind, []).append(value)
    if not found:
        raise Unusable(f"holds no records of a run: {REMEDY}")
    return found


def platform(found):
    """The one of all runs."""
    first = found[0].record["platform"]
    for run in found:
        for key in SAME:
            if run.record["platform"][key] != first[key]:
                raise Unusable(f"runs on two platforms: {key} is {first[key]} and "
                               f"{run.record['platform'][key]}: use a file for each")
    return {**first, "cpus": max(run.record["platform"]["cpus"] for run in found)}


def totals(found):
    """What the runs of the test have come to, together."""
    ends = [run.last("end") for run in found if run.record["program"] == schema.TEST]
    ends = [end["totals"] for end in ends if end and end["totals"]]
    return {key: sum(one[key] for one in ends) for key in schema.TOTALS} if ends else None


def revision():
    """Of the project, or None outside of git."""
    try:
        done = subprocess.run(["git", "-C", os.path.dirname(__file__), "describe", "--always",
                               "--dirty"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip() or None


def together(found, kind, key):
    """Records of all runs; of those with the same name the last one."""
    return schema.last([record for run in found for record in run.all(kind)], key)


def merge(text, suites=(), complete=True):
    """The results: of the text of a file of records, and of KUnit suites. Times are of
    the last run that measured any, as those of two runs are not comparable."""
    found = runs(text)
    measured = [run for run in found if run.record["program"] == schema.PERF] or [Run({}, {})]
    perf = measured[-1]
    result = {
        "platform": platform(found),
        "revision": revision(),
        "runs": [{**run.record, "complete": run.is_complete()} for run in found],
        "bars": together(found, "bar", schema.BAR_KEY),
        "neighbours": together(found, "neighbour", tuple(schema.NEIGHBOUR)),
        "timings": schema.last(perf.all("timing"), schema.TIMING_KEY),
        "skipped": perf.all("skip"),
        "perf": perf.last("perf"),
        "machine": perf.last("machine"),
        "opens": together(found, "open", schema.OPEN_KEY),
        "kunit": list(suites),
        "totals": totals(found),
        "partial": not complete or not all(run.is_complete() for run in found),
    }
    return {"schema": schema.VERSION, **schema.check(result, schema.RESULTS, "results")}
