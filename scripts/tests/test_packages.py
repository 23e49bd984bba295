# SPDX-License-Identifier: GPL-2.0-only
"""packages.sh installs what was asked for, and only that. Nothing is installed here."""
import pytest
from stand_ins import TOP, one_line, program, run

PACKAGES = TOP / "scripts/packages.sh"


@pytest.fixture(name="here")
def _here(tmp_path):
    """A machine without the packages, whose user cannot become root."""
    program(tmp_path / "bin/dpkg-query", "#!/bin/sh\nexit 1\n")
    program(tmp_path / "bin/apt-get", f'#!/bin/sh\necho "$*" >>{tmp_path}/asked\nexit 100\n')
    program(tmp_path / "bin/sudo", "#!/bin/sh\nexit 1\n")
    program(tmp_path / "bin/id", "#!/bin/sh\necho 1000\n")
    return tmp_path


def test_asking_installs_nothing(here):
    one_line(run(PACKAGES, "-n", "vm", bin_dir=here / "bin"), 1, "missing packages: ", "qemu")
    assert not (here / "asked").exists()


def test_without_root_the_list_is_said(here):
    done = run(PACKAGES, "vm", bin_dir=here / "bin")
    assert done.returncode == 1
    assert "as root, run: apt-get install" in done.stderr.splitlines()[-1]
    assert not (here / "asked").exists()


def test_root_is_told_to_remove_nothing(here):
    program(here / "bin/id", "#!/bin/sh\necho 0\n")
    assert run(PACKAGES, "vm", bin_dir=here / "bin").returncode == 1
    installs = [line for line in (here / "asked").read_text().splitlines() if "install" in line]
    assert installs and all("--no-remove" in line for line in installs)


@pytest.mark.parametrize("version, status", [("5.2.0", 1), ("7.2.0", 0), ("10.0.2", 0)])
def test_version_of_qemu(here, version, status):
    program(here / "bin/dpkg-query", '#!/bin/sh\nfor p; do echo installed; done | tail -n +4\n')
    program(here / "bin/qemu-system-x86_64",
            f'#!/bin/sh\necho "QEMU emulator version {version} (Debian)"\n')
    done = run(PACKAGES, "vm", bin_dir=here / "bin")
    assert done.returncode == status
    assert ("is too old" in done.stderr) == (status == 1)
