/* SPDX-License-Identifier: GPL-2.0-only */
/* What about a machine can spoil a measurement, or explain it. */
#ifndef SUBPAGE_MACHINE_H
#define SUBPAGE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"
#include "types.h"

#define MACHINE_MAX_WARNINGS	8

/**
 * struct machine - its facts
 * @cpu_model: of /proc/cpuinfo, "" for unknown
 * @governor: of frequency scaling on the CPU that measures, "" for none
 * @smt: whether that CPU has siblings that compute, negative for unknown
 * @hypervisor: what it runs on, "" for nothing known
 * @steal_percent: time that the hypervisor gave to others, of the time of @cpu
 *	since machine_begin(); negative for unknown
 * @warning: what may spoil a result, and what helps
 * @nr_warnings: how many
 * @cpu: the one that measures, negative for unknown
 * @stolen: its ticks of stolen time at the begin
 * @total: its ticks of all time at the begin
 */
struct machine {
	char cpu_model[128];
	char governor[64];
	int smt;
	char hypervisor[128];
	double steal_percent;
	struct error warning[MACHINE_MAX_WARNINGS];
	size_t nr_warnings;
	int cpu;
	u64 stolen;
	u64 total;
};

/**
 * machine_warn() - note what may spoil a result
 * @machine: whose warnings; those beyond MACHINE_MAX_WARNINGS are dropped
 * @fmt: as for printf()
 */
void machine_warn(struct machine *machine, const char *fmt, ...);

/**
 * machine_begin() - look at the machine before a measurement
 * @machine: filled in
 * @cpu: that measures, negative for unknown
 * @accel: how the machine is virtualised, "none" for unknown
 */
void machine_begin(struct machine *machine, int cpu, const char *accel);

/**
 * machine_end() - look at it afterwards
 * @machine: completed
 */
void machine_end(struct machine *machine);

#endif
