# SPDX-License-Identifier: GPL-2.0-only
#
# Prints "passed failed skipped" of KTAP. A line that only sums up the more
# deeply indented ones above it is no result of its own.
match($0, /^ *(not )?ok [0-9]+/) {
	match($0, /^ */)
	depth = RLENGTH
	parent = depth < last
	last = depth
	if (parent)
		next
	if (/ # SKIP/)
		skipped++
	else if (/^ *not ok/)
		failed++
	else
		passed++
}

END {
	print passed + 0, failed + 0, skipped + 0
}
