# SPDX-License-Identifier: GPL-2.0-only
"""What binding, opening and mapping a device costs, under both drivers."""
import dataclasses

from . import compare
from .ladder import rank
from .load import PLAIN, SUBPAGE
from .times import is_timed

PHASES = ("bind", "open", "mmap", "touch", "close", "unbind", "total")


@dataclasses.dataclass
class Row:
    """A phase with so many functions, under both drivers; either may be None."""
    functions: int
    phase: str
    plain: dict
    subpage: dict
    ratio: compare.Ratio


def phases(opens):
    """The phases that occur."""
    return sorted({entry["phase"] for entry in opens}, key=lambda phase: rank(phase, PHASES))


def drivers(opens):
    """The drivers that occur."""
    return sorted({entry["driver"] for entry in opens},
                  key=lambda driver: rank(driver, (PLAIN, SUBPAGE)))


def functions(opens):
    """The numbers of functions that occur."""
    return sorted({entry["functions"] or 0 for entry in opens})


def rows(opens):
    """In order, with the ratio of ours to plain."""
    found = {(entry["functions"] or 0, entry["phase"], entry["driver"]): entry
             for entry in opens}
    result = []
    for number in functions(opens):
        for phase in phases(opens):
            plain = found.get((number, phase, PLAIN))
            subpage = found.get((number, phase, SUBPAGE))
            if plain or subpage:
                ratio = compare.ratio(plain, subpage) if plain and subpage else None
                result.append(Row(number, phase, plain, subpage, ratio))
    return result


def totals(opens):
    """The rows of all phases together that have a ratio."""
    return [row for row in rows(opens) if row.phase == "total" and row.ratio]


def others(opens):
    """Entries of other drivers."""
    return [entry for entry in opens if entry["driver"] not in (PLAIN, SUBPAGE)]


def scaling(opens, phase, driver):
    """The entries of a phase, by number of functions."""
    return sorted((entry for entry in opens
                   if entry["phase"] == phase and entry["driver"] == driver and
                   is_timed(entry)), key=lambda entry: entry["functions"] or 0)
