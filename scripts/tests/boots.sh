#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# boots.sh [N] [PLATFORM]...
#
# Boot the reference VM of each platform N times (200; all of x86_64), one guest more at
# once than there are CPUs, and say how many boots were lost: before init, which the
# runner repeats, or later. No part of make check. The logs of those are in build/boots.

set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname -- "$0")/../lib.sh"
cd -- "$(dirname -- "$0")/../.."
# shellcheck source=../build/platform.sh
. scripts/build/platform.sh

# boot NUMBER: the shortest job that there is
boot()
{
	scripts/vm/run.py "${guest_options[@]}" --limit "$(platform_get "$platform" limit)" \
		--topology minimal --job ../bin/true --share "$out/$1" >"$out/$1.log" 2>&1 </dev/null ||
		echo "lost with exit code $?" >>"$out/$1.log"
	grep -q "$lost" "$out/$1.log" || rm -r "${out:?}/$1"
}

# told PATTERN: how many lines of the logs have it
told()
{
	cat "$out"/*.log | grep -c "$1" || :
}

# A boot that is repeated is one boot more, and was lost.
readonly again='booting once more$'
readonly lost="^lost with\|$again"
number=200
if [[ ${1:-} =~ ^[0-9]+$ ]]; then
	number=$1
	shift
fi
[ $# != 0 ] || for name in $(platform_names); do
	[ "$(platform_arch "$name")" != x86_64 ] || set -- "$@" "$name"
done

sums=()
for platform; do
	is_platform "$platform" || die "$platform: no such platform"
	prepare "$platform"
	out=build/boots/$platform
	rm -rf "$out"
	mkdir -p "$out"
	for ((i = 1; i <= number; i++)); do
		[ "$(jobs -rp | wc -l)" -le "$(nproc)" ] || wait -n
		boot $i &
		[ $((i % 10)) != 0 ] || say "$platform: boot $i of $number, $(told "$lost") lost so far"
	done
	wait
	sums+=("$platform: $((number + $(told "$again"))) boots, $(told "$lost") lost")
done
printf '%s\n' "${sums[@]}"
