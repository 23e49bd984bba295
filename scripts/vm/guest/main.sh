#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The main job: the suite on the devices under test, bound to vfio-pci first without
# and then with the module, and every path to their registers, in one boot.
# shellcheck source=lib.sh
. /guest/lib.sh

run_suite()
{
	# shellcheck disable=SC2046
	/suite/vfio_pci_subpage_test --results records.jsonl --platform "$PLATFORM" \
		--accel "$ACCEL" $(all_bdfs) >suite.out 2>&1
	status=$?
	sed 's/^/    /' suite.out >>suite.ktap
	return $status
}

# bind_devices MODE: without the module, or with it
bind_devices()
{
	# shellcheck disable=SC2046
	use_mode "$1" && vfio-bind.sh vfio-pci $(all_bdfs)
}

# suite NAME MODE: its KTAP as a subtest of ours.
suite()
{
	check "bind.$1" bind_devices "$2"
	echo "# Subtest: $1" >suite.ktap
	check "$1" run_suite >suite.result
	cat suite.ktap suite.result
	rm -f suite.out suite.ktap suite.result
}

# logged NAME PROGRAM [ARG]...: what it prints is kept; shown if it fails
logged()
{
	log=$1.log program=$2
	shift 2
	"/suite/$program" --results records.jsonl --platform "$PLATFORM" --accel "$ACCEL" \
		"$@" >"$log" 2>&1 || { tail -n 20 "$log"; return 1; }
}

# BARs that have been moved stay where they are: without the module they would no longer
# share a page. Native drivers that take the devices meanwhile give them back.
place_as_before()
{
	if devices_under_test | grep -q ' pack$'; then
		pack_marked
	else
		place_anew
	fi
	use_mode page
}

# Every path to the registers, without the module and with it in turn. subpage_perf
# gives the kernel's own access.
measure()
{
	place_as_before
	modprobe subpage_perf
	# shellcheck disable=SC2046
	logged perf vfio_pci_subpage_perf --compare --samples "${SAMPLES:-20}" \
		${DELAY:+--delay "$DELAY"} $(all_bdfs)
	ret=$?
	rmmod subpage_perf
	return $ret
}

# Before anything is bound: what will be made of the devices, bound in this order
predict()
{
	# shellcheck disable=SC2046
	survey "$1" $(all_bdfs) && cat "$1"
}

# Without root, what is predicted is the same, or said to be unknown.
predict_without_root()
{
	predicted_at survey.txt >root
	# shellcheck disable=SC2046
	su nobody -s /bin/sh -c "/suite/vfio_pci_subpage_survey $(all_bdfs | paste -sd ' ')" \
		>nobody.txt 2>nobody.err
	cat nobody.err
	grep -q '/proc/iomem' nobody.err && predicted_at nobody.txt >nobody &&
		same BARs "$(wc -l <root)" "$(wc -l <nobody)" &&
		! grep -v ' unknown ' nobody | grep -vxFf root
}

# A copy stands in for the machine.
predict_from_copy()
{
	/suite/vfio_pci_subpage_survey --collect /tmp/copy || return 1
	# shellcheck disable=SC2046
	survey copy.txt --root /tmp/copy $(all_bdfs) && diff survey.txt copy.txt
}

# predictions KIND: of each device
predictions()
{
	for dev in $(all_bdfs); do
		check "survey.$1.$dev" "was_predicted_$1" "$dev"
	done
}

# What the program says of a device that is bound is what the module says.
survey_of_bound()
{
	predict bound.txt || return 1
	for dev in $(all_bdfs); do
		same "$dev" "$(became "$dev")" "$(predicted bound.txt "$dev")" || return 1
	done
}

open_cost()
{
	# shellcheck disable=SC2046
	logged open vfio_pci_subpage_open --samples "${SAMPLES:-20}" $(all_bdfs)
}

load_plain_vfio && load_kvm || exit 1
pack_marked
plug_marked || exit 1
check survey.predict predict survey.txt
check survey.predict_without_root predict_without_root
check survey.predict_from_copy predict_from_copy
suite without without
predictions plain
suite with page
predictions module
check survey.of_bound survey_of_bound
kunit
check perf.open open_cost
check perf.registers measure
check perf.bind bind_devices page
check restore vfio-restore.sh
finish
