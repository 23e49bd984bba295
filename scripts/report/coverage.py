# SPDX-License-Identifier: GPL-2.0-only
"""Which memory BARs are mapped by vfio-pci, without the module and with it.

The same rows, counts and ratios as vfio_pci_subpage_report prints.
"""
import dataclasses
import statistics

from .load import WITHOUT, WITH
from .times import is_timed

IORESOURCE_MEM = 0x200
NOT_MEASURED = "not measured"
# States of a BAR that has a page of its own.
PAGES = ("in-place", "relocated")
# By what region info says.
MAPPING = {True: "mapped", False: "trapped", None: "not opened"}


@dataclasses.dataclass
class Row:
    """A memory BAR without the module and with it."""
    bdf: str
    bar: int
    size: int
    without: dict = None
    with_module: dict = None


def rows(results):
    """Of all memory BARs, in order; and how many are of other drivers."""
    found, others = {}, 0
    for bar in results.bars:
        if not (bar["flags"] or 0) & IORESOURCE_MEM:
            continue
        if bar["driver"] not in (WITHOUT, WITH):
            others += 1
            continue
        row = found.setdefault((bar["bdf"] or "", bar["bar"] or 0),
                               Row(bar["bdf"] or "", bar["bar"] or 0, bar["size"] or 0))
        if bar["driver"] == WITHOUT:
            row.without = bar
        else:
            row.with_module = bar
    return [found[key] for key in sorted(found)], others


def count(results, table, driver):
    """(mapped, sub-page BARs) under a driver, or None if none could be opened."""
    page = results.platform["page_size"] or 0
    bars = [(row, row.without if driver == WITHOUT else row.with_module) for row in table]
    opened = [(row, bar) for row, bar in bars if bar and bar["mmap"] is not None]
    small = [bar["mmap"] for row, bar in opened if row.size < page]
    return (sum(small), len(small)) if opened else None


def count_text(counted):
    """ "N of M"."""
    return f"{counted[0]} of {counted[1]}" if counted else NOT_MEASURED


def summary(results):
    """The line that everything is about."""
    table, _ = rows(results)
    return (f"{count_text(count(results, table, WITH))} sub-page MMIO BARs mapped "
            f"(without the module: {count_text(count(results, table, WITHOUT))})")


def median_of(results, row, driver, path, op):
    """The median of the first such timing, or None if there is none that counts."""
    for timing in results.timings:
        if (timing["bdf"], timing["bar"], timing["driver"], timing["path"], timing["op"]) == \
           (row.bdf, row.bar, driver, path, op):
            return timing["median_ns"] if is_timed(timing) else None
    return None


def pair(results, row, op):
    """(trapped, mapped) of one run: with the module if that has both, else without."""
    file = "pread" if op == "read" else "pwrite"
    first = (None, None)
    for driver in (WITH, WITHOUT):
        trapped = median_of(results, row, driver, file, op)
        mapped = median_of(results, row, driver, "mmap", op)
        if trapped and mapped:
            return trapped, mapped
        if trapped and not first[0]:
            first = (trapped, None)
    return first


def median_ratio(results):
    """(median of trapped/mapped reads, number of BARs), or None."""
    table, _ = rows(results)
    pairs = [pair(results, row, "read") for row in table]
    ratios = [trapped / mapped for trapped, mapped in pairs if mapped]
    return (statistics.median(ratios), len(ratios)) if ratios else None


def place(start, page):
    """The page, and how far into it the BAR starts."""
    offset = start % page if page else 0
    return f"0x{start - offset:x}+0x{offset:x}" if offset else f"0x{start:x}"


def where(results, row):
    """The address, and the new one if the BAR was moved."""
    page = results.platform["page_size"] or 0
    places = [place(bar["start"] or 0, page) for bar in (row.without, row.with_module) if bar]
    return " → ".join(dict.fromkeys(places))


def state(bar):
    """What became of it: what the module says, if it says something, and the mapping
    where that does not follow."""
    if not bar:
        return NOT_MEASURED
    said, mapping = bar["state"], MAPPING[bar["mmap"]]
    if not said:
        return mapping
    return said if mapping == MAPPING[said in PAGES] else f"{said}, {mapping}"
