/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SUBPAGE_STATS_H
#define SUBPAGE_STATS_H

#include <stddef.h>

/**
 * struct stats - what is said about a set of samples, in their unit
 * @median: the middle one, or the mean of the middle two
 * @min: the smallest
 * @p99: the smallest that is not exceeded by 99 % of them (nearest rank)
 * @ci95: 95 % confidence interval of the median, from order statistics; it
 *	assumes nothing about the distribution, only that samples are independent
 * @samples: how many there were
 */
struct stats {
	double median;
	double min;
	double p99;
	double ci95[2];
	size_t samples;
};

/**
 * stats_compute() - summarise samples
 * @sample: the samples; sorted afterwards
 * @n: how many; all results are 0 if there is none
 * @stats: filled in
 */
void stats_compute(double *sample, size_t n, struct stats *stats);

#endif
