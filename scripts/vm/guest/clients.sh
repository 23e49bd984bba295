# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# What jobs with clients of VFIO share. Sourced after lib.sh. /clients is what
# scripts/build/fetch-clients.sh has unpacked.

# mount_shared TAG DIR: that the runner shares read-only
mount_shared()
{
	mkdir -p "$2" &&
		mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=262144,cache=loose "$1" "$2"
}

# enter_clients: from now on "client" runs one; it sees what is mounted below /tmp
enter_clients()
{
	mount_shared clients /clients || return 1
	for _dir in dev proc sys tmp; do
		mount -o rbind /$_dir /clients/$_dir || return 1
	done
}

# client SECONDS COMMAND [ARG]...: it has so many
client()
{
	_limit=$1
	shift
	timeout "$_limit" env -i LC_ALL=C PATH=/usr/bin:/usr/sbin /bin/chroot /clients "$@"
}
