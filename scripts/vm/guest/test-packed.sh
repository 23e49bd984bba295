#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Claims where the kernel has packed all BARs from the start and pages are
# large: made at bind, gone at unbind, and native drivers still work. Topology:
# arm64.
# shellcheck source=lib.sh
. /guest/lib.sh

# Its page has other regions before, and whoever owns them does not notice.
excluded_changes_nothing()
{
	dev=$(bdf sdhci)
	echo N >/sys/module/vfio_pci_subpage/parameters/relocate
	cat /proc/iomem >before
	ret=0
	bind vfio-pci-subpage "$dev" &&
		same claim none "$(claim "$dev" 0)" &&
		same reason excluded "$(reason "$dev" 0)" &&
		consistent "$dev" 0 && diff before /proc/iomem || ret=1
	unbind "$dev"
	echo Y >/sys/module/vfio_pci_subpage/parameters/relocate
	return $ret
}

every_subpage_bar_claimed()
{
	bind_all || return 1
	subpage_bars >bars
	[ -s bars ] || { echo "no sub-page BAR"; return 1; }
	while read -r dev bar; do
		case $(claim "$dev" "$bar") in
		in-place | relocated) ;;
		*) echo "$dev BAR $bar: claim $(claim "$dev" "$bar") $(reason "$dev" "$bar")"; return 1 ;;
		esac
		alone_in_page "$dev" "$bar" && consistent "$dev" "$bar" || return 1
	done <bars
}

some_were_moved()
{
	while read -r dev bar; do
		claim "$dev" "$bar"
	done <bars >claims
	[ "$(grep -c relocated claims)" -ge 5 ] || { cat claims; return 1; }
}

unbind_leaves_nothing()
{
	unbind_all
	! grep subpage /proc/iomem || return 1
	while read -r dev bar; do
		consistent "$dev" "$bar" || return 1
	done <bars
}

rebind_finds_all_in_place()
{
	bind_all || return 1
	while read -r dev bar; do
		same "claim of $dev BAR $bar" in-place "$(claim "$dev" "$bar")" || return 1
	done <bars
}

rmmod_leaves_nothing()
{
	rmmod vfio_pci_subpage || return 1
	! grep subpage /proc/iomem
}

# The controller answers at its new address, with its registers and interrupts.
native_nvme_works()
{
	dev=$(bdf nvme)
	modprobe nvme && bind nvme "$dev" || return 1
	for _ in $(seq 100); do
		[ -b /dev/nvme0n1 ] && break
		usleep 100000
	done
	same "bytes read" 1048576 "$(head -c 1048576 /dev/nvme0n1 | wc -c)"
	ret=$?
	unbind "$dev"
	return $ret
}

load_vfio || exit 1
check packed.excluded_changes_nothing excluded_changes_nothing
check packed.every_subpage_bar_claimed every_subpage_bar_claimed
check packed.some_were_moved some_were_moved
check packed.unbind_leaves_nothing unbind_leaves_nothing
check packed.rebind_finds_all_in_place rebind_finds_all_in_place
check packed.rmmod_leaves_nothing rmmod_leaves_nothing
check packed.native_nvme_works native_nvme_works
finish
