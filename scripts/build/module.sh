#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# module.sh KDIR TARGET [SOURCE]
#
# Run a kbuild target (modules, modules_install) against the kernel whose build
# directory is KDIR, for the driver or for the module in SOURCE. Objects go to
# build/module-RELEASE/NAME; "modules" prints what it has built. ARCH and
# CROSS_COMPILE are kbuild's; GCOV=1 makes a module that counts what it executes,
# for a kernel with CONFIG_GCOV_KERNEL, in a directory of its own. KUNIT=1 adds the
# driver's KUnit tests, which run when it is loaded, for a kernel that has KUnit.

set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname -- "$0")/../lib.sh"
# shellcheck source=cache.sh
. "$(dirname -- "$0")/cache.sh"

cd -- "$(dirname -- "$0")/../.."

# kbuild can only build where the sources are, so they are linked to.
link_sources()
{
	local file
	mkdir -p "$2"
	for file in "$1"/{Makefile,*.[ch]}; do
		ln -sfn "$PWD/$file" "$2/${file##*/}"
	done
}

# tools KDIR: the compiler is the one that Debian's headers name. If it is not here, what
# make has to be run by: for kernels from the cache only, as users have their own.
tools()
{
	local cc
	cc=$(sed -n 's/^CC = .*)\(gcc-[0-9]*\)$/\1/p' "$1/.kernelvariables" 2>/dev/null)
	[ -n "$cc" ] && ! have "${CROSS_COMPILE:-}$cc" || return 0
	case $(realpath "$1") in
	"$(cache_dir)"/*) echo scripts/build/toolchain.sh "$cc" ;;
	*) die "${CROSS_COMPILE:-}$cc: not found in PATH: the kernel of $1 was built with it: install it" ;;
	esac
}

main()
{
	[ $# = 2 ] || [ $# = 3 ] || usage "KDIR TARGET [SOURCE]"
	local kdir=$1 target=$2 source=${3:-drivers/vfio/pci/subpage} release dir run
	{ [ -s "$kdir/Module.symvers" ] && [ -s "$kdir/include/generated/utsrelease.h" ]; } ||
		die "$kdir: no kernel headers there: install linux-headers-$(uname -r) or set KDIR"
	grep -q '^CONFIG_VFIO_PCI_CORE=[my]' "$kdir/.config" "$kdir/include/config/auto.conf" 2>/dev/null ||
		die "$kdir: this kernel is built without VFIO (CONFIG_VFIO_PCI_CORE): use another one"

	release=$(sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' "$kdir/include/generated/utsrelease.h")
	dir=build/module-$release/${source##*/}${GCOV:+-gcov}
	link_sources "$source" "$dir"
	run=$(tools "$kdir")
	# shellcheck disable=SC2086 # words, or none
	$run make -C "$kdir" M="$PWD/$dir" ${V:+V="$V"} ${W:+W="$W"} ${C:+C="$C"} \
		${GCOV:+GCOV_PROFILE=y} "$target" >&2 ||
		die "$source does not build for $release: look above for the compiler's reason"
	case $target in
	modules) ls "$dir"/*.ko ;;
	# The kernel's own makefile leaves it out where System.map is not beside
	# the headers, as in Debian's packages: modprobe would find nothing.
	modules_install) depmod ${INSTALL_MOD_PATH:+-b "$INSTALL_MOD_PATH"} "$release" ||
		die "depmod: failed for $release: look above for its reason" ;;
	esac
}

main "$@"
