# SPDX-License-Identifier: GPL-2.0-only
"""CSV: all rows, with every digit that there is."""
import csv
import io

from . import text
from .schema import OPEN_KEY, TIMING_KEY

KEYS = ("bdf", "driver", "module", "bar", "offset", "path", "op", "width", "functions", "phase")
NUMBERS = ("median_ns", "min_ns", "p99_ns", "ci95_low_ns", "ci95_high_ns", "samples")
EXTRA = ("batch", "outliers", "loop_ns", "cpu", "node")


def identity(kind, entry):
    """What names a row. The kind is "timing" or "open"."""
    keys = TIMING_KEY if kind == "timing" else OPEN_KEY
    return {"kind": kind, **{key: text.plain(entry[key]) if key == "module" else entry[key]
                             for key in keys}}


def numbers(entry, prefix=""):
    """The statistics of an entry."""
    low, high = entry["ci95_ns"] or (None, None)
    values = {**entry, "ci95_low_ns": low, "ci95_high_ns": high}
    return {prefix + key: values[key] for key in NUMBERS}


def write(columns, rows):
    """As text; what is not known is empty."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def single(results):
    """Of one results file."""
    rows = [{**identity("timing", entry), **numbers(entry),
             **{key: entry[key] for key in EXTRA}} for entry in results.timings]
    rows += [{**identity("open", entry), **numbers(entry)} for entry in results.opens]
    partial = {"partial": text.plain(results.partial)}
    return write(("kind", *KEYS, *NUMBERS, *EXTRA, *partial), [row | partial for row in rows])


def comparison(compared):
    """Of two: both sides, and the verdict; "only before", "only after" or "other
    device" for what is alone."""
    rows = []
    for row in compared.rows:
        rows.append({**identity(row.kind, row.before), **numbers(row.before, "before_"),
                     **numbers(row.after, "after_"), "verdict": row.verdict})
        if row.ratio:
            rows[-1] |= {"ratio": row.ratio.value, "ratio_low": row.ratio.low,
                         "ratio_high": row.ratio.high}
    rows += [{**identity(one.kind, one.entry), **numbers(one.entry, f"{one.where}_"),
              "verdict": one.verdict} for one in compared.alone]
    partial = {"before_partial": text.plain(compared.before.partial),
               "after_partial": text.plain(compared.after.partial)}
    columns = ("kind", *KEYS, *(f"before_{key}" for key in NUMBERS),
               *(f"after_{key}" for key in NUMBERS), "ratio", "ratio_low", "ratio_high", "verdict",
               *partial)
    return write(columns, [row | partial for row in rows])
