// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio_pci_subpage: while a VFIO driver has a PCI device, each sub-page memory BAR
 * of it is a page of its own.
 *
 * The module is no driver, and uses nothing of VFIO. It prepares the BARs before a
 * VFIO driver is probed, whichever that is, and restores them when it is gone.
 */
#define dev_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "bars.h"
#include "params.h"
#include "sysfs.h"

/* A device whose BARs were prepared. Each keeps the module from being unloaded. */
struct held_device {
	struct list_head node;
	struct pci_subpage bars;
	struct subpage_files files;
	bool has_files;
};

static LIST_HEAD(held_devices);
static DEFINE_MUTEX(held_lock);	/* of the list: each device has its own lock */

static struct held_device *find_held(const struct pci_dev *pdev)
{
	struct held_device *held, *found = NULL;

	mutex_lock(&held_lock);
	list_for_each_entry(held, &held_devices, node) {
		if (held->bars.pdev == pdev) {
			found = held;
			break;
		}
	}
	mutex_unlock(&held_lock);
	return found;
}

static struct held_device *hold(struct pci_dev *pdev)
{
	struct held_device *held;

	if (!try_module_get(THIS_MODULE))
		return NULL;

	held = kzalloc(sizeof(*held), GFP_KERNEL);
	if (!held) {
		module_put(THIS_MODULE);
		return NULL;
	}

	held->bars.pdev = pdev;
	mutex_lock(&held_lock);
	list_add(&held->node, &held_devices);
	mutex_unlock(&held_lock);
	return held;
}

static void prepare_device(struct pci_dev *pdev)
{
	struct pci_subpage_policy policy;
	struct held_device *held;
	int ret;

	/* A kernel that tests the removal of drivers probes twice. */
	if (find_held(pdev))
		return;

	if (!pci_subpage_has_bars(pdev))
		return;

	held = hold(pdev);
	if (!held) {
		pci_warn(pdev, "its sub-page BARs get no pages of their own: no memory, or the module is being unloaded\n");
		return;
	}

	vfio_pci_subpage_policy(pdev, &policy);
	pci_subpage_prepare_bars(&held->bars, &policy);
	ret = subpage_add_files(&held->files, &held->bars);
	if (ret)
		pci_warn(pdev, "no files in sysfs about its sub-page BARs: %d\n", ret);
	held->has_files = !ret;
}

static void restore_device(struct pci_dev *pdev)
{
	struct held_device *held = find_held(pdev);

	if (!held)
		return;

	if (held->has_files)
		subpage_remove_files(&held->files, &held->bars);
	pci_subpage_restore_bars(&held->bars);

	mutex_lock(&held_lock);
	list_del(&held->node);
	mutex_unlock(&held_lock);
	kfree(held);
	module_put(THIS_MODULE);
}

/* vfio-pci and its variants match a device only by driver_override or new_id. */
static bool is_vfio_driver(struct device_driver *driver)
{
	const struct pci_device_id *id = to_pci_driver(driver)->id_table;

	for (; id && (id->vendor || id->subvendor || id->class_mask); id++) {
		if (id->override_only == PCI_ID_F_VFIO_DRIVER_OVERRIDE)
			return true;
	}
	return false;
}

/*
 * A driver is set before BUS_NOTIFY_BIND_DRIVER, and probed after it. Nobody can
 * have a BAR mapped through VFIO in between. The device lock is held in each case.
 */
static int bus_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	struct device *dev = data;

	switch (action) {
	case BUS_NOTIFY_BIND_DRIVER:
		if (is_vfio_driver(dev->driver))
			prepare_device(to_pci_dev(dev));
		break;
	case BUS_NOTIFY_DRIVER_NOT_BOUND:
	case BUS_NOTIFY_UNBOUND_DRIVER:
		restore_device(to_pci_dev(dev));
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block bus_notifier = {
	.notifier_call = bus_notify,
};

/* Somebody may use its BARs already. */
static int tell_to_bind_again(struct device *dev, void *unused)
{
	struct pci_dev *pdev = to_pci_dev(dev);

	if (pci_subpage_has_bars(pdev) && !find_held(pdev))
		pci_info(pdev, "was bound before this module was loaded: bind it again to give its sub-page BARs pages of their own\n");
	return 0;
}

static int look_for_bound(struct device_driver *driver, void *unused)
{
	return is_vfio_driver(driver) ?
	       driver_for_each_device(driver, NULL, NULL, tell_to_bind_again) : 0;
}

static int __init subpage_init(void)
{
	int ret = bus_register_notifier(&pci_bus_type, &bus_notifier);

	if (!ret)
		bus_for_each_drv(&pci_bus_type, NULL, NULL, look_for_bound);
	return ret;
}

/* No device is held. */
static void __exit subpage_exit(void)
{
	bus_unregister_notifier(&pci_bus_type, &bus_notifier);
}

/* Built in, before vfio-pci is. */
subsys_initcall(subpage_init);
module_exit(subpage_exit);

MODULE_VERSION("1.0");
MODULE_LICENSE("GPL");
MODULE_AUTHOR("The vfio-pci-subpage authors");
MODULE_DESCRIPTION("A page for each PCI memory BAR smaller than one while a VFIO driver has its device");
