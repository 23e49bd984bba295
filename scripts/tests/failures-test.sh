#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What goes wrong around the guest, the suite and the tests: what is said of it,
# and what it leaves. All three are stand-ins here.

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
	kernel=$(scripts/build/fetch-kernel.sh 6.12)
	stand_in_qemu
	check runner.qemu_fails complains fails 'the stand-in does not like it here'
	check runner.qemu_dies complains dies 'the stand-in has had enough'
	check runner.qemu_exit_code grep -qx 'vm: QEMU ended with exit code 1' "$tmp/err"
	check runner.never_boots complains_beside_older
	check runner.shows_unfinished_line grep -qxF 'vm:     [    2.0] half a' "$tmp/err"
	check runner.terminated terminated
}

# ---- the main job ----

# A copy of the scripts, in which only the main job is real. The guest leaves what
# the directory $tmp/guest holds, and the runner says $RUNNER.
copy_main_job()
{
	local script
	copy=$tmp/copy
	mkdir -p "$copy/build/suite" "$tmp/guest"
	cp -r scripts "$copy/"
	for script in packages.sh build/{suite,module,kernel,fetch-kernel,fetch-sysroot}.sh report.py; do
		stand_in "$copy/scripts/$script" <<<'#!/bin/true'
	done
	stand_in "$copy/build/suite/vfio_pci_subpage_report" <<<'#!/bin/true'
	stand_in "$copy/scripts/vm/run.py" <<-END
	#!/bin/bash
	while [ "\$1" != --share ]; do shift; done
	cp $tmp/guest/* "\$2/"
	exit \$RUNNER
	END
}

# main_job [VARIABLE=VALUE]...: its exit code into $status
main_job()
{
	status=0
	env WHERE=vm "$@" "$copy/scripts/kselftest.sh" vfio >"$tmp/out" 2>"$tmp/err" || status=$?
	cat "$tmp/out" "$tmp/err"
}

# guest_leaves_results [MEMBER]
guest_leaves_results()
{
	printf '{\n%s  "schema": 2\n}\n' "${1:-}" >"$tmp/guest/results.json"
	echo "ok 1 a" >"$tmp/guest/ktap.log"
}

# is_partial True|False: what report.py reads in the latest results
is_partial()
{
	same "exit code" 1 "$status" || return 1
	same partial "$1" "$(PYTHONPATH=scripts /usr/bin/python3 -c '
import sys
from report import load
print(load.load(sys.argv[1]).partial)' "$copy/build/results/latest/results.json")"
}

hung_is_partial()
{
	guest_leaves_results
	main_job RUNNER=3
	is_partial True
}

# What was complete before is no longer all.
hung_later_is_partial()
{
	guest_leaves_results '  "partial": false,
'
	main_job RUNNER=3
	is_partial True
}

failed_is_not_partial()
{
	guest_leaves_results
	main_job RUNNER=1
	is_partial False
}

# The latest results stay those that there are.
no_results_are_none()
{
	local before
	before=$(ls -l "$copy/build/results")
	rm -f "$tmp/guest"/*
	touch "$tmp/guest/dmesg.log"
	main_job RUNNER="$1"
	same "exit code" "$2" $status && same "lines on stderr" 2 "$(wc -l <"$tmp/err")" &&
		grep -q 'there are no results' "$tmp/err" &&
		same "results" "$before" "$(ls -l "$copy/build/results")"
}

# Of all platforms, as is said at the end.
table_has_a_header()
{
	guest_leaves_results
	main_job RUNNER=1 PLATFORM=all
	same "first line" "platform kernel page accel time result" \
		"$(head -n 1 "$copy/build/results/all.txt" | tr -s ' ')" &&
		same "table" "$(cat "$copy/build/results/all.txt")" "$(cat "$tmp/out")"
}

# ---- the main job on a host ----

# A host with two devices that are bound, whose user is not root. The suite leaves
# its arguments; $SUITE is what becomes of it.
stand_in_host()
{
	local program
	mkdir -p "$tmp"/sys/bus/pci/devices/0000:0{1,2}:00.0/vfio-dev
	stand_in "$tmp/bin/id" <<<$'#!/bin/sh\necho 1000'
	stand_in "$tmp/bin/sudo" <<-END
	#!/bin/sh
	[ "\$1" != -n ] || shift
	exec env -i PATH="\$PATH" SUITE="\$SUITE" "\$@"
	END
	stand_in "$tmp/bin/dmesg" <<<'#!/bin/true'
	for program in test perf; do
		stand_in "$copy/build/suite/vfio_pci_subpage_$program" <<-END
		#!/bin/sh
		echo "\$@" >$tmp/$program.arguments
		echo "\$SUITE" | grep -q $program || exit 0
		printf '{\\n  "schema": 2\\n}\\n' >"\$2"
		kill -KILL \$\$
		END
	done
}

host_job()
{
	main_job WHERE=host SYSFS="$tmp/sys" PATH="$tmp/bin:$PATH" "$@"
}

killed_is_partial()
{
	host_job SUITE="$1"
	is_partial True
}

# Whatever sudo makes of the environment.
named_devices_only()
{
	host_job SUITE= VFIO_SELFTESTS_BDF="0000:02:00.0 0000:01:00.0"
	grep -q ' 0000:02:00.0 0000:01:00.0$' "$tmp/test.arguments" &&
		grep -q ' 0000:02:00.0 0000:01:00.0$' "$tmp/perf.arguments"
}

test_main_job()
{
	copy_main_job
	check main.hung_guest_is_partial hung_is_partial
	check main.hung_guest_is_partial_again hung_later_is_partial
	check main.failed_test_is_not failed_is_not_partial
	check main.guest_never_ran no_results_are_none 3 1
	check main.runner_lacks_something no_results_are_none 2 2
	check main.table_has_a_header table_has_a_header
	stand_in_host
	check main.killed_suite_is_partial killed_is_partial test
	check main.killed_perf_is_partial killed_is_partial perf
	check main.named_devices named_devices_only
}

# ---- all tests ----

nothing_runs_there()
{
	same "processes" "" "$(find /proc/[0-9]*/cwd -lname "$copy" 2>/dev/null)"
}

# Neither the test, nor what that waits for, nor what tells of both.
check_leaves_nothing()
{
	local status=0 checker
	stand_in "$copy/scripts/tests/endless-test.sh" <<-END
	#!/bin/bash
	trap 'exit 143' TERM
	sh -c 'touch $tmp/started; sleep 60; :'
	END
	"$copy/scripts/check.sh" endless >"$tmp/out" 2>&1 &
	checker=$!
	wait_for test -e "$tmp/started" || return 1
	kill "$checker"
	wait "$checker" || status=$?
	cat "$tmp/out"
	same "exit code" 143 $status && wait_for nothing_runs_there
}

# What INT does to a test is up to that: one tests it.
check_keeps_interrupts()
{
	stand_in "$copy/scripts/tests/int-test.sh" <<-'END'
	#!/bin/bash
	bash -c 'trap "exit 7" INT; kill -INT $$; exit 1'
	[ $? = 7 ] && echo "ok 1 int"
	END
	"$copy/scripts/check.sh" int
}

test_check()
{
	check check.leaves_nothing check_leaves_nothing
	check check.keeps_interrupts check_keeps_interrupts
}

test_runner
test_main_job
test_check
finish
