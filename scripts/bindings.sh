# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# shellcheck disable=SC3043 # "local": dash, busybox ash and bash all have it
#
# PCI devices, their drivers, and what they were bound to. Sourced after lib.sh,
# never run; runs under busybox ash too.

# ---- PCI devices and their drivers ----

pci=${SYSFS:-/sys}/bus/pci
bindings=${TMPDIR:-/tmp}/vfio-pci-subpage-bindings

# full_bdf BDF: with its domain and in lower case, as sysfs has it.
full_bdf()
{
	local bdf
	bdf=$(printf '%s\n' "$1" | tr A-F a-f)
	case $bdf in
	*[!0-9a-f:.]*) return 1 ;;
	??:??.?) bdf=0000:$bdf ;;
	*:??:??.?) ;;
	*) return 1 ;;
	esac
	printf '%s\n' "$bdf"
}

dev_driver()
{
	local link
	link=$(readlink "$pci/devices/$1/driver") || return 0
	printf '%s\n' "${link##*/}"
}

dev_override()
{
	local value
	value=$(cat "$pci/devices/$1/driver_override")
	[ "$value" = "(null)" ] || printf '%s\n' "$value"
}

# Addresses of the devices that a VFIO driver holds, whatever its name.
bound_devices()
{
	local dir
	for dir in "$pci"/devices/*/vfio-dev; do
		[ ! -d "$dir" ] || basename "$(dirname "$dir")"
	done
}

# sysfs_write FILE VALUE: leaves the reason of a failure in $cause.
# Through tee, because the shells' own printf does not tell which error it was.
sysfs_write()
{
	cause=$(printf '%s\n' "$2" | tee "$1" 2>&1 >/dev/null) || {
		cause=${cause##*: }
		return 1
	}
}

# dev_user BDF: the first process that has VFIO's file of its group or of itself open.  An
# unbind would wait for that to end.  Others' processes are seen by root only.
dev_user()
{
	local group dev
	group=$(readlink "$pci/devices/$1/iommu_group") || return 0
	dev=$(cd "$pci/devices/$1/vfio-dev" 2>/dev/null && echo vfio*) || :
	# shellcheck disable=SC2012 # find of busybox knows no links by what they lead to
	ls -l "${PROCFS:-/proc}"/[0-9]*/fd 2>/dev/null |
		awk -v group="/dev/vfio/${group##*/}" -v dev="/dev/vfio/devices/$dev" '
			/:$/ { n = split($0, path, "/") }
			$NF == group || $NF == dev { print path[n - 1]; exit }'
}

# dev_set BDF DRIVER OVERRIDE: no DRIVER means unbound.  Reason in $cause.
dev_set()
{
	local now user=
	now=$(dev_driver "$1")
	[ -z "$now" ] || [ "$now" = "$2" ] || user=$(dev_user "$1")
	if [ -n "$user" ]; then
		cause="process $user uses it, or a device of its IOMMU group: end that first"
		return 1
	fi
	if ! sysfs_write "$pci/devices/$1/driver_override" "$3"; then
		cause="driver_override not accepted ($cause)"
		return 1
	fi
	[ "$now" != "$2" ] || return 0
	if [ -n "$now" ] && ! sysfs_write "$pci/drivers/$now/unbind" "$1"; then
		cause="$now does not let go of it ($cause): look at dmesg"
		return 1
	fi
	[ -n "$2" ] || return 0
	if [ ! -d "$pci/drivers/$2" ]; then
		cause="driver $2 is not loaded: modprobe $2"
		return 1
	fi
	if ! sysfs_write "$pci/drivers/$2/bind" "$1" ||
	   [ "$(dev_driver "$1")" != "$2" ]; then
		cause="$2 refused it (${cause:-probe failed}): look at dmesg"
		return 1
	fi
}

# ---- what devices were bound to, by BDF in $bindings ----

# In a directory that everybody can write to, only one's own is to be believed:
# what it holds decides what root writes to sysfs.
bindings_trusted()
{
	[ ! -e "$bindings" ] && [ ! -L "$bindings" ] && return 0
	[ -n "$(find "$bindings" -prune -type d -user "$(id -u)")" ] ||
		die "$bindings: belongs to somebody else: remove it"
}

boot_id()
{
	cat /proc/sys/kernel/random/boot_id 2>/dev/null || echo unknown
}

# Nothing outlives a boot but files; what they say of an earlier one is wrong.
is_remembered()
{
	[ -f "$bindings/$1/boot_id" ] &&
		[ "$(cat "$bindings/$1/boot_id")" = "$(boot_id)" ]
}

# remember BDF DRIVER OVERRIDE: complete or not at all.
remember()
{
	local new="$bindings/.$1.new"
	rm -rf "$new" "${bindings:?}/$1" &&
		(umask 077 && mkdir -p "$new") &&
		printf '%s\n' "$2" >"$new/driver" &&
		printf '%s\n' "$3" >"$new/driver_override" &&
		boot_id >"$new/boot_id" &&
		mv "$new" "$bindings/$1"
}

forget()
{
	rm -rf "${bindings:?}/$1"
	rmdir "$bindings" 2>/dev/null || :
}
