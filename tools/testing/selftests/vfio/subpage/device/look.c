// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device/look.h"
#include "device/vfio_device.h"
#include "registers/mmio.h"

/* Opening resets a device, and its bus: seconds on slow ones, not a minute. */
#define PATIENCE	60

static int look_at_bar(int fd, unsigned int bar, struct region_look *look)
{
	void *address;
	int ret;

	ret = vfio_region(fd, bar, &look->info);
	if (ret || !look->info.size)
		return ret;

	look->map = vfio_map(fd, look->info.offset, vfio_page_round(look->info.size), &address);
	if (!look->map)
		munmap(address, vfio_page_round(look->info.size));
	return 0;
}

static int look_at_register(int fd, const struct vfio_region_info *info,
			    struct register_look *look)
{
	const struct safe_register *reg = &look->reg;
	void *address;
	int ret;

	ret = vfio_read(fd, info->offset + reg->offset, reg->width, &look->file);
	if (ret)
		return ret;

	look->mapped = look->file;
	if (!(info->flags & VFIO_REGION_INFO_FLAG_MMAP))
		return 0;

	ret = vfio_map(fd, info->offset, vfio_page_round(info->size), &address);
	if (ret)
		return ret;

	look->mapped = mmio_read((char *)address + reg->offset, reg->width);
	munmap(address, vfio_page_round(info->size));
	return 0;
}

static int look_at_registers(int fd, struct device_look *look)
{
	int ret = 0, restored;
	u16 command;
	size_t i;

	if (!look->nr_reg)
		return 0;

	ret = vfio_decode_enable(fd, &command);
	if (ret)
		return ret;

	for (i = 0; i < look->nr_reg && !ret; i++)
		ret = look_at_register(fd, &look->bar[look->reg[i].reg.bar].info,
				       &look->reg[i]);
	restored = vfio_decode_restore(fd, command);
	return ret ? ret : restored;
}

static void failed(struct device_look *look, const char *what, int ret)
{
	look->state = LOOK_FAILED;
	error_set(&look->why, "%s: %s", what, strerror(-ret));
}

void look_at(int fd, struct device_look *look)
{
	unsigned int bar;
	int ret;

	for (bar = 0; bar < SYSFS_NR_BARS; bar++) {
		ret = look_at_bar(fd, bar, &look->bar[bar]);
		if (ret)
			return failed(look, "region info", ret);
	}
	ret = look_at_registers(fd, look);
	if (ret)
		return failed(look, "safe registers", ret);

	look->state = LOOK_TAKEN;
}

static void open_and_look(const struct vfio_backend_ops *ops, const struct pci_scan *scan,
			  const struct pci_device *dev, struct device_look *look)
{
	struct vfio_backend *backend = ops->create(ops, &look->why);
	int fd = -1;

	if (!backend)
		return;

	if (!ops->attach(backend, scan, dev, &look->why))
		fd = ops->open(backend, scan, dev, &look->why);
	if (fd >= 0) {
		look_at(fd, look);
		close(fd);
	}
	ops->destroy(backend);
}

static void watch(pid_t pid, struct device_look *look)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return;
	if (!WIFSIGNALED(status))
		return;

	look->state = LOOK_FAILED;
	if (WTERMSIG(status) == SIGALRM)
		error_set(&look->why, "still busy with the device after %d seconds", PATIENCE);
	else
		error_set(&look->why, "ended by signal %d (%s)", WTERMSIG(status),
			  strsignal(WTERMSIG(status)));
}

void look_through(const struct vfio_backend_ops *ops, const struct pci_scan *scan,
		  const struct pci_device *dev, struct device_look *look)
{
	pid_t pid;

	look->state = LOOK_SKIPPED;
	if (!ops->applies(ops, dev, &look->why))
		return;

	look->state = LOOK_FAILED;
	error_set(&look->why, "no process to open the device in");
	pid = fork();
	if (pid > 0)
		return watch(pid, look);
	if (pid < 0)
		return;

	alarm(PATIENCE);
	open_and_look(ops, scan, dev, look);
	_exit(0);
}

static bool differ(struct error *err, unsigned int bar, const char *what, u64 a, u64 b)
{
	if (a == b)
		return false;

	error_set(err, "BAR%u: %s is 0x%llx, and 0x%llx the other way", bar, what, a, b);
	return true;
}

bool look_same_regions(const struct device_look *a, const struct device_look *b,
		       struct error *err)
{
	unsigned int bar;

	for (bar = 0; bar < SYSFS_NR_BARS; bar++) {
		const struct vfio_region_info *x = &a->bar[bar].info, *y = &b->bar[bar].info;

		if (differ(err, bar, "flags", x->flags, y->flags) ||
		    differ(err, bar, "size", x->size, y->size) ||
		    differ(err, bar, "offset", x->offset, y->offset))
			return false;
	}
	return true;
}

bool look_maps_as_flagged(const struct device_look *look, struct error *err)
{
	unsigned int bar;

	for (bar = 0; bar < SYSFS_NR_BARS; bar++) {
		const struct region_look *region = &look->bar[bar];
		bool flagged = region->info.flags & VFIO_REGION_INFO_FLAG_MMAP;
		int expected = region->busy ? -EBUSY : 0;

		if (!region->info.size || region->map == (flagged ? expected : -EINVAL))
			continue;
		error_set(err, "BAR%u is %sflagged as mappable; mapping it gives: %s", bar,
			  flagged ? "" : "not ", strerror(-region->map));
		return false;
	}
	return true;
}

bool look_same_registers(const struct device_look *a, const struct device_look *b,
			 struct error *err)
{
	size_t i;

	for (i = 0; i < a->nr_reg; i++) {
		const struct register_look *x = &a->reg[i], *y = &b->reg[i];
		char what[64];

		snprintf(what, sizeof(what), "register at 0x%llx", x->reg.offset);
		if (differ(err, x->reg.bar, what, x->file, y->file))
			return false;
		snprintf(what, sizeof(what), "register at 0x%llx, mapped,", x->reg.offset);
		if (differ(err, x->reg.bar, what, x->mapped, y->mapped))
			return false;
	}
	return true;
}
