# SPDX-License-Identifier: GPL-2.0-only
"""Pages of the host that hold a sub-page BAR: what lies in them without the module,
and where those BARs are with it."""
import dataclasses
import re

from . import bars

BDF = re.compile(r"[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")


@dataclasses.dataclass
class Piece:
    """So many bytes of a page. Without an owner nothing is there; the rest of a page
    that was made of a BAR is spare."""
    size: int
    owner: str = ""
    spare: bool = False


@dataclasses.dataclass
class Owner:
    """What lies in a page: a BAR, or something else. A BAR that is whole has all of it."""
    device: str
    name: str
    title: str
    state: str
    start: int
    end: int
    whole: bool = False


@dataclasses.dataclass
class Page:
    """A page of the host."""
    start: int
    size: int
    owners: list

    def pieces(self):
        """From its begin to its end."""
        at, end = self.start, self.start + self.size
        # What nobody else has belongs to the BAR that was made a page of.
        spare = next((owner.device for owner in self.owners if owner.whole), "")
        for owner in self.owners:
            low, high = max(owner.start, at), min(owner.end, end)
            if low > at:
                yield Piece(low - at, spare, bool(spare))
            if high > low:
                yield Piece(high - low, owner.device)
                at = high
        if at < end:
            yield Piece(end - at, spare, bool(spare))


@dataclasses.dataclass
class Line:
    """A page without the module, or None, and the pages with it."""
    before: Page
    after: list


def of_bar(results, row, bar):
    """A BAR that is tested."""
    return Owner(row.bdf, f"{row.bdf} BAR {row.bar}", results.name(row.bdf),
                 bars.MAPPING[bar["mmap"]], bar["start"], bar["start"] + row.size,
                 whole=bar["shown_size"] == results.page and row.size < results.page)


def of_neighbour(results, entry):
    """Something else; if it is of a device, the name begins with that."""
    device = BDF.match(entry["name"])
    device = device[0] if device else entry["name"]
    return Owner(device, entry["name"], results.name(device) or "", "", entry["start"],
                 entry["end"] + 1)


def owners(results, module):
    """All that is known to lie anywhere; what is tested counts for itself alone."""
    found = {}
    for row in bars.rows(results):
        if row.side(module) and row.size:
            found[row.side(module)["start"]] = of_bar(results, row, row.side(module))
    for entry in results.neighbours:
        if entry["module"] == module:
            found.setdefault(entry["start"], of_neighbour(results, entry))
    return [found[start] for start in sorted(found)]


def page_at(results, address, known):
    """The page of an address, and what lies in it."""
    start = address - address % results.page
    return Page(start, results.page, [owner for owner in known
                                      if owner.start < start + results.page and
                                      owner.end > start])


def lines(results):
    """A line for each page that holds a sub-page BAR without the module, in order; and
    for those BARs that are only known with it."""
    before, after = owners(results, False), owners(results, True)
    found = {}
    for row in bars.rows(results):
        if not bars.is_subpage(results, row):
            continue
        old = page_at(results, row.without["start"], before) if row.without else None
        line = found.setdefault(old.start if old else -1, Line(old, []))
        if row.with_module:
            new = page_at(results, row.with_module["start"], after)
            if new not in line.after:
                line.after.append(new)
    return [dataclasses.replace(found[key], after=sorted(found[key].after,
                                                         key=lambda page: page.start))
            for key in sorted(found)]


def devices(found):
    """All that has a colour, by where it comes first: those that lie in one page differ."""
    pages = [page for line in found for page in [line.before, *line.after] if page]
    return list(dict.fromkeys(owner.device for page in pages for owner in page.owners
                              if BDF.match(owner.device)))


def words(owner):
    """An owner as text."""
    return " ".join(filter(None, (owner.name, owner.state)))
