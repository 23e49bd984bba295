# SPDX-License-Identifier: GPL-2.0-only
"""The report of two results files, before and after."""
from . import bars, charts, ladder, single, text, verdict
from .compare import VERDICTS
from .document import Chart, Charts, Document, Row, Section, Table, Text
from .schema import OPEN_KEY

WHAT = {"timing": "Timings", "open": "Opening and mapping"}


def tolerance_text(comparison):
    """The rule of the verdicts."""
    above = 1 + comparison.tolerance / 100
    return (f"Ratios are after / before. Worse: the 95 % interval of the ratio lies entirely "
            f"above {above:.4g}; better: entirely below {1 / above:.4g} (tolerance "
            f"{comparison.tolerance:g} %); else there is no difference to speak of. Unknown: "
            "one of the files has no time or no interval there.")


def conditions(comparison):
    """(where, what, before, after), as they are printed, for all that is known of
    platform, machine and measurement; but for the seed, which is never the same."""
    after = single.conditions(comparison.after)
    before = single.conditions(comparison.before)
    for part in dict.fromkeys([*before, *after]):
        old, new = before.get(part, {}), after.get(part, {})
        for key in dict.fromkeys([*old, *new]):
            if key != "seed":
                yield (part.lower(), key, old.get(key, text.UNKNOWN),
                       new.get(key, text.UNKNOWN))


def only_before(comparison):
    """Of all kinds."""
    return [one for kind in WHAT for one in comparison.only(kind, "before")]


def other_devices(comparison):
    """Their addresses, and what they are in either file."""
    ids = {bdf: ", ".join(":".join(number.removeprefix("0x") for number in one)
                          for one in both) for bdf, both in comparison.other_devices.items()}
    return ", ".join(f"{bdf} ({both})" for bdf, both in ids.items())


def warnings(comparison):
    """What throws doubt on the comparison, from either side."""
    lines = []
    lost, alone = comparison.lost_mappings(), only_before(comparison)
    if lost:
        lines.append(f"{text.count(len(lost), 'BAR was', 'BARs were')} mapped before and "
                     f"{'is' if len(lost) == 1 else 'are'} not after: see BARs.")
    if alone:
        lines.append(f"{text.count(len(alone), 'row is', 'rows are')} only in the results before: "
                     "not measured any more, and in no verdict.")
    if comparison.other_devices:
        lines.append(f"Not the same device in the two files: {other_devices(comparison)}: "
                     "what was measured there is not compared.")
    different = [key for part, key, old, new in conditions(comparison)
                 if part != "measurement" and old != new]
    if different:
        lines.append(f"The two runs differ in {', '.join(different)}: "
                     "a difference between them need not come from the change.")
    for label, results in (("Before", comparison.before), ("After", comparison.after)):
        judged, why = verdict.of(results)
        lines += [f"{label}: {judged}: {why}"] * (judged != "pass")
        lines += [f"{label}: {line}" for line in single.warnings(results)]
    if not comparison.rows:
        lines.append("The two files have no timing in common: only their BARs are compared.")
    return lines


def verdicts(counts):
    """How many rows have which; what is unknown only if any is."""
    return [(counts[name], name) for name in VERDICTS if counts[name] or name != "unknown"]


def outcome(comparison):
    """What it comes to: the verdicts, if there are any, and what is lost."""
    gone = ((len(comparison.lost_mappings()), "no longer mapped"),
            (len(only_before(comparison)), "only before"))
    return (verdicts(comparison.counts()) if comparison.rows else []) + \
        [(number, what) for number, what in gone if number]


def as_text(numbers):
    """ "1 worse, 2 better, 60 no difference"."""
    return ", ".join(f"{number} {what}" for number, what in numbers)


def figures(comparison):
    """The numbers at the top."""
    shown = [(str(number), what) for number, what in outcome(comparison)]
    median = comparison.median_ratio("timing")
    if median:
        shown.append((text.ratio(median[0]),
                      f"median ratio after / before of {text.count(median[1], 'timing')}"))
    return shown


