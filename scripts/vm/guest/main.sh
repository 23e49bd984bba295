#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The main job: the suite on the devices under test, bound to vfio-pci first without
# and then with the module, and every path to their registers, in one boot.
# shellcheck source=lib.sh
. /guest/lib.sh

run_suite()
{
	# shellcheck disable=SC2046
	/suite/vfio_pci_subpage_test --results records.jsonl --platform "$PLATFORM" \
		--accel "$ACCEL" $(all_bdfs) >suite.out 2>&1
	status=$?
	sed 's/^/    /' suite.out >>suite.ktap
	return $status
}

# bind_devices MODE: without the module, or with it
bind_devices()
{
	# shellcheck disable=SC2046
	use_mode "$1" && vfio-bind.sh vfio-pci $(all_bdfs)
}

# suite NAME MODE: its KTAP as a subtest of ours.
suite()
{
	check "bind.$1" bind_devices "$2"
	echo "# Subtest: $1" >suite.ktap
	check "$1" run_suite >suite.result
	cat suite.ktap suite.result
	rm -f suite.out suite.ktap suite.result
}

# logged NAME PROGRAM [ARG]...: what it prints is kept; shown if it fails
logged()
{
	log=$1.log program=$2
	shift 2
	"/suite/$program" --results records.jsonl --platform "$PLATFORM" --accel "$ACCEL" \
		"$@" >"$log" 2>&1 || { tail -n 20 "$log"; return 1; }
}

# BARs that have been moved stay where they are: without the module they would no longer
# share a page. Native drivers that take the devices meanwhile give them back.
place_as_before()
{
	if devices_under_test | grep -q ' pack$'; then
		pack_marked
	else
		place_anew
	fi
	use_mode page
}

# Every path to the registers, without the module and with it in turn. subpage_perf
# gives the kernel's own access.
measure()
{
	place_as_before
	load_kvm
	modprobe subpage_perf
	# shellcheck disable=SC2046
	logged perf vfio_pci_subpage_perf --compare --samples "${SAMPLES:-20}" \
		${DELAY:+--delay "$DELAY"} $(all_bdfs)
	ret=$?
	rmmod subpage_perf
	return $ret
}

open_cost()
{
	# shellcheck disable=SC2046
	logged open vfio_pci_subpage_open --samples "${SAMPLES:-20}" $(all_bdfs)
}

load_plain_vfio || exit 1
pack_marked
plug_marked || exit 1
suite without without
suite with page
kunit
check perf.open open_cost
check perf.registers measure
check perf.bind bind_devices page
check restore vfio-restore.sh
finish
