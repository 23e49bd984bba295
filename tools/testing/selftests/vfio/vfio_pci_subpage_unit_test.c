// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of what the suite computes. They need no device and no privilege.
 */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <json-c/json.h>

#include "kselftest_harness.h"

#include "device/sysfs.h"
#include "device/vfio_device.h"
#include "measure/cycles.h"
#include "measure/machine.h"
#include "measure/measure.h"
#include "measure/random.h"
#include "measure/stats.h"
#include "registers/profile.h"
#include "results/records.h"

#define PAGE	4096ULL
#define BDF	"0000:02:01.0"

static FILE *text_file(const char *text)
{
	FILE *file = fmemopen(NULL, strlen(text) + 1, "w+");

	if (!file) {
		perror("fmemopen");
		exit(KSFT_FAIL);
	}
	fputs(text, file);
	rewind(file);
	return file;
}

/* The harness wants all tests in one object. Those of a folder are beside what they test. */
#include "device/device_test.c"
#include "expect/expect_test.c"
#include "options_test.c"
#include "registers/registers_test.c"
#include "survey/survey_test.c"

/* Statistics. */

TEST(stats_odd)
{
	double sample[] = { 5, 1, 4, 2, 3 };
	struct stats stats;

	stats_compute(sample, 5, &stats);
	EXPECT_EQ(3, stats.median);
	EXPECT_EQ(1, stats.min);
	EXPECT_EQ(5, stats.p99);
	EXPECT_EQ(1, stats.ci95[0]);
	EXPECT_EQ(5, stats.ci95[1]);
	EXPECT_EQ(5, stats.samples);
}

TEST(stats_even)
{
	double sample[] = { 10, 40, 20, 30 };
	struct stats stats;

	stats_compute(sample, 4, &stats);
	EXPECT_EQ(25, stats.median);
	EXPECT_EQ(10, stats.min);
}

/*
 * Sixty lognormal numbers; median by Python's statistics.median(), ranks of the
 * interval from the exact binomial distribution: the 22nd and the 39th.
 */
TEST(stats_independent)
{
	double sample[] = {
		38.89, 57.12, 40.45, 83.15, 43.84, 74.93, 49.38, 74.42, 32.96, 32.46,
		38.10, 44.86, 69.19, 60.74, 32.16, 59.91, 33.31, 57.43, 99.74, 49.88,
		61.27, 66.51, 61.18, 58.32, 38.04, 49.78, 62.82, 47.63, 61.53, 40.75,
		65.45, 41.56, 41.87, 50.72, 44.65, 43.39, 96.02, 53.17, 35.23, 39.67,
		73.63, 49.43, 60.39, 39.31, 53.44, 57.44, 66.32, 113.01, 62.47, 27.43,
		60.49, 61.85, 49.37, 74.73, 74.12, 28.96, 72.29, 66.67, 79.87, 42.16,
	};
	struct stats stats;

	stats_compute(sample, ARRAY_SIZE(sample), &stats);
	EXPECT_EQ(55.28, stats.median);
	EXPECT_EQ(27.43, stats.min);
	EXPECT_EQ(113.01, stats.p99);
	EXPECT_EQ(47.63, stats.ci95[0]);
	EXPECT_EQ(61.18, stats.ci95[1]);
}

/*
 * For 1 to 100: ranks 50 - 9.8 = 40.2 and 50 + 9.8 + 1 = 60.8, which are
 * rounded outwards to 40 and 61.
 */
TEST(stats_hundred)
{
	double sample[100];
	struct stats stats;
	int i;

	for (i = 0; i < 100; i++)
		sample[i] = (i * 37) % 100 + 1;
	stats_compute(sample, 100, &stats);
	EXPECT_EQ(50.5, stats.median);
	EXPECT_EQ(99, stats.p99);
	EXPECT_EQ(40, stats.ci95[0]);
	EXPECT_EQ(61, stats.ci95[1]);
}

