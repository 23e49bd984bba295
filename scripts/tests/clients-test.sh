#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Clients of VFIO, without the module and with it: QEMU with real guests, DPDK. The first
# time it builds a kernel; no part of make check.

set -euo pipefail
cd -- "$(dirname -- "$0")/../.."
# shellcheck source=ktap.sh
. scripts/tests/ktap.sh
# shellcheck source=guest.sh
. scripts/tests/guest.sh

# guests_of CLIENTS DIR: an initramfs for each of its kernels
guests_of()
{
	local kernel
	rm -rf "$2"
	mkdir -p "$2"
	for kernel in "$1"/kernels/*; do
		(cd scripts/vm && python3 -c '
import sys, initramfs
try:
    initramfs.build(sys.argv[1], sys.argv[2], [], [], sys.argv[3])
except initramfs.ImageError as error:
    sys.exit(str(error))' \
			"$2/${kernel##*/}.cpio" "$kernel" "$sysroot")
	done
}

# use_qemu_of CLIENTS: under TCG of QEMU 7.2 a guest stops for good now and then while it
# runs a guest by SVM
use_qemu_of()
{
	local bin=$PWD/build/check/clients-bin
	mkdir -p "$bin"
	cat >"$bin/qemu-system-x86_64" <<-END
	#!/bin/sh
	exec "$1/lib64/ld-linux-x86-64.so.2" --library-path "$1/usr/lib/x86_64-linux-gnu" \\
		"$1/usr/bin/qemu-system-x86_64" -L "$1/usr/share/qemu" \\
		-L "$1/usr/share/seabios" "\$@"
	END
	chmod +x "$bin/qemu-system-x86_64"
	PATH=$bin:$PATH
}

# clients PLATFORM JOB...: in guests of that platform
clients()
{
	local arch dir images job
	runs_here "$1" || { skip "clients.$1" "kernels of x86_64 are for hosts of x86_64"; return; }
	use "$1"
	arch=$(platform_arch "$1")
	shift
	dir=$(scripts/build/fetch-clients.sh "$arch")
	[ "$arch" != x86_64 ] || use_qemu_of "$dir"
	images=$PWD/build/check/guests-$arch
	guests_of "$dir" "$images"
	for job; do
		guest "$job" "clients-$arch" --mount clients="$dir" --mount guests="$images" --limit 3600
	done
}

scripts/packages.sh cross arm64 kernel
clients x86_64-4k test-traps
clients arm64-64k test-traps test-dpdk
guests_end
finish
