#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Wrong use of every command gets one line that names the thing and the remedy,
# and an exit code that is not zero.

set -euo pipefail
cd -- "$(dirname -- "$0")/../.."
# shellcheck source=ktap.sh
. scripts/tests/ktap.sh

scripts/build/suite.sh build/suite
suite=$PWD/build/suite/vfio_pci_subpage_test
report=$PWD/build/suite/vfio_pci_subpage_report
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# refuses STATUS PATTERN COMMAND [ARG]...: exits so, and says so in one line
refuses()
{
	local expected=$1 pattern=$2 status=0
	shift 2
	"$@" >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
	cat "$scratch/out" "$scratch/err"
	same "exit code" "$expected" $status || return 1
	grep -qE -- "$pattern" "$scratch/err" || { echo "no line with '$pattern'"; return 1; }
	same "lines on stderr" 1 "$(grep -vc '^make' "$scratch/err")"
}

# The same for the suite when it has nothing to do: KTAP says it, not stderr.
suite_skips()
{
	local status=0
	env -u VFIO_SELFTESTS_BDF "$suite" >"$scratch/out" 2>&1 || status=$?
	cat "$scratch/out"
	same "exit code" 4 $status && grep -q '# SKIP' "$scratch/out"
}

any_device()
{
	local dir
	for dir in /sys/bus/pci/devices/*; do
		[ ! -e "$dir" ] || { basename "$dir"; return; }
	done
}

help_lists_every_target()
{
	local target
	make help >"$scratch/help"
	for target in kselftest check modules modules_install install clean suite report htmldocs; do
		grep -q "^make $target" "$scratch/help" || { echo "no $target"; return 1; }
	done
}

# Into a root with the kernel's own modules, as on a machine that runs it.
installs_into_destdir()
{
	local kernel modules
	kernel=$(scripts/build/fetch-kernel.sh 6.12)
	modules=$scratch/root/lib/modules/$(cat "$kernel/release")
	mkdir -p "$modules"
	cp "$kernel"/modules/modules.{order,builtin,builtin.modinfo} "$modules/"
	cp -r "$kernel/modules/kernel" "$modules/"
	make install DESTDIR="$scratch/root" PREFIX=/usr INSTALL_MOD_PATH="$scratch/root" \
		KDIR="$kernel/build" || return 1
	[ -x "$scratch/root/usr/libexec/vfio-pci-subpage/vfio_pci_subpage_test" ] &&
		[ -s "$scratch/root/usr/libexec/vfio-pci-subpage/profiles/nvme.profile" ] &&
		"$scratch/root/usr/libexec/vfio-pci-subpage/vfio_pci_subpage_test" --help &&
		"$scratch/root/usr/libexec/vfio-pci-subpage/vfio_pci_subpage_perf" --help &&
		"$scratch/root/usr/libexec/vfio-pci-subpage/vfio_pci_subpage_open" --help &&
		find "$scratch/root" -name 'vfio_pci_subpage.ko*' | grep -q .
}

# modprobe_finds RELEASE MODULE: on a machine that runs it, with README's softdep
modprobe_finds()
{
	mkdir -p "$scratch/modprobe.d"
	sed -n 's/^ *echo \(softdep .*\) | sudo tee .*/\1/p' README.md >"$scratch/modprobe.d/subpage.conf"
	/sbin/modprobe -C "$scratch/modprobe.d" -n -v -d "$scratch/root" -S "$1" "$2" 2>&1
}

softdep_loads_it_first()
{
	local found
	found=$(modprobe_finds "$(cat "$(scripts/build/fetch-kernel.sh 6.12)/release")" vfio-pci)
	echo "$found"
	grep -A 9 '/vfio_pci_subpage.ko' <<<"$found" | grep -q '/vfio-pci.ko'
}

# What "make install" leaves on a host with another kernel must say so there.
mismatch_is_named()
{
	softdep_loads_it_first || return 1
	! modprobe_finds 6.12.0-other vfio_pci_subpage >"$scratch/out" || return 1
	cat "$scratch/out"
	grep -q 'Module vfio_pci_subpage not found in directory .*/6.12.0-other' "$scratch/out"
}

check help.lists_every_target help_lists_every_target
check kselftest.other_targets refuses 2 'TARGETS=net: .*vfio' make -s kselftest TARGETS=net
check kselftest.unknown_platform refuses 2 'PLATFORM=vax: .*x86_64-4k' \
	make -s kselftest TARGETS=vfio PLATFORM=vax
printf '#!/bin/sh\necho aarch64\n' >"$scratch/uname"
chmod +x "$scratch/uname"
check kselftest.x86_on_arm64 refuses 2 'PLATFORM=x86_64-4k: .* this is aarch64: .*PLATFORM=arm64-64k' \
	env PATH="$scratch:$PATH" WHERE=vm scripts/kselftest.sh vfio
check kselftest.unknown_where refuses 2 'WHERE=moon: use auto, host or vm' \
	make -s kselftest TARGETS=vfio WHERE=moon
