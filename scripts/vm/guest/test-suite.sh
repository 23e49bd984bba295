#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The kselftest binary on devices that it cannot or may not use, and its
# options. Topology: hotplug.
# shellcheck source=lib.sh
. /guest/lib.sh

suite=/suite/vfio_pci_subpage_test

not_bound()
{
	refuses "$(bdf edu).*(bound|driver)" $suite "$(bdf edu)"
}

no_permission()
{
	refuses "permission.*/dev/vfio/" su nobody -c "$suite $(bdf alone)"
}

not_viable()
{
	modprobe sdhci-pci
	bind vfio-pci "$(bdf ohci)" && bind sdhci-pci "$(bdf sdhci)" || return 1
	refuses "$(bdf ohci).*not viable.*$(bdf sdhci)" $suite "$(bdf ohci)" || return 1
	# What it found bound is still bound to the same.
	same ohci vfio-pci "$(driver "$(bdf ohci)")" &&
		same sdhci sdhci-pci "$(driver "$(bdf sdhci)")"
	ret=$?
	unbind "$(bdf sdhci)"
	return $ret
}

in_use()
{
	exec 5<>"/dev/vfio/$(basename "$(readlink "$PCI/$(bdf alone)/iommu_group")")"
	refuses "/dev/vfio/.* in use" $suite "$(bdf alone)"
	ret=$?
	exec 5>&-
	return $ret
}

bdf_from_environment()
{
	VFIO_SELFTESTS_BDF=$(bdf alone) $suite -t no.such.test >out 2>err
	VFIO_SELFTESTS_BDF=0000:fe:1f.7 $suite >out 2>err && return 1
	grep -q '0000:fe:1f.7' err
}

without_domain()
{
	short=$(bdf alone)
	rm -f records.jsonl
	$suite --results records.jsonl "${short#0000:}" >out || { cat out; return 1; }
	grep -q "\"bdf\": \"$short\"" records.jsonl && says_complete true
}

# A device that no profile knows is read once its user names a register.
named_register()
{
	dev=$(bdf edu)
	bind vfio-pci "$dev" && bind vfio-pci "$(bdf sdhci)" || return 1
	mkdir -p empty
	$suite --profiles empty "$dev" >out || { cat out; return 1; }
	grep -q "agree # SKIP .*--register '$dev bar=0" out ||
		{ echo "no hint"; cat out; return 1; }
	$suite --profiles empty "$dev" \
		--register "$dev bar=0 offset=0x0 width=4 access=ro" >out || { cat out; return 1; }
	grep -q '^ *ok .*registers0.agree$' out || { cat out; return 1; }
}

# A profile that is wrong about a register makes the suite fail, not pass.
wrong_profile_fails()
{
	mkdir -p wrong
	printf 'device 1234:11e8\nregister bar=0 offset=0 width=4 access=ro value=0x1 mask=0xff\n' \
		>wrong/edu.profile
	! $suite --profiles wrong "$(bdf edu)" >out || { cat out; return 1; }
	grep -q 'not ok .*registers0.agree' out
}

results_not_writable()
{
	refuses 'results' $suite --results /nowhere/records.jsonl "$(bdf alone)"
}

load_vfio || exit 1
bind vfio-pci "$(bdf alone)" || exit 1
check suite.bdf_not_bound not_bound
check suite.no_permission no_permission
check suite.device_in_use in_use
check suite.group_not_viable not_viable
check suite.bdf_from_environment bdf_from_environment
check suite.bdf_without_domain without_domain
check suite.named_register named_register
check suite.wrong_profile_fails wrong_profile_fails
check suite.results_not_writable results_not_writable
finish
