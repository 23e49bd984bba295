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
#include "expect/address.h"
#include "expect/exclusive.h"
#include "expect/expect.h"
#include "expect/iomem.h"
#include "kunit.h"
#include "measure/cycles.h"
#include "measure/machine.h"
#include "measure/measure.h"
#include "measure/random.h"
#include "measure/stats.h"
#include "registers/profile.h"
#include "results/results.h"

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
#include "options_test.c"
#include "registers/registers_test.c"

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

TEST(bar_register)
{
	u8 config[64] = {
		[0x10] = 0x00, 0x01, 0x24, 0xfe,	/* 32 bits */
		[0x14] = 0x0c, 0x00, 0x00, 0xfd,	/* 64 bits, prefetchable */
		[0x18] = 0x80, 0x03, 0x00, 0x00,
	};

	EXPECT_EQ(0xfe240100, address_parse(config, 0));
	EXPECT_EQ(0x380fd000000, address_parse(config, 1));
}

/* /proc/iomem. */

static const char nested[] =
	"00000000-00000fff : Reserved\n"
	"fd000000-febfffff : PCI Bus 0000:00\n"
	"  fe200000-fe5fffff : PCI Bus 0000:01\n"
	"    fe200000-fe3fffff : PCI Bus 0000:02\n"
	"      fe240000-fe240fff : around\n"
	"        fe240000-fe2400ff : 0000:02:01.0\n"
	"          fe240000-fe2400ff : vfio-pci\n"
	/* Deeper than this the kernel does not indent. */
	"          fe240040-fe24004f : inner\n"
	"      fe241000-fe2410ff : 0000:02:02.0\n"
	"fec00000-fec003ff : IOAPIC 0\n";

TEST(iomem_nested)
{
	FILE *file = text_file(nested);
	struct iomem map;
	struct error err;
	int bar;

	ASSERT_EQ(0, iomem_parse(file, &map, &err))
		TH_LOG("%s", err.text);
	ASSERT_EQ(10, map.nr);
	bar = iomem_find(&map, BDF, 0xfe240000, 0xfe2400ff);
	ASSERT_EQ(5, bar);
	EXPECT_STREQ("around", map.entry[map.entry[bar].parent].name);
	EXPECT_EQ(5, map.entry[6].parent);
	EXPECT_EQ(6, map.entry[7].parent);
	EXPECT_EQ(3, map.entry[8].parent);
	EXPECT_EQ(IOMEM_ROOT, map.entry[9].parent);
	EXPECT_TRUE(iomem_contains(&map, 1, bar));
	EXPECT_TRUE(iomem_contains(&map, bar, bar));
	EXPECT_FALSE(iomem_contains(&map, bar, 1));
	EXPECT_FALSE(iomem_contains(&map, 8, bar));
	EXPECT_EQ(-1, iomem_find(&map, BDF, 0xfe240000, 0xfe2401ff));

	iomem_free(&map);
	fclose(file);
}

TEST(iomem_hidden)
{
	FILE *file = text_file("00000000-00000000 : Reserved\n"
			       "00000000-00000000 : System RAM\n");
	struct iomem map;
	struct error err;

	EXPECT_EQ(-1, iomem_parse(file, &map, &err));
	EXPECT_NE(NULL, strstr(err.text, "root"));
	EXPECT_NE(NULL, strstr(err.text, "CAP_SYS_ADMIN"));
	fclose(file);
}

TEST(iomem_malformed)
{
	FILE *file = text_file("00000000-00000fff : Reserved\nrubbish\n");
	struct iomem map;
	struct error err;

	EXPECT_EQ(-1, iomem_parse(file, &map, &err));
	EXPECT_NE(NULL, strstr(err.text, "/proc/iomem:2:"));
	fclose(file);
}

TEST(iomem_space)
{
	FILE *file = text_file("1000-4fff : window\n"
			       "  1100-11ff : a\n"
			       "  2000-2fff : b\n"
			       "  4ff0-4fff : c\n");
	struct iomem map;
	struct error err;
	u64 page;

	ASSERT_EQ(0, iomem_parse(file, &map, &err));
	EXPECT_TRUE(iomem_range_free(&map, 0, 0x1200, 0x1fff));
	EXPECT_FALSE(iomem_range_free(&map, 0, 0x1200, 0x2000));
	EXPECT_FALSE(iomem_range_free(&map, 0, 0x11ff, 0x1fff));
	EXPECT_FALSE(iomem_range_free(&map, 0, 0x0fff, 0x10ff));
	EXPECT_FALSE(iomem_range_free(&map, 0, 0x4ff0, 0x5000));

	ASSERT_TRUE(iomem_free_page(&map, 0, PAGE, U64_MAX, &page));
	EXPECT_EQ(0x3000, page);
	EXPECT_FALSE(iomem_free_page(&map, 0, PAGE, 0x3ffe, &page));
	EXPECT_TRUE(iomem_free_page(&map, 0, PAGE, 0x3fff, &page));
	EXPECT_FALSE(iomem_free_page(&map, 0, 0x10000, U64_MAX, &page));

	iomem_free(&map);
	fclose(file);
}

/* Expectations: one BAR in a window of four pages, and perhaps a neighbour. */

FIXTURE(expect)
{
	struct iomem map;
	struct bar_facts bar;
};

FIXTURE_SETUP(expect)
{
	self->bar = (struct bar_facts) {
		.bdf = BDF,
		.start = 0x10000,
		.size = 0x100,
		.device_size = 0x100,
		.stated_size = 0x100,
		.flags = RES_MEM,
		.page_size = PAGE,
	};
}

FIXTURE_TEARDOWN(expect)
{
	iomem_free(&self->map);
}

