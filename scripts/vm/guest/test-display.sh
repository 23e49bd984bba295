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

# run_suite: on both devices, with a register of each BAR in question
run_suite()
{
	runs 0 $suite --register "$(bdf display) bar=0 offset=0x0 width=4 access=ro" \
		"$(bdf display)" "$(bdf ohci)"
}

has_framebuffer()
{
	same "what is in the BAR" vesafb "$(framebuffer)"
}

busy_bar_is_explained()
{
	_bar="$(bdf display)-bar0"
	run_suite &&
		says "^# $_bar: 'vesafb' has .*EBUSY.*sysfb_init" &&
		says "^ok .* bar.$_bar.mmap$" &&
		says "^ok .* bar.$_bar.paths_agree # SKIP 'vesafb' has" &&
		says "^ok .* backend.$(bdf display)-container.mmap$"
}

others_keep_their_checks()
{
	run_suite && says "^ok .* bar.$(bdf ohci)-bar0.paths_agree$" &&
		same "BARs that are busy" 1 "$(grep -c '^# [^ ].*EBUSY' out)"
}

# Once the frame buffer has left, the BAR has to be mapped like any other.
free_bar_is_mapped()
{
	echo vesa-framebuffer.0 >/sys/bus/platform/drivers/vesa-framebuffer/unbind
	same "what is in the BAR" "" "$(framebuffer)" && run_suite &&
		says "^ok .* bar.$(bdf display)-bar0.paths_agree$" &&
		same "BARs that are busy" 0 "$(grep -c EBUSY out)"
}

load_plain_vfio && bind_all || exit 1
check display.has_framebuffer has_framebuffer
check display.busy_bar_is_explained busy_bar_is_explained
check display.others_keep_their_checks others_keep_their_checks
check display.free_bar_is_mapped free_bar_is_mapped
finish
