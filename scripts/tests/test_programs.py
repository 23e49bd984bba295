# SPDX-License-Identifier: GPL-2.0-only
"""The suite's programs, used wrongly: an exit code, and one line that names the thing."""
import pathlib

import pytest
from stand_ins import TOP, one_line, run
from test_kselftest import vfio_bound

SUITE = TOP / "build/suite"


@pytest.fixture(scope="module", autouse=True)
def _suite():
    assert run(TOP / "scripts/build/suite.sh", SUITE).returncode == 0


@pytest.mark.parametrize("name, words", [
    ("test", ["0000:fe:1f.7"]),
    ("test", ["nonsense"]),
    ("test", ["--profiles", "/nowhere"]),
    ("perf", ["0000:fe:1f.7"]),
    ("perf", ["--paths", "mmmap"]),
    ("perf", ["--batch", "10000000"]),
    ("perf", ["-l"]),
    ("open", ["--batch"]),
])
def test_wrong_use(name, words):
    one_line(run(SUITE / f"vfio_pci_subpage_{name}", *words), 1, words[-1])


def test_a_profile_with_a_mistake_is_named(tmp_path):
    (tmp_path / "a.profile").write_text(
        "device 1234:11e8\nregister bar=9 offset=0 width=4 access=ro\n")
    one_line(run(SUITE / "vfio_pci_subpage_test", "--profiles", tmp_path), 1, "a.profile:2: ")


def test_a_device_that_is_not_bound_is_named():
    unbound = [path.name for path in pathlib.Path("/sys/bus/pci/devices").glob("*")
               if not (path / "vfio-dev").exists()]
    if not unbound:
        pytest.skip("this host has no PCI device that is not bound to VFIO")
    one_line(run(SUITE / "vfio_pci_subpage_test", unbound[0]), 1, unbound[0])


@pytest.mark.skipif(vfio_bound(), reason="devices are bound to VFIO here, and would be tested")
def test_nothing_bound_is_a_skip():
    done = run(SUITE / "vfio_pci_subpage_test", VFIO_SELFTESTS_BDF="")
    assert done.returncode == 4
    assert "# SKIP" in done.stdout
