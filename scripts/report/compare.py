# SPDX-License-Identifier: GPL-2.0-only
"""Before against after: ratios, their intervals, and verdicts."""
import dataclasses
import math
import statistics

from . import text
from .ladder import is_timed
from .schema import BAR_KEY, OPEN_KEY, TIMING_KEY

NORMAL_95 = 1.96
VERDICTS = ("worse", "better", "no difference", "unknown")


@dataclasses.dataclass
class Ratio:
    """Of two medians, with its 95 % interval; None where that is not known."""
    value: float
    low: float = None
    high: float = None


@dataclasses.dataclass
class Row:
    """An entry of both files."""
    kind: str
    before: dict
    after: dict
    ratio: Ratio
    verdict: str


def standard_error(entry):
    """Of the logarithm of the median. None: not known, infinite: unbounded."""
    bounds = entry["ci95_ns"]
    if not bounds or entry["samples"] < 2:
        return None
    if bounds[0] <= 0:
        return math.inf
    return (math.log(bounds[1]) - math.log(bounds[0])) / (2 * NORMAL_95)


def exp(number):
    """Without an end."""
    return math.exp(number) if number < 700 else math.inf


def ratio(before, after):
    """After over before, or None if either was not timed."""
    if not is_timed(before) or not is_timed(after):
        return None
    centre = math.log(after["median_ns"]) - math.log(before["median_ns"])
    value = exp(centre)
    errors = standard_error(before), standard_error(after)
    if None in errors:
        return Ratio(value)
    half = NORMAL_95 * math.hypot(*errors)
    return Ratio(value, exp(centre - half), exp(centre + half))


def is_worse(one, percent):
    """Whether the interval lies entirely above the tolerance."""
    return bool(one and one.low is not None and one.low > 1 + percent / 100)


def is_better(one, percent):
    """Whether the interval lies entirely below it."""
    return bool(one and one.high is not None and one.high < 1 / (1 + percent / 100))


def verdict(one, percent):
    """One of VERDICTS."""
    if one is None or one.low is None:
        return "unknown"
    if is_worse(one, percent):
        return "worse"
    return "better" if is_better(one, percent) else "no difference"


@dataclasses.dataclass
class Alone:
    """An entry that has no counterpart, or one of another device."""
    kind: str
    where: str
    entry: dict
    other_device: bool

    @property
    def verdict(self):
        """In the place of one of VERDICTS."""
        return "other device" if self.other_device else f"only {self.where}"


def devices(results):
    """Vendor and device of each BDF."""
    return {bar["bdf"]: (bar["vendor"], bar["device"]) for bar in results.bars}


def other_devices(before, after):
    """What is not the same device in both, as {BDF: ids}. Where one of them has no BAR
    of it, it is."""
    old, new = devices(before), devices(after)
    return {bdf: (old[bdf], new[bdf]) for bdf in old if bdf in new and
            old[bdf] != new[bdf]}


def places(results):
    """The devices that something was measured of, and how they were bound."""
    return {(entry["bdf"], text.binding(entry)) for entry in results.bars + results.timings}


def names_devices(results):
    """Whether it says which devices it is of; what opening costs does not."""
    return bool(results.bars or results.timings)


def by_key(entries, keys):
    """Entries by what makes them the same in two files."""
    return {tuple(entry[key] for key in keys): entry for entry in entries}


class Comparison:
    """Two results files, matched."""

    def __init__(self, before, after, tolerance):
        self.before = before
        self.after = after
        self.tolerance = tolerance
        self.other_devices = other_devices(before, after)
        self.rows = []
        self.alone = []
        self.match("timing", before.timings, after.timings, TIMING_KEY)
        self.match("open", before.opens, after.opens, OPEN_KEY)

    def match(self, kind, before, after, keys):
        """Rows of one kind, and what has no counterpart."""
        before, after = by_key(before, keys), by_key(after, keys)
        others = {key for key in (*before, *after)
                  if kind == "timing" and key[keys.index("bdf")] in self.other_devices}
        both = [key for key in before if key in after and key not in others]
        for key in both:
            one = ratio(before[key], after[key])
            self.rows.append(Row(kind, before[key], after[key], one,
                                 verdict(one, self.tolerance)))
        self.alone += [Alone(kind, where, entries[key], key in others)
                       for where, entries in (("before", before), ("after", after))
                       for key in entries if key not in both]

    def of(self, kind):
        """The rows of a kind."""
        return [row for row in self.rows if row.kind == kind]

    def only(self, kind, where):
        """What only the file before or after has."""
        return [one for one in self.alone if one.kind == kind and one.where == where and
                not one.other_device]

    def counts(self, rows=None):
        """How many rows have which verdict."""
        rows = self.rows if rows is None else rows
        return {name: sum(row.verdict == name for row in rows) for name in VERDICTS}

    def median_ratio(self, kind):
        """(median, number of rows), or None."""
        ratios = [row.ratio.value for row in self.of(kind) if row.ratio]
        return (statistics.median(ratios), len(ratios)) if ratios else None

    def has_anything(self):
        """Whether the files have a row or a BAR in common. What opening costs is of
        the same devices only as far as nothing says otherwise."""
        bars = by_key(self.before.bars, BAR_KEY).keys() & by_key(self.after.bars, BAR_KEY).keys()
        if names_devices(self.before) and names_devices(self.after):
            return bool(self.of("timing") or any(bdf not in self.other_devices
                                                 for bdf, *_ in bars))
        return bool(self.rows)

    def lost_mappings(self):
        """BARs that were mapped and are not, as (before, after or None), where the
        device is still there under the same driver."""
        now, here = by_key(self.after.bars, BAR_KEY), places(self.after)
        return [(bar, now.get(key)) for key, bar in by_key(self.before.bars, BAR_KEY).items()
                if bar["mmap"] and (key[0], text.binding(bar)) in here and
                key[0] not in self.other_devices and not (key in now and now[key]["mmap"])]

    def lost_rows(self):
        """(kind, entry) of what was measured and is not, where the devices are still
        there under the same driver. What opening costs is of all of them."""
        then, here = places(self.before), places(self.after)
        lost = [(row.kind, row.before) for row in self.rows
                if row.before["ci95_ns"] and not row.after["ci95_ns"]]
        lost += [("timing", one.entry) for one in self.only("timing", "before")
                 if (one.entry["bdf"], text.binding(one.entry)) in here]
        lost += [("open", one.entry) for one in self.only("open", "before")
                 if {place for place in then if place[1] == text.binding(one.entry)} <= here]
        return lost


def name(kind, entry):
    """An entry for people."""
    if kind == "timing":
        return f"{text.place(entry)} {entry['path']} {entry['op']}, {text.binding(entry)}"
    return (f"{text.binding(entry)}, {text.count(entry['functions'], 'function')}: "
            f"{entry['phase']}")
