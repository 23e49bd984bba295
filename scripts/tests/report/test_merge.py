# SPDX-License-Identifier: GPL-2.0-only
"""Tests of the schema, and of how results.json is made of records."""
import json
import re
import subprocess

import pytest
from samples import (SCRIPTS, TOTALS, WITH, WITHOUT, bar, end, lines, records, results,
                            run, run_of_perf, run_of_test, skip, timing)

from report import kunit, load, merge, schema

TEST, PERF = schema.TEST, schema.PERF
TORN = '{"type": "timing", "bdf": "0000:02'
KTAP = """KTAP version 1
1..1
    KTAP version 1
    # Subtest: pci_subpage_x
    # module: vfio_pci_subpage
    1..3
    ok 1 first
        KTAP version 1
        # Subtest: second
        ok 1 parameter
        not ok 2 other # SKIP deeper
    ok 2 second
    LAST
# pci_subpage_x: pass:2 fail:0 skip:1 total:3
ok 1 pci_subpage_x
"""


def merged(*some):
    """Of records."""
    return merge.merge(lines(*some))


def refused(pattern, *some):
    """It says why in one line, with a remedy."""
    with pytest.raises(schema.Unusable, match=pattern) as caught:
        merged(*some)
    assert ": " in str(caught.value) and "\n" not in str(caught.value)


def test_whole_job():
    """All that a job writes comes into one file."""
    made = merged(*records())
    assert [one["program"] for one in made["runs"]] == \
        [TEST, TEST, PERF, "vfio_pci_subpage_open"]
    assert made["runs"][0] == {"program": TEST, "command": f"./{TEST} --results x",
                               "time": "2026-11-25T09:48:54Z", "module_version": "1.2",
                               "complete": True}
    assert len(made["bars"]) == 8 and len(made["neighbours"]) == 2
    assert made["totals"] == {key: 2 * number for key, number in TOTALS.items()}
    assert made["perf"]["counter_hz"] == 2.1e9 and made["perf"]["rounds"] == 5
    assert made["partial"] is False
    assert set(made) == {"schema", *(key.rstrip("?") for key in schema.RESULTS)}


def test_last_machine_counts():
    """perf writes it at its begin and at its end."""
    assert merged(*records())["machine"]["steal_percent"] == 0.5


def test_last_of_the_same_counts():
    """BARs by device, BAR, driver and module; opens by driver, module, number and phase."""
    again = [run(TEST), bar("0000:00:01.0", WITH, False), bar("0000:00:01.0", WITHOUT, False),
             bar("0000:00:01.0", {**WITH, "driver": "other"}, True), end()]
    made = merged(*records(), *again)["bars"]
    assert len(made) == 9
    assert [one["mmap"] for one in made if one["bdf"] == "0000:00:01.0"] == [False, False, True]
    opens = [one for one in records() if one["type"] == "open"]
    slower = [{**opens[0], "median_ns": 7}, {**opens[0], "functions": 2, "median_ns": 8}]
    made = merged(*records(), run("vfio_pci_subpage_open"), *slower, end())["opens"]
    assert len(made) == len(opens) + 1 and made[0]["median_ns"] == 7


def test_timings_of_the_last_run():
    """Of perf alone: what two runs measured cannot be compared, skips neither."""
    made = merged(*run_of_perf(), run(PERF), timing("sysfs"), skip("why"), end(), run(TEST), end())
    assert [one["path"] for one in made["timings"]] == ["sysfs"]
    assert [one["reason"] for one in made["skipped"]] == ["why"]
    assert made["perf"] is None and made["machine"] is None


def test_no_perf():
    """Then there are no timings, also of a program that should have written none."""
    made = merged(run(TEST), bar(), timing(), end(totals=TOTALS))
    assert made["timings"] == [] and made["perf"] is None and made["totals"] == TOTALS


def test_totals_of_the_test():
    """Other programs count nothing; without a test there is none."""
    assert merged(run(PERF), end(totals=TOTALS))["totals"] is None
    assert merged(run(TEST), bar())["totals"] is None


@pytest.mark.parametrize("some", [
    [run(TEST), bar()], [run(TEST), bar(), end(complete=False)],
    [run(TEST), run(PERF), end()]])
def test_partial(some):
    """A run without an end, or one that says that it has not come to it."""
    made = merged(*some)
    assert made["partial"] is True and made["runs"][0]["complete"] is False


def test_whoever_ran_the_job_knows():
    """That it did not come to its end."""
    made = merge.merge(lines(*records()), complete=False)
    assert made["partial"] is True and all(one["complete"] for one in made["runs"])


@pytest.mark.parametrize("length", [1, 10, 30])
def test_torn_at_the_end(length):
    """What a killed program wrote before is kept."""
    made = merge.merge(lines(run(TEST), bar()) + TORN[:length])
    assert len(made["bars"]) == 1 and made["partial"] is True