TEST(stats_one_and_none)
{
	double sample[] = { 7 };
	struct stats stats;

	stats_compute(sample, 1, &stats);
	EXPECT_EQ(7, stats.median);
	EXPECT_EQ(7, stats.p99);
	EXPECT_EQ(7, stats.ci95[0]);
	EXPECT_EQ(7, stats.ci95[1]);

	stats_compute(sample, 0, &stats);
	EXPECT_EQ(0, stats.samples);
	EXPECT_EQ(0, stats.median);
}

/* Results. */

/* A file of records, and the one that was read last. */
struct reader {
	FILE *file;
	struct json_object *record;
};

FIXTURE(records)
{
	char path[64];
	char *argv[3];
	struct error err;
	struct reader reader;
};

FIXTURE_SETUP(records)
{
	int fd;

	memset(self, 0, sizeof(*self));
	snprintf(self->path, sizeof(self->path), "/tmp/records.XXXXXX");
	fd = mkstemp(self->path);
	ASSERT_LE(0, fd);
	close(fd);
	self->argv[0] = "/suite/program";
	self->argv[1] = "--option";
	ASSERT_EQ(0, records_open(self->path, self->argv, "p", "none", &self->err))
		TH_LOG("%s", self->err.text);
	self->reader.file = fopen(self->path, "r");
	ASSERT_NE(NULL, self->reader.file);
}

FIXTURE_TEARDOWN(records)
{
	json_object_put(self->reader.record);
	fclose(self->reader.file);
	unlink(self->path);
}

static const char *value(const struct reader *reader, const char *key)
{
	return json_object_get_string(json_object_object_get(reader->record, key));
}

/* A member of the next line. */
static const char *next(struct reader *reader, const char *key)
{
	char line[4096];

	json_object_put(reader->record);
	reader->record = fgets(line, sizeof(line), reader->file) ? json_tokener_parse(line) : NULL;
	return value(reader, key);
}

TEST_F(records, run_and_end)
{
	const struct record_totals totals = { .pass = 3, .skip = 1 };

	EXPECT_STREQ("run", next(&self->reader, "type"));
	EXPECT_STREQ("program", value(&self->reader, "program"));
	EXPECT_STREQ("/suite/program --option", value(&self->reader, "command"));
	EXPECT_EQ(20, strlen(value(&self->reader, "time")));
	EXPECT_EQ(0, records_close(&totals, true, &self->err));
	EXPECT_STREQ("end", next(&self->reader, "type"));
	EXPECT_STREQ("true", value(&self->reader, "complete"));
	EXPECT_NE(NULL, strstr(value(&self->reader, "totals"), "\"pass\": 3"));
	EXPECT_EQ(NULL, next(&self->reader, "type"));
}

/* Runs of several programs share a file. */
TEST_F(records, are_added)
{
	EXPECT_EQ(0, records_close(NULL, false, &self->err));
	EXPECT_EQ(0, records_open(self->path, self->argv, "p", "none", &self->err));
	EXPECT_EQ(0, records_close(NULL, true, &self->err));
	EXPECT_STREQ("run", next(&self->reader, "type"));
	EXPECT_STREQ("end", next(&self->reader, "type"));
	EXPECT_EQ(NULL, value(&self->reader, "totals"));
	EXPECT_STREQ("run", next(&self->reader, "type"));
	EXPECT_STREQ("end", next(&self->reader, "type"));
}

TEST_F(records, bar)
{
	struct pci_device dev = {
		.bdf = BDF, .driver = "vfio-pci", .vendor = 0x1b36, .is_prepared = true,
		.bar_size = { 256 }, .res[0] = { 0xfd701000, 0xfd701fff, RES_MEM },
	};
	struct record_bar bar = {
		.dev = &dev, .name = "", .state = "relocated", .mmap = -1, .backend = "",
	};

	record_bar(&bar);
	next(&self->reader, "type");
	EXPECT_STREQ("bar", next(&self->reader, "type"));
	EXPECT_STREQ(BDF, value(&self->reader, "bdf"));
	EXPECT_STREQ("0x1b36", value(&self->reader, "vendor"));
	EXPECT_STREQ("true", value(&self->reader, "module"));
	EXPECT_STREQ("256", value(&self->reader, "size"));
	EXPECT_STREQ("4096", value(&self->reader, "shown_size"));
	EXPECT_STREQ("0xfd701000", value(&self->reader, "start"));
	EXPECT_EQ(NULL, value(&self->reader, "name"));
	EXPECT_EQ(NULL, value(&self->reader, "mmap"));
}