/* The tree is made anew for each question. */
static void place(struct _test_data_expect *self, u64 start, u64 size,
		  const char *neighbours)
{
	struct error err;
	char text[1024];
	FILE *file;

	self->bar.start = start;
	self->bar.size = size;
	snprintf(text, sizeof(text), "10000-13fff : window\n%llx-%llx : " BDF "\n%s",
		 start, start + size - 1, neighbours);
	iomem_free(&self->map);
	file = text_file(text);
	if (iomem_parse(file, &self->map, &err)) {
		fprintf(stderr, "%s\n", err.text);
		exit(KSFT_FAIL);
	}
	fclose(file);
}

static bool mapped_at(struct _test_data_expect *self, u64 start, u64 size,
		      const char *neighbours)
{
	place(self, start, size, neighbours);
	return expect_mmap(&self->bar, &self->map);
}

TEST_F(expect, plain_sizes)
{
	EXPECT_TRUE(mapped_at(self, 0x10000, 16, ""));
	EXPECT_TRUE(mapped_at(self, 0x10000, PAGE / 2, ""));
	EXPECT_TRUE(mapped_at(self, 0x10000, PAGE - 1, ""));
	EXPECT_TRUE(mapped_at(self, 0x10000, PAGE, ""));
	EXPECT_TRUE(mapped_at(self, 0x10000, 2 * PAGE, ""));
	self->bar.size = 0;
	EXPECT_FALSE(expect_mmap(&self->bar, &self->map));
}

TEST_F(expect, plain_slots)
{
	EXPECT_TRUE(mapped_at(self, 0x11000, 0x100, ""));
	EXPECT_FALSE(mapped_at(self, 0x11100, 0x100, ""));
	EXPECT_FALSE(mapped_at(self, 0x11f00, 0x100, ""));
	EXPECT_FALSE(mapped_at(self, 0x11ff0, 16, ""));
	EXPECT_TRUE(mapped_at(self, 0x13000, 0x100, ""));
}

TEST_F(expect, plain_neighbours)
{
	EXPECT_FALSE(mapped_at(self, 0x11000, 0x100, "11100-111ff : touching\n"));
	EXPECT_FALSE(mapped_at(self, 0x11000, 0x100, "11ff0-11fff : last\n"));
	EXPECT_FALSE(mapped_at(self, 0x11000, 0x100, "11f00-120ff : across\n"));
	EXPECT_TRUE(mapped_at(self, 0x11000, 0x100, "12000-120ff : next page\n"));
	EXPECT_TRUE(mapped_at(self, 0x11000, 0x100, "11000-110ff : inside\n"));
	EXPECT_TRUE(mapped_at(self, 0x11000, PAGE, "11100-111ff : inside\n"));
}

TEST_F(expect, plain_without_room_in_parent)
{
	FILE *file = text_file("10000-107ff : window\n  10000-100ff : " BDF "\n");
	struct error err;

	ASSERT_EQ(0, iomem_parse(file, &self->map, &err));
	EXPECT_FALSE(expect_mmap(&self->bar, &self->map));
	fclose(file);
}

TEST_F(expect, plain_without_parent)
{
	FILE *file = text_file("10000-100ff : " BDF "\n");
	struct error err;

	ASSERT_EQ(0, iomem_parse(file, &self->map, &err));
	EXPECT_FALSE(expect_mmap(&self->bar, &self->map));
	fclose(file);
}

TEST_F(expect, plain_not_in_tree)
{
	place(self, 0x11000, 0x100, "");
	self->bar.start = 0x12000;
	EXPECT_FALSE(expect_mmap(&self->bar, &self->map));
}

TEST_F(expect, io_never)
{
	self->bar.flags = RES_IO;
	EXPECT_FALSE(mapped_at(self, 0x10000, 0x100, ""));
	EXPECT_FALSE(mapped_at(self, 0x10000, 2 * PAGE, ""));
}

TEST_F(expect, larger_pages)
{
	self->bar.page_size = 0x4000;
	EXPECT_TRUE(mapped_at(self, 0x10000, PAGE, ""));
	EXPECT_FALSE(mapped_at(self, 0x11000, PAGE, ""));
	EXPECT_FALSE(mapped_at(self, 0x10000, PAGE, "13000-130ff : last\n"));
}

/* The module has made it as large as its page, and says so or not. */
TEST_F(expect, page_sized)
{
	EXPECT_TRUE(mapped_at(self, 0x11000, PAGE, ""));
	snprintf(self->bar.state, sizeof(self->bar.state), "no-space");
	EXPECT_TRUE(mapped_at(self, 0x11000, PAGE, ""));
	snprintf(self->bar.state, sizeof(self->bar.state), STATE_RELOCATED);
	EXPECT_FALSE(mapped_at(self, 0x11100, 0x100, ""));
}

static enum verdict judge(struct _test_data_expect *self, const char *state)
{
	struct error why = { "" };
	enum verdict verdict;

	snprintf(self->bar.state, sizeof(self->bar.state), "%s", state);
	verdict = expect_state(&self->bar, &self->map, &why);
	if (!why.text[0])
		exit(KSFT_FAIL);
	return verdict;
}

TEST_F(expect, state_page)
{
	place(self, 0x11000, PAGE, "");
	EXPECT_EQ(VERDICT_CONFIRMED, judge(self, STATE_IN_PLACE));
	EXPECT_EQ(VERDICT_CONFIRMED, judge(self, STATE_RELOCATED));
	EXPECT_EQ(VERDICT_REFUTED, judge(self, "elsewhere"));
	EXPECT_EQ(VERDICT_REFUTED, judge(self, ""));
	/* It is not larger for a BAR that has no page of its own. */
	EXPECT_EQ(VERDICT_REFUTED, judge(self, "no-space"));
	EXPECT_EQ(VERDICT_REFUTED, judge(self, "excluded"));
	/* Made at bind, it may be older than the parameter. */
	self->bar.keep_size = true;
	EXPECT_EQ(VERDICT_CHANGED, judge(self, STATE_IN_PLACE));
	self->bar.stated_size = 0x200;
	EXPECT_EQ(VERDICT_REFUTED, judge(self, STATE_IN_PLACE));
}

