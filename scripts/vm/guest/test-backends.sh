#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The suite through each way to a device that the kernel has, and what it says
# about the others. Topology: hotplug, or ppc64le. Boot without an IOMMU (intel_iommu=off)
# to have no-IOMMU mode tested, else the others.
# shellcheck disable=SC2046 # one word for each device
# shellcheck source=lib.sh
. /guest/lib.sh

suite=/suite/vfio_pci_subpage_test

group_file()
{
	_group=$(basename "$(readlink "$PCI/$1/iommu_group")")
	[ -e "/dev/vfio/$_group" ] && echo "/dev/vfio/$_group" || echo "/dev/vfio/noiommu-$_group"
}

# variant WAY: of the fixture "way"
variant()
{
	echo "$1" | tr - _
}

# whole_suite MODE WAY: passes, says so in the records, and runs the test of that way on
# each device; nothing stays open.
whole_suite()
{
	use_mode "$1" && bind_all || return 1
	rm -f records.jsonl
	$suite --backend "$2" --results records.jsonl $(all_bdfs) >"out-$1-$2" 2>&1 || {
		grep -E "not ok|Expected|suite" -A3 "out-$1-$2" || cat "out-$1-$2"
		return 1
	}
	tail -n 1 "out-$1-$2"
	same "BARs opened by $2" "$(grep -c '"expected_mmap"' records.jsonl)" \
		"$(grep -c "\"backend\": \"$2\"" records.jsonl)" || return 1
	same "devices that look the same" "$(all_bdfs | wc -l)" \
		"$(grep -c "^ *ok [0-9]* way.$(variant "$2").looks_the_same$" "out-$1-$2")" || return 1
	for dev in $(all_bdfs); do
		# Busy if anybody had it open still.
		exec 5<>"$(group_file "$dev")" && exec 5>&- || return 1
	done
}

# default_is WAY
default_is()
{
	rm -f records.jsonl
	$suite --results records.jsonl "$(bdf alone)" >out 2>&1 || { cat out; return 1; }
	grep -q "\"backend\": \"$1\"" records.jsonl || { grep backend records.jsonl; return 1; }
}

# lacks WAY REASON: asked for, it is refused; else one line says that it is missing
lacks()
{
	refuses "$2" $suite --backend "$1" "$(bdf alone)" || return 1
	$suite "$(bdf alone)" >out 2>&1 || { cat out; return 1; }
	same "skips of $1" 1 "$(grep -cE "# SKIP way.$(variant "$1"): .*$2" out)" &&
		! grep "ok [0-9]* way.$(variant "$1")\." out
}

# inapplicable WAY REASON: nothing is missing where it cannot apply
inapplicable()
{
	refuses "$2" $suite --backend "$1" "$(bdf alone)" || return 1
	$suite "$(bdf alone)" >out 2>&1 || { cat out; return 1; }
	! grep "way.$(variant "$1")" out
}

cdev_in_use()
{
	exec 5<>"$(group_file "$(bdf alone)")"
	$suite --backend cdev "$(bdf alone)" >out 2>&1
	status=$?
	exec 5>&-
	cat out
	same "exit code" 1 $status && grep -q "$(bdf alone) is in use: stop" out
}

cdev_no_permission()
{
	refuses "permission.*/dev/iommu" su nobody -c "$suite --backend cdev $(bdf alone)"
}

# not_viable WAY: another driver has a device of the group
not_viable()
{
	modprobe sdhci-pci
	bind vfio-pci "$(bdf ohci)" && bind sdhci-pci "$(bdf sdhci)" || return 1
	refuses "$(bdf ohci).*not viable.*$(bdf sdhci)" $suite --backend "$1" "$(bdf ohci)"
	ret=$?
	unbind "$(bdf sdhci)"
	return $ret
}

iommufd_container_in_use()
{
	exec 5<>"$(group_file "$(bdf alone)")"
	refuses "/dev/vfio/.* in use" $suite --backend iommufd-container "$(bdf alone)"
	ret=$?
	exec 5>&-
	return $ret
}

# names_module WAY: without VFIO's module for the IOMMU
names_module()
{
	_module=$(lsmod | grep -o '^vfio_iommu_[a-z0-9_]*') || { lsmod; return 1; }
	rmmod "$_module" || return 1
	refuses "knows no IOMMU: modprobe $_module$" $suite --backend "$1" "$(bdf alone)"
	ret=$?
	modprobe "$_module"
	return $ret
}

unknown_backend()
{
	refuses "--backend.*cdevs.*container, iommufd-container, cdev, noiommu" $suite --backend cdevs "$(bdf alone)"
}

modprobe vfio
noiommu=
[ -n "$(ls /sys/kernel/iommu_groups)" ] || {
	noiommu=1
	echo Y >/sys/module/vfio/parameters/enable_unsafe_noiommu_mode
}
load_vfio || exit 1
bind vfio-pci "$(bdf alone)" || exit 1
check backend.unknown unknown_backend
if [ $noiommu ]; then
	check backend.default default_is noiommu
	for way in container iommufd-container cdev; do
		check "backend.inapplicable.$way" inapplicable "$way" 'no IOMMU'
	done
	for mode in without page device; do
		check "backend.$mode.noiommu" whole_suite "$mode" noiommu
	done
	finish
	exit
fi
check backend.default default_is container
check backend.container.names_module names_module container
check backend.inapplicable.noiommu inapplicable noiommu 'no-IOMMU mode does not apply'
ways=container
if [ -e /dev/iommu ]; then
	ways='container iommufd-container cdev'
	check backend.cdev.in_use cdev_in_use
	check backend.cdev.no_permission cdev_no_permission
	check backend.cdev.not_viable not_viable cdev
	check backend.iommufd-container.not_viable not_viable iommufd-container
	check backend.iommufd-container.in_use iommufd_container_in_use
else
	check backend.lacks.iommufd-container lacks iommufd-container IOMMUFD
	check backend.lacks.cdev lacks cdev IOMMUFD
fi
for mode in without page device; do
	for way in $ways; do
		check "backend.$mode.$way" whole_suite "$mode" "$way"
	done
done
finish
