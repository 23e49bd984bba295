// SPDX-License-Identifier: GPL-2.0-only
/*
 * Times every path to the safe registers of VFIO devices: from the kernel's own
 * access, which nothing can beat, to that of a guest whose access traps.
 *
 * The devices stay bound to what they are bound to. With --compare they are rebound,
 * without the module and with it in turn, and whoever starts it puts them back:
 *	vfio-bind.sh vfio-pci BDF... -- vfio_pci_subpage_perf --compare BDF...
 * Registers are written only if a profile or the user allows it, and get their value
 * back.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest.h"

#include "device/binding.h"
#include "device/devices.h"
#include "expect/expect.h"
#include "measure/cycles.h"
#include "measure/layout.h"
#include "measure/machine.h"
#include "measure/measure.h"
#include "measure/path.h"
#include "options.h"
#include "results/records.h"
#include "signals.h"

#define PROGRAM		"vfio_pci_subpage_perf"
#define MAX_WAYS	2	/* without the module, with it */

/* A path to a register, under one binding. */
struct outcome {
	enum path_state state;
	struct error why;
	struct measurement m;
	bool is_begun;
};

/* What a device is bound to, and where its registers are timed. */
struct binding {
	char driver[64];
	bool module;
	struct near near;
};

struct timed_register {
	char bdf[SYSFS_BDF_LEN];
	struct safe_register reg;
	bool is_dead;
	struct binding binding[MAX_WAYS];
	struct outcome outcome[PATH_NR_OPS][MAX_WAYS][NR_PATHS];
};

static struct options options;
static struct profile_set profiles;
static struct timed_register *registers;
static size_t nr_registers;
static struct measure_plan plan;
static struct machine machine;
static bool is_layout_fixed;
static size_t nr_ways = 1;
static size_t nr_devices;
static size_t nr_measured;
static size_t nr_failed;

static void complain(const char *text)
{
	fprintf(stderr, PROGRAM ": %s\n", text);
}

static void fail(const struct error *err)
{
	complain(err->text);
	nr_failed++;
}

static void fail_device(const struct pci_device *dev, const char *text)
{
	fprintf(stderr, PROGRAM ": %s: %s\n", dev->bdf, text);
	nr_failed++;
}

static void fail_register(const struct timed_register *t, enum path_op op, const char *path,
			  const char *text)
{
	fprintf(stderr, PROGRAM ": %s BAR%u at 0x%llx, %s %s: %s\n", t->bdf, t->reg.bar,
		t->reg.offset, path, path_op_name(op), text);
	nr_failed++;
}

static struct record_register record_of(const struct timed_register *t, enum path_op op,
					size_t way, const struct path_ops *ops)
{
	return (struct record_register) {
		.bdf = t->bdf,
		.driver = t->binding[way].driver,
		.module = t->binding[way].module,
		.reg = t->reg,
		.path = path_name(ops, op),
		.op = path_op_name(op),
	};
}

static void keep_timing(const struct timed_register *t, enum path_op op, size_t way,
			const struct path_ops *ops, const struct measurement *m)
{
	const struct near *near = &t->binding[way].near;
	struct record_timing timing = {
		.at = record_of(t, op, way, ops),
		.stats = m->stats,
		.outliers = m->outliers,
		.loop_ns = m->loop_ns,
		.batch = m->batch,
		.cpu = near->cpu,
		.node = near->node,
	};
	char interval[64] = "no interval";

	if (!isnan(m->stats.ci95[0]))
		snprintf(interval, sizeof(interval), "%.1f, %.1f", m->stats.ci95[0],
			 m->stats.ci95[1]);
	printf("  %-13s %10.1f ns  [%s]  min %.1f  p99 %.1f  %zu outliers, %zu x %zu\n",
	       timing.at.path, m->stats.median, interval, m->stats.min, m->stats.p99,
	       m->outliers, m->stats.samples, m->batch);
	record_timing(&timing);
	nr_measured++;
}

static void keep_skip(const struct timed_register *t, enum path_op op, size_t way,
		      const struct path_ops *ops, const struct outcome *outcome)
{
	struct record_register at = record_of(t, op, way, ops);

	printf("  %-13s skipped: %s\n", at.path, outcome->why.text);
	record_skip(&at, outcome->state != PATH_INAPPLICABLE, outcome->why.text);
	if (outcome->state == PATH_FAILED)
		fail_register(t, op, at.path, outcome->why.text);
}

