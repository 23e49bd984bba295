#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of scripts/in-tree.sh, in copies of Debian's kernel sources. Output is
# KTAP. Nothing outside a temporary directory is changed.
#
# No Linux 6.18 or later is packaged. What matters of one here is stood in for: a
# selftests/vfio that has a Makefile, a library, scripts and tests of its own, and
# that there is no CONFIG_VFIO_PCI_MMAP any more (since 6.15).

set -euo pipefail

scripts=$(cd -- "$(dirname -- "$0")/.." && pwd)
tree_612=$("$scripts/build/fetch-source.sh" --tree 6.12)
tree_61=$("$scripts/build/fetch-source.sh" --tree 6.1)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# shellcheck source=ktap.sh
. "$scripts/tests/ktap.sh"

# As if called by nobody: not by make, and with a user that git knows.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES O OUTPUT KBUILD_OUTPUT ARCH CROSS_COMPILE V EMAIL
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
unset "${!GIT_AUTHOR_@}" "${!GIT_COMMITTER_@}"
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=$tmp/gitconfig
printf '[user]\n\tname = Jo Doe\n\temail = jo@example.org\n' >"$GIT_CONFIG_GLOBAL"

readonly suite=tools/testing/selftests/vfio
readonly driver=drivers/vfio/pci/subpage
in_tree=$scripts/in-tree.sh

# run COMMAND...: into $status, $tmp/stdout and $tmp/stderr.
run()
{
	status=0
	"$@" >"$tmp/stdout" 2>"$tmp/stderr" </dev/null || status=$?
}

# says STATUS PATTERN COMMAND...: exit status, and the one line on stderr.
says()
{
	local expected=$1 pattern=$2
	shift 2
	run "$@"
	cat "$tmp/stdout" "$tmp/stderr"
	same "exit status" "$expected" "$status" || return 1
	same "lines on stderr" 1 "$(wc -l <"$tmp/stderr")" || return 1
	grep -qE -- "$pattern" "$tmp/stderr" || { echo "no '$pattern'"; return 1; }
}

# ---- trees ----

# bare_tree FROM TO: what in-tree.sh looks at. Whole trees would cost minutes.
bare_tree()
{
	mkdir "$2"
	(cd "$1" && cp -a --parents .gitignore Kbuild Makefile MAINTAINERS \
		Documentation/{dev-tools,driver-api}/index.rst drivers/vfio/Kconfig \
		drivers/vfio/pci/{Kconfig,Makefile} tools/testing/selftests/{Makefile,lib.mk} "$2")
}

# link_rest FROM TO DIR: what TO does not have in DIR is a link to that.
link_rest()
{
	local name
	for name in $(cd "$1/$3" && find . -mindepth 1 -maxdepth 1 -printf '%P\n'); do
		[ -e "$2/$3/$name" ] || ln -s "$1/$3/$name" "$2/$3/$name"
	done
}

# buildable: the same tree, which make can use too. It must not write there.
buildable()
{
	local dir
	# Those that we add files to have to be real.
	mkdir -p "$1/Documentation/ABI/testing"
	for dir in . Documentation Documentation/{ABI,ABI/testing,dev-tools,driver-api} drivers \
		   drivers/vfio drivers/vfio/pci tools tools/testing tools/testing/selftests; do
		[ ! -d "$tree_612/$dir" ] || link_rest "$tree_612" "$1" "$dir"
	done
}

