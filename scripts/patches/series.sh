#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# series.sh TREE OUTDIR
#
# Write the module, the suite and their documentation as a series of patches for
# the kernel source TREE, which is not changed. git am applies the series.

set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname -- "$0")/../lib.sh"

home=$(cd -- "$(dirname -- "$0")/../.." && pwd)
readonly home
readonly driver=drivers/vfio/pci/subpage
readonly suite=tools/testing/selftests/vfio

# Files of the tree that get lines of ours.
readonly edited=(
	Documentation/dev-tools/index.rst
	Documentation/driver-api/index.rst
	MAINTAINERS
	drivers/vfio/pci/Kconfig
	drivers/vfio/pci/Makefile
	tools/testing/selftests/Makefile
)
# The same for files that mainline has since 6.18. Before that ours are copied.
readonly joined=("$suite"/{.gitignore,Makefile,config,settings})

# ---- the tree ----

# open_tree DIR: sets tree and version
open_tree()
{
	local file changed
	tree=$(realpath -- "$1")
	for file in Makefile "${edited[@]}"; do
		[ -f "$tree/$file" ] || die "$1: not a complete kernel source tree: has no $file"
	done
	version=$(sed -nE 's/^(VERSION|PATCHLEVEL) *= *//p' "$tree/Makefile" | paste -sd .)
	[ ! -e "$tree/$driver" ] || die "$1: already has $driver: name a tree without it"
	[ -e "$tree/.git" ] || return 0
	changed=$(git -C "$tree" diff --name-only HEAD -- "${edited[@]}" "${joined[@]}" | paste -sd ' ')
	[ -z "$changed" ] || die "$1: local changes in $changed: commit or stash them first"
}

# A repository with those files of the tree. Nothing of the user's configuration
# counts there but the name.
make_repository()
{
	local file name mail
	{ name=$(git -C "$tree" config user.name) && mail=$(git -C "$tree" config user.email); } ||
		die "git: no user for From and Signed-off-by: run: git config --global user.name NAME; git config --global user.email ADDRESS"
	author="$name <$mail>"
	for file in "${edited[@]}" "${joined[@]}"; do
		[ ! -f "$tree/$file" ] || (cd "$tree" && cp --parents "$file" "$work/tree")
	done
	export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=$work/gitconfig
	git config --global user.name "$name"
	git config --global user.email "$mail"
	cd "$work/tree"
	git init -q -b vfio-pci-subpage
	git add -f .
	git commit -q -m "Linux $version"
	git tag tree
}

# ---- changing files, in that repository ----

# ours DIR: files of this project that a kernel tree gets; not what only the tests
# in the reference VM use, nor what tells of this repository
ours()
{
	git -C "$home" ls-files "$1" |
		grep -vE '/subpage_mods/|/subpage-(as-ever|clients|hacking|install)\.rst$'
}

# put FILE...: as it is here
put()
{
	(cd "$home" && cp --parents --preserve=mode "$@" "$work/tree")
}

# insert FILE LINE: stdin after that line
insert()
{
	sed -i "$2r /dev/stdin" "$1"
}

# last_line FILE REGEX: the number of the last line that matches
last_line()
{
	grep -nE -- "$2" "$1" | tail -n 1 | cut -d: -f1 | grep . ||
		die "$tree/$1: no line like $2 to put ours after: report this"
}

# ---- MAINTAINERS: each patch that adds files says who looks after them ----

