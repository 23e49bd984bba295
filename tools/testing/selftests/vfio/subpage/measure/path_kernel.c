// SPDX-License-Identifier: GPL-2.0-only
/* From inside the kernel, by the module subpage_perf: the limit of all others. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "measure/path.h"
#include "measure/perf_ioctl.h"

#define DEVICE	"/dev/" SUBPAGE_PERF_DEVICE

struct kernel_path {
	int fd;
	struct subpage_perf_run run;
};

static void set_device(struct subpage_perf_run *run, const char *bdf)
{
	unsigned int domain, bus, device, function;

	/* sysfs wrote it. */
	if (sscanf(bdf, "%x:%x:%x.%x", &domain, &bus, &device, &function) != 4)
		return;

	run->domain = domain;
	run->bus = bus;
	run->devfn = device << 3 | function;
}

static enum path_state kernel_open(struct path *path, const struct path_target *target,
				   struct error *why)
{
	struct kernel_path *kernel;
	int fd;

	fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		error_set(why, DEVICE ": %s: load the module subpage_perf", strerror(errno));
		return PATH_MISSING;
	}

	kernel = calloc(1, sizeof(*kernel));
	if (!kernel) {
		close(fd);
		error_set(why, "no memory");
		return PATH_FAILED;
	}

	kernel->fd = fd;
	kernel->run.bar = target->reg.bar;
	kernel->run.width = target->reg.width;
	kernel->run.offset = target->reg.offset;
	kernel->run.value = target->value;
	set_device(&kernel->run, target->device->dev->bdf);
	path->priv = kernel;
	return PATH_OPEN;
}

static int kernel_run(const struct path *path, u64 n, bool access, struct path_done *done,
		      struct error *err)
{
	struct kernel_path *kernel = path->priv;

	kernel->run.op = access ? path->target->op : SUBPAGE_PERF_NOTHING;
	kernel->run.count = n;
	if (ioctl(kernel->fd, SUBPAGE_PERF_RUN, &kernel->run))
		return error_set(err, DEVICE ": %s", strerror(errno));

	done->ticks = kernel->run.ticks;
	done->last = kernel->run.last;
	return 0;
}

static void kernel_close(struct path *path)
{
	struct kernel_path *kernel = path->priv;

	close(kernel->fd);
	free(kernel);
}

const struct path_ops path_kernel = {
	.name = "kernel",
	.open = kernel_open,
	.run = kernel_run,
	.close = kernel_close,
};
