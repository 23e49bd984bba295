/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that differs between the kernel versions that the driver builds against.
 */
#ifndef VFIO_PCI_SUBPAGE_COMPAT_H
#define VFIO_PCI_SUBPAGE_COMPAT_H

#include <linux/kconfig.h>
#include <linux/pci.h>
#include <linux/pci_ids.h>
#include <linux/version.h>
#include <linux/vfio_pci_core.h>

/* Ids that older kernels lack. */
#ifndef PCI_DEVICE_ID_INTEL_DSA_SPR0
#define PCI_DEVICE_ID_INTEL_DSA_SPR0	0x0b25
#endif
#ifndef PCI_DEVICE_ID_INTEL_IAX_SPR0
#define PCI_DEVICE_ID_INTEL_IAX_SPR0	0x0cfe
#endif

#define LINUX_6_AT_LEAST(minor)						\
	(LINUX_VERSION_MAJOR > 6 ||					\
	 (LINUX_VERSION_MAJOR == 6 && LINUX_VERSION_PATCHLEVEL >= (minor)))

/**
 * compat_bars_mappable - does VFIO let user space map BARs of a device at all?
 * @pdev: the device
 *
 * On s390 the BARs of some devices are reached by special instructions only.
 * Since 6.15 the PCI core knows which devices those are (ISM); before, no BAR
 * of any device there could be mapped.
 *
 * Return: true if it does
 */
static inline bool compat_bars_mappable(const struct pci_dev *pdev)
{
#if LINUX_6_AT_LEAST(15)
	return !pdev->non_mappable_bars;
#else
	return !IS_ENABLED(CONFIG_S390);
#endif
}

/**
 * compat_vfio_pci_adds_regions - would vfio-pci give a device regions of its own?
 * @pdev: the device
 *
 * It does for Intel graphics. Since 6.15 that is every display device of theirs,
 * not just those that are VGA compatible.
 *
 * Return: true if it would look for them
 */
static inline bool compat_vfio_pci_adds_regions(const struct pci_dev *pdev)
{
	if (!IS_ENABLED(CONFIG_VFIO_PCI_IGD) || pdev->vendor != PCI_VENDOR_ID_INTEL)
		return false;
#if LINUX_6_AT_LEAST(15)
	return pdev->class >> 16 == PCI_BASE_CLASS_DISPLAY;
#else
	return pdev->class >> 8 == PCI_CLASS_DISPLAY_VGA;
#endif
}

/* Device operations that older kernels lack. */
#if LINUX_6_AT_LEAST(2)
#define COMPAT_OPS_6_2						\
	.bind_iommufd	= vfio_iommufd_physical_bind,		\
	.unbind_iommufd	= vfio_iommufd_physical_unbind,		\
	.attach_ioas	= vfio_iommufd_physical_attach_ioas,
#else
#define COMPAT_OPS_6_2
#endif

#if LINUX_6_AT_LEAST(6)
#define COMPAT_OPS_6_6						\
	.detach_ioas	= vfio_iommufd_physical_detach_ioas,
#else
#define COMPAT_OPS_6_6
#endif

#if LINUX_6_AT_LEAST(15)
#define COMPAT_OPS_6_15						\
	.pasid_attach_ioas = vfio_iommufd_physical_pasid_attach_ioas, \
	.pasid_detach_ioas = vfio_iommufd_physical_pasid_detach_ioas,
#else
#define COMPAT_OPS_6_15
#endif

#if LINUX_6_AT_LEAST(17)
#define COMPAT_OPS_6_17						\
	.match_token_uuid = vfio_pci_core_match_token_uuid,
#else
#define COMPAT_OPS_6_17
#endif

#if LINUX_6_AT_LEAST(19)
#define COMPAT_OPS_6_19						\
	.get_region_info_caps = vfio_pci_ioctl_get_region_info,
#else
#define COMPAT_OPS_6_19
#endif

/**
 * compat_set_pci_ops - fill in the operations that the core asks of us itself
 * @core: the device
 *
 * Since 6.19 BARs can be exported as dma-bufs, in whole pages: never one that we
 * have moved. The core's own function is right for the others.
 */
static inline void compat_set_pci_ops(struct vfio_pci_core_device *core)
{
#if LINUX_6_AT_LEAST(19)
	static const struct vfio_pci_device_ops ops = {
		.get_dmabuf_phys = vfio_pci_core_get_dmabuf_phys,
	};

	core->pci_ops = &ops;
#endif
}

#endif
