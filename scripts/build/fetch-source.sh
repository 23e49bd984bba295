#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fetch-source.sh [--tree | --full] SERIES
#
# Print a directory that holds parts of Debian's kernel source of that series (6.12, or
# 7 for the newest of these), the same one on every release of Debian:
# those that this project builds and checks with (kselftest, checkpatch, kernel-doc,
# user space headers). With --tree: so much that it can be configured and prepared,
# and drivers/vfio/pci and selftests be built in it. With --full: all of it. Not to
# be changed: copy it first.

set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname -- "$0")/../lib.sh"
# shellcheck source=apt.sh
. "$(dirname -- "$0")/apt.sh"

# Raise it when what unpack makes changes: older entries are then rebuilt.
readonly entry_layout=2

# Below the top of the tree; * does not match a slash, but in Kconfig's line.
source_parts=(
	COPYING LICENSES
	Documentation/dev-tools/checkpatch.rst
	Documentation/sphinx
	include/uapi
	scripts
	tools/arch/arm64/include
	tools/arch/x86/include
	tools/build
	tools/include
	tools/scripts
	'tools/testing/selftests/*.h' 'tools/testing/selftests/*.sh'
	tools/testing/selftests/Makefile tools/testing/selftests/lib.mk
	tools/testing/selftests/kselftest
)
tree_parts=(
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

source_files=(
	Documentation/sphinx/kerneldoc.py
	tools/testing/selftests/{lib.mk,Makefile,run_kselftest.sh}
	tools/testing/selftests/{kselftest.h,kselftest_harness.h}
	tools/testing/selftests/kselftest/runner.sh
	tools/include/linux/types.h include/uapi/linux/vfio.h
	scripts/{checkpatch.pl,const_structs.checkpatch,spelling.txt}
)
tree_files=(
	Makefile Kconfig MAINTAINERS drivers/vfio/pci/vfio_pci.c
	arch/x86/configs/x86_64_defconfig include/linux/pci.h
	scripts/checkpatch.pl tools/objtool/Makefile
	tools/testing/selftests/lib.mk
)

# suites_of SERIES: those that have it, or had it when this was written
suites_of()
{
	case $1 in
	6.1) echo bookworm-security bookworm ;;
	6.12) echo bookworm-security trixie ;;
	*) echo trixie-backports sid ;;
	esac
}

# A series without a package of its name is one of the newest that there is.
resolve()
{
	local name=linux-source-$1 stanza
	[ -n "$(apt_show "$name")" ] ||
		name=$(apt_show linux-source | sed -n 's/^Depends: //p' |
			grep -o -m 1 "linux-source-${1//./\\.}[0-9.]*") || return 0
	stanza=$(apt_show "$name")
	echo "entry $kind-$(apt_field Version <<<"$stanza")"
	echo "source $name"
	manifest_debs <<<"$stanza"
}

unpack_mib()
{
	case $kind in
	source) echo 32 ;;
	tree) echo 128 ;;
	full) echo 1600 ;;
	esac
}

# The tar options that select what is unpacked: nothing for all of it.
selection()
{
	case $kind in
	source) printf '%s\n' --wildcards --no-wildcards-match-slash "${source_parts[@]/#/$1/}" ;;
	# Every Kconfig, or it could not be configured.
	tree) printf '%s\n' --wildcards --no-wildcards-match-slash "${tree_parts[@]/#/$1/}" \
		--wildcards-match-slash "$1/*Kconfig*" ;;
	esac
}

# Streamed: the tree has 1.5 GB, and most scripts need little of it.
unpack()
{
	local source file parts
	source=$(manifest_get "$1" source)
	file=$(awk '$1 == "deb" { print $4 }' "$1")
	mapfile -t parts < <(selection "$source")
	if [ "$kind" = full ]; then
		say "unpacking $source, about a minute"
	else
		say "unpacking parts of $source, about 10 seconds"
	fi
	dpkg-deb --fsys-tarfile "$2/$file" |
		tar -xO "./usr/src/$source.tar.xz" |
		xz -dc -T0 |
		tar -x -C "$3" --strip-components=1 "${parts[@]}" ||
		die "$2/$file: cannot be unpacked: look above for the reason; if it is damaged, remove it and run this again"
}

check_entry()
{
	local file needed=()
	case $kind in
	source) needed=("${source_files[@]}") ;;
	tree) needed=("${tree_files[@]}") ;;
	full) needed=("${source_files[@]}" "${tree_files[@]}" kernel/resource.c) ;;
	esac
	for file in "${needed[@]}"; do
		[ -s "$1/$file" ] || return 1
	done
}

main()
{
	kind=source
	case ${1:-} in
	--tree | --full)
		kind=${1#--}
		shift
		;;
	esac
	[ $# = 1 ] || usage "[--tree | --full] SERIES   (such as 6.12, or 7)"
	[[ $1 =~ ^[0-9][0-9.]*$ ]] || die "$1: no series of kernels: use such as 6.12, or 7"
	# shellcheck disable=SC2046 # words
	fetch_entry "$kind" "$1" "$entry_layout" "$(dpkg --print-architecture)" $(suites_of "$1")
}

main "$@"
