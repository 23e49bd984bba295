# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Running guests, for tests. Sourced after ktap.sh in the top directory, never
# run.

# shellcheck source=../platform.sh
. scripts/platform.sh

scripts/build-suite.sh build/suite

# use PLATFORM: from now on guests are of this one
use()
{
	platform=$1
	platform_environment "$platform"
	kernel=$(platform_kernel "$platform")
	modules=(--module "$(scripts/build-module.sh "$kernel/build" modules)")
	# Its hosts are those of x86.
	[ "${ARCH:-x86}" != x86 ] ||
		modules+=(--module "$(scripts/build-module.sh "$kernel/build" modules \
			tools/testing/selftests/vfio/subpage_mods)")
	suite=$(platform_suite "$platform")
	scripts/build-suite.sh "$suite"
	# shellcheck disable=SC2034 # for those who source this
	suite_programs=(--program "$suite/vfio_pci_subpage_test"
			--program tools/testing/selftests/vfio/profiles)
	sysroot=/
	[ -z "${CROSS_COMPILE:-}" ] || sysroot=$(scripts/fetch-sysroot.sh "$ARCH")
	unset ARCH CROSS_COMPILE
}

# vm SHARE TOPOLOGY JOB [ARG]...: a guest of the platform
vm()
{
	local share=$1 topology=$2 job=$3
	shift 3
	scripts/vm/run.py --kernel "$kernel" --platform "$platform" \
		--arch "$(platform_get "$platform" arch)" --sysroot "$sysroot" \
		--topology "$topology" --job "$job" --share "$share" "$@"
}

# guest NAME TOPOLOGY [ARG]...: run a job of the guest, its KTAP as a subtest
guest()
{
	local name=$1 topology=$2 status=0 share log
	shift 2
	share=build/check/vm-$name-$platform log=build/check/vm-$name-$platform.log
	rm -rf "$share"
	vm "$share" "$topology" "$name.sh" "${modules[@]}" \
		--program "$suite/vfio_pci_subpage_stale_map" "$@" \
		>"$log" 2>&1 || status=$?
	echo "# Subtest: $name"
	sed 's/^/    /' "$share/ktap.log" 2>/dev/null || :
	cat "$log" >&2
	check "vm.$name.$platform" judged $status "$log"
}

judged()
{
	[ "$1" = 0 ] || { tail -n 30 "$2"; return 1; }
}

main_job()
{
	make -s kselftest TARGETS=vfio WHERE=vm PLATFORM="$1" >build/check/main.log 2>&1 ||
		{ tail -n 40 build/check/main.log; return 1; }
}

# All of them mapped, and of plain vfio-pci's just so many.
summary_line()
{
	tail -n 3 build/check/main.log
	grep -qE "^$1 of $1 sub-page MMIO BARs mapped \\(plain vfio-pci: $2 of $1\\)\$" \
		build/check/main.log
}

# main_on PLATFORM BARS PLAIN: the main job, its results, and what it says last
main_on()
{
	check "main.$1.kselftest" main_job "$1"
	sed 's/^/    /' build/results/latest/ktap.log
	check "main.$1.summary" summary_line "$2" "$3"
	check "main.$1.results" scripts/tests/results-check.py build/results/latest/results.json
	check "main.$1.logs" test -s build/results/latest/dmesg.log
}
