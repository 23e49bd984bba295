# SPDX-License-Identifier: GPL-2.0-only
#
# The format is described in subpage/registers/profile.h.
#
# Intel 82574 GbE Controller Family datasheet, "Device Status Register - STATUS"
# at 0x8: read only; it changes only with the link. BAR3 holds the MSI-X table,
# which vfio hides from reads of the file: never name it.
device 8086:10d3
name Intel 82574L
register bar=0 offset=0x8 width=4 access=ro
