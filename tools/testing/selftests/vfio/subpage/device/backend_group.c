// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "device/backend_group.h"
#include "device/open_error.h"

#define CONTAINER	"/dev/vfio/vfio"
#define IOMMUFD		"/dev/iommu"
#define NOIOMMU_MODE	"/sys/module/vfio/parameters/enable_unsafe_noiommu_mode"

/* Without DMA both are used alike: version 2 needs no memory registered, nor to be enabled. */
#ifdef __PPC64__
#define IOMMU_TYPE	VFIO_SPAPR_TCE_v2_IOMMU
#define IOMMU_MODULE	"vfio_iommu_spapr_tce"
#else
#define IOMMU_TYPE	VFIO_TYPE1v2_IOMMU
#define IOMMU_MODULE	"vfio_iommu_type1"
#endif

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

static const struct group_ops *to_group_ops(const struct vfio_backend_ops *ops)
{
	return (const struct group_ops *)ops;
}

static struct group *find_group(struct backend_group *bg, int number)
{
	struct group *group;

	for (group = bg->groups; group; group = group->next)
		if (group->number == number)
			return group;
	return NULL;
}

static void group_path(const struct pci_device *dev, char *path, size_t len)
{
	snprintf(path, len, "/dev/vfio/%s%d", dev->is_noiommu ? "noiommu-" : "",
		 dev->iommu_group);
}

static int no_iommu_type(const struct group_ops *ops, struct error *err)
{
	if (ops->complete)
		return error_set(err, "%s is no container of VFIO: use a kernel with %s",
				 ops->container, ops->option);
	if (!ops->base.noiommu)
		return error_set(err, "%s knows no IOMMU: modprobe " IOMMU_MODULE,
				 ops->container);
	if (access(NOIOMMU_MODE, F_OK))
		return error_set(err, "%s knows no no-IOMMU mode: use a kernel with %s",
				 ops->container, ops->option);

	return error_set(err, "no-IOMMU mode is off: write Y to " NOIOMMU_MODE);
}

static bool knows_iommu(int container, const struct group_ops *ops)
{
	return ioctl(container, VFIO_CHECK_EXTENSION, ops->iommu) > 0;
}

static bool group_applies(const struct vfio_backend_ops *base, const struct pci_device *dev,
			  struct error *why)
{
	const struct group_ops *ops = to_group_ops(base);
	bool known;
	char path[64];
	int fd;

	if (!device_check_iommu(dev, ops->base.noiommu, why) ||
	    file_is_missing(ops->container, ops->option, why))
		return false;

	group_path(dev, path, sizeof(path));
	if (access(path, F_OK)) {
		error_set(why, "%s does not exist: use a kernel with CONFIG_VFIO_GROUP", path);
		return false;
	}

	if (ops->complete)
		return true;

	/* That it cannot be opened is for attach to say. */
	fd = open(ops->container, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return true;

	known = knows_iommu(fd, ops);
	close(fd);
	if (!known)
		no_iommu_type(ops, why);
	return known;
}

static int check_viable(const struct group *group, const struct pci_scan *scan,
			const struct pci_device *dev, struct error *err)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };

	if (ioctl(group->fd, VFIO_GROUP_GET_STATUS, &status))
		return error_set(err, "%s: status of group %d: %s", dev->bdf,
				 group->number, strerror(errno));
	if (status.flags & VFIO_GROUP_FLAGS_VIABLE)
		return 0;
	if (group_check_viable(scan, dev, err))
		return -1;

	return error_set(err, "%s: group %d is not viable: bind all its devices to vfio-pci",
			 dev->bdf, group->number);
}

static int set_container(const struct group *group, const struct group_ops *ops,
			 const struct pci_device *dev, struct error *err)
{
	if (!knows_iommu(group->container, ops))
		return no_iommu_type(ops, err);
	if (ioctl(group->fd, VFIO_GROUP_SET_CONTAINER, &group->container))
		return error_set(err, "%s: group %d and %s: %s", dev->bdf,
				 group->number, ops->container, strerror(errno));
	if (!ioctl(group->container, VFIO_SET_IOMMU, ops->iommu))
		return 0;
	if (errno == EPERM)
		return device_permission_error(dev, err);

	return error_set(err, "%s: IOMMU of group %d: %s", dev->bdf, group->number,
			 strerror(errno));
}

static int open_group(struct group *group, const struct group_ops *ops,
		      const struct pci_scan *scan, const struct pci_device *dev,
		      struct error *err)
{
	char path[64];

	group_path(dev, path, sizeof(path));
	group->fd = open(path, O_RDWR | O_CLOEXEC);
	if (group->fd < 0)
		return file_open_error(path, errno, err);
	if (check_viable(group, scan, dev, err))
		return -1;

	group->container = open(ops->container, O_RDWR | O_CLOEXEC);
	if (group->container < 0)
		return file_open_error(ops->container, errno, err);

	return set_container(group, ops, dev, err);
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
	const struct group_ops *ops = to_group_ops(backend->ops);
	struct backend_group *bg = to_backend_group(backend);
	struct group *group;

	if (find_group(bg, dev->iommu_group))
		return 0;

	group = calloc(1, sizeof(*group));
	if (!group)
		return error_set(err, "%s: no memory", dev->bdf);

	group->number = dev->iommu_group;
	group->fd = -1;
	group->container = -1;
	if (open_group(group, ops, scan, dev, err)) {
		close_group(group);
		return -1;
	}

	group->next = bg->groups;
	bg->groups = group;
	return 0;
}

static int group_open(struct vfio_backend *backend, const struct pci_scan *scan,
		      const struct pci_device *dev, struct error *err)
{
	struct group *group = find_group(to_backend_group(backend), dev->iommu_group);
	int fd;

	fd = ioctl(group->fd, VFIO_GROUP_GET_DEVICE_FD, dev->bdf);
	if (fd < 0)
		return device_open_error(scan, dev, errno, err);

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

static struct vfio_backend *group_create(const struct vfio_backend_ops *ops, struct error *err)
{
	struct backend_group *bg = calloc(1, sizeof(*bg));

	if (!bg) {
		error_set(err, "no memory for the backend %s", ops->name);
		return NULL;
	}
	bg->base.ops = ops;
	return &bg->base;
}

#define GROUP_OPS(_name, _noiommu)		\
	{					\
		.name = (_name),		\
		.noiommu = (_noiommu),		\
		.applies = group_applies,	\
		.create = group_create,		\
		.attach = group_attach,		\
		.open = group_open,		\
		.destroy = group_destroy,	\
	}

/*
 * Every group gets a container of its own, also where that is an iommufd: IOMMUs
 * of one machine may differ too much to share one.
 */
const struct group_ops backend_container = {
	.base = GROUP_OPS("container", false),
	.container = CONTAINER,
	.option = "CONFIG_VFIO_CONTAINER",
	.iommu = IOMMU_TYPE,
};

const struct group_ops backend_iommufd_container = {
	.base = GROUP_OPS("iommufd-container", false),
	.container = IOMMUFD,
	.option = "CONFIG_IOMMUFD",
	.iommu = VFIO_TYPE1v2_IOMMU,
	.complete = true,
};

const struct group_ops backend_noiommu = {
	.base = GROUP_OPS("noiommu", true),
	.container = CONTAINER,
	.option = "CONFIG_VFIO_NOIOMMU",
	.iommu = VFIO_NOIOMMU_IOMMU,
};
