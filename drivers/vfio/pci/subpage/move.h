/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PCI_SUBPAGE_MOVE_H
#define PCI_SUBPAGE_MOVE_H

#include <linux/types.h>

struct pci_dev;
struct resource;

int pci_subpage_move_bar(struct pci_dev *pdev, int bar, struct resource *to,
			 resource_size_t start);

#endif
