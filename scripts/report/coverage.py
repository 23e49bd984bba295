# SPDX-License-Identifier: GPL-2.0-only
"""Which memory BARs are mapped, under plain vfio-pci and under ours.

The same rows, counts and ratios as vfio_pci_subpage_report prints.
"""
import dataclasses
import statistics

from .load import PLAIN, SUBPAGE
from .times import is_timed

IORESOURCE_MEM = 0x200
NOT_MEASURED = "not measured"
# By what region info says.
MAPPING = {True: "mapped", False: "trapped", None: "not opened"}


@dataclasses.dataclass
class Row:
    """A memory BAR under both drivers."""
    bdf: str
    bar: int
    size: int
    plain: dict = None
    subpage: dict = None


def rows(results):
    """Of all memory BARs, in order; and how many are of other drivers."""
    found, others = {}, 0
    for bar in results.bars:
        if not (bar["flags"] or 0) & IORESOURCE_MEM:
            continue
        if bar["driver"] not in (PLAIN, SUBPAGE):
            others += 1
            continue
        row = found.setdefault((bar["bdf"] or "", bar["bar"] or 0),
                               Row(bar["bdf"] or "", bar["bar"] or 0, bar["size"] or 0))
        if bar["driver"] == PLAIN:
            row.plain = bar
        else:
            row.subpage = bar
    return [found[key] for key in sorted(found)], others


def count(results, table, driver):
    """(mapped, sub-page BARs) under a driver, or None if none could be opened."""
    page = results.platform["page_size"] or 0
    bars = [(row, row.plain if driver == PLAIN else row.subpage) for row in table]
    opened = [(row, bar) for row, bar in bars if bar and bar["mmap"] is not None]
    small = [bar["mmap"] for row, bar in opened if row.size < page]
    return (sum(small), len(small)) if opened else None


def count_text(counted):
    """ "N of M"."""
    return f"{counted[0]} of {counted[1]}" if counted else NOT_MEASURED


def summary(results):
    """The line that everything is about."""
    table, _ = rows(results)
    return (f"{count_text(count(results, table, SUBPAGE))} sub-page MMIO BARs mapped "
            f"(plain vfio-pci: {count_text(count(results, table, PLAIN))})")


def median_of(results, row, driver, path, op):
    """The median of the first such timing, or None if there is none that counts."""
    for timing in results.timings:
        if (timing["bdf"], timing["bar"], timing["driver"], timing["path"], timing["op"]) == \
           (row.bdf, row.bar, driver, path, op):
            return timing["median_ns"] if is_timed(timing) else None
    return None


def pair(results, row, op):
    """(trapped, mapped) of one run: under ours if it has both, else under plain."""
    file = "pread" if op == "read" else "pwrite"
    first = (None, None)
    for driver in (SUBPAGE, PLAIN):
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
    places = [place(bar["start"] or 0, page) for bar in (row.plain, row.subpage) if bar]
    return " → ".join(dict.fromkeys(places))


def plain_state(row):
    """What plain vfio-pci made of it."""
    return MAPPING[row.plain["mmap"]] if row.plain else NOT_MEASURED


def subpage_state(row):
    """What ours made of it: the claim and its reason, if it has one, and the mapping
    where that does not follow from the claim."""
    if not row.subpage:
        return NOT_MEASURED
    claim, reason, mapping = (row.subpage["claim"], row.subpage["reason"],
                              MAPPING[row.subpage["mmap"]])
    if not claim:
        return mapping
    state = f"{claim}: {reason}" if reason else claim
    return state if mapping == MAPPING[claim != "none"] else f"{state}, {mapping}"
