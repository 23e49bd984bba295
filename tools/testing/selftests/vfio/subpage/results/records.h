/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What programs write: records, one JSON object in each line, added to a file that
 * programs may share. Nobody reads them here; Documentation/dev-tools/subpage-results.rst
 * describes each, and scripts/report merges them into results.json.
 *
 * Until records_open() nothing is written, and nothing has to be asked.
 */
#ifndef SUBPAGE_RECORDS_H
#define SUBPAGE_RECORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "device/sysfs.h"
#include "error.h"
#include "measure/machine.h"
#include "measure/stats.h"
#include "registers/profile.h"
#include "types.h"

#define RECORDS_SCHEMA	2

/* How many tests ended how. */
struct record_totals {
	unsigned int pass;
	unsigned int fail;
	unsigned int skip;
	unsigned int xfail;
	unsigned int error;
};

/**
 * struct record_bar - a BAR, and what became of it
 * @dev: its device
 * @name: of the device, for people; "" for unknown
 * @bar: number of the BAR
 * @state: what the module says of it, "" for nothing
 * @expected_mmap: whether region info should say that it can be mapped
 * @mmap: whether it does; negative for unknown
 * @backend: name of the way that the device was opened, "" if it was not
 */
struct record_bar {
	const struct pci_device *dev;
	const char *name;
	unsigned int bar;
	const char *state;
	bool expected_mmap;
	int mmap;
	const char *backend;
};

/**
 * struct record_register - a path to a register, under one binding
 * @bdf: address of the device
 * @driver: what the device is bound to
 * @module: the module had prepared its BARs, or found none to prepare
 * @reg: the register; a width of 0 stands for the whole BAR
 * @path: "mmap", "pread", "pwrite", or another of path.h; "" for the whole BAR
 * @op: "read", "write" or "write-read"; "" for the whole BAR
 */
struct record_register {
	const char *bdf;
	const char *driver;
	bool module;
	struct safe_register reg;
	const char *path;
	const char *op;
};

/**
 * struct record_timing - a measurement
 * @at: of what
 * @stats: nanoseconds
 * @outliers: of the samples
 * @loop_ns: cost of the loop that was subtracted
 * @batch: accesses per sample
 * @cpu: that it ran on, negative for unknown
 * @node: NUMA node of its memory, negative for unknown
 */
struct record_timing {
	struct record_register at;
	struct stats stats;
	size_t outliers;
	double loop_ns;
	size_t batch;
	int cpu;
	int node;
};

/**
 * struct record_perf - how the performance core measures
 * @seed: of the random numbers
 * @counter: name of the clock
 * @counter_hz: ticks per second
 * @resolution_ns: its smallest step
 * @blocks: of samples, in which the paths take turns
 * @rounds: rebinds of each way; 0 without --compare
 * @remote_node: not on the device's NUMA node
 */
struct record_perf {
	u64 seed;
	const char *counter;
	double counter_hz;
	double resolution_ns;
	size_t blocks;
	size_t rounds;
	bool remote_node;
};

/**
 * records_open() - begin the records of this run
 * @path: the file, which need not exist; NULL writes nothing
 * @argv: as of main(); the first is the program
 * @platform: name of the platform
 * @accel: name of the accelerator
 * @err: set on failure: the file cannot be written
 *
 * Return: 0 or -1.
 */
int records_open(const char *path, char **argv, const char *platform, const char *accel,
		 struct error *err);

void record_bar(const struct record_bar *bar);

/* What else lies in the page of a sub-page BAR: @start and @end are CPU addresses. */
void record_neighbour(bool module, u64 start, u64 end, const char *name);

void record_timing(const struct record_timing *timing);

/*
 * A path that was not timed: it is @missing on this machine, or does not exist for
 * this register on any.
 */
void record_skip(const struct record_register *at, bool missing, const char *reason);

void record_perf(const struct record_perf *perf);

/* Again at the end, when more is known. */
void record_machine(const struct machine *machine);

/* What a step in the life of a device costs: nanoseconds for one of @functions. */
void record_open(const char *driver, bool module, size_t functions, const char *phase,
		 const struct stats *stats);

/**
 * records_close() - end the records of this run
 * @totals: of tests; NULL for none
 * @complete: nothing is missing
 * @err: set on failure: not everything could be written
 *
 * A run without this is known to have been killed.
 *
 * Return: 0 or -1.
 */
int records_close(const struct record_totals *totals, bool complete, struct error *err);

#endif
