#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# packages.sh [-n] GROUP...
#
# Make sure that the tools of each GROUP are installed.  Says nothing and
# changes nothing if they are.  -n only tells what is missing (exit 1).
# Never installs a kernel, and never removes a package to make room for one.

set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"
# shellcheck source=build/cache.sh
. "$(dirname -- "$0")/build/cache.sh"

readonly qemu_min=7.2

group_packages()
{
	case $1 in
	# gcc-12 is what Debian 12's kernel headers name as their compiler, gcc
	# is for the suite; pahole writes the BTF that the kernel's module build
	# insists on, and brings libelf1, which objtool needs; xz-utils unpacks
	# linux-source; kmod has the depmod for the unpacked modules; python3 merges
	# what the suite has written.
	build) echo gcc gcc-12 make libc6-dev libnuma-dev libjson-c-dev \
		    pahole xz-utils kmod python3 ;;
	vm) echo qemu-system-x86 busybox-static cpio kmod python3 ;;
	# libelf is for objtool, which a kernel build makes for itself.
	kernel) echo gcc make bc bison flex libelf-dev libc6-dev xz-utils kmod ;;
	# The compiler brings the binutils; mmdebstrap the libraries, into a sysroot.
	arm64) echo gcc-aarch64-linux-gnu qemu-system-arm binutils mmdebstrap ;;
	# A root with cross compilers of another suite, in which they run.
	cross) echo mmdebstrap util-linux ;;
	# patches-test.sh configures a kernel tree, and installs selftests from it.
	# procps has pgrep.
	check) echo shellcheck sparse python3-sphinx perl git rsync bc bison flex \
		    libelf-dev libssl-dev procps python3-pytest ;;
	# Charts, and names of devices; and what shows it, in report-test.sh.
	report) echo python3 python3-matplotlib libpci3 pci.ids ;;
	browser) echo chromium ;;
	*) return 1 ;;
	esac
}

is_installed()
{
	# "busybox" conflicts with "busybox-static" and is part of a standard
	# Debian 12: replacing it would change the user's initramfs.  So it
	# counts; the VM scripts can use either.
	local name=$1 state
	[ "$name" = busybox-static ] && name="busybox-static busybox"
	# shellcheck disable=SC2086 # one or two names
	state=$(dpkg-query -W -f '${db:Status-Status}\n' $name 2>/dev/null || :)
	[[ $'\n'$state$'\n' == *$'\n'installed$'\n'* ]]
}

# One query for all of them: the usual answer is "nothing missing".
missing_packages()
{
	local name state
	state=$(dpkg-query -W -f '${db:Status-Status}\n' "$@" 2>/dev/null || :)
	[ "$(grep -cx installed <<<"$state")" = $# ] && return
	for name in "$@"; do
		is_installed "$name" || echo "$name"
	done
}

# What dpkg does with each package is for people; in a log it is noise.
apt_install()
{
	local out=/dev/null
	[ ! -t 2 ] || out=/dev/stderr
	as_root "install $*" env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends --no-remove "$@" \
		</dev/null >"$out"
}

install_packages()
{
	local list=$*
	say "installing: $list"
	if ! have_apt_lists; then
		apt_update || give_up "$list"
	elif apt_install "$@"; then
		return
	else
		# The lists may be too old to find what they name.
		apt_update || give_up "$list"
	fi
	apt_install "$@" || give_up "$list"
}

give_up()
{
	die "packages missing that could not be installed: as root, run: apt-get install --no-install-recommends $*"
}

# check_qemu PROGRAM PACKAGE
check_qemu()
{
	local version
	have "$1" || die "$1: not found in PATH: install the package $2"
	version=$("$1" --version 2>/dev/null |
		sed -n 's/^QEMU emulator version \([0-9.]*\).*/\1/p')
	[ "$(printf '%s\n' "$qemu_min" "${version:-0}" | sort -V | head -n 1)" = "$qemu_min" ] ||
		die "$1: version ${version:-unknown} is too old, $qemu_min or later is needed: install Debian 12's $2 or put a newer QEMU first in PATH"
}

main()
{
	local dry=0 group wanted=() missing
	if [ "${1:-}" = -n ]; then
		dry=1
		shift
	fi
	[ $# -gt 0 ] || usage "[-n] GROUP...   (groups: build vm kernel arm64 cross check report browser)"
	for group; do
		group_packages "$group" >/dev/null ||
			die "$group: no such group of packages: use build, vm, kernel, arm64, cross, check, report or browser"
		# shellcheck disable=SC2207 # package names have no blanks
		wanted+=($(group_packages "$group"))
	done
	mapfile -t wanted < <(printf '%s\n' "${wanted[@]}" | sort -u)

	have_apt || die "no dpkg and apt here (not Debian): install what Debian calls: ${wanted[*]}"
	mapfile -t missing < <(missing_packages "${wanted[@]}")
	if [ ${#missing[@]} -gt 0 ]; then
		[ $dry = 0 ] || die "missing packages: ${missing[*]}"
		install_packages "${missing[@]}"
	fi
	for group; do
		case $group in
		vm) check_qemu qemu-system-x86_64 qemu-system-x86 ;;
		arm64) check_qemu qemu-system-aarch64 qemu-system-arm ;;
		esac
	done
}

main "$@"
