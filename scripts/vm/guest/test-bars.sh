#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What the module makes of BARs when a device is bound, and what is left when it is
# not any more. Topology: main.
# shellcheck source=lib.sh
. /guest/lib.sh

# bind_prepared STATE BDF BAR [DRIVER]
bind_prepared()
{
	bind "${4:-vfio-pci}" "$2" && same state "$1" "$(state "$2" "$3")"
}

in_place()
{
	dev=$(bdf alone-sdhci)
	cat /proc/iomem >before
	bind_prepared in-place "$dev" 0 && has_page "$dev" 0 || return 1
	unbind "$dev"
	is_restored "$dev" 0 && diff before /proc/iomem
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
	bind_prepared relocated "$dev" 0 && has_page "$dev" 0 || return 1
	[ "$(bar_start "$dev" 0)" != "$old" ] || { echo "still at $old"; return 1; }
	# Bound and idle: vfio-pci-core has turned off nothing but bus mastering.
	same "command register" $((cmd & ~4)) $(($(command_register "$dev") & ~4))
}

unbind_keeps_new_address()
{
	dev=$(bdf "$1")
	moved=$(bar_start "$dev" 0)
	unbind "$dev"
	same "start after unbind" "$moved" "$(bar_start "$dev" 0)" && is_restored "$dev" 0
}

rebind_finds_it_in_place()
{
	dev=$(bdf "$1")
	bind_prepared in-place "$dev" 0
	ret=$?
	unbind "$dev"
	return $ret
}

# excluded ID PARAMETER VALUE BEFORE: the device is left as it is, whatever vfio-pci
# makes of it
excluded()
{
	dev=$(bdf "$1")
	cat /proc/iomem >before
	cat "$PCI/$dev/config" >config.before
	parameter "$2" "$3"
	ret=0
	bind_prepared excluded "$dev" 0 &&
		same size "$(device_size "$dev" 0)" "$(shown_size "$dev" 0)" &&
		consistent "$dev" 0 && diff before /proc/iomem &&
		cmp config.before "$PCI/$dev/config" &&
		dmesg | grep -q "$dev: .*BAR 0 .* gets no page of its own: excluded" || ret=1
	unbind "$dev"
	parameter "$2" "$4"
	return $ret
}

# A page of its own, which is not reserved: the core does that at each open.
keeps_device_size()
{
	dev=$(bdf packed-ivshmem)
	old=$(bar_start "$dev" 0)
	parameter bar_size device
	ret=0
	bind_prepared relocated "$dev" 0 &&
		same size 256 "$(shown_size "$dev" 0)" &&
		alone_in_page "$dev" 0 && consistent "$dev" 0 &&
		[ "$(bar_start "$dev" 0)" != "$old" ] || ret=1
	unbind "$dev"
	parameter bar_size page
	is_restored "$dev" 0 && return $ret
}

# refused FILE VALUE PATTERN: by name and with what is allowed; nothing changes
refused()
{
	file=/sys/module/vfio_pci_subpage/parameters/$1
	cat "$file" >value.before
	dmesg | wc -l >lines
	! echo "$2" 2>/dev/null >"$file" || { echo "was taken: $(cat "$file")"; return 1; }
	cmp value.before "$file" || return 1
	dmesg | tail -n +$(($(cat lines) + 1)) | grep "vfio_pci_subpage: $1=.*: $3" ||
		{ dmesg | tail -n 3; return 1; }
}

# taken FILE VALUE [SHOWN]
taken()
{
	parameter "$1" "$2" &&
		same "$1" "${3-$2}" "$(cat "/sys/module/vfio_pci_subpage/parameters/$1")"
}

parameters()
{
	taken relocate force && taken relocate N no && taken relocate 1 yes &&
		taken bar_size device && taken bar_size page &&
		taken exclude "10000:00:1f.7, 8086:10d3,0000:01:00.0" && taken exclude "" &&
		refused relocate maybe 'use no, yes or force' &&
		refused relocate "" 'use no, yes or force' &&
		refused bar_size huge 'use page or device' &&
		refused exclude 8086 'use DOMAIN:BUS:DEV.FN or VENDOR:DEVICE' &&
		refused exclude 0000:01:00.8 'use DOMAIN:BUS:DEV.FN' &&
		refused exclude 18086:1 'use DOMAIN:BUS:DEV.FN' &&
		refused exclude "0000:01:00.0 8086:10d3x" 'use DOMAIN:BUS:DEV.FN'
}

