# SPDX-License-Identifier: GPL-2.0-only
"""Tests of what the report works out: ratios, counts, verdicts, comparisons."""
import csv
import io
import math
import random
import re
import statistics

import pytest
from samples import (COST, PHASES, TOTALS, WITH, WITHOUT, bar, loaded, results, scaled,
                            timing)

from report import bars, compare, console, csvfile, devices, gate, ladder, opens, text, verdict

A, B = "0000:00:01.0", "0000:01:01.0"


def times(*some):
    """Timings of reads at an offset, as (offset, path, with the module, median)."""
    return [timing(path, median, WITH if module else WITHOUT, offset=offset, bdf=A)
            for offset, path, module, median in some]


# ---- ratios are of one register, one width, one operation ----

@pytest.mark.parametrize("some, expected", [
    # The first of each would be two registers.
    ([(0, "pread", 1, 1000), (4, "pread", 1, 3000), (4, "mmap", 1, 50)], (3000, 50)),
    ([(0, "mmap", 1, 150), (4, "mmap", 1, 50), (4, "pread", 1, 3000)], (3000, 50)),
    # The first mapping is too fast to be timed.
    ([(0, "pread", 1, 1000), (0, "mmap", 1, 1), (4, "pread", 1, 3000), (4, "mmap", 1, 50)],
     (3000, 50)),
    # Both with the module come before one with it.
    ([(0, "pread", 0, 1000), (0, "mmap", 1, 20), (4, "pread", 1, 3000), (4, "mmap", 1, 50)],
     (3000, 50)),
    ([(0, "pread", 0, 1000), (4, "mmap", 1, 20), (8, "pread", 0, 3000), (8, "mmap", 1, 50)],
     (3000, 50)),
    ([(0, "pread", 0, 1000), (0, "mmap", 0, 20)], (1000, 20)),
    # No mapping of the same register.
    ([(0, "pread", 1, 1000), (4, "mmap", 1, 50)], (1000, None)),
    ([(0, "pread", 0, 1000), (4, "pread", 1, 2000)], (2000, None)),
    ([(0, "mmap", 1, 50)], (None, None)), ([], (None, None))])
def test_pair_is_of_one_register(tmp_path, some, expected):
    """Wherever it comes in the file."""
    for entries in (times(*some), times(*some)[::-1]):
        found = loaded(tmp_path, results(timings=entries))
        row = bars.rows(found)[0]
        assert row.bdf == A and bars.pair(found, row, "read") == expected
        ratio = bars.median_ratio(found)
        assert (ratio[0] if ratio else None) == (expected[0] / expected[1] if expected[1]
                                                 else None)


def test_pair_is_of_one_width_and_operation(tmp_path):
    """Or there is none."""
    for other in ({"width": 8}, {"op": "write-read"}, {"bar": 2}, {"bdf": B},
                  {"driver": "other"}):
        found = loaded(tmp_path, results(timings=[timing("pread", 1000, bdf=A),
                                                  timing("mmap", 50, **{"bdf": A, **other})]))
        assert bars.pair(found, bars.rows(found)[0], "read") == (1000, None)
        assert ladder.headlines(found.timings) == []
    found = loaded(tmp_path, results(timings=[
        timing("pread", 1000, bdf=A), timing("pwrite", 900, bdf=A, op="write"),
        timing("mmap", 50, bdf=A, op="write"), timing("mmap", 500, bdf=A, op="write-read")]))
    assert bars.pair(found, bars.rows(found)[0], "write") == (900, 50)
    assert bars.pair(found, bars.rows(found)[0], "read") == (1000, None)


def headlines(*some):
    """By name."""
    return {line.name: line for line in ladder.headlines(times(*some))}


