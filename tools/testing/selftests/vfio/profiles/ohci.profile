# SPDX-License-Identifier: GPL-2.0-only
#
# The format is described in subpage/registers/profile.h.
#
# OpenHCI 1.0a, 7.1.1 HcRevision at 0x0: the low byte is the BCD version, 0x10,
# read only. Bit 8 (legacy support) belongs to the device.
class 0c0310
name OHCI USB controller
register bar=0 offset=0x0 width=4 access=ro value=0x10 mask=0xff
