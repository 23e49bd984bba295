#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# build-module.sh KDIR TARGET
#
# Run a kbuild target (modules, modules_install) for the driver against the
# kernel whose build directory is KDIR. Objects go to build/module-RELEASE; the
# last line of "modules" names the module.

set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname -- "$0")/lib.sh"

cd -- "$(dirname -- "$0")/.."

# kbuild can only build where the sources are, so they are linked to.
link_sources()
{
	local file
	mkdir -p "$1"
	for file in drivers/vfio/pci/subpage/{Makefile,*.[ch]}; do
		ln -sfn "../../$file" "$1/${file##*/}"
	done
}

main()
{
	[ $# = 2 ] || usage "KDIR TARGET"
	local kdir=$1 target=$2 release dir
	{ [ -f "$kdir/Makefile" ] && [ -s "$kdir/Module.symvers" ]; } ||
		die "$kdir: no kernel headers there: install linux-headers-$(uname -r) or set KDIR"
	grep -q '^CONFIG_VFIO_PCI_CORE=[my]' "$kdir/.config" "$kdir/include/config/auto.conf" 2>/dev/null ||
		die "$kdir: this kernel is built without VFIO (CONFIG_VFIO_PCI_CORE): use another one"

	release=$(make -s -C "$kdir" kernelrelease)
	dir=build/module-$release
	link_sources "$dir"
	make -C "$kdir" M="$PWD/$dir" ${V:+V="$V"} ${W:+W="$W"} ${C:+C="$C"} "$target" >&2 ||
		die "the module does not build for $release: look above for the compiler's reason"
	[ "$target" != modules ] || echo "$dir/vfio_pci_subpage.ko"
}

main "$@"
