// SPDX-License-Identifier: GPL-2.0-only
/*
 * Times the life of devices under vfio-pci and under vfio-pci-subpage, one after
 * the other in each round: bind, open, first mapping, first touch, close,
 * unbind; for one device, and for more of them at once.
 *
 * It rebinds the devices. Whoever starts it puts them back:
 *	vfio-bind.sh vfio-pci-subpage BDF... -- vfio_pci_subpage_open BDF...
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "binding.h"
#include "mmio.h"
#include "options.h"
#include "random.h"
#include "results.h"
#include "stats.h"
#include "subject.h"
#include "vfio_device.h"

#define PROGRAM		"vfio_pci_subpage_open"
#define NR_DRIVERS	2

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

static const char * const driver_name[NR_DRIVERS] = { DRIVER_PLAIN, DRIVER_SUBPAGE };

/* How many devices at once; each only if there are so many. */
static const size_t counts[] = { 1, 8, 32, 128 };

/* A device while it is open. */
struct life {
	const struct pci_device *dev;
	int fd;
	unsigned int bar;
	struct safe_register reg;
	void *map;
	size_t len;
};

static struct options options;
static struct profile_set profiles;
static struct json_object *results;
static atomic_int ended;

/* Nanoseconds for one device, by driver, phase and round. */
static double *sample[NR_DRIVERS][NR_PHASES];

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static int bind_all(size_t n, const char *driver, struct error *err)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (binding_bind(options.bdf[i], driver, err))
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
static void choose_bar(struct life *life)
{
	u64 page = sysconf(_SC_PAGESIZE);
	int best = -1, bar;

	for (bar = 0; bar < SYSFS_NR_BARS; bar++) {
		const struct pci_resource *res = &life->dev->res[bar];
		struct safe_register reg = { 0 };
		int score;

		if (!(res->flags & RES_MEM))
			continue;
		score = 2 * safe_registers(&options, &profiles, life->dev, bar, &reg, 1) +
			(sysfs_resource_size(res) < page);
		if (score <= best)
			continue;
		best = score;
		life->bar = bar;
		life->reg = reg;
	}
}

static int open_all(struct subjects *subjects, struct life *life, struct error *err)
{
	size_t i;

	subjects_open(subjects);
	for (i = 0; i < subjects->nr; i++) {
		life[i] = (struct life) { .dev = subjects->one[i].dev, .fd = subjects->one[i].fd };
		if (life[i].fd < 0)
			return error_set(err, "%.400s", subjects->one[i].open_error.text);
	}
	return 0;
}

/* What cannot be mapped costs the question only, as it does for a VMM. */
static int map_all(struct life *life, size_t n, struct error *err)
{
	u64 page = sysconf(_SC_PAGESIZE);
	struct vfio_region_info info;
	size_t i;
	int ret;

	for (i = 0; i < n; i++) {
		ret = vfio_region(life[i].fd, life[i].bar, &info);
		if (!ret && info.flags & VFIO_REGION_INFO_FLAG_MMAP) {
			life[i].len = (info.size + page - 1) & ~(page - 1);
			ret = vfio_map(life[i].fd, info.offset, life[i].len, &life[i].map);
		}
		if (ret)
			return error_set(err, "%s BAR%u: cannot be mapped: %s", life[i].dev->bdf,
					 life[i].bar, strerror(-ret));
	}
	return 0;
}

/*
 * The first access: through the mapping a fault, else a read of the file. None
 * where no safe register is known.
 */
static int touch_all(struct life *life, size_t n, struct error *err)
{
	struct vfio_region_info info;
	u64 value;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!life[i].reg.width)
			continue;
		if (life[i].map) {
			mmio_read((char *)life[i].map + life[i].reg.offset, life[i].reg.width);
			continue;
		}
		if (vfio_region(life[i].fd, life[i].bar, &info) ||
		    vfio_read(life[i].fd, info.offset + life[i].reg.offset, life[i].reg.width,
			      &value))
			return error_set(err, "%s BAR%u: cannot be read", life[i].dev->bdf,
					 life[i].bar);
	}
	return 0;
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
		choose_bar(&life[i]);
		if (vfio_decode_enable(life[i].fd, &command))
			return error_set(err, "%s: cannot be enabled", life[i].dev->bdf);
	}
	return 0;
}

static int use_devices(struct subjects *subjects, struct life *life, double *ns,
		       struct error *err)
{
	double start = now_ns();
	int ret;

	ret = open_all(subjects, life, err);
	ns[OPEN] = now_ns() - start;
	if (!ret)
		ret = enable_all(life, subjects->nr, err);
	if (ret)
		return ret;

