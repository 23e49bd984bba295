# SPDX-License-Identifier: GPL-2.0-only
"""Whether a comparison passes --fail-if-worse."""
from . import bars, text
from .compare import is_worse, name


def lost(compared):
    """What was there before and is not any more."""
    before, after = compared.before.path, compared.after.path
    if compared.after.partial:
        yield f"{after}: partial: what is missing there may be worse: run it to its end"
    for bar, now in compared.lost_mappings():
        state = bars.MAPPING[now["mmap"]] if now else bars.NOT_MEASURED
        yield (f"{bar['bdf']} BAR {bar['bar']} {text.binding(bar)}: was mapped, is {state}: "
               "look into the table of BARs")
    rows = compared.lost_rows()
    if rows:
        yield (f"{after}: {text.count(len(rows), 'row')} of {before} are not measured any more, "
               f"the first: {name(*rows[0])}: look for what was skipped, or has "
               "no interval")


def worse(compared, limit):
    """What is certainly worse. To have compared nothing at all is no pass."""
    if not any(row.ratio and row.ratio.low is not None for row in compared.rows):
        yield (f"{compared.after.path}: no interval to compare with {compared.before.path}: "
               "nothing can pass --fail-if-worse: compare runs with timings")
    for row in compared.rows:
        if is_worse(row.ratio, limit):
            yield (f"{name(row.kind, row.before)}: worse than {limit:g} %: ratio "
                   f"{row.ratio.value:.3f}, 95 % interval {row.ratio.low:.3f} to "
                   f"{row.ratio.high:.3f}")


def reasons(compared, limit):
    """Why it does not pass, a line each; none if it does."""
    return [*lost(compared), *worse(compared, limit)]
