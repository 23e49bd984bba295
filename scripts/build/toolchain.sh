#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# toolchain.sh COMPILER COMMAND [ARG]...
#
# Run a command, such as make, with a compiler that this machine's release of Debian may
# not have, such as gcc-14: in a root of the release that has it. CROSS_COMPILE is
# kbuild's. The command can use the present directory and the cache.

set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname -- "$0")/../lib.sh"
# shellcheck source=root.sh
. "$(dirname -- "$0")/root.sh"

# Raise it when the root is made in another way: older ones are then made again.
readonly layout=1
readonly suites="bookworm trixie forky sid"
# Of a root with one compiler.
readonly root_mib=700

# suite_of PACKAGE: the first that has it
suite_of()
{
	local suite
	for suite in $suites; do
		apt_state "$suite" || continue
		if [ -n "$(apt_show "$1")" ]; then
			echo "$suite"
			return
		fi
	done
	die "$1: in none of $suites${cause:+ ($cause)}: check the network"
}

fetch()
{
	local suite
	suite=$(suite_of "$1")
	need_room $root_mib
	say "unpacking $1 of $suite, half a minute"
	make_root "$work/entry" "$suite" "$1"
}

main()
{
	[ $# -ge 2 ] || usage "COMPILER COMMAND [ARG]..."
	local triplet=${CROSS_COMPILE:-} package=$1
	triplet=${triplet%-}
	shift
	[ -z "$triplet" ] || package+=-${triplet/x86_64/x86-64}
	cache=$(cache_dir)
	ensure_entry "toolchain-$package" fetch "$package"
	# kbuild's, and that of the module's Makefile.
	run_in_root "$dir" "$PWD $cache" env ${ARCH:+ARCH="$ARCH"} \
		${CROSS_COMPILE:+CROSS_COMPILE="$CROSS_COMPILE"} ${KUNIT:+KUNIT="$KUNIT"} "$@"
}

main "$@"
