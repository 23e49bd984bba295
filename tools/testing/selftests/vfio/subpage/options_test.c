// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stdarg.h>
#include <string.h>

#include "device/vfio_backend.h"
#include "measure/measure.h"
#include "options.h"

static int parse_options(struct options *options, struct error *err, const char *env, ...)
{
	char *argv[16] = { "x" };
	int argc = 1;
	va_list args;
	char *arg;

	va_start(args, env);
	for (arg = va_arg(args, char *); arg; arg = va_arg(args, char *))
		argv[argc++] = strdup(arg);
	va_end(args);
	return options_parse(OPTIONS_TEST, argc, argv, env, options, err);
}

TEST(options_good)
{
	struct options options;
	struct error err;

	ASSERT_EQ(0, parse_options(&options, &err, "0000:09:00.0", "--accel", "kvm",
				   "--platform=mine", "01:00.0", "--register",
				   "2:00.1 bar=1 offset=4 width=2 access=ro", "0000:01:00.0", NULL))
		TH_LOG("%s", err.text);
	EXPECT_STREQ("kvm", options.accel);
	EXPECT_STREQ("mine", options.platform);
	ASSERT_EQ(1, options.nr_bdf);
	EXPECT_STREQ("0000:01:00.0", options.bdf[0]);
	EXPECT_EQ(1, options.harness_argc);
	ASSERT_EQ(1, options.nr_reg);
	EXPECT_STREQ("0000:02:00.1", options.reg[0].bdf);
	EXPECT_EQ(4, options.reg[0].reg.offset);
	EXPECT_FALSE(options.list_only);
}

/* Short ones, those too that only a newer harness knows. */
TEST(options_of_the_harness)
{
	static const char * const words[] = { "x", "-tmmap", "-vx", "-d", "-r" };
	struct options options;
	struct error err;
	size_t i;

	ASSERT_EQ(0, parse_options(&options, &err, NULL, "-t", "mmap", "01:00.0", "-vx", "-dr",
				   NULL))
		TH_LOG("%s", err.text);
	EXPECT_EQ(1, options.nr_bdf);
	ASSERT_EQ(ARRAY_SIZE(words), options.harness_argc);
	for (i = 0; i < ARRAY_SIZE(words); i++)
		EXPECT_STREQ(words[i], options.harness_argv[i]);
	EXPECT_EQ(NULL, options.harness_argv[i]);
	EXPECT_FALSE(options.list_only);
	/* The harness parses anew, and complains itself. */
	EXPECT_EQ(0, optind);
	EXPECT_EQ(1, opterr);

	ASSERT_EQ(0, parse_options(&options, &err, NULL, "-h", NULL));
	EXPECT_TRUE(options.list_only);
}

TEST(options_environment)
{
	struct options options;
	struct error err;

	ASSERT_EQ(0, parse_options(&options, &err, " 01:00.0 0000:02:00.0\n", "-l", NULL));
	ASSERT_EQ(2, options.nr_bdf);
	EXPECT_STREQ("0000:02:00.0", options.bdf[1]);
	EXPECT_TRUE(options.list_only);
}

static bool test_refuses(const char *option, const char *value)
{
	struct options options;
	struct error err;

	return parse_options(&options, &err, NULL, option, value, NULL);
}

TEST(options_rejected)
{
	struct options options;
	struct error err;

	EXPECT_TRUE(test_refuses("--colour", "red"));
	EXPECT_TRUE(test_refuses("--samples", "7"));
	EXPECT_TRUE(test_refuses("--results", NULL));
	EXPECT_TRUE(test_refuses("--help=me", NULL));
	EXPECT_TRUE(test_refuses("eth0", NULL));
	EXPECT_TRUE(test_refuses("--register", "01:00.0 bar=9"));
	EXPECT_TRUE(test_refuses("--register", "bar=0"));
	EXPECT_FALSE(test_refuses("--help", NULL));
	EXPECT_EQ(-1, parse_options(&options, &err, "nonsense", NULL));
}

