# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Roots with tools of another release of Debian, unpacked and not installed. Sourced
# after lib.sh, never run. Needs no root; a user needs user namespaces.

# shellcheck source=apt.sh
. "${BASH_SOURCE[0]%/*}/apt.sh"

# What kbuild and a compiler need beside themselves; libelf and libssl are what the
# kernel's own programs are linked with, whatever the packages are called.
readonly root_tools="make bash coreutils sed grep dash gawk findutils perl kmod pahole
	libelf-dev libssl-dev zlib1g"

# unpack_packages DIR SUITE ARCH PACKAGES [OPTION]...: these, with commas between, and what
# they depend on; options of mmdebstrap. As nothing is run, a mode that needs no root does
# no harm to root either.
unpack_packages()
{
	local root=$1 suite=$2 arch=$3 include=$4
	shift 4
	have mmdebstrap || die "mmdebstrap: not found in PATH: run scripts/packages.sh cross"
	host_acquire >"$root.conf"
	source_lines "$(archive_of "$suite")" "$suite" "$arch" |
		env -u APT_CONFIG mmdebstrap --quiet --mode=chrootless --skip=check/chrootless \
			--variant=extract --architectures="$arch" --aptopt="$root.conf" \
			--include="$include" "$@" '' "$root" - >&2 ||
		die "mmdebstrap: failed for $suite and $arch: look above for its reason, and check the network"
}

# make_root DIR SUITE PACKAGE...: tools of this machine's architecture
make_root()
{
	local root=$1 suite=$2 include
	shift 2
	# shellcheck disable=SC2086 # words
	include=$(printf '%s,' $root_tools "$@")
	unpack_packages "$root" "$suite" "$(dpkg --print-architecture)" "${include%,}" --aptopt="$any_age"
	# Nothing is configured, and so there are no alternatives.
	ln -sf gawk "$root/usr/bin/awk"
	mkdir -p "$root"/{dev,proc}
	[ -e "$root/dev/null" ] || : >"$root/dev/null"
	rm -rf "$root"/usr/share/{doc,man,locale,info} "$root"/var/cache
}

# run_in_root ROOT DIRECTORIES COMMAND...: with /dev/null, and /proc, which objtool needs.
# It finds the directories where they are outside, and runs in the present one. Of the
# environment nothing comes along: the root has no other locale than C, and perl complains.
run_in_root()
{
	local root=$1 directories=$2 map=-r
	shift 2
	[ "$(id -u)" != 0 ] || map=
	unshare $map -m true 2>/dev/null ||
		die "unshare: no mount namespace for this user: allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0), or be root"
	# shellcheck disable=SC2016,SC2086 # the inner shell expands it; a word or none
	exec unshare $map -m sh -c '
		root=$1 here=$PWD
		mount --bind /dev/null "$root/dev/null" && mount --rbind /proc "$root/proc" || exit
		for dir in $2; do
			mkdir -p "$root$dir" && mount --rbind "$dir" "$root$dir" || exit
		done
		shift 2
		[ -d "$root$here" ] || here=/
		exec chroot "$root" /usr/bin/env -i -C "$here" "$@"' sh "$root" "$directories" \
			LC_ALL=C PATH=/usr/bin:/usr/sbin "$@"
}
