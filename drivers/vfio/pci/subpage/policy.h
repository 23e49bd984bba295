/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What should happen to a BAR: a pure function over addresses.
 *
 * Nothing here touches a device, the resource tree or a lock, so that the same
 * file is compiled into the module and into a unit test in user space.
 */
#ifndef PCI_SUBPAGE_POLICY_H
#define PCI_SUBPAGE_POLICY_H

#include <linux/types.h>

/**
 * enum pci_subpage_claim - how the page of a sub-page BAR is held
 * @PCI_SUBPAGE_NONE: not held; the BAR must not be mapped
 * @PCI_SUBPAGE_IN_PLACE: the BAR starts its page; the rest of it is reserved
 * @PCI_SUBPAGE_RELOCATED: the BAR was moved to the start of a reserved page
 */
enum pci_subpage_claim {
	PCI_SUBPAGE_NONE,
	PCI_SUBPAGE_IN_PLACE,
	PCI_SUBPAGE_RELOCATED,
};

/**
 * enum pci_subpage_reason - why a sub-page BAR has no claim
 * @PCI_SUBPAGE_OK: nothing speaks against it
 * @PCI_SUBPAGE_UNASSIGNED: the BAR has no address, or no bridge window holds it
 * @PCI_SUBPAGE_BUSY: somebody holds a region inside the BAR; or its page is
 *	shared, and somebody holds a region inside another BAR of the device
 * @PCI_SUBPAGE_VF: its page is shared, and the address of a VF's BAR follows
 *	from its PF's (PCIe r6.0, 9.3.3.14)
 * @PCI_SUBPAGE_FIXED: its page is shared, and the BAR cannot be moved: Enhanced
 *	Allocation, a host whose addresses firmware wants kept, or decode that
 *	cannot be turned off
 * @PCI_SUBPAGE_EXCLUDED: its page is shared, and the administrator does not
 *	want BARs to be moved
 * @PCI_SUBPAGE_NO_SPACE: its page is shared, and no window that the BAR may
 *	live in has a free page
 * @PCI_SUBPAGE_REJECTED: its page is shared, and the device did not keep the
 *	new address that was written to the BAR
 */
enum pci_subpage_reason {
	PCI_SUBPAGE_OK,
	PCI_SUBPAGE_UNASSIGNED,
	PCI_SUBPAGE_BUSY,
	PCI_SUBPAGE_VF,
	PCI_SUBPAGE_FIXED,
	PCI_SUBPAGE_EXCLUDED,
	PCI_SUBPAGE_NO_SPACE,
	PCI_SUBPAGE_REJECTED,
};

/**
 * struct pci_subpage_bar_info - what the policy knows about a BAR
 * @start: CPU address of the first byte
 * @size: in bytes; 0 if the BAR is not implemented
 * @is_mem: a memory BAR, not an I/O one
 * @assigned: has an address and a parent in the resource tree
 * @busy: something inside the BAR is reserved by somebody else
 * @is_vf: belongs to an SR-IOV virtual function
 * @fixed: its address may not change
 * @device_busy: something inside some BAR of the device is reserved by somebody
 *	else, who may be using it
 * @msix: made for the MSI-X table: the table starts it
 */
struct pci_subpage_bar_info {
	u64 start;
	u64 size;
	bool is_mem;
	bool assigned;
	bool busy;
	bool is_vf;
	bool fixed;
	bool device_busy;
	bool msix;
};

/**
 * struct pci_subpage_range - addresses, both ends included
 * @start: first byte
 * @end: last byte; an empty range has @end = @start - 1
 */
struct pci_subpage_range {
	u64 start;
	u64 end;
};

/**
 * struct pci_subpage_plan - what to attempt for a BAR, and in which order
 * @subpage: a sub-page memory BAR; if not, there is nothing to do
 * @refused: if not OK, no claim is possible and nothing is to be attempted
 * @pinned: if not OK, the BAR may not be moved
 * @rank: turn among the BARs of a device, from 0 to PCI_SUBPAGE_RANKS - 1
 * @page: the host page that the BAR starts in
 * @before: the part of @page below the BAR, perhaps empty
 * @after: the part of @page above the BAR, perhaps empty
 *
 * Reserve @before and @after. Where that succeeds the page is the BAR's own: it
 * is in place if @before is empty, else it has to move to the start of its
 * page. Where it fails somebody else lives in the page: the BAR has to move to
 * another one.
 */
struct pci_subpage_plan {
	bool subpage;
	enum pci_subpage_reason refused;
	enum pci_subpage_reason pinned;
	unsigned int rank;
	struct pci_subpage_range page;
	struct pci_subpage_range before;
	struct pci_subpage_range after;
};

#define PCI_SUBPAGE_RANKS	4

struct pci_subpage_plan pci_subpage_plan(const struct pci_subpage_bar_info *bar,
					 u64 page_size, bool may_relocate);
bool pci_subpage_range_empty(const struct pci_subpage_range *range);
const char *pci_subpage_claim_name(enum pci_subpage_claim claim);
const char *pci_subpage_reason_name(enum pci_subpage_reason reason);
const char *pci_subpage_reason_text(enum pci_subpage_reason reason);

#endif
