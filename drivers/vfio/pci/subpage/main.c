// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-pci-subpage: a vfio-pci variant driver that leaves no sub-page memory
 * BAR trapped.
 *
 * Only what is special stands here; all else is vfio-pci-core.
 */
#include <linux/device.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>

#include "claim.h"
#include "compat.h"
#include "driver.h"

struct subpage_device {
	/* First: vfio-pci-core finds it through the driver data. */
	struct vfio_pci_core_device core;
	struct pci_subpage subpage;
};

static bool relocate = true;
module_param(relocate, bool, 0644);
MODULE_PARM_DESC(relocate,
		 "Move a sub-page BAR to a page of its own if it shares its page (default: Y). Read when a device is bound.");

#ifdef CONFIG_PCI_IOV
static bool enable_sriov;
module_param(enable_sriov, bool, 0644);
MODULE_PARM_DESC(enable_sriov,
		 "Let a bound PF enable its VFs, as the parameter of vfio-pci does (default: N)");
#endif

static bool disable_denylist;
module_param(disable_denylist, bool, 0444);
MODULE_PARM_DESC(disable_denylist,
		 "Bind devices that vfio-pci refuses because of known errata (default: N)");

static struct subpage_device *to_subpage_device(struct device *dev)
{
	struct vfio_pci_core_device *core = dev_get_drvdata(dev);

	return container_of(core, struct subpage_device, core);
}

/**
 * vfio_pci_subpage_of - the verdicts of a bound device
 * @dev: a device bound to this driver
 *
 * Context: any; while the device is bound.
 * Return: the verdicts; never NULL
 */
const struct pci_subpage *vfio_pci_subpage_of(struct device *dev)
{
	return &to_subpage_device(dev)->subpage;
}

/*
 * The core makes its own attempt at each open, which neither sees a BAR that
 * shares its page nor knows of our claims. What was decided at bind stands,
 * unless the page was lost since.
 */
static void apply_verdicts(struct subpage_device *sdev)
{
	int bar;

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		if (sdev->subpage.bars[bar].subpage)
			sdev->core.bar_mmap_supported[bar] =
				pci_subpage_holds(&sdev->subpage, bar);
	}
}

static int subpage_open_device(struct vfio_device *core_vdev)
{
	struct subpage_device *sdev =
		container_of(core_vdev, struct subpage_device, core.vdev);
	int ret;

	ret = vfio_pci_core_enable(&sdev->core);
	if (ret)
		return ret;

	vfio_pci_core_finish_enable(&sdev->core);
	apply_verdicts(sdev);
	return 0;
}

static const struct vfio_device_ops subpage_ops = {
	.name		= "vfio-pci-subpage",
	.init		= vfio_pci_core_init_dev,
	.release	= vfio_pci_core_release_dev,
	.open_device	= subpage_open_device,
	.close_device	= vfio_pci_core_close_device,
	.ioctl		= vfio_pci_core_ioctl,
	.device_feature	= vfio_pci_core_ioctl_feature,
	.read		= vfio_pci_core_read,
	.write		= vfio_pci_core_write,
	.mmap		= vfio_pci_core_mmap,
	.request	= vfio_pci_core_request,
	.match		= vfio_pci_core_match,
	COMPAT_OPS_6_2
	COMPAT_OPS_6_6
	COMPAT_OPS_6_15
	COMPAT_OPS_6_17
	COMPAT_OPS_6_19
};

/*
 * Devices whose errata let an untrusted user harm the host. vfio-pci keeps this
 * list itself, not in the core, and must not be got around through us.
 */
static const struct pci_device_id denylist[] = {
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_QAT_C3XXX) },
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_QAT_C3XXX_VF) },
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_QAT_C62X) },
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_QAT_C62X_VF) },
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_QAT_DH895XCC) },
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_QAT_DH895XCC_VF) },
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_DSA_SPR0) },
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_IAX_SPR0) },
	{}
};

