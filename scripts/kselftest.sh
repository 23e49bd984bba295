#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kselftest.sh TARGETS
#
# The main job: set up what is missing, build, run the suite on this host or in
# the reference VM, show the table.
#
# WHERE     auto: on this host if devices are bound to VFIO, else in the VM
# PLATFORM  one of scripts/build/platforms, or some with blanks between, or all: a table
# TOPOLOGY  of the VM: one of scripts/vm/topologies; default the platform's first
# DELAY     nanoseconds that each timed access is made to take longer, in the VM:
#           to see whether a comparison finds that
#
# Exit code: 0 all passed; 1 something failed; 2 wrong use; 4 nothing to test

set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"

cd -- "$(dirname -- "$0")/.."
# shellcheck source=bindings.sh
. scripts/bindings.sh
# shellcheck source=results.sh
. scripts/results.sh
# shellcheck source=build/platform.sh
. scripts/build/platform.sh

# new_results PLATFORM: make the directory of this run's results
new_results()
{
	local dir
	dir=build/results/$(date +%Y%m%d-%H%M%S)-$1
	while ! mkdir -p build/results || ! mkdir "$dir" 2>/dev/null; do
		[ -w build/results ] || die "build/results: not writable: fix its permissions"
		dir=${dir}x
	done
	echo "$dir"
}

# run_name PLATFORM TOPOLOGY: the topology is named where it is not the usual one
run_name()
{
	[ "$2" = "$(platform_topology "$1")" ] && echo "$1" || echo "$1-$2"
}

# The link changes in one step, so that it never points nowhere.
publish()
{
	ln -sfn "${1##*/}" build/results/.latest
	mv -T build/results/.latest build/results/latest
}

# run_vm RESULTS PLATFORM TOPOLOGY: in the guest, first without the module, then with it
run_vm()
{
	local dir=$1 platform=$2 topology=$3 kernel sysroot suite guest_options
	prepare "$platform" || return
	say "running in the reference VM $platform"
	# A mapping made through sysfs, which is measured too, and VFIO exclude each
	# other otherwise (CONFIG_IO_STRICT_DEVMEM).
	# shellcheck disable=SC2046 # one word for each program
	scripts/vm/run.py "${guest_options[@]}" --share "$dir" \
		--topology "$topology" --job "$(topology_job "$topology")" \
		--limit "$(platform_get "$platform" limit)" \
		--append "samples=$(platform_get "$platform" samples) iomem=relaxed${DELAY:+ delay=$DELAY}" \
		$(printf -- "--program $suite/vfio_pci_subpage_%s " test perf open survey) \
		--program tools/testing/selftests/vfio/profiles
}

# run_one WHERE PLATFORM TOPOLOGY: the whole job on one platform
run_one()
{
	local dir status=0
	if [ "$1" = host ]; then
		scripts/packages.sh build || return
		scripts/build/suite.sh build/suite || return
		dir=$(new_results "$(uname -m)")
		scripts/vfio-pci-subpage-run.sh --results "$dir" || status=$?
	else
		# shellcheck disable=SC2046 # one word for each group
		scripts/packages.sh $(platform_packages "$2") || return
		dir=$(new_results "$(run_name "$2" "$3")")
		run_vm "$dir" "$2" "$3" || status=$?
		conclude "$dir" $status || status=$?
	fi
	[ ! -d "$dir" ] || publish "$dir"
	return $status
}

# row NAME EXIT-CODE SECONDS LOG: a line of the table, from what a run printed
row()
{
	local name=$1 status=$2 seconds=$3 log=$4 summary
	summary=$(grep -E '^[0-9]+ of [0-9]+ sub-page' "$log" ||
		grep -E '^bind to first touch' "$log" | tail -n 1 || :)
	[ "$status" = 0 ] || summary="FAILED${summary:+: $summary}"
	printf '%-21s %-33s %6s %-5s %4d s  %s\n' "$name" \
		"$(sed -nE 's/^[^ ]+: Linux ([^,]+),.*/\1/p' "$log" | tail -n 1)" \
		"$(sed -nE 's/^[^ ]+: Linux .*pages of ([0-9]+) KiB,.*/\1 KiB/p' "$log" | tail -n 1)" \
		"$(sed -nE 's/^[^ ]+: Linux .*accelerator ([a-z]+).*/\1/p' "$log" | tail -n 1)" \
		"$seconds" "$summary"
}

# run_logged NAME PLATFORM TOPOLOGY: the exit code and the seconds go into a file; what the
# run says while it works goes to the person who waits, too
run_logged()
{
	local log=build/results/all-$1.log start=$SECONDS status=0
	say "$1; log: $log"
	: >"$log"
	# shellcheck disable=SC2094 # both append
	(
		PLATFORM=$2 TOPOLOGY=$3 WHERE=vm scripts/kselftest.sh vfio 2>&1 >>"$log" </dev/null |
			tee -a "$log" | sed -u "s/^/$1: /" >&2
		exit "${PIPESTATUS[0]}"
	) || status=$?
	echo "$status $((SECONDS - start))" >"build/results/all-$1.status"
}

