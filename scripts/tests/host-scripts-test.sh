#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of the host scripts that need no device, no network and no root, and
# change nothing outside a temporary directory.  Output is KTAP.
#
# Devices are a tree of plain files, and "tee", which the scripts write to
# sysfs with, is replaced by one that does what the kernel would do.  What that
# cannot show, the run in the VM does: that a real kernel takes the writes, in
# this order, and that an unbind waits for the last user of a device.  Under
# busybox ash, which runs its own tee, only bad input is tested here.

set -euo pipefail

scripts=$(cd -- "$(dirname -- "$0")/.." && pwd)
real_cache=${XDG_CACHE_HOME:-$HOME/.cache}/vfio-pci-subpage
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# shellcheck source=ktap.sh
. "$scripts/tests/ktap.sh"

# run COMMAND...: into $status, $tmp/stdout and $tmp/stderr.
run()
{
	status=0
	"$@" >"$tmp/stdout" 2>"$tmp/stderr" </dev/null || status=$?
}

# said STATUS PATTERN...: exit status, and one line on stderr with each of them.
said()
{
	local pattern
	cat "$tmp/stdout" "$tmp/stderr"
	[ "$status" = "$1" ] || { echo "exit status $status, not $1"; return 1; }
	shift
	[ "$(wc -l <"$tmp/stderr")" = 1 ] || { echo "not one line"; return 1; }
	for pattern; do
		grep -q -- "$pattern" "$tmp/stderr" || { echo "no '$pattern'"; return 1; }
	done
}

# ---- packages.sh ----

# fake NAME: a program in $tmp/bin, its body from stdin.
fake()
{
	mkdir -p "$tmp/bin"
	{ echo '#!/bin/sh'; cat; } >"$tmp/bin/$1"
	chmod +x "$tmp/bin/$1"
}

# A PATH of its own without qemu and without everything else but these.
bare_path()
{
	local name
	mkdir -p "$1"
	for name in bash sh dirname id sed grep sort head tail tr cut cat env find awk mkdir; do
		ln -s "$(command -v "$name")" "$1/$name"
	done
}

# Whatever happens, nothing is installed while testing.
fake_package_tools()
{
	rm -rf "${tmp:?}/bin"
	fake dpkg-query <<<'exit 1'
	fake apt-get <<<'echo "apt-get $*" >>'"$tmp/apt-get.log"'; exit 100'
	fake apt-cache <<<'exit 100'
	fake sudo <<<'exit 1'
	fake id <<<'echo 1000'
}

last_line_names_packages()
{
	[ "$status" = 1 ] && tail -n 1 "$tmp/stderr" |
		grep -q 'as root, run: apt-get install .*python3.*qemu-system-x86'
}

nothing_was_installed()
{
	[ "$status" = 1 ] && ! [ -e "$tmp/apt-get.log" ]
}

test_packages()
{
	run "$scripts/packages.sh"
	check "packages: no group" said 2 usage
	run "$scripts/packages.sh" build nonsense
	check "packages: unknown group" said 1 'nonsense: no such group' 'build, vm, kernel, arm64, cross, check, report or browser'

	fake_package_tools
	run env PATH="$tmp/bin:$PATH" "$scripts/packages.sh" -n vm
	check "packages: -n names what is missing" said 1 'missing packages: .*qemu-system-x86'
	check "packages: -n installs nothing" nothing_was_installed
	run env PATH="$tmp/bin:$PATH" "$scripts/packages.sh" vm
	check "packages: neither root nor sudo: the list" last_line_names_packages

	bare_path "$tmp/bare"
	run env PATH="$tmp/bare" "$scripts/packages.sh" vm
	check_hidden "packages: no apt and dpkg: the list" apt-get \
		said 1 'not Debian' 'qemu-system-x86'

	# The rest looks at what packages.sh says once all of them are there.
	fake dpkg-query <<<'for p; do echo installed; done | tail -n +4'
	run env PATH="$tmp/bin:$PATH" "$scripts/packages.sh" build
	check "packages: nothing missing is silent" test "$status:$(cat "$tmp/stderr")" = 0:
	fake qemu-system-x86_64 <<<'echo "QEMU emulator version 5.2.0 (Debian 1:5.2)"'
	run env PATH="$tmp/bin:$PATH" "$scripts/packages.sh" vm
	check "packages: QEMU too old" said 1 '5.2.0 is too old' '7.2'
	fake qemu-system-x86_64 <<<'echo "QEMU emulator version 10.0.2"'
	run env PATH="$tmp/bin:$PATH" "$scripts/packages.sh" vm
	check "packages: QEMU 10 is not older than 7.2" test "$status" = 0
	rm "$tmp/bin/qemu-system-x86_64"
	run env PATH="$tmp/bin:$tmp/bare" "$scripts/packages.sh" vm
	check_hidden "packages: no QEMU" qemu-system-x86_64 \
		said 1 'qemu-system-x86_64: not found' 'install'
}

