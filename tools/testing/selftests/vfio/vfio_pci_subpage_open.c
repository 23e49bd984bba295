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
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device/binding.h"
#include "device/subject.h"
#include "device/vfio_device.h"
#include "measure/cycles.h"
#include "measure/stats.h"
#include "options.h"
#include "registers/mmio.h"
#include "results/results.h"

#define PROGRAM		"vfio_pci_subpage_open"
#define NR_WAYS		2	/* without the module, with it */

#define EXIT_PASS	0
#define EXIT_FAIL	1
#define EXIT_SKIP	4

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

/* A device while it is open. */
struct life {
	const struct pci_device *dev;
	int fd;
	unsigned int bar;
	struct safe_register reg;
	struct vfio_region_info info;
	void *map;
	size_t len;
};

static struct options options;
static struct profile_set profiles;
static struct json_object *results;
static atomic_int ended;

/* Nanoseconds for one device, by way, phase and round. */
static double *sample[NR_WAYS][NR_PHASES];

/* For one of n devices. */
static double since(u64 start, size_t n)
{
	return (double)(clock_raw_ns() - start) / n;
}

static int bind_all(size_t n, struct error *err)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (binding_bind(options.bdf[i], DRIVER_VFIO_PCI, err))
			return -1;
	return 0;
}

static int unbind_all(size_t n, struct error *err)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (binding_unbind(options.bdf[i], err))
			return -1;
	return 0;
}

/* A memory BAR: the best is one with a safe register, and below a page. */
static int choose_bar(struct life *life, struct error *err)
{
	u64 page = sysconf(_SC_PAGESIZE);
	int best = -1, bar;

	for (bar = 0; bar < SYSFS_NR_BARS; bar++) {
		const struct pci_resource *res = &life->dev->res[bar];
		struct register_list list;
		int score;

		if (!(res->flags & RES_MEM))
			continue;
		if (safe_registers(&options, &profiles, life->dev, bar, &list, err))
			return -1;
		score = (list.nr ? 2 : 0) + (sysfs_resource_size(res) < page);
		if (score > best) {
			best = score;
			life->bar = bar;
			life->reg = list.nr ? list.reg[0] : (struct safe_register) { 0 };
		}
		register_list_free(&list);
	}
	return 0;
}

static int open_all(struct subjects *subjects, struct life *life, struct error *err)
{
	int ret = 0;
	size_t i;

	subjects_open(subjects);
	for (i = 0; i < subjects->nr; i++) {
		life[i].dev = subjects->one[i].dev;
		life[i].fd = subjects->one[i].fd;
		if (life[i].fd < 0)
			ret = error_set(err, "%.400s", subjects->one[i].open_error.text);
	}
	return ret;
}

/* What cannot be mapped costs the question only, as it does for a VMM. */
static int map_one(struct life *life)
{
	int ret = vfio_region(life->fd, life->bar, &life->info);

	if (ret || !(life->info.flags & VFIO_REGION_INFO_FLAG_MMAP))
		return ret;

	life->len = vfio_page_round(life->info.size);
	ret = vfio_map(life->fd, life->info.offset, life->len, &life->map);
	if (ret)
		life->map = NULL;
	return ret;
}

static int map_all(struct life *life, size_t n, struct error *err)
{
	size_t i;
	int ret;

	for (i = 0; i < n; i++) {
		ret = map_one(&life[i]);
		if (ret)
			return error_set(err, "%s BAR%u: cannot be mapped: %s", life[i].dev->bdf,
					 life[i].bar, strerror(-ret));
	}
	return 0;
}

/* The first access: through the mapping a fault, else a read of the file. */
static int touch_one(struct life *life)
{
	u64 value;

	if (!life->map)
		return vfio_read(life->fd, life->info.offset + life->reg.offset, life->reg.width,
				 &value);

	mmio_read((char *)life->map + life->reg.offset, life->reg.width);
	return 0;
}

/* Returns how many were touched: those of which a safe register is known. */
static int touch_all(struct life *life, size_t n, struct error *err)
{
	int touched = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!life[i].reg.width)
			continue;
		if (touch_one(&life[i]))
			return error_set(err, "%s BAR%u: cannot be read", life[i].dev->bdf,
					 life[i].bar);
		touched++;
	}
	return touched;
}

static void close_all(struct life *life, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (life[i].map)
			munmap(life[i].map, life[i].len);
		if (life[i].fd >= 0)
			close(life[i].fd);
	}
}

/* Not timed: without it a mapping that is touched would fault for another reason. */
static int enable_all(struct life *life, size_t n, struct error *err)
{
	size_t i;
	u16 command;

	for (i = 0; i < n; i++) {
		if (choose_bar(&life[i], err))
			return -1;
		if (vfio_decode_enable(life[i].fd, &command))
			return error_set(err, "%s: cannot be enabled", life[i].dev->bdf);
	}
	return 0;
}

/* The times are those of one device. */
static int use_devices(struct subjects *subjects, struct life *life, double *ns,
		       struct error *err)
{
	u64 start = clock_raw_ns();
	int ret;

	ret = open_all(subjects, life, err);
	ns[OPEN] = since(start, subjects->nr);
	if (!ret)
		ret = enable_all(life, subjects->nr, err);
	if (ret)
		return ret;

