# SPDX-License-Identifier: GPL-2.0-only
"""Programs that stand in for others, and running what meets them."""
import os
import pathlib
import subprocess
import time

TOP = pathlib.Path(__file__).parents[2]


def program(path, text):
    """An executable with this text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def environment(bin_dir=None, **variables):
    """This one's, with these variables, and what bin_dir has before anything else."""
    env = {**os.environ, **{name: str(value) for name, value in variables.items()}}
    if bin_dir:
        env["PATH"] = f"{bin_dir}:{env['PATH']}"
    return env


def run(*command, bin_dir=None, **variables):
    """The command in the top directory: how it ended, and what it said, which pytest
    shows of a test that failed."""
    done = subprocess.run([str(word) for word in command], cwd=TOP, check=False, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True,
                          env=environment(bin_dir, **variables))
    print(*command, "->", done.returncode)
    print(done.stdout + done.stderr)
    return done


def start(*command, bin_dir=None, **variables):
    """The same in the background. Signals that whoever started this ignores do not count:
    a shell cannot undo that."""
    return subprocess.Popen(["env", "--default-signal=HUP,INT,TERM", *map(str, command)],
                            cwd=TOP, text=True, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            env=environment(bin_dir, **variables))


def wait_for(condition, seconds=30):
    """Until it holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.05)


def one_line(done, status, *words):
    """It ended so, with one line on stderr that has these words."""
    assert done.returncode == status
    assert done.stderr.count("\n") == 1
    for word in words:
        assert word in done.stderr


def running(pid):
    """Whether that process is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
