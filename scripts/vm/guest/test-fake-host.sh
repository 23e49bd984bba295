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
	for _base in 0xe0000000 0x4200000000; do
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

# relocated SLOT...: what the module says of BARs 0 and 1, and that it is true
relocated()
{
	for _which; do
		for _n in 0 1; do
			[ -e "$PCI/$(dev "$_which")/resource$_n" ] || continue
			same "slot $_which BAR $_n: state" relocated "$(state "$(dev "$_which")" $_n)" ||
				return 1
			! unmoved "$_which" $_n >/dev/null || {
				echo "slot $_which BAR $_n: is relocated but where it was"
				return 1
			}
			in_agreement "$_which" $_n && exclusive "$_which" $_n || return 1
		done
	done
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

# Without an IOMMU group VFIO refuses a device when its BARs have moved. They stay at
# their new addresses, as after an unbind. The devices decode, with a state that a
# driver has left behind: restoring it brings back the new addresses.
bind_fails()
{
	for _which in 0 2; do
		config_write "$(dev $_which)" 4 6
		echo $_which >$FAKE/save
		if bind_slots $_which 2>/dev/null; then
			echo "slot $_which: bind succeeded"
			return 1
		fi
		[ ! -e "$PCI/$(dev $_which)/vfio_pci_subpage" ] && as_large_as_in_device $_which &&
			in_agreement $_which 0 && ! unmoved $_which 0 >/dev/null &&
			same "slot $_which: command" 6 "$(command_register "$(dev $_which)")" || return 1
		_bars=$(bars $_which)
		echo $_which >$FAKE/restore
		same "slot $_which, restored" "$_bars" "$(bars $_which)" || return 1
	done
	in_agreement 0 1 && in_agreement 0 4 && unmoved 0 5
}

# What the driver before us has saved must not bring back an old address.
stale_state()
{
	modprobe -r vfio-pci
	# Going to D3 would save the state anew.
	modprobe vfio-pci disable_idle_d3=1
	bind_slots 0 && _bars=$(bars 0) && echo 0 >$FAKE/restore &&
	relocated 0 && same "slot 0" "$_bars" "$(bars 0)"
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
	relocated 0
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
	relocated 0
}

# Left in D3hot by the driver before us, which has not moved a BAR.
found_in_d3hot()
{
	parameter relocate no
	bind_slots 0 && unbind_slots 0
	parameter relocate yes
	config_write "$(dev 0)" 68 3
	bind_slots 0 && relocated 0
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
	relocated 0 2
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
kunit
in_host bind-fails fails ""
in_host stale-saved-state pm
in_host stale-restored-state pm
in_host reset-restores pm
in_host idle-in-d3hot pm
in_host found-in-d3hot pm
in_host unload-while-bound packed
in_host remove-while-bound packed
in_host race race
finish
