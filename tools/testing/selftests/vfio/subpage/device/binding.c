// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device/binding.h"

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;

	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static int bind_one(const char *bdf, const char *driver, struct error *err)
{
	char path[160];
	int ret;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.20s/driver_override", bdf);
	ret = write_file(path, driver);
	if (ret)
		return error_set(err, "%s: %s", path, strerror(-ret));

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%.80s/bind", driver);
	ret = write_file(path, bdf);
	if (ret)
		return error_set(err, "%s: cannot be bound to %s: %s", bdf, driver,
				 strerror(-ret));
	return 0;
}

static int unbind_one(const char *bdf, struct error *err)
{
	char path[160];
	int ret;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.20s/driver/unbind", bdf);
	ret = write_file(path, bdf);
	if (ret && ret != -ENOENT)
		return error_set(err, "%s: cannot be unbound: %s", bdf, strerror(-ret));
	return 0;
}

int binding_bind(char bdf[][SYSFS_BDF_LEN], size_t n, const char *driver, struct error *err)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (bind_one(bdf[i], driver, err))
			return -1;
	return 0;
}

int binding_unbind(char bdf[][SYSFS_BDF_LEN], size_t n, struct error *err)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (unbind_one(bdf[i], err))
			return -1;
	return 0;
}

int binding_check(const struct pci_scan *scan, char bdf[][SYSFS_BDF_LEN], size_t n,
		  struct error *err)
{
	const struct pci_device *dev;
	size_t i;

	for (i = 0; i < n; i++) {
		dev = sysfs_find_named(scan, bdf[i], err);
		if (!dev)
			return -1;
		if (dev->driver[0] && !dev->is_vfio)
			return error_set(err, "%s is in use by %s: start this by vfio-bind.sh",
					 bdf[i], dev->driver);
	}
	return 0;
}

bool binding_module_is_loaded(void)
{
	return !access("/sys/module/" MODULE_SUBPAGE, F_OK);
}

int binding_load_module(bool load, struct error *err)
{
	if (load == binding_module_is_loaded())
		return 0;
	if (!system(load ? "modprobe " MODULE_SUBPAGE : "modprobe -r " MODULE_SUBPAGE))
		return 0;

	return error_set(err, MODULE_SUBPAGE ": modprobe cannot %s",
			 load ? "load it: install it for this kernel" :
			 "unload it: unbind the devices that it holds");
}
