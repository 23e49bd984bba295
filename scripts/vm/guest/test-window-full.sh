#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# More sub-page BARs behind a bridge than its window has pages: who gets one,
# what becomes of the others, and how the window is made larger. Topology:
# window-full.
# shellcheck source=lib.sh
. /guest/lib.sh

port=0000:00:04.0

# states: "device state" of each sub-page BAR, in the order of their addresses before
states()
{
	while read -r dev bar; do
		echo "$dev $(state "$dev" "$bar")"
	done <bars
}

count()
{
	states | grep -c -- "$1"
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
	states
	same "first two" "$(all_bdfs | head -n 2 | sed 's/$/ relocated/')" "$(states | head -n 2)" &&
		same "trapped" 5 "$(count ' no-space$')"
}

refused_are_as_before()
{
	starts >after
	states | while read -r dev state; do
		[ "$state" = no-space ] || continue
		same "$dev" "$(grep "^$dev" before)" "$(grep "^$dev" after)" || exit 1
	done
}

all_are_consistent()
{
	while read -r dev bar; do
		if [ "$(state "$dev" "$bar")" = no-space ]; then
			consistent "$dev" "$bar" || return 1
		else
			has_page "$dev" "$bar" || return 1
		fi
	done <bars
}

says_why()
{
	same "reasons in the log" 5 "$(dmesg | grep -c 'vfio-pci .* gets no page of its own: no-space')"
}

# Whoever is bound next gets the page of a device that left.
freed_page_is_used()
{
	dev=$(bdf function2)
	echo 1 >"$PCI/$(bdf function1)/remove"
	unbind "$dev"
	bind vfio-pci "$dev" &&
		same state relocated "$(state "$dev" 3)" && has_page "$dev" 3
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
	states
	same "without a page" 0 "$(count no-space)" && all_are_consistent
}

unbind_leaves_nothing()
{
	unbind_all
	each_bar is_restored
}

load_vfio || exit 1
check window.first_come_first_served first_come_first_served
check window.refused_are_as_before refused_are_as_before
check window.all_are_consistent all_are_consistent
check window.says_why says_why
check window.freed_page_is_used freed_page_is_used
check window.is_made_larger window_is_made_larger 16
check window.then_all_are_mapped then_all_are_mapped
check window.unbind_leaves_nothing unbind_leaves_nothing
finish
