# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154 # home, driver, suite, tree, work, identity: tree.sh
#
# What is put into a tree, in steps that become one patch each. They work on
# $work/new. Sourced by in-tree.sh, never run.

# ---- the tools of the steps ----

# sources DIR: what a kernel tree gets of a directory of this one. By name, so
# that nothing that a build left there goes along.
sources()
{
	(cd "$home" && find "$1" -type f ! -name '*.mod.c' ! -path '*/subpage_mods/*' \
		\( -name '*.[ch]' -o -name '*.mk' -o -name '*.profile' -o -name '*.sh' \
		   -o -name Kconfig -o -name Makefile -o -name config -o -name settings \
		   -o -name .gitignore -o -name .kunitconfig \) | LC_ALL=C sort)
}

# put FILE...: as it is here
put()
{
	(cd "$home" && cp --parents --preserve=mode "$@" "$work/new")
}

# insert FILE LINE: stdin after that line. Nothing else of the file changes.
insert()
{
	local file="$work/new/$1"
	{
		head -n "$2" "$file"
		cat
		tail -n "+$(($2 + 1))" "$file"
	} >"$work/edit"
	cat "$work/edit" >"$file"
}

append()
{
	[ -z "$(tail -c 1 "$work/new/$1")" ] ||
		die "$tree/$1: its last line does not end: add a newline"
	insert "$1" "$(wc -l <"$work/new/$1")"
}

# last_line FILE REGEX: the number of the last line that matches.
last_line()
{
	grep -nE -- "$2" "$work/new/$1" | tail -n 1 | cut -d: -f1 | grep . ||
		die "$tree/$1: no line like $2 to put ours after: report this"
}

# ---- MAINTAINERS ----

# before_entry TITLE: the line number after which the entry goes, among those
# of VFIO, which are sorted.
before_entry()
{
	LC_ALL=C awk -v title="$1" '
	/^VFIO/ && last == "" { if ($0 > title) { print NR - 1; found = 1; exit } ours = 1 }
	/^$/ && ours { after = NR; ours = 0 }
	{ last = $0 }
	END { if (!found && after) print after }' "$work/new/MAINTAINERS" | grep . ||
		die "$tree/MAINTAINERS: no entries of VFIO: report this"
}

