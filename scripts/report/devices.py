# SPDX-License-Identifier: GPL-2.0-only
"""Names of devices: of the profile, else of pci.ids, else the ids."""
import ctypes
import os

# Of pci/pci.h.
DEVICE, NO_NUMBERS, NO_HWDB = 2, 0x20000, 0x200000


class Ids:
    """pci.ids through libpci, if there is one."""

    def __init__(self, library="libpci.so.3"):
        self.pci = None
        # pci_init() ends the program where there is no PCI.
        if not os.path.isdir("/sys/bus/pci/devices"):
            return
        try:
            self.pci = ctypes.CDLL(library)
        except OSError:
            return
        self.pci.pci_alloc.restype = ctypes.c_void_p
        self.pci.pci_lookup_name.restype = ctypes.c_char_p
        self.access = ctypes.c_void_p(self.pci.pci_alloc())
        self.pci.pci_init(self.access)

    def name(self, vendor, device):
        """Of a device, or None."""
        if not self.pci:
            return None
        buffer = ctypes.create_string_buffer(256)
        name = self.pci.pci_lookup_name(self.access, buffer, ctypes.c_int(len(buffer)),
                                        DEVICE | NO_NUMBERS | NO_HWDB,
                                        ctypes.c_int(vendor), ctypes.c_int(device))
        return name.decode(errors="replace") if name else None


def names(bars, ids=None):
    """The name of each device, by its address."""
    found = {}
    ids = ids or Ids()
    for bar in bars:
        vendor, device = int(bar["vendor"], 16), int(bar["device"], 16)
        found[bar["bdf"]] = bar["name"] or ids.name(vendor, device) or f"{vendor:04x}:{device:04x}"
    return found
