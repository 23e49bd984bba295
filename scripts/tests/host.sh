# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# A host: a virtual machine with Debian that boots by itself. Sourced after ktap.sh in
# the top directory, never run.

# shellcheck source=../lib.sh
. scripts/lib.sh

# new_host DIRECTORY RELEASE: that nobody has used, with a clone of this project and what
# needs a network to be made of it
new_host()
{
	local image
	rm -rf "$1"
	mkdir -p "$1"
	scripts/packages.sh vm deb &&
		image=$(scripts/build/host-image.sh "$2") && cp --sparse=always "$image" "$1/disk.img" &&
		git clone -q --no-hardlinks . "$1/project" && make -s -C "$1/project" deb >&2 &&
		cp -r "$(scripts/build/fetch-source.sh 6.12)/tools/testing/selftests" "$1/selftests"
}

# install_on DIRECTORY: the packages, before its machine is switched on: an emulated CPU takes
# some minutes to build the module
install_on()
{
	# shellcheck disable=SC2016 # the inner shell expands it
	as_root "install packages on a disk image" unshare --mount sh -c '
		mount -o loop "$1/disk.img" /mnt && mount -t proc proc /mnt/proc &&
			mount --bind /dev /mnt/dev && mount --bind "$1/project/build/deb" /mnt/mnt &&
			chroot /mnt sh -c "apt-get --yes install /mnt/*.deb"' sh "$1" \
		>"$1/install.log" 2>&1 </dev/null || { tail -n 20 "$1/install.log" >&2; return 1; }
}

# boot_host DIRECTORY RELEASE JOB APPEND: boot it, with more on the kernel command line
boot_host()
{
	scripts/vm/run.py --disk "$1/disk.img" --topology host --platform "$2" --share "$1" \
		--job "$3.sh" --append "$4" --boot-limit 600 --limit 2400 2>&1 </dev/null |
		sed -u "s/^vm: /vm: $2 $3: /" | tee "$1/$3.log" >&2
}

# judged STATUS DIRECTORY JOB
judged()
{
	[ "$1" = 0 ] || { tail -n 30 "$2/$3.log"; echo "more is in $2/$3.*"; return 1; }
}

# host_boots RELEASE "JOB [APPEND]"...: boot a new host for each job of scripts/vm/host until
# one does not come to its end; the KTAP of each is a subtest. The first one installs the
# packages, if $installed is not set.
host_boots()
{
	local release=$1 dir=build/check/${me%-test.sh}-$1 job append status=0 log why=
	shift
	if [ "$(uname -m)" != x86_64 ]; then
		why="needs an x86_64 host"
	elif [ "$(id -u)" != 0 ] && ! as_root "make a root of Debian" true; then
		why="a root of Debian is made by root: run it as root, or allow sudo"
	elif ! as_root "find a loop device" losetup -f >/dev/null 2>&1; then
		why="needs a loop device, for its disk: run it outside of a container"
	elif ! new_host "$dir" "$release" || ! ${installed:+install_on "$dir"}; then
		echo "Bail out! no host: look above for the reason"
		return 1
	fi
	for job; do
		append=${job#"${job%% *}"} job=${job%% *}
		[ -z "$why" ] || { skip "$release.$job" "$why"; continue; }
		status=0
		boot_host "$dir" "$release" "$job" "$append" || status=$?
		for log in ktap.log dmesg.log journal.log job.err; do
			[ ! -e "$dir/$log" ] || mv "$dir/$log" "$dir/$job.$log"
		done
		echo "# Subtest: $release.$job"
		sed 's/^/    /' "$dir/$job.ktap.log" || :
		check "$release.$job" judged $status "$dir" "$job"
		[ $status != 3 ] || why="the machine did not come to the end of $job"
	done
	# Whoever looks for what failed can boot it again.
	[ "${ktap_failed:-0}" != 0 ] || rm -f "$dir/disk.img"
}