# A selftests/vfio of 6.18 and later, in miniature.
stand_in_suite()
{
	mkdir -p "$1"/{lib/include,scripts}
	cat >"$1/Makefile" <<-'END'
	CFLAGS = $(KHDR_INCLUDES)
	TEST_GEN_PROGS += standin_one_test
	TEST_GEN_PROGS += standin_two_test
	TEST_FILES += scripts/run.sh

	include ../lib.mk
	include lib/standin.mk

	CFLAGS += -I$(top_srcdir)/tools/include -MD
	LDFLAGS += -pthread

	$(TEST_GEN_PROGS): %: %.o $(STANDIN_O) ;\
		$(CC) $(CFLAGS) $(CPPFLAGS) $(LDFLAGS) $< $(STANDIN_O) $(LDLIBS) -o $@

	STANDIN_PROGS_O = $(patsubst %, %.o, $(TEST_GEN_PROGS))
	-include $(patsubst %.o, %.d, $(STANDIN_PROGS_O) $(STANDIN_O))
	EXTRA_CLEAN += $(STANDIN_PROGS_O) $(patsubst %.o, %.d, $(STANDIN_PROGS_O))
	END
	cat >"$1/lib/standin.mk" <<-'END'
	STANDIN_OUTPUT := $(OUTPUT)/standin
	STANDIN_O := $(STANDIN_OUTPUT)/standin.o
	$(shell mkdir -p $(STANDIN_OUTPUT))
	CFLAGS += -I$(selfdir)/vfio/lib/include
	$(STANDIN_O): $(STANDIN_OUTPUT)/%.o: $(selfdir)/vfio/lib/%.c ;\
		$(CC) $(CFLAGS) $(CPPFLAGS) $(TARGET_ARCH) -c $< -o $@
	EXTRA_CLEAN += $(STANDIN_OUTPUT)
	END
	echo 'int standin(void);' >"$1/lib/include/standin.h"
	printf '#include <standin.h>\nint standin(void) { return 0; }\n' >"$1/lib/standin.c"
	printf '#include <linux/types.h>\n#include <standin.h>\nint main(void) { return standin(); }\n' |
		tee "$1/standin_one_test.c" >"$1/standin_two_test.c"
	echo 'echo stand-in' >"$1/scripts/run.sh"
	printf '%s\n' '*' '!/**/' '!*.c' '!*.h' '!*.sh' '!*.mk' '!.gitignore' '!Makefile' >"$1/.gitignore"
	printf 'CONFIG_VFIO=y\nCONFIG_STANDIN=y\n' >"$1/config"
	echo 'timeout=77' >"$1/settings"
}

make_trees()
{
	bare_tree "$tree_61" "$tmp/6.1"
	bare_tree "$tree_612" "$tmp/6.12"
	bare_tree "$tree_612" "$tmp/6.18"
	sed -i 's/^PATCHLEVEL = .*/PATCHLEVEL = 18/' "$tmp/6.18/Makefile"
	sed -i 's/^TARGETS += vDSO$/&\nTARGETS += vfio/' "$tmp/6.18/tools/testing/selftests/Makefile"
	sed -i '/^config VFIO_PCI_MMAP$/,/^$/d' "$tmp/6.18/drivers/vfio/pci/Kconfig"
	if grep VFIO_PCI_MMAP "$tmp/6.18/drivers/vfio/pci/Kconfig"; then exit 1; fi
	stand_in_suite "$tmp/6.18/$suite"
}

# Every name, mode and byte.
tree_hash()
{
	(cd "$1" && {
		find . -printf '%y %m %l %p\n' | LC_ALL=C sort
		find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
	} | sha256sum)
}

# fresh NAME: a new copy, as $t.
fresh()
{
	t=$tmp/t
	rm -rf "$t"
	cp -a "$tmp/$1" "$t"
}

git_init()
{
	git -C "$1" init -q -b main
	git -C "$1" add -A -f .
	git -C "$1" commit -q -m tree
}

# ---- add and remove ----

exact()
{
	fresh "$1"
	"$in_tree" add "$t" || return 1
	[ "$(tree_hash "$t")" != "$(tree_hash "$tmp/$1")" ] || { echo "nothing added"; return 1; }
	"$in_tree" remove "$t" || return 1
	same hash "$(tree_hash "$tmp/$1")" "$(tree_hash "$t")"
}

# Lines all over the files that we touch, also right beside ours.
user_edits()
{
	local file
	for file in Documentation/{dev-tools,driver-api}/index.rst MAINTAINERS \
		    drivers/vfio/pci/{Kconfig,Makefile} tools/testing/selftests/Makefile \
		    "$suite"/{Makefile,config,.gitignore}; do
		[ ! -f "$1/$file" ] || sed -i -E '1i # first
			s/^(VFIO (PDS|MLX5) PCI DRIVER)$/& (changed)/
			s/^   (kunit.index|vfio-pci-device.*)$/&-changed/
			s/^TARGETS \+= x86$/TARGETS += another\n&/
			s/^CONFIG_STANDIN=y/CONFIG_STANDIN=m/' "$1/$file"
	done
	sed -i 's/^endmenu$/# before the end\n&/' "$1/drivers/vfio/pci/Kconfig"
	echo '# last' >>"$1/drivers/vfio/pci/Makefile"
}

exact_with_user_edits()
{
	local expected
	fresh "$1"
	user_edits "$t"
	expected=$(tree_hash "$t")
	fresh "$1"
	"$in_tree" add "$t" || return 1
	# The suite's Makefile did not exist for the user in an older tree.
	[ -f "$tmp/$1/$suite/Makefile" ] || mv "$t/$suite" "$tmp/aside"
	user_edits "$t"
	[ ! -d "$tmp/aside" ] || mv "$tmp/aside" "$t/$suite"
	"$in_tree" remove "$t" || return 1
	same hash "$expected" "$(tree_hash "$t")"
}

