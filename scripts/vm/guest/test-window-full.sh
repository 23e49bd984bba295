#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# More sub-page BARs behind a bridge than its window has pages: who gets one,
# what becomes of the others, and how the window is made larger. Topology:
# window-full.
# shellcheck source=lib.sh
. /guest/lib.sh

port=0000:00:04.0

# claims: "BAR's device, claim, reason" of each sub-page BAR, in the order of
# their addresses before
claims()
{
	while read -r dev bar; do
		echo "$dev $(claim "$dev" "$bar") $(reason "$dev" "$bar")"
	done <bars
}

count()
{
	claims | grep -c -- "$1"
}

starts()
{
	while read -r dev bar; do
		echo "$dev $bar $(bar_start "$dev" "$bar")"
	done <bars
}

# Two pages hold seven BARs, two are free.
first_come_first_served()
{
	subpage_bars >bars
	same "sub-page BARs" 7 "$(wc -l <bars)" || return 1
	starts >before
	bind_all || return 1
	claims
	same "first two" "$(all_bdfs | head -n 2 | sed 's/$/ relocated /')" "$(claims | head -n 2)" &&
		same "trapped" 5 "$(count ' none no-space$')"
}

refused_are_as_before()
{
	starts >after
	claims | while read -r dev claim _; do
		[ "$claim" = none ] || continue
		same "$dev" "$(grep "^$dev" before)" "$(grep "^$dev" after)" || exit 1
	done
}

all_are_consistent()
{
	while read -r dev bar; do
		consistent "$dev" "$bar" || return 1
		[ "$(claim "$dev" "$bar")" = none ] || alone_in_page "$dev" "$bar" || return 1
	done <bars
}

# The window has no page left that is free as a whole.
window_is_full()
{
	same "claimed pages" 2 "$(grep -c ': vfio-pci-subpage$' /proc/iomem)" &&
		same "reasons in the log" 5 "$(dmesg | grep -c 'stays trapped: no-space')"
}

# Whoever is bound next gets the page of a device that left.
freed_page_is_used()
{
	dev=$(bdf function2)
	echo 1 >"$PCI/$(bdf function1)/remove"
	unbind "$dev"
	bind vfio-pci-subpage "$dev" &&
		same claim relocated "$(claim "$dev" 3)" &&
		alone_in_page "$dev" 3 && consistent "$dev" 3
}

window_pages()
{
	awk -v page="$PAGE_SIZE" 'NR == 15 { printf "%d", ($2 - $1 + 1) / page }' "$PCI/$port/resource"
}

# As the documentation says: while the devices are found, the kernel is asked to
# give each BAR a page, and so sizes the window; then they are found once more
# without that, so that BARs are as large as they are.
window_is_made_larger()
{
	pages=$(window_pages)
	unbind_all
	echo "$1@pci:8086:10d3" >/sys/bus/pci/resource_alignment
	echo 1 >"$PCI/$port/remove"
	echo 1 >/sys/bus/pci/rescan
	echo >/sys/bus/pci/resource_alignment
	for dev in $(all_bdfs); do
		echo 1 >"$PCI/$dev/remove"
	done
	echo 1 >/sys/bus/pci/rescan
	subpage_bars >bars
	same "sub-page BARs" 7 "$(wc -l <bars)" &&
		[ "$(window_pages)" -gt "$pages" ]
}

then_all_are_mapped()
{
	bind_all || return 1
	claims
	same "not mapped" 0 "$(count ' none ')" && all_are_consistent
}

unbind_leaves_nothing()
{
	unbind_all
	! grep subpage /proc/iomem
}

load_vfio || exit 1
check window.first_come_first_served first_come_first_served
check window.refused_are_as_before refused_are_as_before
check window.all_are_consistent all_are_consistent
check window.is_full window_is_full
check window.freed_page_is_used freed_page_is_used
check window.is_made_larger window_is_made_larger 16
check window.then_all_are_mapped then_all_are_mapped
check window.unbind_leaves_nothing unbind_leaves_nothing
finish
