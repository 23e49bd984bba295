#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
# The main job: the suite on the devices under test, first bound to plain
# vfio-pci, then to vfio-pci-subpage, in one boot.
. /guest/lib.sh

# suite DRIVER: its KTAP as a subtest of ours.
suite()
{
	progress "suite on $1"
	# shellcheck disable=SC2046
	vfio-bind.sh "$1" $(all_bdfs) 2>bind.err || {
		not_ok "$1 # cannot bind: $(cat bind.err)"
		return
	}
	echo "# Subtest: $1"
	# shellcheck disable=SC2046
	/suite/vfio_pci_subpage_test --results results.json --platform "$PLATFORM" \
		--accel "$ACCEL" $(all_bdfs) >suite.out 2>&1
	status=$?
	sed 's/^/    /' suite.out
	rm -f suite.out bind.err
	case $status in
	0) ok "$1" ;;
	4) ok "$1 # SKIP" ;;
	*) not_ok "$1" ;;
	esac
}

plan 2
load_vfio || exit 1
pack_marked
suite vfio-pci
suite vfio-pci-subpage
vfio-restore.sh 2>/dev/null
finish
