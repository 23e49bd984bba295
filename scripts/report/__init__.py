# SPDX-License-Identifier: GPL-2.0-only
"""The parts of scripts/report.py.

schema owns the fields of records and of results.json. merge makes the one of the
other, with what kunit reads; load reads results.json, with the names of devices.
bars, pagemap, ladder, opens, verdict and compare work out what is shown, gate what
does not pass; single and comparison put that into the blocks of document; page,
markdown, csvfile and console write. charts is the only one that needs matplotlib,
and imports it when a chart is drawn.
"""
