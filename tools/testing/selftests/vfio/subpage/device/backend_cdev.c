// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "device/backend_cdev.h"
#include "device/open_error.h"

#define IOMMUFD		"/dev/iommu"
#define OPTION_IOMMUFD	"CONFIG_IOMMUFD"
#define OPTION_CDEV	"CONFIG_VFIO_DEVICE_CDEV"

/* Headers of Linux 6.5 and before have no cdev, and perhaps no iommufd. */
#ifdef VFIO_DEVICE_BIND_IOMMUFD
#include <linux/iommufd.h>

#define HAVE_HEADERS	true

static int ioas_alloc(int iommufd, __u32 *id)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	if (ioctl(iommufd, IOMMU_IOAS_ALLOC, &alloc))
		return -errno;

	*id = alloc.out_ioas_id;
	return 0;
}

static int bind_iommufd(int fd, int iommufd)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.iommufd = iommufd,
	};

	return ioctl(fd, VFIO_DEVICE_BIND_IOMMUFD, &bind) ? -errno : 0;
}

static int attach_ioas(int fd, __u32 id)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
		.pt_id = id,
	};

	return ioctl(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach) ? -errno : 0;
}
#else
#define HAVE_HEADERS	false

static int ioas_alloc(int iommufd, __u32 *id)
{
	(void)iommufd;
	*id = 0;
	return -ENOTTY;
}

static int bind_iommufd(int fd, int iommufd)
{
	(void)fd;
	(void)iommufd;
	return -ENOTTY;
}

static int attach_ioas(int fd, __u32 id)
{
	(void)fd;
	(void)id;
	return -ENOTTY;
}
#endif

/* Devices of one group have to share an iommufd. */
struct context {
	int group;
	int iommufd;
	__u32 ioas;
	struct context *next;
};

struct backend {
	struct vfio_backend base;
	struct context *contexts;
};

static struct backend *to_backend(struct vfio_backend *backend)
{
	return (struct backend *)backend;
}

static struct context *find_context(struct backend *backend, int group)
{
	struct context *context;

	for (context = backend->contexts; context; context = context->next)
		if (context->group == group)
			return context;
	return NULL;
}

/* Only with the kernel's option does the VFIO device have a number. */
static bool has_cdev(const struct pci_device *dev)
{
	char name[64], attr[96], number[32];

	if (!sysfs_vfio_name(dev, name, sizeof(name)))
		return false;

	snprintf(attr, sizeof(attr), "vfio-dev/%s/dev", name);
	return sysfs_read_attr(dev, attr, number, sizeof(number));
}

static bool cdev_applies(const struct vfio_backend_ops *ops, const struct pci_device *dev,
			 struct error *why)
{
	(void)ops;
	if (!HAVE_HEADERS) {
		error_set(why,
			  "built without iommufd headers: build with those of Linux 6.6 or later");
		return false;
	}
	if (!device_check_iommu(dev, false, why) ||
	    file_is_missing(IOMMUFD, OPTION_IOMMUFD, why))
		return false;
	if (has_cdev(dev))
		return true;

	error_set(why, "%s has no character device of VFIO: use a kernel with " OPTION_CDEV,
		  dev->bdf);
	return false;
}

static int open_context(struct context *context, struct error *err)
{
	int ret;

	context->iommufd = open(IOMMUFD, O_RDWR | O_CLOEXEC);
	if (context->iommufd < 0)
		return file_open_error(IOMMUFD, errno, err);

	ret = ioas_alloc(context->iommufd, &context->ioas);
	if (ret)
		return error_set(err, IOMMUFD ": no I/O address space for group %d: %s",
				 context->group, strerror(-ret));
	return 0;
}

static void close_context(struct context *context)
{
	if (context->iommufd >= 0)
		close(context->iommufd);
	free(context);
}

static int cdev_attach(struct vfio_backend *base, const struct pci_scan *scan,
		       const struct pci_device *dev, struct error *err)
{
	struct backend *backend = to_backend(base);
	struct context *context;

	if (group_check_viable(scan, dev, err))
		return -1;
	if (find_context(backend, dev->iommu_group))
		return 0;

	context = calloc(1, sizeof(*context));
	if (!context)
		return error_set(err, "%s: no memory", dev->bdf);

	context->group = dev->iommu_group;
	if (open_context(context, err)) {
		close_context(context);
		return -1;
	}

	context->next = backend->contexts;
	backend->contexts = context;
	return 0;
}

/* A device that is open elsewhere is EINVAL, as is one that cannot be enabled. */
static int bind_error(const struct pci_scan *scan, const struct pci_device *dev, int error,
		      struct error *err)
{
	if (error == EINVAL && sysfs_unassigned_bar(dev) < 0)
		error = EBUSY;

	return device_open_error(scan, dev, error, err);
}

static int bind_device(int fd, const struct context *context, const struct pci_scan *scan,
		       const struct pci_device *dev, struct error *err)
{
	int ret;

	ret = bind_iommufd(fd, context->iommufd);
	if (ret)
		return bind_error(scan, dev, -ret, err);

	ret = attach_ioas(fd, context->ioas);
	if (ret)
		return error_set(err, "%s: not attached to an I/O address space: %s", dev->bdf,
				 strerror(-ret));
	return 0;
}

static int cdev_open(struct vfio_backend *base, const struct pci_scan *scan,
		     const struct pci_device *dev, struct error *err)
{
	const struct context *context = find_context(to_backend(base), dev->iommu_group);
	char name[64], path[96];
	int fd;

	if (!sysfs_vfio_name(dev, name, sizeof(name)))
		return error_set(err, "%s is not bound to VFIO any more: bind it again", dev->bdf);

	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return file_open_error(path, errno, err);

	if (bind_device(fd, context, scan, dev, err)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void cdev_destroy(struct vfio_backend *base)
{
	struct backend *backend = to_backend(base);

	while (backend->contexts) {
		struct context *context = backend->contexts;

		backend->contexts = context->next;
		close_context(context);
	}
	free(backend);
}

static struct vfio_backend *cdev_create(const struct vfio_backend_ops *ops, struct error *err)
{
	struct backend *backend = calloc(1, sizeof(*backend));

	if (!backend) {
		error_set(err, "no memory for the backend %s", ops->name);
		return NULL;
	}
	backend->base.ops = ops;
	return &backend->base;
}

const struct vfio_backend_ops backend_cdev = {
	.name = "cdev",
	.applies = cdev_applies,
	.create = cdev_create,
	.attach = cdev_attach,
	.open = cdev_open,
	.destroy = cdev_destroy,
};
