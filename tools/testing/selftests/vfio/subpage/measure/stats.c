// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "measure/random.h"
#include "measure/stats.h"

#define NORMAL_95	1.959964
#define RESAMPLES	1000

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const double *sorted, size_t n)
{
	if (n % 2)
		return sorted[n / 2];

	return (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

static double nearest_rank(const double *sorted, size_t n, unsigned int percent)
{
	return sorted[(n * percent + 99) / 100 - 1];
}

/*
 * The number of samples below the true median is binomial(n, 1/2); the ranks
 * come from its normal approximation. For few samples they are the extremes.
 */
static void confidence(const double *sorted, size_t n, double ci95[2])
{
	double half = NORMAL_95 * sqrt(n) / 2;
	double low = floor(n / 2.0 - half), high = ceil(n / 2.0 + half) + 1;

	ci95[0] = sorted[low < 1 ? 0 : (size_t)low - 1];
	ci95[1] = sorted[high > n ? n - 1 : (size_t)high - 1];
}

void stats_compute(double *sample, size_t n, struct stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	if (!n)
		return;

	qsort(sample, n, sizeof(*sample), by_value);
	stats->samples = n;
	stats->median = median(sample, n);
	stats->min = sample[0];
	stats->p99 = nearest_rank(sample, n, 99);
	confidence(sample, n, stats->ci95);
}

/* A sample, and the block that it is of. */
struct member {
	double value;
	size_t block;
};

/*
 * The median of blocks drawn with replacement. The members are sorted once, by value:
 * each then counts as often as its block was drawn.
 */
static double redraw(const struct member *member, size_t per_block, size_t blocks,
		     struct random *random, size_t *times)
{
	size_t n = per_block * blocks, seen = 0, i;
	double low;

	memset(times, 0, blocks * sizeof(*times));
	for (i = 0; i < blocks; i++)
		times[random_below(random, blocks)]++;

	for (i = 0; seen <= (n - 1) / 2; i++)
		seen += times[member[i].block];
	low = member[i - 1].value;
	for (; seen <= n / 2; i++)
		seen += times[member[i].block];
	return (low + member[i - 1].value) / 2;
}

/* The 97.5th percentile of Student's t (Abramowitz and Stegun, 26.7.5). */
static double student_975(double freedom)
{
	double z = NORMAL_95, z3 = z * z * z, z5 = z3 * z * z;

	return z + (z3 + z) / (4 * freedom) +
	       (5 * z5 + 16 * z3 + 3 * z) / (96 * freedom * freedom);
}

/*
 * How many of the sorted medians lie on either side of the interval. 2.5 % would
 * do for many blocks. Of few, drawing sees too little variation (Hesterberg, "What
 * Teachers Should Know About the Bootstrap", 2015, "expanded percentile interval").
 */
static size_t outside(size_t blocks)
{
	double reach = student_975(blocks - 1) * sqrt(blocks / (blocks - 1.0));

	return RESAMPLES * erfc(reach / sqrt(2)) / 2;
}

int stats_bootstrap(const double *sample, size_t per_block, size_t blocks, u64 seed,
		    double ci95[2])
{
	struct random random = { .state = seed };
	double medians[RESAMPLES];
	struct member *member;
	size_t *times, i;
	int ret = -1;

	ci95[0] = NAN;
	ci95[1] = NAN;
	if (blocks < STATS_MIN_BLOCKS)
		return 0;

	member = calloc(per_block * blocks, sizeof(*member));
	times = calloc(blocks, sizeof(*times));
	if (member && times) {
		for (i = 0; i < per_block * blocks; i++)
			member[i] = (struct member) { sample[i], i / per_block };
		qsort(member, per_block * blocks, sizeof(*member), by_value);
		for (i = 0; i < RESAMPLES; i++)
			medians[i] = redraw(member, per_block, blocks, &random, times);
		qsort(medians, RESAMPLES, sizeof(*medians), by_value);
		ci95[0] = medians[outside(blocks)];
		ci95[1] = medians[RESAMPLES - 1 - outside(blocks)];
		ret = 0;
	}
	free(member);
	free(times);
	return ret;
}

size_t stats_outliers(const double *sorted, size_t n)
{
	double low, high, far;
	size_t count = 0, i;

	if (!n)
		return 0;

	low = nearest_rank(sorted, n, 25);
	high = nearest_rank(sorted, n, 75);
	far = 3 * (high - low);
	for (i = 0; i < n; i++)
		count += sorted[i] < low - far || sorted[i] > high + far;
	return count;
}
