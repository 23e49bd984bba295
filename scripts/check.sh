#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# check.sh [NAME]...
#
# Run every test that fits into half an hour or, if ALL is set, those that take longer
# too; or those of scripts/tests/NAME-test.sh. Each prints KTAP, kept
# in build/check. The last line is the sum: N passed, N failed, N skipped.

set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"

cd -- "$(dirname -- "$0")/.."

# In this order: what is fast and breaks often comes first.
readonly usual="static arches unit scripts report patches vm host kernels fresh deb platforms"
readonly long=matrix
# Only where it is named.
readonly named="clients life"

# One line for each part, and the reasons of what did not pass.
show_part()
{
	printf '%-14s %4d passed, %d failed, %d skipped  (%d s)\n' "$1" "$3" "$4" "$5" "$6"
	sed -nE 's/^ *ok .* # SKIP (.*)/\1/p' "$2" | sed -E 's/: name one in .*//; s/[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]/a device/' |
		sort | uniq -c | sed 's/^ */    skipped: /'
	[ "$4" = 0 ] || grep -E -A8 '^ *not ok' "$2" | sed 's/^/    /' || :
}

# For the person who waits: what a part has done, and what it says it does.
watch_part()
{
	# It must not keep a pipe open that this script has left.
	while sleep 20 >/dev/null 2>&1; do
		say "$1: $(grep -cE '^ *(not )?ok ' "build/check/$1.ktap") results so far; $(
			tail -n 1 "build/check/$1.err" | cut -c 1-100)"
	done
}

# processes PID: it and all below it
processes()
{
	local child
	echo "$1"
	for child in $(pgrep -P "$1"); do
		processes "$child"
	done
}

# All at once: a script acts on a signal when the program that it waits for ends.
end_part()
{
	# shellcheck disable=SC2046 # one word for each process
	{ kill $(processes "$watcher") $(processes "$test"); wait; } 2>/dev/null || :
}

# The test is in the background, or this script would act on a signal when it has
# ended. A shell has what it puts there ignore Ctrl-C, and its children too.
run_part()
{
	local name=$1 log=build/check/$1.ktap start=$SECONDS status=0 counts
	say "running scripts/tests/$name-test.sh"
	watch_part "$name" &
	watcher=$!
	env --default-signal=INT,QUIT "scripts/tests/$name-test.sh" \
		>"$log" 2>"build/check/$name.err" </dev/null &
	test=$!
	trap end_part EXIT
	wait "$test" || status=$?
	end_part
	trap - EXIT
	read -ra counts < <(awk -f scripts/tests/count-ktap.awk "$log")
	# A test that died early has not counted what it did not run.
	if [ $status != 0 ] && [ "${counts[1]}" = 0 ]; then
		counts[1]=1
		echo "not ok - $name-test.sh ended with exit code $status:" >>"$log"
		tail -n 8 "build/check/$name.err" | sed 's/^/# /' >>"$log"
	fi
	show_part "$name" "$log" "${counts[@]}" $((SECONDS - start))
	passed=$((passed + counts[0]))
	failed=$((failed + counts[1]))
	skipped=$((skipped + counts[2]))
}

main()
{
	local name
	passed=0 failed=0 skipped=0
	# shellcheck disable=SC2086 # words
	[ $# -gt 0 ] || set -- $usual ${ALL:+$long}
	for name; do
		[ -x "scripts/tests/$name-test.sh" ] || die "$name: no such test: use some of $usual $long $named"
	done
	scripts/packages.sh build vm check
	mkdir -p build/check
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	for name; do
		run_part "$name"
	done
	echo "$passed passed, $failed failed, $skipped skipped"
	[ $failed = 0 ]
}

main "$@"
