#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# in-tree.sh add TREE
# in-tree.sh remove [--force] TREE
# in-tree.sh patches TREE OUTDIR
#
# Put the driver, the suite and their documentation into a kernel source tree,
# take them out again, or write the same as a series of patches for git am.

set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"
# shellcheck source=in-tree/tree.sh
. "$(dirname -- "$0")/in-tree/tree.sh"
# shellcheck source=in-tree/steps.sh
. "$(dirname -- "$0")/in-tree/steps.sh"
# shellcheck source=in-tree/record.sh
. "$(dirname -- "$0")/in-tree/record.sh"
# shellcheck source=in-tree/series.sh
. "$(dirname -- "$0")/in-tree/series.sh"

# What every command works with: a copy of what will be edited, twice.
make_work()
{
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
}

add()
{
	local step
	open_tree "$1"
	refuse_added
	refuse_local_changes
	make_work
	load_tree
	for step in $(steps); do
		"step_$step"
	done
	refuse_clash
	make_record
	install_all
	say "$tree: added to Linux $version: set CONFIG_VFIO_PCI_SUBPAGE; take it out with: $me remove $1"
}

remove()
{
	local force=0 changed
	if [ "$1" = --force ]; then
		force=1
		shift
	fi
	open_tree "$1"
	[ -d "$tree/$record" ] || not_recorded
	make_work
	changed=$(changed_since)
	if [ -n "$changed" ] && [ $force = 0 ]; then
		die "$tree: changed since they were added:$changed: save your changes, then use remove --force"
	fi
	uninstall_all
	say "$tree: removed"
}

patches()
{
	local out="$2"
	open_tree "$1"
	have git || die "git: not found: install the package git"
	[ -n "$identity" ] ||
		die "git: no user for From and Signed-off-by: run: git config --global user.name NAME; git config --global user.email ADDRESS"
	refuse_added
	refuse_local_changes
	mkdir -p "$out" || die "$out: cannot be made: name another directory"
	[ -z "$(find "$out" -maxdepth 1 -name '*.patch' -print -quit)" ] ||
		die "$out: holds patches already: name an empty directory"
	make_work
	load_tree
	make_series "$(realpath "$out")"
}

main()
{
	case $#:${1:-} in
	2:add) add "$2" ;;
	2:remove) remove "$2" ;;
	3:remove)
		[ "$2" = --force ] || usage "remove [--force] TREE"
		remove --force "$3"
		;;
	3:patches) patches "$2" "$3" ;;
	*) usage "add TREE | remove [--force] TREE | patches TREE OUTDIR" ;;
	esac
}

main "$@"
