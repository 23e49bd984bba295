// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>

#include "measure/cycles.h"

#define PARTS		6
#define PART_NS		50000000ULL
#define TOLERANCE	0.001
#define PROBES		2000

/*
 * Both clocks at one moment: the clock's reading between two of the counter.
 * Of some attempts the one with the smallest gap, as one may be interrupted.
 */
static void read_both(u64 *ticks, u64 *ns)
{
	u64 best = U64_MAX;
	int i;

	for (i = 0; i < 16; i++) {
		u64 before = cycles_start(), now = clock_raw_ns(), after = cycles_end();

		if (after - before >= best)
			continue;
		best = after - before;
		*ticks = before + best / 2;
		*ns = now;
	}
}

/* Ticks per second over about PART_NS, or 0 if the counter stands still. */
static double measure_part(void)
{
	u64 t0, t1, ns0, ns1;

	read_both(&t0, &ns0);
	while (clock_raw_ns() - ns0 < PART_NS)
		;
	read_both(&t1, &ns1);
	return (t1 - t0) * 1e9 / (ns1 - ns0);
}

static int measure_hz(struct cycles *cycles, struct error *err)
{
	double part[PARTS], lowest = INFINITY, highest = 0, sum = 0;
	int i;

	for (i = 0; i < PARTS; i++) {
		part[i] = measure_part();
		lowest = fmin(lowest, part[i]);
		highest = fmax(highest, part[i]);
		sum += part[i];
	}
	if (lowest <= 0)
		return error_set(err, CYCLES_NAME " stands still");
	if (highest / lowest > 1 + TOLERANCE)
		return error_set(err,
				 CYCLES_NAME " is uneven, %.0f to %.0f Hz: is the machine busy?",
				 lowest, highest);

	cycles->hz = sum / PARTS;
	return 0;
}

/* The smallest step that is seen. */
static void measure_step(struct cycles *cycles)
{
	u64 last = cycles_start(), step = U64_MAX, now;
	int i;

	for (i = 0; i < PROBES; i++) {
		now = cycles_end();
		if (now != last && now - last < step)
			step = now - last;
		last = now;
	}
	cycles->resolution = step;
}

int cycles_calibrate(struct cycles *cycles, struct error *err)
{
	struct error first;

	measure_step(cycles);
	/* Once more: a neighbour may have been noisy for a moment. */
	if (!measure_hz(cycles, &first) || !measure_hz(cycles, &first))
		return 0;

	return error_set(err, "%.400s", first.text);
}

double cycles_ns(const struct cycles *cycles, double ticks)
{
	return ticks * 1e9 / cycles->hz;
}
