#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A newer kernel and its headers come, as in any upgrade.
# shellcheck source=lib.sh
. project/scripts/vm/host/lib.sh

dev=$(bdf ohci)

newest()
{
	basename "$(readlink /vmlinuz)" | sed 's/^vmlinuz-//'
}

uname -r >release

upgrade()
{
	as_user "sudo apt-get install --yes linux-image-amd64 linux-headers-amd64" || return 1
	[ "$(newest)" != "$(uname -r)" ] || { echo "the newest kernel is still $(newest)"; return 1; }
}

has_module()
{
	modinfo -k "$(newest)" vfio_pci_subpage
}

check update.initramfs runs_block "$(as_ever 'Kernel command line' 2)"
check update.driverctl driverctl_each 1 "$dev"
check update.prepared is_prepared "$dev"
check update.kernel upgrade
check update.module has_module
finish
