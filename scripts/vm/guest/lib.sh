# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# What the guest's jobs share.

# shellcheck source=../../tests/ktap.sh
. /guest/ktap.sh

PCI=/sys/bus/pci/devices
PAGE_SIZE=$(awk '/KernelPageSize/ { print $2 * 1024; exit }' /proc/self/smaps)

# answered REPLY: whether the runner has, within two seconds
answered()
{
	for _ in $(seq 100); do
		[ -e "$1" ] && return 0
		usleep 20000
	done
	return 1
}

# host COMMAND [ARGS]: ask the runner for something that only it can do. Prints
# its answer. The runner reads the console for the request, and answers in the
# shared directory. A serial port can stop in the middle of a line until there is
# more to send, and the kernel can speak in between, so the request says how long it
# is and is repeated; the runner does it once.
host()
{
	# Several shells of one job may ask, each with a counter of its own.
	_reply=$(mktemp -u reply.XXXXXXXX)
	_request=$*
	until echo "@@host $_reply ${#_request} $_request" >/dev/console && answered "$_reply"; do :; done
	read -r _status _rest <"$_reply"
	tail -n +2 "$_reply"
	rm "$_reply"
	[ "$_status" = ok ] && return 0
	echo "host $*: $_rest" >&2
	return 1
}

# progress TEXT: a line for the person who waits.
progress()
{
	echo "@@progress $*" >/dev/console
}

# runs STATUS PROGRAM [ARG]...: a program of the suite ends with that exit code and
# leaves its output in out. Records of one before are gone.
runs()
{
	_expected=$1
	shift
	rm -f records.jsonl
	"$@" >out 2>&1
	_status=$?
	cat out
	same "exit code" "$_expected" $_status
}

# says_complete BOOL: what the last program says of its records
says_complete()
{
	tail -n 1 records.jsonl | grep '"type": "end"' | grep -q "\"complete\": $1"
}

# mapped: of the BARs in the file "bars", how many region info calls mappable,
# as the suite has recorded it
mapped()
{
	sed -nE 's/.*"bdf": "([^"]+)".*"bar": ([0-9]+),.*"mmap": true.*/\1 \2/p' records.jsonl |
		sort -u >mapped
	sort -u bars | grep -cxFf - mapped
}

# survey FILE BDF...: the table of vfio-pci-subpage-survey, whatever it finds
survey()
{
	_table=$1
	shift
	/suite/vfio_pci_subpage_survey "$@" >"$_table" 2>err
	case $? in
	0 | 1 | 3) ;;
	*) cat err; return 1 ;;
	esac
}

# predicted_at TABLE: lines "BDF BAR STATE ADDRESS", as the module will make it
predicted_at()
{
	awk '$1 ~ /^[0-9a-f]+:[0-9a-f]+:/ { print $1, $2, $6, $7 == "-" ? $4 : $7 }' "$1"
}

# predicted TABLE BDF: lines "BAR STATE ADDRESS"
predicted()
{
	predicted_at "$1" | sed -n "s/^$2 //p"
}

# became BDF: the same as it is
became()
{
	for _bar in 0 1 2 3 4 5; do
		[ ! -e "$PCI/$1/vfio_pci_subpage/bar$_bar" ] ||
			printf '%s %s 0x%x\n' $_bar "$(state "$1" $_bar)" $(($(bar_start "$1" $_bar)))
	done
}

# was_predicted_module BDF: what survey.txt says of it has come true
was_predicted_module()
{
	same "$1" "$(predicted survey.txt "$1")" "$(became "$1")"
}

# was_predicted_plain BDF: those that it calls mapped were, as the suite has recorded
# without the module, and no others
was_predicted_plain()
{
	awk -v dev="$1" '$1 == dev { print $2, $5 == "mapped" ? "true" : "false" }' survey.txt >plain
	same "sub-page BARs of $1" "$(subpage_bars | grep -c "^$1")" "$(wc -l <plain)" || return 1
	sed -nE "s/.*\"type\": \"bar\", \"bdf\": \"$1\".*\"module\": false.*\"bar\": ([0-9]+).*\"mmap\": (true|false).*/\1 \2/p" \
		records.jsonl >recorded
	! grep -vxFf recorded plain
}

# devices_under_test: lines of "ID BDF pack|keep", written once by the runner. Those that
# plug_marked adds are not among them before.
devices_under_test()
{
	[ -e /tmp/devices ] || host devices >/tmp/devices
	cat /tmp/devices
}