# entry TITLE FILE...: without a known user nobody can be named.
entry()
{
	local file title="$1"
	shift
	[ $# -gt 0 ] || return 0
	{
		echo "$title"
		[ -z "$identity" ] || printf 'M:\t%s\n' "$identity"
		printf 'L:\tkvm@vger.kernel.org\n'
		printf 'S:\t%s\n' "$([ -n "$identity" ] && echo Maintained || echo Orphan)"
		printf 'F:\t%s\n' "$@" | LC_ALL=C sort
		echo
	} | insert MAINTAINERS "$(before_entry "$title")"
}

driver_files=() test_files=()

# Each patch that adds files says who looks after them.
update_maintainers()
{
	cat "$work/old/MAINTAINERS" >"$work/new/MAINTAINERS"
	entry "VFIO PCI SUB-PAGE BAR MODULE" "${driver_files[@]}"
	entry "VFIO SUB-PAGE BAR SELFTESTS" "${test_files[@]}"
}

# ---- the driver ----

has_kunit()
{
	compgen -G "$home/$driver/*_test.c" >/dev/null
}

# The options of the tests, and the lines that follow them, come with the tests.
without_kunit()
{
	awk '/^config / { skip = /KUNIT/ }
	     /^$/ { blank++; next }
	     skip || /_KUNIT_/ { blank = 0; next }
	     { for (; blank; blank--) print ""; print }' "$home/$1" >"$work/new/$1"
}

step_driver()
{
	local file
	# shellcheck disable=SC2046 # names of ours have no blanks
	put $(sources "$driver" | grep -vE '_test\.c$|/\.kunitconfig$')
	if has_kunit; then
		without_kunit "$driver/Kconfig"
		without_kunit "$driver/Makefile"
	fi
	file=drivers/vfio/pci/Kconfig
	printf '\nsource "%s/Kconfig"\n' "$driver" |
		insert $file "$(last_line $file '^source "drivers/vfio/pci/')"
	file=drivers/vfio/pci/Makefile
	# shellcheck disable=SC2016 # for make
	printf '\n%s\n' 'obj-$(CONFIG_VFIO_PCI_SUBPAGE) += subpage/' |
		insert $file "$(last_line $file '^obj-\$\(CONFIG_[A-Z0-9_]+\)[[:space:]]*\+= *[a-z0-9_-]+/')"
	driver_files+=("$driver/")
	update_maintainers
}

step_kunit()
{
	# shellcheck disable=SC2046 # names of ours have no blanks
	put $(sources "$driver")
	test_files+=("$driver/*_test.c")
	update_maintainers
}

# ---- the suite ----

# The list of targets is sorted, but for a few.
add_target()
{
	local file=tools/testing/selftests/Makefile line
	! grep -qx 'TARGETS += vfio' "$work/new/$file" || return 0
	line=$(LC_ALL=C awk '/^TARGETS \+= / && $3 > "vfio" { print NR - 1; exit }' "$work/new/$file")
	echo 'TARGETS += vfio' | insert $file "${line:-$(last_line $file '^TARGETS \+=')}"
}

# A list that ignores everything but what it names hides files of ours.
join_gitignore()
{
	if grep -qx '\*' "$work/new/$1"; then
		printf '%s\n' '!*.profile' '!config' '!settings'
		grep '/$' "$home/$1" || :
	else
		grep -v '^#' "$home/$1"
	fi | { grep -vxFf "$work/new/$1" || :; } | append "$1"
}

join_config()
{
	grep -E '^CONFIG_' "$home/$1" |
		awk -F= 'NR == FNR { theirs[$1]; next } !($1 in theirs)' "$work/new/$1" - |
		append "$1"
}

join_makefile()
{
	printf '\ninclude subpage/subpage.mk\n' | append "$1"
}

# join FILE: one that they have too. Their Makefile stays and includes ours.
join()
{
	case $1 in
	*/.gitignore) join_gitignore "$1" ;;
	*/Makefile) join_makefile "$1" ;;
	*/config) join_config "$1" ;;
	*/settings) ;;	# a timeout that they chose
	esac
}

step_selftests()
{
	local file
	# shellcheck disable=SC2046 # names of ours have no blanks
	put $(sources "$suite" | LC_ALL=C comm -23 - <(list_files "$work/old"))
	for file in "${joined[@]}"; do
		[ ! -f "$work/old/$file" ] || join "$file"
	done
	add_target
	if [ -f "$work/old/$suite/Makefile" ]; then
		test_files+=("$suite/profiles/" "$suite/subpage/" "$suite/vfio_pci_subpage_*")
	else
		test_files+=("$suite/")
	fi
	update_maintainers
}

# ---- the documentation ----

# add_to_index FILE REGEX NAME: an entry of the toctree, after one like REGEX.
add_to_index()
{
	echo "   $3" | insert "$1" "$(last_line "$1" "$2")"
}

step_documentation()
{
	local abi=Documentation/ABI/testing/sysfs-bus-pci-devices-vfio-pci-subpage
	local api=driver-api/vfio-pci-subpage tools=dev-tools/vfio-selftests-subpage
	local perf=dev-tools/vfio-selftests-performance
	put "$abi" "Documentation/$api.rst" "Documentation/$tools.rst" "Documentation/$perf.rst"
	add_to_index Documentation/driver-api/index.rst '^   vfio(-[a-z-]*)?$' "${api#*/}"
	add_to_index Documentation/dev-tools/index.rst '^   kselftest$' "${tools#*/}"
	add_to_index Documentation/dev-tools/index.rst "^   ${tools#*/}\$" "${perf#*/}"
	driver_files+=("$abi" "Documentation/$api.rst")
	test_files+=("Documentation/$tools.rst" "Documentation/$perf.rst")
	update_maintainers
}

# ---- all of them, in the order of the patches ----

steps()
{
	echo driver
	! has_kunit || echo kunit
	echo selftests
	echo documentation
}
