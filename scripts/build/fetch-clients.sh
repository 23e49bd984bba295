#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fetch-clients.sh ARCH
#
# Print a directory that holds clients of VFIO for that architecture, of Debian 13: QEMU,
# kernels for its guests, and DPDK where there is a test with it. kernels/FLAVOUR is in
# the layout of fetch-kernel.sh, without what modules are built with. To be shared with a
# guest, which can chroot into it. Nothing is installed, and nothing of it is run here.

set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname -- "$0")/../lib.sh"
# shellcheck source=root.sh
. "$(dirname -- "$0")/root.sh"
# shellcheck source=platform.sh
. "$(dirname -- "$0")/platform.sh"

# Raise it when the directory is made in another way: older ones are then made again.
readonly layout=1
readonly debian=trixie
# Of packages and what is in them.
readonly clients_mib=1200

packages_of()
{
	case $1 in
	arm64) echo qemu-system-arm linux-image-arm64 linux-image-arm64-16k dpdk-dev ;;
	x86_64) echo qemu-system-x86 linux-image-amd64 ;;
	esac
}

# add_kernel ROOT RELEASE
add_kernel()
{
	local dir
	# 6.12.1+deb13-arm64-16k: the flavour comes after the last digit of the version.
	dir=$1/kernels/$(sed -E 's/^[^-]*-//' <<<"$2")
	mkdir -p "$dir"
	depmod -b "$1" "$2" || die "depmod: failed for $2: look above for its reason"
	echo "$2" >"$dir/release"
	ln -s "../../boot/vmlinuz-$2" "$dir/vmlinuz"
	ln -s ../../usr/lib "$dir/lib"
	ln -s "lib/modules/$2" "$dir/modules"
}

make_clients()
{
	local root=$work/entry list name
	list=$(packages_of "$1" | tr ' ' ,)
	say "unpacking $list, two minutes"
	need_room $clients_mib
	unpack_packages "$root" $debian "$(arch_name "$1" 3)" "$list" --aptopt="$any_age"
	rm -rf "$root"/usr/{include,share/{doc,man,locale,info},lib/*/*.a} "$root"/var/cache
	# Nothing is configured: base-files would have made these.
	for name in bin sbin lib lib64; do
		[ -e "$root/$name" ] || ln -s "usr/$name" "$root/$name"
	done
	mkdir -p "$root"/{dev,proc,sys,tmp}
	for name in "$root"/usr/lib/modules/*; do
		add_kernel "$root" "${name##*/}"
	done
}

main()
{
	[ $# = 1 ] || usage "ARCH   (such as arm64)"
	[ -n "$(packages_of "$1")" ] ||
		die "$1: no clients for this architecture: use arm64 or x86_64"
	cache=$(cache_dir)
	ensure_entry "clients-$1" make_clients "$1"
	printf '%s\n' "$dir"
}

main "$@"
