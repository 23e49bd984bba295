#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The module where the kernel has packed all BARs from the start and pages are
# large, and native drivers after it. Topology: arm64, or ppc64le.
# shellcheck source=lib.sh
. /guest/lib.sh

# Its page has other regions before, and whoever owns them does not notice.
excluded_changes_nothing()
{
	dev=$(bdf sdhci)
	parameter relocate no
	cat /proc/iomem >before
	ret=0
	bind vfio-pci "$dev" &&
		same state excluded "$(state "$dev" 0)" &&
		consistent "$dev" 0 && diff before /proc/iomem || ret=1
	unbind "$dev"
	parameter relocate yes
	return $ret
}

every_subpage_bar_has_page()
{
	bind_all || return 1
	subpage_bars >bars
	[ -s bars ] || { echo "no sub-page BAR"; return 1; }
	each_bar was_prepared
}

some_were_moved()
{
	each_bar state >states
	[ "$(grep -c relocated states)" -ge 5 ] || { cat states; return 1; }
}

unbind_leaves_nothing()
{
	unbind_all
	each_bar is_restored && ! grep subpage /proc/iomem
}

is_in_place()
{
	same "state of $1 BAR $2" in-place "$(state "$1" "$2")"
}

rebind_finds_all_in_place()
{
	bind_all && each_bar is_in_place
}

# The controller answers at its new address, with its registers and interrupts.
native_nvme_works()
{
	dev=$(bdf nvme)
	# While vfio-pci has it, so that the module does not take it in the background.
	modprobe nvme && bind nvme "$dev" || return 1
	for _ in $(seq 100); do
		[ -b /dev/nvme0n1 ] && break
		usleep 100000
	done
	same "bytes read" 1048576 "$(head -c 1048576 /dev/nvme0n1 | wc -c)"
	ret=$?
	unbind_all
	return $ret
}

load_vfio || exit 1
plug_marked || exit 1
check packed.excluded_changes_nothing excluded_changes_nothing
check packed.every_subpage_bar_has_page every_subpage_bar_has_page
check packed.some_were_moved some_were_moved
check packed.unbind_leaves_nothing unbind_leaves_nothing
check packed.rebind_finds_all_in_place rebind_finds_all_in_place
check packed.native_nvme_works native_nvme_works
finish