parameters_at_load()
{
	rmmod vfio_pci_subpage || return 1
	for wrong in relocate=maybe bar_size=0x1000 exclude=nonsense; do
		! modprobe vfio_pci_subpage $wrong 2>/dev/null ||
			{ echo "loaded with $wrong"; return 1; }
		dmesg | grep -q "vfio_pci_subpage: $wrong: .*: use " ||
			{ dmesg | tail -n 5; return 1; }
	done
	modprobe vfio_pci_subpage relocate=no bar_size=device exclude=8086:10d3 &&
		same exclude 8086:10d3 "$(cat /sys/module/vfio_pci_subpage/parameters/exclude)" &&
		rmmod vfio_pci_subpage && modprobe vfio_pci_subpage
}

every_subpage_bar_has_page()
{
	bind_all || return 1
	subpage_bars >bars
	[ "$(wc -l <bars)" -ge 11 ] || { echo "only $(wc -l <bars) BARs"; return 1; }
	each_bar was_prepared
}

# Files only where they mean something, and the size that the BAR really has.
sysfs_files()
{
	for dev in $(all_bdfs); do
		for bar in 0 1 2 3 4 5; do
			file=$PCI/$dev/vfio_pci_subpage/bar$bar
			if grep -q "^$dev $bar\$" bars; then
				same "lines of $file" 1 "$(wc -l <"$file")" &&
					same "$file" "$(device_size "$dev" $bar)" "$(cat "${file}_size")" ||
					return 1
			elif [ -e "$file" ] || [ -e "${file}_size" ]; then
				echo "$file: not a sub-page BAR"
				return 1
			fi
		done
	done
}

rmmod_refused_while_held()
{
	! rmmod vfio_pci_subpage 2>/dev/null && each_bar was_prepared
}

unbind_leaves_nothing()
{
	unbind_all
	each_bar is_restored && ! grep subpage /proc/iomem
}

# Somebody may use it: it is left alone, and the log says what to do.
bound_before_load()
{
	rmmod vfio_pci_subpage || return 1
	dev=$(bdf root-sdhci)
	bind vfio-pci "$dev" || return 1
	cat /proc/iomem >before
	modprobe vfio_pci_subpage || return 1
	diff before /proc/iomem && same state "" "$(state "$dev" 0)" || return 1
	same "lines that say so" 1 "$(dmesg | grep -c 'was bound before')" || return 1
	dmesg | grep -q "$dev: .*was bound before .*: bind it again" || return 1
	unbind "$dev"
	diff before /proc/iomem || return 1
	bind vfio-pci "$dev" && was_prepared "$dev" 0
	ret=$?
	unbind "$dev"
	return $ret
}

# Not by driver_override but as vfio-pci.ids= does it.
bound_by_id()
{
	dev=$(bdf function1)
	echo "1b36 0007" >/sys/bus/pci/drivers/vfio-pci/new_id
	same driver vfio-pci "$(driver "$dev")" && was_prepared "$dev" 0
	ret=$?
	echo "1b36 0007" >/sys/bus/pci/drivers/vfio-pci/remove_id
	for dev in $(all_bdfs); do
		[ ! -e "$PCI/$dev/driver" ] || unbind "$dev"
	done
	return $ret
}

# A variant driver sees what vfio-pci would.
any_vfio_driver()
{
	dev=$(bdf function0)
	modprobe subpage_variant
	bind_prepared in-place "$dev" 0 subpage-variant && has_page "$dev" 0 &&
		dmesg | grep -q "subpage-variant $dev: probed with a BAR 0 of $PAGE_SIZE bytes"
	ret=$?
	unbind "$dev"
	is_restored "$dev" 0 && return $ret
}

# A bind that fails leaves the device as an unbind does.
failed_bind_restores()
{
	dev=$(bdf function0)
	echo Y >/sys/module/subpage_variant/parameters/refuse
	ret=0
	! bind subpage-variant "$dev" 2>/dev/null && is_restored "$dev" 0 || ret=1
	echo >"$PCI/$dev/driver_override"
	rmmod subpage_variant && return $ret
}

