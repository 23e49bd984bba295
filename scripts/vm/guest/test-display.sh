#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A boot frame buffer in a BAR of a display that is not VGA-compatible: vfio-pci
# leaves it there, and is then refused the BAR. The suite knows. Topology: display,
# with vga=0x340 on the kernel's command line.
# shellcheck source=lib.sh
. /guest/lib.sh

suite=/suite/vfio_pci_subpage_test

# The name of the region inside BAR 0 of the display, if there is one.
framebuffer()
{
	_display=$(bdf display)
	iomem | grep -A 1 "^ *$(printf %08x $(($(bar_start "$_display" 0))))-.* : $_display$" |
		sed -n '2s/^ \{4\}.* : //p'
}

# says PATTERN: a line of the suite's output
says()
{
	grep -qE -- "$1" out || { echo "no line like: $1"; return 1; }
}

# run_suite ID: on a device, with a register of its BAR 0
run_suite()
{
	runs 0 $suite --register "$(bdf "$1") bar=0 offset=0x0 width=4 access=ro" "$(bdf "$1")"
}

has_framebuffer()
{
	same "what is in the BAR" vesafb "$(framebuffer)"
}

busy_bar_is_explained()
{
	run_suite display &&
		says "^ *# BAR0: 'vesafb' has .*EBUSY.*sysfb_init" &&
		says "^ *ok .*bar.bar0.mmap$" && says "^ *ok .*looks_the_same$" &&
		says "^ *ok .*registers0.agree # SKIP 'vesafb' has"
}

# What measures does not fail either: registers are skipped, and another BAR mapped.
busy_bar_is_not_measured()
{
	runs 4 /suite/vfio_pci_subpage_perf "$(bdf display)" &&
		says "BAR0 skipped: 'vesafb' has .*EBUSY" &&
		runs 0 /suite/vfio_pci_subpage_open --samples 2 "$(bdf display)" &&
		bind vfio-pci "$(bdf display)"
}

others_keep_their_checks()
{
	run_suite ohci && says "^ *ok .*registers0.agree$" &&
		same "BARs that are busy" 0 "$(grep -c EBUSY out)"
}

# Once the frame buffer has left, the BAR has to be mapped like any other.
free_bar_is_mapped()
{
	echo vesa-framebuffer.0 >/sys/bus/platform/drivers/vesa-framebuffer/unbind
	same "what is in the BAR" "" "$(framebuffer)" && run_suite display &&
		says "^ *ok .*registers0.agree$" &&
		same "BARs that are busy" 0 "$(grep -c EBUSY out)"
}

load_plain_vfio && bind_all || exit 1
check display.has_framebuffer has_framebuffer
check display.busy_bar_is_explained busy_bar_is_explained
check display.busy_bar_is_not_measured busy_bar_is_not_measured
check display.others_keep_their_checks others_keep_their_checks
check display.free_bar_is_mapped free_bar_is_mapped
finish
