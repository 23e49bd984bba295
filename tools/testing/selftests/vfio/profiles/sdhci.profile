# SPDX-License-Identifier: GPL-2.0-only
#
# The format is described in subpage/registers/profile.h.
#
# SD Host Controller Simplified Specification 3.00, "Capabilities Register" at
# 0x40: 64 bits, hardware initialised and read only; "Host Controller Version
# Register" at 0xfe: 16 bits, the same. There is one BAR for each
# slot; only the first is named here. The programming interface of the class
# says whether there is standard DMA (01) or none (00).
class 080500
class 080501
name SD host controller
register bar=0 offset=0x40 width=4 access=ro
register bar=0 offset=0xfe width=2 access=ro
