// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "device/vfio_device.h"
#include "measure/path.h"

static int compare(u64 expected, u64 seen, const char *what, struct error *err)
{
	if (seen == expected)
		return 0;

	return error_set(err, "%s 0x%llx instead of 0x%llx", what, seen, expected);
}

int path_check(struct path *path, struct error *err)
{
	const struct path_target *target = path->target;
	const struct safe_register *reg = &target->reg;
	u64 offset = target->info.offset + reg->offset, value = ~target->value;
	struct path_done done;

	/* A value that a write has to change. */
	if (target->op != PATH_READ && vfio_write(target->fd, offset, reg->width, value))
		return error_set(err, "the device's file cannot be written");
	if (path->ops->run(path, 1, true, &done, err))
		return -1;
	if (vfio_read(target->fd, offset, reg->width, &value))
		return error_set(err, "the device's file cannot be read");

	if (target->op != PATH_READ &&
	    compare(register_mirror(reg, target->value), value, "it wrote", err))
		return -1;

	return target->op == PATH_WRITE ? 0 : compare(value, done.last, "it read", err);
}
