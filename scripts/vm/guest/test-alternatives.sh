#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What else gives sub-page BARs pages, against the module: how many are mapped, how
# large one is for its native driver and for a guest, and what it takes. Each starts
# with BARs that the kernel has placed anew. The table is in alternatives.txt.
# Topology: arm64.
# shellcheck source=lib.sh
. /guest/lib.sh

# 2 to the power of the page shift, for each kind of device under test
page_alignments()
{
	_order=0
	while [ $((1 << _order)) -lt "$PAGE_SIZE" ]; do
		_order=$((_order + 1))
	done
	for _dev in $(all_bdfs); do
		echo "$_order@pci:$(cut -c 3- "$PCI/$_dev/vendor"):$(cut -c 3- "$PCI/$_dev/device")"
	done | sort -u | tr '\n' ';'
}

# pages: that hold these BARs
pages()
{
	while read -r _dev _bar; do
		page "$(bar_start "$_dev" "$_bar")"
	done <bars | sort -u | wc -l
}

# window_pages: of the windows of all bridges
window_pages()
{
	for _dev in $(ports); do
		sed -n '15,16p' "$PCI/$_dev/resource"
	done | while read -r _start _end _; do
		[ $((_end)) -eq 0 ] || echo $(((_end - _start + 1) / PAGE_SIZE))
	done | awk '{ sum += $1 } END { print sum + 0 }'
}

# measure NAME TAKES: one line of the table
measure()
{
	dev=$(bdf sdhci)
	native=$(shown_size "$dev" 0)
	bind_all || return 1
	rm -f records.jsonl
	# shellcheck disable=SC2046
	/suite/vfio_pci_subpage_test --results records.jsonl $(all_bdfs) >out 2>&1 ||
		{ grep -A3 '^ *not ok' out; return 1; }
	count=$(mapped)
	printf '%-34s %2d of %-2d %10s %10s %6s %8s  %s\n' "$1" "$count" "$(wc -l <bars)" \
		"$native" "$(shown_size "$dev" 0)" "$(pages)" "$(window_pages)" "$2" >>alternatives.txt
	unbind_all
}

without()
{
	use_mode without && place_anew && measure "vfio-pci" "-"
	plain=$count
}

resource_alignment()
{
	page_alignments >/sys/bus/pci/resource_alignment
	place_anew && measure "pci=resource_alignment=" "reboot or remove/rescan"
	ret=$?
	echo >/sys/bus/pci/resource_alignment
	[ "$count" -gt "$plain" ] && return $ret
}

default_alignment()
{
	modprobe subpage_default_alignment || return 1
	place_anew && measure "page as default alignment" "another kernel"
	ret=$?
	rmmod subpage_default_alignment
	[ "$count" -gt "$plain" ] && return $ret
}

# with_module MODE
with_module()
{
	place_anew && use_mode "$1" && measure "module, bar_size=$1" "-" &&
		same "BARs mapped" "$(wc -l <bars)" "$count"
}

load_plain_vfio || exit 1
subpage_bars >bars
printf '%-34s %8s %10s %10s %6s %8s  %s\n' "" mapped native guest pages windows takes >alternatives.txt
check alternatives.without without
check alternatives.resource_alignment resource_alignment
check alternatives.default_alignment default_alignment
check alternatives.module_page with_module page
check alternatives.module_device with_module device
sed 's/^/# /' alternatives.txt
finish
