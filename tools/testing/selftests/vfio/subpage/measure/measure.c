// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "measure/measure.h"
#include "measure/random.h"

#define MAX_PATHS	16
/* A sample takes at least this, or the counter is not read precisely enough. */
#define RESOLUTIONS	100
#define MIN_SAMPLE_NS	30000
/* And this many times what starting costs, such as the entry into a guest. */
#define STARTS		20
/* Samples of the loop itself, in each block. */
#define LOOP_SAMPLES	5
/* Of a batch that is tried: the first faults pages in, and may be interrupted. */
#define TRIALS		4

/* Until so many ticks have passed; returns how many really did. */
static u64 spin(u64 ticks)
{
	u64 start = cycles_start(), passed;

	do {
		passed = cycles_end() - start;
	} while (passed < ticks);
	return passed;
}

static int run_once(const struct measure_plan *plan, const struct path *path, u64 n,
		    bool access, double *ticks, struct error *err)
{
	struct path_done done;

	if (path->ops->run(path, n, access, &done, err))
		return -1;

	if (access && plan->delay_ns)
		done.ticks += spin(n * plan->delay_ns * plan->cycles.hz / 1e9);
	*ticks = done.ticks;
	return 0;
}

/* The fastest of some runs. */
static int try_batch(const struct measure_plan *plan, const struct path *path, u64 n,
		     bool access, double *ticks, struct error *err)
{
	double one;
	int i;

	if (run_once(plan, path, n, access, ticks, err))
		return -1;

	for (i = 1; i < TRIALS; i++) {
		if (run_once(plan, path, n, access, &one, err))
			return -1;
		if (one < *ticks)
			*ticks = one;
	}
	return 0;
}

/* The smallest power of two whose operations take long enough. */
static int choose_batch(const struct measure_plan *plan, const struct path *path, size_t *batch,
			struct error *err)
{
	const struct cycles *cycles = &plan->cycles;
	double enough = MIN_SAMPLE_NS * cycles->hz / 1e9, ticks, loop;

	if (try_batch(plan, path, 1, false, &loop, err))
		return -1;

	enough = fmax(enough, RESOLUTIONS * (double)cycles->resolution);
	enough = fmax(enough, STARTS * loop);

	for (*batch = 1; *batch < MEASURE_MAX_BATCH; *batch *= 2) {
		if (try_batch(plan, path, *batch, true, &ticks, err) ||
		    try_batch(plan, path, *batch, false, &loop, err))
			return -1;
		if (ticks - loop >= enough)
			break;
	}
	return 0;
}

static size_t per_block(const struct measure_plan *plan)
{
	return (plan->samples + plan->blocks - 1) / plan->blocks;
}

int measure_begin(struct measurement *m, const struct measure_plan *plan,
		  const struct near *near, struct error *err)
{
	size_t doubles = plan->blocks * (per_block(plan) + 1);

	*m = (struct measurement) { .size = doubles * sizeof(double) };
	m->sample = near_alloc(near, m->size);
	if (!m->sample)
		return error_set(err, "no memory for %zu samples", doubles);

	m->loop = m->sample + plan->blocks * per_block(plan);
	return 0;
}

static bool has_failed(const struct measured_path *measured)
{
	return measured->m->failure.text[0];
}

/* The first access faults pages in. */
static void warm_up(const struct measured_path *measured, const struct measure_plan *plan)
{
	struct measurement *m = measured->m;
	double ticks;

	if (!m->batch && plan->batch)
		m->batch = plan->batch;
	if (m->batch)
		run_once(plan, &measured->path, m->batch, true, &ticks, &m->failure);
	else
		choose_batch(plan, &measured->path, &m->batch, &m->failure);
}

/* Ticks of one operation, without the loop around it. */
static void run_block(const struct measured_path *measured, const struct measure_plan *plan,
		      size_t block)
{
	const struct path *path = &measured->path;
	struct measurement *m = measured->m;
	double *sample = m->sample + block * per_block(plan);
	double loop[LOOP_SAMPLES];
	struct stats cost;
	size_t i;

	for (i = 0; i < LOOP_SAMPLES; i++)
		if (run_once(plan, path, m->batch, false, &loop[i], &m->failure))
			return;
	stats_compute(loop, LOOP_SAMPLES, &cost);
	m->loop[block] = cost.median / m->batch;

	for (i = 0; i < per_block(plan); i++) {
		if (run_once(plan, path, m->batch, true, &sample[i], &m->failure))
			return;
		sample[i] = (sample[i] - cost.median) / m->batch;
	}
}

bool measure_blocks(const struct measured_path *measured, size_t nr,
		    const struct measure_plan *plan, size_t first, size_t end,
		    bool (*progress)(size_t block, size_t blocks))
{
	struct random random = { .state = plan->seed + first };
	size_t order[MAX_PATHS], block, i;

	for (i = 0; i < nr; i++) {
		order[i] = i;
		if (!has_failed(&measured[i]))
			warm_up(&measured[i], plan);
	}

	for (block = first; block < end; block++) {
		if (progress && !progress(block, plan->blocks))
			return false;
		random_shuffle(&random, order, nr);
		for (i = 0; i < nr; i++)
			if (!has_failed(&measured[order[i]]))
				run_block(&measured[order[i]], plan, block);
	}
	return true;
}

static void in_ns(double *value, size_t n, const struct cycles *cycles)
{
	size_t i;

	for (i = 0; i < n; i++)
		value[i] = cycles_ns(cycles, value[i]);
}

static void summarise(struct measurement *m, const struct measure_plan *plan)
{
	size_t n = plan->blocks * per_block(plan);
	struct stats loop;
	double ci95[2];

	in_ns(m->sample, n, &plan->cycles);
	in_ns(m->loop, plan->blocks, &plan->cycles);
	if (stats_bootstrap(m->sample, per_block(plan), plan->blocks, plan->seed, ci95)) {
		error_set(&m->failure, "no memory for the interval of %zu samples", n);
		return;
	}
	stats_compute(m->sample, n, &m->stats);
	memcpy(m->stats.ci95, ci95, sizeof(ci95));
	m->outliers = stats_outliers(m->sample, n);
	stats_compute(m->loop, plan->blocks, &loop);
	m->loop_ns = loop.median;
}

void measure_end(struct measurement *m, const struct measure_plan *plan)
{
	if (!m->failure.text[0])
		summarise(m, plan);
	near_free(m->sample, m->size);
	m->sample = NULL;
}
