// SPDX-License-Identifier: GPL-2.0-only
/*
 * Times every path to the safe registers of VFIO devices: from the kernel's own
 * access, which nothing can beat, to that of a guest whose access traps.
 *
 * The devices stay bound to what they are bound to. Registers are written only
 * if a profile or the user allows it, and get their value back.
 */
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device/subject.h"
#include "device/sysfs.h"
#include "device/vfio_device.h"
#include "measure/cpu.h"
#include "measure/cycles.h"
#include "measure/layout.h"
#include "measure/machine.h"
#include "measure/measure.h"
#include "measure/path.h"
#include "options.h"
#include "results/results.h"

#define PROGRAM		"vfio_pci_subpage_perf"

/* kselftest's exit codes. */
#define EXIT_PASS	0
#define EXIT_FAIL	1
#define EXIT_SKIP	4

/* From the limit to what a trapped guest pays. */
static const struct path_ops * const all_paths[] = {
	&path_kernel, &path_sysfs, &path_mmap, &path_file,
	&path_kvm_mapped, &path_kvm_trapped, &path_kvm_ioeventfd,
};

#define NR_PATHS	(sizeof(all_paths) / sizeof(*all_paths))

static struct options options;
static struct profile_set profiles;
static struct pci_scan scan;
static struct subjects subjects;
static struct cycles cycles;
static struct machine machine;
static struct near near;
static bool is_layout_fixed;
static struct json_object *results;
static atomic_int ended;
static size_t nr_registers;
static size_t nr_measured;
static size_t nr_failed;

static const char *op_name(enum path_op op)
{
	static const char * const name[] = { "read", "write", "write-read" };

	return name[op];
}

static const char *path_name(const struct path_ops *ops, enum path_op op)
{
	if (ops != &path_file)
		return ops->name;

	return op == PATH_READ ? "pread" : "pwrite";
}

static void complain(const char *text)
{
	fprintf(stderr, PROGRAM ": %s\n", text);
}

static void fail_device(const struct pci_device *dev, const char *text)
{
	fprintf(stderr, PROGRAM ": %s: %s\n", dev->bdf, text);
	nr_failed++;
}

static void fail_register(const struct path_target *target, const char *path, const char *text)
{
	fprintf(stderr, PROGRAM ": %s BAR%u at 0x%llx, %s %s: %s\n", target->dev->bdf,
		target->bar, target->reg.offset, path, op_name(target->op), text);
	nr_failed++;
}

static void save(void)
{
	struct error err;

	if (!results || !results_save(results, options.results, &err))
		return;

	complain(err.text);
	nr_failed++;
}

static void add_timing(const struct path_target *target, const struct measured_path *m)
{
	struct result_timing timing = {
		.bdf = target->dev->bdf,
		.driver = target->dev->driver,
		.module = target->dev->is_prepared,
		.bar = target->bar,
		.offset = target->reg.offset,
		.width = target->reg.width,
		.path = path_name(m->path.ops, target->op),
		.op = op_name(target->op),
		.stats = m->stats,
		.outliers = m->outliers,
		.loop_ns = m->loop_ns,
		.batch = m->batch,
		.cpu = near.cpu,
		.node = near.node,
	};

	if (results)
		results_add_timing(results, &timing);
}

static void add_skip(const struct path_target *target, const struct path_ops *ops,
		     const char *reason)
{
	struct result_skip skip = {
		.bdf = target->dev->bdf,
		.driver = target->dev->driver,
		.module = target->dev->is_prepared,
		.bar = target->bar,
		.offset = target->reg.offset,
		.width = target->reg.width,
		.path = path_name(ops, target->op),
		.op = op_name(target->op),
		.reason = reason,
	};

	printf("  %-13s skipped: %s\n", skip.path, reason);
	if (results)
		results_add_skip(results, &skip);
}

/* A BAR none of whose registers is measured. */
static void add_skipped_bar(const struct pci_device *dev, unsigned int bar, const char *reason)
{
	struct result_skip skip = {
		.bdf = dev->bdf, .driver = dev->driver, .module = dev->is_prepared, .bar = bar,
		.path = "", .op = "", .reason = reason,
	};

	printf("%s BAR%u skipped: %s\n", dev->bdf, bar, reason);
	if (results)
		results_add_skip(results, &skip);
}