# cannot_run PLATFORM: $why, if it cannot here or need not
cannot_run()
{
	local kernel
	why=
	if ! runs_here "$1"; then
		why="needs an x86_64 host"
	elif [ -n "$(platform_get "$1" kernel)" ]; then
		kernel=$(scripts/build/fetch-kernel.sh "$1") && [ -n "$kernel" ] || return 0
		why=${seen[$kernel]:+has the kernel of ${seen[$kernel]}}
		seen[$kernel]=${seen[$kernel]:-$1}
	elif [ -z "$(platform_get "$1" config)${KERNEL:-}" ]; then
		why=$(scripts/build/installed-kernel.sh 2>&1 >/dev/null) || why=${why#* }
	fi
}

# Every topology of the platforms, or of all, also after one has failed. What they need is
# made before, one after the other; then as many run at once as there are CPUs.
run_all()
{
	local platform topology name log why status seconds failed=0 table=build/results/all.txt
	local -A seen=() reason=()
	local rows=()
	mkdir -p build/results
	# shellcheck disable=SC2046 # words
	[ $# -gt 0 ] || set -- $(platform_names)
	for platform; do
		cannot_run "$platform"
		reason[$platform]=$why
		[ -z "$why" ] || continue
		# What fails here is told by the run.
		# shellcheck disable=SC2046 # words
		scripts/packages.sh $(platform_packages "$platform") || continue
		(prepare "$platform") || continue
	done
	for platform; do
		for topology in $(platform_get "$platform" topologies); do
			name=$(run_name "$platform" "$topology")
			rows+=("$name")
			if [ -n "${reason[$platform]}" ]; then
				reason[$name]=${reason[$platform]}
				continue
			fi
			[ "$(jobs -rp | wc -l)" -lt "$(nproc)" ] || wait -n || :
			run_logged "$name" "$platform" "$topology" &
		done
	done
	wait
	printf '%-21s %-33s %6s %-5s %6s  %s\n' platform kernel page accel time result >$table
	for name in "${rows[@]}"; do
		if [ -n "${reason[$name]:-}" ]; then
			printf '%-21s not run: %s\n' "$name" "${reason[$name]}" >>$table
			continue
		fi
		read -r status seconds <"build/results/all-$name.status"
		[ "$status" = 0 ] || failed=1
		row "$name" "$status" "$seconds" "build/results/all-$name.log" >>$table
	done
	cat $table
	return $failed
}

main()
{
	[ $# = 1 ] || usage "TARGETS"
	local WHERE=${WHERE:-auto} platform=${PLATFORM:-x86_64-4k} topology=${TOPOLOGY:-} name names=

	[ "$1" = vfio ] || { say "TARGETS=$1: this project has the target vfio only"; exit 2; }
	for name in $platform; do
		[ "$name" = all ] || is_platform "$name" || {
			say "PLATFORM=$name: no such platform: use all or some of $(platform_names | paste -sd ' ')"
			exit 2
		}
	done
	[[ $platform != *" "* ]] || { names=$platform platform=all; }
	[ -z "$topology" ] || [ -f "scripts/vm/topologies/$topology.topo" ] || {
		say "TOPOLOGY=$topology: no such topology: use one of $(topology_names | paste -sd ' ')"
		exit 2
	}
	case $WHERE in
	auto) [ -n "$(bound_devices)" ] && [ "$platform" != all ] && WHERE=host || WHERE=vm ;;
	host | vm) ;;
	*) say "WHERE=$WHERE: use auto, host or vm"; exit 2 ;;
	esac
	if [ "$WHERE" = host ] && [ "$platform" = all ]; then
		say "PLATFORM=all: platforms are of the VM: use WHERE=vm"
		exit 2
	fi
	if [ "$WHERE" = vm ] && [ "$platform" != all ] && ! runs_here "$platform"; then
		say "PLATFORM=$platform: needs an x86_64 host, this is $(uname -m): use such a host or PLATFORM=arm64-64k"
		exit 2
	fi
	if [ -n "$topology" ] && [ "$platform" = all ]; then
		say "PLATFORM=all: runs the topologies of each platform: leave TOPOLOGY out"
		exit 2
	fi
	if [ "$WHERE" = host ] && [ -z "$(bound_devices)" ]; then
		say "WHERE=host: no device is bound to a VFIO driver: bind some with scripts/vfio-bind.sh DRIVER BDF..."
		exit 4
	fi
	if [ "$platform" = all ]; then
		# shellcheck disable=SC2086 # words
		run_all $names
	else
		run_one "$WHERE" "$platform" "${topology:-$(platform_topology "$platform")}"
	fi
}

main "$@"
