/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random numbers that a printed seed repeats on any machine: SplitMix64 (Steele,
 * Lea, Flood: "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014).
 * The C library's generators are not the same everywhere.
 */
#ifndef SUBPAGE_RANDOM_H
#define SUBPAGE_RANDOM_H

#include <stddef.h>

#include "types.h"

struct random {
	u64 state;	/* the seed at first */
};

static inline u64 random_next(struct random *random)
{
	u64 z = random->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/* 0 to @limit - 1. Far below 2^32, no number is noticeably preferred. */
static inline size_t random_below(struct random *random, size_t limit)
{
	return (random_next(random) >> 32) * limit >> 32;
}

static inline void random_shuffle(struct random *random, size_t *index, size_t n)
{
	size_t i;

	for (i = n; i > 1; i--) {
		size_t other = random_below(random, i), last = index[i - 1];

		index[i - 1] = index[other];
		index[other] = last;
	}
}

#endif
