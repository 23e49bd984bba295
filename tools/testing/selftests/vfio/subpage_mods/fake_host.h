/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a host made of software looks like: windows, devices, their BARs and
 * their bad habits.
 */
#ifndef SUBPAGE_FAKE_HOST_H
#define SUBPAGE_FAKE_HOST_H

#include <linux/pci.h>
#include <linux/types.h>

#define FAKE_WINDOWS	2
#define FAKE_SLOTS	6

/**
 * enum fake_window_kind - what a window of the host decodes
 * @FAKE_MEM32: not prefetchable, bus addresses below 4 GiB
 * @FAKE_PREF64: 64-bit prefetchable, bus addresses above 4 GiB
 */
enum fake_window_kind {
	FAKE_MEM32,
	FAKE_PREF64,
};

/**
 * struct fake_window - a window of the host
 * @kind: what it decodes
 * @pages: its size; 0 if there is no such window
 */
struct fake_window {
	enum fake_window_kind kind;
	unsigned int pages;
};

/**
 * enum fake_quirk - what is special about a BAR
 * @FAKE_ASSIGN: without an address at first, the PCI core finds one
 */
enum fake_quirk {
	FAKE_ASSIGN = BIT(0),
};

/**
 * struct fake_bar - a memory BAR
 * @size: in bytes, a power of two; 0 if the BAR is not implemented
 * @type: PCI_BASE_ADDRESS_MEM_TYPE_64, PCI_BASE_ADDRESS_MEM_PREFETCH
 * @quirks: of enum fake_quirk
 * @window: where firmware has put it: number of the window,
 * @page: the page in there,
 * @offset: and the offset in that page
 */
struct fake_bar {
	u32 size;
	u32 type;
	u32 quirks;
	u32 window;
	u32 page;
	u32 offset;
};

/**
 * struct fake_device - a device, function 0 of its slot
 * @pm: has a power management capability, and forgets its BARs in D3hot
 * @bars: the first one is implemented unless the slot is empty
 */
struct fake_device {
	bool pm;
	struct fake_bar bars[PCI_STD_NUM_BARS];
};

/**
 * struct fake_scenario - a host
 * @name: value of the parameter that asks for it
 * @windows: of the host
 * @devices: by slot
 */
struct fake_scenario {
	const char *name;
	struct fake_window windows[FAKE_WINDOWS];
	struct fake_device devices[FAKE_SLOTS];
};

const struct fake_scenario *fake_scenario_find(const char *name);

#endif
