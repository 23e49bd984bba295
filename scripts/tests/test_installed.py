# SPDX-License-Identifier: GPL-2.0-only
"""installed-kernel.sh takes the kernel of this machine, and says why it cannot."""
import os

import pytest
from stand_ins import TOP, one_line, run

INSTALLED = TOP / "scripts/build/installed-kernel.sh"
RELEASE = os.uname().release


@pytest.fixture(name="system")
def _system(tmp_path):
    """One with a kernel of the running one's release, and its headers."""
    for name, text in (("boot/vmlinuz-" + RELEASE, "kernel"),
                       (f"lib/modules/{RELEASE}/modules.dep", "text"),
                       (f"lib/modules/{RELEASE}/build/Module.symvers", "text"),
                       (f"lib/modules/{RELEASE}/build/.config", "CONFIG_VFIO_PCI=m\n")):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def of_build(system):
    """Its headers' directory."""
    return system / "lib/modules" / RELEASE / "build"


def test_the_running_kernel(system):
    done = run(INSTALLED, ROOT=system)
    assert (done.returncode, done.stderr) == (0, "")
    entry = done.stdout.strip()
    for name, text in (("vmlinuz", "kernel"), ("release", RELEASE + "\n"),
                       (f"lib/modules/{RELEASE}/modules.dep", "text"),
                       ("build/Module.symvers", "text")):
        with open(f"{entry}/{name}", encoding="utf-8") as file:
            assert file.read() == text


# As newer distributions have it.
def test_a_kernel_beside_its_modules(system):
    os.rename(system / f"boot/vmlinuz-{RELEASE}", system / f"lib/modules/{RELEASE}/vmlinuz")
    assert run(INSTALLED, ROOT=system).returncode == 0
    assert run(INSTALLED, ROOT=system,
               KERNEL=system / f"lib/modules/{RELEASE}/vmlinuz").returncode == 0


@pytest.mark.parametrize("kernel, said", [
    ("boot/vmlinuz-9.9", "no such file"), ("boot/bzImage", "no release in its name")])
def test_no_such_kernel(system, kernel, said):
    one_line(run(INSTALLED, ROOT=system, KERNEL=system / kernel), 1, kernel, said)


def test_a_container_has_none(system):
    (system / f"boot/vmlinuz-{RELEASE}").unlink()
    one_line(run(INSTALLED, ROOT=system), 1, RELEASE, "not on this machine's disk", "set KERNEL=")


def test_no_headers(system):
    (of_build(system) / "Module.symvers").unlink()
    one_line(run(INSTALLED, ROOT=system), 1, "headers are not there", "install linux-headers-")


@pytest.mark.parametrize("config, said", [
    ("", "built without VFIO"),
    ("CONFIG_VFIO_PCI=m\nCONFIG_MODULE_SIG_FORCE=y\n", "loads signed modules only")])
def test_a_kernel_that_will_not_do(system, config, said):
    (of_build(system) / ".config").write_text(config)
    one_line(run(INSTALLED, ROOT=system), 1, RELEASE, said, "use another kernel")
