/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VFIO_PCI_SUBPAGE_DRIVER_H
#define VFIO_PCI_SUBPAGE_DRIVER_H

struct attribute_group;
struct device;
struct pci_subpage;

extern const struct attribute_group *vfio_pci_subpage_groups[];

const struct pci_subpage *vfio_pci_subpage_of(struct device *dev);

#endif