TEST_F(records, timing_and_skip)
{
	struct record_timing timing = {
		.at = {
			.bdf = BDF, .driver = "vfio-pci", .path = "mmap", .op = "read",
			.reg = { .bar = 1, .offset = 8, .width = 4 },
		},
		.stats = { .median = 99.123, .ci95 = { NAN, NAN }, .samples = 9 },
		.cpu = -1,
	};

	record_timing(&timing);
	next(&self->reader, "type");
	EXPECT_STREQ("timing", next(&self->reader, "type"));
	EXPECT_STREQ("8", value(&self->reader, "offset"));
	EXPECT_STREQ("99.12", value(&self->reader, "median_ns"));
	EXPECT_EQ(NULL, value(&self->reader, "ci95_ns"));
	EXPECT_EQ(NULL, value(&self->reader, "cpu"));

	/* The whole BAR. */
	timing.at.reg.width = 0;
	timing.at.path = "";
	record_skip(&timing.at, true, "no register");
	EXPECT_STREQ("skip", next(&self->reader, "type"));
	EXPECT_STREQ("1", value(&self->reader, "bar"));
	EXPECT_EQ(NULL, value(&self->reader, "offset"));
	EXPECT_EQ(NULL, value(&self->reader, "path"));
	EXPECT_STREQ("missing", value(&self->reader, "kind"));
}

TEST_F(records, machine)
{
	struct machine machine = { .smt = -1, .steal_percent = -1 };

	machine_warn(&machine, "it is loud");
	record_machine(&machine);
	next(&self->reader, "type");
	EXPECT_STREQ("machine", next(&self->reader, "type"));
	EXPECT_EQ(NULL, value(&self->reader, "smt"));
	EXPECT_EQ(NULL, value(&self->reader, "steal_percent"));
	EXPECT_NE(NULL, strstr(value(&self->reader, "warnings"), "it is loud"));
}

TEST(records_nowhere)
{
	char *argv[2] = { "program", NULL };
	struct error err;

	EXPECT_EQ(-1, records_open("/nowhere/records", argv, "p", "none", &err));
	EXPECT_NE(NULL, strstr(err.text, "/nowhere/records: cannot write the results"));
	/* Without a file nothing is written, and nothing complains. */
	EXPECT_EQ(0, records_open(NULL, argv, "p", "none", &err));
	record_neighbour(true, 1, 2, "x");
	EXPECT_EQ(0, records_close(NULL, true, &err));
}

/* A disk that is full is found at the end. */
TEST(records_full)
{
	char *argv[2] = { "program", NULL };
	struct error err;

	ASSERT_EQ(0, records_open("/dev/full", argv, "p", "none", &err));
	EXPECT_EQ(-1, records_close(NULL, true, &err));
	EXPECT_NE(NULL, strstr(err.text, strerror(ENOSPC)));
}

/* The performance core. */

/* First numbers of SplitMix64 for the seed 0, as its authors' program prints them. */
TEST(random_reference)
{
	struct random random = { .state = 0 };

	EXPECT_EQ(0xe220a8397b1dcdafULL, random_next(&random));
	EXPECT_EQ(0x6e789e6aa1b965f4ULL, random_next(&random));
	EXPECT_EQ(0x06c45d188009454fULL, random_next(&random));
}

TEST(random_shuffles_all)
{
	struct random random = { .state = 1 };
	size_t first[4] = { 0 }, index[4], i, round;

	for (round = 0; round < 4000; round++) {
		for (i = 0; i < 4; i++)
			index[i] = i;
		random_shuffle(&random, index, 4);
		EXPECT_EQ(6, index[0] + index[1] + index[2] + index[3]);
		first[index[0]]++;
	}
	/* Six standard deviations around 1000. */
	for (i = 0; i < 4; i++) {
		EXPECT_LT(836, first[i]);
		EXPECT_GT(1164, first[i]);
	}
}

