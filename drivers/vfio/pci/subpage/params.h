/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VFIO_PCI_SUBPAGE_PARAMS_H
#define VFIO_PCI_SUBPAGE_PARAMS_H

struct pci_dev;
struct pci_subpage_policy;

void vfio_pci_subpage_policy(const struct pci_dev *pdev, struct pci_subpage_policy *policy);

#endif
