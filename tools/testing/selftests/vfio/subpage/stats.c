// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats.h"

#define NORMAL_95	1.959964

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
