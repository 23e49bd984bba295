#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The main job of the topology scale: what devices cost, one and many at once.
# shellcheck source=lib.sh
. /guest/lib.sh

open_cost()
{
	# shellcheck disable=SC2046
	/suite/vfio_pci_subpage_open --results records.jsonl --platform "$PLATFORM" \
		--accel "$ACCEL" --samples 6 $(all_bdfs) >open.log 2>&1 ||
		{ tail -n 20 open.log; return 1; }
	same "numbers of devices" 4 "$(grep -c 'rounds$' open.log)"
}

nothing_left()
{
	each_bar has_own_size
}

load_vfio || exit 1
subpage_bars >bars
check perf.open open_cost
check perf.open_leaves_nothing nothing_left
finish
