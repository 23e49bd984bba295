/* SPDX-License-Identifier: GPL-2.0-only */
/* What the command line and the environment of a program ask for. */
#ifndef SUBPAGE_OPTIONS_H
#define SUBPAGE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "device/sysfs.h"
#include "device/vfio_backend.h"
#include "error.h"
#include "registers/profile.h"

/* A bit for each. */
enum options_program {
	OPTIONS_TEST = 1,
	OPTIONS_PERF = 2,
	OPTIONS_OPEN = 4,
	OPTIONS_SURVEY = 8
};

/* A safe register that the user named, and its device. */
struct named_register {
	char bdf[SYSFS_BDF_LEN];
	struct safe_register reg;
};

/**
 * struct options - options of all programs
 * @program: whose they are
 * @profiles: directory of the profiles
 * @results: file to append records to, NULL for none
 * @platform: name for the results
 * @accel: how the machine is virtualised, for the results
 * @backend: how devices are opened, NULL for the first way that applies
 * @samples: perf: of each path; open: rounds
 * @batch: perf: accesses per sample, 0 to choose
 * @blocks: perf: rounds in which the paths take turns
 * @seed: perf: of the order and of the bootstrap
 * @paths: perf: names of paths, separated by commas; NULL for all
 * @delay_ns: perf: how much longer each access is made to take
 * @remote_node: perf: run on a NUMA node that is not the device's
 * @compare: perf: rebind the devices without and with the module in turn
 * @rounds: perf: how often each way if @compare, else 0
 * @map: survey: print a page map
 * @json: survey: print JSON
 * @root: survey: directory of a copy to look at, NULL for this machine
 * @collect: survey: directory to make a copy in, NULL for none
 * @page_size: survey: of the copy, bytes; 0 for what it says itself
 * @version: survey: only print the version
 * @help: only print the help
 * @list_only: the harness is asked to list tests or options, not to run
 * @bdf: devices that were named
 * @nr_bdf: how many; 0 means every bound one
 * @reg: registers that were named
 * @nr_reg: how many
 * @harness_argv: what is left for the harness, with the program's name
 * @harness_argc: how many
 */
struct options {
	enum options_program program;
	const char *profiles;
	const char *results;
	const char *platform;
	const char *accel;
	const struct vfio_backend_ops *backend;
	size_t samples;
	size_t batch;
	size_t blocks;
	u64 seed;
	const char *paths;
	size_t delay_ns;
	bool remote_node;
	bool compare;
	size_t rounds;
	bool map;
	bool json;
	const char *root;
	const char *collect;
	size_t page_size;
	bool version;
	bool help;
	bool list_only;
	char (*bdf)[SYSFS_BDF_LEN];
	size_t nr_bdf;
	struct named_register *reg;
	size_t nr_reg;
	char **harness_argv;
	int harness_argc;
};

/**
 * options_parse() - parse the command line
 * @program: whose
 * @argc: as of main()
 * @argv: as of main(); its words are reordered, and must stay
 * @bdfs: PCI addresses, separated by spaces, for when none is an argument; may
 *	be NULL
 * @options: filled in; stays allocated for the life of the program
 * @err: set on failure
 *
 * All options of ours are long. Short ones belong to the harness of the test.
 * getopt() starts anew afterwards.
 *
 * Return: 0 or -1.
 */
int options_parse(enum options_program program, int argc, char **argv, const char *bdfs,
		  struct options *options, struct error *err);

/* The help text of a program, several lines; valid until the next call. */
const char *options_help(enum options_program program);

#endif
