#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of scripts/report.py on results that are made here. Output is KTAP.

    report_test.py [TEST]...
"""
import copy
import csv
import html.parser
import io
import json
import math
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(SCRIPTS))

# pylint: disable=wrong-import-position
from report import compare, coverage, csvfile, ladder, load, markdown, opens, single, text

REPORT = SCRIPTS / "report.py"
WITHOUT, WITH = load.WITHOUT, load.WITH
COST = {"kernel": 70, "sysfs": 75, "mmap": 80, "pread": 1600, "pwrite": 1500, "kvm-mapped": 96,
        "kvm-ioeventfd": 9000, "kvm-trapped": 64000}
PATHS = {"read": ("kernel", "sysfs", "mmap", "pread", "kvm-mapped", "kvm-trapped"),
         "write": ("kernel", "mmap", "pwrite", "kvm-mapped", "kvm-ioeventfd", "kvm-trapped"),
         "write-read": ("kernel", "mmap", "pwrite", "kvm-trapped")}
PHASES = {"bind": 9e5, "open": 2e6, "mmap": 3e4, "touch": 2e3, "close": 1e6, "unbind": 7e5,
          "total": 4.6e6}


# ---- results, made here ----

def binding(driver):
    """As the file has it."""
    return {"driver": WITHOUT if driver == WITH else driver, "module": driver == WITH}


def timing(path="mmap", median=80.0, driver=WITH, **more):
    """A timing with an interval of one percent to either side."""
    return {"bdf": "0000:02:01.0", **binding(driver), "bar": 0, "offset": 64, "path": path,
            "op": "read", "width": 4, "median_ns": median, "min_ns": median * 0.9,
            "p99_ns": median * 2, "ci95_ns": [median * 0.99, median * 1.01], "samples": 500,
            "batch": 128, "cpu": 1, "node": None, "outliers": 3, "loop_ns": 2.0,
            "counter": "rdtsc", **more}


def bar(bdf, driver, mmap, **more):
    """A memory BAR of 256 bytes."""
    return {"bdf": bdf, "vendor": "0x1b36", "device": "0x0007", **binding(driver), "bar": 0,
            "size": 256, "shown_size": 4096 if driver == WITH else 256, "start": "0xfd700100",
            "flags": "0x40200", "state": None, "expected_mmap": mmap, "mmap": mmap, "backend": "container", **more}


def results(**more):
    """A small file in which everything occurs."""
    bars, timings, costs = [], [], []
    for n in range(4):
        bdf = f"0000:0{n}:01.0"
        bars.append(bar(bdf, WITHOUT, n == 0))
        bars.append(bar(bdf, WITH, n != 3, start=f"0xfd70{n}000",
                        state="relocated" if n < 3 else "no-space"))
        for op, paths in PATHS.items():
            timings += [timing(path, COST[path] * (1 + n / 10), bdf=bdf, op=op)
                        for path in paths if n < 3 or path not in ("mmap", "kvm-mapped")]
        timings.append(timing("pread", 1700, WITHOUT, bdf=bdf))
    for driver, factor in ((WITHOUT, 1), (WITH, 1.2)):
        for count in (1, 4, 16):
            costs += [{**binding(driver), "functions": count, "phase": phase,
                       "median_ns": cost * factor, "min_ns": cost * 0.9, "p99_ns": cost * 2,
                       "ci95_ns": [cost * factor * 0.98, cost * factor * 1.02], "samples": 30}
                      for phase, cost in PHASES.items()]
    return {"schema": 2,
            "platform": {"name": "x86_64-4k", "arch": "x86_64", "page_size": 4096,
                         "kernel": "6.12.1", "accel": "kvm", "cpus": 4},
            "bars": bars, "timings": timings, "opens": costs,
            "kunit": [{"suite": "policy", "pass": 2, "fail": 0, "skip": 1, "cases": [
                {"name": "wide", "result": "skip", "reason": "pages are small"}]}],
            "totals": {"pass": 10, "fail": 0, "skip": 2, "xfail": 0, "error": 0},
            "perf": {"seed": 7, "counter": "rdtsc", "counter_hz": 2.1e9, "resolution_ns": 0.5,
                     "loop_subtracted": True, "blocks": 20,
                     "machine": {"cpu_model": "A | B <i>", "governor": "powersave", "smt": None},
                     "warnings": ["the governor is powersave"], "partial": False,
                     "skipped": [timing("kvm-ioeventfd", reason="no /dev/kvm")]},
            **more}


def scaled(factor, **more):
    """The same with mmap slower by a factor."""
    top = results(**more)
    for entry in top["timings"]:
        if entry["path"] == "mmap":
            entry["median_ns"] *= factor
            entry["ci95_ns"] = [bound * factor for bound in entry["ci95_ns"]]
    return top


def bootstrap(samples, rng, rounds=200):
    """The 95 % interval of the median, by drawing again."""
    medians = sorted(statistics.median(rng.choices(samples, k=len(samples)))
                     for _ in range(rounds))
    return [medians[int(rounds * 0.025)], medians[int(rounds * 0.975) - 1]]


def measured(factor, rng, count=101):
    """A timing of noisy samples: lognormal, as latencies are."""
    samples = [80 * factor * math.exp(rng.gauss(0, 0.06)) for _ in range(count)]
    return timing(median=statistics.median(samples), ci95_ns=bootstrap(samples, rng),
                  samples=count)


class Case(unittest.TestCase):
    """With a directory of its own, and the command."""

    def setUp(self):
        # pylint: disable=consider-using-with
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.dir = pathlib.Path(scratch.name)

    def file(self, top, name="results.json"):
        """A results file, of JSON or of this very text."""
        path = self.dir / name
        path.write_text(top if isinstance(top, str) else json.dumps(top), encoding="utf-8")
        return path

    def load(self, top):
        """The same, read."""
        return load.load(self.file(top))

    def run_report(self, *args, **more):
        """The command; returns how it ended."""
        return subprocess.run([REPORT, *map(str, args)], capture_output=True, text=True,
                              check=False, timeout=120, stdin=subprocess.DEVNULL, **more)

    def refuses(self, status, pattern, *args, **more):
        """It ends so, and says so in one line."""
        done = self.run_report(*args, **more)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertRegex(done.stderr, r"^report\.py: " + pattern)

    def passes(self, *args):
        """It succeeds and says nothing."""
        done = self.run_report(*args)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout


class Errors(Case):
    """One line that names the thing, the cause and the remedy."""

    def test_missing_file(self):
        """A file that is not there."""
        self.refuses(1, "/nowhere.json: No such file or directory: name a", "/nowhere.json")

    def test_directory(self):
        """A directory instead of a file."""
        self.refuses(1, ".*: Is a directory: name a", self.dir)

    def test_truncated(self):
        """Wherever a file is cut, it is no results file."""
        whole = json.dumps(results())
        for length in (0, 1, 20, 300, len(whole) // 2, len(whole) - 1):
            with self.subTest(length=length):
                self.refuses(1, ".*truncated: run the suite again", self.file(whole[:length]))

    def test_not_json(self):
        """Something else, also JSON that is none."""
        nested = '{"schema": 2, "perf": {"x": ' + "[" * 600 + "]" * 600 + "}}"
        for junk in ("hello", "{ 'schema': 2 }", '{"schema": 2}}', "[" * 100000, nested):
            with self.subTest(junk=junk[:20]):
                self.refuses(1, ".*: (not JSON|the JSON is)", self.file(junk))

    def test_binary(self):
        """Not even text."""
        path = self.dir / "binary"
        path.write_bytes(b"\xff\xfe\x00\x01")
        self.refuses(1, ".*not UTF-8", path)

    def test_schema(self):
        """Another schema, or none."""
        self.refuses(1, ".*schema 1 is not known.*: run the suite again", self.file({"schema": 1}))
        self.refuses(1, ".*schema 3 is not known.*: run the suite again", self.file({"schema": 3}))
        for top in ({}, {"schema": "1"}, {"schema": True}, {"schema": None}):
            self.refuses(1, ".*no schema number", self.file(top))
        self.refuses(1, ".*no JSON object", self.file([]))

    def test_wrong_types(self):
        """A field of the wrong type is named."""
        for key, value in (("median_ns", "fast"), ("samples", 1.5), ("bar", True),
                           ("ci95_ns", 3), ("path", 7)):
            with self.subTest(key=key):
                self.refuses(1, rf".*timings\[0\]\.{key} is not ",
                             self.file(results(timings=[timing(**{key: value})])))
        for text_of_number in ("NaN", "Infinity", "1e999", "1" + "0" * 400, "1e308", "-1e20",
                               "1e-300"):
            self.refuses(1, r".*median_ns is not a number", self.file(
                json.dumps(results(timings=[timing(median=1)])).replace(
                    '"median_ns": 1,', f'"median_ns": {text_of_number},', 1)))
        self.refuses(1, ".*bars is not an array", self.file(results(bars={})))
        self.refuses(1, r".*bars\[0\]\.start is not", self.file(
            results(bars=[bar("a", WITHOUT, True, start="here")])))

    def test_bad_interval(self):
        """Two numbers in order."""
        for bounds in ([2, 1], [1], [1, "x"], [1, 2, 3]):
            self.refuses(1, r".*timings\[0\]\.ci95_ns is not \[low, high\]",
                         self.file(results(timings=[timing(ci95_ns=bounds)])))

    def test_nothing_in_common(self):
        """Two machines that share no device."""
        other = results(bars=[bar("0000:ff:00.0", WITHOUT, True)], opens=[],
                        timings=[timing(bdf="0000:ff:00.0")])
        common = (r".*after.json: no BAR and no row in common with .*: compare runs on the same "
                  r"devices, under the same drivers\n$")
        self.refuses(1, common, self.file(results()), self.file(other, "after.json"))
        # What opening costs names no device: that does not make them the same.
        other["opens"] = results()["opens"]
        self.refuses(1, common, self.file(results()), self.file(other, "after.json"))
        other["bars"] = []
        self.refuses(1, common, self.file(results(bars=[])), self.file(other, "after.json"))

    def test_wrong_use(self):
        """Exit code 2."""
        path = self.file(results())
        self.refuses(2, "the following arguments are required: RESULTS.json")
        self.refuses(2, "unrecognized arguments", path, path, path)
        self.refuses(2, "unrecognized arguments: --nonsense", path, "--nonsense")
        self.refuses(2, "--fail-if-worse needs two", path, "--fail-if-worse", "5")
        for number in ("-1", "nan", "inf", "x"):
            self.refuses(2, "argument --tolerance: invalid", path, path, f"--tolerance={number}")

    def test_help_names_the_default(self):
        """The tolerance that is used."""
        before, after = self.file(results(), "a.json"), self.file(results(), "b.json")
        used = re.search(r"tolerance (\d+) %", self.passes(before, after, "--markdown", "-"))
        self.assertIn(f"(default {used[1]})", self.passes("--help"))

    def test_output_not_writable(self):
        """The output is named, not the input."""
        self.refuses(1, "/nowhere/a.md: No such file or directory: name a file",
                     self.file(results()), "--markdown", "/nowhere/a.md")
        self.assertEqual(os.listdir(self.dir), ["results.json"])

    def test_no_matplotlib(self):
        """Only charts need it, and what to install is said."""
        self.file('raise ImportError("none", name="matplotlib")', "matplotlib.py")
        env = {**os.environ, "PYTHONPATH": str(self.dir)}
        path = self.file(results())
        self.refuses(1, "matplotlib: not installed: run scripts/packages.sh report", path, env=env)
        self.assertFalse((self.dir / "report.html").exists())
        done = self.run_report(path, "--markdown", "-", "--csv", self.dir / "a.csv", env=env)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


class Statistics(Case):
    """Against computations that share nothing with the report's own."""

    def test_ratio(self):
        """By the formula, with other means."""
        before, after = timing(median=80, ci95_ns=[79, 82]), timing(median=90, ci95_ns=[88, 93])
        ratio = compare.ratio(before, after)
        z = statistics.NormalDist().inv_cdf(0.975)
        error = math.sqrt((math.log10(82 / 79) / (2 * z)) ** 2 +
                          (math.log10(93 / 88) / (2 * z)) ** 2)
        self.assertAlmostEqual(ratio.value, 90 / 80, places=12)
        self.assertAlmostEqual(ratio.low, 90 / 80 / 10 ** (z * error), places=6)
        self.assertAlmostEqual(ratio.high, 90 / 80 * 10 ** (z * error), places=6)

    def test_degenerate_intervals(self):
        """Zero width, none, and what has no logarithm."""
        sharp = compare.ratio(timing(median=80, ci95_ns=[80, 80]),
                              timing(median=88, ci95_ns=[88, 88]))
        for bound in (sharp.low, sharp.high):
            self.assertAlmostEqual(bound, 1.1)
        self.assertEqual(compare.verdict(sharp, 3), "worse")
        for bounds, samples in ((None, 500), ([80, 80], 1)):
            blunt = compare.ratio(timing(ci95_ns=bounds, samples=samples), timing())
            self.assertEqual((blunt.value, blunt.low), (1, None))
            self.assertEqual(compare.verdict(blunt, 0), "unknown")
        wide = compare.ratio(timing(ci95_ns=[-1, 90]), timing(median=800))
        self.assertEqual((wide.low, wide.high), (0, math.inf))
        self.assertEqual(compare.verdict(wide, 3), "no difference")
        huge = compare.ratio(timing(median=1e-300, ci95_ns=[1e-300, 1e-300], loop_ns=None),
                             timing(median=1e300, ci95_ns=[1e300, 1e300]))
        self.assertEqual(compare.verdict(huge, 3), "worse")

    def test_never_a_ratio_of_nothing(self):
        """Null, no more than zero, no more than the loop around it."""
        for median, loop in ((0, None), (-0.4, 2), (None, 2), (0.17, 2.05), (2, 2)):
            nothing = {**timing(), "median_ns": median, "loop_ns": loop}
            self.assertIsNone(compare.ratio(timing(), nothing))
            self.assertIsNone(compare.ratio(nothing, timing()))
            top = results(timings=[{**nothing, "bdf": "0000:00:01.0"},
                                   timing("pread", 1600, bdf="0000:00:01.0"),
                                   timing("sysfs", 80, bdf="0000:00:01.0")])
            loaded = self.load(top)
            self.assertIsNone(coverage.median_ratio(loaded))
            self.assertEqual(ladder.headlines(loaded.timings), [])
            self.assertEqual(compare.Comparison(loaded, loaded, 5).counts()["unknown"], 1)
            self.passes(self.file(top), "--html", self.dir / "a.html")

    def test_no_loop_to_be_above(self):
        """The test program subtracts none, so that any time will do."""
        self.assertEqual(compare.ratio(timing(median=0.5, loop_ns=None),
                                       timing(median=1, loop_ns=None)).value, 2)

    def test_verdict_boundaries(self):
        """Entirely above or below, on both sides of the tolerance."""
        for low, high, expected in ((1.0301, 1.2, "worse"), (1.0299, 1.2, "no difference"),
                                    (0.5, 1 / 1.0301, "better"), (0.5, 1 / 1.0299, "no difference"),
                                    (0.9, 1.1, "no difference")):
            ratio = compare.Ratio(1, low, high)
            self.assertEqual(compare.verdict(ratio, 3), expected)

    def test_headlines(self):
        """Medians over registers, with as many as have both."""
        found = {line.name: line for line in ladder.headlines(self.load(results()).timings)}
        for name in ("mmap / sysfs", "mmap / kernel", "kvm-trapped / kvm-mapped",
                     "kvm-mapped / mmap"):
            slow, fast = name.split(" / ")
            self.assertAlmostEqual(found[name].median, COST[slow] / COST[fast])
            self.assertEqual(found[name].registers, 3)

    def test_each_register_counts_once(self):
        """Also where a BAR has many of them."""
        timings = [timing(path, median, bar=where, offset=offset) for where, offset, mmap in
                   ((0, 0, 80), (0, 4, 80), (0, 8, 80), (2, 0, 160))
                   for path, median in (("kernel", 80), ("mmap", mmap))]
        line, = ladder.headlines(self.load(results(timings=timings)).timings)
        self.assertEqual((line.median, line.low, line.high, line.registers), (1, 1, 2, 4))

    def test_headline_is_of_one_run(self):
        """Times of two drivers were not measured against each other, nor those of
        the test program and of the performance core."""
        for one in (timing("sysfs", 40, WITHOUT), timing("sysfs", 40, loop_ns=None)):
            timings = self.load(results(timings=[timing("mmap", 80), one])).timings
            self.assertEqual(ladder.headlines(timings), [])

    def test_summary_line(self):
        """The line of vfio_pci_subpage_report."""
        loaded = self.load(results())
        self.assertEqual(coverage.summary(loaded),
                         "3 of 4 sub-page MMIO BARs mapped (without the module: 1 of 4)")
        ratio, count = coverage.median_ratio(loaded)
        self.assertAlmostEqual(ratio, 1600 / 80)
        self.assertEqual(count, 3)
        only = self.load(results(bars=[bar("a", WITH, True), bar("b", WITH, True, size=4096),
                                       bar("c", WITH, True, flags="0x40101")]))
        self.assertEqual(coverage.summary(only),
                         "1 of 1 sub-page MMIO BARs mapped (without the module: not measured)")

    def test_not_opened_is_not_trapped(self):
        """Nobody knows what a BAR is that could not be opened: it is in no count."""
        bars = [bar("a", WITH, True, state="in-place"), bar("b", WITH, None),
                bar("c", WITH, None, state="in-place"), bar("b", WITHOUT, None)]
        loaded = self.load(results(bars=bars))
        self.assertEqual(coverage.summary(loaded),
                         "1 of 1 sub-page MMIO BARs mapped (without the module: not measured)")
        table, _ = coverage.rows(loaded)
        self.assertEqual([coverage.state(row.with_module) for row in table],
                         ["in-place", "not opened", "in-place, not opened"])
        self.assertEqual([coverage.state(row.without) for row in table],
                         ["not measured", "not opened", "not measured"])

    def test_state_without_mapping_is_said(self):
        """The state says why a BAR is mapped, not that it is."""
        for state, mmap, expected in (
                ("relocated", False, "relocated, trapped"), ("busy", False, "busy"),
                ("busy", True, "busy, mapped"), (None, False, "trapped"), (None, True, "mapped")):
            table, _ = coverage.rows(self.load(results(
                bars=[bar("a", WITH, mmap, state=state)])))
            self.assertEqual(coverage.state(table[0].with_module), expected)

    def test_opens_ratio(self):
        """With to without, in each phase."""
        rows = opens.rows(self.load(results()).opens)
        self.assertEqual(len(rows), 3 * len(PHASES))
        for row in rows:
            self.assertAlmostEqual(row.ratio.value, 1.2)
            self.assertTrue(row.ratio.low < 1.2 < row.ratio.high)

    def test_durations(self):
        """Units change where the rounding does."""
        for value, expected in ((0.5, "0.500 ns"), (999.4, "999 ns"), (999.6, "1.00 µs"),
                                (1e6, "1.00 ms"), (12.34e6, "12.3 ms"), (4e9, "4.00 s")):
            self.assertEqual(text.duration(value), expected)

    def verdicts(self, factor, tolerance, seed):
        """Of a hundred comparisons of noisy samples."""
        rng = random.Random(seed)
        return [compare.verdict(compare.ratio(measured(1, rng), measured(factor, rng)), tolerance)
                for _ in range(100)]

    def test_same_is_no_difference(self):
        """A against A."""
        self.assertGreaterEqual(self.verdicts(1, 3, 1).count("no difference"), 95)

    def test_slower_is_worse(self):
        """A against A * 1.10, and the other way around."""
        self.assertGreaterEqual(self.verdicts(1.10, 3, 2).count("worse"), 95)
        self.assertGreaterEqual(self.verdicts(1 / 1.10, 3, 3).count("better"), 95)

    def test_interval_holds_the_truth(self):
        """Without tolerance about one in twenty is wrong, not more."""
        self.assertGreaterEqual(self.verdicts(1, 0, 4).count("no difference"), 88)


