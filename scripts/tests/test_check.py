# SPDX-License-Identifier: GPL-2.0-only
"""check.sh counts what there was, and leaves nothing running."""
import pathlib
import shutil
import signal

import pytest
from stand_ins import TOP, one_line, program, run, start, wait_for


@pytest.fixture(name="check")
def _check(tmp_path):
    """A copy of it, to which a test can add parts."""
    shutil.copytree(TOP / "scripts", tmp_path / "scripts")
    program(tmp_path / "scripts/packages.sh", "#!/bin/true\n")
    return tmp_path / "scripts/check.sh"


def part(check, text):
    """One named "some"."""
    program(check.parent / "tests/some-test.sh", "#!/bin/bash\n" + text)


def last_line(done):
    """The totals."""
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("variables, last", [({}, "platforms"), ({"ALL": "1"}, "matrix")])
def test_which_parts_there_are(check, variables, last):
    for path in check.parent.glob("tests/*-test.sh"):
        program(path, "#!/bin/sh\necho ok 1 a\n")
    done = run(check, **variables)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-2].split()[0] == last


def test_unknown_part(check):
    one_line(run(check, "nonsense"), 1, "nonsense: no such test")


@pytest.mark.parametrize("status, text, totals", [
    (0, "echo ok 1 a; echo 'ok 2 b # SKIP no device'", "1 passed, 0 failed, 1 skipped"),
    (1, "echo ok 1 a; echo not ok 2 b; exit 1", "1 passed, 1 failed, 0 skipped"),
    # It has not counted what it did not run.
    (1, "echo ok 1 a; exit 1", "1 passed, 1 failed, 0 skipped"),
    (1, "exit 3", "0 passed, 1 failed, 0 skipped"),
    (0, "echo '    ok 1 a'; echo '    ok 2 b'; echo ok 1 sum", "2 passed, 0 failed, 0 skipped"),
    # What INT does to a test is up to that: one tests it.
    (0, "bash -c 'trap \"exit 7\" INT; kill -INT $$; exit 1'; [ $? = 7 ] && echo ok 1 int",
     "1 passed, 0 failed, 0 skipped"),
])
def test_totals(check, status, text, totals):
    part(check, text)
    done = run(check, "some")
    assert done.returncode == status
    assert last_line(done) == totals


def test_totals_of_pytest(check):
    (check.parent / "tests/test_some.py").write_text("""
import pytest
@pytest.mark.parametrize("n", range(3))
def test_skips(n):
    pytest.skip("no device")
def test_passes():
    pass
def test_fails():
    assert False
""")
    part(check, "exec scripts/tests/pytest.sh scripts/tests/test_some.py")
    done = run(check, "some")
    assert done.returncode == 1
    assert last_line(done) == "1 passed, 1 failed, 3 skipped"
    assert "skipped: 3 no device" in done.stdout
    assert "test_some.test_fails" in done.stdout


def test_a_signal_leaves_nothing(check):
    """Neither the test, nor what that waits for, nor what tells of both."""
    top = check.parents[1]
    part(check, f"trap 'exit 143' TERM\nsh -c 'touch {top}/started; sleep 60; :'\n")
    one = start(check, "some")
    wait_for((top / "started").exists)
    one.send_signal(signal.SIGTERM)
    one.communicate(timeout=30)
    assert one.returncode == 128 + signal.SIGTERM

    def here(cwd):
        try:
            return cwd.readlink() == top
        except OSError:
            return False
    wait_for(lambda: not any(map(here, pathlib.Path("/proc").glob("[0-9]*/cwd"))))
