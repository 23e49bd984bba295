# SPDX-License-Identifier: GPL-2.0-only
#
# The format is described in subpage/registers/profile.h.
#
# eXtensible Host Controller Interface for USB, 5.3.1 and 5.3.2: CAPLENGTH at
# 0x0 and HCIVERSION at 0x2, both read only, read together as one double word.
# The other capability registers (5.3) are read only as well: HCSPARAMS1 at 0x4.
class 0c0330
name xHCI USB controller
register bar=0 offset=0x0 width=4 access=ro
register bar=0 offset=0x4 width=4 access=ro
