# SPDX-License-Identifier: GPL-2.0-only
"""The report of one results file."""
import json

from . import charts, coverage, ladder, opens, text
from .document import (MANY_ROWS, Chart, Charts, Document, Figures, Row, Section, Side, Table,
                       Text, Warnings)
from .load import WITHOUT, WITH
from .times import is_timed

MIND = "Read the numbers with this in mind"
PERF_SHOWN_ELSEWHERE = ("warnings", "skipped", "machine", "partial")


def platform_line(results):
    """As vfio_pci_subpage_report has it."""
    platform = results.platform
    page = text.size(platform["page_size"])
    return (f"Linux {text.plain(platform['kernel'])}, pages of {page}, "
            f"{text.plain(platform['cpus'])} CPUs, accelerator {text.plain(platform['accel'])}")


def warnings(results):
    """What throws doubt on the numbers, the worst first."""
    lines = []
    if results.partial:
        lines.append("This result is partial: the run failed or ended early. "
                     "What is missing here has not been measured.")
    if not results.timings:
        said = "".join(f"{what}, and " for what, there in (
            ("which BARs are mapped", results.bars),
            ("what a device costs to open", results.opens)) if there)
        lines.append(f"This result holds no timings: it says {said}nothing about how long "
                     "an access takes.")
    # The suite says so itself in newer files.
    if results.platform["accel"] == "tcg" and not any("TCG" in w for w in results.warnings):
        lines.append("The processor was emulated (TCG): only ratios mean something, "
                     "no time does.")
    totals = results.totals
    if totals["fail"] or totals["error"]:
        lines.append(f"Tests failed: {totals['fail'] or 0}; "
                     f"could not be run: {totals['error'] or 0}.")
    for suite in results.kunit:
        if suite["fail"]:
            lines.append(f"KUnit suite {suite['suite']}: {suite['fail']} failed.")
    untimed = [entry for entry in results.timings + results.opens if not is_timed(entry)]
    if untimed:
        lines.append(f"{text.count(len(untimed), 'measurement')} came to nothing, or to no "
                     "more than the loop around it: in the tables, but in no chart and no ratio.")
    return lines + results.warnings


def figures(results):
    """The numbers at the top."""
    table, _ = coverage.rows(results)
    shown = []
    if table:
        shown += [(coverage.count_text(coverage.count(results, table, WITH)),
                   "sub-page MMIO BARs mapped"),
                  (coverage.count_text(coverage.count(results, table, WITHOUT)),
                   "without the module")]
    ratio = coverage.median_ratio(results)
    if ratio:
        shown.append((f"{ratio[0]:.1f}×", "trapped against mapped read, "
                      f"median of {text.count(ratio[1], 'BAR')}"))
    totals = {key: results.totals[key] or 0 for key in ("pass", "fail", "error", "skip")}
    if any(totals.values()):
        shown.append((str(totals["pass"]), f"tests passed, {totals['fail'] + totals['error']} "
                      f"failed, {totals['skip']} skipped"))
    return shown


def headline_table(results):
    """The ratios of paths."""
    rows = [Row([line.name, text.ratio(line.median),
                 f"{text.ratio(line.low)} to {text.ratio(line.high)}", str(line.registers),
                 line.meaning]) for line in ladder.headlines(results.timings)]
    return Table("Ratios of reads, median over registers",
                 ["paths", "median#", "lowest to highest#", "registers#", "meaning"], rows)


def summary(results):
    """What it comes to."""
    blocks = [Text(coverage.summary(results) + ".")] if coverage.rows(results)[0] else []
    ratio = coverage.median_ratio(results)
    if ratio:
        blocks.append(Text(f"Median ratio of a trapped to a mapped read: {ratio[0]:.1f} "
                           f"({text.count(ratio[1], 'mapped BAR')})."))
    blocks += [Text(f"Bind to first touch, with / without the module: {row.ratio.value:.2f}, "
                    f"{row.functions} at once.") for row in opens.totals(results.opens)]
    table = headline_table(results)
    if table.rows:
        blocks.append(table)
        blocks.append(Text("Both times of a ratio come from one run with the module.",
                           note=True))
    return Section("Summary", blocks or [Text("There is nothing to sum up.")])