# bdf ID: the address of a device under test.
bdf()
{
	devices_under_test | awk -v id="$1" '$1 == id { print $2 }'
}

all_bdfs()
{
	devices_under_test | awk '{ print $2 }'
}

# bar_line BDF BAR: start, end and flags of a BAR as the kernel sees them.
bar_line()
{
	sed -n "$(($2 + 1))p" "$PCI/$1/resource"
}

# bar_start BDF BAR
bar_start()
{
	bar_line "$1" "$2" | cut -d' ' -f1
}

# bar_register BDF BAR: what the BAR's register holds, flags masked; the upper
# half too if the BAR is a 64-bit one.
bar_register()
{
	_at=$((16 + $2 * 4))
	_lo=$(config_read "$1" $_at)
	_hi=0
	[ $((0x$_lo & 6)) -eq 4 ] && _hi=$(config_read "$1" $((_at + 4)))
	printf '0x%016x\n' $((0x$_hi << 32 | 0x$_lo & ~15))
}

# on_bus ADDRESS: where the host bridge puts that address of the CPU's
on_bus()
{
	[ -e /tmp/windows ] || dmesg | sed -nE \
		's/.*root bus resource \[mem (\w+)-(\w+).*\(bus address \[(\w+)-.*/\1 \2 \3/p' >/tmp/windows
	_bus=$(($1))
	while read -r _first _last _at; do
		[ $(($1)) -lt $((_first)) ] || [ $(($1)) -gt $((_last)) ] || _bus=$(($1 - _first + _at))
	done </tmp/windows
	printf '0x%016x\n' "$_bus"
}

# config_read BDF OFFSET: a dword of config space in hex, without 0x.
config_read()
{
	dd if="$PCI/$1/config" bs=4 skip=$(($2 / 4)) count=1 2>/dev/null |
		hexdump -e '1/4 "%08x"'
}

# config_write BDF OFFSET VALUE: a dword, little endian.
config_write()
{
	# shellcheck disable=SC2059
	printf "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' \
		$(($3 & 255)) $(($3 >> 8 & 255)) $(($3 >> 16 & 255)) $(($3 >> 24 & 255)))" |
		dd of="$PCI/$1/config" bs=4 seek=$(($2 / 4)) conv=notrunc 2>/dev/null
}

command_register()
{
	echo $((0x$(config_read "$1" 4) & 0xffff))
}

# forget BDF: the device has no address any more, and the kernel no device. A driver
# goes first: without its address it could not silence an interrupt.
forget()
{
	[ ! -e "$PCI/$1/driver" ] || unbind "$1"
	for _reg in 16 20 24 28 32 36; do
		config_write "$1" $_reg 0
	done
	echo 1 >"$PCI/$1/remove"
}

# pack BDF...: let the kernel place these devices' BARs as it does for devices
# that no firmware has seen: packed.
pack()
{
	for _dev; do
		forget "$_dev"
	done
	echo 1 >/sys/bus/pci/rescan
}

# pack_marked: those that the topology wants packed.
pack_marked()
{
	# shellcheck disable=SC2046
	pack $(devices_under_test | awk '$3 == "pack" { print $2 }')
}

# plug_marked: those that the topology wants hot-added, which the kernel packs by itself
plug_marked()
{
	host plug >/tmp/plugged || return 1
	[ -s /tmp/plugged ] || return 0
	rm -f /tmp/devices
	while read -r _dev; do
		[ ! -e /sys/kernel/dlpar ] || add_to_device_tree "$_dev" || return 1
	done </tmp/plugged
	echo 1 >/sys/bus/pci/rescan
}

