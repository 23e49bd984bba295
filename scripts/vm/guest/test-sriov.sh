#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A physical function and its virtual functions beside the module. Topology: sriov.
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

# Their BARs are whole pages, or the PCI core enables none: there is nothing to do.
vfs_need_no_page()
{
	echo Y >/sys/module/vfio_pci/parameters/enable_sriov
	bind vfio-pci "$pf" || return 1
	set_vfs 2 || { vfs_are 0; return; }
	vfs_are 2 || return 1
	vf=$(basename "$(readlink "$PCI/$pf/virtfn0")")
	same "driver of a VF" vfio-pci "$(driver "$vf")" && same state "" "$(state "$vf" 0)" &&
		[ $(($(shown_size "$vf" 0) % PAGE_SIZE)) -eq 0 ]
}

# Leaving the PF ends its VFs.
unbind_ends_them()
{
	unbind "$pf" && vfs_are 0
}

# They belong to another driver: vfio-pci refuses the PF, and is not hindered.
refused_with_vfs_of_another()
{
	bind nvme "$pf" && set_vfs 1 && vfs_are 1 && unbind "$pf" && vfs_are 1 || return 1
	! bind vfio-pci "$pf" 2>/dev/null && vfs_are 1
}

load_vfio || exit 1
modprobe nvme
pf=$(bdf pf)
check sriov.vfs_need_no_page vfs_need_no_page
check sriov.unbind_ends_them unbind_ends_them
check sriov.refused_with_vfs_of_another refused_with_vfs_of_another
finish
