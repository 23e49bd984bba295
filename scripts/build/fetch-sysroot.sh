#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fetch-sysroot.sh ARCH
#
# Print a directory that holds what programs of another architecture are built
# against and run with: Debian's C library, the libraries of the suite, busybox. They
# are of one release, whatever this machine has.
# Nothing is installed, nothing of it is run, and the host knows of no second
# architecture. Needs no root.

set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname -- "$0")/../lib.sh"
# shellcheck source=root.sh
. "$(dirname -- "$0")/root.sh"
# shellcheck source=platform.sh
. "$(dirname -- "$0")/platform.sh"

# Raise it when the sysroot is made in another way: older ones are then made again.
readonly layout=4

readonly release=bookworm
readonly packages=libc6-dev,linux-libc-dev,libgcc-s1,libjson-c-dev,libnuma-dev,libpci-dev,busybox-static
# Of packages and what is in them.
readonly sysroot_mib=128

# Absolute links would lead out of the directory.
relative_links()
{
	local link
	find "$1" -type l -lname '/*' | while read -r link; do
		ln -srfn "$1$(readlink "$link")" "$link"
	done
}

make_sysroot()
{
	say "unpacking the sysroot of $1, half a minute"
	need_room $sysroot_mib
	unpack_packages "$work/entry" $release "$debian" $packages
	rm -rf "$work/entry"/{dev,etc,tmp,var,usr/share}
	relative_links "$work/entry"
}

main()
{
	local arch=${1:-}
	[ $# = 1 ] || usage "ARCH   (such as arm64)"
	debian=$(arch_name "$arch" 3)
	[ -n "$debian" ] ||
		die "$arch: no sysroot for this architecture: use one of $(awk '{ print $1 }' <<<"$arch_names" | paste -sd ' ')"
	cache=$(cache_dir)
	ensure_entry "sysroot-$arch" make_sysroot "$arch"
	printf '%s\n' "$dir"
}

main "$@"
