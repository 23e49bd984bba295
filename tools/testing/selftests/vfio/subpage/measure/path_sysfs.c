// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mapping of the device's resourceN in sysfs: what people use where VFIO does
 * not map, with no isolation from the rest of the page.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device/vfio_device.h"
#include "measure/mmio_loop.h"
#include "measure/path.h"

struct sysfs_map {
	void *map;
	size_t len;
	void *address;
};

/* The kernel refuses with EINVAL what a driver uses, and EPERM if it is locked down. */
static const char *remedy(int error)
{
	switch (error) {
	case EINVAL:
		return ": only its driver may map it: boot with iomem=relaxed";
	case EPERM:
		return ": the kernel is locked down";
	default:
		return "";
	}
}

static enum path_state refuse(const char *name, struct error *why)
{
	error_set(why, "%.300s: %s%s", name, strerror(errno), remedy(errno));
	return PATH_MISSING;
}

static enum path_state sysfs_open(struct path *path, const struct path_target *target,
				  struct error *why)
{
	const struct pci_device *dev = target->device->dev;
	const struct pci_resource *res = &dev->res[target->reg.bar];
	u64 start = res->start, page = sysconf(_SC_PAGESIZE);
	struct sysfs_map *sysfs;
	char name[600];
	int fd;

	snprintf(name, sizeof(name), "%s/resource%u", dev->path, target->reg.bar);
	fd = open(name, O_RDWR | O_SYNC | O_CLOEXEC);
	if (fd < 0)
		return refuse(name, why);

	sysfs = calloc(1, sizeof(*sysfs));
	if (!sysfs) {
		close(fd);
		error_set(why, "no memory");
		return PATH_FAILED;
	}

	/* The file begins with the page that the BAR starts in. */
	sysfs->len = vfio_page_round(start % page + sysfs_resource_size(res));
	sysfs->map = mmap(NULL, sysfs->len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (sysfs->map == MAP_FAILED) {
		free(sysfs);
		return refuse(name, why);
	}

	sysfs->address = (char *)sysfs->map + start % page + target->reg.offset;
	path->priv = sysfs;
	return PATH_OPEN;
}

static int sysfs_run(const struct path *path, u64 n, bool access, struct path_done *done,
		     struct error *err)
{
	struct sysfs_map *sysfs = path->priv;

	mmio_loop(sysfs->address, path->target, n, access, done);
	return 0;
}

static void sysfs_close(struct path *path)
{
	struct sysfs_map *sysfs = path->priv;

	munmap(sysfs->map, sysfs->len);
	free(sysfs);
}

const struct path_ops path_sysfs = {
	.name = "sysfs",
	.open = sysfs_open,
	.run = sysfs_run,
	.close = sysfs_close,
};
