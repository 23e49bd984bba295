#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# installed-kernel.sh
#
# Print a directory that holds a kernel that is installed on this machine, in the layout
# of fetch-kernel.sh: the running one, or the one that KERNEL names, such as
# /boot/vmlinuz-6.12.0-1-amd64. All in it are links; nothing is downloaded. Tests put
# ROOT before the paths of the system.

set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname -- "$0")/../lib.sh"

cd -- "$(dirname -- "$0")/../.."

# release_of VMLINUZ: from where it is, or from its name
release_of()
{
	case $1 in
	*/lib/modules/*/vmlinuz) basename "$(dirname "$1")" ;;
	*/vmlinuz-*) echo "${1##*/vmlinuz-}" ;;
	*) die "KERNEL=$1: no release in its name: use /boot/vmlinuz-RELEASE or /lib/modules/RELEASE/vmlinuz" ;;
	esac
}

# image_of RELEASE: distributions put it in either place
image_of()
{
	local file
	for file in "${ROOT:-}/lib/modules/$1/vmlinuz" "${ROOT:-}/boot/vmlinuz-$1"; do
		if [ -e "$file" ]; then
			echo "$file"
			return
		fi
	done
	die "$1: the kernel that runs is not on this machine's disk (a container?): set KERNEL=/boot/vmlinuz-RELEASE, or PLATFORM"
}

# check_config CONFIG: what no module could do without
check_config()
{
	grep -q '^CONFIG_VFIO_PCI=[my]' "$1" ||
		die "$release: built without VFIO (CONFIG_VFIO_PCI): use another kernel"
	! grep -q '^CONFIG_MODULE_SIG_FORCE=y' "$1" ||
		die "$release: loads signed modules only (CONFIG_MODULE_SIG_FORCE): use another kernel"
}

main()
{
	[ $# = 0 ] || usage ""
	local image=${KERNEL:-} release dir modules
	if [ -n "$image" ]; then
		release=$(release_of "$image")
		[ -e "$image" ] || die "KERNEL=$image: no such file: look into /boot and /lib/modules"
	else
		release=$(uname -r)
		image=$(image_of "$release")
	fi
	[ -r "$image" ] || die "$image: not readable for this user: make it so, as root: chmod a+r $image"
	modules=${ROOT:-}/lib/modules/$release
	[ -s "$modules/modules.dep" ] || die "$modules: the kernel's modules are not there: install them"
	[ -s "$modules/build/Module.symvers" ] ||
		die "$modules/build: the kernel's headers are not there: install linux-headers-$release, or what your distribution calls it (kernel-devel)"
	check_config "$modules/build/.config"

	dir=build/installed-$release
	rm -rf "$dir"
	mkdir -p "$dir/lib/modules"
	ln -s "$image" "$dir/vmlinuz"
	ln -s "$modules" "$dir/lib/modules/$release"
	ln -s "$modules" "$dir/modules"
	ln -s "$modules/build" "$dir/build"
	echo "$release" >"$dir/release"
	echo "$PWD/$dir"
}

main "$@"
