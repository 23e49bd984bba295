# SPDX-License-Identifier: GPL-2.0-only
"""What binding, opening and mapping a device costs, without the module and with it."""
import dataclasses

from . import compare
from .ladder import rank
from .load import WITHOUT, WITH
from .times import is_timed

PHASES = ("bind", "open", "mmap", "touch", "close", "unbind", "total")


@dataclasses.dataclass
class Row:
    """A phase with so many functions; either may be None."""
    functions: int
    phase: str
    without: dict
    with_module: dict
    ratio: compare.Ratio


def phases(opens):
    """The phases that occur."""
    return sorted({entry["phase"] for entry in opens}, key=lambda phase: rank(phase, PHASES))


def drivers(opens):
    """The drivers that occur."""
    return sorted({entry["driver"] for entry in opens},
                  key=lambda driver: rank(driver, (WITHOUT, WITH)))


def functions(opens):
    """The numbers of functions that occur."""
    return sorted({entry["functions"] or 0 for entry in opens})


def rows(opens):
    """In order, with the ratio of with to without."""
    found = {(entry["functions"] or 0, entry["phase"], entry["driver"]): entry
             for entry in opens}
    result = []
    for number in functions(opens):
        for phase in phases(opens):
            without = found.get((number, phase, WITHOUT))
            with_module = found.get((number, phase, WITH))
            if without or with_module:
                ratio = compare.ratio(without, with_module) if without and with_module else None
                result.append(Row(number, phase, without, with_module, ratio))
    return result


def totals(opens):
    """The rows of all phases together that have a ratio."""
    return [row for row in rows(opens) if row.phase == "total" and row.ratio]


def others(opens):
    """Entries of other drivers."""
    return [entry for entry in opens if entry["driver"] not in (WITHOUT, WITH)]


def scaling(opens, phase, driver):
    """The entries of a phase, by number of functions."""
    return sorted((entry for entry in opens
                   if entry["phase"] == phase and entry["driver"] == driver and
                   is_timed(entry)), key=lambda entry: entry["functions"] or 0)
