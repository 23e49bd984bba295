// SPDX-License-Identifier: GPL-2.0-only
/*
 * Times every path to the safe registers of VFIO devices: from the kernel's own
 * access, which nothing can beat, to that of a guest whose access traps.
 *
 * The devices stay bound to what they are bound to. Registers are written only
 * if a profile or the user allows it, and get their value back.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cpu.h"
#include "cycles.h"
#include "machine.h"
#include "measure.h"
#include "options.h"
#include "path.h"
#include "results.h"
#include "subject.h"
#include "sysfs.h"
#include "vfio_device.h"

#define PROGRAM		"vfio_pci_subpage_perf"
#define MAX_REGISTERS	8

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
static struct json_object *results;
static atomic_int ended;
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

/* A line that is written over, for a person; nothing in a file. */
static bool show_progress(size_t round, size_t rounds)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r  round %zu of %zu \r", round + 1, rounds);
	return !ended;
}

static void print_measured(const struct path_target *target, const struct measured_path *m)
{
	printf("  %-13s %10.1f ns  [%.1f, %.1f]  min %.1f  p99 %.1f  %zu outliers, %zu x %zu\n",
	       path_name(m->path.ops, target->op), m->stats.median, m->stats.ci95[0],
	       m->stats.ci95[1], m->stats.min, m->stats.p99, m->outliers, m->stats.samples,
	       m->batch);
}

static bool is_wanted(const struct path_ops *ops)
{
	size_t len = strlen(ops->name);
	const char *at = options.paths;

	if (!at)
		return true;

	while (*at) {
		size_t word = strcspn(at, ",");

		if (word == len && !strncmp(at, ops->name, len))
			return true;
		at += word;
		at += *at == ',';
	}
	return false;
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
		state = path->ops->open(path, target, &why);
		if (state == PATH_OPEN) {
			nr++;
			continue;
		}
		add_skip(target, all_paths[i], why.text);
		if (state == PATH_FAILED) {
			nr_failed++;
			complain(why.text);
		}
	}
	return nr;
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
		fprintf(stderr, PROGRAM ": %s BAR%u at 0x%llx: %s\n", target->dev->bdf,
			target->bar, target->reg.offset, err.text);
		nr_failed++;
		return;
	}

	for (i = 0; i < nr; i++) {
		print_measured(target, &measured[i]);
		add_timing(target, &measured[i]);
	}
	nr_measured += nr;
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
	save();
}

/* What a read gives if this is to be the register's content, and the other way. */
static u64 mirror(const struct safe_register *reg, u64 value)
{
	u64 mask = reg->width == 8 ? U64_MAX : (1ULL << (reg->width * 8)) - 1;

	return (reg->readback == READBACK_INVERTED ? ~value : value) & mask;
}

static void measure_writes(struct path_target *target)
{
	const struct safe_register *reg = &target->reg;
	u64 at = target->info.offset + reg->offset, original, value;

	if (vfio_read(target->fd, at, reg->width, &original)) {
		nr_failed++;
		return;
	}

	target->value = mirror(reg, ~original ^ 0x5a);
	target->op = PATH_WRITE;
	measure_target(target);
	target->op = PATH_WRITE_READ;
	if (!ended)
		measure_target(target);

	if (!vfio_write(target->fd, at, reg->width, mirror(reg, original)) &&
	    !vfio_read(target->fd, at, reg->width, &value) && value == original)
		return;
	fprintf(stderr, PROGRAM ": %s BAR%u: the register at 0x%llx was not restored\n",
		target->dev->bdf, target->bar, reg->offset);
	nr_failed++;
}

static void measure_register(struct path_target *target)
{
	target->op = PATH_READ;
	measure_target(target);
	if (target->reg.readback != READBACK_NONE && !ended)
		measure_writes(target);
}

static u64 round_to_page(u64 size)
{
	u64 page = sysconf(_SC_PAGESIZE);

	return (size + page - 1) & ~(page - 1);
}

/*
 * With the first access through the file VFIO claims the BAR, and the kernel may
 * then revoke mappings of it that were made through sysfs before
 * (CONFIG_IO_STRICT_DEVMEM): none is made before.
 */
