#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The Debian packages, made by a user and installed on a fresh root of Debian, with its
# kernel. DEB_SUITE names another release than trixie. If ALL is set autopkgtest runs, too,
# which installs most of it once more.

set -euo pipefail
cd -- "$(dirname -- "$0")/../.."
# Only the root that is made here is there to be changed.
inside=${1:-}
if [ -z "$inside${FRESH_ROOT:-}" ] && [ "$(id -u)" = 0 ]; then
	exec scripts/tests/fresh.sh "${DEB_SUITE:-trixie}" user \
		"ALL=${ALL:-} scripts/tests/deb-test.sh inside"
fi
# shellcheck source=../lib.sh
. scripts/lib.sh
# shellcheck source=ktap.sh
. scripts/tests/ktap.sh

progress()
{
	say "$1"
}

# Recommended is what charts are made with.
apt()
{
	sudo DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends "$@"
}

install_packages()
{
	apt install ./build/deb/*.deb 2>&1
}

# Every file but those of apt itself, and the key that DKMS makes for all modules
files()
{
	sudo find / -xdev \( -path /home -o -path /tmp -o -path /var/cache -o -path /var/log \
		-o -path /var/lib/apt -o -path /var/lib/dpkg \) -prune \
		-o ! -path '/var/lib/dkms/mok.*' -print | LC_ALL=C sort
}

# purged FILES: only these are left, and nothing speaks of the module
purged()
{
	apt purge 'vfio-pci-subpage-*' || return
	files | diff "$1" - || return
	! sudo grep -rls vfio.pci.subpage /etc /usr/lib/modules /var/lib/dkms || return
	! sudo lsinitramfs "/boot/initrd.img-$release" 2>/dev/null | grep subpage
}

builds()
{
	make deb && ls build/deb/vfio-pci-subpage-{dkms,tools}_*.deb
}

versions_agree()
{
	local version file
	version=$(sed -n 's/^MODULE_VERSION("\(.*\)");/\1/p' drivers/vfio/pci/subpage/main.c)
	for file in build/deb/*.deb; do
		same "$file" "$version" "$(dpkg-deb -f "$file" Version | cut -d+ -f1)" || return
	done
	sed -i 's/^PACKAGE_VERSION=.*/PACKAGE_VERSION="0.9"/' build/deb/vfio-pci-subpage/dkms.conf
	same "what make deb says" \
		"deb.sh: dkms.conf: PACKAGE_VERSION is not $version: make it the MODULE_VERSION of drivers/vfio/pci/subpage/main.c" \
		"$(build/deb/vfio-pci-subpage/scripts/package/deb.sh 2>&1)"
}

