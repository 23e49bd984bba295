# SPDX-License-Identifier: GPL-2.0-only
"""Charts as SVG for the page. matplotlib is imported when one is drawn.

They are drawn as narrow as a page on a phone, and are scaled there only a little:
their text stays readable. Text is text in the SVG, in the font of the page.
"""
import dataclasses
import io
import logging
import math
import re
import statistics

from . import ladder, opens, text

WIDTH = 4.5        # inches, of 96 pixels on the page
LINE = 0.12       # between the marks of a group
GAP = 0.16         # between groups
STRIP = 0.2        # of all registers
PHASE = 0.3
BELOW = 0.45       # for the axis
LEGEND = 4         # columns
MOST_TICKS = 6
INK, MUTED, GRID, BAND = "#24292f", "#6a737d", "#e3e6ea", "#f5f6f8"

# Colours that differ for colour-blind readers too, and a shape for each.
STYLE = {
    "kernel": ("#24292f", "o"), "sysfs": ("#7a7f87", "s"), "mmap": ("#0072b2", "D"),
    "pread": ("#d55e00", "^"), "pwrite": ("#d55e00", "v"), "kvm-mapped": ("#009e73", "P"),
    "kvm-ioeventfd": ("#b8860b", "*"), "kvm-trapped": ("#a8437f", "X"),
}
OTHER_STYLE = ("#56b4e9", "h")
SIDES = {False: ("without the module", "#d55e00", "^"), True: ("with the module", "#0072b2", "D")}

SETTINGS = {
    "svg.fonttype": "none", "svg.hashsalt": "vfio-pci-subpage", "text.parse_math": False,
    "font.family": "sans-serif", "font.size": 9, "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED, "text.color": INK, "xtick.color": MUTED, "ytick.color": INK,
    "axes.linewidth": 0.8, "lines.linewidth": 1.2, "legend.frameon": False,
}


def figure(draw, width, height):
    """An SVG of what draw(figure) draws."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(SETTINGS):
        out = io.StringIO()
        paper = Figure(figsize=(width, height))
        draw(paper)
        paper.savefig(out, format="svg", transparent=True,
                      metadata={key: None for key in ("Date", "Creator", "Format", "Type")})
    return out.getvalue()


def embed(svg, name, label):
    """The SVG as part of a page: its ids are of this chart, its size the page's."""
    svg = svg[svg.index("<svg"):]
    svg = re.sub(r"<style[^>]*>.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(href=")#|(url\()#', rf"\g<1>\g<2>#{name}-", svg)
    svg = svg.replace("'DejaVu Sans', ", "")
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    width, height = (float(side) * 96 / 72 for side in box.groups())
    start = (f'<svg class="chart" role="img" aria-label="{label}" '
             f'width="{width:.0f}" height="{height:.0f}" {box.group(0)} '
             'xmlns="http://www.w3.org/2000/svg" '
             'xmlns:xlink="http://www.w3.org/1999/xlink">')
    # A function, as the label is no template: what it holds is not expanded.
    return re.sub(r"<svg[^>]*>", lambda _: start, svg, count=1)


def style(path):
    """Colour and shape of a path."""
    return STYLE.get(path, OTHER_STYLE)


def draw_mark(axes, where, bounds, look, filled):
    """A mark at x and y, and the interval through it."""
    (x, y), (colour, shape) = where, look
    if bounds and bounds[0] < bounds[1]:
        axes.plot(bounds, (y, y), color=colour, solid_capstyle="butt", linewidth=1.6, alpha=0.55)
    axes.plot([x], [y], linestyle="none", marker=shape, markersize=4.6, markeredgewidth=0.9,
              color=colour, markerfacecolor=colour if filled else "white")


def round_ticks(low, high, most):
    """Round numbers between two, equally far apart; 1 is one of them."""
    from matplotlib.ticker import MaxNLocator
    locator = MaxNLocator(most, steps=[1, 2, 5, 10])
    return [tick for tick in locator.tick_values(low, high) if low <= tick <= high]


def log_ticks(low, high):
    """The powers of ten between two numbers; more of them if there are few."""
    if high < 4 * low:
        return round_ticks(low, high, MOST_TICKS)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1,) if last - first > 2 else (1, 2, 5)
    every = math.ceil((last - first) / MOST_TICKS)
    return [step * 10.0 ** power for power in range(first, last + 1, every) for step in steps
            if low <= step * 10.0 ** power <= high]


