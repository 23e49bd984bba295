#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Claims of the driver: made at bind, gone at unbind, refused without harm.
# Topology: main.
# shellcheck source=lib.sh
. /guest/lib.sh

in_place_unbind_restores()
{
	dev=$(bdf alone-sdhci)
	cat /proc/iomem >before
	bind vfio-pci-subpage "$dev" || return 1
	same claim in-place "$(claim "$dev" 0)" || return 1
	grep -q vfio-pci-subpage /proc/iomem || { echo "no claim in /proc/iomem"; return 1; }
	alone_in_page "$dev" 0 && consistent "$dev" 0 || return 1
	unbind "$dev"
	diff before /proc/iomem
}

command_register()
{
	echo $((0x$(config_read "$1" 4) & 0xffff))
}

# relocate_keeps_decode ID DECODE: 2 is on, 0 is off
# The command register is as it was, with decode on and with it off.
relocate_keeps_decode()
{
	dev=$(bdf "$1")
	config_write "$dev" 4 $(($(command_register "$dev") & ~2 | $2))
	cmd=$(command_register "$dev")
	same "decode before" "$2" $((cmd & 2)) || return 1
	old=$(bar_start "$dev" 0)
	bind vfio-pci-subpage "$dev" || return 1
	same claim relocated "$(claim "$dev" 0)" || return 1
	[ "$(bar_start "$dev" 0)" != "$old" ] || { echo "still at $old"; return 1; }
	alone_in_page "$dev" 0 && consistent "$dev" 0 || return 1
	# Bound and idle: vfio-pci-core has turned off nothing but bus mastering.
	same "command register" $((cmd & ~4)) $(($(command_register "$dev") & ~4))
}

unbind_keeps_new_address()
{
	dev=$(bdf "$1")
	moved=$(bar_start "$dev" 0)
	unbind "$dev"
	same "start after unbind" "$moved" "$(bar_start "$dev" 0)" && consistent "$dev" 0 &&
		! grep -q vfio-pci-subpage /proc/iomem
}

rebind_finds_it_in_place()
{
	dev=$(bdf "$1")
	bind vfio-pci-subpage "$dev" && same claim in-place "$(claim "$dev" 0)"
	ret=$?
	unbind "$dev"
	return $ret
}

excluded_changes_nothing()
{
	echo N >/sys/module/vfio_pci_subpage/parameters/relocate
	dev=$(bdf function0)
	cat /proc/iomem >before
	cat "$PCI/$dev/config" >config.before
	bind vfio-pci-subpage "$dev" || return 1
	ret=0
	same claim none "$(claim "$dev" 0)" &&
		same reason excluded "$(reason "$dev" 0)" &&
		consistent "$dev" 0 && diff before /proc/iomem &&
		cmp config.before "$PCI/$dev/config" &&
		dmesg | grep -q "$dev: BAR 0 .* stays trapped: excluded" || ret=1
	unbind "$dev"
	echo Y >/sys/module/vfio_pci_subpage/parameters/relocate
	return $ret
}

# in-place is not a relocation, so relocate=0 does not forbid it
excluded_in_place_works()
{
	echo N >/sys/module/vfio_pci_subpage/parameters/relocate
	dev=$(bdf alone-sdhci)
	bind vfio-pci-subpage "$dev" && same claim in-place "$(claim "$dev" 0)"
	ret=$?
	unbind "$dev"
	echo Y >/sys/module/vfio_pci_subpage/parameters/relocate
	return $ret
}

every_subpage_bar_claimed()
{
	bind_all || return 1
	subpage_bars >bars
	[ "$(wc -l <bars)" -ge 11 ] || { echo "only $(wc -l <bars) BARs"; return 1; }
	while read -r dev bar; do
		case $(claim "$dev" "$bar") in
		in-place | relocated) ;;
		*) echo "$dev BAR $bar: claim $(claim "$dev" "$bar") $(reason "$dev" "$bar")"; return 1 ;;
		esac
		alone_in_page "$dev" "$bar" && consistent "$dev" "$bar" || return 1
	done <bars
}

# One value in each file, files only where they mean something.
sysfs_files()
{
	for dev in $(all_bdfs); do
		for bar in 0 1 2 3 4 5; do
			file=$PCI/$dev/vfio_pci_subpage/bar${bar}_claim
			if grep -q "^$dev $bar\$" bars; then
				same "lines of $file" 1 "$(wc -l <"$file")" || return 1
			elif [ -e "$file" ]; then
				echo "$file: not a sub-page BAR"
				return 1
			fi
			[ ! -e "$PCI/$dev/vfio_pci_subpage/bar${bar}_reason" ] ||
				{ echo "$dev BAR $bar: reason beside a claim"; return 1; }
		done
	done
}

