#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A host bridge that asks for the addresses of firmware to be kept: BARs that share
# pages stay trapped, and the module says why; relocate=force maps all. Topology:
# arm64-preserve.
# shellcheck source=lib.sh
. /guest/lib.sh

# found_at BDF BAR: where firmware had placed it, as the kernel's log says
found_at()
{
	dmesg | sed -nE "s/.* pci $1: BAR $2 \[mem (0x[0-9a-f]+)-.*/\1/p" | head -n 1
}

is_where_firmware_placed_it()
{
	_found=$(found_at "$1" "$2")
	[ -n "$_found" ] || { echo "$1 BAR $2: not in the log"; return 1; }
	same "$1 BAR $2" "$(printf '0x%016x' "$_found")" "$(bar_start "$1" "$2")"
}

# Those of the file "bars" are sorted by what else is in their page, before the module
# has touched any.
firmware_addresses_are_kept()
{
	subpage_bars >bars
	: >shared
	: >alone
	while read -r dev bar; do
		if alone_in_page "$dev" "$bar" >/dev/null &&
		   [ $(($(bar_start "$dev" "$bar") % PAGE_SIZE)) = 0 ]; then
			echo "$dev $bar" >>alone
		else
			echo "$dev $bar" >>shared
		fi
	done <bars
	same "BARs that share pages" 7 "$(wc -l <shared)" &&
		same "BARs that have one" 2 "$(wc -l <alone)" &&
		each_bar is_where_firmware_placed_it
}

# bind_and_test MAPPED: the suite agrees, and finds so many mapped
bind_and_test()
{
	bind_all || return 1
	rm -f records.jsonl
	# shellcheck disable=SC2046
	/suite/vfio_pci_subpage_test --results records.jsonl $(all_bdfs) >out 2>&1 ||
		{ grep -A3 '^ *not ok' out; return 1; }
	same "BARs mapped" "$1" "$(mapped)"
}

without()
{
	use_mode without && bind_and_test "$(wc -l <alone)"
}

is_fixed()
{
	same "$1 BAR $2" fixed "$(state "$1" "$2")" && consistent "$1" "$2"
}

is_in_place()
{
	same "$1 BAR $2" in-place "$(state "$1" "$2")" && has_page "$1" "$2"
}

with_module_they_stay()
{
	use_mode page && bind_and_test "$(wc -l <alone)" &&
		each_bar_of shared is_fixed && each_bar_of alone is_in_place &&
		same "reasons in the log" "$(wc -l <shared)" \
			"$(dmesg | grep -c 'gets no page of its own: fixed')"
}

unbind_leaves_all_as_it_was()
{
	unbind_all
	each_bar is_restored && each_bar is_where_firmware_placed_it
}

force_maps_all()
{
	parameter relocate force
	# One that had to leave may have left its page to another.
	bind_and_test "$(wc -l <bars)" && each_bar was_prepared && each_bar_of alone is_in_place &&
		[ "$(each_bar state | grep -c relocated)" -gt 0 ]
}

force_leaves_nothing()
{
	unbind_all
	parameter relocate yes
	each_bar is_restored
}

load_plain_vfio || exit 1
check preserve.firmware_addresses_are_kept firmware_addresses_are_kept
check preserve.without without
check preserve.with_module_they_stay with_module_they_stay
check preserve.unbind_leaves_all_as_it_was unbind_leaves_all_as_it_was
check preserve.force_maps_all force_maps_all
check preserve.force_leaves_nothing force_leaves_nothing
finish