	start = clock_raw_ns();
	ret = map_all(life, subjects->nr, err);
	ns[MMAP] = since(start, subjects->nr);
	if (ret)
		return ret;

	start = clock_raw_ns();
	ret = touch_all(life, subjects->nr, err);
	if (ret > 0)
		ns[TOUCH] = since(start, ret);
	return ret < 0 ? ret : 0;
}

static void leave(struct subjects *subjects)
{
	size_t i;

	for (i = 0; i < VFIO_NR_BACKENDS; i++)
		if (subjects->backend[i])
			subjects->backend[i]->ops->destroy(subjects->backend[i]);
	free(subjects->one);
}

/* Between bind and unbind. The container is made and left outside of what is timed. */
static int open_and_close(struct life *life, size_t n, double *ns, struct error *err)
{
	struct options these = options;
	struct subjects subjects = { 0 };
	struct pci_scan scan;
	u64 start;
	size_t i;
	int ret;

	for (i = 0; i < n; i++)
		life[i] = (struct life) { .fd = -1 };
	these.nr_bdf = n;

	/* Addresses may have changed while binding. */
	if (sysfs_scan(&scan, err))
		return -1;

	ret = subjects_choose(&subjects, &these, &scan, err);
	if (!ret)
		ret = subjects_attach(&subjects, &these, err);
	if (!ret)
		ret = use_devices(&subjects, life, ns, err);

	start = clock_raw_ns();
	close_all(life, n);
	ns[CLOSE] = since(start, n);

	leave(&subjects);
	sysfs_scan_free(&scan);
	return ret;
}

static int live(struct life *life, size_t n, bool module, size_t round, struct error *err)
{
	double ns[NR_PHASES] = { 0 };
	struct error second;
	int ret, phase;
	u64 start;

	if (binding_load_module(module, err))
		return -1;

	start = clock_raw_ns();
	ret = bind_all(n, err);
	ns[BIND] = since(start, n);
	if (!ret)
		ret = open_and_close(life, n, ns, err);

	start = clock_raw_ns();
	if (unbind_all(n, ret ? &second : err))
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
	for (way = 0; results && way < NR_WAYS; way++)
		results_add_open(results, DRIVER_VFIO_PCI, way, n, phase_name[phase],
				 &stats[way]);
}

static int save(bool partial, struct error *err)
{
	if (!results)
		return 0;

	results_set_partial(results, partial);
	return results_save(results, options.results, err);
}

/* A B, then B A: neither way always comes after the other. */
static int measure(struct life *life, size_t n, struct error *err)
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
		if (live(life, n, first, round, err) || live(life, n, !first, round, err))
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

/* Whoever has a disk there would miss it: vfio-bind.sh takes devices, and gives back. */
static int check_free(const struct pci_scan *scan, const char *bdf, struct error *err)
{
	const struct pci_device *dev = sysfs_find(scan, bdf);

	if (!dev)
		return error_set(err, "%s: there is no such PCI device: lspci -D lists them", bdf);
	if (dev->driver[0] && !dev->is_vfio)
		return error_set(err, "%s is in use by %s: start this by vfio-bind.sh", bdf,
				 dev->driver);
	return 0;
}

static int check_devices(struct error *err)
{
	struct pci_scan scan;
	size_t i;
	int ret;

	if (sysfs_scan(&scan, err))
		return -1;

	ret = registers_check(&options, &scan, err);
	for (i = 0; !ret && i < options.nr_bdf; i++)
		ret = check_free(&scan, options.bdf[i], err);
	sysfs_scan_free(&scan);
	return ret;
}

/* The first life with the module moves BARs; all later ones find them there. */
static int run(struct life *life, struct error *err)
{
	size_t i;

	if (unbind_all(options.nr_bdf, err))
		return -1;
	for (i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		if (counts[i] <= options.nr_bdf &&
		    (measure(life, counts[i], err) || save(true, err)))
			return -1;
	return save(false, err);
}

/* What was measured before a failure is kept, and marked as not all. */
static int run_all(struct error *err)
{
	struct life *life = calloc(options.nr_bdf, sizeof(*life));
	struct error second;
	int ret = life ? run(life, err) : error_set(err, "no memory");

	if (ret)
		save(true, &second);
	free(life);
	return ret;
}

static void end(int signal)
{
	ended = signal;
}

static int prepare(struct error *err)
{
	struct sigaction action = { .sa_handler = end };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);

	if (profile_set_load(options.profiles, &profiles, err) || check_devices(err) ||
	    allocate(err))
		return -1;
	if (!options.results)
		return 0;

	results = results_open(options.results, options.platform, options.accel, err);
	return results ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct error err;

	if (options_parse(OPTIONS_OPEN, argc, argv, getenv("VFIO_SELFTESTS_BDF"), &options, &err)) {
		fprintf(stderr, PROGRAM ": %s\n", err.text);
		return EXIT_FAIL;
	}
	if (options.help) {
		fputs(options_help(OPTIONS_OPEN), stdout);
		return EXIT_PASS;
	}
	if (!options.nr_bdf) {
		puts("SKIP: no device is named: it would be rebound");
		return EXIT_SKIP;
	}
	if (prepare(&err) || run_all(&err)) {
		fprintf(stderr, PROGRAM ": %s\n", err.text);
		return EXIT_FAIL;
	}
	return EXIT_PASS;
}