def test_headlines(tmp_path):
    """Medians over registers, with as many as have both."""
    found = {line.name: line for line in
             ladder.headlines(loaded(tmp_path, results()).timings)}
    for name in ("mmap / sysfs", "mmap / kernel", "kvm-trapped / kvm-mapped",
                 "kvm-mapped / mmap"):
        slow, fast = name.split(" / ")
        assert found[name].median == pytest.approx(COST[slow] / COST[fast])
        assert found[name].registers == 3
    # Of the three that are mapped with the module two were trapped without it.
    for name, ratio in (("pread without / mmap with the module", 20),
                        ("kvm-trapped without / kvm-mapped with the module", 64000 / 96)):
        assert found[name].median == pytest.approx(ratio) and found[name].registers == 2
    assert found["pread with the module / pread without"].median == pytest.approx(1)
    assert found["pread with the module / pread without"].registers == 4


def test_headline_is_of_one_register():
    """Each counts once; what has one of the two only does not."""
    line = headlines((0, "kernel", 1, 80), (0, "mmap", 1, 80), (4, "kernel", 1, 80),
                     (4, "mmap", 1, 160), (8, "mmap", 1, 9000), (12, "kernel", 1, 1))
    assert [*line] == ["mmap / kernel"]
    assert (line["mmap / kernel"].median, line["mmap / kernel"].registers) == (1.5, 2)


def test_headline_of_what_was_trapped():
    """A BAR that vfio-pci maps alone says nothing of what the module saves: also where that
    mapping is too fast to be timed."""
    name = "pread without / mmap with the module"
    trapped = ((0, "pread", 0, 1000), (0, "mmap", 1, 50))
    assert headlines(*trapped)[name].median == 20
    for fast in (50, 1):
        assert name not in headlines(*trapped, (0, "mmap", 0, fast))
    assert headlines((4, "sysfs", 0, 40), (4, "mmap", 1, 80)) == {}


@pytest.mark.parametrize("median, loop", [(0, None), (-0.4, 2), (0.17, 2.05), (2, 2)])
def test_never_a_ratio_of_nothing(tmp_path, median, loop):
    """No more than zero, or than the loop around it."""
    nothing = timing(median=80, bdf=A) | {"median_ns": median, "loop_ns": loop}
    assert compare.ratio(timing(), nothing) is None and compare.ratio(nothing, timing()) is None
    found = loaded(tmp_path, results(timings=[nothing, timing("pread", 1600, bdf=A),
                                              timing("sysfs", 80, bdf=A)]))
    assert bars.median_ratio(found) is None and ladder.headlines(found.timings) == []
    assert compare.Comparison(found, found, 5).counts()["unknown"] == 1


# ---- BARs ----

def test_summary(tmp_path):
    """The line that scripts read: of sub-page memory BARs alone."""
    found = loaded(tmp_path, results())
    assert bars.summary(found) == "3 of 4 sub-page MMIO BARs mapped (without the module: 1 of 4)"
    found = loaded(tmp_path, results(bars=[bar("a"), bar("b", size=4096),
                                           bar("c", flags="0x40101")]))
    assert bars.summary(found) == \
        "1 of 1 sub-page MMIO BARs mapped (without the module: not measured)"


def test_not_opened_is_not_trapped(tmp_path):
    """Nobody knows what a BAR is that could not be opened: it is in no count."""
    found = loaded(tmp_path, results(bars=[
        bar("a", state="in-place"), bar("b", mmap=None), bar("c", mmap=None, state="in-place"),
        bar("b", WITHOUT, None)]))
    assert bars.summary(found) == \
        "1 of 1 sub-page MMIO BARs mapped (without the module: not measured)"
    rows = bars.rows(found)
    assert [bars.state(row.with_module) for row in rows] == \
        ["in-place", "not opened", "in-place, not opened"]
    assert [bars.state(row.without) for row in rows] == \
        ["not measured", "not opened", "not measured"]


@pytest.mark.parametrize("state, mmap, expected", [
    ("relocated", False, "relocated, trapped"), ("busy", False, "busy"),
    ("busy", True, "busy, mapped"), (None, False, "trapped"), (None, True, "mapped")])
