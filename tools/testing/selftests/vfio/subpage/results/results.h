/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * results.json, schema 2. Fields may be added, never renamed:
 *
 *	{ "schema": 2,
 *	  "platform": { "name", "arch", "page_size", "kernel", "accel", "cpus" },
 *	  "bars": [ { "bdf", "vendor", "device", "driver", "module", "bar", "size",
 *		      "shown_size", "start", "flags", "state", "expected_mmap", "mmap",
 *		      "backend" } ],
 *	  "timings": [ { "bdf", "driver", "module", "bar", "offset", "path", "op",
 *			 "width", "median_ns", "min_ns", "p99_ns",
 *			 "ci95_ns": [ low, high ], "samples", "batch", "cpu", "node",
 *			 "outliers", "loop_ns" } ],
 *	  "perf": { "seed", "counter", "counter_hz", "resolution_ns", "blocks",
 *		    "remote_node", "partial", "machine": { "cpu_model", "governor",
 *		    "smt", "hypervisor", "steal_percent" }, "warnings": [ text ],
 *		    "skipped": [ { "bdf", "driver", "module", "bar", "offset", "path",
 *				   "op", "width", "reason" } ] },
 *	  "opens": [ { "driver", "module", "functions", "phase", "median_ns", "min_ns",
 *		       "p99_ns", "ci95_ns": [ low, high ], "samples" } ],
 *	  "kunit": [ { "suite", "pass", "fail", "skip",
 *		       "cases": [ { "name", "result", "reason" } ] } ],
 *	  "totals": { "pass", "fail", "skip", "xfail", "error" } }
 *
 * "vendor", "device", "start" and "flags" (of the resource, as sysfs shows
 * them) are strings in hexadecimal with a leading 0x, as 64 bits do not survive
 * every JSON reader. Sizes and offsets are numbers in bytes. What is not known
 * is null.
 */
#ifndef SUBPAGE_RESULTS_H
#define SUBPAGE_RESULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"
#include "measure/stats.h"
#include "types.h"

struct json_object;
struct kunit_suite;
struct machine;

/**
 * struct result_bar - one BAR under one driver
 * @bdf: address of the device
 * @vendor: vendor id
 * @device: device id
 * @driver: what the device is bound to
 * @module: the module had prepared its BARs, or found none to prepare
 * @bar: number of the BAR
 * @size: bytes in the device
 * @shown_size: bytes that the kernel shows
 * @start: first CPU address, or first port
 * @flags: of the resource
 * @state: what the module says of it, "" for nothing
 * @expected_mmap: whether region info should say that it can be mapped
 * @mmap: whether it does; negative for unknown
 * @backend: name of the way that the device was opened, "" if it was not
 */
struct result_bar {
	const char *bdf;
	unsigned int vendor;
	unsigned int device;
	const char *driver;
	bool module;
	unsigned int bar;
	u64 size;
	u64 shown_size;
	u64 start;
	u64 flags;
	const char *state;
	bool expected_mmap;
	int mmap;
	const char *backend;
};

/**
 * struct result_timing - one timing
 * @bdf: address of the device
 * @driver: what the device is bound to
 * @module: as in struct result_bar
 * @bar: number of the BAR
 * @offset: of the register, bytes
 * @width: of the access, bytes
 * @path: "mmap", "pread", "pwrite", or another of path.h
 * @op: "read", "write" or "write-read"
 * @stats: nanoseconds
 * @outliers: of the samples, negative for unknown
 * @loop_ns: cost of the loop that was subtracted, negative for none
 * @batch: accesses per sample
 * @cpu: that it ran on, negative for unknown
 * @node: NUMA node of its memory, negative for unknown
 */
struct result_timing {
	const char *bdf;
	const char *driver;
	bool module;
	unsigned int bar;
	u64 offset;
	unsigned int width;
	const char *path;
	const char *op;
	struct stats stats;
	int outliers;
	double loop_ns;
	size_t batch;
	int cpu;
	int node;
};

/**
 * struct result_perf - how the performance core has measured
 * @seed: of the random numbers
 * @counter: name of the clock
 * @counter_hz: ticks per second
 * @resolution_ns: its smallest step
 * @blocks: rounds
 * @remote_node: not on the device's NUMA node
 * @machine: where
 */
