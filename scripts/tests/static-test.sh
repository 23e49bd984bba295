#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What can be said of the sources without running them.

set -euo pipefail
cd -- "$(dirname -- "$0")/../.."
# shellcheck source=ktap.sh
. scripts/tests/ktap.sh

source=$(scripts/build/fetch-source.sh 6.12)

# Every file that git knows, or would.
files()
{
	git ls-files --cached --others --exclude-standard -- "$@" |
		while read -r file; do [ ! -f "$file" ] || echo "$file"; done
}

spdx_everywhere()
{
	local file status=0
	for file in $(files); do
		case $file in
		LICENSES/* | COPYING | *.png | *.svg) continue ;;
		esac
		head -n 3 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-only' ||
			{ echo "$file: no SPDX line with GPL-2.0-only"; status=1; }
	done
	return $status
}

checkpatch()
{
	"$source/scripts/checkpatch.pl" --no-tree --strict --terse --show-types \
		--no-summary -q -f "$1"
}

shellcheck_all()
{
	local list
	mapfile -t list < <(files 'scripts/*.sh' scripts/vm/guest/init scripts/vm/host/init \
		'scripts/vm/host/root/**/vm-job' 'scripts/vm/host/root/**/pack' .ci/run)
	shellcheck "${list[@]}"
}

# arches-test.sh has the other kernels.
module_builds()
{
	local kernel out
	kernel=$(scripts/build/fetch-kernel.sh x86_64-4k)
	rm -rf "build/module-$(cat "$kernel/release")/$(basename "$1")"
	out=$(W=1 C=2 scripts/build/module.sh "$kernel/build" modules "$1" 2>&1) ||
		{ echo "$out"; return 1; }
	# The packages hold neither vmlinux nor the tool for BTF of 6.1.
	! grep -iE 'warning|error' <<<"$out"
}

module_is_of_its_kernel()
{
	local kernel
	kernel=$(scripts/build/fetch-kernel.sh x86_64-4k)
	same vermagic "$(cat "$kernel/release")" \
		"$(/sbin/modinfo -F vermagic "build/module-$(cat "$kernel/release")/subpage/vfio_pci_subpage.ko" |
		   cut -d' ' -f1)"
}

suite_builds_without_warning()
{
	local out
	rm -rf build/check/suite
	out=$(scripts/build/suite.sh build/check/suite 2>&1) || { echo "$out"; return 1; }
	! grep -iE 'warning|error:' <<<"$out"
}

kernel_doc()
{
	local list
	mapfile -t list < <(files 'drivers/*.[ch]' 'tools/*.[ch]')
	"$source/scripts/kernel-doc" -none -Wall "${list[@]}" 2>&1 | tee build/check/kernel-doc
	! [ -s build/check/kernel-doc ]
}

python_compiles()
{
	local list
	mapfile -t list < <(files 'scripts/*.py')
	python3 -W error -c '
import sys
for name in sys.argv[1:]:
    compile(open(name, encoding="utf-8").read(), name, "exec")' "${list[@]}"
}

documentation_builds()
{
	scripts/build/docs.sh build/check/docs
}

# Of each invariant the tests that the documentation names are there.
invariants_have_tests()
{
	local names name pattern status=0
	# shellcheck disable=SC2016 # for grep
	names=$(sed -n '/^Invariants$/,/^Limits$/p' Documentation/driver-api/vfio-pci-subpage.rst |
		grep -oP '``\K[\w.*-]+(?=``)') || { echo "no test is named"; return 1; }
	for name in $names; do
		case $name in
		*.\*.*) pattern="^TEST_F\\(${name%%.*}, ${name##*.}\\)" ;;
		*.*) pattern="check $name " ;;
		*) pattern="(KUNIT_CASE(_PARAM)?\\(|in_host |\\.name = \"|^readonly usual=.*\\b)$name\\b" ;;
		esac
		git grep -qE -e "$pattern" -- drivers scripts tools ||
			{ echo "$name: no such test"; status=1; }
	done
	return $status
}

# Nothing of the machine that it was written on, and no package host.
no_local_paths()
{
	local list
	mapfile -t list < <(files ':!scripts/tests/static-test.sh')
	! grep -nE '(^|[^A-Za-z0-9_.])/(work|root|home/[a-z])/|deb\.debian\.org' "${list[@]}"
}

check static.spdx spdx_everywhere
check static.no_local_paths no_local_paths
check static.shellcheck shellcheck_all
check static.python python_compiles
for file in $(files 'drivers/*' 'tools/*' | grep -E '\.[ch]$|Makefile$|Kconfig$|\.mk$'); do
	check "checkpatch.$file" checkpatch "$file"
done
check static.kernel_doc kernel_doc
check build.driver_no_warning module_builds drivers/vfio/pci/subpage
check build.test_module_no_warning module_builds tools/testing/selftests/vfio/subpage_mods
check build.module_vermagic module_is_of_its_kernel
check build.suite_no_warning suite_builds_without_warning
check docs.sphinx_no_warning documentation_builds
check docs.invariants_have_tests invariants_have_tests
finish
