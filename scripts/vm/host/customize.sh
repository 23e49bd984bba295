#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# customize.sh ROOT SOURCES
#
# For mmdebstrap: make a machine with a user of the root that it has made. SOURCES has a
# newer kernel, which is downloaded but not installed.

set -eu
root=$1
echo host >"$root/etc/hostname"
echo "127.0.0.1 localhost host" >"$root/etc/hosts"
echo "/dev/vda / ext4 defaults 0 1" >"$root/etc/fstab"
chroot "$root" useradd -m -s /bin/bash user
echo 'user ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/user"
chroot "$root" systemctl --quiet enable vm-job.service
chroot "$root" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer e2scrub_reap.service \
	dpdk.service systemd-binfmt.service getty@tty1.service serial-getty@ttyS0.service
# Nothing has to be updated at the first boot.
touch "$root/etc/.updated" "$root/var/.updated"

cp "$2" "$root/etc/apt/sources.list.d/newer.list"
printf 'Package: *\nPin: release n=%s\nPin-Priority: 500\n' "$(awk '{ print $(NF - 1); exit }' "$2")" \
	>"$root/etc/apt/preferences.d/newer"
export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"
apt-get -qq update
apt-get -qq --yes --no-install-recommends --download-only install linux-image-amd64 linux-headers-amd64
