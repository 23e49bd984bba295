#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# deb.sh [OPTION]...
#
# Build Debian packages of this tree into build/deb, for the release of Debian that this
# is. Options are those of dpkg-buildpackage, such as --build=all.

set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname -- "$0")/../lib.sh"
cd -- "$(dirname -- "$0")/../.."

# MODULE_VERSION is the version; what DKMS calls it has to be written down, too.
module_version()
{
	local version
	version=$(sed -n 's/^MODULE_VERSION("\(.*\)");/\1/p' drivers/vfio/pci/subpage/main.c)
	grep -qx "PACKAGE_VERSION=\"$version\"" dkms.conf ||
		die "dkms.conf: PACKAGE_VERSION is not $version: make it the MODULE_VERSION of drivers/vfio/pci/subpage/main.c"
	echo "$version"
}

# changelog VERSION SECONDS: a later commit makes a newer package
changelog()
{
	cat <<-END
	vfio-pci-subpage ($1+$(date -u -d "@$2" +%Y%m%d.%H%M%S)) unstable; urgency=medium

	  * Built from the project's own tree.

	 -- $(sed -n 's/^Maintainer: //p' "$package/control")  $(date -R -u -d "@$2")
	END
}

main()
{
	local package=scripts/package/debian tree=build/deb/vfio-pci-subpage version time
	version=$(module_version)
	scripts/packages.sh build deb
	[ -n "${SELFTESTS_DIR:-}" ] ||
		SELFTESTS_DIR=$(scripts/build/fetch-source.sh 6.12)/tools/testing/selftests
	# Sources from an archive have the time of their commit.
	time=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y dkms.conf)

	rm -rf build/deb
	mkdir -p "$tree"
	tar -c --exclude=./build --exclude=./.git . | tar -x -C "$tree"
	cp -r "$package" "$tree/debian"
	changelog "$version" "$time" >"$tree/debian/changelog"
	# Whoever installs all that is there wants no symbols.
	(cd "$tree" && SELFTESTS_DIR=$SELFTESTS_DIR DEB_BUILD_OPTIONS="noautodbgsym ${DEB_BUILD_OPTIONS:-}" \
		dpkg-buildpackage --unsigned-source --unsigned-changes "${@:---build=binary}") >build/deb/log 2>&1 || {
		tail -n 20 build/deb/log >&2
		die "build/deb/log: a package does not build: look above for the reason"
	}
	ls build/deb/*.deb
}

main "$@"
