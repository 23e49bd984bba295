#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What devices cost: what is measured, and that a failure leaves nothing behind.
# Topology: main.
# shellcheck disable=SC2046,SC2086 # one word for each device, and for each argument
# shellcheck disable=SC3045 # busybox has ulimit -n
# shellcheck source=lib.sh
. /guest/lib.sh

open="/suite/vfio_pci_subpage_open --samples 2 --results records.jsonl"

# Leaves the devices without a driver, and the module loaded as it was.
none_is_bound()
{
	[ -e /sys/module/vfio_pci_subpage ] || return 1
	for dev in $(all_bdfs); do
		[ ! -e "$PCI/$dev/driver" ] || return 1
	done
	each_bar is_restored
}

measures()
{
	runs 0 $open $(all_bdfs) && grep -q '^8 devices' out && grep -q '"phase": "touch"' records.jsonl &&
		says_complete true && none_is_bound
}

no_register()
{
	mkdir -p /tmp/none
	runs 0 $open --profiles /tmp/none "$(bdf edu)" && grep -q 'touch *not timed' out &&
		! grep -q '"phase": "touch"' records.jsonl
}

takes_from_nobody()
{
	port=$(cd /sys/bus/pci/drivers/pcieport && echo 0000:* | cut -d' ' -f1)
	runs 1 $open "$port" && grep -q "$port is in use by pcieport" out &&
		[ -e "/sys/bus/pci/drivers/pcieport/$port" ]
}

# Of eight devices the last ones find no file descriptor left.
some_cannot_be_opened()
{
	(ulimit -n 16; runs 1 $open $(all_bdfs)) || return 1
	grep -q '^1 device,' out && says_complete false && none_is_bound
}

ended_by_term()
{
	rm -f records.jsonl
	$open --samples 100000 $(all_bdfs) >out 2>&1 &
	pid=$!
	usleep 2000000
	kill -TERM $pid
	wait $pid
	same "exit code" 1 $? && cat out && says_complete false && none_is_bound
}

load_vfio || exit 1
subpage_bars >bars
check open.measures measures
check open.no_register no_register
check open.takes_from_nobody takes_from_nobody
check open.some_cannot_be_opened some_cannot_be_opened
check open.ended_by_term ended_by_term
finish