/* Blocks of 0 and 2: whole ones have the median 1, whichever are drawn. */
TEST(bootstrap_draws_blocks)
{
	double sample[20], ci95[2];
	int i;

	for (i = 0; i < 20; i++)
		sample[i] = i % 2 * 2;
	ASSERT_EQ(0, stats_bootstrap(sample, 2, 10, 7, ci95));
	EXPECT_EQ(1, ci95[0]);
	EXPECT_EQ(1, ci95[1]);

	/* Half of them all 0, half all 2. */
	for (i = 0; i < 20; i++)
		sample[i] = i < 10 ? 0 : 2;
	ASSERT_EQ(0, stats_bootstrap(sample, 2, 10, 7, ci95));
	EXPECT_EQ(0, ci95[0]);
	EXPECT_EQ(2, ci95[1]);
}

TEST(bootstrap_of_few_blocks)
{
	double sample[90] = { 0 }, ci95[2];

	ASSERT_EQ(0, stats_bootstrap(sample, 10, 9, 7, ci95));
	EXPECT_TRUE(isnan(ci95[0]));
	EXPECT_TRUE(isnan(ci95[1]));
	ASSERT_EQ(0, stats_bootstrap(sample, 9, 10, 7, ci95));
	EXPECT_EQ(0, ci95[0]);
}

/* A sum of twelve uniform numbers is close to normal; its median is 6. */
static double noise(struct random *random)
{
	double sum = 0;
	int i;

	for (i = 0; i < 12; i++)
		sum += (random_next(random) >> 11) / 9007199254740992.0;
	return sum;
}

/* Blocks that differ more than their samples do, as on a machine whose pace drifts. */
static void draw(struct random *random, double *sample, size_t per_block, size_t blocks)
{
	size_t b, i;

	for (b = 0; b < blocks; b++) {
		double drift = noise(random) - 6;

		for (i = 0; i < per_block; i++)
			sample[b * per_block + i] = 100 + drift + (noise(random) - 6) / 2;
	}
}

static int covered(size_t per_block, size_t blocks, int trials)
{
	struct random random = { .state = 3 };
	double sample[200], ci95[2];
	int n = 0, i;

	for (i = 0; i < trials; i++) {
		draw(&random, sample, per_block, blocks);
		stats_bootstrap(sample, per_block, blocks, i, ci95);
		n += ci95[0] <= 100 && 100 <= ci95[1];
	}
	return n;
}

/* 95 %, and three standard deviations. */
TEST(bootstrap_covers_the_median)
{
	int usual = covered(10, 20, 200), fewest = covered(1, 10, 1000);

	EXPECT_LE(181, usual);
	EXPECT_GT(200, usual);
	EXPECT_LE(929, fewest);
	EXPECT_GE(990, fewest);
	TH_LOG("covered: %d of 200, %d of 1000", usual, fewest);
}

TEST(outliers)
{
	double sample[] = { 10, 11, 12, 13, 14, 15, 16, 17, 29, 31 };

	/* Quartiles 12 and 17: beyond -3 and 32. */
	EXPECT_EQ(0, stats_outliers(sample, 10));
	sample[9] = 33;
	EXPECT_EQ(1, stats_outliers(sample, 10));
	sample[0] = -4;
	EXPECT_EQ(2, stats_outliers(sample, 10));
	EXPECT_EQ(0, stats_outliers(sample, 0));
}

/* A path that takes as long as it says, by another clock than the one that measures. */
struct fake_path {
	double ns;
	u64 runs;
	u64 fail_at;
};

static int fake_run(const struct path *path, u64 n, bool access, struct path_done *done,
		    struct error *err)
{
	struct fake_path *fake = path->priv;
	double until;
	u64 start;

	if (++fake->runs == fake->fail_at)
		return error_set(err, "it broke");

