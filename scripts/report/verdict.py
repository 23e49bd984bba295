# SPDX-License-Identifier: GPL-2.0-only
"""Whether a run has passed, and why it has not."""
from . import bars, text


def failures(results):
    """What went wrong."""
    totals = results.totals or {"fail": 0, "error": 0}
    if totals["fail"]:
        yield f"{text.count(totals['fail'], 'test')} failed"
    if totals["error"]:
        yield f"{text.count(totals['error'], 'test')} could not be run"
    for suite in results.kunit:
        if suite["fail"]:
            yield f"{text.count(suite['fail'], 'test')} of the KUnit suite {suite['suite']} failed"
    wrong = [bar for bar in results.bars if None not in (bar["mmap"], bar["expected_mmap"]) and
             bar["mmap"] != bar["expected_mmap"]]
    if wrong:
        yield (f"{text.count(len(wrong), 'BAR is', 'BARs are')} not mapped, or mapped, against "
               f"what is expected, the first: {wrong[0]['bdf']} BAR {wrong[0]['bar']}, "
               f"{text.binding(wrong[0])}")


def gaps(results):
    """What nobody knows."""
    ended = [run["program"] for run in results.runs if not run["complete"]]
    if ended:
        yield f"{', '.join(dict.fromkeys(ended))} did not come to an end"
    elif results.partial:
        yield "the job did not come to its end"
    if not results.totals or not results.totals["pass"]:
        yield "no test has passed, as none has run or all were skipped"
    closed = {bar["bdf"] for bar in results.bars if bar["mmap"] is None}
    if closed:
        yield f"{text.count(len(closed), 'device')} could not be opened, the first: {min(closed)}"


def of(results):
    """(pass, partial or fail; the reason in a sentence)."""
    failed, missing = list(failures(results)), list(gaps(results))
    if failed or missing:
        return "fail" if failed else "partial", "; ".join(failed + missing) + "."
    tests = text.count(results.totals["pass"], "test")
    mapped = f"; {bars.summary(results)}" if bars.rows(results) else ""
    return "pass", f"{tests} passed and none failed{mapped}."
