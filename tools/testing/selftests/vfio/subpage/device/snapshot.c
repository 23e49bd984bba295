// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device/snapshot.h"
#include "registers/mmio.h"

/* Opening resets a device, and its bus: seconds on slow ones, not a minute. */
#define PATIENCE	60

static void read_bar(const struct vfio_device *device, unsigned int bar,
		     struct bar_snapshot *snapshot)
{
	size_t len = vfio_page_round(device->bar[bar].info.size);
	void *address;

	snapshot->info = device->bar[bar].info;
	snapshot->map = 0;
	if (!len)
		return;

	snapshot->map = vfio_map(device->fd, snapshot->info.offset, len, &address);
	if (!snapshot->map)
		munmap(address, len);
}

static int read_register(struct vfio_device *device, struct register_snapshot *snapshot)
{
	const struct safe_register *reg = &snapshot->reg;
	void *address;
	int ret;

	ret = vfio_register_read(device, reg, &snapshot->file);
	if (!ret)
		ret = vfio_bar_map(device, reg->bar);
	if (ret)
		return ret;

	address = vfio_register_address(device, reg);
	snapshot->mapped = address ? mmio_read(address, reg->width) : snapshot->file;
	return 0;
}

static int read_registers(struct vfio_device *device, struct snapshot *snapshot)
{
	int ret, restored;
	size_t i;

	ret = vfio_device_enable(device);
	if (ret)
		return ret;

	for (i = 0; i < snapshot->nr_reg && !ret; i++)
		ret = read_register(device, &snapshot->reg[i]);
	restored = vfio_device_disable(device);
	return ret ? ret : restored;
}

void snapshot_take(struct vfio_device *device, struct snapshot *snapshot)
{
	unsigned int bar;
	int ret;

	for (bar = 0; bar < SYSFS_NR_BARS; bar++)
		read_bar(device, bar, &snapshot->bar[bar]);
	ret = snapshot->nr_reg ? read_registers(device, snapshot) : 0;
	if (ret)
		error_set(&snapshot->why, "safe registers: %s", strerror(-ret));
	snapshot->is_taken = !ret;
}

static void open_and_take(const struct vfio_backend_ops *ops, const struct pci_scan *scan,
			  const struct pci_device *dev, struct snapshot *snapshot)
{
	struct vfio_device device = { .dev = dev, .ops = ops, .fd = -1 };

	device.backend = ops->create(ops, &snapshot->why);
	if (!device.backend)
		return;

	if (!ops->attach(device.backend, scan, dev, &snapshot->why))
		device.fd = ops->open(device.backend, scan, dev, &snapshot->why);
	if (device.fd >= 0 && vfio_device_get_bars(&device))
		error_set(&snapshot->why, "no region info");
	else if (device.fd >= 0)
		snapshot_take(&device, snapshot);

	vfio_device_close(&device);
	ops->destroy(device.backend);
}

static void wait_for(pid_t pid, struct snapshot *snapshot)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return;
	if (!WIFSIGNALED(status))
		return;

	snapshot->is_taken = false;
	if (WTERMSIG(status) == SIGALRM)
		error_set(&snapshot->why, "still busy with the device after %d seconds", PATIENCE);
	else
		error_set(&snapshot->why, "ended by signal %d (%s)", WTERMSIG(status),
			  strsignal(WTERMSIG(status)));
}

void snapshot_take_through(const struct vfio_backend_ops *ops, const struct pci_scan *scan,
			   const struct pci_device *dev, struct snapshot *snapshot)
{
	pid_t pid;

	error_set(&snapshot->why, "no process to open the device in");
	pid = fork();
	if (pid > 0)
		return wait_for(pid, snapshot);
	if (pid < 0)
		return;

	alarm(PATIENCE);
	open_and_take(ops, scan, dev, snapshot);
	_exit(0);
}

static bool differ(struct error *err, unsigned int bar, const char *what, u64 a, u64 b)
{
	if (a == b)
		return false;

	error_set(err, "BAR%u: %s is 0x%llx, and 0x%llx the other way", bar, what, a, b);
	return true;
}

bool snapshot_same_regions(const struct snapshot *a, const struct snapshot *b,
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

bool snapshot_maps_as_flagged(const struct snapshot *snapshot, struct error *err)
{
	unsigned int bar;

	for (bar = 0; bar < SYSFS_NR_BARS; bar++) {
		const struct bar_snapshot *region = &snapshot->bar[bar];
		bool flagged = region->info.flags & VFIO_REGION_INFO_FLAG_MMAP;
		int expected = region->is_busy ? -EBUSY : 0;

		if (!region->info.size || region->map == (flagged ? expected : -EINVAL))
			continue;
		error_set(err, "BAR%u is %sflagged as mappable; mapping it gives: %s", bar,
			  flagged ? "" : "not ", strerror(-region->map));
		return false;
	}
	return true;
}

bool snapshot_same_registers(const struct snapshot *a, const struct snapshot *b,
			     struct error *err)
{
	size_t i;

	for (i = 0; i < a->nr_reg; i++) {
		const struct register_snapshot *x = &a->reg[i], *y = &b->reg[i];
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
