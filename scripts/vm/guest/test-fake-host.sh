#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The module on devices that QEMU does not have: those of subpage_fake_host.ko.
# Each test makes a host from one of the module's scenarios, and at its end the
# host goes and must leave nothing behind. Topology: minimal.
# shellcheck source=lib.sh
. /guest/lib.sh

FAKE=/sys/module/subpage_fake_host/parameters
ours=/tmp/fake

# dev SLOT: the address of a device of the host
dev()
{
	echo "0001:00:0$1.0"
}

slots()
{
	for _path in "$PCI"/0001:00:0?.0; do
		_path=${_path#*0001:00:0}
		echo "${_path%.0}"
	done
}

# window N: first and last address of a window of the host, in decimal
window()
{
	sed -n "s/^\([0-9a-f]*\)-\([0-9a-f]*\) : fake host window $1\$/0x\1 0x\2/p" /proc/iomem |
		while read -r _first _last; do echo $((_first)) $((_last)); done
}

# bus_address CPU_ADDRESS: as bar_register prints it; fails outside the windows.
bus_address()
{
	_index=0
	# What the windows start with on the bus: window_kinds[] of the module.
	for _base in 0xe0000000 $window1; do
		# shellcheck disable=SC2046
		set -- "$1" $(window $_index)
		_index=$((_index + 1))
		if [ $# -eq 3 ] && [ $(($1)) -ge "$2" ] && [ $(($1)) -le "$3" ]; then
			printf '0x%016x\n' $(($1 - $2 + _base))
			return
		fi
	done
	return 1
}

# bar SLOT BAR: everything that says where a BAR is, in one line
bar()
{
	_dev=$(dev "$1")
	echo "$(bar_register "$_dev" "$2") $(bar_line "$_dev" "$2")"
}

# bars SLOT: of a whole device
bars()
{
	for _n in 0 1 2 3 4 5; do
		bar "$1" $_n
	done
}

host_iomem()
{
	sed -n '/fake host window 0/,/^[^ ].*PCI Bus\|^[^ ].*Reserved/p' /proc/iomem |
		grep '0001:00\|fake host'
}

# new_messages FIRST: what the kernel has said since there were FIRST lines
new_messages()
{
	dmesg | tail -n +$(($1 + 1))
}

messages()
{
	dmesg | wc -l
}

bind_slots()
{
	for _slot; do
		bind vfio-pci "$(dev "$_slot")" || return 1
	done
}

unbind_slots()
{
	for _slot; do
		unbind "$(dev "$_slot")"
	done
}

# exclusive SLOT BAR: it is its page, and nothing else is in there.
exclusive()
{
	_dev=$(dev "$1")
	read -r _start _end _flags <<-END
	$(bar_line "$_dev" "$2")
	END
	_page=$((_start / PAGE_SIZE * PAGE_SIZE))
	same "slot $1 BAR $2: offset in its page" 0 $((_start - _page)) || return 1
	_tree=$(iomem) || { echo "$_tree"; return 1; }
	_have=$(while read -r _range _colon _name; do
		_first=$((0x${_range%-*}))
		_last=$((0x${_range#*-}))
		[ $_last -lt $_page ] || [ $_first -ge $((_page + PAGE_SIZE)) ] && continue
		case $_name in
		"fake host window"*) ;;
		*) echo "$_first-$_last $_name" ;;
		esac
	done <<-END
	$_tree
	END
	)
	same "slot $1 BAR $2: what lies in its page" "$_page-$((_page + PAGE_SIZE - 1)) $_dev" "$_have"
}

# Register, resource and tree agree about a BAR that has an address.
in_agreement()
{
	_dev=$(dev "$1")
	read -r _start _end _flags <<-END
	$(bar_line "$_dev" "$2")
	END
	same "slot $1 BAR $2: register" "$(bus_address "$_start")" \
		"$(bar_register "$_dev" "$2")" &&
	same "slot $1 BAR $2: entries in the resource tree" 1 "$(iomem | grep -c \
		"$(printf '%x-%x : %s' "$_start" "$_end" "$_dev")")"
}

# unmoved SLOT BAR: register and start are as they were when the host was made.
unmoved()
{
	same "slot $1 BAR $2: register and start" \
		"$(sed -n "$(($2 + 1))p" "$ours/$1" | cut -d ' ' -f 1,2)" \
		"$(bar "$1" "$2" | cut -d ' ' -f 1,2)"
}

# expect SLOT BAR STATE: what the module says, and that it is true
expect()
{
	same "slot $1 BAR $2: state" "$3" "$(state "$(dev "$1")" "$2")" || return 1
	case $3 in
	in-place) unmoved "$1" "$2" && in_agreement "$1" "$2" && exclusive "$1" "$2" ;;
	relocated)
		! unmoved "$1" "$2" >/dev/null || {
			echo "slot $1 BAR $2: is relocated but where it was"
			return 1
		}
		in_agreement "$1" "$2" && exclusive "$1" "$2" ;;
	*)
		unmoved "$1" "$2" &&
		same "slot $1 BAR $2: size" "$(device_size "$(dev "$1")" "$2")" \
			"$(shown_size "$(dev "$1")" "$2")" &&
		in_agreement "$1" "$2" ;;
	esac
}

