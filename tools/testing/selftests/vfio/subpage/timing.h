/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SUBPAGE_TIMING_H
#define SUBPAGE_TIMING_H

#include <stddef.h>

#include "error.h"
#include "measure/cpu.h"
#include "measure/stats.h"
#include "types.h"

/**
 * struct timed_path - one way to access a register
 * @address: of the register in a mapping, or NULL to go through @fd
 * @fd: the VFIO device
 * @offset: of the register in the device's file, bytes
 * @width: 1, 2, 4 or 8 bytes
 * @write: time writes of @value, not reads
 * @value: what to write, in the byte order of the CPU
 * @stats: filled in: nanoseconds per access
 */
struct timed_path {
	void *address;
	int fd;
	u64 offset;
	unsigned int width;
	bool write;
	u64 value;
	struct stats stats;
};

/**
 * timing_run() - time one path, or two against each other
 * @path: the paths
 * @nr: 1 or 2
 * @near: where to allocate
 * @samples: how many samples of each path
 * @batch: how many accesses make a sample
 * @err: set on failure
 *
 * A sample is the mean of a batch, since reading the clock costs more than an
 * access through a mapping. Two paths take turns sample by sample, so that a
 * change of the machine's pace meets both. One batch of each goes first and is
 * not counted.
 *
 * Return: 0 or -1.
 */
int timing_run(struct timed_path *path, size_t nr, const struct near *near,
	       size_t samples, size_t batch, struct error *err);

#endif