TEST_F(expect, state_device_size)
{
	self->bar.keep_size = true;
	place(self, 0x11000, 0x100, "");
	EXPECT_EQ(VERDICT_CONFIRMED, judge(self, STATE_RELOCATED));
	self->bar.keep_size = false;
	EXPECT_EQ(VERDICT_CHANGED, judge(self, STATE_RELOCATED));
}

TEST_F(expect, state_no_page)
{
	place(self, 0x11000, 0x200, "");
	EXPECT_EQ(VERDICT_REFUTED, judge(self, STATE_IN_PLACE));
	self->bar.keep_size = true;
	place(self, 0x11100, 0x100, "");
	EXPECT_EQ(VERDICT_REFUTED, judge(self, STATE_RELOCATED));
	self->bar.start = 0x12000;
	EXPECT_EQ(VERDICT_REFUTED, judge(self, STATE_RELOCATED));
}

TEST_F(expect, state_of_large_bar)
{
	self->bar.device_size = PAGE;
	place(self, 0x11000, PAGE, "");
	EXPECT_EQ(VERDICT_CONFIRMED, judge(self, ""));
	EXPECT_EQ(VERDICT_REFUTED, judge(self, STATE_IN_PLACE));
	EXPECT_EQ(VERDICT_REFUTED, judge(self, "fixed"));
}

TEST_F(expect, reason_words)
{
	place(self, 0x11100, 0x100, "");
	EXPECT_EQ(VERDICT_REFUTED, judge(self, ""));
	EXPECT_EQ(VERDICT_REFUTED, judge(self, "mood"));
	EXPECT_EQ(VERDICT_ACCEPTED, judge(self, "rejected"));
	EXPECT_EQ(VERDICT_ACCEPTED, judge(self, "inaccessible"));
}

/* Made at bind, states may be older than what is seen now. */
TEST_F(expect, reason_page_was_free)
{
	place(self, 0x11000, 0x100, "");
	self->bar.relocate_off = true;
	EXPECT_EQ(VERDICT_CHANGED, judge(self, "excluded"));
	EXPECT_EQ(VERDICT_CHANGED, judge(self, "fixed"));
	EXPECT_EQ(VERDICT_CHANGED, judge(self, "rejected"));
	/* A word that is none was never true. */
	EXPECT_EQ(VERDICT_REFUTED, judge(self, "mood"));
	/* This device is left as it is in any case. */
	self->bar.excluded = true;
	EXPECT_EQ(VERDICT_CONFIRMED, judge(self, "excluded"));
}

TEST_F(expect, reason_fixed)
{
	place(self, 0x11100, 0x100, "");
	EXPECT_EQ(VERDICT_ACCEPTED, judge(self, "fixed"));
	self->bar.flags |= RES_PCI_FIXED;
	EXPECT_EQ(VERDICT_CONFIRMED, judge(self, "fixed"));
}

TEST_F(expect, reason_excluded)
{
	place(self, 0x11100, 0x100, "");
	EXPECT_EQ(VERDICT_CHANGED, judge(self, "excluded"));
	self->bar.relocate_off = true;
	EXPECT_EQ(VERDICT_CONFIRMED, judge(self, "excluded"));
}

TEST_F(expect, reason_unassigned)
{
	place(self, 0x11100, 0x100, "");
	EXPECT_EQ(VERDICT_CHANGED, judge(self, "unassigned"));
	self->bar.start = 0;
	EXPECT_EQ(VERDICT_CONFIRMED, judge(self, "unassigned"));
}

TEST_F(expect, reason_busy)
{
	place(self, 0x11100, 0x100, "12000-120ff : elsewhere\n");
	EXPECT_EQ(VERDICT_CHANGED, judge(self, "busy"));
	place(self, 0x11100, 0x100, "11100-111ff : BOOTFB\n");
	EXPECT_EQ(VERDICT_CONFIRMED, judge(self, "busy"));
	/* In another BAR of the device, and only if this one would have to move. */
	place(self, 0x11100, 0x100, "12000-12fff : " BDF "\n12000-120ff : BOOTFB\n");
	EXPECT_EQ(VERDICT_CONFIRMED, judge(self, "busy"));
	place(self, 0x11000, 0x100, "12000-12fff : " BDF "\n12000-120ff : BOOTFB\n");
	EXPECT_EQ(VERDICT_CHANGED, judge(self, "busy"));
}

TEST_F(expect, reason_no_space)
{
	place(self, 0x11100, 0x100, "");
	EXPECT_EQ(VERDICT_CHANGED, judge(self, "no-space"));
	place(self, 0x11100, 0x100,
	      "10000-100ff : a\n12000-12fff : b\n13800-138ff : c\n");
	EXPECT_EQ(VERDICT_CONFIRMED, judge(self, "no-space"));
}

/* The only free page lies where a 32-bit BAR cannot go. */
TEST_F(expect, reason_no_space_below_4g)
{
	FILE *file = text_file("fffff000-100000fff : window\n"
			       "  fffff000-fffff0ff : other\n"
			       "  fffff100-fffff1ff : " BDF "\n");
	struct error err;

	ASSERT_EQ(0, iomem_parse(file, &self->map, &err));
	self->bar.start = 0xfffff100;
	EXPECT_EQ(VERDICT_CONFIRMED, judge(self, "no-space"));
	self->bar.flags |= RES_MEM_64;
	EXPECT_EQ(VERDICT_CHANGED, judge(self, "no-space"));
	fclose(file);
}