	start = cycles_start();
	/* Half a microsecond for the loop itself. */
	until = clock_raw_ns() + n * (access ? fake->ns : 0) + 500;
	while (clock_raw_ns() < until)
		;
	done->ticks = cycles_end() - start;
	return 0;
}

static const struct path_ops fake_ops = { .name = "fake", .run = fake_run };

FIXTURE(measure)
{
	struct near near;
	struct measure_plan plan;
	struct fake_path fake[2];
	struct measurement m[2];
	struct measured_path measured[2];
};

FIXTURE_SETUP(measure)
{
	struct error err = { "" };
	int i;

	near_enter(-1, &self->near);
	self->plan = (struct measure_plan) { .samples = 60, .blocks = 10, .seed = 1 };
	ASSERT_EQ(0, cycles_calibrate(&self->plan.cycles, &err))
		TH_LOG("%s", err.text);
	for (i = 0; i < 2; i++) {
		self->fake[i].ns = 2000;
		self->measured[i].path = (struct path) { .ops = &fake_ops, .priv = &self->fake[i] };
		self->measured[i].m = &self->m[i];
	}
}

FIXTURE_TEARDOWN(measure)
{
}

/* In two calls, as a rebind lies in between. */
static int measure(struct measured_path *measured, const struct measure_plan *plan,
		   struct error *err)
{
	size_t half = plan->blocks / 2;
	struct near near;
	int i;

	near_enter(-1, &near);
	for (i = 0; i < 2; i++)
		if (measure_begin(measured[i].m, plan, &near, err))
			return -1;
	measure_blocks(measured, 2, plan, 0, half, NULL);
	measure_blocks(measured, 2, plan, half, plan->blocks, NULL);
	for (i = 0; i < 2; i++)
		measure_end(measured[i].m, plan);
	return 0;
}

TEST_F(measure, finds_a_delay)
{
	struct error err = { "" };

	self->fake[1].ns = 2500;
	ASSERT_EQ(0, measure(self->measured, &self->plan, &err))
		TH_LOG("%s", err.text);
	EXPECT_LT(2000 * 0.95, self->m[0].stats.median);
	EXPECT_GT(2000 * 1.05, self->m[0].stats.median);
	EXPECT_LT(2500 * 0.95, self->m[1].stats.median);
	EXPECT_GT(2500 * 1.05, self->m[1].stats.median);
	EXPECT_EQ(60, self->m[0].stats.samples);
	EXPECT_LE(self->m[0].stats.ci95[0], self->m[0].stats.median);
	EXPECT_GE(self->m[0].stats.ci95[1], self->m[0].stats.median);
}

/* The loop is measured on its own and subtracted: half a microsecond for a batch. */
TEST_F(measure, subtracts_the_loop)
{
	struct error err;

	self->plan.batch = 2;
	ASSERT_EQ(0, measure(self->measured, &self->plan, &err));
	EXPECT_EQ(2, self->m[0].batch);
	EXPECT_LT(200, self->m[0].loop_ns);
	EXPECT_GT(500, self->m[0].loop_ns);
	EXPECT_LT(2000 * 0.95, self->m[0].stats.median);
	EXPECT_GT(2000 * 1.05, self->m[0].stats.median);
}

/* What --delay adds is found in the result. */
TEST_F(measure, delay_is_added)
{
	struct error err;

	self->plan.delay_ns = 1000;
	ASSERT_EQ(0, measure(self->measured, &self->plan, &err));
	EXPECT_LT(3000 * 0.95, self->m[0].stats.median);
	EXPECT_GT(3000 * 1.05, self->m[0].stats.median);
}

TEST_F(measure, batch_is_long_enough)
{
	struct error err;

	self->plan.cycles.resolution = self->plan.cycles.hz / 1e6;
	ASSERT_EQ(0, measure(self->measured, &self->plan, &err));
	/* A clock of 1 us needs 100 us: 64 times 2 us. */
	EXPECT_LE(50, self->m[0].batch);
	EXPECT_GE(128, self->m[0].batch);
}

