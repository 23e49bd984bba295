#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The series of patches, applied with git am to a copy of Debian's kernel source,
# and to a stand-in for a later one. No Linux 6.18 or later is packaged. What
# matters of one here is stood in for: a selftests/vfio that has a Makefile, a
# library, scripts and tests of its own, and that there is no CONFIG_VFIO_PCI_MMAP
# any more (since 6.15).

set -euo pipefail
cd -- "$(dirname -- "$0")/../.."
# shellcheck source=ktap.sh
. scripts/tests/ktap.sh

source=$(scripts/build/fetch-source.sh --tree 6.12)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# As if called by nobody: not by make, and with a user that git knows.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES O OUTPUT KBUILD_OUTPUT ARCH CROSS_COMPILE V
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
unset "${!GIT_AUTHOR_@}" "${!GIT_COMMITTER_@}"
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=$tmp/gitconfig
printf '[user]\n\tname = Jo Doe\n\temail = jo@example.org\n' >"$GIT_CONFIG_GLOBAL"

readonly suite=tools/testing/selftests/vfio
readonly driver=drivers/vfio/pci/subpage

# ---- trees ----

# link_rest TREE DIR: what TREE does not have in DIR is a link to the source's
link_rest()
{
	local name
	for name in $(cd "$source/$2" && find . -mindepth 1 -maxdepth 1 -printf '%P\n'); do
		[ -e "$1/$2/$name" ] || ln -s "$source/$2/$name" "$1/$2/$name"
	done
}

