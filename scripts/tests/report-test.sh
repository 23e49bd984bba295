#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of scripts/report.py, by pytest: what it makes of records, what it works out, and
# what it writes, in a browser too.

set -euo pipefail
cd -- "$(dirname -- "$0")/../.."

scripts/packages.sh report browser check
mkdir -p build/check
log=build/check/report.log
status=0
/usr/bin/python3 -m pytest -q -rA --tb=short -p no:cacheprovider \
	scripts/tests/report*_test.py >$log || status=$?
echo "TAP version 13"
awk '/^PASSED / { print "ok", ++n, substr($0, 8) }
     /^SKIPPED / { print "ok", ++n, $3, "# SKIP", substr($0, index($0, $4)) }
     /^(FAILED|ERROR) / { print "not ok", ++n, $2 }
     END { print "1.." n + 0 }' $log
[ $status = 0 ] || sed 's/^/# /' $log
exit $status
