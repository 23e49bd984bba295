# SPDX-License-Identifier: GPL-2.0-only
#
# The format is described in subpage/registers/profile.h.
#
# QEMU, docs/specs/edu.rst, "MMIO area spec": the identification at 0x0 is
# 0xRRrr00ed, major and minor version above a fixed word. The liveness check at
# 0x4 reads back the complement of what was written and does nothing else. Up
# to 0x80 only 4-byte accesses are allowed.
device 1234:11e8
name QEMU edu
register bar=0 offset=0x0 width=4 access=ro value=0x010000ed mask=0xff00ffff
register bar=0 offset=0x4 width=4 access=rw readback=inverted