def test_state_without_mapping_is_said(state, mmap, expected):
    """The state says why a BAR is mapped, not that it is."""
    assert bars.state(bar(mmap=mmap, state=state)) == expected


def test_drivers_have_rows_of_their_own(tmp_path):
    """The module prepares devices for each driver of VFIO."""
    other = {"driver": "other-vfio-pci", "module": True}
    rows = bars.rows(loaded(tmp_path, results(bars=[bar(), bar(binding=WITHOUT),
                                                    bar(binding=other)])))
    assert [(row.driver, bool(row.without), bool(row.with_module)) for row in rows] == \
        [("other-vfio-pci", False, True), ("vfio-pci", True, True)]


def test_names():
    """Of the profile, else of pci.ids, else the ids."""
    class Fake:
        """With one name."""
        @staticmethod
        def name(vendor, device):
            """Of 8086:10d3."""
            return "82574L" if (vendor, device) == (0x8086, 0x10d3) else None
    assert devices.names([bar("a", name="QEMU edu"),
                          bar("b", name=None, vendor="0x8086", device="0x10d3"),
                          bar("c", name=None, vendor="0xfff1", device="0x1")], Fake()) == \
        {"a": "QEMU edu", "b": "82574L", "c": "fff1:0001"}


def test_names_through_libpci():
    """And without it."""
    assert devices.Ids("libnothing.so").name(0x8086, 0x10d3) is None
    ids = devices.Ids()
    if not ids.pci:
        pytest.skip("no libpci.so.3, or no PCI here: run scripts/packages.sh report")
    assert "82574L" in ids.name(0x8086, 0x10d3)
    assert ids.name(0xfff1, 0x1) is None


# ---- the verdict ----

@pytest.mark.parametrize("change, expected, why", [
    ({}, "pass", "20 tests passed and none failed; 3 of 4 sub-page"),
    ({"totals": {**TOTALS, "fail": 1}}, "fail", "1 test failed"),
    ({"totals": {**TOTALS, "error": 2}}, "fail", "2 tests could not be run"),
    ({"totals": {**TOTALS, "pass": 0}}, "partial", "no test has passed"),
    ({"totals": None}, "partial", "no test has passed"),
    ({"partial": True}, "partial", "the job did not come to its end"),
    ({"partial": True, "totals": {**TOTALS, "fail": 3}}, "fail", "3 tests failed; the job did"),
    ({"kunit": [{"suite": "x", "pass": 1, "fail": 1, "skip": 0, "cases": []}]}, "fail",
     "1 test of the KUnit suite x failed"),
    ({"bars": [bar(mmap=False, expected_mmap=True)]}, "fail", "1 BAR is not mapped, or mapped, "
     "against what is expected, the first: 0000:02:01.0 BAR 0, vfio-pci with the module"),
    ({"bars": [bar(mmap=None)]}, "partial", "1 device could not be opened, the first: 0000:02"),
    ({"runs": [{"program": "x", "command": "x", "complete": False}], "partial": True}, "partial",
     "x did not come to an end")])
def test_verdict(tmp_path, change, expected, why):
    """And the reason."""
    judged, reason = verdict.of(loaded(tmp_path, results(**change)))
    assert judged == expected and reason.startswith(why) and reason.endswith(".")


# ---- the table for people ----

def test_text(tmp_path):
    """With what scripts read: the first line, and the last."""
    out = console.write(loaded(tmp_path, results())).splitlines()
    assert out[0] == "x86_64-4k: Linux 6.12.1, pages of 4 KiB, 4 CPUs, accelerator kvm"
    assert out[-1] == "3 of 4 sub-page MMIO BARs mapped (without the module: 1 of 4)"
    for line in (r"0000:01:01\.0 A \| B <i> +0 +256 B 0xfd700000\+0x100 -> 0xfd701000 +trapped "
                 r"+relocated +1760 +88\.0 +20\.0",
                 r"0000:03:01\.0 .* no-space +2080 +– +–",
                 r"Writes: .*", r"0000:00:01\.0 .* mapped +relocated +1500 +80\.0 +18\.8",
                 r"mmap / kernel: 1\.14, median of the reads of 3 registers",
                 r"bind to first touch, with / without the module: 1\.20, 16 at once",
                 r"median ratio of 3 mapped BARs: 20\.0",
                 r"KUnit policy: 2 passed, 0 failed, 1 skipped", r"pass: 20 tests passed .*"):
        assert any(re.fullmatch(line, one) for one in out), line


