#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The first day: install, does my device need this, bind.
# shellcheck source=lib.sh
. project/scripts/vm/host/lib.sh

dev=$(bdf ohci)
mapfile -t group < <(group_of "$(bdf bridged-ohci)")

# Making the packages needs a network; the clone has them.
install()
{
	runs_block "$(readme 'On a real machine' 1 | sed 's/^make deb && //')"
}

# Three devices of the topology share a page twice. The exit code says that the module maps
# what is trapped.
survey()
{
	as_user "sudo vfio-pci-subpage-survey" >out
	status=$?
	cat out
	same "exit code" 1 $status && same "trapped, and mapped with the module" "$(all_bdfs | sort)" \
		"$(awk '$5 == "trapped" && $6 ~ /in-place|relocated/ { print $1 }' out | sort)"
}

by_hand()
{
	runs_block "$(readme 'On a real machine' 2 | sed "s/0000:01:00\.0/$dev/")"
}

given_back()
{
	runs_block "$(readme 'On a real machine' 3 | tail -n 1)" && is_native "$dev"
}

# Whoever has bound one device of three gets a line that names the others.
warns_of_group()
{
	as_user "sudo vfio-bind vfio-pci ${group[0]} -- true" >out 2>&1
	status=$?
	cat out
	same "exit code" 0 $status && same "lines" 1 "$(wc -l <out)" &&
		grep -q "^vfio-bind: ${group[0]}: .*bind these too: ${group[1]} .* ${group[2]} " out
}

check bind.install install
check bind.survey survey
check bind.by_hand by_hand
check bind.by_hand_is_prepared is_prepared "$dev"
check bind.given_back given_back
check bind.warns_of_group warns_of_group
check bind.warning_changes_nothing is_native "${group[@]}"
check bind.driverctl driverctl_each 1 "$dev" "${group[@]}"
check bind.driverctl_is_prepared is_prepared "$dev" "${group[@]}"
finish
