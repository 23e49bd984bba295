# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154 # "work" is what in-tree.sh made
# shellcheck disable=SC2034 # home, identity: the other parts use them
#
# The kernel source tree that is worked on, and what cannot be done to it.
# Sourced by in-tree.sh, never run.

home=$(cd -- "$(dirname -- "$0")/.." && pwd)
readonly home
readonly driver=drivers/vfio/pci/subpage
readonly suite=tools/testing/selftests/vfio
readonly oldest=6.1

# Files of the tree that get lines of ours. The second list: only if they are
# there, which is so since 6.18. Where they are not, ours are copied.
readonly edited=(
	Documentation/dev-tools/index.rst
	Documentation/driver-api/index.rst
	MAINTAINERS
	drivers/vfio/pci/Kconfig
	drivers/vfio/pci/Makefile
	tools/testing/selftests/Makefile
)
readonly joined=(
	"$suite/.gitignore"
	"$suite/Makefile"
	"$suite/config"
	"$suite/settings"
)

makefile_value()
{
	sed -n "s/^$1 *= *//p" "$tree/Makefile" | head -n 1
}

is_kernel_tree()
{
	local file
	for file in Kbuild Makefile "${edited[@]}" tools/testing/selftests/lib.mk; do
		[ -f "$tree/$file" ] || return 1
	done
	[[ $(makefile_value VERSION).$(makefile_value PATCHLEVEL) =~ ^[0-9]+\.[0-9]+$ ]]
}

# NAME <ADDRESS> of the user, from the configuration that git has for the tree.
git_identity()
{
	local ident
	have git || return 0
	ident=$(git -C "$tree" -c user.useConfigOnly=true var GIT_AUTHOR_IDENT 2>/dev/null) ||
		return 0
	printf '%s\n' "${ident% * *}"
}

# open_tree DIR: sets tree, version and identity.
open_tree()
{
	[ -d "$1" ] || die "$1: no such directory: name the top of a kernel source tree"
	tree=$(realpath -- "$1")
	is_kernel_tree ||
		die "$1: not the top of a complete kernel source tree: name one that has Kbuild, MAINTAINERS and drivers/vfio"
	version=$(makefile_value VERSION).$(makefile_value PATCHLEVEL)
	[ "$(printf '%s\n' $oldest "$version" | sort -V | head -n 1)" = $oldest ] ||
		die "$1: Linux $version is too old: use $oldest or later"
	[ -w "$tree" ] || die "$1: cannot be written: fix its permissions"
	identity=$(git_identity)
}

refuse_added()
{
	[ ! -e "$tree/$driver" ] ||
		die "$tree: already has $driver: take it out first, with: $me remove $tree"
}

# Only if the tree is what git has checked out, not if it lies inside that.
in_git()
{
	local top
	have git && top=$(git -C "$tree" rev-parse --show-toplevel 2>/dev/null) &&
		[ "$top" = "$tree" ]
}

refuse_local_changes()
{
	local list
	in_git || return 0
	list=$(git -C "$tree" status --porcelain -uno -- "${edited[@]}" "${joined[@]}" |
		cut -c4- | tr '\n' ' ')
	[ -z "$list" ] ||
		die "$tree: local changes in ${list% }: commit or stash them first"
}

# $work/old and $work/new: the files that get lines of ours.
load_tree()
{
	local file
	mkdir "$work/old"
	for file in "${edited[@]}" "${joined[@]}"; do
		[ ! -f "$tree/$file" ] || (cd "$tree" && cp --parents -p "$file" "$work/old")
	done
	cp -a "$work/old" "$work/new"
}

list_files()
{
	(cd "$1" && find . -type f -printf '%P\n' | LC_ALL=C sort)
}

# added_files, edited_files: what is in $work/new now, and was not so before.
added_files()
{
	LC_ALL=C comm -13 <(list_files "$work/old") <(list_files "$work/new")
}

edited_files()
{
	local file
	for file in $(list_files "$work/old"); do
		cmp -s "$work/old/$file" "$work/new/$file" || echo "$file"
	done
}

refuse_clash()
{
	local file
	for file in $(added_files); do
		if [ -e "$tree/$file" ] || [ -L "$tree/$file" ]; then
			die "$tree: $file is there and is not ours: move it away first"
		fi
	done
}