def test_text_of_opens_alone(tmp_path):
    """Nothing is said of BARs that are not there."""
    out = console.write(loaded(tmp_path, results(bars=[], timings=[])))
    assert "sub-page" not in out and "Reads" not in out and "first touch" in out


# ---- statistics, against computations that share nothing with the report's own ----

def test_ratio():
    """By the formula, with other means."""
    ratio = compare.ratio(timing(median=80, ci95_ns=[79, 82]), timing(median=90, ci95_ns=[88, 93]))
    z = statistics.NormalDist().inv_cdf(0.975)
    error = math.sqrt((math.log10(82 / 79) / (2 * z)) ** 2 +
                      (math.log10(93 / 88) / (2 * z)) ** 2)
    assert ratio.value == pytest.approx(90 / 80)
    assert ratio.low == pytest.approx(90 / 80 / 10 ** (z * error))
    assert ratio.high == pytest.approx(90 / 80 * 10 ** (z * error))


def test_degenerate_intervals():
    """Zero width, none, and what has no logarithm."""
    sharp = compare.ratio(timing(median=80, ci95_ns=[80, 80]), timing(median=88, ci95_ns=[88, 88]))
    assert (sharp.low, sharp.high) == (pytest.approx(1.1), pytest.approx(1.1))
    assert compare.verdict(sharp, 3) == "worse"
    for bounds, samples in ((None, 500), ([80, 80], 1)):
        blunt = compare.ratio(timing(ci95_ns=bounds, samples=samples), timing())
        assert (blunt.value, blunt.low) == (1, None)
        assert compare.verdict(blunt, 0) == "unknown"
    wide = compare.ratio(timing(ci95_ns=[-1, 90]), timing(median=800))
    assert (wide.low, wide.high) == (0, math.inf)
    assert compare.verdict(wide, 3) == "no difference"
    huge = compare.ratio(timing(median=1e-300, ci95_ns=[1e-300, 1e-300], loop_ns=None),
                         timing(median=1e300, ci95_ns=[1e300, 1e300]))
    assert compare.verdict(huge, 3) == "worse"


@pytest.mark.parametrize("low, high, expected", [
    (1.0301, 1.2, "worse"), (1.0299, 1.2, "no difference"), (0.5, 1 / 1.0301, "better"),
    (0.5, 1 / 1.0299, "no difference"), (0.9, 1.1, "no difference")])
def test_verdict_boundaries(low, high, expected):
    """Entirely above or below, on both sides of the tolerance."""
    assert compare.verdict(compare.Ratio(1, low, high), 3) == expected


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


@pytest.mark.parametrize("factor, tolerance, expected, least", [
    (1, 3, "no difference", 95), (1.10, 3, "worse", 95), (1 / 1.10, 3, "better", 95),
    # Without tolerance about one in twenty is wrong, not more.
    (1, 0, "no difference", 88)])
def test_noise(factor, tolerance, expected, least):
    """Of a hundred comparisons of noisy samples."""
    rng = random.Random(1)
    verdicts = [compare.verdict(compare.ratio(measured(1, rng), measured(factor, rng)), tolerance)
                for _ in range(100)]
    assert verdicts.count(expected) >= least