static bool is_denied(struct pci_dev *pdev)
{
	if (!pci_match_id(denylist, pdev))
		return false;

	if (disable_denylist) {
		pci_warn(pdev, "bound although on vfio-pci's denylist of devices with known errata (disable_denylist=1)\n");
		return false;
	}

	pci_warn(pdev, "not bound: on vfio-pci's denylist of devices with known errata (disable_denylist=1 overrides)\n");
	return true;
}

/* The regions of Intel graphics are made by vfio-pci alone, not by the core. */
static bool needs_vfio_pci(struct pci_dev *pdev)
{
	if (!compat_vfio_pci_adds_regions(pdev))
		return false;

	pci_warn(pdev, "not bound: Intel graphics needs the extra regions of vfio-pci, bind it there\n");
	return true;
}

static int check_bindable(struct pci_dev *pdev)
{
	/* vfio-pci-core refuses these two; find out before a BAR has moved. */
	if (pdev->hdr_type != PCI_HEADER_TYPE_NORMAL)
		return -EINVAL;
	if (pci_num_vf(pdev)) {
		pci_warn(pdev, "not bound: its virtual functions are enabled\n");
		return -EBUSY;
	}

	return is_denied(pdev) || needs_vfio_pci(pdev) ? -EINVAL : 0;
}

static int subpage_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct subpage_device *sdev;
	int ret;

	ret = check_bindable(pdev);
	if (ret)
		return ret;

	sdev = vfio_alloc_device(subpage_device, core.vdev, &pdev->dev,
				 &subpage_ops);
	if (IS_ERR(sdev))
		return PTR_ERR(sdev);

	/*
	 * Before anybody can open the device. The PCI core does not know the
	 * power state of a device whose driver was removed; a device that
	 * loses its BARs on the way from D3hot to D0 must do so now.
	 */
	pci_set_power_state(pdev, PCI_D0);
	if (compat_bars_mappable(pdev))
		pci_subpage_probe_mmaps(&sdev->subpage, pdev, relocate);

	dev_set_drvdata(&pdev->dev, &sdev->core);
	compat_set_pci_ops(&sdev->core);
	ret = vfio_pci_core_register_device(&sdev->core);
	if (ret)
		goto out_undo;
	return 0;

out_undo:
	pci_subpage_undo_mmaps(&sdev->subpage);
	vfio_put_device(&sdev->core.vdev);
	return ret;
}

static void subpage_remove(struct pci_dev *pdev)
{
	struct subpage_device *sdev = to_subpage_device(&pdev->dev);

	vfio_pci_core_unregister_device(&sdev->core);
	pci_subpage_release_mmaps(&sdev->subpage);
	vfio_put_device(&sdev->core.vdev);
}

static int subpage_sriov_configure(struct pci_dev *pdev, int nr_virtfn)
{
#ifdef CONFIG_PCI_IOV
	if (enable_sriov)
		return vfio_pci_core_sriov_configure(&to_subpage_device(&pdev->dev)->core,
						     nr_virtfn);
#endif
	return -ENOENT;
}

/*
 * Matches everything that asks for us by driver_override, and nothing else.
 * Deliberately no MODULE_DEVICE_TABLE(): it would make the module an equal
 * candidate, beside vfio-pci, for tools that choose the variant driver of a
 * device from modules.alias, and which of two equals wins is chance.
 */
static const struct pci_device_id subpage_ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(PCI_ANY_ID, PCI_ANY_ID) },
	{}
};

static struct pci_driver subpage_driver = {
	.name			= "vfio-pci-subpage",
	.id_table		= subpage_ids,
	.probe			= subpage_probe,
	.remove			= subpage_remove,
	.sriov_configure	= subpage_sriov_configure,
	.err_handler		= &vfio_pci_core_err_handlers,
	.dev_groups		= vfio_pci_subpage_groups,
	.driver_managed_dma	= true,
};
module_pci_driver(subpage_driver);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The vfio-pci-subpage authors");
MODULE_DESCRIPTION("vfio-pci variant that maps memory BARs smaller than a page");