/* e820 above the window: the page is free in the tree, and nobody gets it. */
TEST_F(expect, reason_reserved)
{
	FILE *file = text_file("10000-1ffff : Reserved\n"
			       "  10000-13fff : window\n"
			       "    11100-111ff : " BDF "\n");
	struct error err;

	ASSERT_EQ(0, iomem_parse(file, &self->map, &err));
	self->bar.start = 0x11100;
	EXPECT_EQ(VERDICT_CONFIRMED, judge(self, "reserved"));
	fclose(file);
	place(self, 0x11100, 0x100, "");
	EXPECT_EQ(VERDICT_ACCEPTED, judge(self, "reserved"));
}

/* Who else is in a page. */

FIXTURE(exclusive)
{
	struct pci_device dev[3];
	struct pci_scan scan;
	struct iomem map;
	struct error first;
};

FIXTURE_SETUP(exclusive)
{
	/* A bridge, the device below it, and another device beside that. */
	static const char * const bdf[] = { "0000:01:00.0", BDF, "0000:02:02.0" };
	int i;

	for (i = 0; i < 3; i++) {
		struct pci_device *dev = &self->dev[i];

		snprintf(dev->bdf, sizeof(dev->bdf), "%s", bdf[i]);
		snprintf(dev->path, sizeof(dev->path), "/sys/devices/pci0000:00/%s%s%s",
			 bdf[0], i ? "/" : "", i ? bdf[i] : "");
		dev->nr_res = 17;
	}
	self->dev[0].res[14] = (struct pci_resource) { 0x10000, 0x13fff, RES_MEM };
	self->dev[1].res[0] = (struct pci_resource) { 0x11000, 0x110ff, RES_MEM };
	self->dev[2].res[1] = (struct pci_resource) { 0x12000, 0x120ff, RES_MEM };
	self->scan = (struct pci_scan) { self->dev, 3 };
}

FIXTURE_TEARDOWN(exclusive)
{
	iomem_free(&self->map);
}

static unsigned int intruders(struct _test_data_exclusive *self, const char *more)
{
	struct error err;
	char text[1024];
	FILE *file;

	snprintf(text, sizeof(text), "10000-13fff : window\n11000-110ff : " BDF "\n%s", more);
	iomem_free(&self->map);
	file = text_file(text);
	if (iomem_parse(file, &self->map, &err))
		exit(KSFT_FAIL);
	fclose(file);
	return page_intruders(&self->scan, &self->map, &self->dev[1], 0, PAGE, &self->first);
}

TEST_F(exclusive, alone)
{
	EXPECT_EQ(0, intruders(self, ""));
	EXPECT_EQ(0, intruders(self, "11000-110ff : vfio-pci\n"));
	EXPECT_EQ(0, intruders(self, "11100-11fff : vfio sub-page reserved\n"));
	EXPECT_EQ(0, intruders(self, "12000-120ff : 0000:02:02.0\n"));
}

TEST_F(exclusive, iomem)
{
	EXPECT_EQ(1, intruders(self, "11f00-11fff : somebody\n"));
	EXPECT_NE(NULL, strstr(self->first.text, "somebody"));
	EXPECT_EQ(2, intruders(self, "11100-111ff : a\n11f00-120ff : b\n"));
	/* A reservation that goes beyond the page is not one for this page. */
	EXPECT_EQ(1, intruders(self, "11100-12fff : vfio sub-page reserved\n"));
}

TEST_F(exclusive, other_device)
{
	self->dev[2].res[1] = (struct pci_resource) { 0x11800, 0x118ff, RES_MEM };
	EXPECT_EQ(1, intruders(self, ""));
	EXPECT_NE(NULL, strstr(self->first.text, "0000:02:02.0"));
	/* Ports of the same number are another address space. */
	self->dev[2].res[1].flags = RES_IO;
	EXPECT_EQ(0, intruders(self, ""));
}

TEST_F(exclusive, same_device)
{
	self->dev[1].res[1] = (struct pci_resource) { 0x11100, 0x1110f, RES_MEM };
	EXPECT_EQ(1, intruders(self, ""));
	self->dev[1].res[1] = (struct pci_resource) { 0 };
	self->dev[1].res[SYSFS_ROM] = (struct pci_resource) { 0x11800, 0x11fff, RES_MEM };
	EXPECT_EQ(1, intruders(self, ""));
}

TEST_F(exclusive, bridge)
{
	/* Its own BAR is no window, and a bridge elsewhere is not above. */
	self->dev[0].res[0] = (struct pci_resource) { 0x11f00, 0x11fff, RES_MEM };
	EXPECT_EQ(1, intruders(self, ""));
	self->dev[0].res[0].flags = 0;
	self->dev[2].res[14] = (struct pci_resource) { 0x11000, 0x11fff, RES_MEM };
	EXPECT_EQ(1, intruders(self, ""));
}

TEST_F(exclusive, not_in_tree)
{
	self->dev[1].res[0].start = 0x11100;
	self->dev[1].res[0].end = 0x111ff;
	EXPECT_EQ(1, intruders(self, ""));
}

/* Results. */

FIXTURE(results)
{
	char dir[64];
	char path[96];
	struct result_bar bar;
	struct result_timing timing;
};