# check_hidden NAME PROGRAM COMMAND...: packages.sh appends the sbin directories
# to PATH; on a merged /usr a program could be there after all.
check_hidden()
{
	local name=$1 program=$2
	shift 2
	if PATH=/usr/sbin:/sbin command -v "$program" >/dev/null; then
		skip "$name" "$program is in an sbin directory"
	else
		check "$name" "$@"
	fi
}

# ---- fetch-kernel.sh and fetch-source.sh ----

# A cache of its own that shares the downloaded packages with the real one.
private_cache()
{
	rm -rf "$tmp/cache"
	mkdir -p "$tmp/cache/vfio-pci-subpage"
	ln -s "$real_cache/packages" "$tmp/cache/vfio-pci-subpage/packages"
}

fetch()
{
	run env XDG_CACHE_HOME="$tmp/cache" "$scripts/build/fetch-$1.sh" "$2"
}

# Only with all of the packages there does building an entry need no network.
source_packages_there()
{
	local manifest=$real_cache/source-6.12.manifest
	[ -s "$manifest" ] && ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1 &&
		[ -s "$real_cache/packages/$(awk '$1 == "deb" { print $4 }' "$manifest")" ]
}

entry_is()
{
	[ "$status" = 0 ] && [ "$(wc -l <"$tmp/stdout")" = 1 ] &&
		[ -s "$(cat "$tmp/stdout")/$1" ]
}

rebuilt_whole()
{
	entry_is tools/testing/selftests/lib.mk && [ ! -e "$entry/junk" ]
}

no_half_entry()
{
	[ "$status" != 0 ] && [ -z "$(find "$tmp/cache/vfio-pci-subpage" -mindepth 1 \
		-maxdepth 1 -type d ! -name packages)" ]
}

test_fetch()
{
	local script
	for script in kernel source; do
		run "$scripts/build/fetch-$script.sh"
		check "fetch-$script: no series" said 2 usage
		run "$scripts/build/fetch-$script.sh" 5.10
		check "fetch-$script: unknown series" said 1 '5.10: no such kernel series' '6.12 or 6.1'
		run env XDG_CACHE_HOME=/proc/none "$scripts/build/fetch-$script.sh" 6.12
		check "fetch-$script: cache not writable" said 1 'cannot write' 'XDG_CACHE_HOME'
		run env XDG_CACHE_HOME="$tmp/with blank" "$scripts/build/fetch-$script.sh" 6.12
		check "fetch-$script: cache path with a blank" said 1 'with blank' 'XDG_CACHE_HOME'
	done
	run env PATH="$tmp/bare" XDG_CACHE_HOME="$tmp/empty" "$scripts/build/fetch-kernel.sh" 6.12
	check_hidden "fetch-kernel: no apt" apt-get said 1 'apt: not on this system'

	if ! source_packages_there; then
		for script in "no space names directory and MiB" \
			      "incomplete entry is rebuilt, offline" "cached, silent" \
			      "offline, an older entry will do"; do
			skip "fetch-source: $script" "linux-source is not in the cache: run fetch-source.sh 6.12"
		done
		return
	fi
	test_fetch_source
}

