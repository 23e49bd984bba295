#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What driverctl has bound is bound after a reboot; the suite on it; and no longer.
# shellcheck source=lib.sh
. project/scripts/vm/host/lib.sh

dev=$(bdf ohci)
mapfile -t bound < <(echo "$dev"; group_of "$(bdf bridged-ohci)")

# says_why: a line of the log for each BAR that moved
says_why()
{
	dmesg | grep 'vfio_pci_subpage: BAR' >out
	cat out
	same "lines" "$(each_bar_of some_bars state | grep -c relocated)" "$(wc -l <out)"
}

# suite COMMAND. Offline: there are no charts, which one line says, and the exit code is
# the suite's.
suite()
{
	runs_block "$1" >out 2>&1
	status=$?
	cat out
	same "exit code" 0 $status &&
		same "lines about the charts" 1 "$(grep -c 'report.html: not drawn: install ' out)" &&
		! grep '^E: ' out &&
		grep -q "^${#bound[@]} of ${#bound[@]} sub-page MMIO BARs mapped" out
}

check reboot.prepared is_prepared "${bound[@]}"
check reboot.log says_why
check reboot.suite suite "$(readme 'On a real machine' 3 | head -n 1)"
check reboot.kselftest suite "SELFTESTS_DIR=/share/selftests make kselftest TARGETS=vfio WHERE=host"
check reboot.survey runs_block "export SELFTESTS_DIR=/share/selftests
$(readme 'Does my device need this?' 1)"
check reboot.no_longer driverctl_each 2 "${bound[@]}"
check reboot.given_back is_native "${bound[@]}"
finish
