#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The first day of a host with Debian 13, on which the packages are: bind, by the commands of
# the README.
# life-test.sh has what comes later.

set -euo pipefail
cd -- "$(dirname -- "$0")/../.."
# shellcheck source=ktap.sh
. scripts/tests/ktap.sh
# shellcheck source=host.sh
. scripts/tests/host.sh

installed=1 host_boots trixie bind
finish
