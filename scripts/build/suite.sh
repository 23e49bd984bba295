#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# suite.sh DIR [SYSROOT]
#
# Build the kselftest suite into DIR, with lib.mk and kselftest_harness.h from
# the distribution's kernel source package or, if SELFTESTS_DIR names one, that
# directory tools/testing/selftests. CROSS_COMPILE is kbuild's; with it SYSROOT is where
# headers and libraries are.

set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname -- "$0")/../lib.sh"

cd -- "$(dirname -- "$0")/../.."

main()
{
	[ $# = 1 ] || [ $# = 2 ] || usage "DIR [SYSROOT]"
	local selftests=${SELFTESTS_DIR:-} cross=()
	[ -z "${CROSS_COMPILE:-}" ] || cross=(CC="${CROSS_COMPILE}gcc --sysroot=$2")
	[ -n "$selftests" ] ||
		selftests=$(scripts/build/fetch-source.sh 6.12)/tools/testing/selftests
	[ -s "$selftests/lib.mk" ] ||
		die "$selftests: no kselftest there: set SELFTESTS_DIR to tools/testing/selftests of a kernel's source"
	mkdir -p "$1"
	make -C tools/testing/selftests/vfio SELFTESTS_DIR="$selftests" \
		OUTPUT="$(realpath "$1")" "${cross[@]}" ${V:+V="$V"} >&2 ||
		die "the suite does not build: look above for the compiler's reason"
}

main "$@"