# in_window SLOT BAR WINDOW PAGE
in_window()
{
	# shellcheck disable=SC2046
	set -- "$@" $(window "$3")
	same "slot $1 BAR $2: page in window $3" "$4" \
		$((($(bar_start "$(dev "$1")" "$2") - $5) / PAGE_SIZE))
}

# as_large_as_in_device SLOT: all BARs that are there
as_large_as_in_device()
{
	for _n in 0 1 2 3 4 5; do
		[ -e "$PCI/$(dev "$1")/resource$_n" ] || continue
		same "slot $1 BAR $_n: size" "$(device_size "$(dev "$1")" $_n)" \
			"$(shown_size "$(dev "$1")" $_n)" || return 1
	done
}

# Nothing is bound: every BAR is in its window itself and as large as in the device,
# and none was lost.
released()
{
	for _slot in $(slots); do
		as_large_as_in_device "$_slot" || return 1
	done
	same "BARs in a window" "$(grep -c '^  [0-9a-f-]* : 0001:00' $ours/iomem)" \
		"$(grep -c '^  [0-9a-f-]* : 0001:00' /proc/iomem)"
}

unbind_all()
{
	for _slot in $(slots); do
		[ ! -e "$PCI/$(dev "$_slot")/driver" ] || unbind_slots "$_slot"
	done
}

unload()
{
	_violations=$(cat $FAKE/violations)
	rmmod subpage_fake_host &&
	same "BARs written with memory decode on" 0 "$_violations" &&
	same "resource tree without the host" "$(cat $ours/without)" "$(cat /proc/iomem)"
}

load()
{
	rm -rf $ours
	mkdir $ours
	cat /proc/iomem >$ours/without
	modprobe subpage_fake_host scenario="$1" requester="$2" || return 1
	cat /proc/iomem >$ours/iomem
	for _slot in $(slots); do
		bars "$_slot" >"$ours/$_slot"
	done
}

# in_host NAME SCENARIO [REQUESTER]: test NAME, with a host
in_host()
{
	check "$1" in_host_body "$(echo "$1" | tr - _)" "$2" "${3-$requester}"
}

in_host_body()
{
	window1=0x4200000000
	load "$2" "$3" || return 1
	"$1"
	_status=$?
	[ $_status -eq 0 ] || host_iomem
	if [ -e $FAKE ]; then
		unbind_all
		released || _status=1
		unload || _status=1
	fi
	return $_status
}

# Each may stay in the kind of window that it is in.
kinds_with_room()
{
	bind_slots 0 1 2 3 4 &&
	expect 0 0 relocated && in_window 0 0 1 1 &&
	expect 1 0 relocated && in_window 1 0 1 0 &&
	expect 2 0 relocated && in_window 2 0 0 1 &&
	expect 3 0 no-space &&
	expect 4 0 relocated && in_window 4 0 1 2
}

# The first one takes the last page of window 0. A 64-bit BAR that is not
# prefetchable must not follow it to window 1, nor a 32-bit one.
kinds_without_room()
{
	bind_slots 4 2 3 5 0 &&
	expect 4 0 relocated && in_window 4 0 0 1 &&
	expect 2 0 no-space &&
	expect 3 0 no-space &&
	expect 5 0 no-space &&
	expect 0 0 relocated && in_window 0 0 1 1
}