	start = now_ns();
	ret = map_all(life, subjects->nr, err);
	ns[MMAP] = now_ns() - start;
	if (ret)
		return ret;

	start = now_ns();
	ret = touch_all(life, subjects->nr, err);
	ns[TOUCH] = now_ns() - start;
	return ret;
}

/* Between bind and unbind. The container is made and left outside of what is timed. */
static int open_and_close(size_t n, double *ns, struct error *err)
{
	struct options these = options;
	struct subjects subjects;
	struct pci_scan scan;
	struct life *life;
	double start;
	size_t i;
	int ret;

	/* Addresses may have changed while binding. */
	if (sysfs_scan(&scan, err))
		return -1;

	life = calloc(n, sizeof(*life));
	these.nr_bdf = n;
	ret = life ? subjects_choose(&subjects, &these, &scan, err) : error_set(err, "no memory");
	if (!ret)
		ret = subjects_attach(&subjects, &these, err);
	if (!ret)
		ret = use_devices(&subjects, life, ns, err);

	start = now_ns();
	if (life)
		close_all(life, n);
	ns[CLOSE] = now_ns() - start;

	for (i = 0; i < VFIO_NR_BACKENDS; i++)
		if (subjects.backend[i])
			subjects.backend[i]->ops->destroy(subjects.backend[i]);
	free(subjects.one);
	free(life);
	sysfs_scan_free(&scan);
	return ret;
}

static int live(size_t n, unsigned int driver, size_t round, struct error *err)
{
	double ns[NR_PHASES] = { 0 }, start = now_ns();
	struct error second;
	int ret, phase;

	ret = bind_all(n, driver_name[driver], err);
	ns[BIND] = now_ns() - start;
	if (!ret)
		ret = open_and_close(n, ns, err);

	start = now_ns();
	if (unbind_all(n, ret ? &second : err))
		ret = -1;
	ns[UNBIND] = now_ns() - start;

	ns[TOTAL] = ns[BIND] + ns[OPEN] + ns[MMAP] + ns[TOUCH];
	for (phase = 0; phase < NR_PHASES; phase++)
		sample[driver][phase][round] = ns[phase] / n;
	return ret;
}

static void report(size_t n)
{
	struct stats stats[NR_DRIVERS];
	double ci95[2];
	int phase, d;

	for (phase = 0; phase < NR_PHASES; phase++) {
		for (d = 0; d < NR_DRIVERS; d++) {
			stats_bootstrap(sample[d][phase], 1, options.samples, options.seed, ci95);
			stats_compute(sample[d][phase], options.samples, &stats[d]);
			memcpy(stats[d].ci95, ci95, sizeof(ci95));
			if (results)
				results_add_open(results, driver_name[d], n, phase_name[phase],
						 &stats[d]);
		}
		printf("  %-7s %12.0f ns %12.0f ns  %6.2f\n", phase_name[phase],
		       stats[0].median, stats[1].median, stats[1].median / stats[0].median);
	}
}

/* A B, then B A: neither driver always comes after the other. */
static int measure(size_t n, struct error *err)
{
	size_t round;

	printf("%zu device%s, for each: %s, %s, ratio; %zu rounds\n", n, n == 1 ? "" : "s",
	       DRIVER_PLAIN, DRIVER_SUBPAGE, options.samples);
	for (round = 0; round < options.samples; round++) {
		unsigned int first = round % 2;

		if (ended)
			return error_set(err, "ended before its end");
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "\r  round %zu of %zu \r", round + 1, options.samples);
		if (live(n, first, round, err) || live(n, 1 - first, round, err))
			return -1;
	}
	report(n);
	fflush(stdout);
	return 0;
}

static int allocate(struct error *err)
{
	int d, phase;

	for (d = 0; d < NR_DRIVERS; d++) {
		for (phase = 0; phase < NR_PHASES; phase++) {
			sample[d][phase] = calloc(options.samples, sizeof(double));
			if (!sample[d][phase])
				return error_set(err, "no memory for %zu samples",
						 options.samples);
		}
	}
	return 0;
}

/* The first life moves the BARs; what is measured is what it costs from then on. */
static int run(struct error *err)
{
	size_t i;

	if (unbind_all(options.nr_bdf, err))
		return -1;
	for (i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		if (counts[i] <= options.nr_bdf && measure(counts[i], err))
			return -1;
	return results ? results_save(results, options.results, err) : 0;
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

	if (profile_set_load(options.profiles, &profiles, err) || allocate(err))
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
	if (prepare(&err) || run(&err)) {
		fprintf(stderr, PROGRAM ": %s\n", err.text);
		return EXIT_FAIL;
	}
	return EXIT_PASS;
}