static void finish_path(struct timed_register *t, enum path_op op, size_t way, size_t path)
{
	struct outcome *outcome = &t->outcome[op][way][path];

	if (outcome->is_begun)
		measure_end(&outcome->m, &plan);
	if (outcome->m.failure.text[0]) {
		outcome->state = PATH_FAILED;
		outcome->why = outcome->m.failure;
	}
	if (outcome->state == PATH_OPEN)
		keep_timing(t, op, way, all_paths[path], &outcome->m);
	else
		keep_skip(t, op, way, all_paths[path], outcome);
}

static const struct outcome *find_outcome(const struct timed_register *t, enum path_op op,
					  size_t way, const struct path_ops *ops)
{
	size_t path;

	for (path = 0; all_paths[path] != ops; path++)
		;
	return &t->outcome[op][way][path];
}

/*
 * What all of this is for. An emulated processor may hide it: there an access through
 * a mapping costs an emulated exit as well.
 */
static void check_mapped_is_faster(const struct timed_register *t, size_t way)
{
	const struct outcome *mapped = find_outcome(t, PATH_READ, way, &path_mmap);
	const struct outcome *file = find_outcome(t, PATH_READ, way, &path_file);

	if (!strcmp(options.accel, "tcg") || !mapped->is_begun || !file->is_begun)
		return;
	if (mapped->m.stats.median >= file->m.stats.median)
		fail_register(t, PATH_READ, "mmap", "not faster than the trapped access");
}

static void finish_register(struct timed_register *t, enum path_op op)
{
	size_t way, path;

	printf("%s BAR%u 0x%llx: %s, %u bytes\n", t->bdf, t->reg.bar, t->reg.offset,
	       path_op_name(op), t->reg.width);
	for (way = 0; way < nr_ways; way++) {
		if (options.compare)
			printf(" %s the module\n", way ? "with" : "without");
		for (path = 0; path < NR_PATHS; path++)
			if (path_is_named(all_paths[path], options.paths))
				finish_path(t, op, way, path);
		if (op == PATH_READ)
			check_mapped_is_faster(t, way);
	}
	fflush(stdout);
}

/* For the person who waits at a terminal; nothing in a file. */
static bool show_progress(size_t block, size_t blocks)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r  block %zu of %zu \r", block + 1, blocks);
	return !ended;
}

static enum path_state open_path(struct path *path, struct error *why)
{
	enum path_state state = path->ops->open(path, path->target, why);

	if (state != PATH_OPEN || !path_check(path, why))
		return state;

	path->ops->close(path);
	return PATH_FAILED;
}

/* In each round the same paths, or samples would be missing. */
static bool prepare_outcome(struct outcome *outcome, struct path *path, const struct near *near,
			    size_t round)
{
	if (outcome->state == PATH_FAILED || (round && !outcome->is_begun))
		return false;

	outcome->state = open_path(path, &outcome->why);
	if (outcome->state != PATH_OPEN) {
		outcome->m.failure = outcome->is_begun ? outcome->why : outcome->m.failure;
		return false;
	}
	if (outcome->is_begun)
		return true;

	outcome->is_begun = !measure_begin(&outcome->m, &plan, near, &outcome->why);
	if (outcome->is_begun)
		return true;

	outcome->state = PATH_FAILED;
	path->ops->close(path);
	return false;
}

static size_t open_paths(struct outcome *outcome, const struct path_target *target,
			 const struct near *near, size_t round, struct measured_path *measured)
{
	size_t nr = 0, i;

	for (i = 0; i < NR_PATHS; i++) {
		if (!path_is_named(all_paths[i], options.paths))
			continue;
		measured[nr].path = (struct path) { .ops = all_paths[i], .target = target };
		measured[nr].m = &outcome[i].m;
		nr += prepare_outcome(&outcome[i], &measured[nr].path, near, round);
	}
	return nr;
}

static void measure_paths(struct timed_register *t, const struct path_target *target, size_t way,
			  size_t round)
{
	size_t rounds = options.compare ? options.rounds : 1, nr, i;
	struct measured_path measured[NR_PATHS];

	nr = open_paths(t->outcome[target->op][way], target, &t->binding[way].near, round,
			measured);
	measure_blocks(measured, nr, &plan, plan.blocks * round / rounds,
		       plan.blocks * (round + 1) / rounds, show_progress);
	for (i = 0; i < nr; i++)
		measured[i].path.ops->close(&measured[i].path);
}

static void measure_write(struct timed_register *t, struct path_target *target, size_t way,
			  size_t round)
{
	u64 original, value;

	if (vfio_register_read(target->device, &t->reg, &original)) {
		fail_register(t, target->op, "before", "cannot be read");
		return;
	}

	target->value = register_mirror(&t->reg, ~original ^ 0x5a);
	measure_paths(t, target, way, round);
	if (vfio_register_write(target->device, &t->reg, register_mirror(&t->reg, original)) ||
	    vfio_register_read(target->device, &t->reg, &value) || value != original)
		fail_register(t, target->op, "after", "was not restored");
}