# Native drivers see the BAR as it is.
other_drivers_are_left_alone()
{
	dev=$(bdf alone-sdhci)
	cat /proc/iomem >before
	# It takes all that it knows.
	modprobe sdhci-pci
	same driver sdhci-pci "$(driver "$dev")" &&
		same state "" "$(state "$dev" 0)" && same size 256 "$(shown_size "$dev" 0)"
	ret=$?
	rmmod sdhci-pci
	diff before /proc/iomem && return $ret
}

bridges_are_left_alone()
{
	bridge=$(basename "$(dirname "$(readlink -f "$PCI/$(bdf edu)")")")
	cat /proc/iomem >before
	# Bound to pcieport or to nothing; either way vfio-pci must not get it.
	[ -e "$PCI/$bridge/driver" ] && unbind "$bridge"
	! bind vfio-pci "$bridge" 2>/dev/null && diff before /proc/iomem
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
		bind vfio-pci $dev && [ \"\$(state $dev 0)\" = relocated ]"
}

bind_script_puts_back()
{
	dev=$(bdf packed-ohci)
	vfio-bind.sh vfio-pci "$dev" || return 1
	same driver vfio-pci "$(driver "$dev")" || return 1
	vfio-restore.sh || return 1
	same driver "" "$(driver "$dev")" &&
		same override "(null)" "$(cat "$PCI/$dev/driver_override")"
}

bind_script_undoes_failure()
{
	dev=$(bdf packed-ohci)
	! vfio-bind.sh vfio-pci "$dev" 0000:ff:1f.7 2>err || return 1
	grep -q '0000:ff:1f.7' err || { cat err; return 1; }
	same driver "" "$(driver "$dev")"
}

bind_script_survives_term()
{
	dev=$(bdf packed-ohci)
	vfio-bind.sh vfio-pci "$dev" -- sleep 60 &
	pid=$!
	for _ in $(seq 100); do
		[ "$(driver "$dev")" = vfio-pci ] && break
		usleep 50000
	done
	same "driver while it runs" vfio-pci "$(driver "$dev")" || return 1
	usleep 300000
	kill -TERM $pid
	wait $pid
	same status 143 $? && same "driver afterwards" "" "$(driver "$dev")"
}

load_vfio || exit 1
pack_marked
check bars.in_place in_place
check bars.relocate_no excluded function0 relocate no yes
check bars.excluded_by_address excluded function0 exclude "0000:ff:00.0,$(bdf function0)" ""
check bars.excluded_by_id excluded alone-sdhci exclude 1B36:0007 ""
check bars.keeps_device_size keeps_device_size
check bars.parameters parameters
check bars.parameters_at_load parameters_at_load
check bars.relocate_with_decode_on relocate_keeps_decode packed-sdhci 2
check bars.unbind_keeps_new_address unbind_keeps_new_address packed-sdhci
check bars.rebind_is_in_place rebind_finds_it_in_place packed-sdhci
check bars.relocate_with_decode_off relocate_keeps_decode packed-ohci 0
check bars.unbind_keeps_new_address_2 unbind_keeps_new_address packed-ohci
check bars.stale_mapping_revoked stale_mapping_revoked
unbind "$(bdf root-sdhci)"
check bars.bind_script_puts_back bind_script_puts_back
check bars.bind_script_undoes_failure bind_script_undoes_failure
check bars.bind_script_survives_term bind_script_survives_term
check bars.bound_by_id bound_by_id
check bars.every_subpage_bar_has_page every_subpage_bar_has_page
check bars.sysfs_files sysfs_files
check bars.rmmod_refused_while_held rmmod_refused_while_held
check bars.unbind_leaves_nothing unbind_leaves_nothing
check bars.bound_before_load bound_before_load
check bars.any_vfio_driver any_vfio_driver
check bars.failed_bind_restores failed_bind_restores
check bars.other_drivers_are_left_alone other_drivers_are_left_alone
check bars.bridges_are_left_alone bridges_are_left_alone
finish
