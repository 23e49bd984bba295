# SPDX-License-Identifier: GPL-2.0-only
"""Numbers and places as people read them."""

UNKNOWN = "\u2013"
NAME = 24


def plain(value):
    """Anything; what is not known is a dash."""
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)


def short(name, length=NAME):
    """A name that a column has room for."""
    name = plain(name)
    return name if len(name) <= length else name[:length - 1].rstrip() + "…"


def binding(entry):
    """ "vfio-pci", "vfio-pci with the module"."""
    return entry["driver"] + (" with the module" if entry["module"] else "")


def nanoseconds(value):
    """With about three digits."""
    if value is None:
        return UNKNOWN
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def duration(value, digits="#.3g"):
    """With the unit that fits."""
    for unit, scale in (("s", 1e9), ("ms", 1e6), ("µs", 1e3), ("ns", 1)):
        # What would be rounded to 1000 of a unit is 1 of the next.
        if value >= 0.9995 * scale or unit == "ns":
            number = value / scale
            return f"{number:.0f} {unit}" if number >= 100 else f"{number:{digits}} {unit}"
    return UNKNOWN


def tick(value):
    """A duration on an axis."""
    return duration(value, "g")


def interval(bounds, form=nanoseconds):
    """Of low and high."""
    return f"{form(bounds[0])} to {form(bounds[1])}" if bounds else UNKNOWN


def ratio(value):
    """A quotient, with about three digits."""
    if value is None:
        return UNKNOWN
    return f"{value:.0f}" if value >= 1000 else f"{value:.1f}" if value >= 10 else f"{value:.3f}"


def size(value):
    """Bytes."""
    units = ["B", "KiB", "MiB", "GiB", "TiB"]
    while value >= 1024 and value % 1024 == 0 and len(units) > 1:
        value //= 1024
        units.pop(0)
    return f"{value} {units[0]}"


def count(number, one, many=None):
    """"1 row", "2 rows"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def place(entry):
    """A register: "0000:02:01.0 BAR 0 +0x40", with the width if it is not 4."""
    where = f"{entry['bdf']} BAR {entry['bar']}"
    if entry["offset"] is not None:
        where += f" +0x{entry['offset']:x}"
    if entry["width"] not in (None, 4):
        where += f" ({entry['width']} B)"
    return where


def sort_key(entry, *keys):
    """For sorting entries of which some fields are None."""
    return [(entry[key] is not None, entry[key] if entry[key] is not None else 0)
            for key in keys]