static void measure_register(struct timed_register *t, struct vfio_device *device, size_t way,
			     size_t round, bool is_last)
{
	struct path_target target = { .device = device, .reg = t->reg };
	enum path_op nr_ops = t->reg.readback == READBACK_NONE ? 1 : PATH_NR_OPS;

	for (target.op = 0; target.op < nr_ops && !ended; target.op++) {
		if (target.op == PATH_READ)
			measure_paths(t, &target, way, round);
		else
			measure_write(t, &target, way, round);
		if (is_last && !ended)
			finish_register(t, target.op);
	}
}

/*
 * With the first access through the file VFIO claims the BAR, and the kernel may
 * then revoke mappings of it that were made through sysfs before
 * (CONFIG_IO_STRICT_DEVMEM): none is made before.
 */
static void check_answer(struct timed_register *t, struct vfio_device *device)
{
	u64 value;

	if (t->is_dead)
		return;

	t->is_dead = true;
	if (vfio_register_read(device, &t->reg, &value))
		fail_register(t, PATH_READ, "first", "cannot be read");
	else if (!register_answers(&t->reg, value))
		fail_register(t, PATH_READ, "first", "all ones: nobody answers at this address");
	else
		t->is_dead = false;
}

static void map_bar(struct timed_register *t, struct vfio_device *device)
{
	int ret = t->is_dead ? 0 : vfio_bar_map(device, t->reg.bar);

	if (!ret)
		return;

	t->is_dead = true;
	fail_register(t, PATH_READ, "mmap", strerror(-ret));
}

/* Where the command line wants it: beside the device, or on purpose not. */
static int enter_node(const struct pci_device *dev, struct near *near, struct error *why)
{
	if (options.remote_node)
		return near_enter_remote(dev->numa_node, near, why);

	near_enter(dev->numa_node, near);
	return 0;
}

static void bind_registers(struct timed_register *first, size_t nr,
			   const struct vfio_device *device, const struct near *near, size_t way)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		struct binding *binding = &first[i].binding[way];

		snprintf(binding->driver, sizeof(binding->driver), "%s", device->dev->driver);
		binding->module = device->dev->is_prepared;
		binding->near = *near;
	}
}

/* The registers of a device follow each other. */
static size_t find_registers(const char *bdf, struct timed_register **first)
{
	size_t i, nr = 0;

	for (i = 0; i < nr_registers && !nr; i++)
		for (*first = &registers[i];
		     i + nr < nr_registers && !strcmp(registers[i + nr].bdf, bdf); nr++)
			;
	return nr;
}

static void measure_device(struct vfio_device *device, size_t way, size_t round, bool is_last)
{
	const struct pci_device *dev = device->dev;
	struct timed_register *first;
	struct error why;
	struct near near;
	size_t nr, i;

	if (device->fd < 0)
		return fail(&device->open_error);
	if (enter_node(dev, &near, &why))
		return fail_device(dev, why.text);
	if (vfio_device_enable(device))
		return fail_device(dev, "cannot be enabled");

	if (is_last)
		printf("%s %04x:%04x, %s, %s\n", dev->bdf, dev->vendor, dev->device, dev->driver,
		       near.note.text);
	nr = find_registers(dev->bdf, &first);
	bind_registers(first, nr, device, &near, way);
	for (i = 0; i < nr; i++)
		check_answer(&first[i], device);
	for (i = 0; i < nr; i++)
		map_bar(&first[i], device);
	for (i = 0; i < nr && !ended; i++)
		if (!first[i].is_dead)
			measure_register(&first[i], device, way, round, is_last);
}

/* From open to close: what lies between two rebinds. */
static int measure_devices(size_t way, size_t round, bool is_last, struct error *err)
{
	struct vfio_devices devices = { 0 };
	struct pci_scan scan;
	size_t i;
	int ret;

	if (sysfs_scan(&scan, err))
		return -1;

	ret = vfio_devices_choose(&devices, &options, &scan, err);
	if (!ret)
		ret = vfio_devices_attach(&devices, &options, err);
	if (!ret)
		vfio_devices_open(&devices);
	for (i = 0; !ret && i < devices.nr && !ended; i++)
		measure_device(&devices.one[i], way, round, is_last);

	vfio_devices_free(&devices);
	sysfs_scan_free(&scan);
	return ret;
}

