# SPDX-License-Identifier: GPL-2.0-only
"""kselftest.sh: its exit codes, and what becomes of the results of a job that goes wrong.

It runs in a copy of the scripts in which only it is real.
"""
import json
import os
import pathlib
import shutil

import pytest
from report import load, schema
from stand_ins import TOP, one_line, program, run

KSELFTEST = TOP / "scripts/kselftest.sh"
RUN = json.dumps({
    "type": "run", "schema": schema.VERSION, "program": "vfio_pci_subpage_test",
    "command": "vfio_pci_subpage_test", "time": None, "module_version": None,
    "platform": {"name": "p", "arch": "x86_64", "page_size": 4096, "kernel": "6.12",
                 "accel": "none", "cpus": 2}}) + "\n"
END = json.dumps({"type": "end", "totals": None, "complete": True}) + "\n"


def vfio_bound():
    """Whether a VFIO driver has a device of this machine."""
    return any(pathlib.Path("/sys/bus/pci/devices").glob("*/vfio-dev"))


@pytest.mark.parametrize("status, target, variables, said", [
    (2, "net", {}, "TARGETS=net"),
    (2, "vfio", {"PLATFORM": "vax"}, "PLATFORM=vax"),
    (2, "vfio", {"WHERE": "moon"}, "WHERE=moon"),
    (2, "vfio", {"TOPOLOGY": "flat"}, "TOPOLOGY=flat"),
    (2, "vfio", {"PLATFORM": "all", "TOPOLOGY": "main"}, "PLATFORM=all"),
    (2, "vfio", {"PLATFORM": "all", "WHERE": "host"}, "PLATFORM=all"),
    pytest.param(4, "vfio", {"WHERE": "host"}, "WHERE=host", marks=pytest.mark.skipif(
        vfio_bound(), reason="devices are bound to VFIO here, and would be tested")),
])
def test_wrong_use(status, target, variables, said):
    one_line(run(KSELFTEST, target, **variables), status, said)


def test_a_kernel_of_x86_needs_such_a_machine(tmp_path):
    program(tmp_path / "uname", "#!/bin/sh\necho aarch64\n")
    one_line(run(KSELFTEST, "vfio", bin_dir=tmp_path, WHERE="vm"), 2, "PLATFORM=x86_64-4k")


class Copy:
    """Scripts of which only kselftest.sh is real. The guest leaves what the directory
    guest holds."""

    def __init__(self, path):
        self.path = path
        self.guest = path / "guest"
        self.guest.mkdir()
        self.top = path / "copy"
        self.results = self.top / "build/results"
        shutil.copytree(TOP / "scripts", self.top / "scripts")
        for name in ("packages.sh", "build/suite.sh", "build/module.sh",
                     "build/kernel.sh", "build/fetch-kernel.sh", "build/fetch-sysroot.sh"):
            program(self.top / "scripts" / name, "#!/bin/true\n")
        program(self.top / "scripts/build/installed-kernel.sh",
                "#!/bin/sh\necho installed-kernel.sh: none >&2; exit 1\n")
        program(self.top / "scripts/report.py", f"""#!/bin/sh
            [ "$1" != --merge ] || exec {TOP}/scripts/report.py "$@"
            """)
        program(self.top / "scripts/vm/run.py", f"""#!/bin/bash
            while [ "$1" != --share ]; do shift; done
            cp {self.guest}/* "$2/"
            exit $RUNNER
            """)

    def guest_leaves_records(self, end=END):
        """Complete ones, by their look, and a log."""
        (self.guest / "records.jsonl").write_text(RUN + end)
        (self.guest / "ktap.log").write_text("ok 1 a\n")

    def run(self, **variables):
        """The main job, in the VM unless told otherwise."""
        return run(self.top / "scripts/kselftest.sh", "vfio", **{"WHERE": "vm", **variables})

    def is_partial(self):
        """What the report says of the latest results."""
        return load.load(str(self.results / "latest/results.json")).partial


@pytest.fixture(name="copy")
def _copy(tmp_path):
    return Copy(tmp_path)


# What was complete before is no longer all.
@pytest.mark.parametrize("runner, end, partial", [
    (3, END, True), (1, "", True), (1, END, False),
])
def test_a_job_that_did_not_end_is_partial(copy, runner, end, partial):
    copy.guest_leaves_records(end)
    assert copy.run(RUNNER=runner).returncode == 1
    assert copy.is_partial() == partial