test_fetch_source()
{
	private_cache
	fake_package_tools
	rm "$tmp/bin"/{apt-cache,dpkg-query,id}
	# No network from here on: what needs apt-get fails.
	local PATH=$tmp/bin:$PATH

	cp "$real_cache/source-6.12.manifest" "$tmp/cache/vfio-pci-subpage/"
	fake df <<<'echo header; echo x 1 1 1024 1% /'
	fetch source 6.12
	check "fetch-source: no space names directory and MiB" \
		said 1 "$tmp/cache/vfio-pci-subpage: .* MiB needed, 1 MiB free"
	rm "$tmp/bin/df"

	# An entry as a killed run of an older version might have left it: one
	# unpacking shows that it is rebuilt, and that no network is needed.
	entry=$tmp/cache/vfio-pci-subpage/$(sed -n 's/^entry //p' "$real_cache/source-6.12.manifest")
	mkdir -p "$entry/tools/testing/selftests"
	touch "$entry/junk" "$entry/tools/testing/selftests/lib.mk"
	fetch source 6.12
	check "fetch-source: incomplete entry is rebuilt, offline" rebuilt_whole
	fetch source 6.12
	check "fetch-source: cached, silent" test "$(cat "$tmp/stdout")$(cat "$tmp/stderr")" = "$entry"

	no_package
}

# Neither a package that is cut short nor a failing download leaves an entry.
no_package()
{
	local file packages=$tmp/cache/vfio-pci-subpage/packages
	mv "$entry" "$tmp/older"
	rm "$packages"
	mkdir "$packages"
	file=$(awk '$1 == "deb" { print $4 }' "$tmp/cache/vfio-pci-subpage/source-6.12.manifest")
	head -c 100000 "$real_cache/packages/$file" >"$packages/$file"
	fetch source 6.12
	check "fetch-source: damaged package" no_half_entry
	check "fetch-source: damaged package: the remedy" grep -q "$file: .* remove it" "$tmp/stderr"

	rm "$packages/$file"
	fetch source 6.12
	check "fetch-source: failing download" no_half_entry
	mv "$tmp/older" "$tmp/cache/vfio-pci-subpage/source-6.12.1-1"
	fetch source 6.12
	check "fetch-source: offline, an older entry will do" entry_is stamp
}

# ---- fetch-sysroot.sh ----

# An apt whose host has the mirror and the proxy named in two files. With a
# configuration it does what that says, and keeps it; packages it never has.
fake_apt()
{
	rm -rf "${tmp:?}/bin"
	fake dpkg-query <<<'exit 1'
	fake apt-config <<-END
	echo "Acquire::http::Proxy \"\$(cat $tmp/proxy)\";"
	END
	fake apt-get <<-END
	touch $tmp/asked
	case "\$*" in
	indextargets*) echo "Debian [@] http://\$(cat $tmp/mirror)/ bookworm main" ;;
	*update)
		[ ! -e $tmp/offline ] || exit 100
		cp "\$APT_CONFIG" $tmp/apt.conf
		cp "\$(sed -n 's/^Dir::Etc::sourcelist "\(.*\)";/\1/p' $tmp/apt.conf)" $lists/_Packages ;;
	*) exit 100 ;;
	esac
	END
	fake apt-cache <<-END
	grep -q "//\$(cat $tmp/mirror)/" $lists/_Packages || exit 100
	for name; do
		case \$name in
		*:arm64) printf 'Package: %s\nVersion: 1\nSize: 1\n\n' "\${name%:*}" ;;
		esac
	done
	END
}

says_last()
{
	cat "$tmp/stderr"
	[ "$status" = 1 ] && tail -n 1 "$tmp/stderr" | grep -q -- "$1"
}

# What an earlier run that was killed has left is not taken for a configuration.
configuration_is_new()
{
	local cache=$tmp/cache/vfio-pci-subpage
	mkdir -p "$cache/apt-arm64"
	echo 'Acquire::http::Proxy "http://old:1' >"$cache/apt-arm64/apt.conf"
	fetch sysroot arm64
	cat "$tmp/apt.conf"
	grep -q 'Proxy "http://new:2";' "$tmp/apt.conf" &&
		grep -q 'APT::Architecture "arm64";' "$tmp/apt.conf"
}

other_mirror_is_asked()
{
	rm "$tmp/cache/vfio-pci-subpage/sysroot-arm64.manifest"
	echo two >"$tmp/mirror"
	fetch sysroot arm64
	cat "$tmp/stderr"
	grep -q '//two/' "$lists/_Packages"
}