# buildable TREE: make can use it. It must not write where links lead.
buildable()
{
	local dir
	for dir in . Documentation Documentation/{dev-tools,driver-api} drivers drivers/vfio \
		   drivers/vfio/pci tools tools/testing tools/testing/selftests; do
		link_rest "$1" "$dir"
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

# make_trees: what the series touches. Whole trees would cost minutes.
make_trees()
{
	local t
	mkdir "$tmp/6.12"
	(cd "$source" && cp -a --parents Kbuild Makefile MAINTAINERS \
		Documentation/{dev-tools,driver-api}/index.rst drivers/vfio/Kconfig \
		drivers/vfio/pci/{Kconfig,Makefile} tools/testing/selftests/{Makefile,lib.mk} "$tmp/6.12")
	# Debian's own hides everything.
	printf '%s\n' '.*' '*.o' '!.gitignore' >"$tmp/6.12/.gitignore"
	t=$tmp/standin
	cp -a "$tmp/6.12" "$t"
	sed -i 's/^PATCHLEVEL = .*/PATCHLEVEL = 18/' "$t/Makefile"
	sed -i 's/^TARGETS += vDSO$/&\nTARGETS += vfio/' "$t/tools/testing/selftests/Makefile"
	sed -i '/^config VFIO_PCI_MMAP$/,/^$/d' "$t/drivers/vfio/pci/Kconfig"
	if grep VFIO_PCI_MMAP "$t/drivers/vfio/pci/Kconfig"; then exit 1; fi
	stand_in_suite "$t/$suite"
	for t in "$tmp"/{6.12,standin}; do
		git -C "$t" init -q
		git -C "$t" add -A -f .
		git -C "$t" commit -q -m tree
		git -C "$t" tag theirs
	done
}

# series NAME: as a user does it
series()
{
	make -s patches TREE="$tmp/$1" OUT="$tmp/patches-$1"
}

# ---- what is refused, and leaves the tree and what is there alone ----

# refuses PATTERN COMMAND...: in one line
refuses()
{
	local pattern=$1 status=0
	shift
	"$@" >"$tmp/log" 2>"$tmp/err" || status=$?
	cat "$tmp/log" "$tmp/err"
	same "exit status" 1 $status && same "lines on stderr" 1 "$(wc -l <"$tmp/err")" &&
		grep -qE -- "$pattern" "$tmp/err"
}

local_changes()
{
	echo '# mine' >>"$tmp/6.12/MAINTAINERS"
	refuses 'local changes in MAINTAINERS: commit or stash' \
		scripts/patches/series.sh "$tmp/6.12" "$tmp/none" || return 1
	git -C "$tmp/6.12" checkout -q MAINTAINERS
}

# ---- the series ----

tree_stays()
{
	series "$1" || return 1
	same "git status" "" "$(git -C "$tmp/$1" status --porcelain)" &&
		same HEAD "$(git -C "$tmp/$1" rev-parse theirs)" "$(git -C "$tmp/$1" rev-parse HEAD)"
}

# From a tree that is not in git comes the same.
without_git()
{
	mkdir "$tmp/copy"
	git -C "$tmp/6.12" archive HEAD | tar -x -C "$tmp/copy"
	scripts/patches/series.sh "$tmp/copy" "$tmp/patches-copy" || return 1
	diff -r -I '^From ' -I '^Date: ' "$tmp/patches-6.12" "$tmp/patches-copy"
}

applies()
{
	git -C "$tmp/$1" am -q "$tmp/patches-$1"/000[1-9]*.patch || return 1
	same "patches" 4 "$(git -C "$tmp/$1" rev-list --count theirs..)" &&
	same "git status" "" "$(git -C "$tmp/$1" status --porcelain)" &&
	same "files that git ignores" "" "$(git -C "$tmp/$1" ls-files -ic --exclude-standard "$suite" "$driver")"
}

signed_off()
{
	local file
	for file in "$tmp/patches-$1"/000[1-9]*.patch; do
		[ "$(grep -cxE 'From: Jo Doe <jo@example.org>|Signed-off-by: Jo Doe <jo@example.org>' "$file")" = 2 ] ||
			{ echo "$file"; return 1; }
	done
}

checkpatch_series()
{
	local out
	out=$(cd "$source" && scripts/checkpatch.pl --strict --show-types --terse --no-summary \
		"$tmp/patches-$1"/000[1-9]*.patch 2>&1) || { echo "$out"; return 1; }
	same "output" "" "$out"
}

# Sorted, one line each.
lines_in_place()
{
	local t=$tmp/$1
	same "sources of Kconfig" 1 "$(grep -c '^source "drivers/vfio/pci/subpage/Kconfig"$' "$t/drivers/vfio/pci/Kconfig")" &&
	same "lines of Makefile" 1 "$(grep -c 'VFIO_PCI_SUBPAGE' "$t/drivers/vfio/pci/Makefile")" &&
	same "targets" 1 "$(grep -cx 'TARGETS += vfio' "$t/tools/testing/selftests/Makefile")" &&
	grep -A1 -x '   kselftest' "$t/Documentation/dev-tools/index.rst" | grep -q '^   subpage-profiles' &&
	grep -qx '   vfio-pci-subpage' "$t/Documentation/driver-api/index.rst" &&
	grep '^VFIO' "$t/MAINTAINERS" | LC_ALL=C sort -c &&
	grep -B1 -A1 '^VFIO .*SUB-PAGE' "$t/MAINTAINERS" | grep -c '^$' | grep -qx 2 &&
	same "M: of ours" 2 "$(grep -c '^M:.Jo Doe <jo@example.org>$' "$t/MAINTAINERS")"
}

theirs_stays()
{
	local t=$tmp/standin
	same "changed" "$suite/.gitignore $suite/Makefile $suite/config" \
		"$(git -C "$t" diff --name-only --diff-filter=MD theirs -- "$suite" | paste -sd ' ')" &&
	same "lines that went" "" "$(git -C "$t" diff theirs -- "$suite" | grep '^-[^-]')" &&
	same "added to Makefile" "+include subpage/subpage.mk" \
		"$(git -C "$t" diff theirs -- "$suite/Makefile" | grep '^+[^+]')" &&
	grep -q '^CONFIG_VFIO_PCI=' "$t/$suite/config"
}

# ---- building ----

# selftests NAME [ARG]...
selftests()
{
	local t=$tmp/$1
	shift
	make -s -C "$t/tools/testing/selftests" TARGETS=vfio INSTALL_PATH="$tmp/installed" "$@" 2>&1
}

suite_builds()
{
	buildable "$tmp/$1"
	selftests "$1" FORCE_TARGETS=1 all >"$tmp/log" || { cat "$tmp/log"; return 1; }
	! grep -E 'warning|error:' "$tmp/log"
}

# suite_installs NAME FILE...
suite_installs()
{
	local name
	rm -rf "$tmp/installed"
	selftests "$1" install || return 1
	shift
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

# kbuild NAME [ARG]...
kbuild()
{
	local name=$1
	shift
	make -j2 -C "$tmp/$name" ARCH=x86_64 O="$tmp/o-$name" "$@"
}

# configure NAME y|m
configure()
{
	printf '%s\n' CONFIG_IOMMU_SUPPORT=y CONFIG_VFIO="$2" CONFIG_VFIO_PCI="$2" CONFIG_KUNIT="$2" \
		CONFIG_VFIO_PCI_SUBPAGE="$2" CONFIG_VFIO_PCI_SUBPAGE_KUNIT_TEST=y >"$tmp/fragment"
	mkdir -p "$tmp/o-$1"
	kbuild "$1" -s defconfig &&
		(cd "$tmp/o-$1" && "$tmp/$1/scripts/kconfig/merge_config.sh" -m .config "$tmp/fragment" >/dev/null) &&
		kbuild "$1" -s olddefconfig || return 1
	# Options that fell out would make the rest of no use.
	! grep SUBPAGE "$tmp/fragment" | grep -vxFf "$tmp/o-$1/.config" | sed 's/$/: not possible/' | grep .
}

# module_builds NAME y|m: and is linked; gcc with more warnings, and sparse, say
# nothing.
module_builds()
{
	local file
	configure "$1" "$2" || return 1
	kbuild "$1" W=1 C=1 "$driver/" >"$tmp/log" 2>"$tmp/err" ||
		{ cat "$tmp/log" "$tmp/err"; return 1; }
	! grep . "$tmp/err" || return 1
	[ -s "$tmp/o-$1/$driver/vfio_pci_subpage.o" ] || return 1
	for file in "$tmp/$1/$driver"/*.c; do
		grep -q "CHECK .*$driver/$(basename "$file")" "$tmp/log" ||
			{ echo "$file: not checked"; return 1; }
	done
}

make_trees
check patches.local_changes local_changes
check patches.without_user refuses 'no user for From.*git config --global user.name' \
	env GIT_CONFIG_GLOBAL=/dev/null scripts/patches/series.sh "$tmp/6.12" "$tmp/none"
for name in 6.12 standin; do
	check "patches.$name.tree_stays" tree_stays $name
	[ $name != 6.12 ] || check patches.without_git without_git
	check "patches.$name.applies" applies $name
	check "patches.$name.signed_off" signed_off $name
	check "patches.$name.checkpatch" checkpatch_series $name
	check "patches.$name.lines_in_place" lines_in_place $name
done
check patches.standin.theirs_stays theirs_stays
check patches.applied_already refuses "already has $driver" \
	scripts/patches/series.sh "$tmp/6.12" "$tmp/none"
check patches.holds_patches refuses 'holds patches already' \
	scripts/patches/series.sh "$source" "$tmp/patches-6.12"
for name in 6.12 standin; do
	installed="vfio_pci_subpage_test profiles"
	[ $name = 6.12 ] || installed+=" standin_one_test standin_two_test run.sh"
	check "patches.$name.suite_builds" suite_builds $name
	# shellcheck disable=SC2086 # words
	check "patches.$name.suite_installs" suite_installs $name $installed
	if bound_devices; then
		skip "patches.$name.suite_skips" "devices are bound to VFIO here, and would be tested"
	else
		check "patches.$name.suite_skips" installed_skips
		[ $name = 6.12 ] || check patches.standin.theirs_runs theirs_runs
	fi
	check "patches.$name.module_w1_sparse" module_builds $name m
done
check patches.6.12.built_in_w1_sparse module_builds 6.12 y
finish
