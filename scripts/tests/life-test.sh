#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A host from the first day to the last, a boot for each job: what binds and uses devices
# works with the module as ever, and the module outlives a kernel. Debian 13, and of
# Debian 12 the clients.

set -euo pipefail
cd -- "$(dirname -- "$0")/../.."
# shellcheck source=ktap.sh
. scripts/tests/ktap.sh
# shellcheck source=host.sh
. scripts/tests/host.sh

host_boots trixie bind reboot clients "initramfs vfio-pci.ids=106b:003f" update purge
installed=1 host_boots bookworm bind clients
finish