# While another run has the lock, apt is not even asked.
waits_for_the_lock()
{
	local lock=$tmp/cache/vfio-pci-subpage/.sysroot-arm64.lock
	rm -rf "$tmp/cache" "$tmp/asked"
	mkdir -p "${lock%/*}"
	run env XDG_CACHE_HOME="$tmp/cache" flock "$lock" timeout 1 "$scripts/build/fetch-sysroot.sh" arm64
	said 124 'waiting for another run' && [ ! -e "$tmp/asked" ]
}

test_fetch_sysroot()
{
	run "$scripts/build/fetch-sysroot.sh" mips
	check "fetch-sysroot: unknown architecture" said 1 'mips: no sysroot .* use arm64'

	local lists=$tmp/cache/vfio-pci-subpage/apt-arm64/lists
	fake_apt
	rm -rf "$tmp/cache"
	local PATH=$tmp/bin:$PATH
	echo one >"$tmp/mirror"
	echo http://new:2 >"$tmp/proxy"
	touch "$tmp/offline"
	fetch sysroot arm64
	check "fetch-sysroot: no network: the remedy" \
		says_last 'sysroot arm64: no package list has it: check the network'
	rm "$tmp/offline"
	check "fetch-sysroot: the host's present configuration" configuration_is_new
	check "fetch-sysroot: the host's present mirror" other_mirror_is_asked
	check "fetch-sysroot: one at a time" waits_for_the_lock
}

# ---- vfio-bind.sh and vfio-restore.sh ----

a=0000:01:00.0
b=0000:01:00.1
c=0000:02:00.0

# device BDF GROUP CLASS [DRIVER]
device()
{
	local dir=$SYSFS/bus/pci/devices/$1 group=$SYSFS/kernel/iommu_groups/$2
	mkdir -p "$dir" "$group/devices"
	echo "(null)" >"$dir/driver_override"
	echo "$3" >"$dir/class"
	ln -s "$group" "$dir/iommu_group"
	ln -s "$dir" "$group/devices/$1"
	[ -z "${4:-}" ] || ln -s "$SYSFS/bus/pci/drivers/$4" "$dir/driver"
}

# Three devices: a on nvme, its sibling b on e1000e, c without a driver.
fake_sysfs()
{
	local driver
	export SYSFS=$tmp/sys TMPDIR=$tmp/run
	rm -rf "$SYSFS" "$TMPDIR"
	mkdir -p "$TMPDIR"
	for driver in nvme e1000e pcieport vfio-pci mlx5-vfio-pci; do
		mkdir -p "$SYSFS/bus/pci/drivers/$driver"
		touch "$SYSFS/bus/pci/drivers/$driver"/{bind,unbind}
	done
	device 0000:00:1c.0 1 0x060400 pcieport
	device "$a" 1 0x010802 nvme
	device "$b" 1 0x020000 e1000e
	device "$c" 2 0x020000
	echo own-override >"$SYSFS/bus/pci/devices/$c/driver_override"
}

# What the kernel does with a write; a file "refuse-DRIVER-BDF" makes it refuse.
fake_kernel()
{
	rm -rf "${tmp:?}/bin"
	fake tee <<-'END'
	read -r value
	bus=$SYSFS/bus/pci
	refuse() { echo "tee: $1: $2" >&2; exit 1; }
	echo "${1#"$bus/"} $value" >>"$SYSFS/log"
	case $1 in
	*/driver_override)
		echo "${value:-(null)}" >"$1" ;;
	*/unbind)
		[ -L "$bus/devices/$value/driver" ] || refuse "$1" "No such device"
		rm "$bus/devices/$value/driver" ;;
	*/bind)
		driver=${1%/bind}
		[ ! -e "$SYSFS/refuse-${driver##*/}-$value" ] || refuse "$1" "Invalid argument"
		[ ! -L "$bus/devices/$value/driver" ] || refuse "$1" "Device or resource busy"
		case $(cat "$bus/devices/$value/driver_override") in
		"(null)" | "${driver##*/}") ;;
		*) refuse "$1" "No such device" ;;
		esac
		ln -s "$driver" "$bus/devices/$value/driver" ;;
	esac
	END
}

# state: of all three, in a form that can be compared.
state()
{
	local bdf link
	for bdf in "$a" "$b" "$c"; do
		link=$(readlink "$SYSFS/bus/pci/devices/$bdf/driver" || :)
		echo "${bdf#0000:}=${link##*/}/$(cat "$SYSFS/bus/pci/devices/$bdf/driver_override")"
	done | tr '\n' ' '
}