def facts(entries):
    """Whatever there is, as it is printed."""
    return {key: text.plain(value if not isinstance(value, (dict, list)) else
                            json.dumps(value, ensure_ascii=False))
            for key, value in entries.items()}


def conditions(results):
    """What was measured where, and how."""
    perf = {key: value for key, value in results.perf.items() if key not in PERF_SHOWN_ELSEWHERE}
    return {"Platform": facts(results.platform), "Machine": facts(results.perf["machine"] or {}),
            "Measurement": facts(perf)}


def method(results):
    """A table for each of its parts that there is."""
    tables = [Table(title, [title.lower(), "value"], [Row([*fact]) for fact in entries.items()])
              for title, entries in conditions(results).items() if entries]
    blocks = [Side(tables)]
    if warnings(results):
        blocks.insert(0, Text("Mind the warnings at the top of this report."))
    return Section("Machine and method", blocks)


def coverage_section(results):
    """Each memory BAR."""
    table, others = coverage.rows(results)
    rows = []
    for row in table:
        trapped, mapped = coverage.pair(results, row, "read")
        rows.append(Row([row.bdf, text.plain(row.bar), text.size(row.size),
                         coverage.where(results, row), coverage.state(row.without),
                         coverage.state(row.with_module), text.nanoseconds(trapped),
                         text.nanoseconds(mapped),
                         f"{trapped / mapped:.1f}" if mapped else text.UNKNOWN]))
    blocks = [Table("Memory BARs", ["BDF", "BAR#", "size#", "where", "without module",
                                    "with module", "trapped read, ns#", "mapped read, ns#",
                                    "ratio#"], rows)]
    if not rows:
        blocks = [Text("No memory BAR of a device bound to vfio-pci.")]
    if others:
        blocks.append(Text(f"{text.count(others, 'BAR')} of devices bound to other drivers "
                           "not shown.", note=True))
    return Section("Coverage", blocks)


def ladder_charts(results):
    """A chart for each operation."""
    shown = []
    for i, op in enumerate(ladder.ops(results.timings)):
        groups = ladder.groups(results.timings, op)
        if groups:
            title = ladder.OP_TITLE.get(op, text.plain(op))
            shown.append(Chart(
                f"ladder-{i}", title,
                f"{title}: medians in nanoseconds on a logarithmic scale, for "
                f"{text.count(len(groups), 'register')} and the paths "
                f"{', '.join(map(text.plain, ladder.paths(sum(groups, []))))}. "
                "The numbers are in the table of all timings.",
                lambda groups=groups: charts.ladder_chart(groups)))
    return shown


def timing_table(results):
    """All of them."""
    rows = [Row([text.place(timing), text.plain(timing["op"]), text.plain(timing["path"]),
                 text.plain(timing["driver"]), text.nanoseconds(timing["median_ns"]),
                 text.interval(timing["ci95_ns"]), text.nanoseconds(timing["min_ns"]),
                 text.nanoseconds(timing["p99_ns"]), text.plain(timing["samples"]),
                 text.plain(timing["batch"]), text.plain(timing["outliers"]),
                 text.plain(timing["cpu"])]) for timing in ladder.sort(results.timings)]
    return Table(f"All {text.count(len(rows), 'timing')}, nanoseconds for one access, of samples "
                 "(each the mean of a batch)",
                 ["register", "operation", "path", "driver", "median#", "95 % interval#",
                  "minimum#", "99 %#", "samples#", "batch#", "outliers#", "CPU#"],
                 rows, folded=True)


def timings_section(results):
    """The ladder, and the numbers."""
    if not results.timings:
        return Section("Timings", [Text("This result holds no timings.")])
    return Section("Timings", [
        Charts(ladder_charts(results),
               "One mark for each path to a register, at its median; the bar through it is the "
               "95 % interval of the median, mostly narrower than the mark. Filled: measured "
               "with the module; hollow: without it, or under another driver."),
        timing_table(results)])


