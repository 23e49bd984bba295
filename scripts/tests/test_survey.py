# SPDX-License-Identifier: GPL-2.0-only
"""vfio-pci-subpage-survey on copies of machines that are made up: what it says, and that
nothing in a copy can mislead it."""
import json
import os
import random
import shutil
import time

import pytest
from machines import ONE, PORT, THREE, TWO, Machine, many, packed
from stand_ins import TOP, one_line, run

SURVEY = TOP / "build/suite/vfio_pci_subpage_survey"
RESOURCE = f"sys/bus/pci/devices/{ONE}/resource"


@pytest.fixture(name="machine")
def _machine(tmp_path):
    return packed(tmp_path / "copy")


@pytest.fixture(name="built", scope="module", autouse=True)
def _built():
    """The program."""
    assert run(TOP / "scripts/build/suite.sh", TOP / "build/suite").returncode == 0


def survey(machine, *words):
    """The program on a copy."""
    return run(SURVEY, "--root", machine.path, *words)


def rows(done):
    """BDF, BAR, what vfio-pci does, state, and where it is moved to, of each BAR."""
    words = [line.split() for line in done.stdout.splitlines() if line[:4].isalnum()]
    return [(word[0], word[1], word[4], word[5], word[6])
            for word in words if word[0].count(":") == 2]


def test_table(machine):
    done = survey(machine)
    assert done.returncode == 1 and not done.stderr
    assert rows(done) == [(ONE, "0", "trapped", "relocated", "0x40001000"),
                          (TWO, "0", "trapped", "relocated", "0x40000000"),
                          (THREE, "0", "mapped", "in-place", "-")]
    assert f"; {TWO} BAR 0\n" in done.stdout
    assert f"IOMMU group 1 is bound as a whole: {ONE} {TWO}\n" in done.stdout
    assert " ohci-pci " in done.stdout
    assert done.stdout.endswith("3 of 3 devices have sub-page memory BARs: 3 BARs, 1 mapped, "
                                "2 trapped; with the module 3 mapped\n")


def test_some_devices_in_this_order(machine):
    done = survey(machine, TWO.removeprefix("0000:"), ONE)
    assert [row[:1] + row[3:] for row in rows(done)] == [(TWO, "relocated", "0x40001000"),
                                                         (ONE, "in-place", "-")]


@pytest.mark.parametrize("page_size, words", [(65536, []), (4096, ["--page-size", "65536"])])
def test_larger_pages(tmp_path, page_size, words):
    done = survey(packed(tmp_path / "copy", page_size=page_size), *words)
    assert rows(done) == [(ONE, "0", "trapped", "relocated", "0x40010000"),
                          (TWO, "0", "trapped", "relocated", "0x40020000"),
                          (THREE, "0", "trapped", "relocated", "0x40000000")]


def test_many_in_one_page(tmp_path):
    done = survey(many(tmp_path / "copy", 8))
    assert done.stdout.count("BAR 0 and 4 more\n") == 8
    assert len(json.loads(survey(many(tmp_path / "again", 8), "--json").stdout)
               ["bars"][0]["page_shared_with"]) == 7


def test_map(machine):
    done = survey(machine, "--map")
    assert done.returncode == 1
    assert done.stdout.splitlines()[:7] == [
        "0x40000000",
        "    +0x0        256  0000:02:01.0 BAR 0 QEMU PCI Test Device: trapped; "
        "with the module relocated to 0x40001000",
        "    +0x100      256  0000:02:02.0 BAR 0 QEMU PCI Test Device: trapped; "
        "with the module relocated to 0x40000000",
        "    +0x200     3584  free",
        "0x40005000",
        "    +0x0        256  0000:02:03.0 BAR 0 QEMU PCI Test Device: mapped; "
        "with the module in-place",
        "    +0x100     3840  free"]


