#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The main job: the suite on the devices under test, bound to vfio-pci first without
# and then with the module, and every path to their registers, in one boot.
# shellcheck source=lib.sh
. /guest/lib.sh

run_suite()
{
	# shellcheck disable=SC2046
	/suite/vfio_pci_subpage_test --results results.json --platform "$PLATFORM" \
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
	"/suite/$program" --results results.json --platform "$PLATFORM" --accel "$ACCEL" \
		"$@" >"$log" 2>&1 || { tail -n 20 "$log"; return 1; }
}

# For a limit, the kernel's own access; for a guest's, KVM in this guest.
ladder()
{
	load_kvm
	modprobe subpage_perf
	# shellcheck disable=SC2046
	logged perf vfio_pci_subpage_perf --samples $((${SAMPLES:-500} * 2 / 25)) \
		${DELAY:+--delay "$DELAY"} $(all_bdfs)
	ret=$?
	rmmod subpage_perf
	return $ret
}

open_cost()
{
	# shellcheck disable=SC2046
	logged open vfio_pci_subpage_open --samples $((${SAMPLES:-500} / 25)) $(all_bdfs)
}

load_plain_vfio || exit 1
pack_marked
suite without without
suite with page
check perf.open open_cost
check perf.bind bind_devices page
check perf.ladder ladder
check restore vfio-restore.sh
finish