# What we add is what a kernel tree wants: sorted, one line each.
lines_in_place()
{
	fresh "$1"
	"$in_tree" add "$t" || return 1
	same "sources of Kconfig" 1 "$(grep -c '^source "drivers/vfio/pci/subpage/Kconfig"$' "$t/drivers/vfio/pci/Kconfig")" &&
	same "lines of Makefile" 1 "$(grep -c 'VFIO_PCI_SUBPAGE' "$t/drivers/vfio/pci/Makefile")" &&
	same "targets" 1 "$(grep -cx 'TARGETS += vfio' "$t/tools/testing/selftests/Makefile")" &&
	grep -A1 -x '   kselftest' "$t/Documentation/dev-tools/index.rst" | grep -qx '   vfio-selftests-subpage' &&
	grep -qx '   vfio-pci-subpage' "$t/Documentation/driver-api/index.rst" &&
	grep -B1 -A1 '^VFIO .*SUB-PAGE' "$t/MAINTAINERS" | grep -c '^$' | grep -qx 2 &&
	same "M: of ours" 2 "$(grep -c '^M:.Jo Doe <jo@example.org>$' "$t/MAINTAINERS")"
}

theirs_stays()
{
	local file
	fresh 6.18
	"$in_tree" add "$t" || return 1
	for file in lib scripts settings standin_one_test.c; do
		diff -r "$tmp/6.18/$suite/$file" "$t/$suite/$file" || return 1
	done
	same "added to Makefile" "include subpage/subpage.mk" \
		"$(diff "$tmp/6.18/$suite/Makefile" "$t/$suite/Makefile" | sed -n 's/^[<>] //p' | grep .)" &&
	same "CONFIG_VFIO" CONFIG_VFIO=y "$(grep '^CONFIG_VFIO=' "$t/$suite/config")" &&
	grep -q '^CONFIG_VFIO_PCI=' "$t/$suite/config"
}

# git sees all of our files, and none of what a build makes.
gitignore_merged()
{
	local file
	fresh 6.18
	# Debian's own hides everything.
	printf '%s\n' '.*' '*.o' '!.gitignore' >"$t/.gitignore"
	git_init "$t"
	"$in_tree" add "$t" || return 1
	git -C "$t" add -A
	for file in subpage/subpage.mk profiles/nvme.profile vfio_pci_subpage_test.c; do
		[ -n "$(git -C "$t" ls-files "$suite/$file")" ] || { echo "$file: ignored"; return 1; }
	done
	git -C "$t" check-ignore -q "$suite/vfio_pci_subpage_test" &&
	git -C "$t" check-ignore -q "$suite/subpage/cpu.o" &&
	same "record" "" "$(git -C "$t" ls-files "$driver/.in-tree")"
}

clean_in_git()
{
	fresh 6.12
	git_init "$t"
	"$in_tree" add "$t" && "$in_tree" remove "$t" || return 1
	same "git status" "" "$(git -C "$t" status --porcelain)"
}

# ---- what is refused ----

# unchanged STATUS PATTERN COMMAND...: refused, and $t is as it was.
unchanged()
{
	local before
	before=$(tree_hash "$t")
	says "$@" && same hash "$before" "$(tree_hash "$t")"
}

too_old()
{
	fresh 6.1
	sed -i 's/^VERSION = .*/VERSION = 5/; s/^PATCHLEVEL = .*/PATCHLEVEL = 15/' "$t/Makefile"
	unchanged 1 'Linux 5.15 is too old: use 6.1 or later' "$in_tree" add "$t"
}

local_changes()
{
	fresh 6.12
	git_init "$t"
	echo '# mine' >>"$t/MAINTAINERS"
	echo '# mine' >>"$t/drivers/vfio/Kconfig"
	unchanged 1 'local changes in MAINTAINERS: commit or stash' "$in_tree" add "$t"
}

clash()
{
	fresh 6.12
	mkdir -p "$t/$suite"
	echo mine >"$t/$suite/vfio_pci_subpage_test.c"
	unchanged 1 'vfio_pci_subpage_test.c is there and is not ours' "$in_tree" add "$t"
}