@pytest.mark.parametrize("between", ["", "\n"])
def test_torn_before_the_next_run(between):
    """The next program has appended to the line, or to the next."""
    made = merge.merge(lines(run(TEST), bar()) + TORN + between +
                       lines(run(TEST), bar("0000:07:00.0"), end(totals=TOTALS)))
    assert [one["complete"] for one in made["runs"]] == [False, True]
    assert [one["bdf"] for one in made["bars"]] == ["0000:02:01.0", "0000:07:00.0"]
    assert made["partial"] is True


def test_torn_within_a_run():
    """That no program does."""
    with pytest.raises(schema.Unusable, match="line 2 is not JSON: "):
        merge.merge(lines(run(TEST)) + TORN + "\n" + lines(bar(), end()))


def test_nothing():
    """No file of records."""
    for text in ("", "\n", TORN, "hello"):
        with pytest.raises(schema.Unusable, match="holds no records of a run: run the suite"):
            merge.merge(text)
    refused("line 1: a record of no run: ", bar(), run(TEST))


def test_unknown():
    """Keys are ignored, types are not."""
    assert "colour" not in merged(run(TEST), bar(colour="red"), end())["bars"][0]
    refused("line 2: records of type 'rab' are not known: run the suite again",
            run(TEST), {"type": "rab"})
    refused("line 2: records of type None", run(TEST), {"bdf": "a"})


def test_other_schema():
    """Of an older or a newer suite."""
    for version in (1, 3):
        refused(f"schema {version} is not known, only schema 2: run the suite again",
                run(TEST, schema=version))
    refused("no schema number", run(TEST, schema=None))


def test_platforms():
    """A file is of one; but CPUs may have been taken offline in between."""
    here = run(TEST)["platform"]
    for key in ("name", "arch", "kernel", "accel"):
        refused(f"runs on two platforms: {key} is ", run(TEST), end(),
                run(PERF, platform={**here, key: "other"}))
    refused("page_size is 4096 and 65536", run(TEST), end(),
            run(PERF, platform={**here, "page_size": 65536}))
    assert merged(run(PERF, platform={**here, "cpus": 1}), run(TEST))["platform"]["cpus"] == 4


@pytest.mark.parametrize("key, value", [
    ("median_ns", "fast"), ("median_ns", None), ("samples", 1.5), ("bar", True), ("offset", -1),
    ("ci95_ns", 3), ("ci95_ns", [2, 1]), ("ci95_ns", [1]), ("ci95_ns", [1, "x"]), ("path", 7),
    ("median_ns", float("nan")), ("median_ns", float("inf")), ("median_ns", 1e308),
    ("median_ns", 1e-300), ("module", 1), ("loop_ns", "0")])
def test_wrong_timing(key, value):
    """A field of the wrong type is named."""
    refused(rf"line 2: timing\.{key} is not .*: run the suite again",
            run(PERF), timing(**{key: value}))


def test_wrong_address():
    """Addresses are text, as not every reader of JSON has 64 bits."""
    for start in (16, "16", "0x", "0x" + "f" * 17, None):
        refused(r"line 2: bar\.start is not text in hexadecimal", run(TEST), bar(start=start))
    assert merged(run(TEST), bar(start="0x" + "f" * 16))["bars"]


def test_null():
    """What is not known."""
    made = merged(run(TEST, module_version=None), bar(mmap=None, name=None, state=None),
                  end())["bars"][0]
    assert made["mmap"] is None and made["name"] is None


def test_skip_kinds():
    """Two of them."""
    refused(r'skip\.kind is not "missing" or', run(PERF), skip(kind="lazy"))


@pytest.mark.parametrize("last, result, reason", [
    ("ok 3 third # SKIP no such device", "skip", "no such device"),
    ("ok 3 third # SKIP", "skip", None), ("not ok 3 third", "fail", None),
    ("ok 3 - third", "pass", None)], ids=["skip", "skip without a reason", "fail", "old"])
def test_kunit(last, result, reason):
    """Cases, and no parameters of cases."""
    suite, = kunit.parse(KTAP.replace("LAST", last), "file")
    assert suite["suite"] == "pci_subpage_x"
    assert suite["cases"][2] == {"name": "third", "result": result, "reason": reason}
    assert [one["name"] for one in suite["cases"]] == ["first", "second", "third"]
    assert sum(suite[key] for key in ("pass", "fail", "skip")) == 3
    assert suite[result] == (3 if result == "pass" else 1)
    assert merge.merge(lines(*records()), [suite])["kunit"] == [suite]


def test_kunit_incomplete():
    """Nothing is no success."""
    suite, = kunit.parse(KTAP.replace("LAST", ""), "x")
    assert suite["fail"] == 1 and suite["cases"][-1]["reason"].startswith("2 of 3 tests have a r")
    suite, = kunit.parse("", "pci_subpage_y")
    assert (suite["suite"], suite["fail"]) == ("pci_subpage_y", 1)


