# SPDX-License-Identifier: GPL-2.0-only
"""The parts of scripts/report.py.

load reads and checks a results.json; times says which of its times count;
coverage, ladder, opens and compare work out what it shows, gate what does not
pass; single and comparison put that into the blocks of document; page, markdown
and csvfile write them. charts is the only one that needs matplotlib, and imports
it when a chart is drawn.
"""
