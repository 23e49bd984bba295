# SPDX-License-Identifier: GPL-2.0-only
"""What vm/run.py tells a guest of its devices, and what it adds for it."""
import sys

import pytest
from stand_ins import TOP

sys.path.insert(0, str(TOP / "scripts/vm"))
# pylint: disable=wrong-import-position,import-error
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
