// SPDX-License-Identifier: GPL-2.0-only
/*
 * Times the life of devices under vfio-pci without and with the module, one after
 * the other in each round: bind, open, first mapping, first touch, close, unbind;
 * for one device, and for more of them at once.
 *
 * It rebinds the devices, and unloads and loads the module. Whoever starts it puts
 * the devices back:
 *	vfio-bind.sh vfio-pci BDF... -- vfio_pci_subpage_open BDF...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest.h"

#include "device/binding.h"
#include "device/devices.h"
#include "expect/expect.h"
#include "measure/cycles.h"
#include "measure/stats.h"
#include "options.h"
#include "registers/mmio.h"
#include "results/records.h"
#include "signals.h"

#define PROGRAM		"vfio_pci_subpage_open"
#define NR_WAYS		2	/* without the module, with it */

enum phase {
	BIND,
	OPEN,
	MMAP,
	TOUCH,
	CLOSE,
	UNBIND,
	TOTAL,		/* bind, open, mmap and touch: until it can be used */
	NR_PHASES
};

static const char * const phase_name[] = {
	"bind", "open", "mmap", "touch", "close", "unbind", "total"
};

/* How many devices at once; each only if there are so many. */
static const size_t counts[] = { 1, 8, 32, 128 };

/* What is mapped and touched of a device. */
struct choice {
	unsigned int bar;
	struct safe_register reg;	/* its width is 0 where none is known */
};

static struct options options;
static struct profile_set profiles;

/* Nanoseconds for one device, by way, phase and round. */
static double *sample[NR_WAYS][NR_PHASES];

/* A memory BAR that VFIO gets: the best is one with a safe register, and below a page. */
static int choose_bar(const struct pci_device *dev, const struct iomem *iomem,
		      struct choice *choice, struct error *err)
{
	u64 page = sysconf(_SC_PAGESIZE);
	int best = -1, score;
	unsigned int bar;

	for (bar = 0; bar < SYSFS_NR_BARS; bar++) {
		struct register_list list;
		struct error busy;

		if (!(dev->res[bar].flags & RES_MEM) || expect_busy(dev, bar, iomem, &busy))
			continue;
		if (safe_registers(&options, &profiles, dev, bar, &list, err))
			return -1;
		score = 2 * !!list.nr + (sysfs_resource_size(&dev->res[bar]) < page);
		if (score > best) {
			best = score;
			choice->bar = bar;
			choice->reg = list.nr ? list.reg[0] : (struct safe_register) { 0 };
		}
		register_list_free(&list);
	}
	return 0;
}

static int check_open(const struct vfio_devices *devices, struct error *err)
{
	size_t i;

	for (i = 0; i < devices->nr; i++)
		if (devices->one[i].fd < 0)
			return error_set(err, "%.400s", devices->one[i].open_error.text);
	return 0;
}

/*
 * Not timed: without memory decode a mapping that is touched would fault for another
 * reason.
 */
static int choose_and_enable(struct vfio_devices *devices, struct choice *choice,
			     struct error *err)
{
	struct iomem iomem;
	int ret;
	size_t i;

	ret = iomem_read(&iomem, err);
	for (i = 0; i < devices->nr && !ret; i++) {
		ret = choose_bar(devices->one[i].dev, &iomem, &choice[i], err);
		if (!ret && vfio_device_enable(&devices->one[i]))
			ret = error_set(err, "%s: cannot be enabled", devices->one[i].dev->bdf);
	}
	iomem_free(&iomem);
	return ret;
}

/* What cannot be mapped costs the question only, as it does for a VMM. */
static int map_all(struct vfio_devices *devices, const struct choice *choice, struct error *err)
{
	size_t i;
	int ret;

	for (i = 0; i < devices->nr; i++) {
		struct vfio_device *device = &devices->one[i];

		ret = vfio_region(device->fd, choice[i].bar,
				  &device->bar[choice[i].bar].info);
		if (!ret)
			ret = vfio_bar_map(device, choice[i].bar);
		if (ret)
			return error_set(err, "%s BAR%u: cannot be mapped: %s", device->dev->bdf,
					 choice[i].bar, strerror(-ret));
	}
	return 0;
}

