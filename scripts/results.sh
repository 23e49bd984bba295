# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What becomes of what the suite has written. Sourced after lib.sh, never run.

scripts=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")

# merge RESULTS [ARG]...: what the programs have written becomes results.json
merge()
{
	local dir=$1 kunit=()
	shift
	[ -s "$dir/records.jsonl" ] || return 0
	[ ! -e "$(echo "$dir"/kunit-*.ktap | cut -d' ' -f1)" ] ||
		kunit=(--kunit "$dir"/kunit-*.ktap)
	"$scripts/report.py" --merge "$dir/records.jsonl" "${kunit[@]}" "$@" "$dir/results.json"
}

report()
{
	[ -s "$1/results.json" ] || return 0
	"$scripts/report.py" --text "$1/results.json"
}

have_matplotlib()
{
	/usr/bin/python3 -c 'import matplotlib' 2>/dev/null
}

# draw RESULTS: the page, with charts, which results are complete without
draw()
{
	[ -s "$1/results.json" ] || return 0
	if ! have_matplotlib && [ -x "$scripts/packages.sh" ]; then
		say "installing python3-matplotlib, for the charts"
		"$scripts/packages.sh" report >/dev/null 2>&1 || :
	fi
	have_matplotlib || {
		say "$1/report.html: not drawn: install python3-matplotlib and run $scripts/report.py $1/results.json"
		return 0
	}
	"$scripts/report.py" "$1/results.json"
}

# conclude RESULTS STATUS: show and keep what a run has found; its exit code. A directory in
# which nothing was found is removed.
conclude()
{
	local dir=$1 status=$2 complete=yes
	# The runner's 3, or a suite that a signal has ended.
	if [ "$status" = 3 ] || [ "$status" -gt 128 ]; then
		complete=no
		status=1
	fi
	if [ ! -s "$dir/records.jsonl" ] && [ ! -s "$dir/ktap.log" ]; then
		rm -rf "$dir"
		say "the suite did not run, there are no results: look above for the reason"
		return "$status"
	fi
	merge "$dir" --complete $complete || status=1
	[ "$status" = 0 ] || grep -E '^ *not ok|^ *# .*(Expected|failed|error)' "$dir/ktap.log" || :
	report "$dir" || status=1
	# What the suite itself found has been shown by now.
	draw "$dir" || {
		say "$dir/report.html: not drawn, the results are there: look above for the reason"
		[ "$status" != 0 ] || status=1
	}
	say "results are in $dir"
	return "$status"
}
