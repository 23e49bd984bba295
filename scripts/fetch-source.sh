#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fetch-source.sh [--full] SERIES
#
# Print a directory that holds, from Debian's kernel source of that series, the
# parts that this project builds and checks with: kselftest, checkpatch,
# kernel-doc, kunit's runner and the user space headers. With --full: all of it.

set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"
# shellcheck source=cache.sh
. "$(dirname -- "$0")/cache.sh"

# Raise it when what unpack makes changes: older entries are then rebuilt.
readonly entry_layout=1

readonly wanted=(
	COPYING
	LICENSES
	Documentation/dev-tools/checkpatch.rst
	Documentation/sphinx
	include/uapi
	scripts
	tools/arch/arm64/include
	tools/arch/x86/include
	tools/build
	tools/include
	tools/scripts
	tools/testing/kunit
	tools/testing/selftests/Makefile
	tools/testing/selftests/gen_kselftest_tar.sh
	tools/testing/selftests/kselftest
	tools/testing/selftests/kselftest.h
	tools/testing/selftests/kselftest_deps.sh
	tools/testing/selftests/kselftest_harness.h
	tools/testing/selftests/kselftest_install.sh
	tools/testing/selftests/kselftest_module.h
	tools/testing/selftests/lib.mk
	tools/testing/selftests/run_kselftest.sh
)

resolve()
{
	local stanza
	stanza=$(apt_show "linux-source-$1")
	[ -n "$stanza" ] || return 0
	echo "entry $kind-$(apt_field Version <<<"$stanza")"
	echo "source linux-source-$1"
	manifest_debs <<<"$stanza"
}

unpack_mib()
{
	[ "$kind" = full ] && echo 1600 || echo 32
}

# Streamed: the tree has 1.5 GB, and most scripts need none of it but these.
unpack()
{
	local source file parts=()
	source=$(manifest_get "$1" source)
	file=$(awk '$1 == "deb" { print $4 }' "$1")
	if [ "$kind" = full ]; then
		say "unpacking $source, about a minute"
	else
		say "unpacking parts of $source, about 10 seconds"
		parts=("${wanted[@]/#/$source/}")
	fi
	dpkg-deb --fsys-tarfile "$2/$file" |
		tar -xO "./usr/src/$source.tar.xz" |
		xz -dc -T0 |
		tar -x -C "$3" --strip-components=1 "${parts[@]}" ||
		die "$source: unpacking failed: look above for the reason"
}

check_entry()
{
	local file
	[ "$kind" != full ] || [ -s "$1/kernel/resource.c" ] || return 1
	for file in tools/testing/selftests/{lib.mk,Makefile,run_kselftest.sh} \
		    tools/testing/selftests/{kselftest.h,kselftest_harness.h} \
		    tools/testing/selftests/kselftest/runner.sh \
		    tools/include/linux/types.h include/uapi/linux/vfio.h \
		    scripts/{checkpatch.pl,const_structs.checkpatch,spelling.txt} \
		    scripts/kernel-doc tools/testing/kunit/kunit.py; do
		[ -s "$1/$file" ] || return 1
	done
}

main()
{
	kind=source
	if [ "${1:-}" = --full ]; then
		kind=full
		shift
	fi
	[ $# = 1 ] || usage "[--full] SERIES   (6.12 or 6.1)"
	case $1 in
	6.12 | 6.1) fetch_entry "$kind" "$1" "$entry_layout" ;;
	*) die "$1: no such kernel series: use 6.12 or 6.1" ;;
	esac
}

main "$@"
