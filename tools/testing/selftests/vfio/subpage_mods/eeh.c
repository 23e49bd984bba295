// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gives a device what POWER's EEH has of it, which is a copy of its configuration: QEMU
 * has EEH for devices of its host only. That copy can be read as a parameter.
 */
#include <linux/module.h>
#include <linux/pci.h>

#include <asm/eeh.h>

static struct eeh_dev edev;
module_param_array_named(config_space, edev.config_space, uint, NULL, 0444);
MODULE_PARM_DESC(config_space, "The copy");

static char *device;
module_param(device, charp, 0444);
MODULE_PARM_DESC(device, "The device: DOMAIN:BUS:DEV.FN");

static struct pci_dev *pdev;

static int __init eeh_record_init(void)
{
	struct device *dev = bus_find_device_by_name(&pci_bus_type, NULL, device);

	if (!dev)
		return -ENODEV;

	pdev = to_pci_dev(dev);
	if (pci_dev_to_eeh_dev(pdev)) {
		pci_dev_put(pdev);
		return -EBUSY;
	}
	pdev->dev.archdata.edev = &edev;
	return 0;
}
module_init(eeh_record_init);

static void __exit eeh_record_exit(void)
{
	pdev->dev.archdata.edev = NULL;
	pci_dev_put(pdev);
}
module_exit(eeh_record_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The vfio-pci-subpage authors");
MODULE_DESCRIPTION("EEH for a device that has none, to test vfio_pci_subpage");
