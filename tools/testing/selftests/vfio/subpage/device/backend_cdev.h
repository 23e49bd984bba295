/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices that are opened by their own character device and bound to an iommufd:
 * no group, no container.
 */
#ifndef SUBPAGE_BACKEND_CDEV_H
#define SUBPAGE_BACKEND_CDEV_H

#include "device/vfio_backend.h"

extern const struct vfio_backend_ops backend_cdev;

#endif
