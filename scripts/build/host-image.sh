#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host-image.sh RELEASE
#
# Print a disk image with a release of Debian: systemd, kernel and headers, libvirt, QEMU,
# driverctl, what the README's commands need, and a newer kernel to be installed without
# network. It has no boot loader: scripts/vm/disk.py takes its kernel out. Made once; needs
# root for that, as packages are configured.

set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname -- "$0")/../lib.sh"
# shellcheck source=apt.sh
. "$(dirname -- "$0")/apt.sh"

# Raise it when the image is made in another way; what it is made from is in its name.
readonly layout=1

readonly image_mib=2500
# Beside what the project itself asks for.
readonly packages="systemd-sysv udev dbus sudo make pciutils initramfs-tools busybox zstd e2fsprogs openssl
	linux-image-amd64 linux-headers-amd64 dkms driverctl dpdk
	libvirt-daemon-system libvirt-clients qemu-system-x86 qemu-utils"

# all_packages: with commas between
all_packages()
{
	# shellcheck disable=SC2046,SC2086 # words
	printf '%s,' $packages $("$scripts/packages.sh" -l build)
}

# image_name: another one for what is made in another way
image_name()
{
	{
		all_packages
		find "$scripts/vm/host/root" "$scripts/vm/host/customize.sh" -type f -print0 |
			sort -z | xargs -0 cat
	} | cksum | sed "s/^/host-$release-/; s/ .*//"
}

# newer_kernel: the first suite that has one
newer_kernel()
{
	local now name
	apt_state "$release" amd64 || die "$release: $cause"
	now=$(apt_show linux-image-amd64 | apt_field Version)
	for name in $release-security $release-backports; do
		if apt_state "$name" amd64 &&
		   dpkg --compare-versions "$(apt_show linux-image-amd64 | apt_field Version)" gt "$now"; then
			echo "$name"
			return
		fi
	done
	die "linux-image-amd64: none is newer than $now of $release: check the network"
}

make_image()
{
	local newer
	newer=$(newer_kernel) || exit
	say "making a disk image with $release and, to update to, the kernel of $newer: three minutes"
	need_room $image_mib
	host_acquire >"$work/apt.conf"
	source_lines "$(archive_of "$release")" "$release" | sed 's/arch=[^ ]* //' >"$work/sources"
	source_lines "$(archive_of "$newer")" "$newer" | sed 's/arch=[^ ]* //' >"$work/newer"
	rm -rf "$cache/host-$release"-*
	# It stays the user's.
	: >"$work/entry/disk.img"
	# What mmdebstrap mounts goes with it, however it ends.
	# shellcheck disable=SC2016 # the inner shell expands it
	as_root "make a root of $release" env -u APT_CONFIG sh -c '
		root=$(mktemp -d) sources=$1 image=$2
		shift 2
		trap "rm -rf --one-file-system $root" EXIT
		trap "exit 143" HUP INT TERM
		unshare --mount mmdebstrap "$@" "" "$root" "$sources" &&
			mke2fs -q -t ext4 -d "$root" "$image" 6G' \
		sh "$work/sources" "$work/entry/disk.img" --quiet --mode=root --format=directory \
		--variant=minbase --include="$(all_packages)" \
		--aptopt="$work/apt.conf" --aptopt="$any_age" --skip=cleanup/apt \
		--essential-hook="cp -r '$scripts/vm/host/root/.' \"\$1\"" \
		--customize-hook="'$scripts/vm/host/customize.sh' \"\$1\" '$work/newer'" >&2 ||
		die "mmdebstrap: failed for $release: look above for its reason, and check the network"
}

main()
{
	[ $# = 1 ] || usage "RELEASE   (such as trixie)"
	"$(dirname -- "$0")/../packages.sh" image
	scripts=$(realpath -- "$(dirname -- "$0")/..")
	release=$1 cache=$(cache_dir)
	ensure_entry "$(image_name)" make_image
	printf '%s\n' "$dir/disk.img"
}

main "$@"