def summary(comparison):
    """What it comes to."""
    blocks = [Table("Before and after", ["", "before", "after"], [
        Row(["results", comparison.before.source, comparison.after.source]),
        *(side(name, value(comparison.before), value(comparison.after)) for name, value in (
            ("verdict", lambda results: verdict.of(results)[0]),
            ("sub-page MMIO BARs mapped", lambda results: mapped(results, True)),
            ("without the module", lambda results: mapped(results, False)),
            ("trapped / mapped read", trapped_to_mapped),
            ("revision", lambda results: text.plain(results.revision)),
            ("partial", lambda results: text.plain(results.partial))))])]
    rows = []
    for kind, title in WHAT.items():
        median = comparison.median_ratio(kind)
        counts = comparison.counts(comparison.of(kind))
        only = [len(comparison.only(kind, where)) for where in ("before", "after")]
        if comparison.of(kind) or any(only):
            rows.append(Row([title, *(str(counts[name]) for name in VERDICTS),
                             text.ratio(median[0] if median else None), *map(str, only)]))
    if rows:
        blocks.append(Table("Verdicts", ["rows", *(f"{name}#" for name in VERDICTS),
                                         "median ratio#", "only before#", "only after#"], rows))
    blocks.append(Text(tolerance_text(comparison), note=True))
    return Section("Summary", blocks)


def side(name, before, after):
    """A row of two values that is marked if they differ."""
    return Row([name, before, after], "differs" if before != after else "")


def mapped(results, module):
    """ "N of M"."""
    return bars.count_text(bars.count(results, module))


def trapped_to_mapped(results):
    """The median ratio of one file."""
    ratio = bars.median_ratio(results)
    return f"{ratio[0]:.1f} ({text.count(ratio[1], 'BAR')})" if ratio else text.UNKNOWN


def machines(comparison):
    """Side by side."""
    rows = [Row([f"{part}: {key}", old, new, "differs" if old != new else ""],
                "differs" if old != new else "") for part, key, old, new in conditions(comparison)]
    return Section("Machine and method", [
        Table("Platform, machine and measurement", ["what", "before", "after", ""], rows)])


def bar_state(results):
    """What became of each BAR, by device, BAR and driver."""
    return {(row.bdf, row.bar, text.binding(bar)): bars.state(bar)
            for row in bars.rows(results) for bar in (row.without, row.with_module) if bar}


def bar_changes(comparison):
    """BARs that are mapped in one and not in the other, or became something else."""
    before, after = bar_state(comparison.before), bar_state(comparison.after)
    names = {**comparison.before.names, **comparison.after.names}
    rows = [Row([key[0], text.short(names[key[0]]), str(key[1]), key[2],
                 before.get(key, text.UNKNOWN), after.get(key, text.UNKNOWN)], "differs")
            for key in sorted({**before, **after})
            if before.get(key) != after.get(key) and key[0] not in comparison.other_devices]
    if not rows:
        return Section("BARs", [Text("Each memory BAR is mapped or trapped as before.")])
    return Section("BARs", [Table("BARs that changed",
                                      ["BDF", "device", "BAR#", "driver", "before", "after"],
                                      rows)])


def by_verdict(rows):
    """The ones to look at first; the strongest first among them."""
    return sorted(rows, key=lambda row: (VERDICTS.index(row.verdict),
                                         -(row.ratio.value if row.ratio else 0)))


def verdict_row(row, cells, form):
    """A line of either table."""
    return Row([*cells, form(row.before["median_ns"]), form(row.after["median_ns"]),
                text.ratio(row.ratio.value if row.ratio else None),
                single.ratio_interval(row.ratio), row.verdict],
               row.verdict if row.verdict in ("worse", "better") else "")


def verdict_tables(rows, what, columns, cells, form):
    """What there is to see, and folded what is as before."""
    columns = [*columns, "before#", "after#", "ratio#", "95 % interval#", "verdict"]
    same = [row for row in rows if row.verdict == "no difference"]
    seen = [row for row in rows if row.verdict != "no difference"]
    blocks = []
    if seen:
        blocks.append(Table(f"{text.count(len(seen), 'row')} to look at, {what}", columns,
                            [verdict_row(row, cells(row), form) for row in by_verdict(seen)]))
    else:
        blocks.append(Text("No row is worse, and none better."))
    if same:
        blocks.append(Table(f"{text.count(len(same), 'row')} without a difference, {what}",
                            columns, [verdict_row(row, cells(row), form) for row in same],
                            folded=True))
    return blocks


