# SPDX-License-Identifier: GPL-2.0-only
"""vm/run.py when QEMU goes wrong: it says why, and leaves nothing behind."""
import re
import signal

import pytest
from stand_ins import TOP, program, run, running, start, wait_for

# It goes as far as $QEMU says.
QEMU = """#!/usr/bin/python3
import os, pathlib, socket, sys, time
if "-S" in sys.argv:
    sys.exit("a stand-in has no KVM")
pathlib.Path(os.environ["HERE"], "pid").write_text(str(os.getpid()))
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[sys.argv.index("-qmp") + 1].split(":")[1].split(",")[0])
server.listen()
client = server.accept()[0].makefile("rw")
print('{"QMP": {}}', file=client, flush=True)
client.readline()
if os.environ["QEMU"] == "fails":
    sys.exit("the stand-in does not like it here")
print('{"return": {}}', file=client, flush=True)
if os.environ["QEMU"] == "dies":
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


@pytest.mark.parametrize("how, pattern", [
    ("fails", "the stand-in does not like it here"),
    ("dies", "the stand-in has had enough"),
    ("dies", "QEMU ended with exit code 1"),
    ("hangs", "it never came to its job: .*limit= in .*/x86_64-4k.conf"),
    ("hangs", re.escape("[    2.0] half a")),
])
def test_the_job_did_not_end(here, kernel, how, pattern):
    # What an earlier guest left is not this one's.
    (here / "share").mkdir()
    (here / "share/exit-status").write_text("0\n")
    (here / "share/ktap.log").write_text("ok 1\n")
    done = runner(run, here, kernel, how, "--limit", "1")
    assert done.returncode == 3
    assert re.search(f"^vm: *{pattern}", done.stderr, re.MULTILINE)
    assert "Traceback" not in done.stderr


def test_a_signal_ends_qemu_too(here, kernel):
    one = runner(start, here, kernel, "hangs")
    pid = here / "pid"
    wait_for(lambda: pid.exists() and pid.read_text())
    one.send_signal(signal.SIGTERM)
    one.communicate(timeout=30)
    assert one.returncode == 128 + signal.SIGTERM
    wait_for(lambda: not running(int(pid.read_text())))
    assert not list((here / "run").iterdir())
