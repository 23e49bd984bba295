// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VFIO driver of another name, as the variants of vfio-pci are: it takes what
 * asks for it by driver_override, or refuses that. It leaves the device alone.
 */
#include <linux/module.h>
#include <linux/pci.h>

static bool refuse;
module_param(refuse, bool, 0644);
MODULE_PARM_DESC(refuse, "Let the probe fail (default: N)");

static int variant_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	pci_info(pdev, "probed with a BAR 0 of %llu bytes\n", (u64)pci_resource_len(pdev, 0));
	return refuse ? -EIO : 0;
}

static const struct pci_device_id variant_ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(PCI_ANY_ID, PCI_ANY_ID) },
	{}
};

static struct pci_driver variant_driver = {
	.name			= "subpage-variant",
	.id_table		= variant_ids,
	.probe			= variant_probe,
	.driver_managed_dma	= true,
};
module_pci_driver(variant_driver);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The vfio-pci-subpage authors");
MODULE_DESCRIPTION("VFIO driver that does nothing, to test vfio_pci_subpage");
