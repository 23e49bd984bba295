# SPDX-License-Identifier: GPL-2.0-only
"""The report of one results file."""
from . import bars, charts, ladder, opens, pagemap, text, verdict
from .document import (MANY_ROWS, Chart, Charts, Document, Figures, Pages, Row, Section, Side,
                       Table, Text, Verdict, Warnings)
from .ladder import is_timed

FEW_PLACES = 4
MIND = "Read the numbers with this in mind"


def platform_line(results):
    """Of what it was measured on."""
    platform = results.platform
    return (f"Linux {platform['kernel']}, pages of {text.size(results.page)}, "
            f"{platform['cpus']} CPUs, accelerator {platform['accel']}")


def warnings(results):
    """What throws doubt on the numbers, the worst first."""
    said = results.machine["warnings"] if results.machine else []
    lines = []
    if results.partial:
        lines.append("This result is partial: what is missing here has not been measured.")
    if not results.timings:
        lines.append("This result holds no timings: it says nothing about how long an access "
                     "takes.")
    if results.platform["accel"] == "tcg" and not any("TCG" in line for line in said):
        lines.append("The processor was emulated (TCG): only ratios mean something, "
                     "no time does.")
    untimed = [entry for entry in results.timings + results.opens if not is_timed(entry)]
    if untimed:
        lines.append(f"{text.count(len(untimed), 'measurement')} came to nothing, or to no "
                     "more than the loop around it: in the tables, but in no chart and no ratio.")
    return lines + said


def figures(results):
    """The numbers at the top."""
    shown = []
    if bars.rows(results):
        shown += [(bars.count_text(bars.count(results, True)), "sub-page MMIO BARs mapped"),
                  (bars.count_text(bars.count(results, False)), "without the module")]
    ratio = bars.median_ratio(results)
    if ratio:
        shown.append((f"{ratio[0]:.1f}×", "trapped against mapped read, "
                      f"median of {text.count(ratio[1], 'BAR')}"))
    totals = results.totals
    if totals:
        shown.append((str(totals["pass"]), f"tests passed, {totals['fail'] + totals['error']} "
                      f"failed, {totals['skip']} skipped"))
    return shown


def top(shown, lines):
    """The numbers and the warnings, if there are any."""
    return [Figures(shown)] * bool(shown) + [Warnings(MIND, lines)] * bool(lines)


def bars_section(results):
    """Each memory BAR."""
    rows = []
    for row in bars.rows(results):
        trapped, mapped = bars.pair(results, row, "read")
        rows.append(Row([row.bdf, text.short(results.name(row.bdf)), str(row.bar),
                         text.size(row.size), bars.where(results, row).replace("->", "→"),
                         bars.state(row.without), bars.state(row.with_module),
                         text.nanoseconds(trapped), text.nanoseconds(mapped),
                         f"{trapped / mapped:.1f}" if mapped else text.UNKNOWN]))
    return Section("BARs", [Table("Memory BARs, and medians of a trapped and of a mapped read", [
        "BDF", "device", "BAR#", "size#", "where", "without", "with module", "ns trapped#",
        "ns mapped#", "ratio#"], rows) if rows else
        Text("No memory BAR of a device that is bound to VFIO.")])


def pages_section(results):
    """What the module does."""
    lines = pagemap.lines(results)
    if not lines:
        return Section("Pages", [Text("No page of the host held a sub-page BAR.")])
    return Section("Pages", [Pages(
        f"{text.count(len(lines), 'page')} of the host that held a sub-page BAR, and where "
        "their BARs are with the module", lines,
        f"Each strip is a page of {text.size(results.page)}, from its first byte to its last; "
        "what would be too narrow to be seen is wider. A colour is a device (after eight "
        "they come again), grey is something else. Pale: the rest of a page that a BAR has for "
        "itself.")])


def headline_table(results):
    """The ratios of paths."""
    rows = [Row([line.name, text.ratio(line.median),
                 f"{text.ratio(line.low)} to {text.ratio(line.high)}", str(line.registers),
                 line.meaning]) for line in ladder.headlines(results.timings)]
    return Table("Ratios of reads, each of one register; median over registers",
                 ["paths", "median#", "lowest to highest#", "registers#", "meaning"], rows)