/* The first access: through the mapping a fault, else a read of the file. */
static int touch(const struct vfio_device *device, const struct safe_register *reg)
{
	void *address = vfio_register_address(device, reg);
	u64 value;

	if (!address)
		return vfio_register_read(device, reg, &value);

	mmio_read(address, reg->width);
	return 0;
}

/* Returns how many were touched: those of which a safe register is known. */
static int touch_all(struct vfio_devices *devices, const struct choice *choice, struct error *err)
{
	int touched = 0;
	size_t i;

	for (i = 0; i < devices->nr; i++) {
		if (!choice[i].reg.width)
			continue;
		if (touch(&devices->one[i], &choice[i].reg))
			return error_set(err, "%s BAR%u: cannot be read", devices->one[i].dev->bdf,
					 choice[i].bar);
		touched++;
	}
	return touched;
}

/* For one of n devices. */
static double since(u64 start, size_t n)
{
	return (double)(clock_raw_ns() - start) / n;
}

static int use_devices(struct vfio_devices *devices, struct choice *choice, double *ns,
		       struct error *err)
{
	u64 start = clock_raw_ns();
	int ret;

	vfio_devices_open(devices);
	ns[OPEN] = since(start, devices->nr);
	if (check_open(devices, err) || choose_and_enable(devices, choice, err))
		return -1;

	start = clock_raw_ns();
	ret = map_all(devices, choice, err);
	ns[MMAP] = since(start, devices->nr);
	if (ret)
		return ret;

	start = clock_raw_ns();
	ret = touch_all(devices, choice, err);
	if (ret > 0)
		ns[TOUCH] = since(start, ret);
	return ret < 0 ? ret : 0;
}

static void close_all(struct vfio_devices *devices)
{
	size_t i;

	for (i = 0; i < devices->nr; i++)
		vfio_device_close(&devices->one[i]);
}

/* Between bind and unbind. The container is made and left outside of what is timed. */
static int open_and_close(struct choice *choice, size_t n, double *ns, struct error *err)
{
	struct vfio_devices devices = { 0 };
	struct options these = options;
	struct pci_scan scan;
	u64 start;
	int ret;

	these.nr_bdf = n;

	/* Addresses may have changed while binding. */
	if (sysfs_scan(&scan, err))
		return -1;

	ret = vfio_devices_choose(&devices, &these, &scan, err);
	if (!ret)
		ret = vfio_devices_attach(&devices, &these, err);
	if (!ret)
		ret = use_devices(&devices, choice, ns, err);

	start = clock_raw_ns();
	close_all(&devices);
	ns[CLOSE] = since(start, n);

	vfio_devices_free(&devices);
	sysfs_scan_free(&scan);
	return ret;
}

static int bind_and_unbind(struct choice *choice, size_t n, bool module, size_t round,
			   struct error *err)
{
	double ns[NR_PHASES] = { 0 };
	struct error second;
	int ret, phase;
	u64 start;

	if (binding_load_module(module, err))
		return -1;

	start = clock_raw_ns();
	ret = binding_bind(options.bdf, n, DRIVER_VFIO_PCI, err);
	ns[BIND] = since(start, n);
	if (!ret)
		ret = open_and_close(choice, n, ns, err);

	start = clock_raw_ns();
	if (binding_unbind(options.bdf, n, ret ? &second : err))
		ret = -1;
	ns[UNBIND] = since(start, n);

	ns[TOTAL] = ns[BIND] + ns[OPEN] + ns[MMAP] + ns[TOUCH];
	for (phase = 0; phase < NR_PHASES; phase++)
		sample[module][phase][round] = ns[phase];
	return ret;
}