is_original()
{
	[ "$(state)" = "$original" ] || { state; return 1; }
	[ ! -e "$TMPDIR/vfio-pci-subpage-bindings" ] || { echo "memory left"; return 1; }
}

is_on()
{
	local bdf
	for bdf in "${@:2}"; do
		[ "$(readlink "$SYSFS/bus/pci/devices/$bdf/driver")" = "$SYSFS/bus/pci/drivers/$1" ] ||
			return 1
	done
}

# shell SCRIPT ARG...: by the shell that is being tested, with the fake kernel.
shell()
{
	local name=$1
	shift
	# shellcheck disable=SC2086 # "busybox ash" is two words
	run env PATH="$tmp/bin:$PATH" $shell "$scripts/$name.sh" "$@"
}

test_bind_input()
{
	fake_sysfs
	fake_kernel
	shell vfio-bind
	check "bind ($shell): no arguments" said 2 usage
	shell vfio-bind vfio-pci "$a" --
	check "bind ($shell): no command after --" said 2 usage
	shell vfio-bind vfio-pci eth0
	check "bind ($shell): not an address" said 1 'eth0: not a PCI address'
	shell vfio-bind vfio-pci "$a" 0000:09:00.0
	check "bind ($shell): unknown device" said 1 '0000:09:00.0: no such PCI device' 'lspci'
	shell vfio-bind ../vfio-pci "$a"
	check "bind ($shell): driver name with a path" said 1 'not a driver name'
	shell vfio-bind vfio-none "$a"
	check "bind ($shell): driver not loaded" said 1 'vfio-none: driver is not loaded: there is no module .* running kernel'
	ln -s / "$TMPDIR/vfio-pci-subpage-bindings"
	shell vfio-bind vfio-pci "$a"
	check "bind ($shell): memory is somebody's link" said 1 'belongs to somebody else'
	rm "$TMPDIR/vfio-pci-subpage-bindings"
	check "bind ($shell): bad input touches nothing" test ! -e "$SYSFS/log"
	shell vfio-restore "$a"
	check "restore ($shell): nothing remembered" said 1 "$a: nothing remembered"
	shell vfio-restore nonsense
	check "restore ($shell): not an address" said 1 'nonsense: not a PCI address'
	shell vfio-restore
	check "restore ($shell): all of none" test "$status:$(cat "$tmp/stderr")" = 0:
}

test_bind_permission()
{
	local name="bind ($shell): no permission" user=()
	fake_sysfs
	if [ "$(id -u)" = 0 ]; then
		if ! command -v setpriv >/dev/null; then
			skip "$name" "root may write everything, and there is no setpriv"
			return
		fi
		user=(setpriv --reuid=65534 --clear-groups)
		# Nobody may not be able to read the repository.
		cp "$scripts"/{lib,bindings,vfio-bind}.sh "$tmp/"
		chmod -R a+rX "$tmp"
	else
		cp "$scripts"/{lib,bindings,vfio-bind}.sh "$tmp/"
	fi
	chmod a-w "$SYSFS/bus/pci/devices/$a/driver_override"
	# shellcheck disable=SC2086 # "busybox ash" is two words
	run "${user[@]}" $shell "$tmp/vfio-bind.sh" vfio-pci "$a"
	check "$name" said 1 "$a: no permission" 'sudo'
}