def opens_table(results):
    """Phases, without and with the module side by side."""
    rows = []
    for row in opens.rows(results.opens):
        cells = [str(row.functions), text.plain(row.phase)]
        for entry in (row.without, row.with_module):
            cells += [text.duration(entry["median_ns"]),
                      text.interval(entry["ci95_ns"], text.duration)] if entry else \
                     [text.UNKNOWN, text.UNKNOWN]
        cells.append(text.ratio(row.ratio.value if row.ratio else None))
        cells.append(ratio_interval(row.ratio))
        rows.append(Row(cells))
    return Table("Cost for one device", ["functions#", "phase", "without module#", "95 % interval#",
                                         "with module#", "95 % interval#", "ratio#",
                                         "95 % interval#"], rows, folded=len(rows) > MANY_ROWS)


def ratio_interval(ratio):
    """Of a ratio, if it has one."""
    if ratio is None or ratio.low is None:
        return text.UNKNOWN
    return text.interval((ratio.low, ratio.high), text.ratio)


def opens_section(results):
    """What the first access to a device costs."""
    timed = [entry for entry in results.opens if is_timed(entry)]
    shown = []
    if timed:
        fewest = opens.functions(timed)[0]
        here = [entry for entry in timed if (entry["functions"] or 0) == fewest]
        shown.append(Chart(
            "opens", f"Phases, {text.count(fewest, 'function')}",
            "Cost of each phase for one device on a logarithmic scale, with "
            f"{text.count(fewest, 'function')}, by driver.", lambda: charts.phases(here)))
    if len(opens.functions(timed)) > 1:
        shown.append(Chart(
            "scaling", "Scaling with the number of functions",
            "Cost of each phase for one device against the number of functions, by driver; "
            "a level line scales perfectly.", lambda: charts.scaling(timed)))
    blocks = [Charts(shown), opens_table(results)]
    others = opens.others(results.opens)
    if others:
        blocks.append(Text(f"{text.count(len(others), 'measurement')} under other drivers only "
                           "in the charts.", note=True))
    return Section("Opening and mapping", blocks)


def skipped_table(results):
    """What was not measured, by reason. Without a register that is safe a BAR is
    skipped with all its paths and operations."""
    found = {}
    for entry in results.skipped:
        key = (entry["path"] or "all", text.plain(entry["driver"]), text.plain(entry["reason"]))
        found.setdefault(key, []).append(entry)
    rows = []
    for (path, driver, reason), entries in sorted(found.items()):
        ops = ", ".join(f"{op} {sum(entry['op'] == op for entry in entries)}" if op else "all"
                        for op in ladder.ops(entries))
        places = sorted({text.place(entry) for entry in entries})
        rows.append(Row([path, driver, reason, ops, ", ".join(places)]))
    return Table("Paths that were skipped, and for how many registers",
                 ["path", "driver", "reason", "operations", "registers"], rows)


def skipped_section(results):
    """Nothing is left out without a word."""
    return Section("Not measured", [skipped_table(results) if results.skipped else
                                    Text("No path was skipped.")])


def kunit_section(results):
    """The module's own tests."""
    if not results.kunit:
        return Section("KUnit", [Text("No KUnit results: the kernel has no KUnit, "
                                      "or the module ran no suite.")])
    rows = [Row([text.plain(suite[key]) for key in ("suite", "pass", "fail", "skip")])
            for suite in results.kunit]
    blocks = [Table("KUnit suites", ["suite", "passed#", "failed#", "skipped#"], rows)]
    rows = [Row([text.plain(case["name"]), text.plain(suite["suite"]),
                 text.plain(case["result"]), text.plain(case["reason"])])
            for suite in results.kunit for case in suite["cases"] if case["result"] != "pass"]
    if rows:
        blocks.append(Table("Cases that did not pass", ["case", "suite", "result", "reason"], rows))
    return Section("KUnit", blocks)


def top(shown, lines):
    """The numbers and the warnings, if there are any."""
    return [Figures(shown)] * bool(shown) + [Warnings(MIND, lines)] * bool(lines)


def document(results):
    """The whole report."""
    sections = [summary(results), method(results), coverage_section(results),
                timings_section(results)]
    if results.opens:
        sections.append(opens_section(results))
    sections += [skipped_section(results), kunit_section(results)]
    return Document(
        title=f"vfio-pci-subpage on {text.plain(results.platform['name'])}",
        subtitle=platform_line(results),
        top=top(figures(results), warnings(results)), sections=sections, source=results.source)
