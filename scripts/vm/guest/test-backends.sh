#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The suite through each way to a device that the kernel has, and what it says
# about the others. Topology: hotplug. Boot without an IOMMU (intel_iommu=off)
# to have no-IOMMU mode tested, else the others.
# shellcheck source=lib.sh
. /guest/lib.sh

suite=/suite/vfio_pci_subpage_test

group_file()
{
	_group=$(basename "$(readlink "$PCI/$1/iommu_group")")
	[ -e "/dev/vfio/$_group" ] && echo "/dev/vfio/$_group" || echo "/dev/vfio/noiommu-$_group"
}

# whole_suite MODE WAY: passes, says so in the results, and skips no test of
# that way; nothing stays open.
whole_suite()
{
	use_mode "$1" && bind_all || return 1
	rm -f "results-$2.json"
	# shellcheck disable=SC2046
	$suite --backend "$2" --results "results-$2.json" $(all_bdfs) >"out-$1-$2" 2>&1 || {
		grep -E "not ok|Expected|suite" -A3 "out-$1-$2" || cat "out-$1-$2"
		return 1
	}
	tail -n 1 "out-$1-$2"
	same "BARs opened by $2" "$(grep -c '"expected_mmap"' "results-$2.json")" \
		"$(grep -c "\"backend\": *\"$2\"" "results-$2.json")" || return 1
	grep "ok .*[0-7]-$2\.\(region_info\|mmap\)" "out-$1-$2" | grep SKIP && return 1
	for dev in $(all_bdfs); do
		# Busy if anybody had it open still.
		exec 5<>"$(group_file "$dev")" && exec 5>&- || return 1
	done
}

# default_is WAY
default_is()
{
	rm -f results.json
	$suite --results results.json "$(bdf alone)" >out 2>&1 || { cat out; return 1; }
	grep -q "\"backend\": *\"$1\"" results.json || { grep backend results.json; return 1; }
}

lacks()
{
	refuses "$2" $suite --backend "$1" "$(bdf alone)" || return 1
	$suite "$(bdf alone)" >out 2>&1 || { cat out; return 1; }
	n=$(grep -cE "^ok .*[0-7]-$1\.(region_info|mmap|registers) # SKIP .*$2" out)
	same "skips of $1" 3 "$n" || cat out
	[ "$n" = 3 ]
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
		check "backend.lacks.$way" lacks "$way" 'no IOMMU'
	done
	for mode in without page device; do
		check "backend.$mode.noiommu" whole_suite "$mode" noiommu
	done
	finish
	exit
fi
check backend.default default_is container
check backend.lacks.noiommu lacks noiommu 'no-IOMMU mode does not apply'
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
