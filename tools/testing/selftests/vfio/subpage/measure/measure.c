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

/* A run of measure_run(). */
struct run {
	struct measured_path *measured;
	const struct measure_plan *plan;
	const struct cycles *cycles;
	size_t per_block;
	double *sample[MAX_PATHS];
	double *loop[MAX_PATHS];
};

/* Until so many ticks have passed; returns how many really did. */
static u64 spin(u64 ticks)
{
	u64 start = cycles_start(), passed;

	do {
		passed = cycles_end() - start;
	} while (passed < ticks);
	return passed;
}

static int run_once(const struct run *run, struct path *path, u64 n, bool access, double *ticks,
		    struct error *err)
{
	struct path_done done;

	if (path->ops->run(path, n, access, &done, err))
		return -1;

	if (access && run->plan->delay_ns)
		done.ticks += spin(n * run->plan->delay_ns * run->cycles->hz / 1e9);
	*ticks = done.ticks;
	return 0;
}

/* The fastest of some runs. */
static int try_batch(const struct run *run, struct path *path, u64 n, bool access,
		     double *ticks, struct error *err)
{
	double one;
	int i;

	if (run_once(run, path, n, access, ticks, err))
		return -1;

	for (i = 1; i < TRIALS; i++) {
		if (run_once(run, path, n, access, &one, err))
			return -1;
		if (one < *ticks)
			*ticks = one;
	}
	return 0;
}

/* The smallest power of two whose operations take long enough. */
static int choose_batch(const struct run *run, struct measured_path *m, struct error *err)
{
	const struct cycles *cycles = run->cycles;
	double enough = MIN_SAMPLE_NS * cycles->hz / 1e9, ticks, loop;
	size_t batch;

	if (try_batch(run, &m->path, 1, false, &loop, err))
		return -1;

	enough = fmax(enough, RESOLUTIONS * (double)cycles->resolution);
	enough = fmax(enough, STARTS * loop);

	for (batch = 1; batch < MEASURE_MAX_BATCH; batch *= 2) {
		if (try_batch(run, &m->path, batch, true, &ticks, err) ||
		    try_batch(run, &m->path, batch, false, &loop, err))
			return -1;
		if (ticks - loop >= enough)
			break;
	}
	m->batch = batch;
	return 0;
}

static void prepare_path(struct run *run, size_t p)
{
	struct measured_path *m = &run->measured[p];
	double ticks;

	m->failure.text[0] = '\0';
	m->batch = run->plan->batch;
	if (m->batch)
		run_once(run, &m->path, m->batch, true, &ticks, &m->failure);
	else
		choose_batch(run, m, &m->failure);
}

static bool has_failed(const struct run *run, size_t p)
{
	return run->measured[p].failure.text[0];
}

/* Ticks of one operation, without the loop around it. */
static void run_block(struct run *run, size_t p, size_t block)
{
	struct measured_path *m = &run->measured[p];
	double *sample = run->sample[p] + block * run->per_block;
	double loop[LOOP_SAMPLES];
	struct stats cost;
	size_t i;

	for (i = 0; i < LOOP_SAMPLES; i++)
		if (run_once(run, &m->path, m->batch, false, &loop[i], &m->failure))
			return;
	stats_compute(loop, LOOP_SAMPLES, &cost);
	run->loop[p][block] = cost.median / m->batch;

	for (i = 0; i < run->per_block; i++) {
		if (run_once(run, &m->path, m->batch, true, &sample[i], &m->failure))
			return;
		sample[i] = (sample[i] - cost.median) / m->batch;
	}
}

static int run_blocks(struct run *run, size_t nr, bool (*progress)(size_t round, size_t rounds),
		      struct error *err)
{
	struct random random = { .state = run->plan->seed };
	size_t order[MAX_PATHS], block, i;

	for (i = 0; i < nr; i++)
		order[i] = i;

	for (block = 0; block < run->plan->blocks; block++) {
		if (progress && !progress(block, run->plan->blocks))
			return error_set(err, "ended after %zu of %zu rounds", block,
					 run->plan->blocks);
		random_shuffle(&random, order, nr);
		for (i = 0; i < nr; i++)
			if (!has_failed(run, order[i]))
				run_block(run, order[i], block);
	}
	return 0;
}

static void in_ns(double *value, size_t n, const struct cycles *cycles)
{
	size_t i;

	for (i = 0; i < n; i++)
		value[i] = cycles_ns(cycles, value[i]);
}

static void summarise(struct run *run, size_t p)
{
	size_t blocks = run->plan->blocks, n = blocks * run->per_block;
	struct measured_path *m = &run->measured[p];
	double ci95[2];
	struct stats loop;

	in_ns(run->sample[p], n, run->cycles);
	in_ns(run->loop[p], blocks, run->cycles);
	if (stats_bootstrap(run->sample[p], run->per_block, blocks, run->plan->seed, ci95)) {
		error_set(&m->failure, "no memory for the interval of %zu samples", n);
		return;
	}
	stats_compute(run->sample[p], n, &m->stats);
	memcpy(m->stats.ci95, ci95, sizeof(ci95));
	m->outliers = stats_outliers(run->sample[p], n);
	stats_compute(run->loop[p], blocks, &loop);
	m->loop_ns = loop.median;
}

int measure_run(struct measured_path *measured, size_t nr, const struct measure_plan *plan,
		const struct cycles *cycles, const struct near *near,
		bool (*progress)(size_t round, size_t rounds), struct error *err)
{
	size_t per_block = (plan->samples + plan->blocks - 1) / plan->blocks;
	size_t doubles = plan->blocks * (per_block + 1), size, p;
	struct run run = {
		.measured = measured, .plan = plan, .cycles = cycles, .per_block = per_block,
	};
	double *memory;
	int ret;

	if (nr > MAX_PATHS)
		return error_set(err, "%zu paths, and at most %d at once", nr, MAX_PATHS);
	if (!nr)
		return 0;

	size = nr * doubles * sizeof(double);
	memory = near_alloc(near, size);
	if (!memory)
		return error_set(err, "no memory for %zu samples", nr * doubles);

	for (p = 0; p < nr; p++) {
		run.sample[p] = memory + p * doubles;
		run.loop[p] = run.sample[p] + plan->blocks * per_block;
	}

	for (p = 0; p < nr; p++)
		prepare_path(&run, p);
	ret = run_blocks(&run, nr, progress, err);
	for (p = 0; !ret && p < nr; p++)
		if (!has_failed(&run, p))
			summarise(&run, p);

	near_free(memory, size);
	return ret;
}
