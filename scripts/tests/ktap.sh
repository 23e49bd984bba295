# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# KTAP for the project's shell tests, on the host and in the guest (busybox).
# Sourced, never run. Unlike the kernel's own ktap_helpers.sh it gives a skip
# its reason, shows what a failed check printed, and needs no count in advance.

ktap_count=0
ktap_failed=0
ktap_skipped=0
ktap_output=${TMPDIR:-/tmp}/ktap.$$

echo "TAP version 13"

# progress NAME: a hook, for whoever wants to tell what is running
progress()
{
	:
}

# check NAME COMMAND [ARG]...: the fact holds if the command succeeds. What it
# prints is shown as diagnostics if it does not.
check()
{
	ktap_name=$1
	shift
	progress "$ktap_name"
	ktap_count=$((ktap_count + 1))
	if "$@" >"$ktap_output" 2>&1; then
		echo "ok $ktap_count $ktap_name"
	else
		echo "not ok $ktap_count $ktap_name"
		ktap_failed=$((ktap_failed + 1))
		sed 's/^/# /' "$ktap_output"
	fi
	rm -f "$ktap_output"
}

# skip NAME REASON
skip()
{
	ktap_count=$((ktap_count + 1))
	ktap_skipped=$((ktap_skipped + 1))
	echo "ok $ktap_count $1 # SKIP $2"
}

# same WHAT EXPECTED ACTUAL: for use in a check
same()
{
	[ "$2" = "$3" ] && return 0
	echo "$1: expected '$2', got '$3'"
	return 1
}

# finish: the plan and the totals; fails if a check did
finish()
{
	echo "1..$ktap_count"
	echo "# Totals: pass:$((ktap_count - ktap_failed - ktap_skipped))" \
		"fail:$ktap_failed xfail:0 xpass:0 skip:$ktap_skipped error:0"
	[ $ktap_failed -eq 0 ]
}
