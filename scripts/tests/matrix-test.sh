#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The main job on the platforms that platforms-test.sh leaves out, and the invariants on
# their kernels. The first time it builds kernels; part of make check-all.

set -euo pipefail
cd -- "$(dirname -- "$0")/../.."
# shellcheck source=ktap.sh
. scripts/tests/ktap.sh
# shellcheck source=guest.sh
. scripts/tests/guest.sh

# shellcheck disable=SC2046,SC2086 # words
main_jobs $(platform_names | grep -vxF "$(printf '%s\n' $usual_platforms)")

# The slowest first: they run side by side.
use x86_64-4k-7-debug
guest test-fake-host minimal --limit 900
guest test-backends hotplug --limit 900 "${suite_programs[@]}"
guest test-bars main --limit 900
guest test-hotplug hotplug --limit 900
use x86_64-4k-7
guest test-fake-host minimal
guest test-hotplug hotplug
use x86_64-4k-6.12
guest test-fake-host minimal
guest test-bars main
guest test-hotplug hotplug
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
guest test-alternatives arm64 "${suite_programs[@]}"
use ppc64le-64k
guest test-packed ppc64le
guest test-backends ppc64le --limit 900 "${suite_programs[@]}"
guest test-eeh ppc64le
guests_end

# The kernel that a machine has installed, on one that has nothing else.
installed()
{
	INSTALLED=1 FRESH="trixie root" scripts/tests/fresh-test.sh
}

check main.installed installed
finish
