/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The CPU's own clock: reading it costs little, and takes place where it is
 * written. x86: RDTSC between LFENCEs, so that no earlier or later instruction
 * is moved across it (Intel SDM volume 2B, RDTSC and RDTSCP). arm64: the virtual
 * counter between ISBs (Arm ARM, "The Generic Timer"). Elsewhere it is
 * CLOCK_MONOTONIC_RAW, in nanoseconds.
 */
#ifndef SUBPAGE_CYCLES_H
#define SUBPAGE_CYCLES_H

#include <time.h>

#include "error.h"
#include "types.h"

/**
 * clock_raw_ns() - read CLOCK_MONOTONIC_RAW
 *
 * Return: nanoseconds.
 */
static inline u64 clock_raw_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

#if defined(__x86_64__)
#define CYCLES_NAME	"rdtsc"

/**
 * cycles_start() - read the counter before what is timed
 *
 * Return: ticks.
 */
static inline u64 cycles_start(void)
{
	u32 low, high;

	__asm__ __volatile__("lfence\n\trdtsc\n\tlfence" : "=a" (low), "=d" (high) : : "memory");
	return (u64)high << 32 | low;
}

/**
 * cycles_end() - read the counter after what is timed
 *
 * Return: ticks.
 */
static inline u64 cycles_end(void)
{
	u32 low, high;

	__asm__ __volatile__("rdtscp\n\tlfence" : "=a" (low), "=d" (high) : : "rcx", "memory");
	return (u64)high << 32 | low;
}
#elif defined(__aarch64__)
#define CYCLES_NAME	"cntvct_el0"

static inline u64 cycles_start(void)
{
	u64 ticks;

	__asm__ __volatile__("isb\n\tmrs %0, cntvct_el0\n\tisb" : "=r" (ticks) : : "memory");
	return ticks;
}

static inline u64 cycles_end(void)
{
	return cycles_start();
}
#else
#define CYCLES_NAME	"clock_monotonic_raw"

static inline u64 cycles_start(void)
{
	return clock_raw_ns();
}

static inline u64 cycles_end(void)
{
	return cycles_start();
}
#endif

/**
 * struct cycles - what a tick is worth
 * @hz: ticks per second, measured against CLOCK_MONOTONIC_RAW
 * @resolution: smallest step of the counter, ticks
 */
struct cycles {
	double hz;
	u64 resolution;
};

/**
 * cycles_calibrate() - measure the counter
 * @cycles: filled in
 * @err: set on failure: it stands still, or does not run evenly
 *
 * Takes about 0.3 s, in several parts that must agree within 0.1 %.
 *
 * Context: pin the process before.
 *
 * Return: 0 or -1.
 */
int cycles_calibrate(struct cycles *cycles, struct error *err);

/**
 * cycles_ns() - convert ticks
 * @cycles: calibrated
 * @ticks: how many; may be a fraction
 *
 * Return: nanoseconds.
 */
double cycles_ns(const struct cycles *cycles, double ticks);

#endif
