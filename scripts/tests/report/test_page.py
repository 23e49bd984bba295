# SPDX-License-Identifier: GPL-2.0-only
"""Tests of what the report is written as: the map of pages, HTML, Markdown, and the page
in a browser."""
import copy
import html.parser
import json
import os
import re
import subprocess

import browser
import pytest
from matplotlib import image
from samples import (SCRIPTS, WITH, WITHOUT, bar, loaded, results, scaled, skip, timing)

from report import (compare, comparison, ladder, load, markdown, page, pagemap, single, text)

EVIL = '<script>alert("x")</script>&$x^2$\u0000\ud800 `|` a\\qb'


def neighbour(start, end, name, module=False):
    """As in a results file."""
    return {"module": module, "start": start, "end": end, "name": name}


# ---- the map of pages ----

def shape(one):
    """A page as "size:owner", the rest of it with "~"."""
    return [f"{piece.size}:{piece.owner}{'~' * piece.spare}" for piece in one.pieces()]


def shared(**more):
    """Two BARs in one page, which get a page each."""
    return results(bars=[
        bar("a", WITHOUT, False, start="0x1100"), bar("b", WITHOUT, False, start="0x1400"),
        bar("a", WITH, True, start="0x1000"), bar("b", WITH, True, start="0x5000")],
        **{"neighbours": [], **more})


def test_pages(tmp_path):
    """Where BARs were, and where they are."""
    line, = pagemap.lines(loaded(tmp_path, shared()))
    assert (line.before.start, shape(line.before)) == \
        (0x1000, ["256:", "256:a", "512:", "256:b", "2816:"])
    assert [(page.start, shape(page)) for page in line.after] == \
        [(0x1000, ["256:a", "3840:a~"]), (0x5000, ["256:b", "3840:b~"])]


def test_neighbours(tmp_path):
    """Of the page alone, with the device that they are of; what is tested counts once. With
    the module they show even where nothing should be."""
    line, = pagemap.lines(loaded(tmp_path, shared(neighbours=[
        neighbour("0x0", "0x10ff", "Reserved"), neighbour("0x1400", "0x14ff", "b BAR 0"),
        neighbour("0x1800", "0x2fff", "0000:00:07.0 BAR 2"), neighbour("0x2000", "0x2fff", "no"),
        neighbour("0x5a00", "0x5aff", "gone"), neighbour("0x5800", "0x58ff", "late", True),
        neighbour("0x1c00", "0x1cff", "late", True)])))
    assert shape(line.before) == ["256:Reserved", "256:a", "512:", "256:b", "768:",
                                  "2048:0000:00:07.0"]
    assert shape(line.after[0]) == ["256:a", "2816:a~", "256:late", "768:a~"]
    assert shape(line.after[1]) == ["256:b", "1792:b~", "256:late", "1792:b~"]
    assert [pagemap.words(owner) for owner in line.before.owners] == \
        ["Reserved", "a BAR 0 trapped", "b BAR 0 trapped", "0000:00:07.0 BAR 2"]


def test_bar_that_keeps_its_size(tmp_path):
    """As with bar_size=device, or where it stays trapped."""
    top = shared()
    top["bars"][2]["shown_size"] = 256
    line, = pagemap.lines(loaded(tmp_path, top))
    assert shape(line.after[0]) == ["256:a", "3840:"]


def test_pages_of_one_side(tmp_path):
    """Not all is measured both ways, and larger BARs are not shown."""
    found = pagemap.lines(loaded(tmp_path, results(neighbours=[], bars=[
        bar("a", WITHOUT, True, start="0x1000"), bar("b", WITH, True, start="0x3000"),
        bar("c", WITH, True, start="0x8000", size=4096),
        bar("d", WITHOUT, True, start="0x9000", flags="0x40101")])))
    assert [(line.before and line.before.start, [page.start for page in line.after])
            for line in found] == [(None, [0x3000]), (0x1000, [])]


# ---- Markdown ----

def tables(markdown_text):
    """The tables of Markdown, as lists of lists of plain cells."""
    found, current = [], []
    for line in markdown_text.splitlines() + [""]:
        if line.startswith("| "):
            cells = re.split(r"(?<!\\)\|", line[1:-1])
            current.append([re.sub(r"\\(.)", r"\1", cell.strip().replace("**", ""))
                            for cell in cells])
        elif current:
            found.append(current)
            current = []
    return found


