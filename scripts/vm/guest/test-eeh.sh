#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# POWER's EEH resets devices, and brings back what it has saved of them. Topology: ppc64le.
# shellcheck source=lib.sh
. /guest/lib.sh

# saved BDF BAR: EEH's copy of the configuration, after a bind that has moved the BAR
saved()
{
	modprobe subpage_eeh device="$1" && bind vfio-pci "$1" &&
		same state relocated "$(state "$1" "$2")" >&2 || return 1
	cat /sys/module/subpage_eeh/parameters/config_space
	unbind "$1"
	rmmod subpage_eeh
}

# The word of a 32-bit BAR 0, and no other.
saves_new_address()
{
	dev=$(bdf "$1")
	words=$(saved "$dev" 0) || return 1
	same "saved words" "0,0,0,0,$(($(bar_register "$dev" 0))),0,0,0,0,0,0,0,0,0,0,0" "$words"
}

# A word each of the two of a 64-bit BAR 4.
saves_both_halves()
{
	dev=$(bdf "$1")
	words=$(saved "$dev" 4) || return 1
	same "saved words" "$((0x$(config_read "$dev" 32))),$((0x$(config_read "$dev" 36)))" \
		"$(echo "$words" | cut -d, -f 9,10)"
}

load_vfio || exit 1
plug_marked || exit 1
check eeh.saves_new_address saves_new_address sdhci
check eeh.saves_both_halves saves_both_halves rng
finish
