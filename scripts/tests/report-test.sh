#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of scripts/report.py: what it makes of records, what it works out, and what it
# writes, in a browser too.

set -euo pipefail
cd -- "$(dirname -- "$0")/../.."
scripts/packages.sh report browser
exec scripts/tests/pytest.sh scripts/tests/report
