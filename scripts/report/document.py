# SPDX-License-Identifier: GPL-2.0-only
"""A report as blocks, whatever it is written as.

All text is plain; whoever writes it escapes what its format needs escaped.
"""
import dataclasses
import typing


@dataclasses.dataclass
class Text:
    """A paragraph. A note is set smaller: how to read what stands beside it."""
    text: str
    note: bool = False


@dataclasses.dataclass
class Warnings:
    """What nobody may overlook."""
    title: str
    lines: list


@dataclasses.dataclass
class Verdict:
    """Pass, partial or fail, and why, in a sentence."""
    verdict: str
    why: str


@dataclasses.dataclass
class Figures:
    """The few numbers that matter: (number, what it is)."""
    figures: list


@dataclasses.dataclass
class Row:
    """Of a table. The mark is one of MARKS or empty; it never stands alone, the
    cells say the same."""
    cells: list
    mark: str = ""


MARKS = ("worse", "better", "differs")
# A table that is longer hides what comes after it.
MANY_ROWS = 24


@dataclasses.dataclass
class Table:
    """A table. Columns whose name ends in "#" hold numbers; the first one names
    the row. A folded one is opened by whoever wants to see it."""
    title: str
    columns: list
    rows: list
    folded: bool = False

    def names(self):
        """What stands above the columns."""
        return [column.rstrip("#") for column in self.columns]

    def is_number(self, i):
        """Whether a column holds numbers."""
        return self.columns[i].endswith("#")


@dataclasses.dataclass
class Chart:
    """A chart: draw() returns it as SVG. The name is for ids, and of no other
    chart; the text says what it shows."""
    name: str
    title: str
    text: str
    draw: typing.Callable


@dataclasses.dataclass
class Charts:
    """Charts that belong side by side, where there is room, and how to read them;
    nothing at all if there are none. With a title they are folded."""
    charts: list
    note: str = ""
    title: str = ""


@dataclasses.dataclass
class Pages:
    """Pages of the host, before and after: lines of pagemap.Line."""
    title: str
    lines: list
    note: str


@dataclasses.dataclass
class Side:
    """Small tables that belong side by side, where there is room."""
    tables: list


@dataclasses.dataclass
class Section:
    """A heading and what stands below it."""
    title: str
    blocks: list


@dataclasses.dataclass
class Document:
    """A whole report. What stands above the sections comes first; the footer says
    what it is made of."""
    title: str
    subtitle: str
    top: list
    sections: list
    footer: list