def test_markdown(tmp_path):
    """Each table has as many cells in each line, and the numbers are right."""
    found = loaded(tmp_path, results())
    source = markdown.write(single.document(found))
    for table in tables(source):
        assert {len(row) for row in table} == {len(table[0])}
    timings = next(table for table in tables(source) if table[0][0] == "register")
    rows = {tuple(row[:4]): row for row in timings[2:]}
    assert len(rows) == len(found.timings)
    for entry in found.timings:
        row = rows[text.place(entry), entry["op"], entry["path"], text.binding(entry)]
        assert float(row[4]) == pytest.approx(entry["median_ns"], abs=0.5)
    pages = next(table for table in tables(source) if table[0][0] == "page")
    assert pages[2][1:] == ["0000:00:01.0 BAR 0 mapped, 0000:01:01.0 BAR 0 trapped",
                            "0xfd700000: 0000:00:01.0 BAR 0 mapped; "
                            "0xfd701000: 0000:01:01.0 BAR 0 mapped"]
    for part in ("**PASS:** 20 tests passed", "clock | rdtsc, 2100.0 MHz", "time stolen | 0.5 %",
                 "revision abc1234", "Begun 2026-11-25T09:48:54Z, module vfio\\_pci\\_subpage 1.2",
                 "./vfio\\_pci\\_subpage\\_perf --results x", "**Missing: ", "**Not applicable"):
        assert part in source, part


def test_skipped(tmp_path):
    """Counted by reason; what cannot be measured apart from what could. Without a register
    that is safe a BAR is skipped with all its paths."""
    whole = dict.fromkeys(("offset", "path", "op", "width"))
    top = results(skipped=[skip("no safe register", **whole),
                           *(skip("no safe register", **{**whole, "bar": n}) for n in range(1, 6)),
                           *(skip("of no use", op=op, offset=offset, kind="not-applicable")
                             for op in ("read", "write") for offset in range(6))])
    missing, useless = single.skipped_tables(loaded(tmp_path, top))
    assert [row.cells for row in missing.rows] == \
        [["no safe register", "all", "all", "6",
          ", ".join(f"0000:02:01.0 BAR {n}" for n in range(6))]]
    assert useless.rows[0].cells[:4] == ["of no use", "kvm-ioeventfd", "read, write", "6"]
    assert useless.rows[0].cells[4].endswith(" +0x3 and more")


# ---- the page ----

class Page(html.parser.HTMLParser):
    """What there is to check of a page: nesting, ids, references, charts."""
    VOID = {"meta", "path", "use", "rect", "br"}

    def __init__(self, source):
        super().__init__()
        self.open, self.ids, self.faults = [], [], []
        self.references, self.charts, self.heads = [], [], []
        self.feed(source)
        self.close()
        self.faults += [f"{tag} is not closed" for tag in self.open]

    def handle_startendtag(self, tag, attrs):
        self.attributes(tag, dict(attrs))

    def handle_starttag(self, tag, attrs):
        self.attributes(tag, dict(attrs))
        if tag not in self.VOID:
            self.open.append(tag)

    def attributes(self, tag, attrs):
        """Note those that matter."""
        if "id" in attrs:
            self.ids.append(attrs["id"])
        for key, value in attrs.items():
            if key in ("href", "src", "xlink:href", "srcset", "data", "action"):
                self.references.append(value)
            self.references += re.findall(r"url\(([^)]*)\)", value or "")
        if tag == "svg":
            self.charts.append(attrs)
        if tag == "th":
            self.heads.append(attrs.get("scope"))
        if tag == "script" or any(key.startswith("on") for key in attrs):
            self.faults.append(f"<{tag}> would run something")

    def handle_endtag(self, tag):
        if tag in self.VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()} closes something else")


def command(*args, **more):
    """Run report.py."""
    return subprocess.run([SCRIPTS / "report.py", *map(str, args)], capture_output=True,
                          text=True, check=False, timeout=120, stdin=subprocess.DEVNULL, **more)


def passes(*args):
    """It succeeds and says nothing but what it was asked for."""
    done = command(*args)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture(name="file")
def fixture_file(tmp_path):
    """A function that writes a results file."""
    def write(top, name="results.json"):
        path = tmp_path / name
        path.write_text(json.dumps(top), encoding="utf-8")
        return path
    return write


