#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# suite.sh DIR
#
# Build the kselftest suite into DIR, with lib.mk and kselftest_harness.h from
# the distribution's kernel source package. ARCH and CROSS_COMPILE are kbuild's;
# with them it is built against the sysroot of that architecture.

set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname -- "$0")/../lib.sh"

cd -- "$(dirname -- "$0")/../.."

main()
{
	[ $# = 1 ] || usage "DIR"
	local source cross=()
	if [ -n "${CROSS_COMPILE:-}" ]; then
		cross=(CC="${CROSS_COMPILE}gcc --sysroot=$(scripts/build/fetch-sysroot.sh "$ARCH")")
	fi
	source=$(scripts/build/fetch-source.sh 6.12)
	mkdir -p "$1"
	make -C tools/testing/selftests/vfio SELFTESTS_DIR="$source/tools/testing/selftests" \
		OUTPUT="$(realpath "$1")" "${cross[@]}" ${V:+V="$V"} >&2 ||
		die "the suite does not build: look above for the compiler's reason"
}

main "$@"