/* A line that is written over, for a person; nothing in a file. */
static bool show_progress(size_t round, size_t rounds)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r  round %zu of %zu \r", round + 1, rounds);
	return !ended;
}

static void print_measured(const struct path_target *target, const struct measured_path *m)
{
	char interval[64] = "no interval";

	if (!isnan(m->stats.ci95[0]))
		snprintf(interval, sizeof(interval), "%.1f, %.1f", m->stats.ci95[0],
			 m->stats.ci95[1]);
	printf("  %-13s %10.1f ns  [%s]  min %.1f  p99 %.1f  %zu outliers, %zu x %zu\n",
	       path_name(m->path.ops, target->op), m->stats.median, interval, m->stats.min,
	       m->stats.p99, m->outliers, m->stats.samples, m->batch);
}

/* As the command line names it; what the output calls pread or pwrite is one path. */
static bool is_named(const struct path_ops *ops, const char *word, size_t len)
{
	static const char * const file[] = { "file", "pread", "pwrite" };
	size_t i;

	if (ops != &path_file)
		return strlen(ops->name) == len && !strncmp(ops->name, word, len);

	for (i = 0; i < sizeof(file) / sizeof(*file); i++)
		if (strlen(file[i]) == len && !strncmp(file[i], word, len))
			return true;
	return false;
}

static bool is_wanted(const struct path_ops *ops)
{
	const char *word = options.paths;
	size_t len;

	if (!word)
		return true;

	for (; *word; word += len + (word[len] == ',')) {
		len = strcspn(word, ",");
		if (is_named(ops, word, len))
			return true;
	}
	return false;
}

static int check_paths(const char *word, struct error *err)
{
	size_t len, i;

	do {
		len = strcspn(word, ",");
		for (i = 0; i < NR_PATHS && !is_named(all_paths[i], word, len); i++)
			;
		if (i == NR_PATHS)
			return error_set(err, "--paths: '%.*s' is none: --help lists them",
					 (int)len, word);
		word += len;
	} while (*word++);
	return 0;
}

static enum path_state open_path(struct path *path, struct error *why)
{
	enum path_state state = path->ops->open(path, path->target, why);

	if (state != PATH_OPEN || !path_check(path, why))
		return state;

	path->ops->close(path);
	return PATH_FAILED;
}

/* The paths that exist here; the others are noted with their reason. */
static size_t open_paths(const struct path_target *target, struct measured_path *measured)
{
	size_t nr = 0, i;

	for (i = 0; i < NR_PATHS; i++) {
		struct path *path = &measured[nr].path;
		struct error why = { "" };
		enum path_state state;

		if (!is_wanted(all_paths[i]))
			continue;

		*path = (struct path) { .ops = all_paths[i], .target = target };
		state = open_path(path, &why);
		if (state == PATH_OPEN) {
			nr++;
			continue;
		}
		add_skip(target, all_paths[i], why.text);
		if (state == PATH_FAILED)
			fail_register(target, path_name(all_paths[i], target->op), why.text);
	}
	return nr;
}

static void keep_measured(const struct path_target *target, const struct measured_path *m)
{
	if (m->failure.text[0]) {
		add_skip(target, m->path.ops, m->failure.text);
		fail_register(target, path_name(m->path.ops, target->op), m->failure.text);
		return;
	}
	print_measured(target, m);
	add_timing(target, m);
	nr_measured++;
}

static void measure_paths(const struct path_target *target, struct measured_path *measured,
			  size_t nr)
{
	struct measure_plan plan = {
		.samples = options.samples,
		.blocks = options.blocks,
		.batch = options.batch,
		.seed = options.seed + nr_measured,
		.delay_ns = options.delay_ns,
	};
	struct error err;
	size_t i;

	if (measure_run(measured, nr, &plan, &cycles, &near, show_progress, &err)) {
		fail_register(target, "all paths,", err.text);
		return;
	}

	for (i = 0; i < nr; i++)
		keep_measured(target, &measured[i]);
}

static void measure_target(const struct path_target *target)
{
	struct measured_path measured[NR_PATHS];
	size_t nr, i;

	printf("%s BAR%u 0x%llx: %s, %u bytes\n", target->dev->bdf, target->bar,
	       target->reg.offset, op_name(target->op), target->reg.width);
	nr = open_paths(target, measured);
	measure_paths(target, measured, nr);
	for (i = 0; i < nr; i++)
		measured[i].path.ops->close(&measured[i].path);
	fflush(stdout);
}