static int rebind_and_measure(size_t way, size_t round, bool is_last, struct error *err)
{
	struct error second;
	int ret;

	printf("round %zu of %zu, with%s the module\n", round + 1, options.rounds,
	       way ? "" : "out");
	fflush(stdout);
	if (binding_load_module(way, err))
		return -1;

	ret = binding_bind(options.bdf, options.nr_bdf, DRIVER_VFIO_PCI, err);
	if (!ret)
		ret = measure_devices(way, round, is_last, err);
	if (binding_unbind(options.bdf, options.nr_bdf, ret ? &second : err))
		ret = -1;
	return ret;
}

/* A B, then B A: neither way always comes after the other. */
static int compare_rounds(struct error *err)
{
	size_t round, turn;

	for (round = 0; round < options.rounds; round++) {
		for (turn = 0; turn < MAX_WAYS && !ended; turn++) {
			bool is_last = round == options.rounds - 1 && turn == MAX_WAYS - 1;

			if (rebind_and_measure((round + turn) % MAX_WAYS, round, is_last, err))
				return -1;
		}
	}
	return 0;
}

static int compare(struct error *err)
{
	bool was_loaded = binding_module_is_loaded();
	struct error second;
	int ret;

	ret = binding_unbind(options.bdf, options.nr_bdf, err);
	if (!ret)
		ret = compare_rounds(err);
	if (binding_load_module(was_loaded, ret ? &second : err))
		ret = -1;
	return ret;
}

static void skip_bar(const struct pci_device *dev, unsigned int bar, const char *reason)
{
	size_t way;

	printf("%s BAR%u skipped: %s\n", dev->bdf, bar, reason);
	for (way = 0; way < nr_ways; way++) {
		struct record_register at = {
			.bdf = dev->bdf, .reg.bar = bar, .path = "", .op = "",
			.driver = options.compare ? DRIVER_VFIO_PCI : dev->driver,
			.module = options.compare ? way : dev->is_prepared,
		};

		record_skip(&at, true, reason);
	}
}

/* A region of a native driver goes with it, before anything is measured. */
static bool is_busy(const struct pci_device *dev, unsigned int bar, const struct iomem *iomem,
		    struct error *why)
{
	return (dev->is_vfio || !dev->driver[0]) && expect_busy(dev, bar, iomem, why);
}

static int add_registers(const struct pci_device *dev, unsigned int bar,
			 const struct iomem *iomem, struct error *err)
{
	struct timed_register *grown;
	struct register_list list;
	struct error busy;
	size_t i;

	if (is_busy(dev, bar, iomem, &busy)) {
		skip_bar(dev, bar, busy.text);
		return 0;
	}
	if (safe_registers(&options, &profiles, dev, bar, &list, err))
		return -1;
	if (!list.nr) {
		skip_bar(dev, bar, "no safe register is known: name one with --register");
		return 0;
	}

	grown = reallocarray(registers, nr_registers + list.nr, sizeof(*grown));
	if (!grown)
		return error_set(err, "%s: no memory for its registers", dev->bdf);

	registers = grown;
	for (i = 0; i < list.nr; i++) {
		registers[nr_registers] = (struct timed_register) { .reg = list.reg[i] };
		snprintf(registers[nr_registers++].bdf, SYSFS_BDF_LEN, "%s", dev->bdf);
	}
	register_list_free(&list);
	return 0;
}

static int add_device(const struct pci_device *dev, const struct iomem *iomem,
		      struct error *err)
{
	unsigned int bar;

	nr_devices++;
	for (bar = 0; bar < SYSFS_NR_BARS; bar++)
		if (dev->res[bar].flags & RES_MEM && add_registers(dev, bar, iomem, err))
			return -1;
	return 0;
}

static int list_registers(const struct pci_scan *scan, struct error *err)
{
	struct iomem iomem;
	struct error hidden;
	int ret = 0;
	size_t i;

	/* Who may not read it, learns who is in a BAR from an access that fails. */
	iomem_read(&iomem, &hidden);
	for (i = 0; i < options.nr_bdf && !ret; i++)
		ret = add_device(sysfs_find(scan, options.bdf[i]), &iomem, err);
	for (i = 0; i < scan->nr && !options.nr_bdf && !ret; i++)
		if (scan->dev[i].is_vfio)
			ret = add_device(&scan->dev[i], &iomem, err);
	iomem_free(&iomem);
	return ret;
}

static void print_method(void)
{
	size_t i;

	printf("clock %s at %.3f MHz, steps of %.1f ns; %zu samples in %zu blocks, seed 0x%llx\n",
	       CYCLES_NAME, plan.cycles.hz / 1e6,
	       cycles_ns(&plan.cycles, plan.cycles.resolution), plan.samples, plan.blocks,
	       plan.seed);
	for (i = 0; i < machine.nr_warnings; i++)
		printf("warning: %s\n", machine.warning[i].text);
}