def made(*files):
    """The page of files."""
    found = [load.load(path) for path in files]
    return page.write(comparison.document(compare.Comparison(*found, 5)) if found[1:] else
                      single.document(*found))


def sound(*files):
    """The page of files: nothing from elsewhere, each id once, all closed, all named."""
    source = made(*files)
    seen = Page(source)
    assert seen.faults == []
    assert len(seen.ids) == len(set(seen.ids))
    for reference in seen.references:
        assert reference[0] == "#" and reference[1:] in seen.ids
    without = re.sub(r' xmlns(:xlink)?="[^"]*"', "", source)
    for pattern in ("http://", "https://", "src=", "<script", "@import", "<link", "//cdn"):
        assert pattern not in without
    assert all(chart.get("aria-label") and chart.get("role") == "img" for chart in seen.charts)
    assert set(seen.heads) <= {"row", "col"}
    assert '<meta name="viewport"' in source
    return source, len(seen.charts)


def test_single(file):
    """One ladder of all registers, one of each operation folded, and the phases."""
    source, charts = sound(file(results()))
    assert charts == 5
    head, folded = source.split("<details><summary>Each register on its own")
    assert head.count("<svg") == 1
    assert folded.split("</details>")[0].count("<svg") == 3
    for part in ('<p class="verdict pass"><b>pass</b> 20 tests passed and none failed; 3 of 4',
                 "the governor is powersave", "no /dev/kvm", "pages are small",
                 "A | B &lt;i&gt;", "kvm-trapped / kvm-mapped", "no-space", "rdtsc, 2100.0 MHz"):
        assert part in source, part
    assert "counter_hz" not in source
    footer = source[source.index("<footer>"):]
    for part in ("2026-11-25T09:48:54Z", "vfio_pci_subpage 1.2", "abc1234",
                 "./vfio_pci_subpage_perf --results x"):
        assert part in footer, part


def test_comparison(file):
    """Charts of ratios; the verdicts of either side."""
    source, charts = sound(file(results()), file(scaled(1.2), "b.json"))
    assert charts == 3 and "12 worse" in source
    source, _ = sound(file(results()), file(results(partial=True), "b.json"))
    assert "After: partial: the job did not come to its end" in source


def test_comparison_of_machines(file):
    """What differs is marked; a seed and a clock that was calibrated twice are no difference."""
    before, after = results(), results()
    after["perf"] |= {"seed": "0x8", "counter_hz": 2.1e9 + 1}
    paths = file(before), "--compare", file(after, "b.json"), "--markdown", "-"
    assert "differs**" not in passes(*paths) and "differ in" not in passes(*paths)
    after["platform"]["kernel"] = "6.13.0"
    after["machine"]["governor"] = "performance"
    after["bars"][4] |= {"mmap": False, "state": "busy"}
    file(after, "b.json")
    out = passes(*paths)
    assert "The two runs differ in kernel, frequency governor" in out
    assert re.search(r"platform: kernel \| 6.12.1 \| 6.13.0 \| \*\*differs\*\*", out)
    assert re.search(r"0000:00:01.0 \| A .* \| 0 \| vfio-pci with the module \| relocated \| "
                     r"\*\*busy\*\*", out)
    assert "1 BAR was mapped before and is not after" in out


@pytest.mark.parametrize("change", [
    {"timings": [], "opens": []}, {"timings": [], "opens": [], "bars": [], "neighbours": []},
    {"bars": [], "timings": [], "totals": None}, {"perf": None, "machine": None, "skipped": []},
    {"kunit": [], "runs": [], "revision": None}, {"bars": [bar(mmap=None, expected_mmap=None)]},
    {"skipped": [skip("no register", offset=None, path=None, op=None, width=None)]}])
def test_what_is_missing(file, change):
    """Is said, or left out."""
    top = results(**change)
    source, _ = sound(file(top))
    sound(file(results()), file(top, "b.json"))
    assert ("This result holds no timings" in source) == (not top["timings"])


def test_partial_is_marked(file):
    """In each format."""
    path = file(results(partial=True))
    assert '<p class="verdict partial">' in sound(path)[0]
    assert "**PARTIAL:**" in passes(path, "--markdown", "-")
    assert "\npartial: the job did not come to its end." in passes(path, "--text")
    assert ",yes\n" in passes(path, "--csv", "-")


