#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kselftest.sh TARGETS
#
# The main job: set up what is missing, build, run the suite on this host or in
# the reference VM, show the table.
#
# WHERE     auto: on this host if devices are bound to VFIO, else in the VM
# PLATFORM  one of scripts/platforms
#
# Exit code: 0 all passed; 1 something failed; 2 wrong use; 4 nothing to test

set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"

cd -- "$(dirname -- "$0")/.."

platforms()
{
	local file
	for file in scripts/platforms/*.conf; do
		basename "$file" .conf
	done | paste -sd ' '
}

# Addresses of the devices that a VFIO driver holds, whatever its name.
bound_devices()
{
	local dir
	for dir in "${SYSFS:-/sys}"/bus/pci/devices/*/vfio-dev; do
		[ ! -d "$dir" ] || basename "$(dirname "$dir")"
	done
}

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

# The link changes in one step, so that it never points nowhere.
publish()
{
	ln -sfn "${1##*/}" build/results/.latest
	mv -T build/results/.latest build/results/latest
}

report()
{
	[ -s "$1/results.json" ] || return 0
	build/suite/vfio_pci_subpage_report "$1/results.json"
}

# run_host RESULTS: the suite on the devices that are bound right now
run_host()
{
	local dir=$1 status=0 command
	command=(build/suite/vfio_pci_subpage_test --results "$dir/results.json")
	say "running the suite on this host: $(bound_devices | paste -sd ' ')"
	as_root "open VFIO devices and read the resource tree" "${command[@]}" \
		>"$dir/ktap.log" || status=$?
	cat "$dir/ktap.log"
	as_root "read the kernel log" dmesg >"$dir/dmesg.log" || :
	return $status
}

# run_vm RESULTS SERIES: in the guest, first plain vfio-pci, then ours
run_vm()
{
	local dir=$1 series=$2 kernel module
	scripts/packages.sh vm
	kernel=$(scripts/fetch-kernel.sh "$series")
	module=$(scripts/build-module.sh "$kernel/build" modules)
	say "running in the reference VM $PLATFORM"
	scripts/vm/run.py --kernel "$kernel" --topology main --job main.sh \
		--platform "$PLATFORM" --share "$dir" --module "$module" \
		--program build/suite/vfio_pci_subpage_test \
		--program tools/testing/selftests/vfio/profiles
}

main()
{
	[ $# = 1 ] || usage "TARGETS"
	local series dir status=0
	local WHERE=${WHERE:-auto}
	PLATFORM=${PLATFORM:-x86_64-4k}

	[ "$1" = vfio ] || { say "TARGETS=$1: this project has the target vfio only"; exit 2; }
	[ -f "scripts/platforms/$PLATFORM.conf" ] || {
		say "PLATFORM=$PLATFORM: no such platform: use one of $(platforms)"
		exit 2
	}
	case $WHERE in
	auto) [ -n "$(bound_devices)" ] && WHERE=host || WHERE=vm ;;
	host | vm) ;;
	*) say "WHERE=$WHERE: use auto, host or vm"; exit 2 ;;
	esac
	if [ "$WHERE" = host ] && [ -z "$(bound_devices)" ]; then
		say "WHERE=host: no device is bound to a VFIO driver: bind some with scripts/vfio-bind.sh DRIVER BDF..."
		exit 4
	fi

	series=$(sed -n 's/^series=//p' "scripts/platforms/$PLATFORM.conf")
	scripts/packages.sh build
	scripts/build-suite.sh build/suite
	if [ "$WHERE" = host ]; then
		dir=$(new_results "$(uname -m)")
		run_host "$dir" || status=$?
	else
		dir=$(new_results "$PLATFORM")
		run_vm "$dir" "$series" || status=$?
	fi
	publish "$dir"
	[ $status = 0 ] || grep -E '^ *not ok|^ *# .*(Expected|failed|error)' "$dir/ktap.log" || :
	report "$dir" || status=1
	say "results are in $dir"
	exit $status
}

main "$@"
