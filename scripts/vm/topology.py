# SPDX-License-Identifier: GPL-2.0-only
"""Topologies: which devices the reference VM has, as data.

A topology file has one directive a line; '#' starts a comment.

    memory SIZE         guest memory (default 1G)
    cpus OPTIONS        QEMU's -smp (default 2)
    machine OPTIONS     appended to QEMU's -machine
    acpi FILE           source of an ACPI table, beside this file, which the kernel adds
                        to those of the firmware (CONFIG_ACPI_TABLE_UPGRADE)
    image NAME BYTES    makes {dir}/NAME, a disk image full of zeros
    object ARGS         passed to QEMU as -object ARGS; drive, netdev, numa likewise
    device ARGS         passed to QEMU as -device ARGS
    test ARGS           the same, and the device is one under test; needs id=
    hotplug ARGS        a device under test that the guest has hot-added before the
                        tests: the kernel packs it, then and as with the next one
    pack ID             before the tests the guest clears the BARs of the device
                        under test with that id= and rescans, so that the kernel
                        packs it with the others treated so (SeaBIOS gives every
                        BAR a page of its own)

{dir} in ARGS stands for a scratch directory of the run.
"""
import os
import re

PASSED = ("object", "drive", "netdev", "numa")


class TopologyError(Exception):
    """A topology file that cannot be used; the message names file and line."""


class Topology:
    """What a topology file says."""

    def __init__(self):
        self.memory = "1G"
        self.cpus = "2"
        self.machine = ""
        self.tables = []
        self.images = []
        self.qemu_args = []
        self.tested = []
        self.packed = []
        self.hotplug = {}

    def test_devices(self):
        """Lines for the guest: id and 'pack' or 'keep', in the file's order."""
        return [(dev, "pack" if dev in self.packed else "keep") for dev in self.tested]


def _device_id(args):
    match = re.search(r"(?:^|,)id=([^,]+)", args)
    return match.group(1) if match else None


def load(path):
    """Read a topology file. Raises TopologyError or OSError."""
    topology = Topology()
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            words = line.split("#", 1)[0].split(None, 1)
            if not words:
                continue
            if len(words) < 2:
                raise TopologyError(f"{path}:{number}: '{words[0]}' needs an argument")
            try:
                _directive(topology, words[0], words[1].strip(), os.path.dirname(path))
            except ValueError as error:
                raise TopologyError(f"{path}:{number}: {error}") from None
    for dev in topology.packed:
        if dev not in topology.tested:
            raise TopologyError(f"{path}: pack {dev}: no device under test has this id")
    return topology


def make_images(topology, directory):
    """Make the disk images of a topology in a directory; they take no space."""
    for name, size in topology.images:
        with open(os.path.join(directory, name), "wb") as file:
            file.truncate(size)


def _directive(topology, word, args, directory):
    if word == "memory":
        topology.memory = args
    elif word == "cpus":
        topology.cpus = args
    elif word == "machine":
        topology.machine = args
    elif word == "acpi":
        topology.tables.append(os.path.join(directory, args))
    elif word == "image":
        name, size = args.split()
        topology.images.append((name, int(size)))
    elif word in PASSED:
        topology.qemu_args += [f"-{word}", args]
    elif word == "device":
        topology.qemu_args += ["-device", args]
    elif word in ("test", "hotplug"):
        dev = _device_id(args)
        if not dev:
            raise ValueError("a device under test needs id=")
        if dev in topology.tested:
            raise ValueError(f"two devices have the id {dev}")
        topology.tested.append(dev)
        if word == "test":
            topology.qemu_args += ["-device", args]
        else:
            topology.hotplug[dev] = args
            topology.packed.append(dev)
    elif word == "pack":
        topology.packed.append(args)
    else:
        raise ValueError(f"unknown directive '{word}'")
