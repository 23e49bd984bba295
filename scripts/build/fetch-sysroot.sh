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
# shellcheck source=cache.sh
. "$(dirname -- "$0")/cache.sh"
# shellcheck source=apt.sh
. "$(dirname -- "$0")/apt.sh"
# shellcheck source=platform.sh
. "$(dirname -- "$0")/platform.sh"

# Raise it when the sysroot is made in another way: older ones are then made again.
readonly layout=3

readonly suite=bookworm
readonly packages=libc6-dev,linux-libc-dev,libgcc-s1,libjson-c-dev,libnuma-dev,busybox-static
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

# As nothing is run, a mode that needs no root does no harm to root either.
make_sysroot()
{
	say "unpacking the sysroot of $1, half a minute"
	need_room $sysroot_mib
	host_acquire >"$work/apt.conf"
	source_lines "$(archive_of $suite)" $suite "$debian" |
		mmdebstrap --quiet --mode=chrootless --skip=check/chrootless --variant=extract \
			--architectures="$debian" --aptopt="$work/apt.conf" --include=$packages \
			'' "$work/entry" - >&2 ||
		die "sysroot $1: mmdebstrap failed: look above for its reason, and check the network"
	rm -rf "$work/entry"/{dev,etc,tmp,var,usr/share}
	relative_links "$work/entry"
	finish_entry
}

main()
{
	local arch=${1:-}
	[ $# = 1 ] || usage "ARCH   (such as arm64)"
	debian=$(arch_name "$arch" 3)
	[ -n "$debian" ] ||
		die "$arch: no sysroot for this architecture: use one of $(awk '{ print $1 }' <<<"$arch_names" | paste -sd ' ')"
	cache=$(cache_dir)
	dir=$cache/sysroot-$arch
	if ! entry_ok "$dir"; then
		have mmdebstrap || die "mmdebstrap: not found in PATH: run scripts/packages.sh cross"
		begin_entry "sysroot-$arch"
		entry_ok "$dir" || make_sysroot "$arch"
	fi
	printf '%s\n' "$dir"
}

main "$@"