def test_hostile_text(file, tmp_path):
    """Text of a file stays text."""
    top = results(neighbours=[neighbour("0xfd700400", "0xfd7004ff", EVIL)])
    top["platform"] |= {"name": EVIL, "kernel": EVIL}
    top["timings"].append(timing(path=EVIL, bdf=EVIL, op=EVIL))
    top["opens"].append({**top["opens"][0], "phase": EVIL, "driver": EVIL})
    top["machine"]["warnings"].append(EVIL)
    top["runs"][0]["command"] = top["bars"][0]["name"] = EVIL
    source, _ = sound(file(top))
    assert "&lt;script&gt;alert" in source
    for table in tables(markdown.write(single.document(loaded(tmp_path, top)))):
        assert {len(row) for row in table} == {len(table[0])}


@pytest.mark.parametrize("medians", [(1e-3, 1e12), (2.0 ** -57, 2.0 ** 62), (80, 80),
                                     (99.9, 100.1)])
def test_odd_numbers(file, medians):
    """Any range of numbers gives a chart."""
    top = results(timings=[timing("mmap", medians[0], loop_ns=None),
                           timing("pread", medians[1], loop_ns=None)], opens=[])
    assert sound(file(top))[1] == 2
    faster = copy.deepcopy(top)
    faster["timings"][0] |= {"median_ns": medians[0] / 50, "ci95_ns": [0, medians[0]]}
    assert sound(file(top), file(faster, "b.json"))[1] == 1


def test_nothing_to_draw(file):
    """No chart, and no word on how to read it."""
    path = file(results(timings=[timing(median=0)], opens=[]))
    for files in ([path], [path, path]):
        source, charts = sound(*files)
        assert charts == 0 and "A strip for each" not in source and "One mark" not in source


def test_reproducible(file):
    """The same results give the same page, byte by byte."""
    path = file(results())
    assert sound(path) == sound(path)


# ---- the command ----

@pytest.mark.parametrize("args, message", [
    ([], "the following arguments are required: RESULTS.json"), (["a", "b"], "unrecognized"),
    (["a", "--nonsense"], "unrecognized"), (["a", "--fail-if-worse", "5"], "--fail-if-worse needs"),
    (["a", "--compare", "b", "--text"], "--compare goes neither"),
    (["a", "--tolerance=-1"], "argument --tolerance"),
    (["a", "--tolerance=nan"], "argument --tolerance")])
def test_wrong_use(args, message):
    """Exit code 2, one line."""
    done = command(*args)
    assert done.returncode == 2 and done.stderr.startswith(f"report.py: {message}")
    assert done.stderr.count("\n") == 1


def test_output(file, tmp_path):
    """Beside the last results, or where it is wanted; a pipe stays one."""
    passes(file(results()))
    (tmp_path / "after").mkdir()
    passes(tmp_path / "results.json", "--compare", file(scaled(1.2), "after/results.json"))
    assert sorted(os.listdir(tmp_path / "after")) == ["report.html", "results.json"]
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE, text=True) as reader:
        passes(tmp_path / "results.json", "--csv", pipe)
        assert "median_ns" in reader.communicate(timeout=10)[0]
    assert pipe.is_fifo()
    done = command(tmp_path / "results.json", "--markdown", "/nowhere/a.md")
    assert (done.returncode, done.stderr) == \
        (1, "report.py: /nowhere/a.md: No such file or directory: name a file that can be "
            "written\n")
    done = command(tmp_path / "none.json")
    assert done.returncode == 1 and "none.json: No such file or directory: name a" in done.stderr


def test_gate(file):
    """What is worse is an exit code of 1, with a line each; the report is written."""
    files = file(results(), "a.json"), "--compare", file(scaled(1.2), "b.json")
    done = command(*files, "--fail-if-worse", 10, "--markdown", "-")
    assert (done.returncode, done.stderr.count("\n")) == (1, 12) and "12 worse" in done.stdout
    passes(*files, "--fail-if-worse", 25, "--markdown", "-")


def test_nothing_in_common(file):
    """Two machines that share no device."""
    done = command(file(results()), "--compare", file(results(bars=[bar("0000:ff:00.0")],
                                                              timings=[]), "b.json"))
    assert done.returncode == 1
    assert "b.json: no BAR and no row in common with" in done.stderr


