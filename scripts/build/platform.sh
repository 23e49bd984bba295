# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The platforms: scripts/build/platforms/NAME.conf, lines of KEY=VALUE. Sourced after
# lib.sh by scripts that run in the top directory, never run.
#   arch       x86_64 or arm64; host: what this machine is
# and for one of Debian's kernels
#   kernel     its flavour, as in linux-image-FLAVOUR
#   suites     of Debian, the first that has it is taken; host: those of this machine
# or for a kernel that is built
#   series     of Debian's kernel source
#   config     fragments in scripts/build/platforms/config, in this order
#   objects    about how many object files its kernel has, for the progress
# or neither, for the kernel that KERNEL names or else this machine runs; and
#   firmware   uefi: the machine is described by ACPI; none: QEMU's own on x86, and
#              else a device tree and no firmware
#   topologies of the main job, in scripts/vm/topologies; the first is the usual
#              one, PLATFORM=all runs all of them
#   shows      what the tests expect of the first: how many of its sub-page BARs are
#              mapped with the module, and how many without
#   samples    of a timing: few where a kernel that checks everything is slow
#   limit      seconds that a guest of the main job has, from its init on

platform_names()
{
	local file
	for file in scripts/build/platforms/*.conf; do
		basename "$file" .conf
	done
}

# platforms_with KEY: in one line
platforms_with()
{
	grep -l "^$1=" scripts/build/platforms/*.conf | sed 's,.*/,,; s,\.conf,,' | paste -sd ' '
}

is_platform()
{
	[ -f "scripts/build/platforms/$1.conf" ]
}

# platform_get PLATFORM KEY: its value, or nothing
platform_get()
{
	sed -n "s/^$2=//p" "scripts/build/platforms/$1.conf" | tr -d '"'
}

# An architecture's name here, and those of uname, Debian, kbuild and compilers.
readonly arch_names="
x86_64  x86_64  amd64   x86     x86_64-linux-gnu
arm64   aarch64 arm64   arm64   aarch64-linux-gnu
ppc64le ppc64le ppc64el powerpc powerpc64le-linux-gnu
"

# arch_name ARCH COLUMN
arch_name()
{
	awk -v arch="$1" -v n="$2" '$1 == arch { print $n }' <<<"$arch_names"
}

host_arch()
{
	awk -v machine="$(uname -m)" '$2 == machine { print $1 }' <<<"$arch_names"
}

platform_arch()
{
	local arch
	arch=$(platform_get "$1" arch)
	[ "$arch" = host ] && host_arch || echo "$arch"
}

# platform_topology PLATFORM: the usual one
platform_topology()
{
	platform_get "$1" topologies | awk '{ print $1 }'
}

# topology_job TOPOLOGY: its main job, a script in scripts/vm/guest
topology_job()
{
	[ -f "scripts/vm/guest/main-$1.sh" ] && echo "main-$1.sh" || echo main.sh
}

topology_names()
{
	local file
	for file in scripts/vm/topologies/*.topo; do
		basename "$file" .topo
	done
}

# The groups of scripts/packages.sh that a platform's guest needs. Compilers of
# another release are unpacked, not installed.
platform_packages()
{
	local arch
	arch=$(platform_arch "$1")
	echo build vm
	[ -z "$(platform_get "$1" config)" ] || echo kernel
	[ "$arch" = x86_64 ] || echo "$arch"
	platform_get "$1" firmware
	case $(platform_get "$1" suites) in
	host | "") [ "$arch" = "$(host_arch)" ] || echo cross ;;
	*) echo cross ;;
	esac
}

# Kernels of x86_64 are neither fetched for another architecture nor cross-built.
runs_here()
{
	[ "$(platform_arch "$1")" != x86_64 ] || [ "$(host_arch)" = x86_64 ]
}

# kbuild's words for the architecture of a platform, exported: ARCH and, where
# it is not this machine's, CROSS_COMPILE.
platform_environment()
{
	local arch
	unset ARCH CROSS_COMPILE
	arch=$(platform_arch "$1")
	[ "$arch" != x86_64 ] || return 0
	ARCH=$(arch_name "$arch" 4)
	export ARCH
	[ "$arch" != "$(host_arch)" ] || return 0
	CROSS_COMPILE=$(arch_name "$arch" 5)-
	export CROSS_COMPILE
}

# platform_kernel PLATFORM: the directory of its kernel, fetched or built or here
platform_kernel()
{
	if [ -n "$(platform_get "$1" config)" ]; then
		scripts/build/kernel.sh "$1"
	elif [ -n "$(platform_get "$1" kernel)" ]; then
		scripts/build/fetch-kernel.sh "$1"
	else
		scripts/build/installed-kernel.sh
	fi
}

# platform_suite PLATFORM: where the suite that runs on it is built
platform_suite()
{
	local arch
	arch=$(platform_arch "$1")
	[ "$arch" = x86_64 ] && echo build/suite || echo "build/suite-$arch"
}

# prepare PLATFORM: what its guest needs is fetched and built, and named by $kernel,
# $sysroot, $suite, and $guest_options: those of scripts/vm/run.py that say so
prepare()
{
	local arch list
	arch=$(platform_arch "$1")
	sysroot=/
	platform_environment "$1"
	kernel=$(platform_kernel "$1") || return
	# In a variable, or nobody would notice that it fails.
	list=$(KUNIT=1 scripts/build/module.sh "$kernel/build" modules &&
		scripts/build/module.sh "$kernel/build" modules \
			tools/testing/selftests/vfio/subpage_mods) || return
	[ "$arch" = "$(host_arch)" ] || sysroot=$(scripts/build/fetch-sysroot.sh "$arch") || return
	suite=$(platform_suite "$1")
	scripts/build/suite.sh "$suite" "$sysroot" || return
	unset ARCH CROSS_COMPILE
	mapfile -t guest_options <<<"$list"
	guest_options=("${guest_options[@]/#/--module=}"
		       --platform "$1" --arch "$arch" --kernel "$kernel" --sysroot "$sysroot"
		       --firmware "$(platform_get "$1" firmware)")
}
