/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a VFIO device's file descriptor is obtained. What is then done with it
 * does not depend on that.
 */
#ifndef SUBPAGE_VFIO_BACKEND_H
#define SUBPAGE_VFIO_BACKEND_H

#include "error.h"
#include "sysfs.h"

struct vfio_backend;

/**
 * struct vfio_backend_ops - one way to a device
 * @name: for people
 * @attach: gain access to the device's IOMMU context, as far as that is
 *	possible without opening the device (which may change /proc/iomem);
 *	may be called again for the same device or group
 * @open: open an attached device; returns its file descriptor or -1
 * @destroy: close everything but the devices, and free the backend
 *
 * @attach and @open name the thing and the remedy in the error.
 */
struct vfio_backend_ops {
	const char *name;
	int (*attach)(struct vfio_backend *backend, const struct pci_scan *scan,
		      const struct pci_device *dev, struct error *err);
	int (*open)(struct vfio_backend *backend, const struct pci_device *dev,
		    struct error *err);
	void (*destroy)(struct vfio_backend *backend);
};

/**
 * struct vfio_backend - head of a backend's own structure
 * @ops: what it can do
 */
struct vfio_backend {
	const struct vfio_backend_ops *ops;
};

/**
 * backend_group_create() - the backend of groups and type 1 containers
 * @err: set on failure
 *
 * Every group gets a container of its own: IOMMUs of one machine may differ
 * too much to share one.
 *
 * Return: the backend, or NULL.
 */
struct vfio_backend *backend_group_create(struct error *err);

#endif