static void begin_records(void)
{
	struct record_perf perf = {
		.seed = plan.seed,
		.counter = CYCLES_NAME,
		.counter_hz = plan.cycles.hz,
		.resolution_ns = cycles_ns(&plan.cycles, plan.cycles.resolution),
		.blocks = plan.blocks,
		.rounds = options.compare ? options.rounds : 0,
		.remote_node = options.remote_node,
	};

	record_perf(&perf);
	record_machine(&machine);
}

static void look_at_machine(int node)
{
	struct near near;

	near_enter(node, &near);
	machine_begin(&machine, near.cpu, options.accel);
	if (!is_layout_fixed)
		machine_warn(&machine,
			     "address space randomisation cannot be turned off: runs differ by where the program lies");
	if (options.delay_ns)
		machine_warn(&machine, "--delay made each access take %zu ns longer",
			     options.delay_ns);
}

/* A device that is named is there, and VFIO's, or free where it is rebound. */
static int check_devices(const struct pci_scan *scan, struct error *err)
{
	struct vfio_devices devices;
	int ret;

	if (registers_check(&options, scan, err))
		return -1;
	if (options.compare)
		return binding_check(scan, options.bdf, options.nr_bdf, err);

	ret = vfio_devices_choose(&devices, &options, scan, err);
	vfio_devices_free(&devices);
	return ret;
}

static int prepare_scan(const struct pci_scan *scan, char **argv, struct error *err)
{
	if (check_devices(scan, err) ||
	    records_open(options.results, argv, options.platform, options.accel, err) ||
	    list_registers(scan, err))
		return -1;
	if (!nr_registers)
		return 0;

	look_at_machine(sysfs_find(scan, registers[0].bdf)->numa_node);
	return cycles_calibrate(&plan.cycles, err);
}

static int prepare(char **argv, struct error *err)
{
	struct pci_scan scan;
	int ret;

	if (options.compare && options.rounds > options.blocks)
		return error_set(err, "--rounds %zu: needs as many --blocks", options.rounds);
	if (options.paths && path_check_names(options.paths, err))
		return -1;
	if (profile_set_load(options.profiles, &profiles, err) || sysfs_scan(&scan, err))
		return -1;

	nr_ways = options.compare ? MAX_WAYS : 1;
	plan = (struct measure_plan) {
		.samples = options.samples,
		.blocks = options.blocks,
		.batch = options.batch,
		.seed = options.seed,
		.delay_ns = options.delay_ns,
	};
	ret = prepare_scan(&scan, argv, err);
	sysfs_scan_free(&scan);
	return ret;
}

/* What was found out while measuring. */
static void end_machine(void)
{
	size_t known = machine.nr_warnings;

	machine_end(&machine);
	for (; known < machine.nr_warnings; known++)
		printf("warning: %s\n", machine.warning[known].text);
	record_machine(&machine);
}

static void run(void)
{
	struct error err;

	signals_catch();
	print_method();
	begin_records();
	if (options.compare ? compare(&err) : measure_devices(0, 0, true, &err))
		fail(&err);
	end_machine();
	if (ended)
		complain("ended before its end: the results are partial");
}

static int finish(void)
{
	struct error err;

	if (records_close(NULL, !ended && !nr_failed, &err))
		fail(&err);
	if (ended || nr_failed)
		return KSFT_FAIL;
	if (nr_measured)
		return KSFT_PASS;

	if (!nr_devices)
		puts("SKIP: no PCI device is bound to VFIO: bind one to vfio-pci");
	else if (!nr_registers)
		puts("SKIP: no safe register of these devices can be read, for the reasons above");
	else
		puts("SKIP: none of these paths exists here, for the reasons above");
	return KSFT_SKIP;
}

int main(int argc, char **argv)
{
	struct error err;

	is_layout_fixed = layout_fix(argv);
	if (options_parse(OPTIONS_PERF, argc, argv, getenv("VFIO_SELFTESTS_BDF"), &options, &err)) {
		complain(err.text);
		return KSFT_FAIL;
	}
	if (options.help) {
		fputs(options_help(OPTIONS_PERF), stdout);
		return KSFT_PASS;
	}
	if (options.compare && !options.nr_bdf) {
		puts("SKIP: no device is named: it would be rebound");
		return KSFT_SKIP;
	}
	if (prepare(argv, &err)) {
		complain(err.text);
		return KSFT_FAIL;
	}
	if (nr_registers)
		run();
	return finish();
}