def test_opens_ratio(tmp_path):
    """With to without, in each phase; how many at once below each other."""
    rows = opens.rows(loaded(tmp_path, results()).opens)
    assert [(row.phase, row.functions) for row in rows] == \
        [(phase, number) for phase in PHASES for number in (1, 4, 16)]
    for row in rows:
        assert row.ratio.value == pytest.approx(1.2) and row.ratio.low < 1.2 < row.ratio.high


@pytest.mark.parametrize("value, expected", [
    (0.5, "0.500 ns"), (999.4, "999 ns"), (999.6, "1.00 µs"), (1e6, "1.00 ms"),
    (12.34e6, "12.3 ms"), (4e9, "4.00 s")])
def test_durations(value, expected):
    """Units change where the rounding does."""
    assert text.duration(value) == expected


# ---- two files ----

def compared(tmp_path, before, after, tolerance=5):
    """Of two results."""
    return compare.Comparison(loaded(tmp_path, before), loaded(tmp_path, after), tolerance)


def test_rows_are_matched(tmp_path):
    """By all that identifies them; the rest is listed."""
    found = compared(
        tmp_path, results(timings=[timing(), timing("sysfs"), timing(offset=8)], opens=[]),
        results(timings=[timing(), timing("sysfs", binding=WITHOUT), timing(width=8)], opens=[]))
    assert len(found.rows) == 1
    assert [one.where for one in found.alone] == ["before"] * 2 + ["after"] * 2


def test_another_device_is_no_match(tmp_path):
    """It may be at the same address, in another machine."""
    after = results()
    for entry in after["bars"]:
        if entry["bdf"] == A:
            entry |= {"vendor": "0x1234", "device": "0x11e8"}
    found = compared(tmp_path, results(), after)
    assert found.other_devices == {A: (("0x1b36", "0x0007"), ("0x1234", "0x11e8"))}
    assert A not in {row.before["bdf"] for row in found.of("timing")}
    assert {one.entry["bdf"] for one in found.alone} == {A}
    rows = list(csv.DictReader(io.StringIO(csvfile.comparison(found))))
    assert {row["bdf"] for row in rows if row["verdict"] == "other device"} == {A}


def test_unknown_device_is_a_match(tmp_path):
    """A file of the performance core alone has no BARs."""
    found = compared(tmp_path, results(bars=[]), results())
    assert len(found.of("timing")) == len(results()["timings"]) and found.alone == []


def test_in_common(tmp_path):
    """Devices, or else what opening costs, which names none."""
    other = results(bars=[bar("0000:ff:00.0")], timings=[timing(bdf="0000:ff:00.0")])
    assert not compared(tmp_path, results(), other).has_anything()
    assert not compared(tmp_path, results(bars=[]), results(bars=[], timings=other["timings"])
                        ).has_anything()
    scale = results(bars=[], timings=[])
    found = compared(tmp_path, scale, scale)
    assert found.has_anything() and len(found.rows) == len(scale["opens"])


def test_opens_are_compared(tmp_path):
    """Like timings."""
    after = results()
    for entry in after["opens"]:
        if entry["phase"] == "bind":
            entry["median_ns"] *= 2
            entry["ci95_ns"] = [bound * 2 for bound in entry["ci95_ns"]]
    found = compared(tmp_path, results(), after)
    assert {row.before["phase"] for row in found.of("open") if row.verdict == "worse"} == {"bind"}
    assert found.counts(found.of("open"))["worse"] == 6


# ---- the gate ----

def reasons(tmp_path, after, before=None, limit=5):
    """Why a comparison does not pass."""
    return gate.reasons(compared(tmp_path, before or results(), after), limit)


def test_gate(tmp_path):
    """A line for each row that is worse."""
    found = reasons(tmp_path, scaled(1.2), limit=10)
    assert len(found) == 12
    for line in found:
        assert re.fullmatch(r"0000:.* BAR 0 \+0x40 mmap (read|write|write-read), vfio-pci.*: worse "
                            r"than 10 %: ratio 1\.200, 95 % interval 1\.1\d\d to 1\.2\d\d", line)
    assert reasons(tmp_path, scaled(1.2), limit=25) == []
    assert reasons(tmp_path, results(), before=scaled(1.2), limit=0) == []


