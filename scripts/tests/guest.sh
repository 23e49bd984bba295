# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Running guests, for tests. Sourced after ktap.sh in the top directory, never
# run.

# shellcheck source=../build/platform.sh
. scripts/build/platform.sh

# Those that differ most, for make check; make check-all has the others, too.
# shellcheck disable=SC2034 # for those who source this
readonly usual_platforms="x86_64-4k x86_64-4k-7 arm64-64k"

guests=() guest_logs=()

scripts/build/suite.sh build/suite

# use PLATFORM: from now on guests are of this one
use()
{
	platform=$1
	prepare "$platform"
	# shellcheck disable=SC2034 # for those who source this
	suite_programs=(--program "$suite/vfio_pci_subpage_test"
			--program "$suite/vfio_pci_subpage_perf"
			--program "$suite/vfio_pci_subpage_open"
			--program "$suite/vfio_pci_subpage_survey"
			--program tools/testing/selftests/vfio/profiles)
}

# vm SHARE TOPOLOGY JOB [ARG]...: a guest of the platform
vm()
{
	local share=$1 topology=$2 job=$3
	shift 3
	scripts/vm/run.py "${guest_options[@]}" --topology "$topology" --job "$job" --share "$share" "$@"
}

# guest NAME[+VARIANT] TOPOLOGY [ARG]...: start a job of the guest, as many at once
# as there are CPUs. Its results come with guests_end.
guest()
{
	local name=$1 topology=$2 log status=0
	shift 2
	log=build/check/vm-$name-$platform
	rm -rf "$log"
	mkdir -p "$log"
	while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
		wait -n || :
	done
	{
		vm "$log" "$topology" "${name%+*}.sh" \
			--program "$suite/vfio_pci_subpage_stale_map" "$@" 2>&1 </dev/null |
			sed -u "s/^vm: /vm: $platform $name: /" | tee "$log.log" >&2 || status=$?
		# Where the guest has written, so that it is of this run.
		echo $status >"$log/exit-code"
	} &
	guests+=("$name.$platform")
	guest_logs+=("$log")
}

# guests_end: wait for all that were started; the KTAP of each as a subtest
guests_end()
{
	local i
	wait
	for i in "${!guests[@]}"; do
		echo "# Subtest: ${guests[i]}"
		sed 's/^/    /' "${guest_logs[i]}/ktap.log" || :
		check "vm.${guests[i]}" judged "$(cat "${guest_logs[i]}/exit-code")" "${guest_logs[i]}.log"
	done
	guests=() guest_logs=()
}

judged()
{
	[ "$1" = 0 ] || { tail -n 30 "$2"; return 1; }
}

# main_jobs PLATFORM...: the main job on these, and what they have to show
main_jobs()
{
	local name shows status=0 kunit=()
	make -s kselftest TARGETS=vfio PLATFORM="$* " 2>&1 </dev/null |
		tee build/check/main.log >&2 || status=$?
	check main.kselftest judged $status build/check/main.log
	for name; do
		if why=$(grep "^$name  *not run: " build/results/all.txt); then
			skip "main.$name" "${why##*not run: }"
			continue
		fi
		kunit=()
		[ -z "$(platform_get "$name" config)" ] || kunit=(--kunit pci_subpage_bars)
		shows=$(platform_get "$name" shows)
		main_showed "$name" "build/results/all-$name.log" "${shows%,*}" "${shows#*, }" "${kunit[@]}"
	done
}

# Of so many all or some are mapped, and without the module just so many.
summary_line()
{
	tail -n 3 "$1"
	grep -qxF "$2 sub-page MMIO BARs mapped (without the module: $3)" "$1"
}

# main_showed NAME LOG MAPPED PLAIN [ARG]...: what a main job whose output is in
# LOG has said last, as "N of M", and its results; ARGs go to results-check.py
main_showed()
{
	local name=$1 log=$2 mapped=$3 plain=$4 results
	shift 4
	results=$(sed -n 's/^kselftest.sh: results are in //p' "$log")
	echo "# Subtest: $name"
	sed 's/^/    /' "$results/ktap.log" || :
	check "main.$name.summary" summary_line "$log" "$mapped" "$plain"
	check "main.$name.results" scripts/tests/results-check.py "$@" "$results/results.json"
	check "main.$name.page" test -s "$results/report.html"
	check "main.$name.logs" test -s "$results/dmesg.log"
}
