#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# vfio-restore.sh [BDF]...
#
# Put PCI devices back to the driver and the driver_override that they had
# before vfio-bind.sh first changed them: these, or all that are remembered.
#
#   SYSFS   another root than /sys, for tests
#   TMPDIR  where the memory is kept, /tmp if unset
#
# shellcheck disable=SC3043 # "local": dash, busybox ash and bash all have it

set -eu
# Installed, it may be called by a link.
here=$(dirname -- "$(readlink -f -- "$0")")
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=bindings.sh
. "$here/bindings.sh"

restore_device()
{
	local driver override
	if ! is_remembered "$1"; then
		# A reboot has put the device back by itself.
		forget "$1"
		say "$1: nothing remembered of it: it was not bound by vfio-bind.sh since the last boot"
		return 1
	fi
	if [ ! -d "$pci/devices/$1" ]; then
		forget "$1"
		say "$1: the device is gone: forgotten"
		return
	fi
	driver=$(cat "$bindings/$1/driver")
	override=$(cat "$bindings/$1/driver_override")
	if [ ! -w "$pci/devices/$1/driver_override" ]; then
		say "$1: no permission to bind it: run this with sudo"
		return 1
	fi
	if ! dev_set "$1" "$driver" "$override"; then
		say "$1: could not be put back to ${driver:-no driver}: $cause"
		return 1
	fi
	forget "$1"
}

# The names of all that are remembered, since the last boot.
remembered()
{
	local dir
	for dir in "$bindings"/*; do
		if is_remembered "${dir##*/}"; then
			printf '%s\n' "${dir##*/}"
		fi
	done
}

# One that fails does not keep the others from being put back.
main()
{
	local given bdf status=0
	[ "${1:-}" != --help ] || show_help
	bindings_trusted
	# shellcheck disable=SC2046 # BDFs have no blanks
	[ $# -gt 0 ] || set -- $(remembered)
	for given; do
		if bdf=$(full_bdf "$given"); then
			restore_device "$bdf" || status=1
		else
			say "$given: not a PCI address: write it like 0000:01:00.0"
			status=1
		fi
	done
	return $status
}

main "$@"
