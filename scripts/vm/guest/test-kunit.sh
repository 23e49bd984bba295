#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The driver's KUnit suites, which run when it is loaded, on a kernel that has
# KUnit. Topology: any.
# shellcheck source=lib.sh
. /guest/lib.sh

kunit=/sys/kernel/debug/kunit

# suite NAME: its KTAP as a subtest of ours
suite()
{
	if [ ! -e "$kunit/$1/results" ]; then
		check "$1" test -e "$kunit/$1/results"
		return
	fi
	sed 's/^/    /' "$kunit/$1/results"
	check "$1" suite_passed "$1"
}

suite_passed()
{
	grep -q "^ok .*$1" "$kunit/$1/results"
}

load_vfio || exit 1
if [ -d $kunit ]; then
	suite pci_subpage_policy
	suite pci_subpage_claim
else
	skip pci_subpage_policy "this kernel has no KUnit"
	skip pci_subpage_claim "this kernel has no KUnit"
fi
finish