class Comparing(Case):
    """Two files."""

    def comparison(self, before, after):
        """Of what is in two files."""
        return compare.Comparison(load.load(self.file(before, "before.json")),
                                  load.load(self.file(after, "after.json")), 3)

    def test_rows_are_matched(self):
        """By all that identifies them; the rest is listed."""
        before = results(timings=[timing(), timing("sysfs"), timing(offset=8)], opens=[])
        after = results(timings=[timing(), timing("sysfs", driver=WITHOUT), timing(width=8)],
                        opens=[])
        found = self.comparison(before, after)
        self.assertEqual(len(found.rows), 1)
        self.assertEqual([one.where for one in found.alone], ["before"] * 2 + ["after"] * 2)

    def test_another_device_is_no_match(self):
        """It may be at the same address, in another machine."""
        after = results()
        for entry in after["bars"][:2]:
            entry |= {"vendor": "0x1234", "device": "0x11e8", "state": "in-place"}
        after["timings"][1]["offset"] = 0
        found = self.comparison(results(), after)
        self.assertNotIn("0000:00:01.0", {row.before["bdf"] for row in found.of("timing")})
        self.assertEqual(len(found.of("timing")), 46)
        self.assertEqual({one.entry["bdf"] for one in found.alone}, {"0000:00:01.0"})
        files = self.file(results(), "a.json"), self.file(after, "b.json")
        out = self.passes(*files, "--markdown", "-")
        self.assertIn("Not the same device in the two files: "
                      "0000:00:01.0 (1b36:0007, 1234:11e8)", out)
        self.assertIn("Rows of other devices", out)
        self.assertIn("Each memory BAR is mapped or trapped as before", out)
        rows = list(csv.DictReader(io.StringIO(self.passes(*files, "--csv", "-"))))
        self.assertEqual({row["bdf"] for row in rows if row["verdict"] == "other device"},
                         {"0000:00:01.0"})

    def test_unknown_device_is_a_match(self):
        """A file of the performance core alone has no BARs."""
        found = self.comparison(results(bars=[]), results())
        self.assertEqual((len(found.of("timing")), found.alone), (len(results()["timings"]), []))

    def test_only_opens_in_common(self):
        """Two files of the topology scale, which name no device at all."""
        scale = results(bars=[], timings=[])
        self.assertEqual(len(self.comparison(scale, scale).rows), len(scale["opens"]))
        out = self.passes(self.file(scale, "a.json"), self.file(scale, "b.json"), "--markdown", "-")
        self.assertIn("42 no difference", out)

    def test_opens_are_compared(self):
        """Like timings."""
        after = results()
        for entry in after["opens"]:
            if entry["phase"] == "bind":
                entry["median_ns"] *= 2
                entry["ci95_ns"] = [bound * 2 for bound in entry["ci95_ns"]]
        found = self.comparison(results(), after)
        self.assertEqual({row.before["phase"] for row in found.of("open")
                          if row.verdict == "worse"}, {"bind"})
        self.assertEqual(found.counts(found.of("open"))["worse"], 6)

    def test_gate(self):
        """Exit code 1 and a line for each row that is worse."""
        before, after = self.file(results(), "a.json"), self.file(scaled(1.2), "b.json")
        out = ("--csv", self.dir / "out.csv")
        done = self.run_report(before, after, "--fail-if-worse", 10, *out)
        lines = done.stderr.splitlines()
        self.assertEqual((done.returncode, len(lines)), (1, 9), done.stderr)
        for line in lines:
            self.assertRegex(line, r"^report\.py: 0000:.* BAR 0 \+0x40 mmap .*: worse than 10 %: "
                                   r"ratio 1\.200, 95 % interval 1\.1\d\d to 1\.2\d\d$")
        self.assertTrue((self.dir / "out.csv").exists())
        self.passes(before, after, "--fail-if-worse", 25, *out)
        self.passes(after, before, "--fail-if-worse", 0, *out)
        self.passes(before, after, *out)

    def test_gate_of_nothing(self):
        """What could not be compared has not passed."""
        before = results(timings=[timing(ci95_ns=None)], opens=[])
        self.refuses(1, ".*: no interval to compare.*nothing can pass",
                     self.file(before, "a.json"), self.file(before, "b.json"),
                     "--fail-if-worse", 5, "--csv", self.dir / "out.csv")

    def gate_says(self, after, *patterns, before=None):
        """It fails, with a line for each pattern; and the report has it at the top."""
        files = self.file(before or results(), "a.json"), self.file(after, "b.json")
        done = self.run_report(*files, "--fail-if-worse", 5, "--markdown", "-")
        lines = done.stderr.splitlines()
        self.assertEqual((done.returncode, len(lines)), (1, len(patterns)), done.stderr)
        for line, pattern in zip(lines, patterns):
            self.assertRegex(line, "^report\\.py: " + pattern)
        return done.stdout[:done.stdout.index("### Summary")]

    def test_gate_notices_a_lost_mapping(self):
        """Also where nothing is timed, and where the BAR cannot be opened any more."""
        after = results(timings=results()["timings"])
        after["bars"][1]["mmap"] = False
        after["bars"][3]["mmap"] = None
        del after["bars"][5]
        top = self.gate_says(after, *(
            f"0000:0{n}:01.0 BAR 0 vfio-pci with the module: was mapped, is {state}: "
            for n, state in enumerate(("trapped", "not opened", "not measured"))))
        self.assertIn("3 no longer mapped", top)
        self.assertIn("3 BARs were mapped before and are not after", top)

    def test_gate_notices_lost_rows(self):
        """What was measured and is not, on the same device under the same driver."""
        after = results()
        after["timings"] = [entry for entry in after["timings"] if entry["path"] != "mmap"]
        top = self.gate_says(after, r".*b\.json: 9 rows of .*a\.json are not measured any more, "
                                    r"the first: 0000:00:01\.0 .* mmap read width 4: ")
        self.assertIn("9 only before", top)
        self.assertIn("9 rows are only in the results before", top)
        after = results()
        for entry in after["timings"][:4]:
            entry["ci95_ns"] = None
        self.gate_says(after, ".*b.json: 4 rows of .* are not measured any more")
        self.gate_says(results(opens=results()["opens"][:40]), ".*: 2 rows .*any more, the first: "
                       "vfio-pci with the module 16 functions unbind: ")

    def test_gate_allows_fewer_devices(self):
        """What is not there, or is bound to another driver, cannot be measured."""
        gone = "0000:02:01.0"
        after = results(opens=[])
        for key in ("bars", "timings"):
            after[key] = [entry for entry in after[key] if entry["bdf"] != gone]
        out = self.passes(self.file(results(), "a.json"), self.file(after, "b.json"),
                          "--fail-if-worse", 5, "--markdown", "-")
        self.assertIn("59 only before", out)
        self.assertNotIn("no longer mapped", out)

    def test_gate_of_a_partial_result(self):
        """Nobody knows what would have been worse."""
        self.gate_says(results(partial=True), ".*b.json: partial: ")

    def test_only_bars_in_common(self):
        """Coverage can be compared without timings, and the report says so."""
        bare = results(timings=[], opens=[])
        out = self.passes(self.file(bare, "a.json"), self.file(bare, "b.json"), "--markdown", "-")
        self.assertIn("have no timing in common", out)

    def test_machines_side_by_side(self):
        """What differs is marked."""
        after = results()
        after["platform"]["kernel"] = "6.13.0"
        after["perf"]["machine"]["governor"] = "performance"
        out = self.passes(self.file(results(), "a.json"), self.file(after, "b.json"),
                          "--markdown", "-")
        self.assertIn("The two runs differ in kernel, governor", out)
        self.assertRegex(out, r"platform: kernel \| 6.12.1 \| 6.13.0 \| \*\*differs\*\*")
        self.assertRegex(out, r"platform: arch \| x86\\_64 \| x86\\_64 \|  \|")

    def test_machines_that_print_the_same(self):
        """A clock that was calibrated twice, and the seed, make no difference."""
        after = results()
        after["perf"] |= {"counter_hz": 2.1e9 + 1, "seed": 8}
        out = self.passes(self.file(results(), "a.json"), self.file(after, "b.json"),
                          "--markdown", "-")
        self.assertRegex(out, r"measurement: counter\\_hz \| 2.1e\+09 \| 2.1e\+09 \|  \|")
        self.assertNotIn("measurement: seed", out)
        self.assertNotIn("differs", out)

    def test_coverage_changes(self):
        """A BAR that lost its mapping is seen even if nothing was timed."""
        after = results()
        after["bars"][1] |= {"mmap": False, "state": "busy"}
        out = self.passes(self.file(results(), "a.json"), self.file(after, "b.json"),
                          "--markdown", "-")
        self.assertRegex(out, r"0000:00:01.0 \| 0 \| vfio-pci with the module \| relocated \| "
                              r"\*\*busy\*\*")

    def test_page_beside_the_last_file(self):
        """The default output."""
        (self.dir / "after").mkdir()
        self.passes(self.file(results()), self.file(scaled(1.2), "after/results.json"))
        self.assertEqual(sorted(os.listdir(self.dir / "after")), ["report.html", "results.json"])