def test_gate_of_nothing(tmp_path):
    """What could not be compared has not passed."""
    nothing = results(timings=[timing(ci95_ns=None)], opens=[])
    line, = reasons(tmp_path, nothing, before=nothing)
    assert "no interval to compare" in line and "nothing can pass" in line


def test_gate_notices_a_lost_mapping(tmp_path):
    """Also where nothing is timed, and where the BAR cannot be opened any more."""
    after = results()
    with_module = [entry for entry in after["bars"] if entry["module"]]
    with_module[0]["mmap"], with_module[1]["mmap"] = False, None
    after["bars"].remove(with_module[2])
    assert [line[:line.index(": look")] for line in reasons(tmp_path, after)] == [
        f"0000:0{n}:01.0 BAR 0 vfio-pci with the module: was mapped, is {state}"
        for n, state in enumerate(("trapped", "not opened", "not measured"))]


def test_gate_notices_lost_rows(tmp_path):
    """What was measured and is not, on the same device under the same driver."""
    after = results()
    after["timings"] = [entry for entry in after["timings"] if entry["path"] != "mmap"]
    line, = reasons(tmp_path, after)
    assert re.search(r"12 rows of .* are not measured any more, the first: 0000:00:01\.0 BAR 0 "
                     r"\+0x40 mmap read, ", line)
    after = results()
    for entry in after["timings"][:4]:
        entry["ci95_ns"] = None
    assert "4 rows of" in reasons(tmp_path, after)[0]
    line, = reasons(tmp_path, results(opens=results()["opens"][:40]))
    assert "2 rows" in line and "vfio-pci with the module, 16 functions: unbind" in line


def test_gate_allows_fewer_devices(tmp_path):
    """What is not there, or is bound to another driver, cannot be measured."""
    after = results(opens=[])
    for key in ("bars", "timings"):
        after[key] = [entry for entry in after[key] if entry["bdf"] != B]
    assert reasons(tmp_path, after) == []
    assert len(compared(tmp_path, results(), after).only("timing", "before")) == \
        sum(entry["bdf"] == B for entry in results()["timings"])


def test_gate_of_a_partial_result(tmp_path):
    """Nobody knows what would have been worse."""
    line, = reasons(tmp_path, results(partial=True))
    assert re.search(r"loaded\.json: partial: ", line)


# ---- CSV ----

def test_csv(tmp_path):
    """With every digit."""
    found = loaded(tmp_path, results(partial=True))
    rows = list(csv.DictReader(io.StringIO(csvfile.single(found))))
    assert len(rows) == len(found.timings) + len(found.opens)
    for row, entry in zip(rows, found.timings + found.opens):
        assert float(row["median_ns"]) == entry["median_ns"]
        assert [float(row["ci95_low_ns"]), float(row["ci95_high_ns"])] == entry["ci95_ns"]
        assert row["driver"] == entry["driver"] and row["module"] == text.plain(entry["module"])
        assert row["node"] == "" and row["partial"] == "yes"


def test_csv_of_a_comparison(tmp_path):
    """Both sides, ratio and verdict; what has no counterpart too."""
    after = scaled(1.2)
    del after["timings"][0]
    rows = list(csv.DictReader(io.StringIO(csvfile.comparison(
        compared(tmp_path, results(), after)))))
    assert sum(row["verdict"] == "only before" for row in rows) == 1
    assert sum(row["verdict"] == "worse" for row in rows) == 12
    for row in (row for row in rows if row["ratio"]):
        assert float(row["ratio"]) == pytest.approx(float(row["after_median_ns"]) /
                                                    float(row["before_median_ns"]))
        assert float(row["ratio_low"]) <= float(row["ratio"]) <= float(row["ratio_high"])
