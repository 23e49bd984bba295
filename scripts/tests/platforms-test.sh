#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The main job on some platforms: the default one and the newest kernel, and the largest
# pages; and the invariants where a window is full, and on the kernel that notices
# mistakes. The first time it builds kernels. matrix-test.sh has the others.

set -euo pipefail
cd -- "$(dirname -- "$0")/../.."
# shellcheck source=ktap.sh
. scripts/tests/ktap.sh
# shellcheck source=guest.sh
. scripts/tests/guest.sh

# shellcheck disable=SC2086 # words
main_jobs $usual_platforms

main_showed arm64-64k-window-full build/results/all-arm64-64k-window-full.log '2 of 7' '0 of 7' \
	--state relocated --state no-space --path mmap --path pread
check main.x86_64-4k-scale.ratio grep -qE \
	'^bind to first touch, with / without the module: [0-9.]+, 128 at once$' \
	build/results/all-x86_64-4k-scale.log

# The slowest first: they run side by side.
GCOV=1 use x86_64-4k-debug
guest test-fake-host minimal --limit 900
guest test-backends hotplug --limit 900 "${suite_programs[@]}"
guest test-backends+noiommu hotplug --limit 900 --append intel_iommu=off "${suite_programs[@]}"
guest test-bars main --limit 900
guest test-hotplug hotplug --limit 900
guest test-sriov sriov --limit 900
use arm64-64k
guest test-window-full window-full
guest test-packed arm64
guests_end

# What the tests on the debug kernel, KUnit's too, execute of the driver, by gcov.
coverage()
{
	local dir=build/check/coverage run merged=
	rm -rf $dir
	mkdir -p $dir
	for run in build/check/vm-test-*-x86_64-4k-debug/gcov; do
		if [ -n "$merged" ]; then
			gcov-tool merge "$merged" "$run" -o $dir/with-"$(basename "$(dirname "$run")")" || return 1
			merged=$dir/with-$(basename "$(dirname "$run")")
		else
			merged=$run
		fi
	done
	cp build/module-*-x86_64-4k-debug-*/subpage-gcov/*.gcno "$merged"/*.gcda $dir/
	for run in bars main move params sysfs; do
		(cd $dir && gcov -n "$run.gcda") | sed -nE "/^File '.*\/$run\.c'/ { s/.*\/(.*)'/\1/; N; s/\n/ /p }"
	done | tee $dir/lines
	[ "$(wc -l <$dir/lines)" = 5 ] &&
		! awk -F '[:%]' '$2 < 80' $dir/lines | grep .
}

check coverage.driver coverage
sed 's/^/# /' build/check/coverage/lines
finish
