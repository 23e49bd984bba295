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
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"
# shellcheck source=cache.sh
. "$(dirname -- "$0")/cache.sh"

# Raise it when what unpack makes changes: older entries are then rebuilt.
readonly entry_layout=2

readonly packages="libc6 libc6-dev linux-libc-dev libgcc-s1 libjson-c5
	libjson-c-dev libnuma1 libnuma-dev busybox-static"

# The archives of the host's release, but nobody else's, for another ARCH. It
# has what the host's own apt is told of how to reach them, such as a proxy.
private_apt()
{
	local arch=$1 dir=$2
	mkdir -p "$dir"/{lists/partial,archives/partial,parts}
	: >"$dir/status"
	# shellcheck disable=SC2016 # apt expands it
	apt-get indextargets --format '$(ORIGIN) [@] $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' |
		sed -n "s/^Debian \[@\]/deb [arch=$arch]/p" | sort -u >"$dir/sources.list"
	{
		apt-config dump | grep '^Acquire::' | grep -v '^Acquire::IndexTargets'
		cat <<-END
		Acquire::Languages "none";
		APT::Architecture "$arch";
		APT::Architectures "";
		APT::Architectures:: "$arch";
		APT::Sandbox::User "root";
		Dir::State "$dir";
		Dir::State::lists "lists";
		Dir::State::status "$dir/status";
		Dir::Cache "$dir";
		Dir::Etc::sourcelist "$dir/sources.list";
		Dir::Etc::sourceparts "$dir/parts";
		Dir::Etc::main "$dir/parts/none";
		Dir::Etc::parts "$dir/parts";
		END
	} >"$dir/apt.conf"
}

# In the private directory root is not needed.
apt_update()
{
	say "fetching the package lists of $arch"
	apt-get -qq update >&2
}

resolve()
{
	local name list=() id
	for name in $packages; do
		list+=("$name:$1")
	done
	apt_show "${list[@]}" | manifest_debs >"$work/debs"
	[ "$(wc -l <"$work/debs")" = ${#list[@]} ] || return 0
	id=$(sha256sum <"$work/debs" | cut -c 1-8)
	echo "entry sysroot-$1.$id"
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
	have_apt || die "apt: not on this system: the sysroot of $arch comes from Debian packages, use Debian 12"
	local dir
	dir=$(cache_dir)/apt-$arch
	[ -s "$dir/apt.conf" ] || private_apt "$arch" "$dir"
	export APT_CONFIG=$dir/apt.conf
	apt_lists=$dir/lists
	fetch_entry sysroot "$arch" "$entry_layout"
}

main "$@"
