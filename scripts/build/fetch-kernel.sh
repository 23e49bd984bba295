#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fetch-kernel.sh PLATFORM
#
# Print a directory that holds the platform's kernel, one of Debian's own, from its
# packages, unpacked and not installed: the user's boot menu stays theirs.
#   vmlinuz   the kernel          build     KDIR to build modules against
#   release   its release string  modules   its modules, depmod has been run

set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname -- "$0")/../lib.sh"
# shellcheck source=apt.sh
. "$(dirname -- "$0")/apt.sh"

cd -- "$(dirname -- "$0")/../.."
# shellcheck source=platform.sh
. scripts/build/platform.sh

# Raise it when what unpack makes changes: older entries are then rebuilt.
readonly entry_layout=3

# kernel_parts PACKAGE...: those packages of a kernel that these depend on. Names are
# taken from there only: given one that is no package, such as linux-kbuild-6.12, apt-get
# takes it for a regex and fetches every match.
kernel_parts()
{
	apt_show "$@" | sed -n 's/^Depends: //p' |
		grep -oE '\blinux-(image|modules|binary|base|headers|kbuild)-[0-9][^ ,:]*' |
		grep -v -- '-unsigned$' | sed -E "/-common$|^linux-kbuild-/! s/$/:$arch/" | sort -u
}

# The packages of a flavour stand for those of the newest version.
resolve()
{
	local parts more image stanzas
	parts=$(kernel_parts "linux-image-$flavour:$arch" "linux-headers-$flavour:$arch")
	image=$(grep -m 1 '^linux-image-' <<<"$parts") || return 0
	image=${image#linux-image-}
	# What these depend on, and so on: how many layers there are has changed.
	until [ "$parts" = "${more:-}" ]; do
		more=$parts
		# shellcheck disable=SC2086 # words
		parts=$({ echo "$more"; kernel_parts $more; } | sort -u)
	done
	# shellcheck disable=SC2086 # words
	stanzas=$(apt_show $parts)
	echo "entry kernel-$flavour-$(apt_field Version <<<"$stanzas")"
	echo "release ${image%:*}"
	manifest_debs <<<"$stanzas"
}

# Unpacked size, and the indices that depmod adds.
unpack_mib()
{
	awk '$1 == "deb" { kib += $6 } END { print int(kib / 1024) + 16 }' "$1"
}

# In parallel: half of the time goes into the modules alone.
unpack_debs()
{
	local key file pid pids=()
	while read -r key _ _ file _; do
		[ "$key" = deb ] || continue
		dpkg -x "$2/$file" "$3" &
		pids+=($!)
	done <"$1"
	for pid in "${pids[@]}"; do
		wait "$pid" ||
			die "$2: unpacking failed: look above for dpkg's reason; if a package is damaged, remove it and run this again"
	done
}

# The only absolute paths in the headers. Made relative to the Makefile, not to
# make's directory, so that the entry can be moved and "make -f" works too.
relocate_headers()
{
	# shellcheck disable=SC2016 # make expands it
	sed -i 's,/usr/src/,$(dir $(realpath $(lastword $(MAKEFILE_LIST))))../,' "$1/Makefile"
	# Of a kernel's size, for BTF, which a module here does without.
	rm -f "$1/vmlinux"
}

unpack()
{
	local release image dir=$3
	release=$(manifest_get "$1" release)
	say "unpacking the kernel $release, some seconds"
	unpack_debs "$1" "$2" "$dir"
	rm -rf "${dir:?}/usr/share"
	# Older packages have /lib, newer ones /usr/lib; depmod and modprobe know either.
	mkdir -p "$dir/usr/lib"
	if [ -d "$dir/lib" ]; then
		mv "$dir/lib/modules" "$dir/usr/lib/"
		rmdir "$dir/lib"
	fi
	ln -s usr/lib "$dir/lib"

	relocate_headers "$dir/usr/src/linux-headers-$release"
	ln -sfn "../../../src/linux-headers-$release" "$dir/usr/lib/modules/$release/build"
	rm -f "$dir/usr/lib/modules/$release/source"
	ln -s "usr/src/linux-headers-$release" "$dir/build"
	ln -s "usr/lib/modules/$release" "$dir/modules"
	# POWER's is not compressed.
	image=$(cd "$dir" && ls -d boot/vmlinu[xz]-"$release" "usr/lib/modules/$release/vmlinuz" 2>/dev/null) || :
	ln -s "$image" "$dir/vmlinuz"
	echo "$release" >"$dir/release"

	depmod -b "$dir" "$release" ||
		die "depmod: failed for $release: look above for its reason"
	# The include line, tried.
	make -s -C "$dir/build" kernelversion >/dev/null 2>&1 ||
		die "linux-headers-$release: its Makefile does not work where it was unpacked: report this"
}

check_entry()
{
	local file
	for file in vmlinuz release modules/modules.dep modules/modules.builtin \
		    build/Makefile build/Module.symvers build/.config \
		    build/scripts/mod/modpost build/include/generated/autoconf.h; do
		[ -s "$1/$file" ] || return 1
	done
}

main()
{
	[ $# = 1 ] || usage "PLATFORM"
	local suites
	{ is_platform "$1" && [ -n "$(platform_get "$1" kernel)" ]; } ||
		die "$1: no platform with a kernel from packages: use one of $(platforms_with kernel)"
	flavour=$(platform_get "$1" kernel)
	arch=$(arch_name "$(platform_arch "$1")" 3)
	suites=$(platform_get "$1" suites)
	[ "$suites" != host ] || suites=$(host_suites)
	# shellcheck disable=SC2086 # words
	fetch_entry kernel "$1" $entry_layout "$arch" $suites
}

main "$@"