# Only the first page of window 1 lies below 4 GiB on the bus.
across_4g()
{
	window1=0xfffff000
	bind_slots 0 1 3 2 &&
	expect 0 0 relocated && in_window 0 0 1 0 &&
	expect 1 0 no-space &&
	expect 3 0 no-space &&
	expect 2 0 relocated && in_window 2 0 1 1
}

# Of BARs that lack an address in two ways nothing can be made. As vfio-pci cannot
# enable such a device, nobody maps it.
unassigned()
{
	bind_slots 0 &&
	same "BAR 1" unassigned "$(state "$(dev 0)" 1)" &&
	same "BAR 2" unassigned "$(state "$(dev 0)" 2)" &&
	same "slot 0" "$(cat $ours/0)" "$(bars 0)"
}

# Without an IOMMU group VFIO refuses a device when its BARs have moved. They stay at
# their new addresses, as after an unbind.
bind_fails()
{
	for _which in 0 2; do
		if bind_slots $_which 2>/dev/null; then
			echo "slot $_which: bind succeeded"
			return 1
		fi
		[ ! -e "$PCI/$(dev $_which)/vfio_pci_subpage" ] && as_large_as_in_device $_which &&
		in_agreement $_which 0 && ! unmoved $_which 0 >/dev/null || return 1
	done
	in_agreement 0 1 && in_agreement 0 4 && unmoved 0 5
}

# As above, on devices that decode, with a state that a driver has left behind:
# restoring it brings back the new addresses.
bind_fails_decoding()
{
	for _which in 0 2; do
		config_write "$(dev $_which)" 4 6
		echo $_which >$FAKE/save
	done
	bind_fails || return 1
	for _which in 0 2; do
		same "slot $_which: command" 6 "$(command_register "$(dev $_which)")" || return 1
		_bars=$(bars $_which)
		echo $_which >$FAKE/restore
		same "slot $_which, restored" "$_bars" "$(bars $_which)" || return 1
	done
}

# decode COMMAND ORDER: the command register is COMMAND before, and after; the
# registers were written in ORDER, and whether memory was decoded at the time.
decode()
{
	for _which in 0 1 4; do
		config_write "$(dev $_which)" 4 "$1"
		echo $_which >$FAKE/trace
		_first=$(messages)
		bind_slots $_which || return 1
		same "slot $_which: command" "$1" "$(command_register "$(dev $_which)")" || return 1
		expect $_which 0 relocated || return 1
		new_messages "$_first" | sed -n 's/.*slot [0-9]: \(.*\) = .*, decode/\1/p' |
			tr '\n' ' ' >$ours/order
		# Its BAR is a 64-bit one: two registers.
		same "slot $_which: order of writes" "$2" "$(cat $ours/order)" || return 1
	done
}

decode_on_stays_on()
{
	decode 2 '0x4 on 0x10 off 0x14 off 0x4 off '
}

decode_off_stays_off()
{
	decode 4 '0x10 off 0x14 off '
}

# What the driver before us has saved must not bring back an old address.
stale_state()
{
	modprobe -r vfio-pci
	# Going to D3 would save the state anew.
	modprobe vfio-pci disable_idle_d3=1
	bind_slots 0 && _bars=$(bars 0) && echo 0 >$FAKE/restore &&
	expect 0 0 relocated && expect 0 1 relocated && same "slot 0" "$_bars" "$(bars 0)"
	_result=$?
	unbind_all
	modprobe -r vfio-pci
	modprobe vfio-pci
	return $_result
}

# A driver before us has saved the state and has not restored it.
stale_saved_state()
{
	echo 0 >$FAKE/save
	stale_state
}

# A driver before us has saved the state and restored it: what was saved is no
# longer marked as such, but there are kernels that restore it all the same
# (6.12.117 is one of them).
stale_restored_state()
{
	echo 0 >$FAKE/save
	echo 0 >$FAKE/restore
	stale_state
}

# This device forgets its BARs in D3hot.
reset_restores()
{
	bind_slots 0 && _bars=$(bars 0) &&
	echo pm >"$PCI/$(dev 0)/reset_method" && echo 1 >"$PCI/$(dev 0)/reset" &&
	same "slot 0" "$_bars" "$(bars 0)" &&
	expect 0 0 relocated && expect 0 1 relocated
}