FIXTURE_SETUP(results)
{
	snprintf(self->dir, sizeof(self->dir), "/tmp/subpage-results-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	snprintf(self->path, sizeof(self->path), "%s/results.json", self->dir);
	self->bar = (struct result_bar) {
		.bdf = BDF, .vendor = 0x10ec, .device = 0x8139, .driver = DRIVER_VFIO_PCI,
		.bar = 1, .size = 256, .start = 0xfe240100, .flags = 0x40200,
		.shown_size = PAGE, .state = "", .expected_mmap = false, .mmap = -1,
		.backend = "",
	};
	self->timing = (struct result_timing) {
		.bdf = BDF, .driver = DRIVER_VFIO_PCI, .bar = 1, .offset = 4, .width = 4,
		.path = "pread", .op = "read", .cpu = -1, .node = -1, .batch = 9,
		.outliers = -1, .loop_ns = -1,
		.stats = { .median = 1432.5, .min = 1400, .p99 = 2000,
			   .ci95 = { 1430, 1440 }, .samples = 500 },
	};
}

FIXTURE_TEARDOWN(results)
{
	unlink(self->path);
	rmdir(self->dir);
}

static struct json_object *at(struct json_object *object, const char *path)
{
	struct json_object *value = NULL;

	return json_pointer_get(object, path, &value) ? NULL : value;
}

static struct json_object *save_and_load(struct _test_data_results *self,
					 struct json_object *results)
{
	struct error err = { "" };
	struct json_object *again = NULL;

	if (!results_save(results, self->path, &err))
		again = results_load(self->path, &err);
	if (!again)
		fprintf(stderr, "# %s\n", err.text);
	results_free(results);
	return again;
}

TEST_F(results, schema)
{
	struct json_object *results;
	struct error err;

	results = results_open(self->path, "x86_64-4k", "tcg", &err);
	ASSERT_NE(NULL, results);
	results_add_bar(results, &self->bar);
	results_add_timing(results, &self->timing);
	results = save_and_load(self, results);
	ASSERT_NE(NULL, results);

	EXPECT_EQ(2, json_object_get_int(at(results, "/schema")));
	EXPECT_STREQ("x86_64-4k", json_object_get_string(at(results, "/platform/name")));
	EXPECT_STREQ("tcg", json_object_get_string(at(results, "/platform/accel")));
	EXPECT_STREQ("0x10ec", json_object_get_string(at(results, "/bars/0/vendor")));
	EXPECT_STREQ("0xfe240100", json_object_get_string(at(results, "/bars/0/start")));
	EXPECT_EQ(256, json_object_get_int(at(results, "/bars/0/size")));
	EXPECT_EQ(NULL, at(results, "/bars/0/mmap"));
	EXPECT_EQ(PAGE, json_object_get_int(at(results, "/bars/0/shown_size")));
	EXPECT_FALSE(json_object_get_boolean(at(results, "/bars/0/module")));
	EXPECT_EQ(NULL, at(results, "/bars/0/state"));
	EXPECT_EQ(NULL, at(results, "/bars/0/backend"));
	EXPECT_EQ(1432.5, json_object_get_double(at(results, "/timings/0/median_ns")));
	EXPECT_EQ(1440, json_object_get_double(at(results, "/timings/0/ci95_ns/1")));
	EXPECT_EQ(500, json_object_get_int(at(results, "/timings/0/samples")));
	results_free(results);
}

TEST_F(results, extend_and_replace)
{
	struct result_totals totals = { .pass = 3, .skip = 1 };
	struct json_object *results;
	struct error err;

	results = results_open(self->path, "p", "none", &err);
	ASSERT_NE(NULL, results);
	results_add_bar(results, &self->bar);
	results_add_timing(results, &self->timing);
	results_add_totals(results, &totals);
	ASSERT_EQ(0, results_save(results, self->path, &err));
	results_free(results);

	results = results_open(self->path, "p", "none", &err);
	ASSERT_NE(NULL, results);
	/* The same again, with another outcome: replaces. */
	self->bar.mmap = 1;
	self->bar.backend = "cdev";
	results_add_bar(results, &self->bar);
	self->timing.stats.median = 7;
	results_add_timing(results, &self->timing);
	/* With the module, another path: new. */
	self->bar.module = true;
	results_add_bar(results, &self->bar);
	self->timing.path = "mmap";
	results_add_timing(results, &self->timing);
	results_add_totals(results, &totals);
	results = save_and_load(self, results);
	ASSERT_NE(NULL, results);

	EXPECT_EQ(2, json_object_array_length(at(results, "/bars")));
	EXPECT_TRUE(json_object_get_boolean(at(results, "/bars/0/mmap")));
	EXPECT_STREQ("cdev", json_object_get_string(at(results, "/bars/0/backend")));
	EXPECT_EQ(2, json_object_array_length(at(results, "/timings")));
	EXPECT_EQ(7, json_object_get_double(at(results, "/timings/0/median_ns")));
	EXPECT_EQ(6, json_object_get_int(at(results, "/totals/pass")));
	EXPECT_EQ(2, json_object_get_int(at(results, "/totals/skip")));
	results_free(results);
}

TEST_F(results, other_platform)
{
	struct json_object *results;
	struct error err;

	results = results_open(self->path, "p", "none", &err);
	ASSERT_EQ(0, results_save(results, self->path, &err));
	results_free(results);
	EXPECT_EQ(NULL, results_open(self->path, "q", "none", &err));
	EXPECT_NE(NULL, strstr(err.text, self->path));
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	if (!file)
		exit(KSFT_FAIL);
	fputs(text, file);
	fclose(file);
}

TEST_F(results, damaged)
{
	static const struct {
		const char *text;
		const char *says;
	} damaged[] = {
		{ "", "truncated" },
		{ "{ \"schema\": 2, \"bars\": [", "truncated" },
		{ "no json", "not JSON" },
		{ "[]", "no JSON object" },
		{ "{}", "no schema" },
		{ "{ \"schema\": 1 }", "schema 1 is not known, only schema 2: run" },
		{ "{ \"schema\": 2, \"bars\": [] }", "lacks" },
	};
	struct error err;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(damaged); i++) {
		write_file(self->path, damaged[i].text);
		EXPECT_EQ(NULL, results_load(self->path, &err));
		EXPECT_EQ(0, strncmp(self->path, err.text, strlen(self->path)));
		EXPECT_NE(NULL, strstr(err.text, damaged[i].says))
			TH_LOG("%s", err.text);
	}
}

TEST_F(results, unwritable)
{
	struct json_object *results;
	struct error err;

	results = results_open(self->path, "p", "none", &err);
	EXPECT_EQ(-1, results_save(results, "/nonexistent/results.json", &err));
	EXPECT_NE(NULL, strstr(err.text, "/nonexistent/results.json"));
	results_free(results);
}

