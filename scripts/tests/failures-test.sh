#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What goes wrong around the guest: what is said of it, and what it leaves. QEMU is
# a stand-in here.

set -euo pipefail
cd -- "$(dirname -- "$0")/../.."
# shellcheck source=ktap.sh
. scripts/tests/ktap.sh

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 143' TERM
mkdir "$tmp"/{bin,run}

# wait_for COMMAND...: until it succeeds, for half a minute
wait_for()
{
	local i
	for ((i = 0; i < 300; i++)); do
		"$@" && return
		sleep 0.1
	done
	echo "not in time: $*"
	return 1
}

# ends PID
ends()
{
	! kill -0 "$1" 2>/dev/null
}

# stand_in FILE: a program, from stdin
stand_in()
{
	cat >"$1"
	chmod +x "$1"
}

# ---- the runner ----

# It goes as far as $QEMU says.
stand_in_qemu()
{
	stand_in "$tmp/bin/qemu-system-x86_64" <<-'END'
	#!/usr/bin/python3
	import os, socket, sys, time
	if "-S" in sys.argv:
	    sys.exit("a stand-in has no KVM")
	with open(os.environ["QEMU_PID"], "w", encoding="ascii") as file:
	    file.write(str(os.getpid()))
	server = socket.socket(socket.AF_UNIX)
	server.bind(sys.argv[sys.argv.index("-qmp") + 1].split(":")[1].split(",")[0])
	server.listen()
	client = server.accept()[0].makefile("rw")
	print('{"QMP": {}}', file=client, flush=True)
	client.readline()
	if os.environ["QEMU"] == "fails":
	    sys.exit("the stand-in does not like it here")
	print('{"return": {}}', file=client, flush=True)
	if os.environ["QEMU"] == "dies":
	    print("[    1.0] a line", flush=True)
	    sys.exit("the stand-in has had enough")
	print("[    1.0] a line\n[    2.0] half a", end="", flush=True)
	time.sleep(60)
	END
}

# run_vm HOW [ARG]...: becomes the runner, with a QEMU that behaves so
run_vm()
{
	local how=$1
	shift
	QEMU=$how QEMU_PID=$tmp/qemu.pid TMPDIR=$tmp/run PATH=$tmp/bin:$PATH \
		exec scripts/vm/run.py --kernel "$kernel" --topology minimal \
		--share "$tmp/share" "$@" >"$tmp/err" 2>&1
}

# complains HOW PATTERN [ARG]...: the job did not come to its end, and a line of
# the runner's says why
complains()
{
	local how=$1 pattern=$2 status=0
	shift 2
	(run_vm "$how" "$@") || status=$?
	cat "$tmp/err"
	same "exit code" 3 $status && ! grep -q Traceback "$tmp/err" &&
		grep -qE -- "^vm: *$pattern" "$tmp/err"
}

# What an earlier guest left is not this one's.
complains_beside_older()
{
	echo 0 >"$tmp/share/exit-status"
	echo "ok 1" >"$tmp/share/ktap.log"
	complains hangs 'it never came to its job: .*limit= in .*/x86_64-4k.conf' --limit 1
}

terminated()
{
	local status=0 runner
	rm -f "$tmp/qemu.pid"
	run_vm hangs &
	runner=$!
	wait_for test -s "$tmp/qemu.pid" || return 1
	kill "$runner"
	wait "$runner" || status=$?
	cat "$tmp/err"
	same "exit code" 143 $status && wait_for ends "$(cat "$tmp/qemu.pid")" &&
		same "scratch directories" "" "$(ls "$tmp/run")"
}

test_runner()
{
	kernel=$(scripts/fetch-kernel.sh 6.12)
	stand_in_qemu
	check runner.qemu_fails complains fails 'the stand-in does not like it here'
	check runner.qemu_dies complains dies 'the stand-in has had enough'
	check runner.qemu_exit_code grep -qx 'vm: QEMU ended with exit code 1' "$tmp/err"
	check runner.never_boots complains_beside_older
	check runner.shows_unfinished_line grep -qxF 'vm:     [    2.0] half a' "$tmp/err"
	check runner.terminated terminated
}

test_runner
finish
