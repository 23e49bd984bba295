# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154 # driver, suite, tree, work: tree.sh
#
# What was added to a tree is recorded there, and taken out by that record, not
# by what this directory has become since. Sourced by in-tree.sh, never run.
#
# The record is hidden, so that the kernel's own .gitignore covers it:
#   files       checksums of the files that were added
#   dirs        the directories that were made for them
#   lines/FILE.N   the lines that were put into FILE

readonly record=$driver/.in-tree

# ---- writing it ----

# blocks OLD NEW PREFIX: each run of lines that NEW has more, in PREFIX.1, .2
blocks()
{
	(diff "$1" "$2" || :) | awk -v prefix="$3" '
	/^[0-9]+a/ { n++; next }
	/^> / { print substr($0, 3) >(prefix "." n); next }
	{ exit 1 }' || die "$2: a line was changed, not added: report this"
}

new_dirs()
{
	local dir
	for dir in $(added_files | sed 's,/[^/]*$,,' | sort -u) "$record"; do
		while [ ! -d "$tree/$dir" ]; do
			echo "$dir"
			dir=$(dirname "$dir")
		done
	done | LC_ALL=C sort -u
}

make_record()
{
	local file
	mkdir -p "$work/record/lines"
	added_files | (cd "$work/new" && xargs sha256sum) >"$work/record/files"
	new_dirs >"$work/record/dirs"
	for file in $(edited_files); do
		mkdir -p "$(dirname "$work/record/lines/$file")"
		blocks "$work/old/$file" "$work/new/$file" "$work/record/lines/$file"
	done
}

# ---- changing the tree ----

# replace FILE FROM: with its mode and owner; a hard link elsewhere stays as it is.
replace()
{
	local new
	new=$(mktemp "$tree/$1.XXXXXX")
	cp -p "$tree/$1" "$new"
	cat "$2" >"$new"
	mv -f "$new" "$tree/$1"
}

# The record first: what is in the tree can then be taken out by it.
install_all()
{
	local file
	trap 'undo_install' EXIT
	mkdir -p "$tree/$driver"
	cp -r "$work/record" "$tree/$record"
	added_files | (cd "$work/new" && xargs cp --parents --preserve=mode -t "$tree")
	for file in $(edited_files); do
		replace "$file" "$work/new/$file"
	done
	trap 'rm -rf "$work"' EXIT
}

undo_install()
{
	set +e
	uninstall_all
	rm -rf "$work"
	say "$tree: not added: look above for the reason; what was begun is undone"
	exit 1
}

# ---- reading it ----

recorded_blocks()
{
	(cd "$tree/$record/lines" && find . -type f -printf '%P\n' | LC_ALL=C sort)
}

# block_line FILE BLOCK: the number of the line where BLOCK starts in FILE.
block_line()
{
	awk 'NR == FNR { block[n = FNR] = $0; next }
	     { line[FNR] = $0; last = FNR }
	     END {
		for (i = 1; i + n - 1 <= last; i++) {
			for (j = 1; j <= n && line[i + j - 1] == block[j]; j++)
				;
			if (j > n) {
				print i
				exit
			}
		}
	     }' "$2" "$1"
}

# What is not as it was added: " FILE FILE". A file that is gone is no loss.
changed_since()
{
	local file block
	# Fails if one differs, which is what is asked for.
	{ (cd "$tree" && LC_ALL=C sha256sum -c --ignore-missing "$record/files" 2>/dev/null) || :; } |
		sed -n 's/^\(.*\): FAILED.*/ \1/p' | tr -d '\n'
	for block in $(recorded_blocks); do
		file=${block%.*}
		[ -n "$(block_line "$tree/$file" "$tree/$record/lines/$block" 2>/dev/null)" ] ||
			printf ' %s' "$file"
	done
}

remove_block()
{
	local file="$tree/$1" block="$2" line
	line=$(block_line "$file" "$block")
	if [ -z "$line" ]; then
		say "$file: our lines were changed: left as they are"
		return
	fi
	{
		head -n $((line - 1)) "$file"
		tail -n "+$((line + $(wc -l <"$block")))" "$file"
	} >"$work/edit"
	replace "$1" "$work/edit"
}

# Where sources of ours were built in the tree itself.
remove_products()
{
	local file dir stem list=()
	while read -r _ file; do
		[[ $file == *.c ]] || continue
		dir=$tree/${file%/*} stem=${file##*/}
		stem=${stem%.c}
		list+=("$dir/$stem".{o,d,s,i,lst,gcno,mod,mod.c,mod.o} "$dir/.$stem".{o,mod,mod.o}.{cmd,d})
		[[ $file == "$driver"/* ]] || list+=("$dir/$stem")
	done <"$tree/$record/files"
	rm -f "${list[@]}"
	rm -f "$tree/$driver"/{,.}vfio_pci_subpage.* "$tree/$driver"/{,.}built-in.a* \
	      "$tree/$driver"/{,.}modules.order* "$tree/$driver"/{,.}Module.symvers*
	# Headers that the suite installs for itself.
	! grep -qs khdr "$tree/$suite/subpage/subpage.mk" || rm -rf "${tree:?}/$suite/khdr"
}

uninstall_all()
{
	local block dir
	for block in $(recorded_blocks); do
		remove_block "${block%.*}" "$tree/$record/lines/$block"
	done
	remove_products
	sed 's/^[0-9a-f]*  //' "$tree/$record/files" | (cd "$tree" && xargs rm -f)
	cp "$tree/$record/dirs" "$work/dirs"
	rm -rf "${tree:?}/$record"
	tac "$work/dirs" | while read -r dir; do
		[ ! -d "$tree/$dir" ] || rmdir "$tree/$dir" 2>/dev/null ||
			say "$tree/$dir: not empty: kept with what it holds besides"
	done
}

# No record: nothing is touched, but it is said what is there.
not_recorded()
{
	local found="" file
	for file in "$driver" "$suite/subpage" Documentation/driver-api/vfio-pci-subpage.rst; do
		[ ! -e "$tree/$file" ] || found="$found $file"
	done
	[ -n "$found" ] || die "$tree: nothing of vfio-pci-subpage in it: nothing was removed"
	die "$tree: has$found, but $me did not add them: if they came as patches, revert those commits"
}
