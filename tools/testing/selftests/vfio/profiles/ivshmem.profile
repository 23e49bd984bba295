# SPDX-License-Identifier: GPL-2.0-only
#
# The format is described in subpage/registers/profile.h.
#
# QEMU, docs/specs/ivshmem-spec.rst, "PCI device registers". BAR0: IVPosition
# at 0x8 is read only. Intr Status at 0x4 must stay unnamed, since reading it
# clears it; so must the doorbell at 0xc. BAR2 is memory: its first bytes
# are put back after the test, but a peer that uses it meanwhile would notice.
device 1af4:1110
name QEMU ivshmem
register bar=0 offset=0x8 width=4 access=ro
register bar=2 offset=0x0 width=4 access=rw readback=same
register bar=2 offset=0x0 width=1 access=rw readback=same
register bar=2 offset=0x0 width=2 access=rw readback=same
register bar=2 offset=0x0 width=8 access=rw readback=same
