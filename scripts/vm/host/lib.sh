# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the jobs of the host share, beside what those of the reference VM's guest do.
# Sourced, never run.

# shellcheck source=../guest/lib.sh
. /guest/lib.sh

readonly clone=/home/user/project

# as_user COMMAND: of a shell, in the clone
as_user()
{
	runuser -l user -c "cd project && { $1
	}"
}

# readme HEADING N: the commands of the Nth block below it
readme()
{
	sed -n "/^##* $1/,/^## /p" $clone/README.md |
		awk -v n="$2" '/^    / { if (!inside) block++; inside = 1
				if (block == n) print substr($0, 5); next }
			       !/^$/ { inside = 0 }'
}

# as_ever HEADING [N]: the same of that page, for the device $dev
as_ever()
{
	local id
	id=$(cut -c 3- "$PCI/$dev/vendor" "$PCI/$dev/device" | paste -sd ' ')
	awk -v heading="$1" -v n="${2:-1}" '
		{ title = last; last = $0 }
		/^===*$/ { there = title == heading }
		/^    / && there { if (!inside) block++; inside = 1
				   if (block == n) print substr($0, 5); next }
		!/^$/ { inside = 0 }' $clone/Documentation/dev-tools/subpage-as-ever.rst |
		sed "s/0000:01:00\.0/$dev/g; s/106b 003f/$id/; s/bus='0x01' slot='0x00' function='0x0'/bus='0x${dev:5:2}' \
slot='0x${dev:8:2}' function='0x${dev:11}'/"
}

# runs_block COMMANDS: one by one, as somebody who copies them and says yes
runs_block()
{
	[ -n "$1" ] || { echo "no such commands"; return 1; }
	yes | as_user "set -ex
$1"
}

# group_of BDF: the devices of its IOMMU group that are no bridges
group_of()
{
	local other
	for other in "$PCI/$1"/iommu_group/devices/*; do
		case $(cat "$other/class") in
		0x06*) ;;
		*) basename "$other" ;;
		esac
	done
}

# bars_of BDF...: lines of the file "bars" about these
bars_of()
{
	[ -s bars ] || { echo "no sub-page BAR"; return 1; }
	grep -F "$(printf '%s\n' "$@")" bars >some_bars
}

# is_prepared BDF...: vfio-pci has them, and each small BAR is a page
is_prepared()
{
	local one
	for one; do
		# What udev starts has not always ended.
		for _ in $(seq 30); do
			[ "$(driver "$one")" != vfio-pci ] || break
			sleep 1
		done
		same "driver of $one" vfio-pci "$(driver "$one")" || return 1
	done
	bars_of "$@" && each_bar_of some_bars was_prepared
}

# driverctl_each N BDF...: that block of the page for each of these
driverctl_each()
{
	local block=$1 dev
	shift
	for dev; do
		runs_block "$(as_ever driverctl "$block")" || return 1
	done
}

# is_native BDF...: as before
is_native()
{
	local one
	for one; do
		case $(driver "$one") in
		'' | vfio-pci) echo "driver of $one: '$(driver "$one")'"; return 1 ;;
		esac
	done
	bars_of "$@" && each_bar_of some_bars is_restored
}

# Before anything is bound; they stay where they are over a boot.
[ -s bars ] || subpage_bars >bars