# entry TITLE FILE...: among those of VFIO, which are sorted
entry()
{
	local title=$1 line
	shift
	[ $# -gt 0 ] || return 0
	line=$(LC_ALL=C awk -v title="$title" '
		/^VFIO/ { if ($0 > title && !line) line = NR - 1; ours = 1 }
		/^$/ { if (ours) after = NR; ours = 0 }
		END { print line ? line : after }' MAINTAINERS)
	[ -n "$line" ] || die "$tree/MAINTAINERS: no entries of VFIO: report this"
	{
		printf '%s\nM:\t%s\nL:\tkvm@vger.kernel.org\nS:\tMaintained\n' "$title" "$author"
		printf 'F:\t%s\n' "$@" | LC_ALL=C sort
		echo
	} | insert MAINTAINERS "$line"
}

driver_files=() test_files=()

update_maintainers()
{
	git show tree:MAINTAINERS >MAINTAINERS
	entry "VFIO PCI SUB-PAGE BAR MODULE" "${driver_files[@]}"
	entry "VFIO SUB-PAGE BAR SELFTESTS" "${test_files[@]}"
}

# ---- the steps: a patch each ----

# The options of the tests, and the lines that follow them, come with the tests.
without_kunit()
{
	awk '/^config / { skip = /KUNIT/ }
	     /^$/ { blank++; next }
	     skip || /_KUNIT_/ { blank = 0; next }
	     { for (; blank; blank--) print ""; print }' "$home/$1" >"$1"
}

step_driver()
{
	local file
	# shellcheck disable=SC2046 # names of ours have no blanks
	put $(ours "$driver" | grep -v '_test\.c$')
	without_kunit "$driver/Kconfig"
	without_kunit "$driver/Makefile"
	file=drivers/vfio/pci/Kconfig
	printf '\nsource "%s/Kconfig"\n' "$driver" |
		insert $file "$(last_line $file '^source "drivers/vfio/pci/')"
	file=drivers/vfio/pci/Makefile
	# shellcheck disable=SC2016 # for make
	printf '\n%s\n' 'obj-$(CONFIG_VFIO_PCI_SUBPAGE) += subpage/' |
		insert $file "$(last_line $file '^obj-\$\(CONFIG_[A-Z0-9_]+\)[[:space:]]*\+= *[a-z0-9_-]+/')"
	driver_files+=("$driver/")
}

step_kunit()
{
	# shellcheck disable=SC2046 # names of ours have no blanks
	put $(ours "$driver")
	test_files+=("$driver/*_test.c")
}

# The list of targets is sorted, but for a few.
add_target()
{
	local file=tools/testing/selftests/Makefile line
	! grep -qx 'TARGETS += vfio' $file || return 0
	line=$(LC_ALL=C awk '/^TARGETS \+= / && $3 > "vfio" { print NR - 1; exit }' $file)
	echo 'TARGETS += vfio' | insert $file "${line:-$(last_line $file '^TARGETS \+=')}"
}

# join FILE: one that mainline has too, and that stays otherwise. A .gitignore that
# ignores everything but what it names hides files of ours.
join()
{
	case $1 in
	*/.gitignore) printf '%s\n' '!*.profile' '!config' '!settings'
		grep '/$' "$home/$1" ;;
	*/Makefile) printf '\ninclude subpage/subpage.mk\n' ;;
	*/config) grep '^CONFIG_' "$home/$1" |
		awk -F= 'NR == FNR { theirs[$1]; next } !($1 in theirs)' "$1" - ;;
	esac >"$work/lines"
	cat "$work/lines" >>"$1"
}

step_selftests()
{
	local file
	for file in $(ours "$suite"); do
		if [ -f "$file" ]; then
			join "$file"
		else
			put "$file"
		fi
	done
	add_target
	if [ -f "$tree/$suite/Makefile" ]; then
		test_files+=("$suite/profiles/" "$suite/subpage/" "$suite/vfio_pci_subpage_*")
	else
		test_files+=("$suite/")
	fi
}

# add_to_index FILE REGEX PAGE...: entries of a toctree, after the one like REGEX
add_to_index()
{
	local file=$1 regex=$2 page
	shift 2
	for page; do
		page=${page##*/}
		echo "   ${page%.rst}"
	done | insert "$file" "$(last_line "$file" "$regex")"
}

step_documentation()
{
	local abi api tools
	mapfile -t abi < <(ours Documentation/ABI)
	mapfile -t api < <(ours Documentation/driver-api)
	mapfile -t tools < <(ours Documentation/dev-tools)
	put "${abi[@]}" "${api[@]}" "${tools[@]}"
	add_to_index Documentation/driver-api/index.rst '^   vfio(-[a-z-]*)?$' "${api[@]}"
	add_to_index Documentation/dev-tools/index.rst '^   kselftest$' "${tools[@]}"
	driver_files+=("${abi[@]}" "${api[@]}")
	test_files+=("${tools[@]}")
}

# message NAME: without its comments
message()
{
	grep -v '^#' "$home/scripts/patches/$1.txt"
}

make_series()
{
	local step
	for step in driver kunit selftests documentation; do
		"step_$step"
		update_maintainers
		git add -f .
		message "$step" | git commit -q -s -F -
	done
	git config branch.vfio-pci-subpage.description "$(message cover)

Made for Linux $version."
	git format-patch --cover-letter --cover-from-description=subject --no-signature \
		-o "$1" tree
}

main()
{
	[ $# = 2 ] || usage "TREE OUTDIR"
	local out
	have git || die "git: not found: install the package git"
	open_tree "$1"
	mkdir -p "$2" || die "$2: cannot be made: name another directory"
	out=$(realpath -- "$2")
	[ -z "$(find "$out" -name '*.patch' -print -quit)" ] ||
		die "$2: holds patches already: name an empty directory"
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	mkdir "$work/tree"
	make_repository
	make_series "$out"
}

main "$@"