added_twice()
{
	fresh 6.12
	"$in_tree" add "$t" 2>/dev/null
	unchanged 1 "already has $driver: take it out first" "$in_tree" add "$t" &&
	unchanged 1 "already has $driver: take it out first" "$in_tree" patches "$t" "$tmp/none"
}

not_added()
{
	fresh 6.12
	unchanged 1 'nothing of vfio-pci-subpage in it' "$in_tree" remove "$t"
}

changed_file()
{
	fresh 6.12
	"$in_tree" add "$t" 2>/dev/null
	echo '/* mine */' >>"$t/$driver/main.c"
	sed -i 's/Jo Doe/Another/' "$t/MAINTAINERS"
	unchanged 1 "changed since they were added: $driver/main.c MAINTAINERS.*--force" \
		"$in_tree" remove "$t" || return 1
	"$in_tree" remove --force "$t" || return 1
	[ ! -e "$t/$driver" ] || { echo "still there"; return 1; }
	grep -q Another "$t/MAINTAINERS"
}

write_fails()
{
	[ "$(id -u)" != 0 ] || return 0
	fresh 6.12
	chmod a-w "$t/$(dirname "$driver")"
	unchanged 1 'not added' "$in_tree" add "$t"
}

without_git_user()
{
	fresh 6.12
	GIT_CONFIG_GLOBAL=/dev/null unchanged 1 'no user for From.*git config --global user.name' \
		"$in_tree" patches "$t" "$tmp/none"
}

patches_twice()
{
	unchanged 1 'holds patches already' "$in_tree" patches "$tmp/6.12" "$tmp/patches-6.12"
}

# ---- patches ----

# As "add" makes it, but for the record of that.
series_applies()
{
	local out=$tmp/patches-$1
	fresh "$1"
	git_init "$t"
	same "git status" "" "$(git -C "$t" status --porcelain)" || return 1
	"$in_tree" patches "$t" "$out" || return 1
	git -C "$t" am -q "$out"/000[1-9]*.patch || return 1
	mv "$t" "$tmp/am"
	fresh "$1"
	"$in_tree" add "$t" || return 1
	run diff -r -x .git -x .in-tree --no-dereference "$t" "$tmp/am"
	rm -rf "$tmp/am"
	cat "$tmp/stdout"
	same "exit status of diff" 0 "$status"
}

headers()
{
	local file
	for file in "$tmp/patches-$1"/*.patch; do
		same "headers of $file" 3 "$(sed '/^$/q' "$file" | grep -cE \
			'^(From: Jo Doe <jo@example.org>$|Subject: \[PATCH [0-9]/[0-9]\] .|Date: .)')" ||
			return 1
		[[ $file == */0000-* ]] || grep -qx 'Signed-off-by: Jo Doe <jo@example.org>' "$file" ||
			{ echo "$file: not signed off"; return 1; }
	done
}

checkpatch_series()
{
	local out
	out=$(cd "$tree_612" && scripts/checkpatch.pl --strict --show-types --terse --no-summary \
		"$tmp/patches-$1"/000[1-9]*.patch 2>&1) || { echo "$out"; return 1; }
	same "output" "" "$out"
}

remove_after_patches()
{
	fresh 6.12
	git_init "$t"
	git -C "$t" am -q "$tmp/patches-6.12"/000[1-9]*.patch || return 1
	unchanged 1 'if they came as patches, revert' "$in_tree" remove "$t"
}

# ---- building ----

selftests()
{
	make -s -C "$t/tools/testing/selftests" TARGETS=vfio INSTALL_PATH="$tmp/installed" "$@" 2>&1
}

suite_builds()
{
	fresh "$1"
	buildable "$t"
	built_from=$(tree_hash "$t")
	"$in_tree" add "$t" 2>/dev/null
	selftests FORCE_TARGETS=1 all >"$tmp/log" || { cat "$tmp/log"; return 1; }
	! grep -E 'warning|error:' "$tmp/log"
}

suite_installs()
{
	local name
	rm -rf "$tmp/installed"
	selftests install || return 1
	for name in "$@"; do
		[ -e "$tmp/installed/vfio/$name" ] || { echo "$name: not installed"; return 1; }
	done
	grep -qx vfio:vfio_pci_subpage_test "$tmp/installed/kselftest-list.txt"
}

bound_devices()
{
	compgen -G '/sys/bus/pci/drivers/*vfio*/????:*' >/dev/null
}

installed_skips()
{
	(cd "$tmp/installed" && ./run_kselftest.sh) >"$tmp/log" 2>&1
	cat "$tmp/log"
	grep -q '^ok .*vfio_pci_subpage_test # SKIP' "$tmp/log"
}