def log_axis(axis, set_limits, numbers, form):
    """A logarithmic axis that holds the numbers, and its grid."""
    low, high = min(numbers), max(numbers)
    margin = (high / low) ** 0.05 if high > low * 1.2 else 1.3
    low, high = low / margin, high * margin
    set_limits(low, high)
    ticks = log_ticks(low, high)
    axis.set_ticks(ticks, [form(tick) for tick in ticks])
    axis.set_ticks([], minor=True)
    axis.grid(True, color=GRID, linewidth=0.8)
    axis.set_tick_params(length=0)


def frame(axes):
    """Only what carries something is drawn."""
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)


def legend(paper, entries, columns):
    """Above the chart: (label, colour, shape, filled)."""
    from matplotlib.lines import Line2D
    # It goes down its columns, and people read along lines.
    entries = sum((entries[i::columns] for i in range(columns)), [])
    paper.legend(handles=[Line2D([], [], linestyle="none", marker=shape, color=colour,
                                 markersize=5, markerfacecolor=colour if filled else "white",
                                 label=label)
                          for label, colour, shape, filled in entries],
                 loc="upper left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0.2,
                 handletextpad=0.1, columnspacing=1.0)


def group_labels(groups):
    """The registers; the PCI domain is left out where all are of domain 0."""
    labels = [text.place(group[0]) for group in groups]
    if all(label.startswith("0000:") for label in labels):
        labels = [label.removeprefix("0000:") for label in labels]
    return labels


@dataclasses.dataclass
class Mark:
    """What is drawn for a timing: where, and what it is of."""
    path: str
    x: float
    bounds: tuple
    filled: bool


def group_band(axes, marks, top):
    """A line for each path of a register, below each other; returns where they end."""
    paths = ladder.paths([{"path": one.path} for one in marks])
    # The filled mark comes last, so that it is not hidden below a hollow one.
    for one in sorted(marks, key=lambda one: one.filled):
        draw_mark(axes, (one.x, top + GAP / 2 + LINE * (paths.index(one.path) + 0.5)),
                  one.bounds, style(one.path), one.filled)
    return top + LINE * len(paths) + GAP


def grouped(paper, labels, groups, axis, decorate=None):
    """A band for each register, from the top, with the marks of a group. The axis
    is (numbers that it has to hold, how they are written, what they are)."""
    numbers, form, title = axis
    left = min(0.1 + 0.074 * max(map(len, labels)), WIDTH / 2)
    paths = ladder.paths([{"path": one.path} for one in sum(groups, [])])
    above = 0.22 * math.ceil(len(paths) / LEGEND) + 0.05
    tall = sum(LINE * len({one.path for one in group}) + GAP for group in groups)
    height = above + tall + BELOW
    paper.set_size_inches(WIDTH, height)
    axes = paper.add_axes((left / WIDTH, BELOW / height, (WIDTH - left - 0.2) / WIDTH,
                           tall / height))
    frame(axes)
    axes.set_xscale("log")
    log_axis(axes.xaxis, axes.set_xlim, numbers, form)
    if decorate:
        decorate(axes)
    ends = [0.0]
    for i, group in enumerate(groups):
        ends.append(group_band(axes, group, ends[-1]))
        if i % 2 == 0:
            axes.axhspan(ends[-2], ends[-1], color=BAND, linewidth=0, zorder=0)
    axes.set_ylim(ends[-1], 0)
    axes.set_yticks([(low + high) / 2 for low, high in zip(ends, ends[1:])], labels)
    axes.tick_params(length=0)
    axes.set_xlabel(title)
    legend(paper, [(path, *style(path), True) for path in paths], LEGEND)


def time_numbers(entries):
    """All that has to be on the axis."""
    return [entry["median_ns"] for entry in entries] + \
           [bound for entry in entries for bound in entry["ci95_ns"] or () if bound > 0]


def positive(bounds):
    """The part of an interval that a logarithmic axis has."""
    return bounds if bounds and bounds[0] > 0 else None


def register_chart(groups):
    """The paths to each register."""
    marks = [[Mark(entry["path"], entry["median_ns"], positive(entry["ci95_ns"]),
                   entry["module"]) for entry in group] for group in groups]
    return figure(lambda paper: grouped(
        paper, group_labels(groups), marks,
        (time_numbers(sum(groups, [])), text.tick, "one access, median")), WIDTH, 1)


