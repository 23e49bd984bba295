#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fetch-kernel.sh SERIES
#
# Print a directory that holds Debian's own kernel of that series, from its
# packages, unpacked and not installed: the user's boot menu stays theirs.
#   vmlinuz   the kernel          build     KDIR to build modules against
#   release   its release string  modules   its modules, depmod has been run

set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname -- "$0")/../lib.sh"
# shellcheck source=cache.sh
. "$(dirname -- "$0")/cache.sh"

# Raise it when what unpack makes changes: older entries are then rebuilt.
readonly entry_layout=2

# The versioned image package that a meta package stands for.
image_of()
{
	apt_show "$1" | apt_field Depends | tr , '\n' |
		sed -n 's/^ *\(linux-image-[0-9][^ ]*\).*/\1/p' | head -n 1
}

# The series that is a release's default has no meta package of its own name.
find_image()
{
	local arch meta image
	arch=$(dpkg --print-architecture)
	for meta in "linux-image-$1-$arch" "linux-image-$arch"; do
		image=$(image_of "$meta")
		if [[ $image == "linux-image-$1."* ]]; then
			echo "$image"
			return
		fi
	done
}

# Names from the headers' own Depends: given a name that is no package, such as
# linux-kbuild-6.12, apt-get takes it for a regex and fetches every match.
resolve()
{
	local image release version headers common kbuild depends
	image=$(find_image "$1")
	[ -n "$image" ] || return 0
	release=${image#linux-image-}
	headers=linux-headers-$release
	depends=$(apt_show "$headers")
	version=$(apt_field Version <<<"$depends")
	depends=$(apt_field Depends <<<"$depends")
	common=$(grep -o 'linux-headers-[^ ,]*-common' <<<"$depends" | head -n 1)
	kbuild=$(grep -o 'linux-kbuild-[^ ,]*' <<<"$depends" | head -n 1)

	echo "entry kernel-$version"
	echo "release $release"
	apt_show "$image=$version" "$headers=$version" \
		 "$common=$version" "$kbuild=$version" | manifest_debs
}

# Unpacked size, and the indices that depmod adds.
unpack_mib()
{
	awk '$1 == "deb" { kib += $6 } END { print int(kib / 1024) + 16 }' "$1"
}

# In parallel: half of the time goes into the image alone.
unpack_debs()
{
	local key file pid pids=()
	while read -r key _ _ file _; do
		[ "$key" = deb ] || continue
		dpkg -x "$2/$file" "$3" &
		pids+=($!)
	done <"$1"
	[ ${#pids[@]} = 4 ] ||
		die "the package lists lack a package of the kernel's version: run apt-get update, then try again"
	for pid in "${pids[@]}"; do
		wait "$pid" ||
			die "$2: unpacking failed: look above for dpkg's reason; if a package is damaged, remove it and run this again"
	done
}

# The only absolute path in the headers.  Made relative to the Makefile, not to
# make's directory, so that the entry can be moved and "make -f" works too.
relocate_headers()
{
	# shellcheck disable=SC2016 # make expands it
	sed -i 's,^include /usr/src/\(.*\),include $(dir $(realpath $(lastword $(MAKEFILE_LIST))))../\1,' \
		"$1/Makefile"
}

unpack()
{
	local release dir=$3
	release=$(manifest_get "$1" release)
	say "unpacking the kernel $release, a few seconds"
	unpack_debs "$1" "$2" "$dir"
	rm -rf "${dir:?}/usr/share"

	relocate_headers "$dir/usr/src/linux-headers-$release"
	ln -sfn "../../../usr/src/linux-headers-$release" "$dir/lib/modules/$release/build"
	rm -f "$dir/lib/modules/$release/source"
	ln -s "boot/vmlinuz-$release" "$dir/vmlinuz"
	ln -s "usr/src/linux-headers-$release" "$dir/build"
	ln -s "lib/modules/$release" "$dir/modules"
	echo "$release" >"$dir/release"

	depmod -b "$dir" "$release" ||
		die "depmod: failed for $release: look above for its reason"
	# The include line, tried.
	make -s -C "$dir/build" kernelversion >/dev/null ||
		die "linux-headers-$release: its Makefile does not work where it was unpacked: report this"
}

check_entry()
{
	local file
	for file in vmlinuz release modules/modules.dep modules/modules.builtin \
		    build/Makefile build/Module.symvers build/.config \
		    build/scripts/mod/modpost build/include/generated/autoconf.h; do
		[ -s "$1/$file" ] || return 1
	done
}

main()
{
	[ $# = 1 ] || usage "SERIES   (6.12 or 6.1)"
	case $1 in
	6.12 | 6.1) fetch_entry kernel "$1" "$entry_layout" ;;
	*) die "$1: no such kernel series: use 6.12 or 6.1" ;;
	esac
}

main "$@"
