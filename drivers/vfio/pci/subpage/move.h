/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PCI_SUBPAGE_MOVE_H
#define PCI_SUBPAGE_MOVE_H

#include <linux/types.h>

struct pci_dev;
struct pci_subpage;
struct resource;

#define PCI_SUBPAGE_RESOURCE_NAME	"vfio-pci-subpage"

const struct resource *pci_subpage_tree(const struct resource *res);
int pci_subpage_write_register(struct pci_dev *pdev, int bar, resource_size_t start);
int pci_subpage_move_bar(struct pci_subpage *sp, int bar);

#endif
