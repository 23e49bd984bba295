#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A guest inside the guest: writes 4 MiB to each disk that it was given, and reads them
# back. Its QEMU traces writes to the configuration of devices: what lies between the two
# marks of a device is its I/O. test-clients.sh boots it.
# shellcheck source=lib.sh
. /guest/lib.sh

# mark BDF VALUE: a register that nobody uses any more, Interrupt Line
mark()
{
	printf '%b' "\\x$2" | dd of="$PCI/$1/config" bs=1 seek=60 conv=notrunc 2>/dev/null
}

# disk BDF: its name, within ten seconds
disk()
{
	for _ in $(seq 100); do
		for _disk in /sys/block/*; do
			case $(readlink -f "$_disk") in
			*/$1/*) echo "/dev/${_disk##*/}"; return ;;
			esac
		done
		usleep 100000
	done
	return 1
}

# copy FROM TO FLAG: 4 MiB, past the page cache
copy()
{
	dd if="$1" of="$2" bs=128k count=32 "$3=direct" conv=notrunc 2>/dev/null
}

# Another pattern in each guest, so that the disk did not have it before.
data_is_right()
{
	_disk=$(disk "$1") || { echo "$1: no disk"; return 1; }
	head -c 4194304 /dev/urandom >/tmp/data
	copy "$_disk" /tmp/before iflag
	! cmp -s /tmp/data /tmp/before || { echo "$1: the pattern was there"; return 1; }
	mark "$1" a0
	copy /tmp/data "$_disk" oflag && copy "$_disk" /tmp/after iflag
	_status=$?
	mark "$1" a1
	[ $_status = 0 ] && cmp /tmp/data /tmp/after
}

for module in nvme virtio_blk sdhci-pci mmc_block; do
	modprobe -q $module
done
echo "# bytes of a page: $PAGE_SIZE"
for port in "$PCI"/*/*:*:00.?/class; do
	dev=${port%/class}
	check "io.${dev##*/}" data_is_right "${dev##*/}"
done
finish
