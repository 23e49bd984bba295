# SPDX-License-Identifier: GPL-2.0-only
"""Which memory BARs are mapped, without the module and with it."""
import dataclasses
import statistics

from . import ladder

IORESOURCE_MEM = 0x200
NOT_MEASURED = "not measured"
# States of a BAR that has a page of its own.
PAGES = ("in-place", "relocated")
# By what region info says.
MAPPING = {True: "mapped", False: "trapped", None: "not opened"}


@dataclasses.dataclass
class Row:
    """A memory BAR under a driver: without the module and with it."""
    bdf: str
    bar: int
    driver: str
    size: int
    without: dict = None
    with_module: dict = None

    def side(self, module):
        """What it is on one of the sides, or None."""
        return self.with_module if module else self.without


def rows(results):
    """Of all memory BARs, in order."""
    found = {}
    for bar in results.bars:
        if not bar["flags"] & IORESOURCE_MEM:
            continue
        key = bar["bdf"], bar["bar"], bar["driver"]
        row = found.setdefault(key, Row(*key, bar["size"]))
        if bar["module"]:
            row.with_module = bar
        else:
            row.without = bar
    return [found[key] for key in sorted(found)]


def is_subpage(results, row):
    """Whether it is what the module is for."""
    return 0 < row.size < results.page


def count(results, module):
    """(mapped, sub-page BARs), or None if none could be opened."""
    sides = [(row, row.side(module)) for row in rows(results)]
    opened = [(row, bar) for row, bar in sides if bar and bar["mmap"] is not None]
    small = [bar["mmap"] for row, bar in opened if is_subpage(results, row)]
    return (sum(small), len(small)) if opened else None


def count_text(counted):
    """ "N of M"."""
    return f"{counted[0]} of {counted[1]}" if counted else NOT_MEASURED


def summary(results):
    """The line that everything is about."""
    return (f"{count_text(count(results, True))} sub-page MMIO BARs mapped "
            f"(without the module: {count_text(count(results, False))})")


def pair(results, row, op):
    """(trapped, mapped) of an operation on a register of a BAR."""
    return ladder.pair([timing for timing in results.timings
                        if (timing["bdf"], timing["bar"], timing["driver"]) ==
                        (row.bdf, row.bar, row.driver)], op)


def median_ratio(results):
    """(median of trapped/mapped reads, number of BARs), or None."""
    pairs = [pair(results, row, "read") for row in rows(results)]
    ratios = [trapped / mapped for trapped, mapped in pairs if mapped]
    return (statistics.median(ratios), len(ratios)) if ratios else None


def place(start, page):
    """The page, and how far into it the BAR starts."""
    offset = start % page
    return f"0x{start - offset:x}+0x{offset:x}" if offset else f"0x{start:x}"


def where(results, row):
    """The address, and the new one if the BAR was moved."""
    places = [place(bar["start"], results.page) for bar in (row.without, row.with_module) if bar]
    return " -> ".join(dict.fromkeys(places))


def state(bar):
    """What became of it: what the module says, if it says something, and the mapping
    where that does not follow."""
    if not bar:
        return NOT_MEASURED
    said, mapping = bar["state"], MAPPING[bar["mmap"]]
    if not said:
        return mapping
    return said if mapping == MAPPING[said in PAGES] else f"{said}, {mapping}"
