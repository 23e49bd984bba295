# SPDX-License-Identifier: GPL-2.0-only
#
# The format is described in subpage/registers/profile.h.
#
# RTL8139C(L) datasheet, 5 "Register Descriptions": IDR0 to IDR3 at 0x0, the
# first four bytes of the station address, loaded from the EEPROM. Reading has
# no effect, by bytes, words or double words. BAR0 is the same block of registers
# as I/O ports.
device 10ec:8139
name Realtek RTL8139
register bar=0 offset=0x0 width=4 access=ro
register bar=1 offset=0x0 width=4 access=ro
register bar=1 offset=0x0 width=1 access=ro
register bar=1 offset=0x0 width=2 access=ro
