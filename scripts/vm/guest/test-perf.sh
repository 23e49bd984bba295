#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The performance core: what it skips, what it does when it is ended, that it
# finds a delay. Topology: hotplug, without iomem=relaxed.
# shellcheck disable=SC2086 # $perf is a program and its arguments
# shellcheck source=lib.sh
. /guest/lib.sh

perf="/suite/vfio_pci_subpage_perf --samples 40 --blocks 10 --results records.jsonl"

# median PATH FILE: of the first timing of that path, whole ns
median()
{
	awk -v path="$1" '$1 == path { printf "%d", $2; exit }' "$2"
}

skipped()
{
	grep -E "^ *$1 +skipped: " out | grep -q -- "$2"
}

measures()
{
	runs 0 $perf "$(bdf edu)" && [ "$(median mmap out)" -gt 0 ] &&
		[ "$(median pread out)" -gt "$(median mmap out)" ] &&
		grep -q '0x4: write-read' out && says_complete true
}

# Not without the module, and not where only the driver may map.
says_what_is_missing()
{
	runs 0 $perf "$(bdf edu)" || return 1
	skipped kernel 'load the module subpage_perf' &&
		skipped sysfs 'iomem=relaxed' &&
		grep -q '"reason": .*subpage_perf' records.jsonl
}

kernel_is_timed()
{
	modprobe subpage_perf
	runs 0 $perf --paths kernel,mmap "$(bdf edu)" && [ "$(median kernel out)" -gt 0 ] &&
		! grep -q pread out
	ret=$?
	rmmod subpage_perf
	return $ret
}

trapped_bar()
{
	unbind "$(bdf ohci)"
	unbind "$(bdf sdhci)"
	parameter relocate no
	pack "$(bdf ohci)" "$(bdf sdhci)"
	bind vfio-pci "$(bdf ohci)"
	parameter relocate yes
	same state excluded "$(state "$(bdf ohci)" 0)" || return 1
	runs 0 $perf "$(bdf ohci)" && skipped mmap 'the BAR is trapped' &&
		skipped kvm-mapped 'the BAR is trapped' && [ "$(median pread out)" -gt 0 ]
	ret=$?
	unbind "$(bdf ohci)"
	bind vfio-pci "$(bdf ohci)"
	bind vfio-pci "$(bdf sdhci)"
	return $ret
}

no_register()
{
	mkdir -p /tmp/none
	runs 4 $perf --profiles /tmp/none "$(bdf ohci)" && grep -q 'SKIP: no safe register' out &&
		grep -q "^$(bdf ohci) BAR0 skipped: no safe register" out &&
		grep -q '"reason": "no safe register' records.jsonl
}

no_remote_node()
{
	runs 1 $perf --remote-node "$(bdf edu)" && grep -q 'none is remote' out && ! grep -q 'on CPU' out
}

no_path()
{
	runs 4 $perf --paths kernel "$(bdf ohci)" && grep -q 'SKIP: none of these paths' out
}

# Unknown registers of edu read all ones.
nobody_answers()
{
	runs 1 $perf --profiles /tmp/none --register "$(bdf edu) bar=0 offset=0x70 width=4 access=ro" \
		"$(bdf edu)" && grep -q 'BAR0 at 0x70.*nobody answers' out && says_complete false
}

# One that is said to read what was written, and inverts it.
path_goes_wrong()
{
	runs 1 $perf --profiles /tmp/none --paths mmap,pwrite \
		--register "$(bdf edu) bar=0 offset=0x4 width=4 access=rw readback=same" \
		"$(bdf edu)" && grep -q 'BAR0 at 0x4, mmap write: it wrote 0x' out && says_complete false
}

