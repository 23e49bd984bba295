#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What happens to a device that is bound, or was: neighbours arrive, it is
# reset, its native driver comes back. Topology: hotplug.
# shellcheck source=lib.sh
. /guest/lib.sh

card=/dev/mmcblk0

# wait_for COMMAND...: until it succeeds, 10 s at most
wait_for()
{
	for _ in $(seq 200); do
		"$@" && return 0
		usleep 50000
	done
	echo "timeout: $*"
	return 1
}

# hot_add ID ARGS: returns when the kernel has given the device its address,
# and leaves where it is in $added
hot_add()
{
	set -- "$1" "$2" "$PCI"/*
	before=" $* "
	host device_add "$2,id=$1" || return 1
	wait_for arrived && wait_for assigned "$added"
}

arrived()
{
	for added in "$PCI"/*; do
		case $before in
		*" $added "*) ;;
		*) added=${added##*/}; return 0 ;;
		esac
	done
	return 1
}

assigned()
{
	[ $(($(bar_start "$1" 0))) -ne 0 ]
}

gone()
{
	[ ! -e "$PCI/$1" ]
}

hot_remove()
{
	host device_del "$1" && wait_for gone "$2"
}

# The control: without a reservation the kernel does put a new device into the
# page. If it does not, the tests below prove nothing.
unheld_page_is_shared()
{
	hot_add hp "sdhci-pci,bus=br2,addr=5" || return 1
	others=$(others_in_page "$(bdf alone)" 0)
	hot_remove hp "$added" || return 1
	same "in the page" "$added region 0" "$others"
}

# hot_add_beside ID BUS: four devices, each as large as what is held
hot_add_beside()
{
	dev=$(bdf "$1")
	ret=0
	for n in 5 6 7 8; do
		hot_add hp$n "sdhci-pci,bus=$2,addr=$n" || return 1
		has_page "$dev" 0 && consistent "$added" 0 || ret=1
		eval "added$n=$added"
	done
	# shellcheck disable=SC2154
	for n in 5 6 7 8; do
		eval "hot_remove hp$n \$added$n" || ret=1
	done
	return $ret
}

in_place_page_is_kept()
{
	dev=$(bdf alone)
	cat /proc/iomem >before.iomem
	bind vfio-pci "$dev" && same state in-place "$(state "$dev" 0)" &&
		hot_add_beside alone br2
	ret=$?
	unbind "$dev"
	diff before.iomem /proc/iomem || ret=1
	return $ret
}

relocated_page_is_kept()
{
	dev=$(bdf ohci)
	bind vfio-pci "$dev" && same state relocated "$(state "$dev" 0)" &&
		hot_add_beside ohci br1
	ret=$?
	unbind "$dev"
	return $ret
}

# Devices come and go on the bus while ours is bound and unbound.
hot_add_while_binding()
{
	dev=$(bdf ohci)
	(
		for _ in $(seq 40); do
			bind vfio-pci "$dev" && was_prepared "$dev" 0 || exit 1
			unbind "$dev"
		done
	) >race.out 2>&1 &
	binder=$!
	ret=0
	for n in 5 6 7 8; do
		hot_add hp$n "sdhci-pci,bus=br1,addr=$n" && hot_remove hp$n "$added" || ret=1
	done
	wait $binder || { cat race.out; ret=1; }
	is_restored "$dev" 0 || ret=1
	return $ret
}

# A rescan lets the kernel assign whatever it finds unassigned. The first place
# that is free is beside the device that is bound; as soon as it is not bound,
# that is where the other one goes.
rescan_keeps_page()
{
	dev=$(bdf ohci) other=$(bdf sdhci)
	pack "$dev" "$other"
	same "before" "$other region 0" "$(others_in_page "$dev" 0)" || return 1
	forget "$other"
	bind vfio-pci "$dev" && same state in-place "$(state "$dev" 0)" || return 1
	echo 1 >/sys/bus/pci/rescan
	has_page "$dev" 0 && consistent "$other" 0
	ret=$?
	unbind "$dev"
	pack "$other"
	same "after unbind" "$other region 0" "$(others_in_page "$dev" 0)" && return $ret
}

mounted_card()
{
	[ -b $card ]
}

native_writes()
{
	dev=$(bdf sdhci)
	modprobe mmc_block && modprobe sdhci-pci && bind sdhci-pci "$dev" && wait_for mounted_card || return 1
	seq 200000 | head -c 1048576 >pattern
	dd if=pattern of=$card bs=64k conv=fsync 2>/dev/null || return 1
	unbind "$dev"
}

native_reads_back_after_move()
{
	dev=$(bdf sdhci)
	old=$(bar_start "$dev" 0)
	bind vfio-pci "$dev" && same state relocated "$(state "$dev" 0)" || return 1
	new=$(bar_start "$dev" 0)
	[ "$old" != "$new" ] || { echo "did not move"; return 1; }
	unbind "$dev"
	# sdhci-pci takes over at the new address.
	bind sdhci-pci "$dev" && wait_for mounted_card || return 1
	same "start under sdhci-pci" "$new" "$(bar_start "$dev" 0)" || return 1
	grep -q "$(printf '%08x-.* : mmc0' $((new)))" /proc/iomem ||
		{ echo "sdhci-pci does not use $new"; return 1; }
	head -c 1048576 $card | cmp - pattern || return 1
	unbind "$dev"
}

# PCI-to-PCI bridges reset what is behind them; sysfs offers that only for the
# one device of a bus, so the others are removed for as long.
address_survives_reset()
{
	dev=$(bdf ohci)
	others="$(bdf sdhci) $(bdf edu)"
	# Packed again, so that it has to move; and found before the others, so
	# that the kernel sees it alone on its bus when it looks for reset methods.
	# shellcheck disable=SC2086
	pack "$dev" $others
	bind vfio-pci "$dev" && same state relocated "$(state "$dev" 0)" || return 1
	moved=$(bar_start "$dev" 0)
	for other in $others; do
		echo 1 >"$PCI/$other/remove"
	done
	ret=0
	grep -q bus "$PCI/$dev/reset_method" || { echo "no bus reset"; ret=1; }
	for _ in 1 2 3; do
		echo 1 >"$PCI/$dev/reset" || ret=1
		same "start after reset" "$moved" "$(bar_start "$dev" 0)" &&
			consistent "$dev" 0 || ret=1
	done
	echo 1 >/sys/bus/pci/rescan
	unbind "$dev"
	return $ret
}

# Surprise: the device goes away while it is bound.
hot_remove_while_bound()
{
	rmmod sdhci-pci
	hot_add hp "sdhci-pci,bus=br1,addr=9" && dev=$added || return 1
	grep -v "$dev" /proc/iomem >before.iomem
	bind vfio-pci "$dev" || return 1
	was_prepared "$dev" 0 || return 1
	hot_remove hp "$dev" || return 1
	diff before.iomem /proc/iomem
}

load_vfio || exit 1
check hotplug.control_unheld_page_is_shared unheld_page_is_shared
check hotplug.in_place_page_is_kept in_place_page_is_kept
pack_marked
check native.sdhci_writes native_writes
check hotplug.relocated_page_is_kept relocated_page_is_kept
check hotplug.add_while_binding hot_add_while_binding
check hotplug.rescan_keeps_page rescan_keeps_page
check native.sdhci_reads_back_after_move native_reads_back_after_move
check reset.address_survives_bus_reset address_survives_reset
check hotplug.remove_while_bound hot_remove_while_bound
finish
