/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices that are opened through their IOMMU group. What the group is put into
 * differs: a container with the type of IOMMU that the architecture has, an iommufd in
 * its place, or a container without an IOMMU.
 */
#ifndef SUBPAGE_BACKEND_GROUP_H
#define SUBPAGE_BACKEND_GROUP_H

#include "device/vfio_backend.h"

/**
 * struct group_ops - one kind of container
 * @base: what every backend has
 * @container: device file that the groups are put into
 * @option: what the kernel needs to have it
 * @iommu: type of IOMMU to ask for
 * @complete: that type is part of the container; else it may be missing, for
 *	want of a module or while it is switched off
 */
struct group_ops {
	struct vfio_backend_ops base;
	const char *container;
	const char *option;
	unsigned long iommu;
	bool complete;
};

extern const struct group_ops backend_container;
extern const struct group_ops backend_iommufd_container;
extern const struct group_ops backend_noiommu;

#endif
