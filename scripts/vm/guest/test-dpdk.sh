#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# DPDK, whose driver for virtio needs its BAR mapped, on two ports that are wired
# to each other. Topology: clients-arm64.
# shellcheck source=lib.sh
. /guest/lib.sh
# shellcheck source=clients.sh
. /guest/clients.sh

# The IOMMU maps only whole pages of 64 KiB, so that DPDK needs larger ones.
reserve_hugepages()
{
	echo 64 >/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
}

# testpmd MODE: what one port sends the other receives, and sends it back
testpmd()
{
	use_mode "$1" && bind_all || return 1
	client 25 dpdk-testpmd -v -l 0-1 -m 96 --in-memory --no-telemetry -a "$(bdf net0)" \
		-a "$(bdf net1)" -- --auto-start --tx-first --stats-period 5 \
		--forward-mode io --total-num-mbufs 2048 >"testpmd-$1" 2>&1
}

# received MODE: packets of each port, as said last
received()
{
	awk '/NIC statistics for port/ { port = $6 }
	     /RX-packets:/ && port != "" { n[port] = $2 }
	     END { print n[0] + 0, n[1] + 0 }' "testpmd-$1"
}

# It says which BAR it misses, and goes on without the devices.
finds_no_port()
{
	testpmd without
	tail -n 20 testpmd-without
	same "packets" "0 0" "$(received without)" &&
		grep -q 'bar 4 base addr is NULL' testpmd-without &&
		same "devices refused" 2 "$(grep -c 'Requested device .* cannot be used' testpmd-without)"
}

# forwards MODE: not only what was sent first
forwards()
{
	testpmd "$1"
	tail -n 40 "testpmd-$1"
	received "$1" | awk '{ exit $1 <= 1000 || $2 <= 1000 }'
}

reserve_hugepages && enter_clients && load_plain_vfio || exit 1
check dpdk.without finds_no_port
sed -n 's/^EAL: RTE Version: /# /p' testpmd-without
for mode in device page; do
	check dpdk.$mode forwards $mode
	echo "# $mode: received by the two ports: $(received $mode)"
done
finish
