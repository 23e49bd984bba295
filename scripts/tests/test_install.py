# SPDX-License-Identifier: GPL-2.0-only
"""make: what it lists, and what it installs."""
import re
import shutil

import pytest
from stand_ins import TOP, run


def test_help_lists_every_target():
    makefile = (TOP / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY:(.*)$", makefile, re.MULTILINE)[1].split()
    listed = re.findall(r"^make ([\w-]+)", run("make", "help").stdout, re.MULTILINE)
    assert sorted({*targets} - {"all", "help"}) == sorted(listed)


def test_no_headers():
    done = run("make", "-s", "modules", "KDIR=/nowhere")
    assert done.returncode == 2
    assert "/nowhere: no kernel headers there" in done.stderr


@pytest.fixture(name="root", scope="module")
def _root(tmp_path_factory):
    """A root with a kernel's own modules, in which "make install" was run."""
    root = tmp_path_factory.mktemp("root")
    kernel = run(TOP / "scripts/build/fetch-kernel.sh", "x86_64-4k").stdout.strip()
    with open(f"{kernel}/release", encoding="utf-8") as file:
        release = file.read().strip()
    modules = root / "lib/modules" / release
    modules.mkdir(parents=True)
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        shutil.copy(f"{kernel}/modules/{name}", modules)
    shutil.copytree(f"{kernel}/modules/kernel/drivers", modules / "kernel/drivers")
    shutil.copytree(f"{kernel}/modules/kernel/virt", modules / "kernel/virt")
    done = run("make", "install", f"DESTDIR={root}", "PREFIX=/usr", f"INSTALL_MOD_PATH={root}",
               f"KDIR={kernel}/build")
    assert done.returncode == 0
    return root, release


def test_each_command_runs_where_it_was_installed(root):
    assert (root[0] / "usr/libexec/vfio-pci-subpage/profiles/nvme.profile").stat().st_size
    commands = sorted((root[0] / "usr/bin").iterdir())
    assert {"vfio-bind", "vfio-restore", "vfio-pci-subpage-report", "vfio-pci-subpage-run",
            "vfio-pci-subpage-survey", "vfio-pci-subpage-test"} <= {command.name for command in commands}
    for command in commands:
        done = run(command, "--help")
        assert done.returncode == 0 and done.stdout.lower().startswith("usage: ")
    assert not list(root[0].rglob("__pycache__"))


def modprobe(root, release, module, tmp_path):
    """What it would do on a machine that runs that kernel, with the softdep."""
    shutil.copy(TOP / "scripts/package/modprobe.conf", tmp_path / "subpage.conf")
    return run("/sbin/modprobe", "-C", tmp_path, "-n", "-v", "-d", root, "-S", release, module)


def test_softdep_loads_the_module_first(root, tmp_path):
    done = modprobe(*root, "vfio-pci", tmp_path)
    loaded = re.findall(r"/(vfio_pci_subpage|vfio-pci)\.ko", done.stdout)
    assert loaded == ["vfio_pci_subpage", "vfio-pci"]


def test_a_host_with_another_kernel_is_told(root, tmp_path):
    done = modprobe(root[0], "6.12.0-other", "vfio_pci_subpage", tmp_path)
    assert done.returncode != 0
    assert "vfio_pci_subpage not found in directory" in done.stderr
