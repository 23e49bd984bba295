/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Times several paths to one register against each other. They take turns in
 * blocks, in a random order for each round, so that no change of the machine's
 * pace meets one path more than another.
 */
#ifndef SUBPAGE_MEASURE_H
#define SUBPAGE_MEASURE_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"
#include "measure/cpu.h"
#include "measure/cycles.h"
#include "measure/path.h"
#include "measure/stats.h"

/* Operations of a sample, at most. */
#define MEASURE_MAX_BATCH	262144

/**
 * struct measure_plan - how to measure
 * @samples: of each path, at least one in each block
 * @blocks: rounds, in each of which every path has one block of samples
 * @batch: operations of a sample; 0 to choose
 * @seed: of the order and of the bootstrap
 * @delay_ns: makes each operation take so much longer, to try out whether that
 *	is found; 0 for a measurement
 */
struct measure_plan {
	size_t samples;
	size_t blocks;
	size_t batch;
	u64 seed;
	double delay_ns;
};

/**
 * struct measured_path - a path and what was measured
 * @path: open
 * @batch: operations of a sample, chosen so that the counter's resolution is
 *	below 1 % of it
 * @loop_ns: the cost of the loop itself for one operation, already subtracted
 * @stats: nanoseconds for one operation, of samples that are means of a batch;
 *	the interval comes from a bootstrap that draws whole blocks
 * @outliers: samples further than three interquartile ranges from the
 *	quartiles; they are not removed
 * @failure: why there are no results, "" if there are
 */
struct measured_path {
	struct path path;
	size_t batch;
	double loop_ns;
	struct stats stats;
	size_t outliers;
	struct error failure;
};

/**
 * measure_run() - measure paths against each other
 * @measured: the paths
 * @nr: how many, at most 16
 * @plan: how
 * @cycles: calibrated
 * @near: where to allocate
 * @progress: called before each round with its number and how many there are;
 *	may be NULL. It returns false to end the measurement.
 * @err: set on failure: no memory, or it was ended
 *
 * A path whose access fails is left out from then on; the others are measured.
 *
 * Return: 0 or -1.
 */
int measure_run(struct measured_path *measured, size_t nr, const struct measure_plan *plan,
		const struct cycles *cycles, const struct near *near,
		bool (*progress)(size_t round, size_t rounds), struct error *err);

#endif