# Two rounds of each way, the first of each in turn; a register has all its blocks, the
# devices are left without a driver, and the module is loaded as it was. What nothing else than the module changes is
# trapped without it.
compares()
{
	unbind_all
	dev=$(bdf ohci)
	pack "$dev" "$(bdf sdhci)"
	runs 0 $perf --compare --rounds 2 --paths mmap,file "$dev" || return 1
	grep '^round' out >rounds
	printf 'round %s the module\n' '1 of 2, without' '1 of 2, with' '2 of 2, with' \
		'2 of 2, without' | diff - rounds || return 1
	grep '"path": "mmap"' records.jsonl | grep -q '"module": false.*"kind": "not-applicable"' &&
		grep '"path": "mmap"' records.jsonl | grep -q '"module": true.*"samples": 40,' &&
		same "timings of pread" 2 "$(grep -c '"timing".*"path": "pread"' records.jsonl)" &&
		says_complete true && [ ! -e "$PCI/$dev/driver" ] &&
		[ -e /sys/module/vfio_pci_subpage ]
	ret=$?
	bind_all
	return $ret
}

# It takes devices from nobody, and only those that are named.
compare_takes_from_nobody()
{
	port=$(cd /sys/bus/pci/drivers/pcieport && echo 0000:* | cut -d' ' -f1)
	runs 1 $perf --compare "$port" && grep -q "$port is in use by pcieport" out &&
		[ -e "/sys/bus/pci/drivers/pcieport/$port" ] &&
		runs 4 $perf --compare && grep -q 'SKIP: no device is named' out
}

# Where nothing is emulated, a mapping has to be faster.
mapped_is_faster()
{
	runs 0 $perf --accel none --paths mmap,file "$(bdf edu)" && says_complete true
}

# About that: the last step of waiting takes its time on a slow host, and the pace of
# the host may have changed between the two: so there are three tries.
delay_is_found()
{
	for _ in 1 2 3; do
		finds_delay && return 0
	done
	return 1
}

finds_delay()
{
	runs 0 $perf --paths mmap,file --seed 1 "$(bdf ohci)" || return 1
	cp records.jsonl plain.jsonl
	plain=$(median mmap out)
	runs 0 $perf --paths mmap,file --delay 1000 "$(bdf ohci)" || return 1
	cp records.jsonl slow.jsonl
	grep -q '"--delay made each access take 1000 ns longer"' records.jsonl || return 1
	more=$(($(median mmap out) - plain))
	echo "$plain ns, and $more ns more"
	[ $more -gt 700 ] && [ $more -lt 1600 ]
}

# Or runs would differ by where the program lies.
layout_is_fixed()
{
	$perf --samples 100000 --blocks 1000 --paths file "$(bdf edu)" >/dev/null 2>&1 &
	pid=$!
	usleep 500000
	personality=$(cat /proc/$pid/personality)
	kill -TERM $pid
	wait $pid
	same "personality (ADDR_NO_RANDOMIZE)" 00040000 "$personality"
}

# The register that it was writing has its value back, and the results say that
# they are not all.
ended_by_term()
{
	dev=$(bdf edu)
	rm -f records.jsonl
	$perf --samples 100000 --blocks 1000 --paths file "$dev" >out 2>&1 &
	pid=$!
	for _ in $(seq 300); do
		grep -q '0x4: write' out && break
		usleep 100000
	done
	kill -TERM $pid
	wait $pid
	same "exit code" 1 $? && grep -q 'the results are partial' out && says_complete false &&
		! grep -q 'not restored' out
}

load_vfio || exit 1
pack_marked
for dev in $(all_bdfs); do
	bind vfio-pci "$dev" || exit 1
done
check perf.measures measures
check perf.says_what_is_missing says_what_is_missing
check perf.kernel_is_timed kernel_is_timed
check perf.trapped_bar trapped_bar
check perf.no_register no_register
check perf.no_remote_node no_remote_node
check perf.no_path no_path
check perf.nobody_answers nobody_answers
check perf.path_goes_wrong path_goes_wrong
check perf.mapped_is_faster mapped_is_faster
check perf.compares compares
check perf.compare_takes_from_nobody compare_takes_from_nobody
check perf.delay_is_found delay_is_found
check perf.layout_is_fixed layout_is_fixed
check perf.ended_by_term ended_by_term
finish
