#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The report of results.json: its numbers against independent computation, its
# errors, what it writes, and the page in a browser at two widths.

set -euo pipefail
cd -- "$(dirname -- "$0")/../.."
# shellcheck source=ktap.sh
. scripts/tests/ktap.sh

scripts/packages.sh report browser
scripts/build/suite.sh build/suite
out=build/check/report
rm -rf $out
mkdir -p $out

# What report_test.py makes up, as files.
samples()
{
	/usr/bin/python3 - $out <<-'END'
	import json, sys
	sys.path.insert(0, "scripts/tests")
	import report_test
	many = report_test.results()
	for n in range(5, 15):
	    many["timings"] += [{**entry, "bdf": f"0000:{n:02x}:00.1", "offset": 4096 * n}
	                        for entry in many["timings"][:6]]
	for name, top in (("before", many), ("after", report_test.scaled(1.2)),
	                  ("partial", report_test.results(partial=True))):
	    with open(f"{sys.argv[1]}/{name}.json", "w", encoding="utf-8") as file:
	        json.dump(top, file)
	END
}

unit_tests()
{
	local status=0
	echo "# Subtest: report_test.py"
	scripts/tests/report_test.py >$out/unit.out 2>&1 || status=$?
	sed 's/^/    /' $out/unit.out
	check report_test.py test $status = 0
}

# Of the paths, with fewer digits, and over as many registers.
same_ratios()
{
	/usr/bin/python3 - "$@" <<-'END'
	import re, sys
	console, page = (open(name, encoding="utf-8").read() for name in sys.argv[1:])
	printed = re.findall(r"^(\S+ / \S+): ([\d.]+), median of the reads of (\d+) registers$",
	                     console, re.MULTILINE)
	shown = {name: (float(ratio), count) for name, ratio, count in
	         re.findall(r"^\| (\S+ / \S+) \| ([\d.]+) \| .*? \| (\d+) \|", page, re.MULTILINE)}
	assert len(printed) == len(shown), f"{printed} but {shown}"
	for name, ratio, count in printed:
	    assert shown[name][1] == count, f"{name}: {count} but {shown[name]}"
	    assert abs(shown[name][0] / float(ratio) - 1) < 0.01, f"{name}: {ratio} but {shown[name]}"
	END
}

# The C program prints the same summary and the same ratios.
agrees()
{
	local ratio
	scripts/report.py --markdown $out/c.md "$1" || return 1
	build/suite/vfio_pci_subpage_report "$1" >$out/c.txt || return 1
	cat $out/c.txt
	ratio=$(sed -nE 's/^median ratio of ([0-9]+) mapped BARs: (.*)/\2 (\1 /p' $out/c.txt)
	grep -qixF "$(tail -n 1 $out/c.txt)." $out/c.md &&
		{ [ -z "$ratio" ] || grep -qF "mapped read: $ratio" $out/c.md; } &&
		same_ratios $out/c.txt $out/c.md
}

# makes PAGE FILE...
makes()
{
	local page=$1
	shift
	scripts/report.py --html "$out/$page.html" "$@"
}

# looks PAGE WIDTH [--phone]: as wide as the window, all charts in sight, nothing
# loaded, and not blank
looks()
{
	local page=$1 width=$2
	shift 2
	scripts/tests/browser.py "$out/$page.html" "$width" "$out/$page-$width.png" "$@" \
		>"$out/$page-$width.json" || return 1
	cat "$out/$page-$width.json"
	/usr/bin/python3 - "$width" "$out/$page-$width.json" "$out/$page-$width.png" <<-'END'
	import json, sys
	from matplotlib import image
	width, seen = int(sys.argv[1]), json.load(open(sys.argv[2], encoding="utf-8"))
	assert seen["inner"] == width, "not the width that was asked for"
	assert seen["scroll"] <= width and not seen["scrolled"], "the page can be scrolled sideways"
	assert not seen["out"], "something sticks out"
	assert not seen["cut"], "text of a chart is cut off"
	assert seen["charts"] and max(seen["charts"]) <= width, "charts are too wide, or none"
	assert len(seen["requests"]) == 1, "it loads something"
	assert not seen["complaints"], "the browser complains"
	pixels = image.imread(sys.argv[3])[:, :, :3]
	ink = (pixels.min(axis=2) < 0.6).mean()
	print(f"{pixels.shape}, {ink:.1%} ink")
	assert 0.005 < ink < 0.5, "blank"
	# Not only at the top: each part of a page has something on it.
	parts = [pixels[i:i + 1500] for i in range(0, len(pixels) - 1500, 1500)]
	assert all((part.min(axis=2) < 0.6).any() for part in parts), "a part of it is blank"
	END
}

# A page that is too wide has to be noticed, or the check above says nothing.
notices_overflow()
{
	sed 's/<main>/<main><div style="width:1000px">wide<\/div>/' $out/single.html >$out/wide.html
	! looks wide 390 --phone
}

# make report, of a run that is not the latest
draws_latest()
{
	mkdir -p $out/latest
	cp $out/before.json $out/latest/results.json
	make -s report RESULTS=$out/latest/results.json && [ -s $out/latest/report.html ]
}

unit_tests
check report.samples samples
check report.agrees_with_the_c_program agrees $out/before.json
for results in build/results/*/results.json; do
	[ ! -s "$results" ] || [ -L "$(dirname "$results")" ] ||
		check "report.of_$(basename "$(dirname "$results")")" agrees "$results"
done
check report.single makes single $out/before.json
check report.comparison makes comparison $out/before.json $out/after.json
check report.partial makes partial $out/partial.json
for page in single comparison partial; do
	check browser.${page}_desktop looks $page 1280
	check browser.${page}_phone looks $page 390 --phone
done
check browser.overflow_is_noticed notices_overflow
check report.make draws_latest
finish
