#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The module builds without a warning, for every architecture of Debian and every
# series of kernels that is packaged for it: with the package's own headers and a
# cross compiler. modpost says whether all symbols are there.

set -euo pipefail
cd -- "$(dirname -- "$0")/../.."
# shellcheck source=ktap.sh
. scripts/tests/ktap.sh

# builds RELEASE ARCH CROSS_COMPILE CC
builds()
{
	local dir=$root/build/$1-$2 log=build/check/arches.log
	rm -rf "$dir"
	mkdir -p "$dir"
	cp drivers/vfio/pci/subpage/{Makefile,*.[ch]} "$dir/"
	# BTF needs the kernel itself, and says nothing about the source.
	scripts/build/fetch-cross.sh -- make -j"$(nproc)" -C "/usr/src/linux-headers-$1" M="/build/$1-$2" W=1 \
		ARCH="$2" CROSS_COMPILE="$3" CC="$4" CONFIG_DEBUG_INFO_BTF_MODULES= modules \
		>$log 2>&1 </dev/null || { cat $log; return 1; }
	! grep -iE 'warning|error' $log | grep -v 'version differs from the one used' || return 1
	[ -s "$dir/vfio_pci_subpage.ko" ] && rm -rf "$dir"
}

scripts/packages.sh cross
root=$(scripts/build/fetch-cross.sh)
for series in 6.1 6.12 7; do
	for debian in amd64 i386 arm64 armhf ppc64el s390x riscv64 loong64; do
		read -r release arch prefix cc < <(awk -v s=$series -v a=$debian \
			'$1 == s && $2 == a { print $3, $4, $5, $6 }' "$root/kernels") || {
			skip "arches.$series.$debian" "no headers of $series for $debian could be had from Debian"
			continue
		}
		check "arches.$series.$debian" builds "$release" "$arch" "$prefix" "$cc"
	done
done
finish
