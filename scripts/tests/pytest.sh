#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# pytest.sh FILE...
#
# Run the tests of these files with Debian's pytest; its output is KTAP.

set -euo pipefail
cd -- "$(dirname -- "$0")/../.."
export PYTHONPATH=scripts:scripts/tests
exec /usr/bin/python3 -m pytest -p no:cacheprovider -p ktap "$@"
