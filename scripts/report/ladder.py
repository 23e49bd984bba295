# SPDX-License-Identifier: GPL-2.0-only
"""The paths to a register, from the fastest to the slowest."""
import dataclasses
import statistics

from .load import WITH
from .text import sort_key
from .times import is_timed

OPS = ("read", "write", "write-read")
OP_TITLE = {"read": "Reads", "write": "Posted writes", "write-read": "Writes with a flushing read"}
PATHS = ("kernel", "sysfs", "mmap", "pread", "pwrite", "kvm-mapped", "kvm-ioeventfd",
         "kvm-trapped")

# What a ratio of two paths of a read says.
HEADLINES = (
    ("mmap", "sysfs", "a mapping by VFIO against one of sysfs: 1 if VFIO costs nothing"),
    ("mmap", "kernel", "user space against the kernel on the same register"),
    ("kvm-trapped", "kvm-mapped", "what a guest saves when the BAR is mapped"),
    ("kvm-mapped", "mmap", "a guest against a process of the host"),
)


@dataclasses.dataclass
class Headline:
    """A ratio of two paths, over all registers that have both."""
    name: str
    meaning: str
    median: float
    low: float
    high: float
    registers: int


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
        rank(timing["path"], PATHS), timing["driver"] or ""))


def groups(timings, op):
    """The timings of each register, a group for each."""
    found = {}
    for timing in sort(timings):
        if timing["op"] == op and is_timed(timing):
            key = tuple(timing[key] for key in ("bdf", "bar", "offset", "width"))
            found.setdefault(key, []).append(timing)
    return list(found.values())


def headlines(timings):
    """Those of HEADLINES for which there is a pair at all. As vfio_pci_subpage_report
    has them: of reads in one run of the performance core, which subtracts a loop."""
    core = [timing for timing in timings
            if timing["driver"] == WITH and timing["loop_ns"] is not None]
    registers = [{timing["path"]: timing["median_ns"] for timing in group}
                 for group in groups(core, "read")]
    result = []
    for slow, fast, meaning in HEADLINES:
        ratios = [medians[slow] / medians[fast] for medians in registers
                  if slow in medians and fast in medians]
        if ratios:
            result.append(Headline(f"{slow} / {fast}", meaning, statistics.median(ratios),
                                   min(ratios), max(ratios), len(ratios)))
    return result