def test_json(machine):
    done = survey(machine, "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert found["schema"] == 1 and found["page_size"] == 4096 and found["whole_tree"]
    assert found["bars"][0] == {
        "bdf": ONE, "vendor": "0x1b36", "device": "0x0005", "class": "0xff0000",
        "name": "QEMU PCI Test Device", "driver": "ohci-pci", "iommu_group": 1,
        "bound_with": [TWO], "bar": 0, "size": 256, "start": "0x40000000", "flags": "0x200",
        "page_shared_with": [{"bdf": TWO, "resource": 0, "name": None,
                              "start": "0x40000100", "end": "0x400001ff"}],
        "mmap": False, "held": False, "state": "relocated",
        "start_with_module": "0x40001000", "mmap_with_module": True}
    assert found["summary"] == {"devices": 3, "affected_devices": 3, "bars": 3, "mmap": 1,
                                "mmap_with_module": 3, "unknown": 0}


def test_every_key_of_the_json_is_documented(machine):
    page = (TOP / "Documentation/dev-tools/subpage-survey.rst").read_text(encoding="utf-8")
    found = json.loads(survey(machine, "--json").stdout)
    for part in (found, found["summary"], found["bars"][0], found["bars"][0]["page_shared_with"][0]):
        for key in part:
            assert f"``{key}``" in page


def test_nothing_is_trapped(machine):
    done = survey(machine, THREE)
    assert done.returncode == 0
    assert done.stdout.endswith("1 of 1 device has sub-page memory BARs: 1 BAR, 1 mapped, "
                                "0 trapped; with the module 1 mapped\n")


def test_something_stays_trapped(machine):
    iomem = machine.file("proc/iomem")
    iomem.write_text(iomem.read_text().replace(
        f"    40005000-400050ff : {THREE}\n", f"    40001000-40004fff : all else\n"
        f"    40005000-400050ff : {THREE}\n    40006000-4007ffff : all else\n"))
    done = survey(machine)
    assert done.returncode == 3
    assert [row[3] for row in rows(done)] == ["no-space", "no-space", "in-place"]


def test_parameters_of_the_module_count(machine):
    parameters = machine.file("sys/module/vfio_pci_subpage/parameters")
    parameters.mkdir(parents=True)
    (parameters / "exclude").write_text(f"1234:5678,{TWO}\n")
    (parameters / "relocate").write_text("yes\n")
    assert [row[3] for row in rows(survey(machine))] == ["relocated", "excluded", "in-place"]
    (parameters / "relocate").write_text("no\n")
    assert [row[3] for row in rows(survey(machine))] == ["excluded", "excluded", "in-place"]


def test_a_device_that_the_module_holds_is_shown_as_it_is(tmp_path):
    machine = Machine(tmp_path / "copy")
    machine.device(PORT, window=(0x40000000, 0x400fffff, 2))
    held = machine.device(ONE, PORT, driver="vfio-pci", bars=[(0, 0x40001000, 4096)])
    os.truncate(held / "resource0", 256)
    (held / "vfio_pci_subpage").mkdir()
    (held / "vfio_pci_subpage/bar0").write_text("relocated\n")
    (held / "vfio_pci_subpage/bar0_size").write_text("256\n")
    machine.device(TWO, PORT, bars=[(0, 0x40000100, 256), (1, 0x40000800, 256)])
    machine.write("40000000-4fffffff : PCI Bus 0000:00\n"
                  "  40000000-400fffff : PCI Bus 0000:02\n"
                  f"    40000100-400001ff : {TWO}\n"
                  f"    40000800-400008ff : {TWO}\n"
                  f"    40001000-40001fff : {ONE}\n")
    assert rows(survey(machine)) == [(ONE, "0", "mapped", "relocated", "-"),
                                     (TWO, "0", "trapped", "relocated", "0x40002000"),
                                     (TWO, "1", "trapped", "relocated", "0x40000000")]


def test_what_vfio_has_reserved_behind_an_open_bar_is_nobody_else(machine):
    iomem = machine.file("proc/iomem")
    iomem.write_text(iomem.read_text().replace(
        f"    40005000-400050ff : {THREE}\n",
        f"    40005000-400050ff : {THREE}\n    40005100-40005fff : vfio sub-page reserved\n"))
    assert rows(survey(machine))[2] == (THREE, "0", "mapped", "in-place", "-")


def test_without_addresses(machine):
    machine.file("proc/iomem").write_text("00000000-00000000 : System RAM\n")
    done = survey(machine)
    one_line(done, 1, "/proc/iomem shows no addresses", "root", "not known")
    assert [row[3] for row in rows(done)] == ["relocated", "relocated", "in-place"]
    assert not json.loads(survey(machine, "--json").stdout)["whole_tree"]


def test_no_pci_devices(tmp_path):
    done = survey(Machine(tmp_path / "copy"), "--page-size", "4096")
    one_line(done, 2, "copy/proc/iomem: missing")
    machine = Machine(tmp_path / "none")
    machine.write("00000000-0009ffff : System RAM\n")
    assert survey(machine).stdout == "0 of 0 devices have sub-page memory BARs\n"


# ---- wrong use ----

@pytest.mark.parametrize("words, said", [
    (["--frob"], "unknown option --frob"),
    (["nonsense"], "'nonsense' is not a PCI address"),
    (["--root", "/nowhere"], "/nowhere: No such file or directory"),
    (["--page-size", "4096"], "--page-size needs --root"),
    (["--root", "/", "--page-size", "5000"], "--page-size 5000"),
    (["--map", "--json"], "exclude each other"),
    (["--collect", "/nowhere/x"], "--collect /nowhere/x: No such file"),
    (["--collect", "/tmp"], "--collect /tmp: File exists: name a new directory"),
    (["--collect", "x", "--root", "/"], "--collect copies all of this machine"),
])
def test_wrong_use(words, said):
    one_line(run(SURVEY, *words), 2, said)


@pytest.mark.parametrize("bdf, said", [("0000:09:00.0", "no such PCI device"),
                                       (PORT, f"{PORT} is a bridge")])
def test_no_such_device(machine, bdf, said):
    one_line(survey(machine, bdf), 2, said)


def test_help_and_version():
    assert run(SURVEY, "--help").stdout.startswith("Usage: vfio-pci-subpage-survey")
    assert run(SURVEY, "--version").stdout.startswith("vfio-pci-subpage-survey ")


def test_output_that_cannot_be_written(machine):
    done = run("sh", "-c", '"$0" --root "$1" >/dev/full', SURVEY, machine.path)
    one_line(done, 2, "stdout: No space left on device")


# ---- copies ----

def test_a_copy_says_the_same(machine, tmp_path):
    """Of what is collected nothing is missing; a copy stands in for the machine."""
    done = run(SURVEY, "--collect", tmp_path / "collected")
    assert done.returncode == 0
    here, there = run(SURVEY), run(SURVEY, "--root", tmp_path / "collected")
    assert (here.returncode, here.stdout) == (there.returncode, there.stdout)
    devices = os.listdir("/sys/bus/pci/devices")
    assert sorted(os.listdir(tmp_path / "collected/sys/bus/pci/devices")) == sorted(devices)


@pytest.mark.parametrize("missing", ["page_size", "proc/iomem", RESOURCE, "sys/bus/pci/devices",
                                     f"sys/bus/pci/devices/{ONE}/config",
                                     f"sys/bus/pci/devices/{ONE}/vendor",
                                     f"sys/bus/pci/devices/{ONE}/class"])
def test_a_file_is_missing(machine, missing):
    if machine.file(missing).is_dir():
        shutil.rmtree(machine.file(missing))
    else:
        machine.file(missing).unlink()
    one_line(survey(machine), 2, str(machine.file(missing)))


LINE = "0x0000000040000000 0x00000000400000ff 0x0000000000000200\n"
EMPTY = "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"


@pytest.mark.parametrize("name, text, said", [
    (RESOURCE, "", "only 0 of a device's resources"),
    (RESOURCE, LINE * 3, "only 3 of a device's resources"),
    (RESOURCE, LINE * 7 + "0x0000", "line 8: not a resource: '0x0000'"),
    (RESOURCE, LINE * 30, "line 25"),
    (RESOURCE, LINE.replace("00ff 0x", "00ff\0x") * 7, "line 1"),
    # The end before the start, and all addresses that there are.
    (RESOURCE, "0x0000000040000100 0x00000000400000ff 0x200\n" + EMPTY * 6, "line 1"),
    (RESOURCE, "0x0 0xffffffffffffffff 0x200\n" + EMPTY * 6, "line 1"),
    (RESOURCE, "0x0 0xfffffffffffffffff0 0x200 1\n" + EMPTY * 6, "line 1"),
    (RESOURCE, "0x" + "1" * 100000, "resource: more than"),
    ("page_size", "4097\n", "page_size: not the size of a page"),
    ("page_size", "0\n", "not the size of a page"),
    ("page_size", "18446744073709551616\n", "not the size of a page"),
    ("page_size", "4096", "not the size of a page"),
    ("page_size", "\033[2J\n", "'?[2J'"),
    ("proc/iomem", "", "proc/iomem: missing, empty"),
    ("proc/iomem", "1000-1fff : a\n2000-", "a last line without end"),
    ("proc/iomem", "1000-1fff : a\nrubbish\n", "proc/iomem:2: not a resource: 'rubbish'"),
    ("proc/iomem", "2000-1fff : a\n", "proc/iomem:1: not a resource"),
    ("proc/iomem", "1000-1fff : " + "a" * 100000 + "\n", "proc/iomem:2: not a resource"),
    (f"sys/bus/pci/devices/{ONE}/vendor", "0x12345\n", "vendor: 0x12345 is too large"),
    (f"sys/bus/pci/devices/{ONE}/vendor", "nonsense\n", "vendor: not a number: 'nonsense'"),
    (f"sys/bus/pci/devices/{ONE}/config", "short", "config: not as long as 64 bytes"),
])
def test_a_file_is_not_what_a_kernel_writes(machine, name, text, said):
    machine.file(name).write_text(text)
    one_line(survey(machine), 2, said, str(machine.file(name)))


def outside(machine):
    """A link to what is not in the copy, where it would be read."""
    secret = machine.path.parent / "secret"
    secret.write_text(LINE * 7)
    return secret


@pytest.mark.parametrize("make, said", [
    (lambda file, machine: file.symlink_to(outside(machine)), "leads out of the directory"),
    (lambda file, machine: file.symlink_to("../" * 30 + "etc/passwd"), "leads out"),
    (lambda file, machine: file.symlink_to("/proc/self/fd/0"), "leads out of the directory"),
    (lambda file, machine: file.symlink_to(file.name), "Too many levels of symbolic links"),
    (lambda file, machine: os.mkfifo(file), "not a plain file"),
    (lambda file, machine: file.mkdir(), "not a plain file"),
    (lambda file, machine: os.truncate(os.open(file, os.O_WRONLY | os.O_CREAT), 1 << 40),
     "more than"),
])
@pytest.mark.parametrize("name", [RESOURCE, "proc/iomem"])
def test_a_file_is_something_else(machine, name, make, said):
    file = machine.file(name)
    file.unlink()
    make(file, machine)
    one_line(survey(machine), 2, said, str(file))


@pytest.mark.parametrize("name", ["passwd", "0000:00:99.0", "0000:00:01.0.more", "x" * 200])
def test_a_device_that_is_none(machine, name):
    machine.file(f"sys/bus/pci/devices/{name}").mkdir()
    one_line(survey(machine), 2, name[:40], "not a PCI address")


def test_a_device_that_is_elsewhere(machine):
    device = machine.file(f"sys/bus/pci/devices/{ONE}")
    device.unlink()
    device.symlink_to(f"/sys/bus/pci/devices/{sorted(os.listdir('/sys/bus/pci/devices'))[0]}")
    one_line(survey(machine), 2, str(device), "leads out of the directory")


def test_what_a_terminal_would_obey_is_not_printed(machine):
    iomem = machine.file("proc/iomem")
    iomem.write_text(iomem.read_text().replace(f"    40000100-400001ff : {TWO}\n",
                                               f"    40000100-400001ff : {TWO}\n"
                                               "    40000200-400002ff : \033[31mred\n"))
    done = survey(machine)
    assert "'?[31mred'" in done.stdout
    assert "\033" not in done.stdout + survey(machine, "--json").stdout


def damage(chance, text):
    """The same, half-written or with other bytes in it."""
    if chance.random() < 0.5:
        return text[:chance.randrange(len(text) + 1)]
    text = bytearray(text)
    for _ in range(chance.randrange(1, 8)):
        text[chance.randrange(len(text))] = chance.choice(b"0f:-. \n\0\xff/x")
    return bytes(text)


def test_damaged_copies_end_with_an_exit_code(machine):
    """Every file in turn, and again; never a crash, nor a line that says nothing."""
    files = [file for file in sorted(machine.path.rglob("*"))
             if file.is_file() and not file.is_symlink() and file.stat().st_size]
    chance = random.Random(7)
    codes = set()
    for number in range(12 * len(files)):
        file = files[number % len(files)]
        whole = file.read_bytes()
        file.write_bytes(damage(chance, whole))
        done = run(SURVEY, "--root", machine.path, chance.choice(["--map", "--json"]))
        file.write_bytes(whole)
        codes.add(done.returncode)
        assert done.returncode in (0, 1, 2, 3), file
        assert done.returncode != 2 or done.stderr.count("\n") == 1
    assert {1, 2} <= codes


# ---- many ----

def test_a_thousand_devices(tmp_path):
    """All that are packed get pages; the time is told, and not judged."""
    machine = many(tmp_path / "copy", 1000)
    begin = time.monotonic()
    done = survey(machine)
    print(f"1,000 devices: {time.monotonic() - begin:.3f} s")
    assert done.returncode == 1
    assert done.stdout.endswith("1000 of 1000 devices have sub-page memory BARs: 1000 BARs, "
                                "0 mapped, 1000 trapped; with the module 1000 mapped\n")