def timings_section(comparison):
    """Row by row."""
    rows = comparison.of("timing")
    if not rows:
        return Section("Timings", [Text("No timing is in both files.")])
    shown = []
    for i, op in enumerate(ladder.ops([row.before for row in rows])):
        here = [row for row in rows if row.before["op"] == op and row.ratio]
        if here:
            title = ladder.OP_TITLE.get(op, op)
            shown.append(Chart(
                f"ratios-{i}", title,
                f"{title}: ratio after / before with its 95 % interval on a logarithmic scale, "
                f"{text.count(len(here), 'row')}: {as_text(verdicts(comparison.counts(here)))}. "
                "The numbers are in the table.",
                lambda here=here: charts.ratios(here, comparison.tolerance)))
    tables = verdict_tables(
        rows, "nanoseconds for one access", ["register", "operation", "path", "driver"],
        lambda row: [text.place(row.before), row.before["op"], row.before["path"],
                     text.binding(row.before)],
        text.nanoseconds)
    return Section("Timings", [
        Charts(shown,
               "One mark for each row of the table, with its 95 % interval: left of 1 is faster "
               "than before. The band is the tolerance. Filled: measured with "
               "the module; hollow: without it."), *tables])


def opens_section(comparison):
    """The same for what a device costs to open."""
    tables = verdict_tables(
        comparison.of("open"), "cost for one device", ["phase", "devices#", "driver"],
        lambda row: [row.before["phase"], str(row.before["functions"]),
                     text.binding(row.before)],
        text.duration)
    return Section("Opening and mapping", tables)


def alone_table(title, alone):
    """Entries without a counterpart."""
    rows = []
    for where in ("before", "after"):
        here = [one for one in alone if one.where == where]
        for entry in ladder.sort([one.entry for one in here if one.kind == "timing"]):
            rows.append(Row([text.place(entry), entry["op"], entry["path"],
                             text.binding(entry), where, text.nanoseconds(entry["median_ns"])]))
        for entry in sorted((one.entry for one in here if one.kind == "open"),
                            key=lambda entry: text.sort_key(entry, *OPEN_KEY)):
            rows.append(Row([f"{text.count(entry['functions'], 'device')} at once",
                             entry["phase"], "open", text.binding(entry), where,
                             text.nanoseconds(entry["median_ns"])]))
    return Table(title, ["register", "operation", "path", "driver", "only", "median, ns#"], rows)


def only_section(comparison):
    """What only one of the files has, and what is not of the same device in both."""
    tables = [alone_table(title, [one for one in comparison.alone if one.other_device == other])
              for title, other in (("Rows without a counterpart", False),
                                   ("Rows of other devices", True))]
    return Section("Only in one file", [table for table in tables if table.rows] or
                   [Text("Every row is in both files.")])


def skipped_section(comparison):
    """Of both."""
    blocks = [*single.skipped_tables(comparison.before, ", before"),
              *single.skipped_tables(comparison.after, ", after")]
    return Section("Not measured", blocks or [Text("No path was skipped.")])


def kunit_section(comparison):
    """Of both."""
    before, after = (
        {suite["suite"]: f"{suite['pass']} passed, {suite['fail']} failed, {suite['skip']} skipped"
         for suite in results.kunit} for results in (comparison.before, comparison.after))
    rows = [side(name, before.get(name, text.UNKNOWN), after.get(name, text.UNKNOWN))
            for name in dict.fromkeys([*before, *after])]
    return Section("KUnit", [Table("KUnit suites", ["suite", "before", "after"], rows) if rows else
                             Text("No KUnit results.")])


def document(comparison):
    """The whole report."""
    sections = [summary(comparison), machines(comparison), bar_changes(comparison),
                timings_section(comparison)]
    if comparison.of("open"):
        sections.append(opens_section(comparison))
    sections += [only_section(comparison), skipped_section(comparison), kunit_section(comparison)]
    names = [results.platform["name"] for results in (comparison.before, comparison.after)]
    return Document(
        title=f"vfio-pci-subpage, before and after on {' and '.join(dict.fromkeys(names))}",
        subtitle=as_text(outcome(comparison)) or "BARs only",
        top=single.top(figures(comparison), warnings(comparison)),
        sections=sections,
        footer=[*single.footer(comparison.before, "Before: "),
                *single.footer(comparison.after, "After: ")])
