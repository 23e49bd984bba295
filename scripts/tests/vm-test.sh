#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What needs a guest: the module's invariants, the programs of the suite, and that the
# runner notices a guest that goes wrong. On the default platform; platforms-test.sh and
# matrix-test.sh have the others, and the main job.

set -euo pipefail
cd -- "$(dirname -- "$0")/../.."
# shellcheck source=ktap.sh
. scripts/tests/ktap.sh
# shellcheck source=guest.sh
. scripts/tests/guest.sh

# complains PATTERN JOB [ARG]...: the runner fails and says why
complains()
{
	local pattern=$1 job=$2 status=0
	shift 2
	vm build/check/vm-bad minimal "$job" "$@" >build/check/vm-bad.log 2>&1 || status=$?
	cat build/check/vm-bad.log
	[ $status != 0 ] && grep -q -- "$pattern" build/check/vm-bad.log
}

use x86_64-4k
guest test-fake-host minimal
guest test-bars main
guest test-hotplug hotplug
guest test-suite hotplug "${suite_programs[@]}"
guest test-backends hotplug "${suite_programs[@]}"
guest test-perf hotplug "${suite_programs[@]}"
guest test-open main "${suite_programs[@]}"
guest test-display display "${suite_programs[@]}" --append vga=0x340
guest test-sriov sriov
guest test-numa numa "${suite_programs[@]}"
guests_end

# The gate, on what the guest has measured: against itself, and against a run in which
# each access was made to take a microsecond longer.
gate()
{
	local runs=build/check/vm-test-perf-x86_64-4k name
	for name in plain slow; do
		scripts/report.py --merge $runs/$name.jsonl $runs/$name.json || return 2
	done
	scripts/report.py --markdown $runs/report.md --fail-if-worse "$1" $runs/"$2" --compare $runs/"$3"
}

gate_finds_delay()
{
	local status=0
	gate 10 plain.json slow.json 2>build/check/gate.err || status=$?
	cat build/check/gate.err
	[ $status = 1 ] || return 1
	grep -q 'mmap' build/check/gate.err
}

check perf.gate_passes_itself gate 1 plain.json plain.json
check perf.gate_finds_delay gate_finds_delay
check runner.hung_guest complains 'did not end within 15 s' bad-hang.sh --limit 15
check runner.shows_last_lines grep -q 'vm:  .*this guest hangs' build/check/vm-bad.log
check runner.kernel_warning complains 'kernel complained' bad-warning.sh
check runner.shows_what_led_to_it grep -q 'vm:  .*what led to it' build/check/vm-bad.log
check runner.failed_job complains 'failed with exit code 3' bad-status.sh
check runner.unknown_topology complains 'nowhere' main.sh --topology nowhere
finish