lintian_clean()
{
	lintian --fail-on error,warning --tag-display-limit 0 build/deb/*.deb
}

# It is installed, and says how to get the module.
without_headers()
{
	local out
	out=$(install_packages) || { echo "$out"; return 1; }
	grep -E 'headers.*(were found|not seem to be installed)' <<<"$out" || { echo "$out"; return 1; }
	[ -z "$(find /usr/lib/modules -name 'vfio_pci_subpage*')" ]
}

# Without a package, as on other distributions
dkms_add()
{
	sudo dkms add . && sudo dkms install vfio-pci-subpage/1.0 -k "$release" &&
		modinfo -k "$release" vfio_pci_subpage && sudo dkms remove vfio-pci-subpage/1.0 --all &&
		sudo rm -r /usr/src/vfio-pci-subpage-1.0
}

# Each kernel with VFIO gets the module; of the others it is said why not.
with_headers()
{
	install_packages >build/deb/install.log || { cat build/deb/install.log; return 1; }
	dkms status
	dkms status -m vfio-pci-subpage -k "$release" | grep -q ': installed' || return
	grep -A1 "6.12.0-without-vfio.*dkms.conf" build/deb/install.log | grep "BUILD_EXCLUSIVE directive" ||
		{ cat build/deb/install.log; return 1; }
	same kernels "$release" "$(dkms status -m vfio-pci-subpage | cut -d, -f2 | xargs)" || return
	same file "/lib/modules/$release/updates/dkms" \
		"$(dirname "$(modinfo -k "$release" -n vfio_pci_subpage)")"
}

is_signed()
{
	same signer "DKMS module signing key" "$(modinfo -k "$release" -F signer vfio_pci_subpage)"
}

# The module comes before what all drivers of VFIO need.
loads_first()
{
	same order "/vfio_pci_subpage.ko /vfio-pci-core.ko /vfio-pci.ko" "$(modprobe -S "$release" -D vfio-pci |
		grep -oE '/(vfio_pci_subpage|vfio-pci-core|vfio-pci)\.ko' | xargs)"
}

# The image was made when the package was installed.
initramfs_has_it()
{
	local list
	list=$(sudo lsinitramfs "/boot/initrd.img-$release")
	grep -q '/vfio-pci\.ko' <<<"$list" && grep '/vfio_pci_subpage\.ko' <<<"$list" &&
		grep 'modprobe\.d/vfio-pci-subpage-dkms\.conf' <<<"$list"
}

autopkgtest_passes()
{
	local out status=0
	apt install autopkgtest || return
	out=$(sudo autopkgtest -B build/kept/*.deb build/kept/vfio-pci-subpage -- null 2>&1) || status=$?
	tail -n 30 <<<"$out"
	[ $status = 0 ] && grep -q "I: PASS .*$release" <<<"$out"
}

# One module is left, of the version that is newer.
upgrades()
{
	sed -i 's/^\(MODULE_VERSION("\|PACKAGE_VERSION="\).*"/\199.0"/' dkms.conf drivers/vfio/pci/subpage/main.c
	scripts/package/deb.sh --build=all && install_packages || return
	same "version of the module" 99.0 "$(modinfo -k "$release" -F version vfio_pci_subpage)" || return
	same sources /usr/src/vfio-pci-subpage-99.0 "$(echo /usr/src/vfio-pci-subpage-*)" || return
	dkms status
	same modules 1 "$(dkms status -m vfio-pci-subpage | wc -l)"
}

if [ -z "$inside" ]; then
	skip deb "roots of Debian are made by root: run it as root, and not in such a root"
	finish
	exit
fi
release=none
check deb.builds builds
sudo apt-get -qq update
check deb.tools apt install lintian dkms kmod initramfs-tools man-db libjson-c5 libnuma1 libpci3
sudo mkdir -p /usr/lib/modules/6.12.0-without-headers
files >build/deb/files
check deb.versions_agree versions_agree
check deb.lintian_clean lintian_clean
check deb.without_headers without_headers
check deb.purge_without_headers purged build/deb/files

# An initramfs with no other modules is made faster.
echo MODULES=list | sudo tee /etc/initramfs-tools/conf.d/test >/dev/null
echo vfio-pci | sudo tee -a /etc/initramfs-tools/modules >/dev/null
check deb.kernel apt install linux-image-amd64 linux-headers-amd64
release=$(basename /boot/vmlinuz-* | cut -d- -f2-)
# Debian has none without VFIO. DKMS of Debian 12 reads the first of these, of 13 the other.
vfioless=/usr/lib/modules/6.12.0-without-vfio/build
sudo mkdir -p $vfioless/include/config
echo CONFIG_PCI=y | sudo tee $vfioless/.config $vfioless/include/config/auto.conf >/dev/null
check deb.dkms_add dkms_add
files >build/deb/files
check deb.with_headers with_headers
check deb.is_signed is_signed
check deb.loads_first loads_first
check deb.initramfs initramfs_has_it
check deb.commands sudo scripts/package/debian/tests/commands
cp -r build/deb build/kept
check deb.upgrades upgrades
check deb.purge purged build/kept/files
[ -z "${ALL:-}" ] || check deb.autopkgtest autopkgtest_passes
finish
