#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The main job on all other platforms, and the invariants on the kernel that
# notices mistakes. Takes long, and builds kernels: run it by its name,
# scripts/check.sh matrix.

set -euo pipefail
cd -- "$(dirname -- "$0")/../.."
# shellcheck source=ktap.sh
. scripts/tests/ktap.sh
# shellcheck source=guest.sh
. scripts/tests/guest.sh

main_on x86_64-4k-6.1 12 3
main_on arm64-16k 10 3
main_on arm64-64k 16 5
main_on x86_64-4k-debug 12 3

use arm64-16k
guest test-packed arm64
use arm64-64k
guest test-packed arm64

use x86_64-4k-debug
guest test-kunit minimal --limit 900
guest test-backends hotplug --limit 900 "${suite_programs[@]}"
guest test-claims main --limit 900
guest test-hotplug hotplug --limit 900
guest test-fake-host minimal --limit 900
finish