/* Each program's help lists what it takes, and nothing else. */
TEST(options_in_help)
{
	static const struct {
		const char *option;
		unsigned int programs;
	} some[] = {
		{ "--results FILE", OPTIONS_TEST | OPTIONS_PERF | OPTIONS_OPEN },
		{ "--samples N", OPTIONS_PERF | OPTIONS_OPEN },
		{ "--batch N", OPTIONS_PERF },
		{ "--compare", OPTIONS_PERF },
	};
	unsigned int program;
	size_t i;

	for (program = OPTIONS_TEST; program <= OPTIONS_OPEN; program <<= 1)
		for (i = 0; i < ARRAY_SIZE(some); i++)
			EXPECT_EQ(some[i].programs & program ? 1 : 0,
				  strstr(options_help(program), some[i].option) ? 1 : 0);
}

TEST(options_backend)
{
	struct options options;
	struct error err;
	size_t i;

	ASSERT_EQ(0, parse_options(&options, &err, NULL, NULL));
	EXPECT_EQ(NULL, options.backend);
	for (i = 0; i < VFIO_NR_BACKENDS; i++) {
		ASSERT_EQ(0, parse_options(&options, &err, NULL, "--backend",
					   vfio_backends[i]->name, NULL));
		EXPECT_EQ(vfio_backends[i], options.backend);
		EXPECT_NE(NULL, strstr(options_help(OPTIONS_TEST), vfio_backends[i]->name));
	}

	EXPECT_EQ(-1, parse_options(&options, &err, NULL, "--backend", "cdevs", NULL));
	EXPECT_NE(NULL, strstr(err.text, "--backend"));
	EXPECT_NE(NULL, strstr(err.text, "cdevs"));
	for (i = 0; i < VFIO_NR_BACKENDS; i++)
		EXPECT_NE(NULL, strstr(err.text, vfio_backends[i]->name));
}

static int parse_perf(struct options *options, struct error *err, char *first, char *second)
{
	char *argv[3] = { "perf", first, second };

	return options_parse(OPTIONS_PERF, second ? 3 : 2, argv, NULL, options, err);
}

TEST(perf_options)
{
	char *argv[10] = { "perf", "--paths", "mmap,file", "--seed=0x12", "--remote-node",
			   "--delay", "5", "--blocks", "3", "01:00.0" };
	struct options options;
	struct error err = { "" };

	ASSERT_EQ(0, options_parse(OPTIONS_PERF, ARRAY_SIZE(argv), argv, NULL, &options, &err))
		TH_LOG("%s", err.text);
	EXPECT_STREQ("mmap,file", options.paths);
	EXPECT_EQ(0x12, options.seed);
	EXPECT_TRUE(options.remote_node);
	EXPECT_EQ(5, options.delay_ns);
	EXPECT_EQ(3, options.blocks);
	EXPECT_EQ(0, options.batch);
	EXPECT_EQ(1, options.nr_bdf);
	EXPECT_FALSE(options.compare);
	EXPECT_EQ(0, options.rounds);
}

TEST(perf_compare)
{
	struct options options;
	struct error err;

	ASSERT_EQ(0, parse_perf(&options, &err, "--compare", NULL));
	EXPECT_TRUE(options.compare);
	EXPECT_LT(0, options.rounds);
	ASSERT_EQ(0, parse_perf(&options, &err, "--rounds=7", "--compare"));
	EXPECT_EQ(7, options.rounds);
	EXPECT_EQ(-1, parse_perf(&options, &err, "--rounds=7", NULL));
}

static bool perf_refuses(char *option)
{
	struct options options;
	struct error err;

	return parse_perf(&options, &err, option, NULL);
}

TEST(perf_options_refused)
{
	char batch[32];

	snprintf(batch, sizeof(batch), "--batch=%d", MEASURE_MAX_BATCH);
	EXPECT_FALSE(perf_refuses(batch));
	snprintf(batch, sizeof(batch), "--batch=%d", MEASURE_MAX_BATCH + 1);
	EXPECT_TRUE(perf_refuses(batch));
	EXPECT_TRUE(perf_refuses("-l"));
	EXPECT_TRUE(perf_refuses("--seed=x"));
	EXPECT_TRUE(perf_refuses("--blocks=0"));
	EXPECT_TRUE(perf_refuses("--blocks=ten"));
	EXPECT_TRUE(perf_refuses("--blocks=-1"));
	EXPECT_TRUE(perf_refuses("--nonsense=1"));
	EXPECT_FALSE(perf_refuses("--blocks=1"));
}
