// SPDX-License-Identifier: GPL-2.0-only
/*
 * The verdicts in sysfs, while a device is bound:
 *
 *	vfio_pci_subpage/barN_claim	for each sub-page memory BAR
 *	vfio_pci_subpage/barN_reason	for each of them that has no claim
 *
 * The driver core adds the files when the bind has succeeded and removes them
 * before it is undone; the verdicts do not change in between.
 */
#include <linux/device.h>
#include <linux/sysfs.h>

#include "claim.h"
#include "driver.h"

static ssize_t claim_show(struct device *dev, struct device_attribute *attr,
			  char *buf);
static ssize_t reason_show(struct device *dev, struct device_attribute *attr,
			   char *buf);

/* Both are indexed by the number of the BAR. */
static struct device_attribute claims[PCI_STD_NUM_BARS] = {
	__ATTR(bar0_claim, 0444, claim_show, NULL),
	__ATTR(bar1_claim, 0444, claim_show, NULL),
	__ATTR(bar2_claim, 0444, claim_show, NULL),
	__ATTR(bar3_claim, 0444, claim_show, NULL),
	__ATTR(bar4_claim, 0444, claim_show, NULL),
	__ATTR(bar5_claim, 0444, claim_show, NULL),
};

static struct device_attribute reasons[PCI_STD_NUM_BARS] = {
	__ATTR(bar0_reason, 0444, reason_show, NULL),
	__ATTR(bar1_reason, 0444, reason_show, NULL),
	__ATTR(bar2_reason, 0444, reason_show, NULL),
	__ATTR(bar3_reason, 0444, reason_show, NULL),
	__ATTR(bar4_reason, 0444, reason_show, NULL),
	__ATTR(bar5_reason, 0444, reason_show, NULL),
};

static ssize_t claim_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	const struct pci_subpage_bar *b =
		&vfio_pci_subpage_of(dev)->bars[attr - claims];

	return sysfs_emit(buf, "%s\n", pci_subpage_claim_name(b->claim));
}

static ssize_t reason_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	const struct pci_subpage_bar *b =
		&vfio_pci_subpage_of(dev)->bars[attr - reasons];

	return sysfs_emit(buf, "%s\n", pci_subpage_reason_name(b->reason));
}

static struct attribute *bar_attrs[] = {
	&claims[0].attr, &claims[1].attr, &claims[2].attr,
	&claims[3].attr, &claims[4].attr, &claims[5].attr,
	&reasons[0].attr, &reasons[1].attr, &reasons[2].attr,
	&reasons[3].attr, &reasons[4].attr, &reasons[5].attr,
	NULL
};

static umode_t bar_attr_visible(struct kobject *kobj, struct attribute *attr, int n)
{
	const struct pci_subpage *sp = vfio_pci_subpage_of(kobj_to_dev(kobj));
	const struct pci_subpage_bar *b = &sp->bars[n % PCI_STD_NUM_BARS];
	bool is_reason = n >= PCI_STD_NUM_BARS;

	if (!b->subpage || (is_reason && !b->reason))
		return 0;
	return attr->mode;
}

static const struct attribute_group bar_group = {
	.name = "vfio_pci_subpage",
	.attrs = bar_attrs,
	.is_visible = bar_attr_visible,
};

const struct attribute_group *vfio_pci_subpage_groups[] = {
	&bar_group,
	NULL
};