struct result_perf {
	u64 seed;
	const char *counter;
	double counter_hz;
	double resolution_ns;
	size_t blocks;
	bool remote_node;
	const struct machine *machine;
};

/**
 * struct result_skip - a path, or a whole BAR, that was not timed
 * @bdf: address of the device
 * @driver: what the device is bound to
 * @module: as in struct result_bar
 * @bar: number of the BAR
 * @offset: of the register, bytes
 * @width: of the access, bytes; 0 for the whole BAR
 * @path: which one; "" for the whole BAR
 * @op: "read", "write" or "write-read"; "" for the whole BAR
 * @reason: why not
 */
struct result_skip {
	const char *bdf;
	const char *driver;
	bool module;
	unsigned int bar;
	u64 offset;
	unsigned int width;
	const char *path;
	const char *op;
	const char *reason;
};

/**
 * struct result_totals - how many tests ended how
 * @pass: passed
 * @fail: failed
 * @skip: did not apply
 * @xfail: failed as expected
 * @error: could not be run
 */
struct result_totals {
	unsigned int pass;
	unsigned int fail;
	unsigned int skip;
	unsigned int xfail;
	unsigned int error;
};

/**
 * results_load() - read a results file
 * @path: the file
 * @err: set on failure: unreadable, no JSON, not schema 1
 *
 * Return: the object, to be freed with results_free(), or NULL.
 */
struct json_object *results_load(const char *path, struct error *err);

/**
 * results_open() - begin results, or go on with those of a file
 * @path: a results file, which need not exist
 * @platform: name of the platform; must be that of the file, if it exists
 * @accel: name of the accelerator
 * @err: set on failure
 *
 * Return: the object, to be freed with results_free(), or NULL.
 */
struct json_object *results_open(const char *path, const char *platform,
				 const char *accel, struct error *err);

/**
 * results_add_bar() - add a BAR
 * @results: the object
 * @bar: replaces the one of the same device, BAR and driver
 */
void results_add_bar(struct json_object *results, const struct result_bar *bar);

/**
 * results_add_timing() - add a timing
 * @results: the object
 * @timing: replaces the one of the same device, BAR, register, width, driver,
 *	path and operation
 */
void results_add_timing(struct json_object *results, const struct result_timing *timing);

/**
 * results_set_partial() - say whether something is missing
 * @results: the object
 * @partial: it is, as what writes it has not come to its end
 */
void results_set_partial(struct json_object *results, bool partial);

/**
 * results_add_open() - add what a step in the life of a device costs
 * @results: the object
 * @driver: under which
 * @module: with the module
 * @functions: how many devices took it at once
 * @phase: replaces the one of the same driver, module, number and phase
 * @stats: nanoseconds for one device
 */
void results_add_open(struct json_object *results, const char *driver, bool module,
		      size_t functions, const char *phase, const struct stats *stats);

/**
 * results_add_kunit() - add a KUnit suite
 * @results: the object
 * @suite: replaces the one of the same name
 */
void results_add_kunit(struct json_object *results, const struct kunit_suite *suite);

/**
 * results_begin_perf() - begin, or begin anew, what the performance core adds
 * @results: the object
 * @perf: how it measures
 *
 * It is marked as partial until results_end_perf(). Timings of an earlier run of it
 * are dropped: ratios are those of one run.
 */
void results_begin_perf(struct json_object *results, const struct result_perf *perf);

/**
 * results_add_skip() - add a path that was not timed
 * @results: the object, after results_begin_perf()
 * @skip: which, and why
 */
void results_add_skip(struct json_object *results, const struct result_skip *skip);

/**
 * results_end_perf() - say that all was measured, and what became of the machine
 * @results: the object, after results_begin_perf()
 * @machine: its facts at the end
 * @partial: something is missing: a measurement failed or was ended
 */
void results_end_perf(struct json_object *results, const struct machine *machine, bool partial);

/**
 * results_add_totals() - add to the totals
 * @results: the object
 * @totals: of this run
 */
void results_add_totals(struct json_object *results, const struct result_totals *totals);

/**
 * results_save() - write a results file atomically
 * @results: the object
 * @path: the file; has the old or the new content at any time
 * @err: set on failure
 *
 * Return: 0 or -1.
 */
int results_save(struct json_object *results, const char *path, struct error *err);

/**
 * results_free() - free what results_load() or results_open() returned
 * @results: the object, or NULL
 */
void results_free(struct json_object *results);

#endif