def tables(markdown_text):
    """The tables of Markdown, as lists of lists of plain cells."""
    found, current = [], []
    for line in markdown_text.splitlines() + [""]:
        if line.startswith("| "):
            cells = re.split(r"(?<!\\)\|", line[1:-1])
            cells = [re.sub(r"\\(.)", r"\1", cell.strip().replace("**", "")) for cell in cells]
            current.append(cells)
        elif current:
            found.append(current)
            current = []
    return found


class Formats(Case):
    """What is written can be read again."""

    def test_markdown_parses_back(self):
        """Each table has as many cells in each line, and the numbers are right."""
        loaded = self.load(results())
        found = tables(markdown.write(single.document(loaded)))
        for table in found:
            self.assertEqual({len(row) for row in table}, {len(table[0])})
        timings = next(table for table in found if table[0][0] == "register")
        self.assertEqual(len(timings) - 2, len(loaded.timings))
        rows = {tuple(row[:4]): row for row in timings[2:]}
        for entry in loaded.timings:
            row = rows[text.place(entry), entry["op"], entry["path"], entry["driver"]]
            self.assertAlmostEqual(float(row[4]), entry["median_ns"], delta=0.5)
        machine = next(table for table in found if table[0][0] == "machine")
        self.assertIn(["cpu_model", "A | B <i>"], machine)

    def test_csv_parses_back(self):
        """With every digit."""
        loaded = self.load(results())
        rows = list(csv.DictReader(io.StringIO(csvfile.single(loaded))))
        self.assertEqual(len(rows), len(loaded.timings) + len(loaded.opens))
        for row, entry in zip(rows, loaded.timings + loaded.opens):
            self.assertEqual(float(row["median_ns"]), entry["median_ns"])
            self.assertEqual([float(row["ci95_low_ns"]), float(row["ci95_high_ns"])],
                             entry["ci95_ns"])
            self.assertEqual(row["driver"], entry["driver"])
            self.assertEqual(row["node"], "")

    def test_csv_of_a_comparison(self):
        """Both sides, ratio and verdict; what has no counterpart too."""
        after = scaled(1.2)
        del after["timings"][0]
        out = self.passes(self.file(results(), "a.json"), self.file(after, "b.json"), "--csv", "-")
        rows = list(csv.DictReader(io.StringIO(out)))
        self.assertEqual(sum(row["verdict"] == "only before" for row in rows), 1)
        self.assertEqual(sum(row["verdict"] == "worse" for row in rows), 9)
        for row in rows:
            if row["ratio"]:
                self.assertAlmostEqual(float(row["ratio"]), float(row["after_median_ns"]) /
                                       float(row["before_median_ns"]))
                self.assertTrue(float(row["ratio_low"]) <= float(row["ratio"]) <=
                                float(row["ratio_high"]))

    def test_special_file_stays(self):
        """A pipe is written to, not replaced; root could lose /dev/null else."""
        pipe = self.dir / "pipe"
        os.mkfifo(pipe)
        with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE, text=True) as reader:
            self.passes(self.file(results()), "--csv", pipe)
            self.assertIn("median_ns", reader.communicate(timeout=10)[0])
        self.assertTrue(pipe.is_fifo())


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


