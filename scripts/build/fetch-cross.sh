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
# shellcheck source=cache.sh
. "$(dirname -- "$0")/cache.sh"

# Raise it when the root is made in another way: older ones are then made again.
readonly layout=1

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

# What kbuild and a compiler need beside themselves.
readonly tools="make coreutils sed grep dash bash gawk findutils perl kmod pahole
	libelf1t64 libssl3t64 zlib1g"

# words COLUMN: of the architectures
words()
{
	awk -v n="$1" 'NF { print $n }' <<<"$architectures"
}

# sources: of all suites, from the archive that this machine uses
sources()
{
	local uri suite arch
	# shellcheck disable=SC2016 # apt expands it
	uri=$(host_sources '$(REPO_URI) $(LABEL)' | sed -n 's/ Debian$//p' | head -n 1)
	[ -n "$uri" ] || die "apt: no archive of Debian is configured: other suites are fetched from where one comes"
	for suite in $suites; do
		for arch in $(words 1); do
			echo "deb [arch=$arch signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite main"
		done
	done
}

# private_apt: apt is one of its own from now on, for all architectures. Nothing is
# installed, and the machine's apt and dpkg learn of nothing.
private_apt()
{
	local arch
	mkdir -p "$apt_dir"/{lists/partial,archives/partial,parts}
	: >"$apt_dir/status"
	sources | sort -u >"$apt_dir/sources.list"
	{
		cat "$work/apt.conf"
		cat <<-END
		Acquire::Languages "none";
		APT::Architectures "";
		APT::Sandbox::User "root";
		Dir::State "$apt_dir";
		Dir::State::lists "lists";
		Dir::State::status "$apt_dir/status";
		Dir::Cache "$apt_dir";
		Dir::Etc::sourcelist "$apt_dir/sources.list";
		Dir::Etc::sourceparts "$apt_dir/parts";
		Dir::Etc::main "$apt_dir/parts/none";
		Dir::Etc::parts "$apt_dir/parts";
		END
		for arch in $(words 1); do
			echo "APT::Architectures:: \"$arch\";"
		done
	} >"$apt_dir/apt.conf"
	export APT_CONFIG=$apt_dir/apt.conf
}

# Not every copy of the archive has every architecture of each suite whole, and for
# want of one list apt takes none of a suite: what cannot be had is left out. A copy
# may be one that is kept as it was on some day; what it has is checked all the same.
update_lists()
{
	local list=$apt_dir/sources.list suite arch
	say "fetching the package lists of $suites"
	until apt-get -q -o Acquire::Check-Valid-Until=false --error-on=any update >"$work/apt.log" 2>&1; do
		sed -nE 's,^Err:[0-9]+ [^ ]+ ([^ /]+)/main ([^ ]+) Packages.*,\1 \2,p' "$work/apt.log" >"$work/lost"
		[ -s "$work/lost" ] ||
			die "package lists: $(grep -m 1 '^E:' "$work/apt.log"): check the network"
		while read -r suite arch; do
			sed -i "/arch=$arch .* $suite main/d" "$list"
		done <"$work/lost"
	done
}

# newest_headers: "SERIES ARCH PACKAGE VERSION" of what the usual kernels' packages
# depend on
newest_headers()
{
	awk '{ print "linux-headers-" $4 ":" $1 }' <<<"$(grep . <<<"$architectures")" |
		xargs apt-cache show 2>/dev/null |
	awk -v all="$series" '
		function flush(  n, i, part) {
			n = split(all, part, " ")
			for (i = 1; i <= n; i++)
				if (index(version, part[i] ".") == 1 && match(depends, /linux-headers-[0-9][^ ,]*/))
					print part[i], arch, substr(depends, RSTART, RLENGTH), version
			version = arch = depends = ""
		}
		/^$/ { flush() }
		/^Version: / { version = $2 }
		/^Architecture: / { arch = $2 }
		/^Depends: / { depends = $0 }
		END { flush() }' |
	sort -k 1,2 -k 4Vr | awk '!seen[$1, $2]++'
}

