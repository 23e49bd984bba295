#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fetch-sysroot.sh ARCH
#
# Print a directory that holds what programs of another architecture are built
# against and run with: Debian's C library, the libraries of the suite, busybox.
# apt gets them with a configuration and lists of its own: nothing is installed,
# and the host knows of no second architecture.

set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname -- "$0")/../lib.sh"
# shellcheck source=cache.sh
. "$(dirname -- "$0")/cache.sh"
# shellcheck source=private-apt.sh
. "$(dirname -- "$0")/private-apt.sh"

# Raise it when what unpack makes changes: older entries are then rebuilt.
readonly entry_layout=2

readonly packages=(libc6 libc6-dev linux-libc-dev libgcc-s1 libjson-c5
	libjson-c-dev libnuma1 libnuma-dev busybox-static)

# The archives of the host's release, but nobody else's, for another architecture.
# Only the lists outlive the run.
prepare_apt()
{
	# shellcheck disable=SC2016 # apt expands it
	host_targets '$(REPO_URI) $(RELEASE) $(COMPONENT)' | sed "s/^/deb [arch=$arch] /" |
		private_apt "$apt_dir" "$arch"
	export APT_CONFIG=$apt_dir/apt.conf
}

# In the private directory root is not needed. A list that cannot be fetched is
# otherwise no error.
apt_update()
{
	say "fetching the package lists of $arch"
	apt-get -qq --error-on=any update >&2
}

# known_debs ARCH: into $work/debs; fails if the lists lack one
known_debs()
{
	apt_show "${packages[@]/%/:$1}" | manifest_debs >"$work/debs"
	[ "$(wc -l <"$work/debs")" = ${#packages[@]} ]
}

# Lists that lack a package may be of archives that the host no longer uses.
resolve()
{
	known_debs "$1" || { apt_update && known_debs "$1"; } || return 0
	echo "entry sysroot-$1.$(sha256sum <"$work/debs" | cut -c 1-8)"
	cat "$work/debs"
}

unpack_mib()
{
	awk '$1 == "deb" { kib += $6 } END { print int(kib / 1024) + 16 }' "$1"
}

# Absolute links would lead out of the directory.
relative_links()
{
	local link
	find "$1" -type l -lname '/*' | while read -r link; do
		ln -srfn "$1$(readlink "$link")" "$link"
	done
}

unpack()
{
	local key file
	say "unpacking the sysroot of $arch, a few seconds"
	while read -r key _ _ file _; do
		[ "$key" = deb ] || continue
		dpkg -x "$2/$file" "$3" || die "$file: unpacking failed: look above for dpkg's reason"
	done <"$1"
	rm -rf "${3:?}/usr/share"
	relative_links "$3"
}

check_entry()
{
	local file
	for file in bin/busybox usr/include/stdio.h usr/include/numa.h \
		    usr/include/json-c/json.h usr/include/linux/vfio.h; do
		[ -s "$1/$file" ] || return 1
	done
}

main()
{
	[ $# = 1 ] || usage "ARCH   (arm64)"
	arch=$1
	[ "$arch" = arm64 ] || die "$arch: no sysroot for this architecture: use arm64"
	apt_dir=$(cache_dir)/apt-$arch
	apt_lists=$apt_dir/lists
	update_remedy="check the network and the apt sources"
	fetch_entry sysroot "$arch" "$entry_layout"
}

main "$@"