static void measure_writes(struct path_target *target)
{
	const struct safe_register *reg = &target->reg;
	u64 at = target->info.offset + reg->offset, original, value;

	target->op = PATH_WRITE;
	if (vfio_read(target->fd, at, reg->width, &original)) {
		fail_register(target, "before", "cannot be read");
		return;
	}

	target->value = register_mirror(reg, ~original ^ 0x5a);
	measure_target(target);
	target->op = PATH_WRITE_READ;
	if (!ended)
		measure_target(target);

	if (vfio_write(target->fd, at, reg->width, register_mirror(reg, original)) ||
	    vfio_read(target->fd, at, reg->width, &value) || value != original)
		fail_register(target, "after", "was not restored");
}

static void measure_register(struct path_target *target)
{
	target->op = PATH_READ;
	measure_target(target);
	if (target->reg.readback != READBACK_NONE && !ended)
		measure_writes(target);
}

/*
 * With the first access through the file VFIO claims the BAR, and the kernel may
 * then revoke mappings of it that were made through sysfs before
 * (CONFIG_IO_STRICT_DEVMEM): none is made before.
 */
static bool has_answer(const struct path_target *target, const struct safe_register *reg)
{
	struct path_target one = *target;
	u64 value;

	one.reg = *reg;
	if (vfio_read(one.fd, one.info.offset + reg->offset, reg->width, &value))
		fail_register(&one, "first", "cannot be read");
	else if (!register_answers(reg, value))
		fail_register(&one, "first", "all ones: nobody answers at this address");
	else
		return true;
	return false;
}

static bool are_answered(const struct path_target *target, const struct safe_register *reg,
			 size_t nr)
{
	size_t i;

	for (i = 0; i < nr && has_answer(target, &reg[i]); i++)
		;
	return i == nr;
}

static void measure_bar(struct path_target *target, const struct safe_register *reg, size_t nr)
{
	size_t len, i;

	if (vfio_region(target->fd, target->bar, &target->info)) {
		fail_device(target->dev, "VFIO does not describe its BARs");
		return;
	}
	if (!are_answered(target, reg, nr))
		return;

	len = vfio_page_round(target->info.size);
	target->map = NULL;
	if (target->info.flags & VFIO_REGION_INFO_FLAG_MMAP &&
	    vfio_map(target->fd, target->info.offset, len, &target->map)) {
		add_skipped_bar(target->dev, target->bar,
				"cannot be mapped, although it should be");
		nr_failed++;
		return;
	}

	for (i = 0; i < nr && !ended; i++) {
		target->reg = reg[i];
		measure_register(target);
	}
	if (target->map)
		munmap(target->map, len);
}

static void measure_bars(const struct subject *subject)
{
	struct path_target target = { .dev = subject->dev, .fd = subject->fd };
	struct register_list list;
	struct error err;

	for (target.bar = 0; target.bar < SYSFS_NR_BARS && !ended; target.bar++) {
		if (!(subject->dev->res[target.bar].flags & RES_MEM))
			continue;
		if (safe_registers(&options, &profiles, subject->dev, target.bar, &list, &err)) {
			fail_device(subject->dev, err.text);
			return;
		}
		nr_registers += list.nr;
		if (list.nr)
			measure_bar(&target, list.reg, list.nr);
		else
			add_skipped_bar(subject->dev, target.bar,
					"no safe register is known: name one with --register");
		register_list_free(&list);
	}
}

/* Where the command line wants it: beside the device, or on purpose not. */
static int enter_node(const struct pci_device *dev, struct error *why)
{
	if (options.remote_node)
		return near_enter_remote(dev->numa_node, &near, why);

	near_enter(dev->numa_node, &near);
	return 0;
}