/* Who came first in how many rounds: the runs of both paths, in their order. */
static const struct path *last_run;
static unsigned int turns;

static int noted_run(const struct path *path, u64 n, bool access, struct path_done *done,
		     struct error *err)
{
	turns += path != last_run;
	last_run = path;
	done->ticks = access ? 1000 : 0;
	return 0;
}

static const struct path_ops noted_ops = { .name = "noted", .run = noted_run };

/*
 * In 64 rounds of two paths the path changes 64 times within a round, and between
 * rounds as often as both come in the same order: about half of 63 times. A fixed
 * order has 127 changes; one path after the other has one.
 */
TEST_F(measure, takes_turns_in_random_order)
{
	struct error err;

	self->plan.samples = 128;
	self->plan.blocks = 64;
	self->plan.batch = 1;
	self->measured[0].path.ops = &noted_ops;
	self->measured[1].path.ops = &noted_ops;
	ASSERT_EQ(0, measure(self->measured, &self->plan, &err));
	EXPECT_LT(75, turns);
	EXPECT_GT(117, turns);
}

TEST_F(measure, failing_path)
{
	struct error err;

	self->fake[1].fail_at = 30;
	EXPECT_EQ(0, measure(self->measured, &self->plan, &err));
	EXPECT_STREQ("it broke", self->m[1].failure.text);
	EXPECT_EQ(30, self->fake[1].runs);
	/* The other one goes on. */
	EXPECT_STREQ("", self->m[0].failure.text);
	EXPECT_EQ(60, self->m[0].stats.samples);
	EXPECT_LT(2000 * 0.95, self->m[0].stats.median);
}

static bool stop_in_third(size_t block, size_t blocks)
{
	return block < 2;
}

TEST_F(measure, is_ended)
{
	struct error err;

	ASSERT_EQ(0, measure_begin(&self->m[0], &self->plan, &self->near, &err));
	EXPECT_FALSE(measure_blocks(self->measured, 1, &self->plan, 0, 10, stop_in_third));
	EXPECT_TRUE(measure_blocks(self->measured, 1, &self->plan, 0, 2, stop_in_third));
}

/* A file for a device, and a path that may go wrong. */
FIXTURE(path)
{
	struct vfio_device device;
	struct path_target target;
	struct path path;
	struct error err;
};

/* What the path below does to each value. */
static u64 twist;

static int twisted_run(const struct path *path, u64 n, bool access, struct path_done *done,
		       struct error *err)
{
	const struct path_target *target = path->target;

	if (target->op != PATH_READ)
		vfio_register_write(target->device, &target->reg, target->value ^ twist);
	vfio_register_read(target->device, &target->reg, &done->last);
	done->last ^= target->op == PATH_READ ? twist : 0;
	return 0;
}

static const struct path_ops twisted_ops = { .name = "twisted", .run = twisted_run };

FIXTURE_SETUP(path)
{
	memset(self, 0, sizeof(*self));
	self->device.fd = memfd_create("device", 0);
	ASSERT_LE(0, self->device.fd);
	ASSERT_EQ(0, ftruncate(self->device.fd, 16));
	self->target.device = &self->device;
	self->target.reg = (struct safe_register) {
		.offset = 4, .width = 4, .readback = READBACK_SAME,
	};
	self->target.value = 0x12345678;
	self->path = (struct path) { .ops = &twisted_ops, .target = &self->target };
}

FIXTURE_TEARDOWN(path)
{
	close(self->device.fd);
}

TEST_F(path, is_checked)
{
	enum path_op op;

	for (op = 0; op < PATH_NR_OPS; op++) {
		self->target.op = op;
		twist = 0;
		EXPECT_EQ(0, path_check(&self->path, &self->err))
			TH_LOG("%s", self->err.text);
		twist = 0x100;
		EXPECT_EQ(-1, path_check(&self->path, &self->err));
	}
	EXPECT_STREQ("it wrote 0x12345778 instead of 0x12345678", self->err.text);
}

TEST_HARNESS_MAIN
