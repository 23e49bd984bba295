#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# vfio-bind.sh DRIVER BDF...
# vfio-bind.sh DRIVER BDF... -- COMMAND [ARG]...
#
# Bind PCI devices to DRIVER (vfio-pci, a variant of it, or any other that is
# loaded), all of them or none.  What they were bound to at first is remembered
# until vfio-restore.sh puts it back.  With a COMMAND: run it, then put every
# device back to what it had before this call, also on failure, Ctrl-C and TERM.
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

# A line "BDF|DRIVER|OVERRIDE|FRESH" for each device that this call has
# touched, last one first.  FRESH: it was not remembered before.
touched=
keep=
child=
interrupted=

note_touched()
{
	touched="$1|$2|$3|$4
$touched"
}

undo()
{
	local bdf driver override fresh
	while IFS='|' read -r bdf driver override fresh; do
		[ -n "$bdf" ] || continue
		if ! dev_set "$bdf" "$driver" "$override"; then
			say "$bdf: could not be put back to ${driver:-no driver}: $cause"
		elif [ -n "$fresh" ]; then
			forget "$bdf"
		fi
	done <<-END
	$touched
	END
}

finish()
{
	local status=$?
	# From here on nothing may come between a device and its driver.
	trap '' HUP INT TERM
	trap - EXIT
	[ -n "$keep" ] || undo
	exit "$status"
}

# on_signal STATUS: the command goes first, and the devices it uses after it.
on_signal()
{
	[ -n "$child" ] || exit "$1"
	if [ -n "$interrupted" ]; then
		kill -KILL "$child" 2>/dev/null || :
	else
		kill -TERM "$child" 2>/dev/null || :
	fi
	interrupted=$1
}

# In the background, because a shell acts on a signal only when its foreground
# command has ended.  The price: the command does not see Ctrl-C itself, so it
# gets a TERM instead, and a KILL if the user insists.
run_command()
{
	local status
	exec 3<&0
	"$@" <&3 3<&- &
	child=$!
	exec 3<&-
	while :; do
		status=0
		wait "$child" || status=$?
		kill -0 "$child" 2>/dev/null || break
	done
	child=
	return "${interrupted:-$status}"
}

bind_device()
{
	local driver override fresh=
	driver=$(dev_driver "$2")
	override=$(dev_override "$2")
	[ "$driver" != "$1" ] || [ "$override" != "$1" ] || return 0

	is_remembered "$2" || fresh=yes
	note_touched "$2" "$driver" "$override" "$fresh"
	if [ -n "$fresh" ] && ! remember "$2" "$driver" "$override"; then
		die "$bindings: cannot be written: free some space or set TMPDIR"
	fi
	dev_set "$2" "$1" "$1" && return
	case $1 in
	*vfio*)
		[ -e "$pci/devices/$2/iommu_group" ] ||
			cause="$cause; it has no IOMMU group: enable the IOMMU in the firmware and on the kernel command line"
		;;
	esac
	die "$2: $cause"
}

# VFIO opens a group only if no other driver can reach memory through it.
warn_group()
{
	local other name driver names=
	for other in "$pci/devices/$1/iommu_group/devices"/*; do
		name=${other##*/}
		[ -e "$pci/devices/$name/class" ] || continue
		driver=$(dev_driver "$name")
		case $(cat "$pci/devices/$name/class"):$driver in
		0x06* | *: | *:*vfio* | *:pci-stub | *:pcieport) ;;
		*) names="$names $name ($driver)" ;;
		esac
	done
	[ -z "$names" ] ||
		say "$1: its IOMMU group has other devices in use, so VFIO will refuse it: bind these too:$names"
}

# A module is of use to the kernel it was built for only.
how_to_load()
{
	if have modinfo && ! modinfo "$1" >/dev/null 2>&1; then
		echo "there is no module of this name for the running kernel $(uname -r): build and install it for that (make modules_install)"
	else
		echo "modprobe $1"
	fi
}

check_driver()
{
	case $1 in
	'' | -* | .* | */*) die "$1: not a driver name: name one such as vfio-pci" ;;
	esac
	[ -d "$pci/drivers/$1" ] || die "$1: driver is not loaded: $(how_to_load "$1")"
}

check_device()
{
	[ -d "$pci/devices/$1" ] || die "$1: no such PCI device: lspci -D lists them"
	[ -w "$pci/devices/$1/driver_override" ] ||
		die "$1: no permission to bind it: run this with sudo"
}

main()
{
	local driver bdf bdfs=
	[ "${1:-}" != --help ] || show_help
	[ $# -ge 2 ] || usage "DRIVER BDF... [-- COMMAND [ARG]...]"
	driver=$1
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		bdf=$(full_bdf "$1") ||
			die "$1: not a PCI address: write it like 0000:01:00.0"
		bdfs="$bdfs $bdf"
		shift
	done
	if [ -z "$bdfs" ] || [ $# = 1 ]; then
		usage "DRIVER BDF... [-- COMMAND [ARG]...]"
	fi

	# Everything that can be known is checked before anything is touched.
	check_driver "$driver"
	for bdf in $bdfs; do
		check_device "$bdf"
	done
	bindings_trusted

	trap finish EXIT
	trap 'on_signal 129' HUP
	trap 'on_signal 130' INT
	trap 'on_signal 143' TERM
	for bdf in $bdfs; do
		bind_device "$driver" "$bdf"
	done
	case $driver in
	*vfio*)
		for bdf in $bdfs; do
			warn_group "$bdf"
		done
		;;
	esac
	if [ $# -gt 0 ]; then
		shift
		run_command "$@"
	else
		keep=yes
	fi
}

main "$@"