def test_no_matplotlib(file, tmp_path):
    """Only charts need it, and what to install is said."""
    (tmp_path / "matplotlib.py").write_text('raise ImportError("none", name="matplotlib")',
                                            encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = command(file(results()), env=env)
    assert (done.returncode, done.stderr) == \
        (1, "report.py: matplotlib: not installed: run scripts/packages.sh report\n")
    assert not (tmp_path / "report.html").exists()
    done = command(tmp_path / "results.json", "--text", "--markdown", "-", "--csv", "-", env=env)
    assert (done.returncode, done.stderr) == (0, "")


def test_make(file, tmp_path):
    """make report, of runs that are not the latest."""
    for before in ([], [f"BEFORE={file(scaled(1.2), 'before.json')}"]):
        subprocess.run(["make", "-s", "report", f"RESULTS={file(results())}", *before],
                       cwd=SCRIPTS.parent, check=True)
        source = (tmp_path / "report.html").read_text(encoding="utf-8")
        assert ("before and after" in source) == bool(before)


# ---- in a browser ----

def many():
    """With more registers than a chart is made for, and small BARs in large pages."""
    top = results()
    for n in range(5, 15):
        top["timings"] += [{**entry, "bdf": f"0000:{n:02x}:00.1", "offset": 4096 * n}
                           for entry in top["timings"][:6]]
        top["bars"].append({**top["bars"][0], "bdf": f"0000:{n:02x}:00.1",
                            "start": f"0x{0xfd700000 + 256 * n:x}"})
    top["platform"]["page_size"] = 65536
    return top


@pytest.fixture(name="pages", scope="module")
def fixture_pages(tmp_path_factory):
    """A page of each kind."""
    folder = tmp_path_factory.mktemp("pages")
    for name, top in (("many", many()), ("after", scaled(1.2)), ("plain", results()),
                      ("partial", results(partial=True))):
        (folder / f"{name}.json").write_text(json.dumps(top), encoding="utf-8")
    for name, files in (("single", ["many"]), ("partial", ["partial"]),
                        ("comparison", ["plain", "after"])):
        (folder / f"{name}.html").write_text(made(*(folder / f"{one}.json" for one in files)),
                                             encoding="utf-8")
    return folder


def faults(path, width):
    """What is wrong with a page that is so wide: as wide as the window, all charts in sight,
    nothing loaded, and not blank."""
    seen, png = browser.visit(path, width, width < 1000)
    path.with_suffix(".png").write_bytes(png)
    pixels = image.imread(path.with_suffix(".png"))[:, :, :3]
    parts = [pixels[i:i + 1500] for i in range(0, len(pixels) - 1500, 1500)]
    return [what for what, wrong in {
        "not the width that was asked for": seen["inner"] != width,
        "scrolls sideways": seen["scroll"] > width or seen["scrolled"],
        "sticks out": seen["out"], "text of a chart is cut off": seen["cut"],
        "charts are too wide, or none": not 0 < max(seen["charts"], default=0) <= width,
        "loads something": len(seen["requests"]) != 1,
        "the browser complains": seen["complaints"],
        "invisible in a strip": seen["narrow"],
        "blank": not 0.005 < (pixels.min(axis=2) < 0.6).mean() < 0.5,
        # Not only at the top: each part of a page has something on it.
        "a part is blank": not all((part.min(axis=2) < 0.6).any() for part in parts),
    }.items() if wrong]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", ["single", "comparison", "partial"])
def test_browser(pages, name, width):
    """On a desktop and on a phone."""
    assert faults(pages / f"{name}.html", width) == []


def test_browser_notices(pages):
    """Or the test above says nothing."""
    source = (pages / "single.html").read_text(encoding="utf-8")
    wide = pages / "wide.html"
    wide.write_text(source.replace("<main>", '<main><div style="width:1000px">wide</div>')
                    .replace("min-width: 7px", "min-width: 0"), encoding="utf-8")
    assert {"sticks out", "scrolls sideways", "invisible in a strip"} <= set(faults(wide, 390))


def test_ladder_is_of_all(tmp_path):
    """Registers in the compact chart are those of the folded ones."""
    timings = loaded(tmp_path, results()).timings
    drawn = [timing for timing in timings if ladder.is_timed(timing)]
    assert sum(len(group) for op in ladder.ops(timings) for group in ladder.groups(timings, op)) \
        == len(drawn) == len(timings)
