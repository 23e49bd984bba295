#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Devices that vfio-pci gets in the initramfs, by their ID on the kernel command line.
# shellcheck source=lib.sh
. project/scripts/vm/host/lib.sh

# Before the root file system is there.
early()
{
	dmesg >out
	grep -nE 'vfio_pci_subpage: BAR|EXT4-fs \(vda\): mounted' out | tee lines
	head -n 1 lines | grep -q vfio_pci_subpage
}

check initramfs.prepared is_prepared "$(bdf ohci)" "$(bdf bridged-ohci)"
check initramfs.early early
check initramfs.others_are_native is_native "$(bdf sdhci)" "$(bdf bridged-sdhci)"
finish