def test_kunit_names(tmp_path):
    """A file is named for the suite, or its directory is; or it holds several."""
    (tmp_path / "pci_subpage_z").mkdir()
    for path in (tmp_path / "pci_subpage_z" / "results", tmp_path / "pci_subpage_z.ktap"):
        path.write_text("", encoding="utf-8")
        assert kunit.read(path)[0]["suite"] == "pci_subpage_z"
    two = KTAP.replace("LAST", "ok 3 third")
    assert [one["fail"] for one in kunit.parse(two + two, "")] == [0, 0]


# ---- the command ----

def command(*args):
    """Run it."""
    return subprocess.run([SCRIPTS / "report.py", *map(str, args)], capture_output=True,
                          text=True, check=False, stdin=subprocess.DEVNULL)


@pytest.fixture(name="files")
def fixture_files(tmp_path):
    """Records, KUnit results, and where results go."""
    (tmp_path / "records.jsonl").write_text(lines(*records()), encoding="utf-8")
    (tmp_path / "a.ktap").write_text(KTAP.replace("LAST", "ok 3 third"), encoding="utf-8")
    (tmp_path / "b.ktap").write_text("", encoding="utf-8")
    return tmp_path


def test_command(files):
    """Options in any order; the results replace those that were there."""
    out = files / "results.json"
    out.write_text("old", encoding="utf-8")
    done = command("--merge", files / "records.jsonl", "--kunit", files / "a.ktap",
                   files / "b.ktap", out)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
    top = json.loads(out.read_text(encoding="utf-8"))
    assert [suite["suite"] for suite in top["kunit"]] == ["pci_subpage_x", "b"]
    assert top["partial"] is False
    assert sorted(one.name for one in files.iterdir()) == ["a.ktap", "b.ktap", "records.jsonl",
                                                           "results.json"]
    command("--merge", files / "records.jsonl", "--complete", "no", out)
    assert load.load(out).partial is True and load.load(out).kunit == []


def test_revision(tmp_path, monkeypatch):
    """Of the project, if that is in git."""
    monkeypatch.setattr(merge, "__file__", str(tmp_path / "merge.py"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert merge.revision() is None
    (tmp_path / "file").write_text("a", encoding="utf-8")
    for args in (["init", "-q"], ["add", "file"],
                 ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"]):
        subprocess.run(["git", "-C", tmp_path, *args], check=True)
    assert re.fullmatch("[0-9a-f]{7,}", merge.revision())
    (tmp_path / "file").write_text("b", encoding="utf-8")
    assert merge.revision().endswith("-dirty")


def test_command_fails(files):
    """The file is named, and nothing is written."""
    out = files / "results.json"
    for name, args in (("none", ["--merge", files / "none", out]),
                       ("none.ktap", ["--merge", files / "records.jsonl", "--kunit",
                                      files / "none.ktap", out]),
                       ("b.ktap", ["--merge", files / "b.ktap", out])):
        done = command(*args)
        assert done.returncode == 1 and not out.exists()
        assert done.stderr.startswith(f"report.py: {files / name}: ")
    for args in ([], ["--kunit", "a", "b"], ["--merge", "a"], ["--merge", "a", "--compare", "b",
                                                               "c"]):
        assert command(*args).returncode == 2


def test_file_is_checked_again(tmp_path):
    """What has been written is read, and no other schema."""
    path = tmp_path / "results.json"
    for change, pattern in (({"schema": 1}, "schema 1 is not known.*: run the suite again"),
                            ({"schema": "2"}, "no schema number"), ({"bars": {}}, "results.bars"),
                            ({"bars": [{}]}, r"results\.bars\[0\]\.bdf is not text"),
                            ({"runs": None}, "results.runs is not an array"),
                            ({"platform": {**results()["platform"], "page_size": 0}}, "is 0")):
        path.write_text(json.dumps(results(**change)), encoding="utf-8")
        with pytest.raises(schema.Unusable, match=pattern):
            load.load(path)
    nested = '{"schema": 2, "perf": {"x": ' + "[" * 100000 + "]" * 100000 + "}}"
    whole = json.dumps(results())
    for text, pattern in (("hello", "not JSON, line 1"), ("[]", "no JSON object"),
                          (nested, "JSON is none"), ('{"schema": 2}}', "not JSON"),
                          *((whole[:length], "truncated: run the suite")
                            for length in (0, 1, 20, 300, len(whole) // 2, len(whole) - 1))):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(schema.Unusable, match=pattern):
            load.load(path)
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(schema.Unusable, match="not JSON"):
        load.load(path)


def test_runs_without_and_with():
    """Two runs of the test are no two totals for one BAR."""
    made = merged(*run_of_test(WITHOUT), *run_of_test(WITH))
    assert [one["module"] for one in made["bars"]] == [False] * 4 + [True] * 4