# The latest ones stay those that there are.
@pytest.mark.parametrize("runner, status", [(3, 1), (2, 2)])
def test_no_results_are_none(copy, runner, status):
    copy.guest_leaves_records()
    copy.run(RUNNER=0)
    before = sorted(os.listdir(copy.results)), os.readlink(copy.results / "latest")
    for file in copy.guest.iterdir():
        file.unlink()
    (copy.guest / "dmesg.log").touch()
    done = copy.run(RUNNER=runner)
    assert done.returncode == status
    assert "there are no results" in done.stderr
    assert (sorted(os.listdir(copy.results)), os.readlink(copy.results / "latest")) == before


def test_all_platforms_end_with_a_table(copy):
    copy.guest_leaves_records()
    done = copy.run(RUNNER=1, PLATFORM="all")
    assert done.returncode == 1
    table = (copy.results / "all.txt").read_text()
    assert done.stdout == table
    assert table.split("\n")[0].split() == ["platform", "kernel", "page", "accel", "time", "result"]
    lines = {line.split()[0]: line for line in table.splitlines()[1:]}
    # One that is not on this machine is no failure.
    assert "not run" in lines.pop("installed")
    assert len(lines) > 10 and all("FAILED" in line for line in lines.values())


def test_a_kernel_runs_once(copy):
    copy.guest_leaves_records()
    program(copy.top / "scripts/build/fetch-kernel.sh", "#!/bin/sh\necho /a/kernel\n")
    done = copy.run(RUNNER=0, PLATFORM="x86_64-4k x86_64-4k-6.1")
    assert done.returncode == 0
    assert "x86_64-4k-6.1         not run: has the kernel of x86_64-4k\n" in done.stdout


@pytest.fixture(name="host")
def _host(copy):
    """Two devices are bound, and the user is not root. The suite leaves its arguments; the
    program that $SUITE names is killed when it has begun its records."""
    for number in (1, 2):
        (copy.path / f"sys/bus/pci/devices/0000:0{number}:00.0/vfio-dev").mkdir(parents=True)
    (copy.path / "run").write_text(RUN)
    program(copy.path / "bin/id", "#!/bin/sh\necho 1000\n")
    program(copy.path / "bin/dmesg", "#!/bin/true\n")
    # Whatever sudo makes of the environment.
    program(copy.path / "bin/sudo", """#!/bin/sh
        [ "$1" != -n ] || shift
        exec env -i PATH="$PATH" SUITE="$SUITE" "$@"
        """)
    for name in ("test", "perf"):
        program(copy.top / f"build/suite/vfio_pci_subpage_{name}", f"""#!/bin/sh
            echo "$@" >{copy.path}/{name}.arguments
            [ "$SUITE" = {name} ] || exit 0
            cat {copy.path}/run >>"$2"
            kill -KILL $$
            """)
    return copy


def on_host(copy, **variables):
    """The main job there."""
    return copy.run(WHERE="host", SYSFS=copy.path / "sys", bin_dir=copy.path / "bin", **variables)


@pytest.mark.parametrize("name", ["test", "perf"])
def test_a_program_that_is_killed_leaves_partial_results(host, name):
    assert on_host(host, SUITE=name).returncode == 1
    assert host.is_partial()


def test_only_devices_that_are_named(host):
    on_host(host, SUITE="", VFIO_SELFTESTS_BDF="0000:02:00.0 0000:01:00.0")
    for name in ("test", "perf"):
        assert (host.path / f"{name}.arguments").read_text().endswith(
            " 0000:02:00.0 0000:01:00.0\n")


def run_alone(copy, *words):
    """The command that runs the suite without building anything."""
    return run(copy.top / "scripts/vfio-pci-subpage-run.sh", *words, SUITE="perf",
               SYSFS=copy.path / "sys", bin_dir=copy.path / "bin")


def test_results_are_where_they_were_asked_for(host):
    results = host.path / "of this run"
    assert run_alone(host, "--results", results, "0000:02:00.0").returncode == 1
    assert load.load(str(results / "results.json")).partial
    one_line(run_alone(host, "--results", results), 1, f"{results}: has files already")


def test_nothing_bound_is_a_skip(host):
    shutil.rmtree(host.path / "sys")
    one_line(run_alone(host), 4, "no device is bound", "vfio-bind")
