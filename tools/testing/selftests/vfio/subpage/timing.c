// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "device/vfio_device.h"
#include "measure/cycles.h"
#include "registers/mmio.h"
#include "timing.h"

#define MAX_PATHS	2

static int read_batch(const struct timed_path *path, size_t batch)
{
	u64 value;
	size_t i;
	int ret;

	if (path->address) {
		for (i = 0; i < batch; i++)
			mmio_read(path->address, path->width);
		return 0;
	}

	for (i = 0; i < batch; i++) {
		ret = vfio_read(path->fd, path->offset, path->width, &value);
		if (ret)
			return ret;
	}
	return 0;
}

static int write_batch(const struct timed_path *path, size_t batch)
{
	size_t i;
	int ret;

	if (path->address) {
		for (i = 0; i < batch; i++)
			mmio_write(path->address, path->width, path->value);
		return 0;
	}

	for (i = 0; i < batch; i++) {
		ret = vfio_write(path->fd, path->offset, path->width, path->value);
		if (ret)
			return ret;
	}
	return 0;
}

static int run_batch(const struct timed_path *path, size_t batch, double *ns)
{
	u64 start = clock_raw_ns();
	int ret;

	ret = path->write ? write_batch(path, batch) : read_batch(path, batch);
	*ns = (double)(clock_raw_ns() - start) / batch;
	return ret;
}

static int run_samples(const struct timed_path *path, size_t nr, double **sample,
		       size_t samples, size_t batch)
{
	double warm_up;
	size_t i, p;
	int ret;

	for (p = 0; p < nr; p++) {
		ret = run_batch(&path[p], batch, &warm_up);
		if (ret)
			return ret;
	}

	for (i = 0; i < samples; i++) {
		for (p = 0; p < nr; p++) {
			ret = run_batch(&path[p], batch, &sample[p][i]);
			if (ret)
				return ret;
		}
	}
	return 0;
}

int timing_run(struct timed_path *path, size_t nr, const struct near *near,
	       size_t samples, size_t batch, struct error *err)
{
	size_t size = samples * sizeof(double), p;
	double *memory, *sample[MAX_PATHS];
	int ret;

	memory = near_alloc(near, nr * size);
	if (!memory)
		return error_set(err, "no memory for %zu samples", nr * samples);

	for (p = 0; p < nr; p++)
		sample[p] = memory + p * samples;

	ret = run_samples(path, nr, sample, samples, batch);
	if (ret)
		error_set(err, "an access while timing: %s", strerror(-ret));
	for (p = 0; !ret && p < nr; p++)
		stats_compute(sample[p], samples, &path[p].stats);

	near_free(memory, nr * size);
	return ret ? -1 : 0;
}
