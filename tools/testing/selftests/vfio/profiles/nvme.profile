# SPDX-License-Identifier: GPL-2.0-only
#
# The format is described in subpage/registers/profile.h.
#
# NVM Express Base Specification, "Controller Capabilities" (CAP) at 0x0: 64
# bits, read only, constant while the controller is powered. Aligned 4-byte
# accesses to each half are allowed (NVMe over PCIe Transport Specification,
# "Controller Properties").
class 010802
name NVMe controller
register bar=0 offset=0x0 width=4 access=ro
register bar=0 offset=0x0 width=8 access=ro
