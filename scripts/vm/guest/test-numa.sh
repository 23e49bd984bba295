#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# On which CPU is measured where there are several NUMA nodes. Topology: numa.
# shellcheck disable=SC2086 # $perf is a program and its arguments
# shellcheck source=lib.sh
. /guest/lib.sh

perf="/suite/vfio_pci_subpage_perf --samples 20 --blocks 10 --paths mmap --results records.jsonl"

# measured_on TEXT [ARG]...
measured_on()
{
	text=$1
	shift
	runs 0 $perf "$@" && grep -q -- "$text" out
}

beside()
{
	measured_on "on CPU 1 of the device's NUMA node 1" "$(bdf ohci)" &&
		grep -q '"node": 1,' records.jsonl && grep -q '"remote_node": false' records.jsonl
}

elsewhere()
{
	measured_on "on CPU 0 of NUMA node 0, not on the device's" --remote-node "$(bdf ohci)" &&
		grep -q '"node": 0,' records.jsonl && grep -q '"remote_node": true' records.jsonl
}

# Each beside its own, and not all where the first one is.
one_after_the_other()
{
	measured_on "on CPU 1 of the device's NUMA node 1" "$(bdf ohci)" "$(bdf first)" &&
		grep -q "on CPU 0 of the device's NUMA node 0" out
}

not_there()
{
	echo 0 >/sys/devices/system/cpu/cpu1/online
	measured_on "this process may use no CPU of the device's node" "$(bdf ohci)"
	ret=$?
	echo 1 >/sys/devices/system/cpu/cpu1/online
	return $ret
}

load_vfio || exit 1
bind vfio-pci "$(bdf ohci)" || exit 1
bind vfio-pci "$(bdf first)" || exit 1
check numa.beside_the_device beside
check numa.remote_node elsewhere
check numa.one_after_the_other one_after_the_other
check numa.no_cpu_there not_there
finish