check kselftest.unknown_topology refuses 2 'TOPOLOGY=flat: .*window-full' \
	make -s kselftest TARGETS=vfio TOPOLOGY=flat
check kselftest.topology_of_all refuses 2 'PLATFORM=all: .*TOPOLOGY' \
	make -s kselftest TARGETS=vfio PLATFORM=all TOPOLOGY=main
if [ -z "$(find /sys/bus/pci/devices/*/vfio-dev -maxdepth 0 2>/dev/null)" ]; then
	check kselftest.host_with_no_bound_device refuses 4 'WHERE=host: .*vfio-bind.sh' \
		env WHERE=host scripts/kselftest.sh vfio
	check suite.nothing_bound_is_a_skip suite_skips
else
	skip kselftest.host_with_no_bound_device "devices are bound to VFIO here"
	skip suite.nothing_bound_is_a_skip "devices are bound to VFIO here"
fi
check modules.no_headers refuses 2 '/nowhere: no kernel headers there: .*KDIR' \
	make -s modules KDIR=/nowhere
check suite.unknown_bdf refuses 1 '0000:fe:1f.7' "$suite" 0000:fe:1f.7
check suite.not_a_bdf refuses 1 'nonsense' "$suite" nonsense
if [ -n "$(any_device)" ]; then
	check suite.bdf_not_bound refuses 1 "$(any_device)" "$suite" "$(any_device)"
else
	skip suite.bdf_not_bound "this host has no PCI device"
fi
check suite.unreadable_profiles refuses 1 '/nowhere' "$suite" --profiles /nowhere
mkdir "$scratch/profiles"
printf 'device 1234:11e8\nregister bar=9 offset=0 width=4 access=ro\n' >"$scratch/profiles/a.profile"
check suite.bad_profile refuses 1 'a.profile:2: ' "$suite" --profiles "$scratch/profiles"
perf=$PWD/build/suite/vfio_pci_subpage_perf
check perf.unknown_bdf refuses 1 '0000:fe:1f.7' "$perf" 0000:fe:1f.7
check perf.unknown_option refuses 1 'unknown option -l' "$perf" -l
check perf.unknown_path refuses 1 "'mmmap' is none" "$perf" --paths mmap,mmmap
check perf.batch_too_large refuses 1 'from 1 to' "$perf" --batch 10000000
check open.has_no_batch refuses 1 'unknown option --batch' "${perf%perf}open" --batch 1
check report.no_file refuses 1 '/nowhere.json' "$report" /nowhere.json
printf '{ "schema": 2, "bars": [' >"$scratch/cut.json"
check report.truncated refuses 1 'cut.json' "$report" "$scratch/cut.json"
printf '{ "schema": 99 }' >"$scratch/new.json"
check report.other_schema refuses 1 'new.json.*schema' "$report" "$scratch/new.json"
# A mapping that took less than the loop around it, and a BAR that VFIO did not open.
timing()
{
	printf '{ "bdf": "%s", "bar": 0, "driver": "vfio-pci", "module": true, "offset": 0, "width": 4,
		"path": "%s", "op": "read", "median_ns": %s, "loop_ns": %s }' "$@"
}

bar()
{
	printf '{ "bdf": "%s", "bar": 0, "driver": "vfio-pci", "module": true, "size": 256,
		"start": "0x1000", "flags": "0x200", "state": "in-place", "mmap": %s }' "$@"
}

report_shows_no_ratio_of_nothing()
{
	local a=0000:01:00.0 b=0000:02:00.0 c=0000:03:00.0
	cat >"$scratch/nothing.json" <<-END
	{ "schema": 2, "platform": { "page_size": 4096 }, "totals": {},
	  "bars": [ $(bar $a true), $(bar $b true), $(bar $c null) ],
	  "timings": [ $(timing $a pread 1000 1), $(timing $a mmap 0.2 2), $(timing $a kernel 0.1 2),
		$(timing $b pread 1000 1), $(timing $b mmap 50 2), $(timing $b kernel 40 2) ] }
	END
	"$report" "$scratch/nothing.json" >"$scratch/nothing.out"
	cat "$scratch/nothing.out"
	grep -q "^$a .* 1000 *- *-$" "$scratch/nothing.out" &&
		grep -q "^$b .* 1000 *50.0 *20.0$" "$scratch/nothing.out" &&
		grep -q "^$c .* not opened " "$scratch/nothing.out" &&
		grep -q '^mmap / kernel: 1.25, median of the reads of 1 registers' "$scratch/nothing.out" &&
		grep -q '^2 of 2 sub-page' "$scratch/nothing.out"
}

check report.no_ratio_of_nothing report_shows_no_ratio_of_nothing
check check.unknown_test refuses 1 'nonsense: no such test' scripts/check.sh nonsense
check install.destdir installs_into_destdir
check install.softdep_loads_it_first softdep_loads_it_first
check install.other_kernel_is_refused mismatch_is_named
finish