/* Rounds are far apart: each counts for itself, so that ranks give the interval. */
static void report_phase(size_t n, int phase)
{
	struct stats stats[NR_WAYS];
	int way;

	for (way = 0; way < NR_WAYS; way++)
		stats_compute(sample[way][phase], options.samples, &stats[way]);
	if (!stats[0].median) {
		printf("  %-7s not timed: no safe register of these devices is known\n",
		       phase_name[phase]);
		return;
	}

	printf("  %-7s %12.0f ns %12.0f ns  %6.2f\n", phase_name[phase], stats[0].median,
	       stats[1].median, stats[1].median / stats[0].median);
	for (way = 0; way < NR_WAYS; way++)
		record_open(DRIVER_VFIO_PCI, way, n, phase_name[phase], &stats[way]);
}

/* A B, then B A: neither way always comes after the other. */
static int measure(struct choice *choice, size_t n, struct error *err)
{
	size_t round;
	int phase;

	printf("%zu device%s, for each: without the module, with it, ratio; %zu rounds\n", n,
	       n == 1 ? "" : "s", options.samples);
	for (round = 0; round < options.samples; round++) {
		bool first = round % 2;

		if (ended)
			return error_set(err, "ended before its end");
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "\r  round %zu of %zu \r", round + 1, options.samples);
		if (bind_and_unbind(choice, n, first, round, err) ||
		    bind_and_unbind(choice, n, !first, round, err))
			return -1;
	}
	for (phase = 0; phase < NR_PHASES; phase++)
		report_phase(n, phase);
	fflush(stdout);
	return 0;
}

static int allocate(struct error *err)
{
	int way, phase;

	for (way = 0; way < NR_WAYS; way++) {
		for (phase = 0; phase < NR_PHASES; phase++) {
			sample[way][phase] = calloc(options.samples, sizeof(double));
			if (!sample[way][phase])
				return error_set(err, "no memory for %zu samples",
						 options.samples);
		}
	}
	return 0;
}

static int check_devices(struct error *err)
{
	struct pci_scan scan;
	int ret;

	if (sysfs_scan(&scan, err))
		return -1;

	ret = registers_check(&options, &scan, err);
	if (!ret)
		ret = binding_check(&scan, options.bdf, options.nr_bdf, err);
	sysfs_scan_free(&scan);
	return ret;
}

/* The first bind with the module moves BARs; all later ones find them there. */
static int run_counts(struct choice *choice, struct error *err)
{
	size_t i;

	for (i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		if (counts[i] <= options.nr_bdf && measure(choice, counts[i], err))
			return -1;
	return 0;
}

static int run(struct choice *choice, struct error *err)
{
	bool was_loaded = binding_module_is_loaded();
	struct error second;
	int ret;

	ret = binding_unbind(options.bdf, options.nr_bdf, err);
	if (!ret)
		ret = run_counts(choice, err);
	if (binding_load_module(was_loaded, ret ? &second : err))
		ret = -1;
	return ret;
}

/* What was measured before a failure is kept, and marked as not all. */
static int run_all(struct error *err)
{
	struct choice *choice = calloc(options.nr_bdf, sizeof(*choice));
	struct error second;
	int ret = choice ? run(choice, err) : error_set(err, "no memory");

	if (records_close(NULL, !ret, ret ? &second : err))
		ret = -1;
	free(choice);
	return ret;
}

static int prepare(char **argv, struct error *err)
{
	signals_catch();
	if (profile_set_load(options.profiles, &profiles, err) || check_devices(err) ||
	    allocate(err))
		return -1;

	return records_open(options.results, argv, options.platform, options.accel, err);
}

int main(int argc, char **argv)
{
	struct error err;

	if (options_parse(OPTIONS_OPEN, argc, argv, getenv("VFIO_SELFTESTS_BDF"), &options, &err)) {
		fprintf(stderr, PROGRAM ": %s\n", err.text);
		return KSFT_FAIL;
	}
	if (options.help) {
		fputs(options_help(OPTIONS_OPEN), stdout);
		return KSFT_PASS;
	}
	if (!options.nr_bdf) {
		puts("SKIP: no device is named: it would be rebound");
		return KSFT_SKIP;
	}
	if (prepare(argv, &err) || run_all(&err)) {
		fprintf(stderr, PROGRAM ": %s\n", err.text);
		return KSFT_FAIL;
	}
	return KSFT_PASS;
}
