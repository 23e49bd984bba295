// SPDX-License-Identifier: GPL-2.0-only
/*
 * What became of the sub-page BARs of a device, in sysfs while a VFIO driver has
 * it:
 *
 *	vfio_pci_subpage/barN		a word
 *	vfio_pci_subpage/barN_size	bytes that the BAR has in the device
 */
#include <linux/device.h>
#include <linux/pci.h>
#include <linux/sysfs.h>

#include "sysfs.h"

static const char * const state_names[] = { "bar0", "bar1", "bar2", "bar3", "bar4", "bar5" };

static const char * const size_names[] = {
	"bar0_size", "bar1_size", "bar2_size", "bar3_size", "bar4_size", "bar5_size"
};

static const struct pci_subpage_bar *bar_of(const struct device_attribute *attr)
{
	return container_of(attr, struct dev_ext_attribute, attr)->var;
}

static ssize_t state_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", pci_subpage_state_name(bar_of(attr)->state));
}

static ssize_t size_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", (u64)bar_of(attr)->size);
}

static void init_file(struct subpage_files *files, struct pci_subpage_bar *bar, const char *name,
		      ssize_t (*show)(struct device *, struct device_attribute *, char *))
{
	struct dev_ext_attribute *file = &files->file[files->nr];

	sysfs_attr_init(&file->attr.attr);
	file->attr.attr.name = name;
	file->attr.attr.mode = 0444;
	file->attr.show = show;
	file->var = bar;
	files->attrs[files->nr++] = &file->attr.attr;
}

/**
 * subpage_add_files - make the files of a device
 * @files: zeroed
 * @sp: the BARs, which were prepared
 *
 * Context: may sleep.
 * Return: 0 or a negative errno
 */
int subpage_add_files(struct subpage_files *files, struct pci_subpage *sp)
{
	int bar;

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		if (!sp->bar[bar].size)
			continue;
		init_file(files, &sp->bar[bar], state_names[bar], state_show);
		init_file(files, &sp->bar[bar], size_names[bar], size_show);
	}
	files->group.name = "vfio_pci_subpage";
	files->group.attrs = files->attrs;
	return sysfs_create_group(&sp->pdev->dev.kobj, &files->group);
}

/**
 * subpage_remove_files - remove the files of a device
 * @files: those that subpage_add_files() has made
 * @sp: the BARs
 *
 * Context: may sleep. Waits until nobody reads them.
 */
void subpage_remove_files(struct subpage_files *files, struct pci_subpage *sp)
{
	sysfs_remove_group(&sp->pdev->dev.kobj, &files->group);
}