def register_charts(timings):
    """A chart of every register, for each operation."""
    shown = []
    for i, op in enumerate(ladder.ops(timings)):
        groups = ladder.groups(timings, op)
        if groups:
            title = ladder.OP_TITLE.get(op, op)
            shown.append(Chart(
                f"registers-{i}", title,
                f"{title}: medians in nanoseconds on a logarithmic scale, for "
                f"{text.count(len(groups), 'register')} and the paths "
                f"{', '.join(ladder.paths(sum(groups, [])))}. "
                "The numbers are in the table of all timings.",
                lambda groups=groups: charts.register_chart(groups)))
    return Charts(shown, "One mark for each path to a register, at its median; the bar through "
                  "it is the 95 % interval of the median, mostly narrower than the mark. Filled: "
                  "with the module; hollow: without it.",
                  "Each register on its own")


def ladder_chart(timings):
    """All registers at once."""
    timed = [timing for timing in timings if is_timed(timing)]
    shown = [Chart("ladder", "What an access costs", "Medians of all registers in nanoseconds "
                   "on a logarithmic scale, a strip for each operation and path.",
                   lambda: charts.strips(timed))] if timed else []
    return Charts(shown, "A strip for each path, a mark for each register at its median, a line "
                  "at the median of those.")


def timing_table(results):
    """All of them."""
    rows = [Row([text.place(timing), timing["op"], timing["path"], text.binding(timing),
                 text.nanoseconds(timing["median_ns"]),
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
    return Section("Timings", [headline_table(results), ladder_chart(results.timings),
                               register_charts(results.timings), timing_table(results)])


def ratio_interval(ratio):
    """Of a ratio, if it has one."""
    if ratio is None or ratio.low is None:
        return text.UNKNOWN
    return text.interval((ratio.low, ratio.high), text.ratio)


def opens_table(results):
    """Phases, without and with the module side by side."""
    rows = [Row([row.phase, str(row.functions), row.driver,
                 *(text.duration(entry["median_ns"]) if entry else text.UNKNOWN
                   for entry in (row.without, row.with_module)),
                 text.ratio(row.ratio.value if row.ratio else None), ratio_interval(row.ratio)])
            for row in opens.rows(results.opens)]
    return Table("Cost for one device, by phase and by how many devices at once",
                 ["phase", "devices#", "driver", "without module#", "with module#", "ratio#",
                  "95 % interval#"], rows, folded=len(rows) > MANY_ROWS)


def opens_section(results):
    """What the first access to a device costs."""
    timed = [entry for entry in results.opens if is_timed(entry)]
    shown = []
    if timed:
        fewest = opens.functions(timed)[0]
        here = [entry for entry in timed if entry["functions"] == fewest]
        shown.append(Chart(
            "opens", f"Phases, {text.count(fewest, 'device')} at once",
            "Cost of each phase for one device on a logarithmic scale, without and with the "
            "module. The numbers are in the table.", lambda: charts.phases(here)))
    return Section("Opening and mapping", [Charts(shown), opens_table(results)])


def skipped_table(title, skipped):
    """By reason. Without a register that is safe a BAR is skipped with all its paths and
    operations."""
    found = {}
    for entry in skipped:
        found.setdefault((entry["reason"], entry["path"] or "all"), []).append(entry)
    rows = []
    for (reason, path), entries in sorted(found.items()):
        operations = ", ".join(dict.fromkeys(entry["op"] or "all" for entry in entries))
        places = list(dict.fromkeys(map(text.place, entries)))
        # Whoever wants to have what is missing needs to know all of it.
        few = places if entries[0]["kind"] == "missing" else places[:FEW_PLACES]
        shown = ", ".join(few) + " and more" * (len(few) < len(places))
        rows.append(Row([reason, path, operations, str(len(places)), shown]))
    return Table(title, ["reason", "path", "operations", "registers#", "which"], rows)


def skipped_tables(results, where=""):
    """What could have been measured, apart from what cannot be."""
    for kind, title in (("missing", "Missing: can be measured, with what the reason names"),
                        ("not-applicable", "Not applicable")):
        entries = [entry for entry in results.skipped if entry["kind"] == kind]
        if entries:
            yield skipped_table(title + where, entries)


def skipped_section(results):
    """Nothing is left out without a word."""
    tables = list(skipped_tables(results))
    if not any(entry["kind"] == "missing" for entry in results.skipped):
        tables.insert(0, Text("Nothing is missing: each path to each register has been timed, "
                              "as far as it applies." if results.timings else
                              "Nothing was timed."))
    return Section("Not measured", tables)


def kunit_section(results):
    """The module's own tests."""
    if not results.kunit:
        return Section("KUnit", [Text("No KUnit results: the kernel has no KUnit, "
                                      "or the module was built without its suites.")])
    rows = [Row([text.plain(suite[key]) for key in ("suite", "pass", "fail", "skip")])
            for suite in results.kunit]
    blocks = [Table("KUnit suites", ["suite", "passed#", "failed#", "skipped#"], rows)]
    rows = [Row([case["name"], suite["suite"], case["result"], text.plain(case["reason"])])
            for suite in results.kunit for case in suite["cases"] if case["result"] != "pass"]
    if rows:
        blocks.append(Table("Cases that did not pass", ["case", "suite", "result", "reason"], rows))
    return Section("KUnit", blocks)


def conditions(results):
    """What was measured where, and how: {part: {what: value}}, as they are printed."""
    platform, perf, machine = results.platform, results.perf, results.machine
    found = {"Platform": {"name": platform["name"], "kernel": platform["kernel"],
                          "architecture": platform["arch"], "page": text.size(results.page),
                          "CPUs online": str(platform["cpus"]),
                          "accelerator": platform["accel"]}}
    if machine:
        steal = machine["steal_percent"]
        found["Machine"] = {"processor": text.plain(machine["cpu_model"]),
                            "frequency governor": text.plain(machine["governor"]),
                            "threads share a core (SMT)": text.plain(machine["smt"]),
                            "hypervisor": text.plain(machine["hypervisor"]),
                            "time stolen": text.UNKNOWN if steal is None else f"{steal:g} %"}
    if perf:
        step = perf["resolution_ns"]
        found["Measurement"] = {
            "clock": f"{perf['counter']}, {perf['counter_hz'] / 1e6:.1f} MHz",
            "smallest step": text.UNKNOWN if step is None else f"{step:.1f} ns",
            "blocks of each path": text.plain(perf["blocks"]),
            "rounds without and with the module": text.plain(perf["rounds"]),
            "on another NUMA node": text.plain(perf["remote_node"]),
            "seed": text.plain(perf["seed"])}
    return found


def method_section(results):
    """A table for each of its parts that there is."""
    return Section("Machine and method", [Side([
        Table(title, ["what", "value"], [Row([*fact]) for fact in entries.items()])
        for title, entries in conditions(results).items()])])


def footer(results, label=""):
    """What it is made of: when, with which module, by which commands."""
    versions = dict.fromkeys(run["module_version"] for run in results.runs
                             if run["module_version"])
    times = [run["time"] for run in results.runs if run["time"]]
    facts = [f"Begun {min(times)}" if times else "Begun at an unknown time",
             f"module vfio_pci_subpage {', '.join(versions)}" if versions else
             "version of the module unknown",
             f"revision {results.revision}" if results.revision else "revision unknown",
             f"made by scripts/report.py from {results.source}"]
    rows = [Row([run["program"], text.plain(run["time"]), text.plain(run["module_version"]),
                 text.plain(run["complete"]), run["command"]]) for run in results.runs]
    return [Text(f"{label}{', '.join(facts)}."),
            Table("Commands", ["program", "begun", "module", "complete", "command line"], rows)]


def document(results):
    """The whole report."""
    sections = [bars_section(results), pages_section(results), timings_section(results)]
    if results.opens:
        sections.append(opens_section(results))
    sections += [skipped_section(results), kunit_section(results), method_section(results)]
    return Document(
        title=f"vfio-pci-subpage on {results.platform['name']}",
        subtitle=platform_line(results),
        top=[Verdict(*verdict.of(results)), *top(figures(results), warnings(results))],
        sections=sections, footer=footer(results))
