#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The unit tests in C, and those of the scripts' own logic.

set -euo pipefail
cd -- "$(dirname -- "$0")/../.."
# shellcheck source=ktap.sh
. scripts/tests/ktap.sh

scripts/build/suite.sh build/suite

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

# complaint LINE: the runner takes a line of the kernel's log for one
complaint()
{
	(cd scripts/vm && python3 -c '
import sys, run
sys.exit(not run.COMPLAINTS.search(sys.argv[1]))' "$1")
}

no_complaint()
{
	! complaint "$1"
}

count_says()
{
	same counts "$2" "$(printf '%b' "$1" | awk -f scripts/tests/count-ktap.awk)"
}

subtest build/suite/vfio_pci_subpage_unit_test
check topology.unknown_directive topology_says 'device edu\nfrob x\n' '2: unknown directive'
check topology.no_argument topology_says '\n\ntest\n' '3: .* needs an argument'
check topology.test_without_id topology_says 'test edu\n' '1: a device under test needs id='
check topology.same_id topology_says 'test edu,id=a\ntest edu,id=a\n' '2: two devices'
check topology.pack_of_nothing topology_says 'pack a\n' ' pack a: no device under test'
check complaint.kasan complaint '[ 1.0] BUG: KASAN: slab-use-after-free in f+0x1/0x2'
check complaint.lockdep complaint '[ 1.0] WARNING: possible circular locking dependency detected'
check complaint.lock_state complaint '[ 1.0] inconsistent {IN-HARDIRQ-W} -> {HARDIRQ-ON-W} usage. inconsistent lock state'
check complaint.atomic_sleep complaint '[ 1.0] BUG: sleeping function called from invalid context at mm/slab.h:1'
check complaint.kmemleak complaint 'unreferenced object 0xffff888000000000 (size 64):'
check complaint.hung_task complaint '[ 1.0] INFO: task sh:1 blocked for more than 120 seconds.'
check complaint.warning complaint '[ 1.0] WARNING: CPU: 0 PID: 1 at kernel/resource.c:1 f+0x1/0x2'
check complaint.breakpoint complaint '[ 1.0] int3: 0000 [#1] PREEMPT SMP NOPTI'
check complaint.none no_complaint '[ 1.0] vfio-pci 0000:00:01.0: BAR 0: moved'
request()
{
	(cd scripts/vm && python3 -c '
import sys, run
sys.exit(run.whole_request(sys.argv[1]) != ("reply.1", ["device_del", "hp"]))' "$1")
}

# What the kernel says in the middle of it, and at its end.
torn_request()
{
	! request '@@host reply.1 13 device_del hp[ 12.3] pci 0000:00:00.0: BAR 0' &&
		! request '@@host reply.1 13 devi[ 12.3] pci' && ! request '@@host reply.1 13'
}

check request.whole request '[ 1.0] x @@host reply.1 13 device_del hp'
check request.torn torn_request
check totals.nested count_says '    ok 1 a\n    not ok 2 b\nnot ok 1 sum\nok 2 c\nok 3 d # SKIP x\n' '2 1 1'
check totals.flat count_says 'ok 1 a\nok 2 b\n# not ok\n' '2 0 0'
finish