def draw_strip(axes, timings, y):
    """All registers of a path: without the module above, with it below."""
    for module in sorted({timing["module"] for timing in timings}):
        here = [timing["median_ns"] for timing in timings if timing["module"] == module]
        _, colour, shape = SIDES[module]
        at = y + 0.22 * (1 if module else -1)
        axes.plot(here, [at] * len(here), linestyle="none", marker=shape, markersize=3.6,
                  markeredgewidth=0.6, color=colour, alpha=0.6,
                  markerfacecolor=colour if module else "white")
        axes.plot([statistics.median(here)] * 2, [at - 0.24, at + 0.24], color=INK, linewidth=1.4)


def lines_chart(names, line, numbers, title, draw):
    """A line for each name, so high; draw(axes, i) draws on one. The legend of the sides is
    above it."""
    left = min(0.1 + 0.074 * max(map(len, names)), WIDTH / 2)
    tall = line * len(names)
    height = BELOW + tall + 0.3

    def draw_all(paper):
        axes = paper.add_axes((left / WIDTH, BELOW / height, (WIDTH - left - 0.2) / WIDTH,
                               tall / height))
        frame(axes)
        axes.set_xscale("log")
        log_axis(axes.xaxis, axes.set_xlim, numbers, text.tick)
        for i in range(len(names)):
            draw(axes, i)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_yticks(range(len(names)), names)
        axes.tick_params(length=0)
        axes.set_xlabel(title)
        legend(paper, [(*one, module) for module, one in SIDES.items()], 2)

    return figure(draw_all, WIDTH, height)


def strips(timings):
    """A strip for each operation and path, over all registers."""
    ops = ladder.ops(timings)
    rows = {(op, path): [timing for timing in timings
                         if (timing["op"], timing["path"]) == (op, path)]
            for op in ops for path in ladder.paths(timings)}
    rows = {key: here for key, here in rows.items() if here}

    def draw(axes, i):
        (op, _), here = list(rows.items())[i]
        draw_strip(axes, here, i)
        if ops.index(op) % 2 == 0:
            axes.axhspan(i - 0.5, i + 0.5, color=BAND, linewidth=0, zorder=0)

    return lines_chart([f"{op}, {path}" for op, path in rows], STRIP,
                       [timing["median_ns"] for timing in timings],
                       "one access, median of each register", draw)


def ratio_mark(row):
    """Of a row of a comparison."""
    bounds = (row.ratio.low, row.ratio.high)
    known = row.ratio.low and row.ratio.high < math.inf
    return Mark(row.before["path"], row.ratio.value, bounds if known else None,
                row.before["module"])


def ratio_numbers(rows, above):
    """What the axis has to hold: not the whole of an interval that says nothing."""
    numbers = [1 / above / 1.02, above * 1.02]
    for ratio in (row.ratio for row in rows):
        numbers += [number for number in (ratio.value, ratio.low, ratio.high)
                    if number is not None and ratio.value / 10 < number < ratio.value * 10]
    return numbers


def ratios(rows, tolerance):
    """After over before, with the tolerance as a band."""
    groups = {}
    for row in rows:
        groups.setdefault(text.place(row.before), []).append(row)
    groups = [groups[place] for place in sorted(groups)]
    above = 1 + tolerance / 100

    def band(axes):
        axes.axvspan(1 / above, above, color="#dfe7f1", linewidth=0, zorder=0.5)
        axes.axvline(1, color=MUTED, linewidth=0.8, zorder=0.6)

    return figure(lambda paper: grouped(
        paper, group_labels([[row.before for row in group] for group in groups]),
        [[ratio_mark(row) for row in group] for group in groups],
        (ratio_numbers(rows, above), lambda tick: f"{tick:.3g}", "after / before"), band),
        WIDTH, 1)


def phases(entries):
    """What each phase costs, a line for each, without and with the module on it."""
    names = opens.phases(entries)

    def draw(axes, i):
        for entry in entries:
            if entry["phase"] == names[i]:
                module = entry["module"]
                draw_mark(axes, (entry["median_ns"], i + (0.08 if module else -0.08)),
                          positive(entry["ci95_ns"]), SIDES[module][1:], module)

    return lines_chart(names, PHASE, time_numbers(entries), "one device, median", draw)
