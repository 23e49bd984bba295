// SPDX-License-Identifier: GPL-2.0-only
/* Through VFIO: a mapping, and the device's file. */
#include <string.h>

#include "device/vfio_device.h"
#include "measure/cycles.h"
#include "measure/mmio_loop.h"
#include "measure/path.h"

static enum path_state mmap_open(struct path *path, const struct path_target *target,
				 struct error *why)
{
	path->priv = vfio_register_address(target->device, &target->reg);
	if (path->priv)
		return PATH_OPEN;

	error_set(why, "the BAR is trapped: it cannot be mapped");
	return PATH_INAPPLICABLE;
}

static int mmap_run(const struct path *path, u64 n, bool access, struct path_done *done,
		    struct error *err)
{
	mmio_loop(path->priv, path->target, n, access, done);
	return 0;
}

static enum path_state file_open(struct path *path, const struct path_target *target,
				 struct error *why)
{
	return PATH_OPEN;
}

static int file_access(const struct path_target *target, u64 *last)
{
	int ret = 0;

	if (target->op != PATH_READ)
		ret = vfio_register_write(target->device, &target->reg, target->value);
	if (!ret && target->op != PATH_WRITE)
		ret = vfio_register_read(target->device, &target->reg, last);
	return ret;
}

static int file_run(const struct path *path, u64 n, bool access, struct path_done *done,
		    struct error *err)
{
	u64 last = 0, start = cycles_start(), i;
	int ret = 0;

	for (i = 0; i < n && !ret; i++) {
		__asm__ __volatile__("" : : : "memory");
		if (access)
			ret = file_access(path->target, &last);
	}
	done->ticks = cycles_end() - start;
	done->last = last;
	return ret ? error_set(err, "pread or pwrite: %s", strerror(-ret)) : 0;
}

static void nothing_to_close(struct path *path)
{
}

const struct path_ops path_mmap = {
	.name = "mmap",
	.open = mmap_open,
	.run = mmap_run,
	.close = nothing_to_close,
};

/* Called pread or pwrite, after the operation. */
const struct path_ops path_file = {
	.name = "file",
	.open = file_open,
	.run = file_run,
	.close = nothing_to_close,
};
