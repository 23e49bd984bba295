# SPDX-License-Identifier: GPL-2.0-only
"""What binding, opening and mapping a device costs, without the module and with it."""
import dataclasses

from . import compare
from .ladder import rank

PHASES = ("bind", "open", "mmap", "touch", "close", "unbind", "total")


@dataclasses.dataclass
class Row:
    """A phase with so many functions; either may be None."""
    driver: str
    functions: int
    phase: str
    without: dict = None
    with_module: dict = None

    @property
    def ratio(self):
        """With to without, or None."""
        return compare.ratio(self.without, self.with_module) \
            if self.without and self.with_module else None


def phases(opens):
    """The phases that occur."""
    return sorted({entry["phase"] for entry in opens}, key=lambda phase: rank(phase, PHASES))


def functions(opens):
    """The numbers of functions that occur."""
    return sorted({entry["functions"] for entry in opens})


def rows(opens):
    """By phase, and by the number of functions in each, so that what grows is seen."""
    found = {}
    for entry in opens:
        key = entry["driver"], entry["functions"], entry["phase"]
        row = found.setdefault(key, Row(*key))
        if entry["module"]:
            row.with_module = entry
        else:
            row.without = entry
    return sorted(found.values(), key=lambda row: (row.driver, rank(row.phase, PHASES),
                                                   row.functions))


def totals(opens):
    """The rows of all phases together that have a ratio."""
    return [row for row in rows(opens) if row.phase == "total" and row.ratio]
