#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# With the kernel that came last all is as it was; then it is uninstalled.
# shellcheck source=lib.sh
. project/scripts/vm/host/lib.sh

dev=$(bdf ohci)

is_newer()
{
	echo "from $(cat release) to $(uname -r)"
	[ "$(uname -r)" != "$(cat release)" ]
}

# What the project has put anywhere but into the clone, and what a boot would load
nothing_left()
{
	find / -xdev -path /home -prune -o -path /proc -prune -o -iname '*vfio*subpage*' -print >out
	lsinitramfs /initrd.img | grep subpage >>out
	[ ! -e /sys/module/vfio_pci_subpage ] || echo "it is loaded" >>out
	cat out
	[ ! -s out ]
}

check purge.newer_kernel is_newer
check purge.prepared_before is_prepared "$dev"
check purge.no_longer driverctl_each 2 "$dev"
check purge.uninstall runs_block "$(readme 'On a real machine' 4)"
check purge.nothing_left nothing_left
check purge.given_back is_native "$dev"
finish