idle_in_d3hot()
{
	_old=$(bars 0)
	bind_slots 0 || return 1
	for _try in 1 2 3 4 5 6 7 8 9 10; do
		[ "$(cat "$PCI/$(dev 0)/power_state")" = D3hot ] && break
		usleep 100000
	done
	same "slot 0: power state" D3hot "$(cat "$PCI/$(dev 0)/power_state")" &&
	expect 0 0 relocated && expect 0 1 relocated
}

# Left in D3hot by the driver before us, which has not moved a BAR.
found_in_d3hot()
{
	parameter relocate no
	bind_slots 0 && unbind_slots 0
	parameter relocate yes
	config_write "$(dev 0)" 68 3
	bind_slots 0 && expect 0 0 relocated && expect 0 1 relocated
}

# The host goes while its devices are held.
unload_while_bound()
{
	bind_slots 0 1 2 && unload
}

# What is found again gets an address, but none in a page that is somebody's.
remove_while_bound()
{
	bind_slots 0 1 2 && echo 1 >"$PCI/$(dev 1)/remove" &&
	echo 1 >/sys/bus/pci/rescan && in_agreement 1 0 &&
	expect 0 0 relocated && expect 2 0 relocated
}

# states_true SLOT: a page is exclusive.
states_true()
{
	for _bar in 0 1; do
		case $(state "$(dev "$1")" $_bar) in
		in-place | relocated) exclusive "$1" $_bar || return 1 ;;
		esac
	done
}

# binder SLOT...: bind and unbind for a while
binder()
{
	while [ ! -e $ours/stop ]; do
		for _which; do
			bind_slots "$_which" && states_true "$_which" || return 1
			state "$(dev "$_which")" 0 >>$ours/bound
			unbind_slots "$_which"
		done
	done
}

# neighbour SLOT: gone and found again, each time at an address that the PCI
# core chooses. It stays for long enough to be seen where it must not be.
neighbour()
{
	while [ ! -e $ours/stop ]; do
		echo 1 >"$PCI/$(dev "$1")/remove"
		usleep 10000
		echo 1 >/sys/bus/pci/rescan
		echo "$1" >>"$ours/rescanned"
		usleep 40000
	done
}

race()
{
	# VFIO of 6.1 warns if two devices of a group that it does not know yet are
	# bound at once. It knows the group as long as this one is bound.
	bind vfio-pci "$(bdf requester)" || return 1
	_first=$(messages)
	binder 0 >$ours/error0 2>&1 &
	binder 2 1 >$ours/error1 2>&1 &
	neighbour 3 >$ours/error2 2>&1 &
	sleep 5
	touch $ours/stop
	wait
	same "errors" "" "$(cat $ours/error?)" || return 1
	new_messages "$_first" | grep 'lost its address\|cannot be revoked' && return 1
	# How often each way that it can end was seen: slot 0 wins or loses.
	echo "# race: $(sort $ours/bound | uniq -c | tr -s ' \n' ' ')," \
		"$(wc -l <$ours/rescanned) rescans" >&3
	echo 1 >"$PCI/$(dev 3)/remove"
	bind_slots 0 1 2
	# No room is left for it in window 0.
	echo 1 >/sys/bus/pci/rescan
	same "slot 3 BAR 0" 0 $(($(bar_start "$(dev 3)" 0))) && in_agreement 3 1 &&
	in_agreement 0 0 && exclusive 0 0 && in_agreement 0 1 && exclusive 0 1 &&
	in_agreement 1 0 && exclusive 1 0 && in_agreement 2 0 && exclusive 2 0 || return 1
	unbind_slots 0 1 2
	echo 1 >"$PCI/$(dev 3)/remove"
	echo 1 >/sys/bus/pci/rescan
	unbind "$(bdf requester)"
	in_agreement 3 0 && in_agreement 3 1
}

requester=$(bdf requester)
exec 3>&1
load_vfio || exit 1
in_host kinds-with-room kinds
in_host kinds-without-room kinds
in_host across-4g across
in_host unassigned unassigned
in_host bind-fails fails ""
in_host bind-fails-decoding fails ""
in_host decode-on-stays-on kinds
in_host decode-off-stays-off kinds
in_host stale-saved-state pm
in_host stale-restored-state pm
in_host reset-restores pm
in_host idle-in-d3hot pm
in_host found-in-d3hot pm
in_host unload-while-bound packed
in_host remove-while-bound packed
in_host race race
finish