rmmod_leaves_nothing()
{
	rmmod vfio_pci_subpage || return 1
	[ ! -e /sys/bus/pci/drivers/vfio-pci-subpage ] || { echo "driver is left"; return 1; }
	for dev in $(all_bdfs); do
		[ ! -e "$PCI/$dev/vfio_pci_subpage" ] || { echo "$dev: files are left"; return 1; }
	done
	while read -r dev bar; do
		consistent "$dev" "$bar" || return 1
	done <bars
	! grep subpage /proc/iomem
}

refuses_bridges()
{
	modprobe vfio_pci_subpage
	bridge=$(basename "$(dirname "$(readlink -f "$PCI/$(bdf edu)")")")
	cat /proc/iomem >before
	# Bound to pcieport or to nothing; either way it must not become ours.
	[ -e "$PCI/$bridge/driver" ] && unbind "$bridge"
	! bind vfio-pci-subpage "$bridge" && diff before /proc/iomem
	ret=$?
	echo >"$PCI/$bridge/driver_override"
	return $ret
}

# A mapping that somebody made through sysfs before the BAR moved must not reach
# whoever lives at the old address next.
stale_mapping_revoked()
{
	dev=$(bdf root-sdhci)
	/suite/vfio_pci_subpage_stale_map "$PCI/$dev/resource0" sh -c "
		. /guest/lib.sh
		bind vfio-pci-subpage $dev && [ \"\$(claim $dev 0)\" = relocated ]"
}

bind_script_puts_back()
{
	dev=$(bdf packed-ohci)
	vfio-bind.sh vfio-pci-subpage "$dev" || return 1
	same driver vfio-pci-subpage "$(driver "$dev")" || return 1
	vfio-restore.sh || return 1
	same driver "" "$(driver "$dev")" &&
		same override "(null)" "$(cat "$PCI/$dev/driver_override")"
}

bind_script_undoes_failure()
{
	dev=$(bdf packed-ohci)
	! vfio-bind.sh vfio-pci-subpage "$dev" 0000:ff:1f.7 2>err || return 1
	grep -q '0000:ff:1f.7' err || { cat err; return 1; }
	same driver "" "$(driver "$dev")"
}

bind_script_survives_term()
{
	dev=$(bdf packed-ohci)
	vfio-bind.sh vfio-pci-subpage "$dev" -- sleep 60 &
	pid=$!
	for _ in $(seq 100); do
		[ "$(driver "$dev")" = vfio-pci-subpage ] && break
		usleep 50000
	done
	same "driver while it runs" vfio-pci-subpage "$(driver "$dev")" || return 1
	usleep 300000
	kill -TERM $pid
	wait $pid
	same status 143 $? && same "driver afterwards" "" "$(driver "$dev")"
}

load_vfio || exit 1
pack_marked
check claims.in_place_unbind_restores_iomem in_place_unbind_restores
check claims.excluded_changes_nothing excluded_changes_nothing
check claims.excluded_in_place_works excluded_in_place_works
check claims.relocate_with_decode_on relocate_keeps_decode packed-sdhci 2
check claims.unbind_keeps_new_address unbind_keeps_new_address packed-sdhci
check claims.rebind_is_in_place rebind_finds_it_in_place packed-sdhci
check claims.relocate_with_decode_off relocate_keeps_decode packed-ohci 0
check claims.unbind_keeps_new_address_2 unbind_keeps_new_address packed-ohci
check claims.stale_mapping_revoked stale_mapping_revoked
unbind "$(bdf root-sdhci)"
check claims.bind_script_puts_back bind_script_puts_back
check claims.bind_script_undoes_failure bind_script_undoes_failure
check claims.bind_script_survives_term bind_script_survives_term
check claims.every_subpage_bar_claimed every_subpage_bar_claimed
check claims.sysfs_files sysfs_files
unbind_all
check claims.unbind_leaves_nothing sh -c '! grep subpage /proc/iomem'
bind_all
check claims.rmmod_while_bound_leaves_nothing rmmod_leaves_nothing
check claims.refuses_bridges refuses_bridges
finish
