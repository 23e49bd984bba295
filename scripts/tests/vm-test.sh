#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What needs a guest: the main job and its results, the driver's invariants, and
# that the runner notices a guest that goes wrong.

set -euo pipefail
cd -- "$(dirname -- "$0")/../.."
# shellcheck source=ktap.sh
. scripts/tests/ktap.sh

kernel=$(scripts/fetch-kernel.sh 6.12)
module=$(scripts/build-module.sh "$kernel/build" modules)
scripts/build-suite.sh build/suite
fake_host=$(scripts/build-module.sh "$kernel/build" modules \
	tools/testing/selftests/vfio/subpage_mods)

# guest NAME TOPOLOGY [ARG]...: run a job of the guest, its KTAP as a subtest
guest()
{
	local name=$1 topology=$2 share=build/check/vm-$1 status=0
	shift 2
	rm -rf "$share"
	scripts/vm/run.py --kernel "$kernel" --topology "$topology" --job "$name.sh" \
		--share "$share" --module "$module" --module "$fake_host" \
		--program build/suite/vfio_pci_subpage_stale_map "$@" \
		>"build/check/vm-$name.log" 2>&1 || status=$?
	echo "# Subtest: $name"
	sed 's/^/    /' "$share/ktap.log" 2>/dev/null || :
	cat "build/check/vm-$name.log" >&2
	check "vm.$name" judged $status "build/check/vm-$name.log"
}

judged()
{
	[ "$1" = 0 ] || { tail -n 30 "$2"; return 1; }
}

main_job()
{
	make -s kselftest TARGETS=vfio WHERE=vm >build/check/main.log 2>&1 ||
		{ tail -n 40 build/check/main.log; return 1; }
}

summary_line()
{
	tail -n 3 build/check/main.log
	grep -qE '^12 of 12 sub-page MMIO BARs mapped \(plain vfio-pci: 3 of 12\)$' \
		build/check/main.log
}

# complains PATTERN JOB [ARG]...: the runner fails and says why
complains()
{
	local pattern=$1 job=$2 status=0
	shift 2
	scripts/vm/run.py --kernel "$kernel" --topology minimal --job "$job" \
		--share build/check/vm-bad "$@" >build/check/vm-bad.log 2>&1 || status=$?
	cat build/check/vm-bad.log
	[ $status != 0 ] && grep -q -- "$pattern" build/check/vm-bad.log
}

check main.kselftest main_job
sed 's/^/    /' build/results/latest/ktap.log
check main.summary summary_line
check main.results scripts/tests/results-check.py build/results/latest/results.json
check main.logs test -s build/results/latest/dmesg.log
guest test-claims main
guest test-hotplug hotplug
guest test-fake-host minimal
guest test-suite hotplug --program build/suite/vfio_pci_subpage_test \
	--program tools/testing/selftests/vfio/profiles
check runner.hung_guest complains 'did not end within 15 s' bad-hang.sh --limit 15
check runner.shows_last_lines grep -q 'vm:  .*this guest hangs' build/check/vm-bad.log
check runner.kernel_warning complains 'kernel complained' bad-warning.sh
check runner.failed_job complains 'failed with exit code 3' bad-status.sh
check runner.unknown_topology complains 'nowhere' main.sh --topology nowhere
finish
