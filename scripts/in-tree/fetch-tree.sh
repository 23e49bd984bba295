#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fetch-tree.sh SERIES
#
# Print a directory that holds so much of Debian's kernel source of that series
# that it can be configured and prepared, and drivers/vfio/pci and selftests be
# built in it. Not to be changed: copy it first.

set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname -- "$0")/../lib.sh"
# shellcheck source=../cache.sh
. "$(dirname -- "$0")/../cache.sh"

# Raise it when what unpack makes changes: older entries are then rebuilt.
readonly entry_layout=1

# Below the top of the tree; * does not match a slash.
readonly wanted=(
	.gitignore COPYING CREDITS Kbuild MAINTAINERS Makefile README
	Documentation/dev-tools/index.rst
	Documentation/driver-api/index.rst
	arch/x86
	drivers/Makefile drivers/vfio
	include
	ipc/Makefile
	kernel/bounds.c kernel/time
	scripts
	security/selinux/include
	tools/Makefile
	tools/arch/x86 tools/build tools/include tools/lib tools/objtool tools/scripts
	'tools/testing/selftests/*.h' 'tools/testing/selftests/*.sh'
	tools/testing/selftests/Makefile tools/testing/selftests/lib.mk
	tools/testing/selftests/kselftest
)

resolve()
{
	local stanza
	stanza=$(apt_show "linux-source-$1")
	[ -n "$stanza" ] || return 0
	echo "entry intree-$(apt_field Version <<<"$stanza")"
	echo "source linux-source-$1"
	manifest_debs <<<"$stanza"
}

unpack_mib()
{
	echo 128
}

unpack()
{
	local source file
	source=$(manifest_get "$1" source)
	file=$(awk '$1 == "deb" { print $4 }' "$1")
	say "unpacking parts of $source, about 10 seconds"
	# Every Kconfig, or it could not be configured.
	dpkg-deb --fsys-tarfile "$2/$file" |
		tar -xO "./usr/src/$source.tar.xz" |
		xz -dc -T0 |
		tar -x -C "$3" --strip-components=1 --wildcards --no-wildcards-match-slash \
			"${wanted[@]/#/$source/}" \
			--wildcards-match-slash "$source/*Kconfig*" ||
		die "$source: unpacking failed: look above for the reason"
}

check_entry()
{
	local file
	for file in Makefile Kconfig MAINTAINERS drivers/vfio/pci/vfio_pci.c \
		    arch/x86/configs/x86_64_defconfig include/linux/pci.h \
		    scripts/checkpatch.pl tools/objtool/Makefile \
		    tools/testing/selftests/lib.mk; do
		[ -s "$1/$file" ] || return 1
	done
}

main()
{
	[ $# = 1 ] || usage "SERIES   (6.12 or 6.1)"
	case $1 in
	6.12 | 6.1) fetch_entry intree "$1" "$entry_layout" ;;
	*) die "$1: no such kernel series: use 6.12 or 6.1" ;;
	esac
}

main "$@"