static void measure_device(const struct subject *subject)
{
	struct error why;
	u16 command;

	if (subject->fd < 0) {
		complain(subject->open_error.text);
		nr_failed++;
		return;
	}
	if (enter_node(subject->dev, &why)) {
		fail_device(subject->dev, why.text);
		return;
	}
	if (vfio_decode_enable(subject->fd, &command)) {
		fail_device(subject->dev, "cannot be enabled");
		return;
	}

	printf("%s %04x:%04x, %s with%s the module, %s\n", subject->dev->bdf,
	       subject->dev->vendor, subject->dev->device, subject->dev->driver,
	       subject->dev->is_prepared ? "" : "out", near.note.text);
	measure_bars(subject);
	vfio_decode_restore(subject->fd, command);
	save();
}

static void print_method(void)
{
	size_t i;

	printf("clock %s at %.3f MHz, steps of %.1f ns; %zu samples in %zu rounds, seed 0x%llx\n",
	       CYCLES_NAME, cycles.hz / 1e6, cycles_ns(&cycles, cycles.resolution),
	       options.samples, options.blocks, options.seed);
	for (i = 0; i < machine.nr_warnings; i++)
		printf("warning: %s\n", machine.warning[i].text);
}

static void begin_results(void)
{
	struct result_perf perf = {
		.seed = options.seed,
		.counter = CYCLES_NAME,
		.counter_hz = cycles.hz,
		.resolution_ns = cycles_ns(&cycles, cycles.resolution),
		.blocks = options.blocks,
		.remote_node = options.remote_node,
		.machine = &machine,
	};

	if (results)
		results_begin_perf(results, &perf);
}

static int prepare(struct error *err)
{
	struct error why;

	if (options.paths && check_paths(options.paths, err))
		return -1;
	if (profile_set_load(options.profiles, &profiles, err) || sysfs_scan(&scan, err) ||
	    subjects_choose(&subjects, &options, &scan, err) ||
	    registers_check(&options, &scan, err))
		return -1;
	if (!subjects.nr)
		return 0;

	if (options.results) {
		results = results_open(options.results, options.platform, options.accel, err);
		if (!results)
			return -1;
	}
	if (subjects_attach(&subjects, &options, err))
		return -1;

	/* What cannot be had is said of each device later. */
	if (enter_node(subjects.one[0].dev, &why))
		near_enter(subjects.one[0].dev->numa_node, &near);
	machine_begin(&machine, near.cpu, options.accel);
	if (!is_layout_fixed)
		machine_warn(&machine,
			     "address space randomisation cannot be turned off: runs differ by where the program lies");
	if (options.delay_ns)
		machine_warn(&machine, "--delay made each access take %zu ns longer",
			     options.delay_ns);
	return cycles_calibrate(&cycles, err);
}

static void end(int signal)
{
	ended = signal;
}

/* A register that was written is restored first. */
static void end_on_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
	struct sigaction action = { .sa_handler = end };
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &action, NULL);
}

/* What was found out while measuring. */
static void end_machine(void)
{
	size_t known = machine.nr_warnings;

	machine_end(&machine);
	for (; known < machine.nr_warnings; known++)
		printf("warning: %s\n", machine.warning[known].text);
}

static int run(void)
{
	size_t i;

	end_on_signals();
	print_method();
	begin_results();
	subjects_open(&subjects);
	for (i = 0; i < subjects.nr && !ended; i++)
		measure_device(&subjects.one[i]);

	end_machine();
	if (results)
		results_end_perf(results, &machine, ended || nr_failed);
	save();
	if (ended)
		complain("ended before its end: the results are partial");
	return ended || nr_failed ? EXIT_FAIL : EXIT_PASS;
}

int main(int argc, char **argv)
{
	struct error err;
	int ret;

	is_layout_fixed = layout_fix(argv);
	if (options_parse(OPTIONS_PERF, argc, argv, getenv("VFIO_SELFTESTS_BDF"), &options, &err)) {
		complain(err.text);
		return EXIT_FAIL;
	}
	if (options.help) {
		fputs(options_help(OPTIONS_PERF), stdout);
		return EXIT_PASS;
	}
	if (prepare(&err)) {
		complain(err.text);
		return EXIT_FAIL;
	}
	if (!subjects.nr) {
		puts("SKIP: no PCI device is bound to VFIO: bind one to vfio-pci");
		return EXIT_SKIP;
	}

	ret = run();
	if (ret || nr_measured)
		return ret;

	puts(nr_registers ? "SKIP: none of these paths exists here, for the reasons above" :
	     "SKIP: no safe register of these devices is known: name one with --register");
	return EXIT_SKIP;
}