# Their own Depends, but for the compiler and the kernel itself.
packages_of()
{
	awk '{ print $3 ":" $2 "=" $4 }' "$1" | xargs apt-cache show |
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
		}' | sort -u
}

# The newest compiler that one of them was built with builds for all.
compiler_of()
{
	awk '{ print $3 ":" $2 "=" $4 }' "$1" | xargs apt-cache show |
		grep -o 'gcc-[0-9]*' | sort -V | tail -n 1
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

make_root()
{
	local root=$work/entry compiler include uri file
	compiler=$(compiler_of "$work/headers")
	# shellcheck disable=SC2046,SC2086 # words
	include=$(printf '%s,' $tools $(cross_packages "$compiler"))
	uri=$(awk '$5 == "sid" { print $4; exit }' "$apt_dir/sources.list")
	say "unpacking $compiler for all architectures, a minute"
	env -u APT_CONFIG mmdebstrap --quiet --mode=chrootless --skip=check/chrootless \
		--variant=extract --aptopt="$work/apt.conf" --aptopt='Acquire::Check-Valid-Until "false"' --include="${include%,}" \
		sid "$root" "deb $uri sid main" >&2 ||
		die "mmdebstrap: failed: look above for its reason"
	# Nothing is configured, and so there are no alternatives.
	ln -sf gawk "$root/usr/bin/awk"
	say "unpacking the headers of $(wc -l <"$work/headers") kernels"
	for file in "$work"/debs/*.deb; do
		dpkg-deb -x "$file" "$root" || die "$file: unpacking failed: look above for the reason"
	done
	mkdir -p "$root"/{dev,proc,build}
	[ -e "$root/dev/null" ] || : >"$root/dev/null"
	join <(sort -k 2 -o "$work/headers" "$work/headers"; awk '{ print $2, $1, $3 }' "$work/headers") \
		<(grep . <<<"$architectures" | sort) |
		awk -v cc="$compiler" '{ sub(/^linux-headers-/, "", $3); print $2, $1, $3, $4, $5 "-", $5 "-" cc }' |
		sort -V >"$root/kernels"
}

fetch()
{
	local list
	apt_dir=$work/apt
	host_acquire >"$work/apt.conf"
	private_apt
	update_lists
	newest_headers >"$work/headers"
	[ -s "$work/headers" ] || die "linux-headers: in none of the suites that could be reached: check the network"
	packages_of "$work/headers" >"$work/list"
	mapfile -t list <"$work/list"
	say "downloading ${#list[@]} packages of headers"
	mkdir "$work/debs"
	(cd "$work/debs" && apt-get -qq -o APT::Sandbox::User=root download "${list[@]}" >&2) ||
		die "linux-headers: could not be downloaded: look above for apt's reason"
	make_root
	finish_entry
}

# run_in_root COMMAND...: with /dev/null and /proc, which objtool needs
run_in_root()
{
	local map=-r
	[ "$(id -u)" != 0 ] || map=
	# shellcheck disable=SC2016,SC2086 # the inner shell expands it; a word or none
	exec unshare $map -m sh -c '
		mount --bind /dev/null "$1/dev/null" && mount --rbind /proc "$1/proc" || exit
		cd "$1" && shift && exec chroot . "$@"' sh "$dir" env -i LC_ALL=C PATH=/usr/bin:/usr/sbin "$@"
}

main()
{
	[ $# = 0 ] || [ "$1" = -- ] || usage "[-- COMMAND [ARG]...]"
	cache=$(cache_dir)
	dir=$cache/cross
	if ! entry_ok "$dir"; then
		have mmdebstrap || die "mmdebstrap: not found in PATH: run scripts/packages.sh cross"
		# What runs in the root does not inherit the lock.
		(begin_entry cross; entry_ok "$dir" || fetch)
	fi
	[ $# = 0 ] && { echo "$dir"; return; }
	shift
	run_in_root "$@"
}

main "$@"
