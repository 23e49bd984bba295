#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The main job on every platform, and the invariants where pages are large, where
# a window is full, and on the kernel that notices mistakes. The first time it
# builds kernels.

set -euo pipefail
cd -- "$(dirname -- "$0")/../.."
# shellcheck source=ktap.sh
. scripts/tests/ktap.sh
# shellcheck source=guest.sh
. scripts/tests/guest.sh

# platform_showed NAME MAPPED PLAIN [ARG]...: see main_showed
platform_showed()
{
	local name=$1
	shift
	main_showed "$name" "build/results/all-$name.log" "$@"
}

main_job all PLATFORM=all
check main.all.rows same "lines of the table" 9 "$(wc -l <build/results/all.txt)"
platform_showed x86_64-4k '12 of 12' '3 of 12'
platform_showed x86_64-4k-6.1 '12 of 12' '3 of 12'
platform_showed arm64-16k '10 of 10' '3 of 10' --kunit pci_subpage_bars
platform_showed arm64-16k-stock '10 of 10' '3 of 10'
platform_showed arm64-64k '16 of 16' '5 of 16' --kunit pci_subpage_bars
platform_showed arm64-64k-window-full '2 of 7' '0 of 7' \
	--state relocated --state no-space --path mmap --path pread
platform_showed ppc64le-64k '19 of 19' '5 of 19'
platform_showed x86_64-4k-debug '12 of 12' '3 of 12' \
	--kunit pci_subpage_bars

# The slowest first: they run side by side.
check main.x86_64-4k-scale.ratio grep -qE \
	'^bind to first touch, with / without the module: [0-9.]+, 128 at once$' \
	build/results/all-x86_64-4k-scale.log

GCOV=1 use x86_64-4k-debug
guest test-fake-host minimal --limit 900
guest test-backends hotplug --limit 900 "${suite_programs[@]}"
guest test-backends+noiommu hotplug --limit 900 --append intel_iommu=off "${suite_programs[@]}"
guest test-bars main --limit 900
guest test-hotplug hotplug --limit 900
guest test-sriov sriov --limit 900

use x86_64-4k-6.1
guest test-fake-host minimal
guest test-bars main
guest test-hotplug hotplug

use arm64-16k
guest test-packed arm64
use arm64-16k-stock
guest test-packed arm64
guest test-preserve arm64-preserve --limit 900 "${suite_programs[@]}"
use arm64-64k
guest test-packed arm64
guest test-window-full window-full
guest test-alternatives arm64 "${suite_programs[@]}"
use ppc64le-64k
guest test-packed ppc64le
guest test-backends ppc64le --limit 900 "${suite_programs[@]}"
guest test-eeh ppc64le
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
