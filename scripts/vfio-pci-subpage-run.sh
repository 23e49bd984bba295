#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# vfio-pci-subpage-run.sh [--results DIR] [BDF]...
#
# Run the suite on PCI devices that are bound to VFIO: those named, else those in
# VFIO_SELFTESTS_BDF, else all.  What it prints is KTAP, and a table.  All that
# was found is in DIR: the same as ktap.log, results.json, report.html, and logs.
#
#   --results DIR  a directory that is empty or made (default:
#                  vfio-pci-subpage-DATE-TIME in the present one)
#   --help         this text
#
# Exit code: 0 all passed; 1 something failed; 2 wrong use; 4 nothing is bound.

set -euo pipefail
here=$(dirname -- "$(realpath -- "$0")")
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=bindings.sh
. "$here/bindings.sh"
# shellcheck source=results.sh
. "$here/results.sh"

# run_suite RESULTS BDF...
run_suite()
{
	local dir=$1 status=0 perf=0
	shift
	say "running the suite on this host: ${*:-$(bound_devices | paste -sd ' ')}"
	as_root "open VFIO devices and read the resource tree" \
		"$suite/vfio_pci_subpage_test" --results "$dir/records.jsonl" "$@" \
		>"$dir/ktap.log" || status=$?
	cat "$dir/ktap.log"
	as_root "open VFIO devices" "$suite/vfio_pci_subpage_perf" \
		--results "$dir/records.jsonl" "$@" >"$dir/perf.log" || perf=$?
	as_root "read the kernel log" dmesg >"$dir/dmesg.log" || :
	# shellcheck disable=SC2016 # for the other shell
	as_root "read the results of KUnit" sh -c 'for file in /sys/kernel/debug/kunit/*/results; do
		[ ! -e "$file" ] || cp "$file" "$0/kunit-$(basename "$(dirname "$file")").ktap"
	done' "$dir" || :
	# Nothing to measure is no failure; to have been killed is the worst one.
	[ $perf = 0 ] || [ $perf = 4 ] || [ $status -gt 128 ] || status=$perf
	return $status
}

main()
{
	local dir suite=$here status=0
	dir=vfio-pci-subpage-$(date +%Y%m%d-%H%M%S)
	case ${1:-} in
	--help) show_help ;;
	--results)
		[ -n "${2:-}" ] || usage "[--results DIR] [BDF]..."
		dir=$2
		shift 2
		;;
	-*) usage "[--results DIR] [BDF]..." ;;
	esac
	# As arguments, because sudo does not hand the variable on.
	# shellcheck disable=SC2086 # words
	[ $# -gt 0 ] || set -- ${VFIO_SELFTESTS_BDF:-}
	[ $# -gt 0 ] || [ -n "$(bound_devices)" ] || {
		say "no device is bound to a VFIO driver: bind some with vfio-bind DRIVER BDF..."
		exit 4
	}
	# Installed, else in the tree
	[ -x "$suite/vfio_pci_subpage_test" ] || suite=$here/../build/suite
	[ -x "$suite/vfio_pci_subpage_test" ] || die "$suite: has no suite: build it with make suite"
	mkdir -p "$dir" 2>/dev/null || die "$dir: cannot be made: name another directory with --results"
	[ -w "$dir" ] || die "$dir: cannot be written: name another directory with --results"
	[ -z "$(ls -A "$dir")" ] || die "$dir: has files already: name another directory with --results"
	run_suite "$dir" "$@" || status=$?
	conclude "$dir" $status
}

main "$@"
