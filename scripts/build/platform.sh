# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The platforms: scripts/build/platforms/NAME.conf, lines of KEY=VALUE. Sourced after
# lib.sh by scripts that run in the top directory, never run.
#   arch       x86_64 or arm64
#   page_size  of the guest, in bytes
#   series     of Debian's kernel source or, without config, of its own kernel
#   config     fragments in scripts/build/platforms/config, in this order
#   objects    about how many object files its kernel has, for the progress
#   topologies of the main job, in scripts/vm/topologies; the first is the usual
#              one, PLATFORM=all runs all of them
#   samples    of a timing: few where a kernel that checks everything is slow
#   limit      seconds until a guest of the main job is ended

platform_names()
{
	local file
	for file in scripts/build/platforms/*.conf; do
		basename "$file" .conf
	done
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

# The groups of scripts/packages.sh that a platform's guest needs.
platform_packages()
{
	echo build vm
	[ -z "$(platform_get "$1" config)" ] || echo kernel
	[ "$(platform_get "$1" arch)" != arm64 ] || echo arm64
}

# Kernels of x86_64 are neither fetched for another architecture nor cross-built.
runs_here()
{
	[ "$(platform_get "$1" arch)" != x86_64 ] || [ "$(uname -m)" = x86_64 ]
}

# kbuild's words for the architecture of a platform, exported: ARCH and, where
# it is not this machine's, CROSS_COMPILE.
platform_environment()
{
	unset ARCH CROSS_COMPILE
	[ "$(platform_get "$1" arch)" = arm64 ] || return 0
	export ARCH=arm64
	[ "$(uname -m)" = aarch64 ] || export CROSS_COMPILE=aarch64-linux-gnu-
}

# platform_kernel PLATFORM: the directory of its kernel, fetched or built
platform_kernel()
{
	if [ -n "$(platform_get "$1" config)" ]; then
		scripts/build/kernel.sh "$1"
	else
		scripts/build/fetch-kernel.sh "$(platform_get "$1" series)"
	fi
}

# platform_suite PLATFORM: where the suite that runs on it is built
platform_suite()
{
	case $(platform_get "$1" arch) in
	arm64) echo build/suite-arm64 ;;
	*) echo build/suite ;;
	esac
}