static int claim_bar(struct path_target *target, const struct safe_register *reg)
{
	u64 value;

	if (!vfio_region(target->fd, target->bar, &target->info) &&
	    !vfio_read(target->fd, target->info.offset + reg->offset, reg->width, &value))
		return 0;

	fprintf(stderr, PROGRAM ": %s BAR%u: the register at 0x%llx cannot be read\n",
		target->dev->bdf, target->bar, reg->offset);
	return -1;
}

static void measure_bar(struct path_target *target, const struct safe_register *reg, size_t nr)
{
	bool mappable;
	size_t i;

	if (claim_bar(target, reg)) {
		nr_failed++;
		return;
	}

	mappable = target->info.flags & VFIO_REGION_INFO_FLAG_MMAP;
	target->map = NULL;
	if (mappable && vfio_map(target->fd, target->info.offset,
				 round_to_page(target->info.size), &target->map)) {
		fprintf(stderr, PROGRAM ": %s BAR%u: cannot be mapped, although it should be\n",
			target->dev->bdf, target->bar);
		nr_failed++;
		return;
	}

	for (i = 0; i < nr && !ended; i++) {
		target->reg = reg[i];
		measure_register(target);
	}
	if (target->map)
		munmap(target->map, round_to_page(target->info.size));
}

static void measure_bars(const struct subject *subject)
{
	struct path_target target = { .dev = subject->dev, .fd = subject->fd };
	struct safe_register reg[MAX_REGISTERS];
	size_t nr;

	for (target.bar = 0; target.bar < SYSFS_NR_BARS && !ended; target.bar++) {
		if (!(subject->dev->res[target.bar].flags & RES_MEM))
			continue;
		nr = safe_registers(&options, &profiles, subject->dev, target.bar, reg,
				    MAX_REGISTERS);
		if (nr)
			measure_bar(&target, reg, nr);
	}
}

static void measure_device(const struct subject *subject)
{
	u16 command;

	if (subject->fd < 0) {
		complain(subject->open_error.text);
		nr_failed++;
		return;
	}
	if (vfio_decode_enable(subject->fd, &command)) {
		fprintf(stderr, PROGRAM ": %s: cannot be enabled\n", subject->dev->bdf);
		nr_failed++;
		return;
	}

	near_enter_node(subject->dev->numa_node, options.remote_node, &near);
	printf("%s %04x:%04x, %s, %s\n", subject->dev->bdf, subject->dev->vendor,
	       subject->dev->device, subject->dev->driver, near.note.text);
	measure_bars(subject);
	vfio_decode_restore(subject->fd, command);
}

static void print_method(void)
{
	size_t i;

	printf("clock %s at %.3f MHz, steps of %.1f ns; %zu samples in %zu rounds, seed 0x%llx\n",
	       CYCLES_NAME, cycles.hz / 1e6, cycles_ns(&cycles, cycles.resolution),
	       options.samples, options.blocks, options.seed);
	if (options.delay_ns)
		printf("warning: each access is made to take %zu ns longer\n", options.delay_ns);
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
	if (profile_set_load(options.profiles, &profiles, err) || sysfs_scan(&scan, err) ||
	    subjects_choose(&subjects, &options, &scan, err))
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

	near_enter_node(subjects.one[0].dev->numa_node, options.remote_node, &near);
	machine_begin(&machine, near.cpu, options.accel);
	return cycles_calibrate(&cycles, err);
}

static void end(int signal)
{
	ended = signal;
}

static int run(void)
{
	struct sigaction action = { .sa_handler = end };
	size_t i;

	/* A register that was written is restored first. */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);

	print_method();
	begin_results();
	subjects_open(&subjects);
	for (i = 0; i < subjects.nr && !ended; i++)
		measure_device(&subjects.one[i]);

	machine_end(&machine);
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
		puts("SKIP: no PCI device is bound to VFIO: bind one to vfio-pci-subpage");
		return EXIT_SKIP;
	}

	ret = run();
	if (!ret && !nr_measured) {
		puts("SKIP: no safe register of these devices is known: name one with --register");
		return EXIT_SKIP;
	}
	return ret;
}