theirs_runs()
{
	grep -q '^ok .*standin_one_test' "$tmp/log" && grep -q '^ok .*standin_two_test' "$tmp/log"
}

# What was built in the tree goes with its sources.
built_remove_exact()
{
	[ "$1" = 6.12 ] || selftests clean || return 1
	"$in_tree" remove "$t" || return 1
	same hash "$built_from" "$(tree_hash "$t")"
}

kbuild()
{
	make -C "$t" ARCH=x86_64 O="$tmp/o" "$@"
}

# prepare_build SERIES
prepare_build()
{
	fresh "$1"
	buildable "$t"
	rm -rf "$tmp/o"
	mkdir "$tmp/o"
	"$in_tree" add "$t" && kbuild -s defconfig
}

# configure y|m
configure()
{
	printf '%s\n' CONFIG_IOMMU_SUPPORT=y CONFIG_VFIO="$1" CONFIG_VFIO_PCI="$1" CONFIG_KUNIT="$1" \
		CONFIG_VFIO_PCI_SUBPAGE="$1" CONFIG_VFIO_PCI_SUBPAGE_KUNIT_TEST=y >"$tmp/fragment"
	(cd "$tmp/o" && "$t/scripts/kconfig/merge_config.sh" -m .config "$tmp/fragment" >/dev/null) &&
		kbuild -s olddefconfig || return 1
	# Options that fell out would make the rest of no use.
	! grep SUBPAGE "$tmp/fragment" | grep -vxFf "$tmp/o/.config" | sed 's/$/: not possible/' | grep .
}

# driver_builds y|m: gcc with more warnings, and sparse, say nothing.
driver_builds()
{
	local file
	configure "$1" || return 1
	kbuild W=1 C=1 "$driver/" >"$tmp/log" 2>"$tmp/err" ||
		{ cat "$tmp/log" "$tmp/err"; return 1; }
	! grep . "$tmp/err" || return 1
	for file in "$t/$driver"/*.c; do
		grep -q "CHECK .*$driver/$(basename "$file")" "$tmp/log" ||
			{ echo "$file: not checked"; return 1; }
	done
}

make_trees

check in_tree.usage says 2 'usage: in-tree.sh add TREE' "$in_tree"
check in_tree.no_directory says 1 'no such directory' "$in_tree" add "$tmp/none"
check in_tree.no_kernel_tree says 1 'not the top of a complete kernel source tree' "$in_tree" add "$scripts"
check in_tree.too_old too_old
check in_tree.local_changes local_changes
check in_tree.clash clash
check in_tree.added_twice added_twice
check in_tree.not_added not_added
check in_tree.changed_file changed_file
check in_tree.write_fails write_fails
check in_tree.without_git_user without_git_user
for series in 6.1 6.12 6.18; do
	check "in_tree.$series.exact" exact $series
	check "in_tree.$series.exact_with_user_edits" exact_with_user_edits $series
	check "in_tree.$series.lines_in_place" lines_in_place $series
	check "in_tree.$series.series_applies" series_applies $series
	check "in_tree.$series.headers" headers $series
	check "in_tree.$series.checkpatch" checkpatch_series $series
done
check in_tree.patches_twice patches_twice
check in_tree.remove_after_patches remove_after_patches
check in_tree.git_status_clean clean_in_git
check in_tree.6.18.theirs_stays theirs_stays
check in_tree.6.18.gitignore gitignore_merged
for series in 6.12 6.18; do
	check "in_tree.$series.suite_builds" suite_builds $series
	if [ $series = 6.18 ]; then
		check "in_tree.$series.suite_installs" suite_installs vfio_pci_subpage_test profiles \
			standin_one_test standin_two_test run.sh
	else
		check "in_tree.$series.suite_installs" suite_installs vfio_pci_subpage_test profiles
	fi
	if bound_devices; then
		skip "in_tree.$series.suite_skips" "devices are bound to VFIO here, and would be tested"
	else
		check "in_tree.$series.suite_skips" installed_skips
		[ $series != 6.18 ] || check in_tree.6.18.theirs_runs theirs_runs
	fi
	check "in_tree.$series.built_remove_exact" built_remove_exact $series
done
# Of a later kernel there is no more than the configuration to try.
check in_tree.6.18.prepare prepare_build 6.18
check in_tree.6.18.selectable configure m
check in_tree.prepare prepare_build 6.12
check in_tree.module_w1_sparse driver_builds m
check in_tree.built_in_w1_sparse driver_builds y
finish
