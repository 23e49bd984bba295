/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages for the sub-page memory BARs of a device. Knows struct pci_dev and the
 * resource tree, and nothing else.
 */
#ifndef PCI_SUBPAGE_BARS_H
#define PCI_SUBPAGE_BARS_H

#include <linux/ioport.h>
#include <linux/pci.h>

/**
 * enum pci_subpage_state - what became of a BAR
 * @PCI_SUBPAGE_NONE: not a sub-page memory BAR, or not looked at yet
 * @PCI_SUBPAGE_IN_PLACE: it started its page, and nothing else was in there
 * @PCI_SUBPAGE_RELOCATED: it was moved to the start of a free page
 * @PCI_SUBPAGE_UNASSIGNED: it has no address, or no window holds it
 * @PCI_SUBPAGE_FIXED: it would have to move and cannot: Enhanced Allocation, a
 *	host bridge whose addresses are to be kept, or memory decode that has to
 *	stay on
 * @PCI_SUBPAGE_BUSY: it would have to move, and somebody uses the device
 * @PCI_SUBPAGE_EXCLUDED: the administrator wants it to stay where it is
 * @PCI_SUBPAGE_NO_SPACE: it would have to move to another page, and no window
 *	that it may live in has a free one
 * @PCI_SUBPAGE_RESERVED: as before, but for pages that firmware has reserved
 * @PCI_SUBPAGE_REJECTED: it would have to move, and its register did not take
 *	the new address
 * @PCI_SUBPAGE_INACCESSIBLE: it would have to move, and the device does not
 *	answer
 *
 * Of all but the first three, the BAR is where it was and as large as it was.
 */
enum pci_subpage_state {
	PCI_SUBPAGE_NONE,
	PCI_SUBPAGE_IN_PLACE,
	PCI_SUBPAGE_RELOCATED,
	PCI_SUBPAGE_UNASSIGNED,
	PCI_SUBPAGE_FIXED,
	PCI_SUBPAGE_BUSY,
	PCI_SUBPAGE_EXCLUDED,
	PCI_SUBPAGE_NO_SPACE,
	PCI_SUBPAGE_RESERVED,
	PCI_SUBPAGE_REJECTED,
	PCI_SUBPAGE_INACCESSIBLE,
};

/**
 * enum pci_subpage_relocate - whether a BAR may be moved
 * @PCI_SUBPAGE_RELOCATE_NO: never
 * @PCI_SUBPAGE_RELOCATE_YES: unless firmware wants its addresses kept
 * @PCI_SUBPAGE_RELOCATE_FORCE: also where the firmware of a host bridge wants its
 *	addresses kept (PCI Firmware Specification r3.3, 4.6.5: _DSM function 5)
 */
enum pci_subpage_relocate {
	PCI_SUBPAGE_RELOCATE_NO,
	PCI_SUBPAGE_RELOCATE_YES,
	PCI_SUBPAGE_RELOCATE_FORCE,
};

/**
 * struct pci_subpage_policy - what the administrator wants for a device
 * @relocate: whether BARs may be moved
 * @keep_size: a BAR keeps its size, and the rest of its page is not reserved
 * @exclude: the device is left as it is
 */
struct pci_subpage_policy {
	enum pci_subpage_relocate relocate;
	bool keep_size;
	bool exclude;
};

/**
 * struct pci_subpage_bar - a BAR
 * @state: what became of it
 * @size: bytes that it has in the device; 0 if it is no sub-page memory BAR
 */
struct pci_subpage_bar {
	enum pci_subpage_state state;
	resource_size_t size;
};

/**
 * struct pci_subpage - the sub-page BARs of a device
 * @pdev: the device
 * @bar: of each standard BAR
 * @page: while a BAR moves, the page that it moves to
 * @old: while a BAR moves, the place that it leaves
 * @carrier: while a BAR moves, its parent on the way
 *
 * The last three are in the resource tree for as long as a move takes. Others
 * may still print the name of one when it has left, which is why they are here
 * and not on a stack.
 */
struct pci_subpage {
	struct pci_dev *pdev;
	struct pci_subpage_bar bar[PCI_STD_NUM_BARS];
	struct resource page;
	struct resource old;
	struct resource carrier;
};

bool pci_subpage_has_bars(struct pci_dev *pdev);
void pci_subpage_prepare_bars(struct pci_subpage *sp, const struct pci_subpage_policy *policy);
void pci_subpage_restore_bars(struct pci_subpage *sp);
const char *pci_subpage_state_name(enum pci_subpage_state state);

#endif
