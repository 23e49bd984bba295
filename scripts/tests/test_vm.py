# SPDX-License-Identifier: GPL-2.0-only
"""What vm/run.py tells a guest of its devices, and what it adds for it."""
import subprocess
import sys

import pytest
from stand_ins import TOP

sys.path.insert(0, str(TOP / "scripts/vm"))
# pylint: disable=wrong-import-position,import-error
import disk
import qemu
import run
import topology

TOPOLOGY = """
test sdhci-pci,id=there,bus=phb1.0,addr=2
hotplug nvme,id=later,bus=phb2.0,addr=1
"""


class Monitor(qemu.Qmp):
    """A QEMU with two host bridges, of which only the second has an index."""

    def __init__(self):    # pylint: disable=super-init-not-called
        self.buses = {0: [("there", 2)], 1: [("", 3)]}

    def device_add(self, args):
        driver, dev = args.split(",")[:2]
        assert driver == "nvme"
        self.buses[1].append((dev.removeprefix("id="), 1))

    def command(self, name, **arguments):
        if name == "query-pci":
            return [{"devices": [{"qdev_id": dev, "bus": 0, "slot": slot, "function": 0}
                                 for dev, slot in devices]} for devices in self.buses.values()]
        if arguments["property"] == "parent_bus":
            return "/machine/q35/pcie.0" if arguments["path"].endswith("there") else "/phb2/phb2.0"
        if arguments["path"] == "/phb2":
            return 2
        raise qemu.QmpError("no such property")


@pytest.fixture(name="guest")
def _guest(tmp_path):
    path = tmp_path / "one.topo"
    path.write_text(TOPOLOGY, encoding="utf-8")
    return run.Guest(None, Monitor(), tmp_path, topology.load(path))


def test_hotplugged_devices_are_told_when_they_are_there(guest):
    assert guest.serve("devices") == "there 0000:00:02.0 keep\n"
    assert guest.serve("plug") == "0002:00:01.0\n"
    assert guest.serve("devices") == "there 0000:00:02.0 keep\nlater 0002:00:01.0 pack\n"


def test_a_device_that_must_be_there_is_missed(guest):
    guest.qmp.buses[0].clear()
    with pytest.raises(KeyError):
        guest.serve("devices")


@pytest.fixture(name="image")
def _image(tmp_path):
    """A disk image with what a directory has in it."""
    root, path = tmp_path / "root", tmp_path / "disk.img"
    (root / "boot").mkdir(parents=True)
    (root / "boot/vmlinuz-2").write_text("the kernel")
    (root / "vmlinuz").symlink_to("boot/vmlinuz-2")
    (root / "initrd.img").symlink_to("boot/initrd.img-2")

    def make(initrd):
        if initrd:
            (root / "boot/initrd.img-2").write_text(initrd)
        subprocess.run(["/sbin/mke2fs", "-q", "-d", root, path, "1M"], check=True)
        return str(path)
    return make


def test_a_disk_says_what_is_booted(image, tmp_path):
    kernel, initrd = disk.extract(image("its initramfs"), tmp_path)
    assert (open(kernel, encoding="utf-8").read(), open(initrd, encoding="utf-8").read()) == \
        ("the kernel", "its initramfs")


def test_a_disk_without_initramfs_is_named(image, tmp_path):
    with pytest.raises(disk.DiskError, match="disk.img: has no /initrd.img"):
        disk.extract(image(None), tmp_path)


def test_a_disk_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(disk.DiskError, match="nowhere.img: does not exist"):
        disk.extract(str(tmp_path / "nowhere.img"), tmp_path)
