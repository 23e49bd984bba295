/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a VFIO device's file descriptor is obtained. What is then done with it
 * does not depend on that.
 */
#ifndef SUBPAGE_VFIO_BACKEND_H
#define SUBPAGE_VFIO_BACKEND_H

#include "device/sysfs.h"
#include "error.h"

struct vfio_backend;

/**
 * struct vfio_backend_ops - one way to a device
 * @name: for options, test names and results
 * @noiommu: it is for devices without an IOMMU, others are for those with one
 * @applies: whether kernel and machine have this way to the device; if not,
 *	says why. What only stands in the way, such as a permission, is left to
 *	@attach and @open.
 * @create: the backend; NULL on failure
 * @attach: gain access to the device's IOMMU context, as far as that is
 *	possible without opening the device (which may change /proc/iomem);
 *	may be called again for the same device or group
 * @open: open an attached device; returns its file descriptor or -1
 * @destroy: close everything but the devices, and free the backend
 *
 * @attach and @open name the thing and the remedy in the error, @applies in the
 * reason.
 */
struct vfio_backend_ops {
	const char *name;
	bool noiommu;
	bool (*applies)(const struct vfio_backend_ops *ops, const struct pci_device *dev,
			struct error *why);
	struct vfio_backend *(*create)(const struct vfio_backend_ops *ops, struct error *err);
	int (*attach)(struct vfio_backend *backend, const struct pci_scan *scan,
		      const struct pci_device *dev, struct error *err);
	int (*open)(struct vfio_backend *backend, const struct pci_scan *scan,
		    const struct pci_device *dev, struct error *err);
	void (*destroy)(struct vfio_backend *backend);
};

/**
 * struct vfio_backend - head of a backend's own structure
 * @ops: what it can do
 */
struct vfio_backend {
	const struct vfio_backend_ops *ops;
};

#define VFIO_NR_BACKENDS	4

/* All of them; of those that apply to a device, the first is used for it. */
extern const struct vfio_backend_ops * const vfio_backends[VFIO_NR_BACKENDS];

/* Whether this way is for devices like this one, on whatever kernel. */
static inline bool vfio_backend_suits(const struct vfio_backend_ops *ops,
				      const struct pci_device *dev)
{
	return dev->iommu_group < 0 || dev->is_noiommu == ops->noiommu;
}

/**
 * vfio_backend_find() - look a backend up by its name
 * @name: the name
 * @err: set on failure, with the names that there are
 *
 * Return: the backend's ops, or NULL.
 */
const struct vfio_backend_ops *vfio_backend_find(const char *name, struct error *err);

/**
 * vfio_backend_choose() - the first backend that applies to a device
 * @from: in order of preference
 * @nr: how many
 * @dev: the device
 * @err: set on failure, with the reason of each
 *
 * Return: the backend's ops, or NULL.
 */
const struct vfio_backend_ops *vfio_backend_choose(const struct vfio_backend_ops * const *from,
						   size_t nr, const struct pci_device *dev,
						   struct error *err);

#endif
