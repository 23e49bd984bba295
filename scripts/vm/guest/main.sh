#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The main job: the suite on the devices under test, first bound to plain
# vfio-pci, then to vfio-pci-subpage, in one boot.
# shellcheck source=lib.sh
. /guest/lib.sh

run_suite()
{
	# shellcheck disable=SC2046
	/suite/vfio_pci_subpage_test --results results.json --platform "$PLATFORM" \
		--accel "$ACCEL" --samples "${SAMPLES:-500}" $(all_bdfs) >suite.out 2>&1
	status=$?
	sed 's/^/    /' suite.out >>suite.ktap
	return $status
}

# suite DRIVER: its KTAP as a subtest of ours.
suite()
{
	# shellcheck disable=SC2046
	check "bind.$1" vfio-bind.sh "$1" $(all_bdfs)
	echo "# Subtest: $1" >suite.ktap
	check "$1" run_suite >suite.result
	cat suite.ktap suite.result
	rm -f suite.out suite.ktap suite.result
}

load_vfio || exit 1
pack_marked
suite vfio-pci
suite vfio-pci-subpage
check restore vfio-restore.sh
finish
