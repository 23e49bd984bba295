# SPDX-License-Identifier: GPL-2.0-only
"""The paths to a register, from the fastest to the slowest, and their ratios: always
of one register, one width and one operation."""
import dataclasses
import statistics

from .schema import REGISTER_KEY
from .text import sort_key

OPS = ("read", "write", "write-read")
OP_TITLE = {"read": "Reads", "write": "Posted writes", "write-read": "Writes with a flushing read"}
PATHS = ("kernel", "sysfs", "mmap", "pread", "pwrite", "kvm-mapped", "kvm-ioeventfd",
         "kvm-trapped")

# Ratios of two (path, with the module) of a read, and what they say.
WITH, WITHOUT = True, False
HEADLINES = (
    (("mmap", WITH), ("kernel", WITH), "user space against the kernel on the same register"),
    (("mmap", WITH), ("sysfs", WITH),
     "a mapping by VFIO against one of sysfs: 1 if VFIO costs nothing"),
    (("kvm-mapped", WITH), ("mmap", WITH), "a guest against a process of the host"),
    (("kvm-trapped", WITH), ("kvm-mapped", WITH), "what a guest saves when the BAR is mapped"),
    (("pread", WITHOUT), ("mmap", WITH),
     "what the module saves a process where vfio-pci alone traps"),
    (("kvm-trapped", WITHOUT), ("kvm-mapped", WITH),
     "what the module saves a guest where vfio-pci alone traps"),
    (("pread", WITH), ("pread", WITHOUT), "1 if the module costs nothing"),
)
# What there is only of a register that vfio-pci alone maps.
MAPPED_ALONE = {("mmap", WITHOUT), ("kvm-mapped", WITHOUT)}


@dataclasses.dataclass
class Headline:
    """A ratio of two paths, over all registers that have both."""
    name: str
    meaning: str
    median: float
    low: float
    high: float
    registers: int


def is_timed(entry):
    """Whether there is a time to draw, and to take a ratio of. What costs no more
    than the loop around it, which was subtracted, is lost in the noise of that."""
    return entry["median_ns"] > 0 and entry["median_ns"] > (entry.get("loop_ns") or 0)


def rank(value, order):
    """Known ones in their order, others behind them."""
    return (order.index(value), "") if value in order else (len(order), value or "")


def ops(timings):
    """The operations that occur."""
    return sorted({timing["op"] for timing in timings}, key=lambda op: rank(op, OPS))


def paths(timings):
    """The paths that occur."""
    return sorted({timing["path"] for timing in timings}, key=lambda path: rank(path, PATHS))


def sort(timings):
    """By place, operation, path and driver."""
    return sorted(timings, key=lambda timing: (
        sort_key(timing, "bdf", "bar", "offset", "width"), rank(timing["op"], OPS),
        rank(timing["path"], PATHS), timing["driver"], timing["module"]))


def register(timing):
    """What two times must have in common for a ratio."""
    return tuple(timing[key] for key in REGISTER_KEY)


def groups(timings, op):
    """The timings of an operation on each register, a group for each."""
    found = {}
    for timing in sort(timings):
        if timing["op"] == op and is_timed(timing):
            found.setdefault(register(timing), []).append(timing)
    return list(found.values())


def medians(group):
    """Of a group: {(path, with the module): nanoseconds}."""
    return {(timing["path"], timing["module"]): timing["median_ns"] for timing in group}


def headline_name(over, under):
    """ "mmap / kernel"; the module is named where it makes the difference."""
    if over[1] == under[1]:
        return f"{over[0]} / {under[0]}"
    name = {WITH: "with the module", WITHOUT: "without"}
    return f"{over[0]} {name[over[1]]} / {under[0]} {name[under[1]]}"


def headlines(timings):
    """Those of HEADLINES for which there is a pair at all."""
    # Also where it is too fast to be timed.
    alone = {register(timing) for timing in timings
             if (timing["path"], timing["module"]) in MAPPED_ALONE}
    registers = [(register(group[0]), medians(group)) for group in groups(timings, "read")]
    result = []
    for over, under, meaning in HEADLINES:
        # A BAR that was mapped anyway says nothing of what the module saves.
        skipped = alone if over[1] == WITHOUT else ()
        ratios = [one[over] / one[under] for key, one in registers
                  if over in one and under in one and key not in skipped]
        if ratios:
            result.append(Headline(headline_name(over, under), meaning,
                                   statistics.median(ratios), min(ratios), max(ratios),
                                   len(ratios)))
    return result


def pair(timings, op):
    """(trapped, mapped) of one register of a BAR, of the timings of that BAR: both with
    the module if there are such, else trapped without it, else both without. Of a BAR
    that is never mapped what is trapped, and None."""
    file = "pread" if op == "read" else "pwrite"
    registers = [medians(group) for group in groups(timings, op)]
    for trapped, mapped in (WITH, WITH), (WITHOUT, WITH), (WITHOUT, WITHOUT):
        for one in registers:
            if (file, trapped) in one and ("mmap", mapped) in one:
                return one[file, trapped], one["mmap", mapped]
    return next((one[file, module] for module in (WITH, WITHOUT) for one in registers
                 if (file, module) in one), None), None
