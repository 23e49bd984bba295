# SPDX-License-Identifier: GPL-2.0-only
"""The table for people who look at a terminal. Its last line is read by scripts too."""
from . import bars, ladder, opens, text, verdict

COLUMNS = (("BDF", "<"), ("device", "<"), ("BAR", ">"), ("size", ">"), ("where", "<"),
           ("without", "<"), ("with module", "<"), ("ns trapped", ">"), ("ns mapped", ">"),
           ("ratio", ">"))
TITLE = {"read": "Reads: medians of pread (trapped) and of a mapping",
         "write": "Writes: medians of pwrite (trapped) and of a mapping"}


def cells(results, row, times):
    """A line of the table."""
    trapped, mapped = times
    return [row.bdf, text.short(results.name(row.bdf)), str(row.bar), text.size(row.size),
            bars.where(results, row), bars.state(row.without), bars.state(row.with_module),
            text.nanoseconds(trapped), text.nanoseconds(mapped),
            f"{trapped / mapped:.1f}" if mapped else text.UNKNOWN]


def table(lines):
    """In columns, as wide as they have to be."""
    head = [name for name, _ in COLUMNS]
    widths = [max(map(len, column)) for column in zip(head, *lines)]
    for line in [head, *lines]:
        yield " ".join(f"{cell:{side}{width}}" for cell, (_, side), width
                       in zip(line, COLUMNS, widths)).rstrip()


def tables(results):
    """Of reads all memory BARs, of writes those that were written."""
    rows = bars.rows(results)
    for op, title in TITLE.items():
        timed = [(row, bars.pair(results, row, op)) for row in rows]
        shown = [(row, times) for row, times in timed if op == "read" or times[0]]
        if shown:
            yield title
            yield from table([cells(results, row, times) for row, times in shown])
            yield ""


def sums(results):
    """What it comes to, a line each."""
    for suite in results.kunit:
        yield (f"KUnit {suite['suite']}: {suite['pass']} passed, {suite['fail']} failed, "
               f"{suite['skip']} skipped")
    for line in ladder.headlines(results.timings):
        yield (f"{line.name}: {line.median:.2f}, median of the reads of "
               f"{text.count(line.registers, 'register')}")
    for row in opens.totals(results.opens):
        yield (f"bind to first touch, with / without the module: {row.ratio.value:.2f}, "
               f"{row.functions} at once")
    ratio = bars.median_ratio(results)
    if ratio:
        yield f"median ratio of {text.count(ratio[1], 'mapped BAR')}: {ratio[0]:.1f}"
    judged, why = verdict.of(results)
    yield f"{judged}: {why}"
    if bars.rows(results):
        yield bars.summary(results)


def write(results):
    """The whole as text."""
    platform = results.platform
    lines = [f"{platform['name']}: Linux {platform['kernel']}, pages of {results.page // 1024} "
             f"KiB, {platform['cpus']} CPUs, accelerator {platform['accel']}", "",
             *tables(results), *sums(results)]
    return "\n".join(lines) + "\n"
