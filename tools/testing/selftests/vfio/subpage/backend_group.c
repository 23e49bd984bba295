// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "vfio_backend.h"

#define CONTAINER	"/dev/vfio/vfio"

struct group {
	int number;
	int fd;
	int container;
	struct group *next;
};

struct backend_group {
	struct vfio_backend base;
	struct group *groups;
};

static struct backend_group *to_backend_group(struct vfio_backend *backend)
{
	return (struct backend_group *)backend;
}

static struct group *find_group(struct backend_group *bg, int number)
{
	struct group *group;

	for (group = bg->groups; group; group = group->next)
		if (group->number == number)
			return group;
	return NULL;
}

static int open_error(const char *path, struct error *err)
{
	switch (errno) {
	case ENOENT:
		return error_set(err, "%s does not exist: modprobe vfio_iommu_type1", path);
	case EACCES:
	case EPERM:
		return error_set(err,
				 "no permission to open %s: run as root, or chown it to this user",
				 path);
	case EBUSY:
		return error_set(err,
				 "%s is in use: stop the VM or program that has it open", path);
	default:
		return error_set(err, "%s: %s", path, strerror(errno));
	}
}

/*
 * Drivers that do no DMA on their own may stay bound. Of these, only the one
 * of PCIe ports is common; a device without a driver is no obstacle either.
 */
static bool blocks_group(const struct pci_device *dev)
{
	return dev->driver[0] && !dev->is_vfio && strcmp(dev->driver, "pcieport") &&
	       strcmp(dev->driver, "pci-stub");
}

static int not_viable(const struct pci_scan *scan, const struct pci_device *dev,
		      struct error *err)
{
	char others[300] = "";
	size_t len = 0, i;

	for (i = 0; i < scan->nr; i++) {
		const struct pci_device *other = &scan->dev[i];

		if (other->iommu_group != dev->iommu_group || !blocks_group(other))
			continue;
		if (len < sizeof(others))
			len += snprintf(others + len, sizeof(others) - len, " %s (%s)",
					other->bdf, other->driver);
	}
	return error_set(err,
			 "%s: group %d is not viable: bind to vfio-pci, or unbind:%s",
			 dev->bdf, dev->iommu_group, others);
}

static int check_viable(const struct group *group, const struct pci_scan *scan,
			const struct pci_device *dev, struct error *err)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };

	if (ioctl(group->fd, VFIO_GROUP_GET_STATUS, &status))
		return error_set(err, "%s: status of group %d: %s", dev->bdf,
				 group->number, strerror(errno));
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return not_viable(scan, dev, err);

	return 0;
}

static int set_container(const struct group *group, const struct pci_device *dev,
			 struct error *err)
{
	if (!ioctl(group->container, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU))
		return error_set(err,
				 CONTAINER " knows no type 1 IOMMU: modprobe vfio_iommu_type1");
	if (ioctl(group->fd, VFIO_GROUP_SET_CONTAINER, &group->container))
		return error_set(err, "%s: group %d and its container: %s", dev->bdf,
				 group->number, strerror(errno));
	if (!ioctl(group->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return 0;
	if (errno == EPERM)
		return error_set(err,
				 "%s: no interrupt remapping: switch it on in the firmware",
				 dev->bdf);

	return error_set(err, "%s: IOMMU of group %d: %s", dev->bdf, group->number,
			 strerror(errno));
}

static int open_group(struct group *group, const struct pci_scan *scan,
		      const struct pci_device *dev, struct error *err)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/vfio/%d", group->number);
	group->fd = open(path, O_RDWR | O_CLOEXEC);
	if (group->fd < 0)
		return open_error(path, err);
	if (check_viable(group, scan, dev, err))
		return -1;

	group->container = open(CONTAINER, O_RDWR | O_CLOEXEC);
	if (group->container < 0)
		return open_error(CONTAINER, err);

	return set_container(group, dev, err);
}

static void close_group(struct group *group)
{
	if (group->fd >= 0)
		close(group->fd);
	if (group->container >= 0)
		close(group->container);
	free(group);
}

static int group_attach(struct vfio_backend *backend, const struct pci_scan *scan,
			const struct pci_device *dev, struct error *err)
{
	struct backend_group *bg = to_backend_group(backend);
	struct group *group;

	if (dev->iommu_group < 0)
		return error_set(err,
				 "%s is in no IOMMU group: switch the IOMMU on (firmware, intel_iommu=on)",
				 dev->bdf);
	if (find_group(bg, dev->iommu_group))
		return 0;

	group = calloc(1, sizeof(*group));
	if (!group)
		return error_set(err, "%s: no memory", dev->bdf);

	group->number = dev->iommu_group;
	group->fd = -1;
	group->container = -1;
	if (open_group(group, scan, dev, err)) {
		close_group(group);
		return -1;
	}

	group->next = bg->groups;
	bg->groups = group;
	return 0;
}

static int group_open(struct vfio_backend *backend, const struct pci_device *dev,
		      struct error *err)
{
	struct group *group = find_group(to_backend_group(backend), dev->iommu_group);
	int fd;

	fd = ioctl(group->fd, VFIO_GROUP_GET_DEVICE_FD, dev->bdf);
	if (fd < 0)
		return error_set(err, "%s: cannot open the device: %s", dev->bdf,
				 strerror(errno));

	return fd;
}

static void group_destroy(struct vfio_backend *backend)
{
	struct backend_group *bg = to_backend_group(backend);

	while (bg->groups) {
		struct group *group = bg->groups;

		bg->groups = group->next;
		close_group(group);
	}
	free(bg);
}

static const struct vfio_backend_ops group_ops = {
	.name = "group",
	.attach = group_attach,
	.open = group_open,
	.destroy = group_destroy,
};

struct vfio_backend *backend_group_create(struct error *err)
{
	struct backend_group *bg = calloc(1, sizeof(*bg));

	if (!bg) {
		error_set(err, "no memory for the VFIO backend");
		return NULL;
	}
	bg->base.ops = &group_ops;
	return &bg->base;
}
