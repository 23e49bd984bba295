// SPDX-License-Identifier: GPL-2.0-only
/*
 * What should happen to a BAR. See policy.h.
 */
#include "policy.h"

static const char * const reason_names[] = {
	[PCI_SUBPAGE_OK]	 = "ok",
	[PCI_SUBPAGE_UNASSIGNED] = "unassigned",
	[PCI_SUBPAGE_BUSY]	 = "busy",
	[PCI_SUBPAGE_VF]	 = "vf",
	[PCI_SUBPAGE_FIXED]	 = "fixed",
	[PCI_SUBPAGE_EXCLUDED]	 = "excluded",
	[PCI_SUBPAGE_NO_SPACE]	 = "no-space",
	[PCI_SUBPAGE_REJECTED]	 = "rejected",
};

static const char * const reason_texts[] = {
	[PCI_SUBPAGE_OK]	 = "it has a page of its own",
	[PCI_SUBPAGE_UNASSIGNED] = "it has no address",
	[PCI_SUBPAGE_BUSY]	 = "a region in a BAR of the device is in use",
	[PCI_SUBPAGE_VF]	 = "page shared, and the BAR of a VF cannot move",
	[PCI_SUBPAGE_FIXED]	 = "page not its own, and its address is fixed",
	[PCI_SUBPAGE_EXCLUDED]	 = "page shared, and relocate=0 is set",
	[PCI_SUBPAGE_NO_SPACE]	 = "page shared, and no window has a free page",
	[PCI_SUBPAGE_REJECTED]	 = "page shared, and the device refused a new address",
};

static const char * const claim_names[] = {
	[PCI_SUBPAGE_NONE]	= "none",
	[PCI_SUBPAGE_IN_PLACE]	= "in-place",
	[PCI_SUBPAGE_RELOCATED]	= "relocated",
};

/**
 * pci_subpage_claim_name - the word for a claim, as user space sees it
 * @claim: a claim
 *
 * Return: a constant string
 */
const char *pci_subpage_claim_name(enum pci_subpage_claim claim)
{
	return claim_names[claim];
}

/**
 * pci_subpage_reason_name - the word for a reason, as user space sees it
 * @reason: a reason
 *
 * Return: a constant string
 */
const char *pci_subpage_reason_name(enum pci_subpage_reason reason)
{
	return reason_names[reason];
}

/**
 * pci_subpage_reason_text - a reason in words, for the log
 * @reason: a reason
 *
 * Return: a constant string
 */
const char *pci_subpage_reason_text(enum pci_subpage_reason reason)
{
	return reason_texts[reason];
}

/**
 * pci_subpage_range_empty - does a range hold no byte?
 * @range: addresses
 *
 * Return: true if it does not
 */
bool pci_subpage_range_empty(const struct pci_subpage_range *range)
{
	/* Not "end < start": the empty range below address 0 ends at ~0. */
	return range->end + 1 == range->start;
}

static enum pci_subpage_reason refused(const struct pci_subpage_bar_info *bar,
				       u64 page_size)
{
	if (!bar->assigned)
		return PCI_SUBPAGE_UNASSIGNED;
	if (bar->busy)
		return PCI_SUBPAGE_BUSY;
	/*
	 * A BAR is naturally aligned, so it lies in one page. Only Enhanced
	 * Allocation knows other sizes and addresses (PCIe r6.0, 7.8.5).
	 */
	if ((bar->start & (page_size - 1)) + bar->size > page_size)
		return PCI_SUBPAGE_FIXED;
	return PCI_SUBPAGE_OK;
}

static enum pci_subpage_reason pinned(const struct pci_subpage_bar_info *bar,
				      bool may_relocate)
{
	if (bar->is_vf)
		return PCI_SUBPAGE_VF;
	if (bar->fixed)
		return PCI_SUBPAGE_FIXED;
	/* A move turns off memory decode, for all BARs of the device at once. */
	if (bar->device_busy)
		return PCI_SUBPAGE_BUSY;
	if (!may_relocate)
		return PCI_SUBPAGE_EXCLUDED;
	return PCI_SUBPAGE_OK;
}

/*
 * Whose turn comes first decides where pages are scarce.
 *
 * Last is a BAR made for the MSI-X table: a VMM traps accesses to the table
 * whether or not the BAR is mapped, so a page does least for it. A BAR that
 * merely contains the table beside other registers is like any other.
 *
 * Of the others, those that do not start their page come first. They have to
 * move anyway, and may leave the page to one that then can stay.
 */
static unsigned int rank(const struct pci_subpage_bar_info *bar,
			 const struct pci_subpage_plan *plan)
{
	return 2 * bar->msix + pci_subpage_range_empty(&plan->before);
}

/**
 * pci_subpage_plan - decide what should happen to a BAR
 * @bar: the BAR
 * @page_size: of the host, in bytes; a power of two
 * @may_relocate: whether the administrator lets BARs be moved
 *
 * Who else lives in the page is deliberately not asked here: an answer could be
 * stale before it is used. The plan names what has to be reserved, and whether
 * that can be reserved is the answer.
 *
 * A mapping hands out whole pages, and its first byte is taken for the first
 * byte of the BAR by every VFIO user. That is why a BAR has to start its page:
 * region info cannot say that it starts elsewhere.
 *
 * Return: the plan
 */
struct pci_subpage_plan pci_subpage_plan(const struct pci_subpage_bar_info *bar,
					 u64 page_size, bool may_relocate)
{
	struct pci_subpage_plan plan = {};

	if (!bar->is_mem || !bar->size || bar->size >= page_size)
		return plan;

	plan.subpage = true;
	plan.refused = refused(bar, page_size);
	plan.pinned = pinned(bar, may_relocate);
	plan.page.start = bar->start & ~(page_size - 1);
	plan.page.end = plan.page.start + page_size - 1;
	plan.before.start = plan.page.start;
	plan.before.end = bar->start - 1;
	plan.after.start = bar->start + bar->size;
	plan.after.end = plan.page.end;
	plan.rank = rank(bar, &plan);
	return plan;
}
