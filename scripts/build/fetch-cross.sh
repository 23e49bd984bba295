#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fetch-cross.sh [-- COMMAND [ARG]...]
#
# Print a directory with kernel headers of Debian for every architecture and
# series, and the cross compilers for them: a root of the newest Debian, unpacked
# and not installed. Its file "kernels" has a line for each kernel: series,
# architecture, release, kbuild's name of the architecture, CROSS_COMPILE, CC.
# With a command: run that in it. Needs no root; a user needs user namespaces.

set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname -- "$0")/../lib.sh"
# shellcheck source=root.sh
. "$(dirname -- "$0")/root.sh"

# Raise it when the root is made in another way: older ones are then made again.
readonly layout=2

# Debian's and kbuild's name of an architecture, its compiler, its usual kernel.
readonly architectures="
amd64   x86       x86_64-linux-gnu       amd64
i386    x86       i686-linux-gnu         686-pae
arm64   arm64     aarch64-linux-gnu      arm64
armhf   arm       arm-linux-gnueabihf    armmp-lpae
ppc64el powerpc   powerpc64le-linux-gnu  powerpc64le
s390x   s390      s390x-linux-gnu        s390x
riscv64 riscv     riscv64-linux-gnu      riscv64
loong64 loongarch loongarch64-linux-gnu  loong64
"
readonly series="6.1 6.12 7"
readonly suites="bookworm bookworm-backports trixie trixie-backports sid"

# words COLUMN: of the architectures
words()
{
	awk -v n="$1" 'NF { print $n }' <<<"$architectures"
}

# headers_of SUITE: "SERIES ARCH PACKAGE VERSION SUITE" of what the usual kernels'
# packages depend on
headers_of()
{
	awk 'NF { print "linux-headers-" $4 ":" $1 }' <<<"$architectures" |
		xargs apt-cache show 2>/dev/null |
	awk -v all="$series" -v suite="$1" '
		function flush(  n, i, part) {
			n = split(all, part, " ")
			for (i = 1; i <= n; i++)
				if (index(version, part[i] ".") == 1 && match(depends, /linux-headers-[0-9][^ ,]*/))
					print part[i], arch, substr(depends, RSTART, RLENGTH), version, suite
			version = arch = depends = ""
		}
		/^$/ { flush() }
		/^Version: / { version = $2 }
		/^Architecture: / { arch = $2 }
		/^Depends: / { depends = $0 }
		END { flush() }'
}

# use_suite SUITE: apt is about that one, and all architectures
use_suite()
{
	# shellcheck disable=SC2046 # words
	apt_state "$1" $(words 1)
}

# packages_of PACKAGE: and what it depends on, but for the compiler and the kernel
packages_of()
{
	apt-cache show "$1" |
	awk '
		/^Package: / { package = $2 }
		/^Architecture: / { arch = $2 }
		/^Version: / { version = $2 }
		/^Depends: / {
			print package ":" arch "=" version
			n = split($0, part, /[ ,]+/)
			for (i = 2; i <= n; i++)
				if (part[i] ~ /^linux-headers-.*-common$|^linux-kbuild-/)
					print part[i]
				else if (part[i] ~ /^linux-base-[0-9]/)
					print part[i] ":" arch
				else if (match(part[i], /gcc-[0-9]+/))
					print substr(part[i], RSTART, RLENGTH) >"/dev/stderr"
		}' 2>>"$work/compilers" | sort -u
}

# cross_packages COMPILER: for each architecture but this machine's own
cross_packages()
{
	local arch triplet
	echo "$1"
	while read -r arch _ triplet _; do
		[ -z "$arch" ] || [ "$arch" = "$(dpkg --print-architecture)" ] ||
			echo "$1-${triplet/x86_64/x86-64}"
	done <<<"$architectures"
}

# The newest compiler that one of the kernels was built with builds for all.
unpack()
{
	local root=$work/entry compiler file
	compiler=$(sort -V "$work/compilers" | tail -n 1)
	say "unpacking $compiler for all architectures, a minute"
	# shellcheck disable=SC2046 # words
	make_root "$root" sid $(cross_packages "$compiler")
	say "unpacking the headers of $(wc -l <"$work/headers") kernels"
	for file in "$work"/debs/*.deb; do
		dpkg-deb -x "$file" "$root" || die "$file: unpacking failed: look above for the reason"
	done
	mkdir -p "$root/build"
	join <(awk '{ print $2, $1, $3 }' "$work/headers" | sort) \
		<(grep . <<<"$architectures" | sort) |
		awk -v cc="$compiler" '{ sub(/^linux-headers-/, "", $3); print $2, $1, $3, $4, $5 "-", $5 "-" cc }' |
		sort -V >"$root/kernels"
}

fetch()
{
	local number arch package version suite list
	mkdir "$work/debs"
	for suite in $suites; do
		! use_suite "$suite" || headers_of "$suite"
	done | sort -k 1,2 -k 4Vr | awk '!seen[$1, $2]++' >"$work/listed"
	[ -s "$work/listed" ] || die "linux-headers: in none of the suites that could be reached: check the network"
	# A copy of the archive may lack a package that its lists name.
	while read -r number arch package version suite; do
		use_suite "$suite"
		mapfile -t list < <(packages_of "$package:$arch=$version")
		say "downloading the headers of $number for $arch"
		if (cd "$work/debs" && apt_download "${list[@]}"); then
			echo "$number $arch $package" >>"$work/headers"
		else
			say "$package:$arch $version: left out: it could not be downloaded: look above for apt's reason"
		fi
	done <"$work/listed"
	[ -s "$work/headers" ] || die "linux-headers: none could be downloaded: check the network"
	unpack
}

main()
{
	[ $# = 0 ] || [ "$1" = -- ] || usage "[-- COMMAND [ARG]...]"
	cache=$(cache_dir)
	ensure_entry cross fetch
	[ $# = 0 ] && { echo "$dir"; return; }
	shift
	cd /
	run_in_root "$dir" "" "$@"
}

main "$@"