# add_to_device_tree BDF: without that a POWER kernel finds no device. For one on the root
# bus of its host bridge; QEMU makes the connector's index of the two's numbers.
add_to_device_tree()
{
	_slot=${1##*:}
	_drc=$((0x40000000 | 0x${1%%:*} << 16 | 0x${_slot%.*} << 3 | ${_slot#*.}))
	modprobe subpage_unisolate index=$_drc && rmmod subpage_unisolate &&
		echo "dt add index $_drc" >/sys/kernel/dlpar
}

# ports: the bridges above devices under test
ports()
{
	for _dev in $(all_bdfs); do
		_above=$(dirname "$(readlink -f "$PCI/$_dev")")
		case ${_above##*/} in
		pci*) ;;
		*) echo "${_above##*/}" ;;
		esac
	done | sort -u
}

# place_anew: nothing is left of what was made of BARs before. Without firmware, the
# kernel has placed them in the same way when it booted.
place_anew()
{
	_ports=$(ports)
	for _dev in $(all_bdfs); do
		forget "$_dev"
	done
	for _dev in $_ports; do
		echo 1 >"$PCI/$_dev/remove"
	done
	echo 1 >/sys/bus/pci/rescan
}

# load_vfio: with the module
load_vfio()
{
	modprobe vfio_pci_subpage && load_plain_vfio
}

# The image has the one module of VFIO's that is for the machine's IOMMU. This modprobe
# does not know that it belongs to vfio.
load_plain_vfio()
{
	modprobe vfio-pci && { modprobe -q vfio_iommu_type1 || modprobe vfio_iommu_spapr_tce; }
}

# use_mode MODE: devices that are bound from now on are so without the module, or with
# BARs that are as large as a page or as the device has them
use_mode()
{
	for _dev in $(all_bdfs); do
		[ ! -e "$PCI/$_dev/driver" ] || unbind "$_dev"
	done
	if [ "$1" = without ]; then
		[ ! -e /sys/module/vfio_pci_subpage ] || rmmod vfio_pci_subpage
	else
		modprobe vfio_pci_subpage && parameter bar_size "$1"
	fi
}

# parameter NAME VALUE: of the module
parameter()
{
	echo "$2" >"/sys/module/vfio_pci_subpage/parameters/$1"
}

# load_kvm: what the kernel has of KVM and the CPU can do
load_kvm()
{
	case $(grep -m 1 -o -w -E 'svm|vmx' /proc/cpuinfo) in
	svm) modprobe -q kvm-amd ;;
	vmx) modprobe -q kvm-intel ;;
	esac
	return 0
}

# driver BDF: what the device is bound to, or nothing
driver()
{
	[ -e "$PCI/$1/driver" ] && basename "$(readlink "$PCI/$1/driver")"
}

# bind DRIVER BDF, by driver_override. Fails if the driver refuses.
bind()
{
	[ "$(driver "$2")" = "$1" ] && return 0
	[ ! -e "$PCI/$2/driver" ] || unbind "$2"
	echo "$1" >"$PCI/$2/driver_override" &&
		echo "$2" >"/sys/bus/pci/drivers/$1/bind" &&
		[ "$(driver "$2")" = "$1" ]
}

# unbind BDF
unbind()
{
	echo "$1" >"$PCI/$1/driver/unbind"
	echo >"$PCI/$1/driver_override"
}

# state BDF BAR: what the module says became of it, or nothing
state()
{
	cat "$PCI/$1/vfio_pci_subpage/bar$2" 2>/dev/null
}

# shown_size BDF BAR: bytes, as the kernel has it now
shown_size()
{
	# shellcheck disable=SC2046 # start, end, flags
	set -- $(bar_line "$1" "$2")
	echo $(($2 - $1 + 1))
}

# device_size BDF BAR: bytes that it has in the device. The file through which it
# can be mapped is as large as it was when the device was found.
device_size()
{
	stat -c %s "$PCI/$1/resource$2"
}

# has_page BDF BAR: it is one, for itself
has_page()
{
	same "$1 BAR $2: offset in its page" 0 $(($(bar_start "$1" "$2") % PAGE_SIZE)) &&
		same "$1 BAR $2: size" "$PAGE_SIZE" "$(shown_size "$1" "$2")" &&
		alone_in_page "$1" "$2" && consistent "$1" "$2"
}

# has_own_size BDF BAR: as large as in the device, and nothing says that it was not
has_own_size()
{
	same "$1 BAR $2: size" "$(device_size "$1" "$2")" "$(shown_size "$1" "$2")" &&
		[ ! -e "$PCI/$1/vfio_pci_subpage" ]
}

is_restored()
{
	has_own_size "$1" "$2" && consistent "$1" "$2"
}

# page ADDRESS: the page that it is in
page()
{
	printf '0x%016x\n' $(($1 & ~(PAGE_SIZE - 1)))
}

# others_in_page BDF BAR: regions of any device, this one's others too, that lie
# in the page of the BAR; the bridge windows that the page is in are none.
others_in_page()
{
	_page=$(page "$(bar_start "$1" "$2")")
	_last=$((_page + PAGE_SIZE - 1))
	grep -Hnv '^0x0* 0x0* ' "$PCI"/*/resource >/tmp/regions
	while IFS=':' read -r _d1 _d2 _d3 _n _line; do
		# The path of the file has two colons of its own.
		_dev=${_d1##*/}:$_d2:${_d3%/resource}
		_n=$((_n - 1))
		_start=${_line%% *}
		_end=${_line#* }
		_end=${_end%% *}
		if [ $((_start)) -le $_last ] && [ $((_end)) -ge $((_page)) ] &&
		   [ "$_dev $_n" != "$1 $2" ] &&
		   { [ $_n -lt 13 ] || [ $((_start)) -gt $((_page)) ] ||
		     [ $((_end)) -lt $_last ]; }; then
			echo "$_dev region $_n"
		fi
	done </tmp/regions
}

# iomem: the machine's resource tree, which may be changing. One read() is one look
# at it; what reads more often may miss a line. The kernel puts no more than a page
# into one, in whole lines: less was all of it.
iomem()
{
	_iomem=$(dd if=/proc/iomem bs=64k count=1 2>/dev/null)
	echo "$_iomem"
	[ ${#_iomem} -lt $((PAGE_SIZE - 200)) ] ||
		{ echo "/proc/iomem may not fit into one read()"; return 1; }
}

# alone_in_page BDF BAR
alone_in_page()
{
	_others=$(others_in_page "$1" "$2")
	[ -z "$_others" ] || { echo "$1 BAR $2 shares its page with $_others"; return 1; }
}

# consistent BDF BAR: register, resource and resource tree name one address
consistent()
{
	_start=$(bar_start "$1" "$2")
	same "$1 BAR $2 register" "$(on_bus "$_start")" "$(bar_register "$1" "$2")" ||
		return 1
	_tree=$(iomem) || { echo "$_tree"; return 1; }
	echo "$_tree" | grep -q "$(printf '^ *%08x-.* : %s$' $((_start)) "$1")" ||
		{ echo "$1 BAR $2: $_start is not in /proc/iomem:"; echo "$_tree"; return 1; }
}

# For every device under test: BDF and BAR of each sub-page memory BAR.
subpage_bars()
{
	for dev in $(all_bdfs); do
		for bar in 0 1 2 3 4 5; do
			# shellcheck disable=SC2046
			set -- $(bar_line "$dev" $bar)
			[ $(($2)) -ne 0 ] && [ $(($3 & 0x200)) -ne 0 ] &&
				[ "$(device_size "$dev" $bar)" -lt "$PAGE_SIZE" ] &&
				echo "$dev $bar"
		done
	done
}

# each_bar COMMAND: with device and BAR of each line of the file "bars"
each_bar()
{
	each_bar_of bars "$1"
}

# each_bar_of FILE COMMAND
each_bar_of()
{
	while read -r _each_dev _each_bar; do
		"$2" "$_each_dev" "$_each_bar" || return 1
	done <"$1"
}

# was_prepared BDF BAR: it got a page, moved or not
was_prepared()
{
	case $(state "$1" "$2") in
	in-place | relocated) has_page "$1" "$2" ;;
	*) echo "$1 BAR $2: '$(state "$1" "$2")'"; return 1 ;;
	esac
}

bind_all()
{
	for dev in $(all_bdfs); do
		bind vfio-pci "$dev" || return 1
	done
}

unbind_all()
{
	for dev in $(all_bdfs); do
		unbind "$dev"
	done
}

# The module's own tests, which ran when the kernel loaded it.
kunit()
{
	[ -d /sys/kernel/debug/kunit ] || { skip kunit "this kernel has no KUnit"; return; }
	for results in /sys/kernel/debug/kunit/*/results; do
		suite=$(basename "$(dirname "$results")")
		cp "$results" "kunit-$suite.ktap"
		echo "# Subtest: kunit.$suite"
		sed 's/^/    /' "kunit-$suite.ktap"
		check "kunit.$suite" kunit_passed "kunit-$suite.ktap"
	done
}

# Each case has a result: a suite of which none was run is "ok" to the kernel.
kunit_passed()
{
	grep -q '^ok' "$1" && ! grep '^ *not ok' "$1" &&
		same "cases with a result" "$(sed -n 's/^    1\.\.//p' "$1")" "$(grep -c '^    ok' "$1")"
}

# refuses PATTERN COMMAND...: exit code 1 and one line on stderr that says why
refuses()
{
	pattern=$1
	shift
	"$@" >out 2>err
	status=$?
	cat out err
	same "exit code" 1 $status && same "lines on stderr" 1 "$(wc -l <err)" &&
		grep -qE -- "$pattern" err
}
