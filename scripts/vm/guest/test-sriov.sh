#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A physical function and its virtual functions. Topology: sriov.
# shellcheck source=lib.sh
. /guest/lib.sh

# set_vfs NUMBER
set_vfs()
{
	echo "$1" 2>/dev/null >"$PCI/$pf/sriov_numvfs"
}

# vfs_are NUMBER: how many there are
vfs_are()
{
	same "virtual functions" "$1" "$(find "$PCI/$pf/" -name 'virtfn*' | wc -l)"
}

not_unless_asked_for()
{
	bind vfio-pci-subpage "$pf" || return 1
	! set_vfs 2 && vfs_are 0
}

enabled()
{
	echo Y >/sys/module/vfio_pci_subpage/parameters/enable_sriov
	set_vfs 2 && vfs_are 2 || return 1
	vf=$(basename "$(readlink "$PCI/$pf/virtfn0")")
	# No driver of the host takes them: they are for users too.
	same "driver of a VF" vfio-pci-subpage "$(basename "$(readlink "$PCI/$vf/driver")")"
}

# Leaving the PF ends its VFs.
unbind_ends_them()
{
	unbind "$pf" && vfs_are 0
}

# They belong to another driver; and no BAR of a device in use may move.
refused_with_vfs_of_another()
{
	bind nvme "$pf" && set_vfs 1 && vfs_are 1 && unbind "$pf" && vfs_are 1 || return 1
	bind vfio-pci-subpage "$pf" && { echo "was bound"; return 1; }
	dmesg | grep -q "$pf: not bound: its virtual functions are enabled"
}

load_vfio || exit 1
modprobe nvme
pf=$(bdf pf)
check sriov.not_unless_asked_for not_unless_asked_for
check sriov.enabled enabled
check sriov.unbind_ends_them unbind_ends_them
check sriov.refused_with_vfs_of_another refused_with_vfs_of_another
finish
