/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SUBPAGE_STATS_H
#define SUBPAGE_STATS_H

#include <stddef.h>

#include "types.h"

#define STATS_MIN_BLOCKS	10

/**
 * struct stats - what is said about a set of samples, in their unit
 * @median: the middle one, or the mean of the middle two
 * @min: the smallest
 * @p99: the smallest that is not exceeded by 99 % of them (nearest rank)
 * @ci95: 95 % confidence interval of the median, from order statistics; it
 *	assumes nothing about the distribution, only that samples are independent;
 *	NAN for unknown
 * @samples: how many there were
 */
struct stats {
	double median;
	double min;
	double p99;
	double ci95[2];
	size_t samples;
};

/* Sorts the samples. All results are 0 if there is none. */
void stats_compute(double *sample, size_t n, struct stats *stats);

/**
 * stats_bootstrap() - 95 % confidence interval of the median, by bootstrap
 * @sample: the samples, block after block, in the order in which they were
 *	taken
 * @per_block: samples in each block
 * @blocks: how many blocks
 * @seed: of the random numbers
 * @ci95: filled in: what holds the middle of 1000 medians; NAN twice for fewer
 *	than STATS_MIN_BLOCKS blocks, which say too little of how blocks vary
 *
 * Whole blocks are drawn, with replacement: samples of one block are alike, and
 * drawing them one by one would take a slow change of the machine for certainty
 * (Davison and Hinkley, "Bootstrap Methods and their Application", 3.8).
 *
 * Return: 0, or -1 if there is no memory.
 */
int stats_bootstrap(const double *sample, size_t per_block, size_t blocks, u64 seed,
		    double ci95[2]);

/*
 * How many lie more than three interquartile ranges outside the quartiles (Tukey,
 * "Exploratory Data Analysis": "far out").
 */
size_t stats_outliers(const double *sorted, size_t n);

#endif
