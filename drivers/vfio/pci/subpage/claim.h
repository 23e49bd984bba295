/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Claims on the pages of a device's sub-page BARs. Knows PCI devices and the
 * resource tree, and nothing of VFIO.
 */
#ifndef PCI_SUBPAGE_CLAIM_H
#define PCI_SUBPAGE_CLAIM_H

#include <linux/ioport.h>
#include <linux/pci.h>

#include "policy.h"

/**
 * struct pci_subpage_bar - the verdict on one BAR
 * @subpage: a sub-page memory BAR; if not, the rest means nothing
 * @rank: when it had its turn
 * @claim: how its page is held
 * @reason: why it is not held, if @claim is NONE
 * @page: the page in the resource tree, parent of the BAR, unless @claim is NONE
 * @home: what held the BAR before it moved; NULL if it did not
 * @home_start: its CPU address before it moved
 */
struct pci_subpage_bar {
	bool subpage;
	unsigned int rank;
	enum pci_subpage_claim claim;
	enum pci_subpage_reason reason;
	struct resource page;
	struct resource *home;
	resource_size_t home_start;
};

/**
 * struct pci_subpage - the verdicts on all BARs of a device
 * @pdev: the device; NULL until its BARs were probed
 * @bars: one for each standard BAR
 */
struct pci_subpage {
	struct pci_dev *pdev;
	struct pci_subpage_bar bars[PCI_STD_NUM_BARS];
};

void pci_subpage_probe_mmaps(struct pci_subpage *sp, struct pci_dev *pdev,
			     bool may_relocate);
bool pci_subpage_holds(const struct pci_subpage *sp, int bar);
void pci_subpage_undo_mmaps(struct pci_subpage *sp);
void pci_subpage_release_mmaps(struct pci_subpage *sp);

#endif