test_bind()
{
	fake_sysfs
	fake_kernel
	original=$(state)
	shell vfio-bind vfio-pci "$a" "$c"
	check "bind ($shell): two devices" is_on vfio-pci "$a" "$c"
	check "bind ($shell): warns of the rest of the group" \
		said 0 "$a: its IOMMU group .*: $b (e1000e)\$"
	shell vfio-bind mlx5-vfio-pci "$a" "${b#0000:}"
	check "bind ($shell): to another driver, and without domain" \
		is_on mlx5-vfio-pci "$a" "$b"
	check "bind ($shell): a whole group is no warning" test ! -s "$tmp/stderr"
	shell vfio-bind vfio-pci "$a" -- true
	check "bind ($shell): with a command: back to what it had" is_on mlx5-vfio-pci "$a"
	shell vfio-restore "$a"
	check "restore ($shell): one, to its first driver" is_on nvme "$a"
	check "restore ($shell): the others stay" is_on mlx5-vfio-pci "$b"
	shell vfio-restore
	check "restore ($shell): all" is_original

	shell vfio-bind vfio-pci "$a" "$b"
	echo earlier >"$TMPDIR/vfio-pci-subpage-bindings/$b/boot_id"
	shell vfio-restore "$b"
	check "restore ($shell): memory of an earlier boot" said 1 "$b: nothing remembered"
	mv "$SYSFS/bus/pci/drivers/nvme" "$SYSFS/gone"
	shell vfio-restore
	check "restore ($shell): driver is gone" said 1 "$a: .*nvme is not loaded: modprobe nvme"
	mv "$SYSFS/gone" "$SYSFS/bus/pci/drivers/nvme"
	shell vfio-restore
	check "restore ($shell): second try" is_on nvme "$a"
}

test_bind_failure()
{
	fake_sysfs
	touch "$SYSFS/refuse-vfio-pci-$c"
	shell vfio-bind vfio-pci "$a" "$b" "$c"
	check "bind ($shell): a refusal" said 1 "$c: vfio-pci refused it (Invalid argument)" dmesg
	check "bind ($shell): a refusal puts all back" is_original
	rm "$SYSFS/bus/pci/devices/$c/iommu_group"
	shell vfio-bind vfio-pci "$c"
	check "bind ($shell): no IOMMU group" said 1 "$c: .*enable the IOMMU"

	touch "$SYSFS/refuse-nvme-$a"
	shell vfio-bind vfio-pci "$a" "$c"
	check "bind ($shell): native driver refuses: still remembered" \
		test -d "$TMPDIR/vfio-pci-subpage-bindings/$a"
	rm "$SYSFS/refuse-nvme-$a"
	shell vfio-restore
	check "restore ($shell): after that" is_original
}

# signalled SIGNAL STATUS: while a command runs that would run for a minute. Not
# with the signals ignored that whoever started us ignores (nohup does that, and
# shells for what they put in the background): a shell cannot undo that.
signalled()
{
	local pid tries=0
	rm -f "$tmp/started"
	# shellcheck disable=SC2086,SC2016 # "busybox ash" is two words
	PATH="$tmp/bin:$PATH" env --default-signal=HUP,INT,TERM \
		$shell "$scripts/vfio-bind.sh" vfio-pci "$a" "$c" -- \
		sh -c 'echo $$ >"$0"; exec sleep 60' "$tmp/started" 2>/dev/null &
	pid=$!
	while [ ! -s "$tmp/started" ]; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || return 1
		sleep 0.05
	done
	is_on vfio-pci "$a" "$c" || { echo "not bound"; return 1; }
	kill "-$1" "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" = "$2" ] || { echo "status $status"; return 1; }
	! kill -0 "$(cat "$tmp/started")" 2>/dev/null || { echo "command still runs"; return 1; }
	is_original
}

test_bind_command()
{
	fake_sysfs
	# shellcheck disable=SC2016 # the inner shell expands it
	shell vfio-bind vfio-pci "$a" -- sh -c 'readlink "$SYSFS/bus/pci/devices/$0/driver"; exit 7' "$a"
	check "bind ($shell): the command's exit status" test "$status" = 7
	check "bind ($shell): the command sees the device" grep -q 'drivers/vfio-pci$' "$tmp/stdout"
	check "bind ($shell): a failing command puts back" is_original
	shell vfio-bind vfio-pci "$a" -- /nonexistent
	check "bind ($shell): no such command" test "$status" = 127
	check "bind ($shell): no such command puts back" is_original
	check "bind ($shell): TERM puts back" signalled TERM 143
	check "bind ($shell): HUP puts back" signalled HUP 129
	check "bind ($shell): INT puts back" signalled INT 130
}

main()
{
	local shell
	test_packages
	test_fetch
	test_fetch_sysroot
	shell="sh"
	test_bind_input
	test_bind_permission
	test_bind
	test_bind_failure
	test_bind_command
	if command -v busybox >/dev/null; then
		shell="busybox ash"
		test_bind_input
	else
		skip "bind (busybox ash): bad input" "no busybox here"
	fi
	finish
}

main
