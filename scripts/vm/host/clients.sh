#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Who else binds and uses: libvirt, QEMU, and what writes to sysfs.
# shellcheck source=lib.sh
. project/scripts/vm/host/lib.sh

dev=$(bdf ohci)
nic=$(bdf rtl8139)
card=$(bdf sdhci)
mapfile -t group < <(group_of "$(bdf bridged-ohci)")

# maps COMMAND...: of a monitor, until it shows that the guest's BAR is mapped
maps()
{
	for _ in $(seq 120); do
		"$@" >mtree
		! grep "ramd): $dev BAR 0 mmaps\[0\]" mtree || return 0
		sleep 1
	done
	cat mtree
	return 1
}

libvirt_domain()
{
	cat <<-END
	<domain type='qemu'>
	  <name>tiny</name><memory unit='MiB'>64</memory>
	  <os><type arch='x86_64' machine='q35'>hvm</type></os>
	  <devices>$(as_ever libvirt)</devices>
	</domain>
	END
}

libvirt_start()
{
	libvirt_domain >tiny.xml
	cp tiny.xml /tmp/
	as_user "sudo virsh define /tmp/tiny.xml && sudo virsh start tiny"
}

libvirt_end()
{
	as_user "sudo virsh destroy tiny && sudo virsh undefine tiny" && is_native "$dev"
}

# An IOMMU group of which another driver has a device: one line, and nothing has changed.
libvirt_refuses()
{
	local dev=${group[1]}
	libvirt_domain >/tmp/tiny.xml
	as_user "sudo virsh define /tmp/tiny.xml"
	! as_user "sudo virsh start tiny" >out 2>&1 || { cat out; return 1; }
	cat out
	as_user "sudo virsh undefine tiny"
	grep -q "group.*viable" out && is_native "${group[@]}"
}

bind_by_driverctl()
{
	driverctl_each 1 "$dev"
}

unbind_by_driverctl()
{
	driverctl_each 2 "$dev" && is_native "$dev"
}

# monitor COMMAND: of the plain QEMU
monitor()
{
	echo "$1" >&"${QEMU[1]}"
	# Its answer ends with the next prompt, without a line's end.
	while IFS= read -r -t 5 line <&"${QEMU[0]}"; do
		echo "$line"
	done
}

# One line, and the guest keeps its device.
refuses_in_use()
{
	as_user "sudo vfio-bind ohci-pci $dev" >out 2>&1
	status=$?
	cat out
	same "exit code" 1 $status && same "lines" 1 "$(wc -l <out)" &&
		grep -q "^vfio-bind: $dev: process [0-9]* uses it, .*: end that first" out &&
		is_prepared "$dev"
}

plain_qemu()
{
	local ret=0
	coproc QEMU { runuser -l user -c "$(as_ever QEMU) -machine q35 -m 64 -nodefaults \
		-display none -monitor stdio" 2>&1; }
	maps monitor "info mtree -f" && refuses_in_use || ret=1
	echo quit >&"${QEMU[1]}"
	wait "$QEMU_PID"
	return $ret
}

# bound_by HEADING DEVICE: by the commands of the page
bound_by()
{
	local dev=$2
	runs_block "$(as_ever "$1")" && is_prepared "$dev"
}

# The native driver gets it back as whoever uses sysfs does.
freed()
{
	echo >"$PCI/$1/driver_override"
	echo "$1" >"$PCI/$1/driver/unbind"
	echo "$1" >/sys/bus/pci/drivers_probe
	is_native "$1"
}

forget_id()
{
	local dev=$1
	runs_block "$(as_ever new_id 2)" && freed "$1"
}

check clients.libvirt_start libvirt_start
check clients.libvirt_prepared is_prepared "$dev"
check clients.libvirt_maps maps virsh qemu-monitor-command --hmp tiny "info mtree -f"
check clients.libvirt_end libvirt_end
check clients.libvirt_refuses libvirt_refuses
check clients.qemu_bind bind_by_driverctl
check clients.qemu_maps plain_qemu
check clients.qemu_end unbind_by_driverctl
check clients.dpdk_devbind bound_by dpdk-devbind "$nic"
check clients.dpdk_devbind_end freed "$nic"
check clients.sysfs bound_by sysfs "$dev"
check clients.sysfs_end freed "$dev"
# One whose ID driverctl has not told vfio-pci
check clients.new_id bound_by new_id "$card"
check clients.new_id_end forget_id "$card"
# For the next boot
check clients.update_initramfs runs_block "$(as_ever 'Kernel command line')"
finish
