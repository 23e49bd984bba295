# SPDX-License-Identifier: GPL-2.0-only
"""Copies of machines that are made up, as vfio-pci-subpage-survey --root reads them."""
import os
import struct

MEM, PREFETCH, MEM_64, UNSET = 0x200, 0x2000, 0x100000, 0x20000000
FIRST_WINDOW = 14


class Machine:
    """A host bridge with devices; what is changed is written by write()."""

    def __init__(self, path, page_size=4096):
        self.path = path
        self.page_size = page_size
        self.devices = {}
        (path / "proc").mkdir(parents=True)
        (path / "sys/bus/pci/devices").mkdir(parents=True)

    def file(self, name):
        """A file of the copy."""
        return self.path / name.lstrip("/")

    def device(self, bdf, below="", group=None, driver=None, bars=(), window=None, **files):
        """A device; one with a window, (start, end, bus), is a bridge."""
        self.devices[bdf] = f"{self.devices.get(below, 'sys/devices/pci0000:00')}/{bdf}"
        path = self.path / self.devices[bdf]
        path.mkdir(parents=True)
        lines = [(0, 0, 0)] * (17 if window else 13)
        for number, start, size, *flags in bars:
            lines[number] = (start, start + size - 1, flags[0] if flags else MEM)
            (path / f"resource{number}").write_bytes(b"")
            os.truncate(path / f"resource{number}", size)
        if window:
            lines[FIRST_WINDOW] = (*window[:2], MEM)
        header = bytearray(64)
        struct.pack_into("<HH", header, 0, 0x1b36, 5)
        for number, start, *_ in bars:
            struct.pack_into("<I", header, 16 + 4 * number, start & 0xffffffff)
        if window:
            header[14], header[25] = 1, window[2]
        (path / "config").write_bytes(header)
        (path / "resource").write_text("".join("0x%016x 0x%016x 0x%016x\n" % line
                                               for line in lines))
        texts = {"vendor": "0x1b36", "device": "0x0005",
                 "class": "0x060400" if window else "0xff0000", "numa_node": "-1", **files}
        for name, text in texts.items():
            (path / name).write_text(text + "\n")
        if driver:
            self.link(path / "driver", f"sys/bus/pci/drivers/{driver}")
        if group is not None:
            self.link(path / "iommu_group", f"sys/kernel/iommu_groups/{group}")
        self.link(self.file(f"sys/bus/pci/devices/{bdf}"), self.devices[bdf])
        return path

    def link(self, path, target):
        """As in sysfs, where none is absolute."""
        path.symlink_to(os.path.relpath(self.path / target, path.parent))

    def write(self, tree):
        """What does not belong to one device."""
        (self.path / "proc/iomem").write_text(tree)
        (self.path / "page_size").write_text(f"{self.page_size}\n")
        return self.path


PORT, ONE, TWO, THREE = "0000:00:01.0", "0000:02:01.0", "0000:02:02.0", "0000:02:03.0"


def packed(path, **how):
    """Two devices in one page behind a port, in one group, and one alone in its page."""
    machine = Machine(path, **how)
    machine.device(PORT, group=1, driver="pcieport", window=(0x40000000, 0x400fffff, 2))
    machine.device(ONE, PORT, 1, "ohci-pci", bars=[(0, 0x40000000, 256)])
    machine.device(TWO, PORT, 1, bars=[(0, 0x40000100, 256)])
    machine.device(THREE, PORT, 2, bars=[(0, 0x40005000, 256), (1, 0x40080000, 0x80000)])
    machine.write("00000000-0009ffff : System RAM\n"
                  "40000000-4fffffff : PCI Bus 0000:00\n"
                  "  40000000-400fffff : PCI Bus 0000:02\n"
                  f"    40000000-400000ff : {ONE}\n"
                  "      40000000-400000ff : ohci_hcd\n"
                  f"    40000100-400001ff : {TWO}\n"
                  f"    40005000-400050ff : {THREE}\n"
                  f"    40080000-400fffff : {THREE}\n")
    return machine


def many(path, number):
    """So many devices, eight behind each port, packed; a BAR of 256 bytes each."""
    machine = Machine(path)
    tree = "100000000-1ffffffff : PCI Bus 0000:00\n"
    for port in range(number // 8):
        start, bus = 0x100000000 + (port << 20), port + 1
        bridge = f"0000:{port // 32 + 0xf0:02x}:{port % 32:02x}.0"
        machine.device(bridge, window=(start, start + 0xfffff, bus))
        tree += f"  {start:x}-{start + 0xfffff:x} : PCI Bus 0000:{bus:02x}\n"
        for function in range(8):
            at, bdf = start + 256 * function, f"0000:{bus:02x}:00.{function}"
            machine.device(bdf, bridge, group=8 * port + function,
                           bars=[(0, at, 256, MEM | MEM_64)])
            tree += f"    {at:x}-{at + 255:x} : {bdf}\n"
    machine.write(tree)
    return machine
