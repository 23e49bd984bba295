/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VFIO_PCI_SUBPAGE_SYSFS_H
#define VFIO_PCI_SUBPAGE_SYSFS_H

#include <linux/device.h>
#include <linux/sysfs.h>

#include "bars.h"

/**
 * struct subpage_files - the files of a device
 * @file: two for each sub-page BAR
 * @attrs: those that there are, then NULL
 * @nr: how many
 * @group: their directory
 */
struct subpage_files {
	struct dev_ext_attribute file[2 * PCI_STD_NUM_BARS];
	struct attribute *attrs[2 * PCI_STD_NUM_BARS + 1];
	unsigned int nr;
	struct attribute_group group;
};

int subpage_add_files(struct subpage_files *files, struct pci_subpage *sp);
void subpage_remove_files(struct subpage_files *files, struct pci_subpage *sp);

#endif
