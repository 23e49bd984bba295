#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# packages.sh [-n | -l] GROUP...
#
# Make sure that the tools of each GROUP are installed.  Says nothing and
# changes nothing if they are.  -n only tells what is missing (exit 1), -l lists all.
# Never installs a kernel, and never removes a package to make room for one.
# On Debian they are installed; elsewhere it is said what they are called there.

set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"
# shellcheck source=build/apt.sh
. "$(dirname -- "$0")/build/apt.sh"

readonly qemu_min=7.2

# Group, what Debian, Fedora, openSUSE and Arch call a package, and how it is noticed
# elsewhere than on Debian: by a program, or a header. pahole is for the BTF that the
# kernel's module build insists on; python3 merges what the suite has written. What
# builds and runs for other releases and architectures comes from Debian's archive, and
# so do the tools of the tests.
readonly table="
build   gcc              gcc            gcc             gcc             gcc
build   make             make           make            make            make
build   libc6-dev        glibc-devel    glibc-devel     glibc           stdio.h
build   libnuma-dev      numactl-devel  libnuma-devel   numactl         numa.h
build   libjson-c-dev    json-c-devel   libjson-c-devel json-c          json-c/json.h
build   libpci-dev       pciutils-devel pciutils-devel  pciutils        pci/pci.h
build   pahole           dwarves        dwarves         pahole          pahole
build   xz-utils         xz             xz              xz              xz
build   kmod             kmod           kmod            kmod            modprobe
build   python3          python3        python3         python          python3
vm      qemu-system-x86  qemu-system-x86 qemu-x86       qemu-system-x86 qemu-system-x86_64
vm      busybox-static   busybox        busybox-static  busybox         busybox
vm      binutils         binutils       binutils        binutils        readelf
vm      cpio             cpio           cpio            cpio            cpio
vm      kmod             kmod           kmod            kmod            modprobe
vm      python3          python3        python3         python          python3
report  python3          python3        python3         python          python3
report  python3-matplotlib python3-matplotlib python3-matplotlib python-matplotlib matplotlib
"

readonly groups="build vm kernel arm64 ppc64le uefi cross image check report browser deb"

group_packages()
{
	case $1 in
	build | vm) awk -v group="$1" '$1 == group { print $2 }' <<<"$table" ;;
	# libelf is for objtool, which a kernel build makes for itself.
	kernel) echo gcc make bc bison flex libelf-dev libssl-dev libc6-dev xz-utils kmod procps ;;
	# The compiler brings the binutils.
	arm64) echo gcc-aarch64-linux-gnu qemu-system-arm ;;
	# SLOF, the firmware, comes with what QEMU depends on.
	ppc64le) echo gcc-powerpc64le-linux-gnu qemu-system-ppc ;;
	# Firmware for arm64, and what makes ACPI tables.
	uefi) echo qemu-efi-aarch64 acpica-tools ;;
	# Compilers and libraries of other releases and architectures, unpacked.
	cross) echo mmdebstrap util-linux binutils debian-archive-keyring ;;
	# A disk image of another release, and its kernel taken out.
	image) echo mmdebstrap e2fsprogs debian-archive-keyring ;;
	# patches-test.sh configures a kernel tree, and installs selftests from it.
	# procps has pgrep.
	check) echo shellcheck sparse python3-sphinx perl git rsync bc bison flex \
		    libelf-dev libssl-dev procps python3-pytest ;;
	# Charts, and names of devices; and what shows it, in report-test.sh.
	report) echo python3 python3-matplotlib libpci3 pci.ids ;;
	browser) echo chromium ;;
	# What scripts/package/debian/control needs beside the group build.
	deb) echo build-essential debhelper dh-dkms help2man ;;
	*) return 1 ;;
	esac
}

# ---- apt ----

have_apt()
{
	have dpkg-query && have apt-get && have apt-cache
}

have_apt_lists()
{
	[ -n "$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' \
		-print -quit 2>/dev/null)" ]
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
		host_update || give_up "$list"
	elif apt_install "$@"; then
		return
	else
		# The lists may be too old to find what they name.
		host_update || give_up "$list"
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
		die "$1: version ${version:-unknown} is too old, $qemu_min or later is needed: install Debian 12's $2 or a later one, or put a newer QEMU first in PATH"
}

# ---- elsewhere than on Debian ----

# is_there PROBE: a header, a module of Python, or a program
is_there()
{
	case $1 in
	*.h) echo "#include <$1>" | "${CC:-cc}" -E - ;;
	matplotlib) python3 -c "import $1" ;;
	*) have "$1" ;;
	esac >/dev/null 2>&1
}

# What tells the user how to install, in the words of this distribution's tool
elsewhere()
{
	local group column=1 installer="apt-get install" missing=() row
	for group; do
		case $group in
		build | vm | report) ;;
		*) die "$group: needs packages of Debian: use Debian 12 or later, or PLATFORM=installed" ;;
		esac
	done
	if have dnf; then column=2 installer="dnf install"
	elif have zypper; then column=3 installer="zypper install"
	elif have pacman; then column=4 installer="pacman -S"
	fi
	while read -ra row; do
		[[ " $* " == *" ${row[0]:-none} "* ]] || continue
		is_there "${row[5]}" || missing+=("${row[column]}")
	done <<<"$table"
	[ ${#missing[@]} = 0 ] ||
		die "missing packages: as root, run: $installer $(printf '%s\n' "${missing[@]}" | sort -u | paste -sd ' ')"
}

install_missing()
{
	local group wanted=() missing
	for group; do
		# shellcheck disable=SC2207 # package names have no blanks
		wanted+=($(group_packages "$group"))
	done
	mapfile -t wanted < <(printf '%s\n' "${wanted[@]}" | sort -u)
	mapfile -t missing < <(missing_packages "${wanted[@]}")
	[ ${#missing[@]} -gt 0 ] || return 0
	[ $dry = 0 ] || die "missing packages: ${missing[*]}"
	install_packages "${missing[@]}"
}

main()
{
	local group dry=0 list=
	case ${1:-} in
	-n) dry=1 ;;
	-l) list=1 ;;
	esac
	[[ ${1:-} != -[nl] ]] || shift
	[ $# -gt 0 ] || usage "[-n | -l] GROUP...   (groups: $groups)"
	for group; do
		group_packages "$group" >/dev/null ||
			die "$group: no such group of packages: use one of $groups"
		[ -z "$list" ] || group_packages "$group"
	done
	[ -z "$list" ] || return 0
	if have_apt; then
		install_missing "$@"
	else
		elsewhere "$@"
	fi
	for group; do
		case $group in
		vm) check_qemu qemu-system-x86_64 qemu-system-x86 ;;
		arm64) check_qemu qemu-system-aarch64 qemu-system-arm ;;
		ppc64le) check_qemu qemu-system-ppc64 qemu-system-ppc ;;
		esac
	done
}

main "$@"