class Html(Case):
    """The page."""

    def page(self, *files, name="report.html"):
        """Its text, and what is in it."""
        out = self.dir / name
        self.passes(*files, "--html", out)
        source = out.read_text(encoding="utf-8")
        return source, Page(source)

    def sound(self, source, page):
        """Nothing from elsewhere, each id once, all closed, all named."""
        self.assertEqual(page.faults, [])
        self.assertEqual(len(page.ids), len(set(page.ids)))
        for reference in page.references:
            self.assertRegex(reference, "^#")
            self.assertIn(reference[1:], page.ids)
        without = re.sub(r' xmlns(:xlink)?="[^"]*"', "", source)
        for pattern in ("http://", "https://", "src=", "<script", "@import", "<link", "//cdn"):
            self.assertNotIn(pattern, without)
        self.assertTrue(all(chart.get("aria-label") and chart.get("role") == "img"
                            for chart in page.charts))
        self.assertTrue(set(page.heads) <= {"row", "col"})
        self.assertIn('<meta name="viewport"', source)

    def test_single(self):
        """All kinds of charts, and nothing from elsewhere."""
        source, page = self.page(self.file(results()))
        self.sound(source, page)
        self.assertEqual(len(page.charts), 5)
        self.assertIn("3 of 4 sub-page MMIO BARs mapped (without the module: 1 of 4)", source)
        for part in ("the governor is powersave", "no /dev/kvm", "pages are small",
                     "A | B &lt;i&gt;", "kvm-trapped / kvm-mapped", "no-space",
                     "one access, of samples (each the mean of a batch)"):
            self.assertIn(part, source)

    def test_comparison(self):
        """Charts of ratios."""
        source, page = self.page(self.file(results(), "a.json"), self.file(scaled(1.2), "b.json"))
        self.sound(source, page)
        self.assertEqual(len(page.charts), 3)
        self.assertIn("9 worse", source)

    def test_old_file(self):
        """One without any of what came later."""
        old = results()
        for key in ("opens", "perf", "kunit"):
            del old[key]
        old["timings"] = [{key: value for key, value in entry.items()
                           if key not in ("batch", "cpu", "node", "outliers", "counter", "width")}
                          for entry in old["timings"] if entry["path"] in ("mmap", "pread")]
        self.sound(*self.page(self.file(old)))

    def test_bare_files(self):
        """Next to nothing is still a report."""
        for top in ({"schema": 2}, {"schema": 2, "platform": None, "bars": None, "timings": []},
                    {"schema": 2, "timings": [{}], "bars": [{}], "opens": [{}], "kunit": [{}],
                     "perf": {"skipped": [{}], "machine": None}}):
            self.sound(*self.page(self.file(top)))

    def test_no_timings_is_said(self):
        """A report without timings is fine, but says so."""
        source, page = self.page(self.file(results(timings=[], opens=[])))
        self.sound(source, page)
        self.assertIn("This result holds no timings", source)

    def test_only_opens(self):
        """Nothing is said of BARs, timings and tests that are not there."""
        top = results(bars=[], timings=[], totals=dict.fromkeys(results()["totals"], 0))
        source, page = self.page(self.file(top))
        self.sound(source, page)
        self.assertEqual(len(page.charts), 2)
        self.assertIn("This result holds no timings: it says what a device costs to open, "
                      "and nothing about", source)
        self.assertIn("<p>Bind to first touch, with / without the module: 1.20, 16 at once.</p>", source)
        for absent in ("which BARs are mapped", "sub-page MMIO BARs mapped", "tests passed"):
            self.assertNotIn(absent, source)

    def test_partial_is_marked(self):
        """In each format, also in a comparison, wherever the mark is."""
        marked = results()
        marked["perf"]["partial"] = True
        for top in (marked, results(partial=True)):
            path = self.file(top, "partial.json")
            self.assertIn("This result is partial", self.page(path)[0])
            self.assertIn("This result is partial", self.passes(path, "--markdown", "-"))
            self.assertIn("After: This result is partial", self.passes(
                self.file(results()), path, "--markdown", "-"))
            rows = csv.DictReader(io.StringIO(self.passes(path, "--csv", "-")))
            self.assertEqual({row["partial"] for row in rows}, {"yes"})
            rows = csv.DictReader(io.StringIO(self.passes(self.file(results()), path,
                                                          "--csv", "-")))
            self.assertEqual({(row["before_partial"], row["after_partial"]) for row in rows},
                             {("no", "yes")})
        self.assertNotIn("is partial", self.page(self.file(results()))[0])

    def test_few_rounds(self):
        """Then there is no interval, and none that could hold too little."""
        top = results(opens=[])
        for i, entry in enumerate(top["timings"]):
            entry |= {"ci95_ns": None, "samples": 5} if i else {"samples": 5}
        source, page = self.page(self.file(top))
        self.sound(source, page)
        self.assertIn("1 entry of timings with an interval of fewer than 6 samples", source)
        self.sound(*self.page(self.file(top), self.file(results(), "b.json")))

    def test_no_safe_register(self):
        """Then a BAR is skipped with all paths, and all such BARs are in one line."""
        top = results()
        top["perf"]["skipped"] = [timing("read", bar=n, reason="no safe register is known") |
                                  dict.fromkeys(("offset", "path", "op", "width"))
                                  for n in (0, 2)]
        self.sound(*self.page(self.file(top)))
        self.assertIn(r"| all | vfio-pci with the module | no safe register is known | all | "
                      "0000:02:01.0 BAR 0, 0000:02:01.0 BAR 2 |",
                      self.passes(self.file(top), "--markdown", "-"))

    def test_untouched_devices(self):
        """Without a safe register there is no first touch."""
        top = results()
        top["opens"] = [entry for entry in top["opens"] if entry["phase"] != "touch"]
        self.sound(*self.page(self.file(top)))
        self.sound(*self.page(self.file(results(), "a.json"), self.file(top, "b.json")))

    def test_hostile_text(self):
        """Text of a file stays text."""
        evil = '<script>alert("x")</script>&$x^2$\u0000\ud800 `|` a\\qb'
        top = results(platform={"name": evil, "kernel": evil, "page_size": 4096})
        top["timings"] += [timing(path=evil, driver=evil, bdf=evil, op=evil)]
        top["opens"].append({**top["opens"][0], "phase": evil, "driver": evil})
        top["perf"]["warnings"].append(evil)
        source, page = self.page(self.file(top))
        self.sound(source, page)
        self.assertIn("&lt;script&gt;alert", source)
        for table in tables(markdown.write(single.document(self.load(top)))):
            self.assertEqual({len(row) for row in table}, {len(table[0])})

    def test_many_and_odd_numbers(self):
        """Any range of numbers gives a chart."""
        for medians in ((1e-3, 1e12), (2.0 ** -57, 2.0 ** 62), (80, 80), (99.9, 100.1)):
            top = results(timings=[timing("mmap", medians[0], loop_ns=None),
                                   timing("pread", medians[1], loop_ns=None)], opens=[])
            self.sound(*self.page(self.file(top)))
            faster = copy.deepcopy(top)
            faster["timings"][0] |= {"median_ns": medians[0] / 50, "ci95_ns": [0, medians[0]]}
            self.sound(*self.page(self.file(top), self.file(faster, "b.json")))

    def test_nothing_to_draw(self):
        """No chart, and no word on how to read it."""
        nothing = self.file(results(timings=[timing(median=0)], opens=[]))
        for files in ([nothing], [nothing, nothing]):
            source, page = self.page(*files)
            self.sound(source, page)
            self.assertEqual(page.charts, [])
            self.assertNotIn("One mark for each", source)

    def test_reproducible(self):
        """The same results give the same page, byte by byte."""
        path = self.file(results())
        self.assertEqual(self.page(path)[0], self.page(path, name="again.html")[0])


class Ktap(unittest.TestResult):
    """One line for each test."""

    def stopTest(self, test):
        super().stopTest(test)
        name = ".".join(test.id().split(".")[-2:]).replace("test_", "").lower()
        faults = [why for failed, why in self.failures + self.errors
                  if test in (failed, getattr(failed, "test_case", None))]
        print("not ok" if faults else "ok", self.testsRun, name)
        for line in "".join(faults).splitlines():
            print("#", line)
        sys.stdout.flush()


def main():
    """All tests, or those that are named."""
    module = sys.modules[__name__]
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromNames(sys.argv[1:], module) if sys.argv[1:] else \
        loader.loadTestsFromModule(module)
    print("TAP version 13")
    result = Ktap()
    suite.run(result)
    print(f"1..{result.testsRun}")
    return result.wasSuccessful()


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
