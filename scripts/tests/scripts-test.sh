#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of the scripts that a user runs: what they leave when something goes wrong,
# and their exit codes.

set -euo pipefail
cd -- "$(dirname -- "$0")/../.."
exec scripts/tests/pytest.sh scripts/tests/test_*.py
