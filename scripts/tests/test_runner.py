# SPDX-License-Identifier: GPL-2.0-only
"""vm/run.py when QEMU or the guest goes wrong: it says why, boots a guest that has not come
to its init once more, and leaves nothing behind."""
import json
import re
import signal

import pytest
from stand_ins import TOP, one_line, program, run, running, start, wait_for
from vm import qemu

# It goes as far as $QEMU says.
QEMU = """#!/usr/bin/python3
import os, pathlib, socket, sys, time
if "-S" in sys.argv:
    sys.exit("a stand-in has no KVM")
how, pids = os.environ["QEMU"], pathlib.Path(os.environ["HERE"], "pids")
with open(pids, "a") as file:
    print(os.getpid(), file=file)
path = pathlib.Path(sys.argv[sys.argv.index("-qmp") + 1].split(":")[1].split(",")[0])
path.unlink(missing_ok=True)
server = socket.socket(socket.AF_UNIX)
server.bind(str(path))
server.listen()
client = server.accept()[0].makefile("rw")
print('{"QMP": {}}', file=client, flush=True)
client.readline()
if how == "fails":
    sys.exit("the stand-in does not like it here")
if how == "is old":
    sys.exit("qemu: -device x: 'edu' is not a valid device model name")
print('{"return": {}}', file=client, flush=True)
if how == "slow":
    time.sleep(2.5)
if how == "slow" or how.endswith("late"):
    print("@@booted", flush=True)
if how == "dies once" and pids.read_text().count("\\n") > 1:
    print("@@booted", flush=True)
    pathlib.Path(os.environ["HERE"], "share/exit-status").write_text("0\\n")
    sys.exit()
if how.startswith("panics"):
    print("[    1.0] int3: 0000 [#1] PREEMPT SMP\\n[    1.1] Rebooting", flush=True)
    sys.exit()
if how.startswith("dies"):
    print("[    1.0] a line", flush=True)
    sys.exit("the stand-in has had enough")
print("[    1.0] a line\\n[    2.0] half a", end="", flush=True)
time.sleep(60)
"""


@pytest.fixture(name="kernel", scope="module")
def _kernel():
    return run(TOP / "scripts/build/fetch-kernel.sh", "x86_64-4k").stdout.strip()


@pytest.fixture(name="here")
def _here(tmp_path):
    program(tmp_path / "bin/qemu-system-x86_64", QEMU)
    (tmp_path / "run").mkdir()
    return tmp_path


def runner(do, here, kernel, how, *words):
    """run or start it, with a QEMU that behaves so."""
    return do(TOP / "scripts/vm/run.py", "--kernel", kernel, "--topology", "minimal",
              "--share", here / "share", *words,
              bin_dir=here / "bin", HERE=here, QEMU=how, TMPDIR=here / "run")


def again(done):
    """Why it has booted once more, each time."""
    return re.findall(r"^vm: the guest died before its init \((.*)\): booting once more$",
                      done.stderr, re.MULTILINE)


@pytest.mark.parametrize("how, pattern", [
    ("fails", "the stand-in does not like it here"),
    ("dies", "the stand-in has had enough"),
    ("dies", "QEMU ended with exit code 1"),
    ("dies", "the guest died before its init again$"),
    ("hangs", r"the guest did not come to its init within 1 s \(--boot-limit\)"),
    ("hangs late", "the guest did not end within 1 s .* limit= in .*/x86_64-4k.conf"),
    ("hangs", re.escape("[    2.0] half a")),
])
def test_the_job_did_not_end(here, kernel, how, pattern):
    # What an earlier guest left is not this one's.
    (here / "share").mkdir()
    (here / "share/exit-status").write_text("0\n")
    (here / "share/ktap.log").write_text("ok 1\n")
    done = runner(run, here, kernel, how, "--boot-limit", "1", "--limit", "1")
    assert done.returncode == 3
    assert re.search(f"^vm: *{pattern}", done.stderr, re.MULTILINE)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("how, boots, why", [
    ("dies", 2, "QEMU ended with exit code 1"),
    ("panics", 2, "[    1.0] int3: 0000 [#1] PREEMPT SMP"),
    ("slow", 2, "the guest did not come to its init within 1 s (--boot-limit)"),
    ("fails", 1, None),
    ("dies late", 1, None),
    ("panics late", 1, None),
    ("hangs late", 1, None),
])
def test_only_a_boot_without_init_is_repeated(here, kernel, how, boots, why):
    done = runner(run, here, kernel, how, "--boot-limit", "1", "--limit", "3")
    assert done.returncode == 3
    assert (here / "pids").read_text().count("\n") == boots
    assert again(done) == ([why] if why else [])


def test_the_second_boot_counts(here, kernel):
    done = runner(run, here, kernel, "dies once")
    assert done.returncode == 0
    assert again(done) == ["QEMU ended with exit code 1"]
    # What is known of the first one is kept, and is not the second one's.
    assert (here / "share/lost-boot.log").read_text() == "[    1.0] a line"
    assert "a line" not in (here / "share/dmesg.log").read_text()


def test_firmware_is_there_and_takes_unsigned_modules(tmp_path, monkeypatch):
    monkeypatch.setattr(qemu, "FIRMWARE", (str(tmp_path),))
    (tmp_path / "code.fd").touch()
    for name, features, code, arch in (("1", ["secure-boot"], "code.fd", "aarch64"),
                                       ("2", [], "gone.fd", "aarch64"),
                                       ("3", [], "code.fd", "x86_64"),
                                       ("4", [], "code.fd", "aarch64")):
        (tmp_path / f"{name}.json").write_text(json.dumps({
            "interface-types": ["uefi"], "features": features,
            "targets": [{"architecture": arch, "machines": ["virt-*"]}],
            "mapping": {"executable": {"filename": str(tmp_path / code), "format": "f" + name}}}))
    assert "format=f4," in qemu.firmware("arm64", "uefi")[1]
    assert not qemu.firmware("arm64", "")


def test_missing_firmware_has_a_remedy(here, kernel):
    done = runner(run, here, kernel, "hangs", "--firmware", "none-such")
    one_line(done, 2, "vm: firmware none-such for x86_64: ", "install the package")


def test_a_device_that_qemu_lacks_has_a_remedy(here, kernel):
    done = runner(run, here, kernel, "is old")
    assert done.returncode == 2
    assert done.stderr.splitlines()[1:] == [
        "vm: minimal: QEMU here has no device edu: put a newer QEMU first in PATH, such as "
        "that of Debian's backports, or use another TOPOLOGY"]


def test_a_signal_ends_qemu_too(here, kernel):
    one = runner(start, here, kernel, "hangs")
    pid = here / "pids"
    wait_for(lambda: pid.exists() and pid.read_text())
    one.send_signal(signal.SIGTERM)
    one.communicate(timeout=30)
    assert one.returncode == 128 + signal.SIGTERM
    wait_for(lambda: not running(int(pid.read_text())))
    assert not list((here / "run").iterdir())
