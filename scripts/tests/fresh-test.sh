#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The first command of the README on fresh roots of Debian: for root on one release, for
# a user with sudo on another. FRESH="SUITE USER ..." names others; INSTALLED=1 tries the
# kernel that is installed there.

set -euo pipefail
cd -- "$(dirname -- "$0")/../.."
# shellcheck source=ktap.sh
. scripts/tests/ktap.sh

# shellcheck disable=SC2016 # for the shell there
readonly left='echo "kernels: $(ls /boot | paste -sd " "); foreign: $(dpkg --print-foreign-architectures)"'
commands=("$left" 1 "$left")
if [ -n "${INSTALLED:-}" ]; then
	# shellcheck disable=SC2016 # for the shell there
	commands=('sudo apt-get -qq update'
		  'sudo apt-get -qq install -y --no-install-recommends linux-image-amd64 linux-headers-amd64'
		  "$left" 'KERNEL=$(ls /boot/vmlinuz-*) PLATFORM=installed make kselftest TARGETS=vfio'
		  "$left")
fi

fresh()
{
	scripts/tests/fresh.sh "$1" "$2" "${commands[@]}" \
		>"build/check/fresh-$1-$2.log" 2>&1 </dev/null
}

# is_as_it_should NAME PID: all is mapped, and no kernel nor architecture has come
is_as_it_should()
{
	local log=build/check/fresh-$1.log mapped
	wait "$2" || { tail -n 20 "$log"; return 1; }
	tail -n 5 "$log"
	mapped=$(sed -nE 's/^([0-9]+) of ([0-9]+) sub-page MMIO BARs mapped .*/\1 \2/p' "$log")
	[ -n "$mapped" ] && [ "${mapped% *}" = "${mapped#* }" ] || return 1
	same "kinds of what is installed" 1 "$(grep '^kernels:' "$log" | sort -u | wc -l)"
}

read -ra roots <<<"${FRESH:-bookworm root trixie user}"
names=() pids=()
for ((i = 0; i < ${#roots[@]}; i += 2)); do
	suite=${roots[i]} user=${roots[i + 1]}
	if [ -n "${FRESH_ROOT:-}" ]; then
		skip "fresh.$suite.$user" "this is such a root"
	elif [ "$(id -u)" != 0 ]; then
		skip "fresh.$suite.$user" "roots of Debian are made by root: run it as root"
	else
		fresh "$suite" "$user" &
		names+=("$suite-$user") pids+=($!)
	fi
done
for i in "${!pids[@]}"; do
	check "fresh.${names[i]/-/.}" is_as_it_should "${names[i]}" "${pids[i]}"
done
finish
