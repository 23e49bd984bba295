#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# QEMU with real guests: how many accesses to a BAR trap while a guest writes 4 MiB to a
# disk and reads them back. Topology: clients-ARCH. /tmp/guests has an initramfs for each
# kernel that the clients come with.
# shellcheck source=lib.sh
. /guest/lib.sh
# shellcheck source=clients.sh
. /guest/clients.sh

case $(uname -m) in
aarch64) qemu="qemu-system-aarch64 -M virt,gic-version=3" console=ttyAMA0 ;;
x86_64) qemu="qemu-system-x86_64 -M q35" console=ttyS0 ;;
esac

# kinds: of storage devices, their ids without numbers
kinds()
{
	devices_under_test | sed -nE 's/^(nvme|blk|sdhci)[0-9].*/\1/p' | sort -u
}

# where_tables: where QEMU puts the MSI-X table that lies among the registers
where_tables()
{
	echo off
	! kinds | grep -q nvme || echo bar2
}

# devices COUNT WHERE: QEMU's arguments for so many devices of each kind, which are
# functions of one slot: their BARs are on one bus, and nothing else is
devices()
{
	for _kind in $(kinds); do
		echo "-device pcie-root-port,id=$_kind,chassis=$((_chassis += 1)),hotplug=off"
		_more=multifunction=on
		[ "$_kind" != nvme ] || _more=$_more,x-msix-relocation=$2
		for _n in $(seq 0 $(($1 - 1))); do
			echo "-device vfio-pci,host=$(bdf "$_kind$_n"),bus=$_kind,addr=0.$_n,$_more"
		done
	done
}

# does_io KERNEL COUNT WHERE: in a guest; what it leaves is in /tmp/inner
does_io()
{
	rm -rf /tmp/inner
	mkdir /tmp/inner
	# shellcheck disable=SC2046,SC2086 # words
	client 600 $qemu -accel kvm -cpu host -smp 1 -m 768 -nodefaults -display none -no-reboot \
		-serial file:/tmp/inner/console -kernel "/kernels/$1/vmlinuz" \
		-initrd "/tmp/guests/$1.cpio" \
		-append "console=$console loglevel=4 panic=-1 job=client-io.sh" \
		-fsdev local,id=share,path=/tmp/inner,security_model=none,multidevs=remap \
		-device virtio-9p-pci,fsdev=share,mount_tag=share \
		$(devices "$2" "$3") -D /tmp/inner/trace -trace vfio_pci_write_config \
		-trace 'vfio_region_*' -trace 'memory_region_ram_device_*' ||
		{ tail -n 5 /tmp/inner/console; return 1; }
	cat /tmp/inner/ktap.log
	same "exit status" 0 "$(cat /tmp/inner/exit-status)"
}

# count_traps: a line "ID N" for each device, of what lies between its marks
count_traps()
{
	awk 'NR == FNR { id[$2] = $1; next }
	     /vfio_pci_write_config.*@0x3c, 0xa0/ { n = 0 }
	     /vfio_region_(read|write)|memory_region_ram_device_(read|write)/ { n++ }
	     /vfio_pci_write_config.*@0x3c, 0xa1/ { print id[substr($2, 2, 12)], n }' \
		/tmp/devices /tmp/inner/trace
}

# try MODE KERNEL COUNT WHERE: adds to the file traps
try()
{
	check "io.$1.$2.$3.$4" does_io "$2" "$3" "$4"
	pages=$(sed -n 's/^# bytes of a page: //p' /tmp/inner/ktap.log)
	count_traps | while read -r id n; do
		echo "$1 $id ${pages:-?} $3 $4 $n" >>traps
	done
}

# pivot: a line for each device and guest, "DEVICE PAGES COUNT WHERE WITHOUT DEVICE PAGE"
pivot()
{
	awk 'function of(mode) { return (row, mode) in n ? n[row, mode] : "?" }
	     { row = $2 " " $3 " " $4 " " $5; n[row, $1] = $6; rows[row] = 1 }
	     END { for (row in rows) print row, of("without"), of("device"), of("page") }' traps | sort
}

# table: of stdin, for people
table()
{
	awk '{ printf "# %-7s %6s %6s %5s %8s %7s %5s\n", $1, $2, $3, $4, $5, $6, $7 }'
}

# holds CONDITION: for each row of the file table
holds()
{
	! awk "!($1)" table | grep .
}

mount_shared guests /tmp/guests && enter_clients && load_plain_vfio && load_kvm || exit 1
pack_marked
# shellcheck disable=SC2086 # words
echo "# $(client 20 ${qemu%% *} --version | head -n 1)"
rm -f traps
for mode in without device page; do
	use_mode $mode && bind_all || exit 1
	for image in /tmp/guests/*.cpio; do
		for count in 1 2; do
			for where in $(where_tables); do
				try $mode "$(basename "$image" .cpio)" $count "$where"
			done
		done
	done
done
pivot >table
{ echo device pages count table without device page; cat table; } | table
# shellcheck disable=SC2016 # awk expands it
check traps.without_some holds '$5 > 0'
# shellcheck disable=SC2016
check traps.never_more holds '$6 <= $5 && $7 <= $6'
# shellcheck disable=SC2016
check traps.page_none holds '$7 == 0 || $1 ~ /nvme/ && $4 == "off"'
finish
