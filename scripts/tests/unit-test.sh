#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The unit tests in C, and those of the scripts' own logic.

set -euo pipefail
cd -- "$(dirname -- "$0")/../.."
# shellcheck source=ktap.sh
. scripts/tests/ktap.sh

scripts/build-suite.sh build/suite

# subtest PROGRAM: its KTAP, indented, and one line that sums it up
subtest()
{
	local status=0 name
	name=$(basename "$1")
	echo "# Subtest: $name"
	"$@" >build/check/unit.out 2>&1 || status=$?
	sed 's/^/    /' build/check/unit.out
	check "$name" test $status = 0
}

topology_says()
{
	local out
	printf '%b' "$1" >build/check/bad.topo
	! out=$(cd scripts/vm && python3 -c '
import sys, topology
try:
    topology.load(sys.argv[1])
except topology.TopologyError as error:
    sys.exit(str(error))' ../../build/check/bad.topo 2>&1) || { echo "accepted"; return 1; }
	grep -q -- "bad.topo:$2" <<<"$out" || { echo "$out"; return 1; }
}

count_says()
{
	same counts "$2" "$(printf '%b' "$1" | awk -f scripts/tests/count-ktap.awk)"
}

subtest build/suite/vfio_pci_subpage_policy_test
subtest build/suite/vfio_pci_subpage_unit_test
check topology.unknown_directive topology_says 'device edu\nfrob x\n' '2: unknown directive'
check topology.no_argument topology_says '\n\ntest\n' '3: .* needs an argument'
check topology.test_without_id topology_says 'test edu\n' '1: a device under test needs id='
check topology.same_id topology_says 'test edu,id=a\ntest edu,id=a\n' '2: two devices'
check topology.pack_of_nothing topology_says 'pack a\n' ' pack a: no device under test'
check totals.nested count_says '    ok 1 a\n    not ok 2 b\nnot ok 1 sum\nok 2 c\nok 3 d # SKIP x\n' '2 1 1'
check totals.flat count_says 'ok 1 a\nok 2 b\n# not ok\n' '2 0 0'
finish
