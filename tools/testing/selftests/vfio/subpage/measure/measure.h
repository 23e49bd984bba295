/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Times several paths to one register against each other. They take turns in
 * blocks, in a random order for each block, so that no change of the machine's
 * pace meets one path more than another. Blocks of one measurement may be far
 * apart, and the path opened anew in between.
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
 * @blocks: in how many blocks they are taken
 * @batch: operations of a sample; 0 to choose
 * @seed: of the order and of the bootstrap
 * @delay_ns: makes each operation take so much longer, to try out whether that
 *	is found; 0 for a measurement
 * @cycles: calibrated
 */
struct measure_plan {
	size_t samples;
	size_t blocks;
	size_t batch;
	u64 seed;
	double delay_ns;
	struct cycles cycles;
};

/**
 * struct measurement - of one path
 * @batch: operations of a sample, chosen so that the counter's resolution is
 *	below 1 % of it; 0 until the first block
 * @loop_ns: the cost of the loop itself for one operation, already subtracted
 * @stats: nanoseconds for one operation, of samples that are means of a batch;
 *	the interval comes from a bootstrap that draws whole blocks
 * @outliers: samples further than three interquartile ranges from the
 *	quartiles; they are not removed
 * @failure: why there are no results, "" if there are
 * @sample: ticks for one operation, block after block
 * @loop: ticks of the loop for one operation, of each block
 * @size: of the memory that holds both, bytes
 */
struct measurement {
	size_t batch;
	double loop_ns;
	struct stats stats;
	size_t outliers;
	struct error failure;
	double *sample;
	double *loop;
	size_t size;
};

/* A path that is open, and its measurement. */
struct measured_path {
	struct path path;
	struct measurement *m;
};

/* Allocate memory for the samples of a plan beside a device; 0, or -1 with @err set. */
int measure_begin(struct measurement *m, const struct measure_plan *plan,
		  const struct near *near, struct error *err);

/**
 * measure_blocks() - measure paths against each other
 * @measured: the paths
 * @nr: how many, at most 16
 * @plan: how
 * @first: number of the first block
 * @end: number of the first block that is left to another call
 * @progress: called before each block with its number and how many the plan has;
 *	may be NULL. It returns false to end the measurement.
 *
 * A path whose access fails is left out from then on; the others are measured.
 *
 * Return: false if it was ended.
 */
bool measure_blocks(const struct measured_path *measured, size_t nr,
		    const struct measure_plan *plan, size_t first, size_t end,
		    bool (*progress)(size_t block, size_t blocks));

/* Summarise all blocks of the plan, and free the samples. */
void measure_end(struct measurement *m, const struct measure_plan *plan);

#endif