/* KUnit. */

FIXTURE(kunit)
{
	char dir[64];
	char suite[96];
	char path[128];
	struct kunit_set set;
};

FIXTURE_SETUP(kunit)
{
	snprintf(self->dir, sizeof(self->dir), "/tmp/subpage-kunit-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	snprintf(self->suite, sizeof(self->suite), "%s/pci_subpage_x", self->dir);
	snprintf(self->path, sizeof(self->path), "%s/results", self->suite);
	ASSERT_EQ(0, mkdir(self->suite, 0700));
}

FIXTURE_TEARDOWN(kunit)
{
	kunit_free(&self->set);
	unlink(self->path);
	rmdir(self->suite);
	rmdir(self->dir);
}

static const struct kunit_suite *read_kunit(struct _test_data_kunit *self, const char *text)
{
	struct error err = { "" };

	kunit_free(&self->set);
	write_file(self->path, text);
	if (!kunit_read(self->dir, &self->set, &err) && self->set.nr == 1)
		return &self->set.suite[0];

	fprintf(stderr, "# %s\n", err.text);
	return NULL;
}

#define KUNIT_TEXT(plan, result)			\
	"KTAP version 1\n1..1\n"			\
	"    KTAP version 1\n"				\
	"    # Subtest: pci_subpage_x\n"		\
	"    # module: vfio_pci_subpage\n"		\
	"    1.." plan "\n"				\
	"    ok 1 first\n"				\
	"        KTAP version 1\n"			\
	"        # Subtest: second\n"			\
	"        ok 1 parameter\n"			\
	"        not ok 2 other # SKIP deeper\n"	\
	"    ok 2 second\n"				\
	result						\
	"# pci_subpage_x: pass:2 fail:0 skip:1 total:3\n" \
	"ok 1 pci_subpage_x\n"

TEST_F(kunit, parse)
{
	const struct kunit_suite *suite;
	struct error err;

	suite = read_kunit(self, KUNIT_TEXT("3", "    ok 3 third # SKIP no such device\n"));
	ASSERT_NE(NULL, suite);
	EXPECT_STREQ("pci_subpage_x", suite->name);
	ASSERT_EQ(3, suite->nr);
	EXPECT_EQ(2, suite->count[KUNIT_PASS]);
	EXPECT_EQ(0, suite->count[KUNIT_FAIL]);
	EXPECT_EQ(1, suite->count[KUNIT_SKIP]);
	EXPECT_STREQ("second", suite->test[1].name);
	EXPECT_STREQ("", suite->test[1].reason);
	EXPECT_STREQ("third", suite->test[2].name);
	EXPECT_EQ(KUNIT_SKIP, suite->test[2].outcome);
	EXPECT_STREQ("no such device", suite->test[2].reason);
	EXPECT_EQ(0, kunit_passed(suite, &err));
}

TEST_F(kunit, failed)
{
	const struct kunit_suite *suite = read_kunit(self, KUNIT_TEXT("3", "    not ok 3 third\n"));
	struct error err;

	ASSERT_NE(NULL, suite);
	EXPECT_EQ(-1, kunit_passed(suite, &err));
	EXPECT_STREQ("pci_subpage_x: 1 of 3 tests failed, the first is third", err.text);
}

TEST_F(kunit, incomplete)
{
	const struct kunit_suite *suite = read_kunit(self, KUNIT_TEXT("3", ""));
	struct error err;

	ASSERT_NE(NULL, suite);
	EXPECT_EQ(-1, kunit_passed(suite, &err));
	EXPECT_NE(NULL, strstr(err.text, "2 of 3 tests have a result"));

	suite = read_kunit(self, "");
	ASSERT_NE(NULL, suite);
	EXPECT_EQ(-1, kunit_passed(suite, &err));
}

TEST_F(kunit, not_there)
{
	struct error err;

	EXPECT_EQ(-1, kunit_read("/nonexistent", &self->set, &err));
	EXPECT_NE(NULL, strstr(err.text, "/nonexistent: No such file"));

	rmdir(self->suite);
	EXPECT_EQ(-1, kunit_read(self->dir, &self->set, &err));
	EXPECT_NE(NULL, strstr(err.text, "built without KUnit tests"));
}

TEST_F(results, kunit_replaces)
{
	struct kunit_case test[] = {
		{ .name = "first", .outcome = KUNIT_FAIL },
		{ .name = "second", .outcome = KUNIT_SKIP, .reason = "because" },
	};
	struct kunit_suite suite = {
		.name = "pci_subpage_x", .test = test, .nr = 2,
		.count = { [KUNIT_FAIL] = 1, [KUNIT_SKIP] = 1 },
	};
	struct json_object *results;
	struct error err;

	results = results_open(self->path, "p", "none", &err);
	ASSERT_NE(NULL, results);
	results_add_kunit(results, &suite);
	suite.count[KUNIT_PASS] = 7;
	results_add_kunit(results, &suite);
	results = save_and_load(self, results);
	ASSERT_NE(NULL, results);

	EXPECT_EQ(1, json_object_array_length(at(results, "/kunit")));
	EXPECT_STREQ("pci_subpage_x", json_object_get_string(at(results, "/kunit/0/suite")));
	EXPECT_EQ(7, json_object_get_int(at(results, "/kunit/0/pass")));
	EXPECT_EQ(1, json_object_get_int(at(results, "/kunit/0/fail")));
	EXPECT_STREQ("fail", json_object_get_string(at(results, "/kunit/0/cases/0/result")));
	EXPECT_EQ(NULL, at(results, "/kunit/0/cases/0/reason"));
	EXPECT_STREQ("because", json_object_get_string(at(results, "/kunit/0/cases/1/reason")));
	results_free(results);
}

/* A file that was begun before there were KUnit results. */
TEST_F(results, kunit_added_to_older)
{
	struct kunit_suite suite = { .name = "pci_subpage_x" };
	struct json_object *results;
	struct error err;

	write_file(self->path,
		   "{ \"schema\": 2, \"platform\": { \"name\": \"p\" }, \"bars\": [], \"timings\": [], \"totals\": {} }");
	results = results_open(self->path, "p", "none", &err);
	ASSERT_NE(NULL, results)
		TH_LOG("%s", err.text);
	results_add_kunit(results, &suite);
	EXPECT_EQ(1, json_object_array_length(at(results, "/kunit")));
	results_free(results);
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

static int fake_run(struct path *path, u64 n, bool access, struct path_done *done,
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
	struct cycles cycles;
	struct near near;
	struct measure_plan plan;
	struct fake_path fake[2];
	struct measured_path measured[2];
};

FIXTURE_SETUP(measure)
{
	struct error err = { "" };
	int i;

	near_enter(-1, &self->near);
	ASSERT_EQ(0, cycles_calibrate(&self->cycles, &err))
		TH_LOG("%s", err.text);
	self->plan = (struct measure_plan) { .samples = 60, .blocks = 10, .seed = 1 };
	for (i = 0; i < 2; i++) {
		self->fake[i].ns = 2000;
		self->measured[i].path = (struct path) { .ops = &fake_ops, .priv = &self->fake[i] };
	}
}

FIXTURE_TEARDOWN(measure)
{
}

static int run_measure(struct _test_data_measure *self, struct error *err)
{
	return measure_run(self->measured, 2, &self->plan, &self->cycles, &self->near, NULL, err);
}

TEST_F(measure, finds_a_delay)
{
	struct error err = { "" };

	self->fake[1].ns = 2500;
	ASSERT_EQ(0, run_measure(self, &err))
		TH_LOG("%s", err.text);
	EXPECT_LT(2000 * 0.95, self->measured[0].stats.median);
	EXPECT_GT(2000 * 1.05, self->measured[0].stats.median);
	EXPECT_LT(2500 * 0.95, self->measured[1].stats.median);
	EXPECT_GT(2500 * 1.05, self->measured[1].stats.median);
	EXPECT_EQ(60, self->measured[0].stats.samples);
	EXPECT_LE(self->measured[0].stats.ci95[0], self->measured[0].stats.median);
	EXPECT_GE(self->measured[0].stats.ci95[1], self->measured[0].stats.median);
}

/* The loop is measured on its own and subtracted: half a microsecond for a batch. */
TEST_F(measure, subtracts_the_loop)
{
	struct error err;

	self->plan.batch = 2;
	ASSERT_EQ(0, run_measure(self, &err));
	EXPECT_EQ(2, self->measured[0].batch);
	EXPECT_LT(200, self->measured[0].loop_ns);
	EXPECT_GT(500, self->measured[0].loop_ns);
	EXPECT_LT(2000 * 0.95, self->measured[0].stats.median);
	EXPECT_GT(2000 * 1.05, self->measured[0].stats.median);
}

/* What --delay adds is found in the result. */
TEST_F(measure, delay_is_added)
{
	struct error err;

	self->plan.delay_ns = 1000;
	ASSERT_EQ(0, run_measure(self, &err));
	EXPECT_LT(3000 * 0.95, self->measured[0].stats.median);
	EXPECT_GT(3000 * 1.05, self->measured[0].stats.median);
}

TEST_F(measure, batch_is_long_enough)
{
	struct error err;

	self->cycles.resolution = self->cycles.hz / 1e6;
	ASSERT_EQ(0, run_measure(self, &err));
	/* A clock of 1 us needs 100 us: 64 times 2 us. */
	EXPECT_LE(50, self->measured[0].batch);
	EXPECT_GE(128, self->measured[0].batch);
}

/* Who came first in how many rounds: the runs of both paths, in their order. */
static struct path *last_run;
static unsigned int turns;

static int noted_run(struct path *path, u64 n, bool access, struct path_done *done,
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

	self->plan = (struct measure_plan) { .samples = 128, .blocks = 64, .batch = 1, .seed = 5 };
	self->measured[0].path.ops = &noted_ops;
	self->measured[1].path.ops = &noted_ops;
	ASSERT_EQ(0, run_measure(self, &err));
	EXPECT_LT(75, turns);
	EXPECT_GT(117, turns);
}

TEST_F(measure, failing_path)
{
	struct error err;

	self->fake[1].fail_at = 30;
	EXPECT_EQ(0, run_measure(self, &err));
	EXPECT_STREQ("it broke", self->measured[1].failure.text);
	EXPECT_EQ(30, self->fake[1].runs);
	/* The other one goes on. */
	EXPECT_STREQ("", self->measured[0].failure.text);
	EXPECT_EQ(60, self->measured[0].stats.samples);
	EXPECT_LT(2000 * 0.95, self->measured[0].stats.median);
}

static bool stop_in_third(size_t round, size_t rounds)
{
	return round < 2;
}

TEST_F(measure, is_ended)
{
	struct error err;

	EXPECT_EQ(-1, measure_run(self->measured, 2, &self->plan, &self->cycles, &self->near,
				  stop_in_third, &err));
	EXPECT_STREQ("ended after 2 of 10 rounds", err.text);
}

/* A file for a device, and a path that may go wrong. */
FIXTURE(path)
{
	struct path_target target;
	struct path path;
	struct error err;
};

/* What the path below does to each value. */
static u64 twist;

static int twisted_run(struct path *path, u64 n, bool access, struct path_done *done,
		       struct error *err)
{
	const struct path_target *target = path->target;

	if (target->op != PATH_READ)
		vfio_write(target->fd, target->reg.offset, target->reg.width,
			   target->value ^ twist);
	vfio_read(target->fd, target->reg.offset, target->reg.width, &done->last);
	done->last ^= target->op == PATH_READ ? twist : 0;
	return 0;
}

static const struct path_ops twisted_ops = { .name = "twisted", .run = twisted_run };

FIXTURE_SETUP(path)
{
	memset(self, 0, sizeof(*self));
	self->target.fd = memfd_create("device", 0);
	ASSERT_LE(0, self->target.fd);
	ASSERT_EQ(0, ftruncate(self->target.fd, 16));
	self->target.reg = (struct safe_register) {
		.offset = 4, .width = 4, .readback = READBACK_SAME,
	};
	self->target.value = 0x12345678;
	self->path = (struct path) { .ops = &twisted_ops, .target = &self->target };
}

FIXTURE_TEARDOWN(path)
{
	close(self->target.fd);
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

static void fill_perf(struct result_perf *perf, struct machine *machine)
{
	*perf = (struct result_perf) {
		.seed = 7, .counter = "rdtsc", .counter_hz = 2.5e9, .resolution_ns = 10,
		.blocks = 20, .machine = machine,
	};
	memset(machine, 0, sizeof(*machine));
	snprintf(machine->cpu_model, sizeof(machine->cpu_model), "a CPU");
	machine->smt = -1;
	machine->steal_percent = -1;
	error_set(&machine->warning[machine->nr_warnings++], "it is loud");
}

TEST_F(results, perf)
{
	struct result_skip skip = {
		.bdf = BDF, .driver = DRIVER_VFIO_PCI, .module = true, .bar = 1, .offset = 4,
		.width = 4,
		.path = "kernel", .op = "read", .reason = "no module",
	};
	struct stats stats = { .median = 5, .samples = 3 };
	struct json_object *results;
	struct machine machine;
	struct result_perf perf;
	struct error err;

	results = results_open(self->path, "p", "none", &err);
	ASSERT_NE(NULL, results);
	fill_perf(&perf, &machine);
	results_begin_perf(results, &perf);
	results_add_skip(results, &skip);
	EXPECT_TRUE(json_object_get_boolean(at(results, "/perf/partial")));
	results_end_perf(results, &machine, false);
	results_add_open(results, DRIVER_VFIO_PCI, true, 8, "bind", &stats);
	results_add_open(results, DRIVER_VFIO_PCI, true, 8, "bind", &stats);
	results_add_open(results, DRIVER_VFIO_PCI, true, 8, "open", &stats);
	results = save_and_load(self, results);
	ASSERT_NE(NULL, results);

	EXPECT_FALSE(json_object_get_boolean(at(results, "/perf/partial")));
	EXPECT_STREQ("0x7", json_object_get_string(at(results, "/perf/seed")));
	EXPECT_STREQ("a CPU", json_object_get_string(at(results, "/perf/machine/cpu_model")));
	EXPECT_EQ(NULL, at(results, "/perf/machine/smt"));
	EXPECT_STREQ("it is loud", json_object_get_string(at(results, "/perf/warnings/0")));
	EXPECT_STREQ("no module", json_object_get_string(at(results, "/perf/skipped/0/reason")));
	EXPECT_EQ(2, json_object_array_length(at(results, "/opens")));
	EXPECT_EQ(8, json_object_get_int(at(results, "/opens/1/functions")));
	results_free(results);
}

/* Ratios are those of one run: the next one does not mix with it. */
TEST_F(results, perf_begins_anew)
{
	struct json_object *results;
	struct machine machine;
	struct result_perf perf;
	struct error err;

	results = results_open(self->path, "p", "none", &err);
	ASSERT_NE(NULL, results);
	fill_perf(&perf, &machine);
	results_add_timing(results, &self->timing);
	results_begin_perf(results, &perf);
	self->timing.path = "kernel";
	self->timing.loop_ns = 0.5;
	results_add_timing(results, &self->timing);
	EXPECT_EQ(2, json_object_array_length(at(results, "/timings")));

	results_begin_perf(results, &perf);
	EXPECT_EQ(1, json_object_array_length(at(results, "/timings")));
	EXPECT_STREQ("pread", json_object_get_string(at(results, "/timings/0/path")));
	results_free(results);
}

TEST_F(results, nothing_known)
{
	struct result_skip skip = {
		.bdf = BDF, .driver = DRIVER_VFIO_PCI, .module = true, .bar = 1,
		.path = "", .op = "",
		.reason = "no register",
	};
	struct json_object *results;
	struct machine machine;
	struct result_perf perf;
	struct error err;

	results = results_open(self->path, "p", "none", &err);
	ASSERT_NE(NULL, results);
	fill_perf(&perf, &machine);
	results_begin_perf(results, &perf);
	results_add_skip(results, &skip);
	self->timing.stats.ci95[0] = NAN;
	self->timing.stats.ci95[1] = NAN;
	results_add_timing(results, &self->timing);
	results_set_partial(results, true);
	results = save_and_load(self, results);
	ASSERT_NE(NULL, results);

	EXPECT_EQ(1, json_object_get_int(at(results, "/perf/skipped/0/bar")));
	EXPECT_EQ(NULL, at(results, "/perf/skipped/0/path"));
	EXPECT_EQ(NULL, at(results, "/timings/0/ci95_ns"));
	EXPECT_TRUE(json_object_get_boolean(at(results, "/partial")));
	results_free(results);
}

/* Registers of one BAR do not replace each other. */
TEST_F(results, timing_of_another_register)
{
	struct json_object *results;
	struct error err;

	results = results_open(self->path, "p", "none", &err);
	ASSERT_NE(NULL, results);
	results_add_timing(results, &self->timing);
	self->timing.offset = 8;
	results_add_timing(results, &self->timing);
	self->timing.width = 8;
	results_add_timing(results, &self->timing);
	results_add_timing(results, &self->timing);
	EXPECT_EQ(3, json_object_array_length(at(results, "/timings")));
	results_free(results);
}

TEST_HARNESS_MAIN
