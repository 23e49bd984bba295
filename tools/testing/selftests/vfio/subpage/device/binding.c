// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device/binding.h"
#include "device/sysfs.h"

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

int binding_bind(const char *bdf, const char *driver, struct error *err)
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

int binding_unbind(const char *bdf, struct error *err)
{
	char path[160];
	int ret;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.20s/driver/unbind", bdf);
	ret = write_file(path, bdf);
	if (ret && ret != -ENOENT)
		return error_set(err, "%s: cannot be unbound: %s", bdf, strerror(-ret));
	return 0;
}

int binding_load_module(bool load, struct error *err)
{
	if (load == !access("/sys/module/" MODULE_SUBPAGE, F_OK))
		return 0;
	if (!system(load ? "modprobe " MODULE_SUBPAGE : "modprobe -r " MODULE_SUBPAGE))
		return 0;

	return error_set(err, MODULE_SUBPAGE ": modprobe cannot %s",
			 load ? "load it: install it for this kernel" :
			 "unload it: unbind the devices that it holds");
}
