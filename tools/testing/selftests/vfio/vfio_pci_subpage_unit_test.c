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
#include "expect/expect.h"
#include "expect/iomem.h"
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
	struct pci_device dev = {
		.header = {
			[0x10] = 0x00, 0x01, 0x24, 0xfe,	/* 32 bits */
			[0x14] = 0x0c, 0x00, 0x00, 0xfd,	/* 64 bits, prefetchable */
			[0x18] = 0x80, 0x03, 0x00, 0x00,
		},
	};

	EXPECT_EQ(0xfe240100, sysfs_bus_address(&dev, 0));
	EXPECT_EQ(0x380fd000000, sysfs_bus_address(&dev, 1));
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

TEST(iomem_windows)
{
	FILE *file = text_file("1000-8fff : PCI Bus 0000:00\n"
			       "  1000-4fff : Reserved\n"
			       "    2000-3fff : PCI Bus 0000:01\n"
			       "      2000-2fff : ACPI Non-volatile Storage\n"
			       "        2000-20ff : " BDF "\n"
			       "  5000-50ff : 0000:00:01.0\n"
			       "9000-9fff : reserved\n"
			       "  9000-90ff : 0000:00:02.0\n");
	struct iomem map;
	struct error err;

	ASSERT_EQ(0, iomem_parse(file, &map, &err));
	EXPECT_EQ(2, iomem_window(&map, 4));
	EXPECT_EQ(0, iomem_window(&map, 2));
	EXPECT_EQ(0, iomem_window(&map, 5));
	EXPECT_EQ(IOMEM_ROOT, iomem_window(&map, 0));
	EXPECT_EQ(IOMEM_ROOT, iomem_window(&map, 7));
	EXPECT_TRUE(iomem_is_reserved(&map, 1));
	EXPECT_TRUE(iomem_is_reserved(&map, 2));
	EXPECT_FALSE(iomem_is_reserved(&map, 0));
	EXPECT_FALSE(iomem_is_reserved(&map, 5));
	EXPECT_TRUE(iomem_is_reserved(&map, 7));

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
static void read_tree(struct iomem *map, const char *text)
{
	FILE *file = text_file(text);
	struct error err;

	iomem_free(map);
	if (iomem_parse(file, map, &err)) {
		fprintf(stderr, "%s\n", err.text);
		exit(KSFT_FAIL);
	}
	fclose(file);
}

static void place(FIXTURE_DATA(expect) * self, u64 start, u64 size,
		  const char *neighbours)
{
	char text[1024];

	self->bar.start = start;
	self->bar.bus_start = start;
	self->bar.size = size;
	snprintf(text, sizeof(text), "10000-13fff : window\n%llx-%llx : " BDF "\n%s",
		 start, start + size - 1, neighbours);
	read_tree(&self->map, text);
}

static bool mapped_at(FIXTURE_DATA(expect) * self, u64 start, u64 size,
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
	read_tree(&self->map, "10000-107ff : window\n  10000-100ff : " BDF "\n");
	EXPECT_FALSE(expect_mmap(&self->bar, &self->map));
}

TEST_F(expect, plain_without_parent)
{
	read_tree(&self->map, "10000-100ff : " BDF "\n");
	EXPECT_FALSE(expect_mmap(&self->bar, &self->map));
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

static enum verdict judge(FIXTURE_DATA(expect) * self, const char *state)
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
	/* What VFIO requests itself, it has requested later. */
	place(self, 0x11100, 0x100, "11100-111ff : vfio-pci\n");
	EXPECT_EQ(VERDICT_CHANGED, judge(self, "busy"));
	place(self, 0x11100, 0x100, "11100-111ff : BOOTFB\n");
	EXPECT_EQ(VERDICT_CONFIRMED, judge(self, "busy"));
	/* In another BAR of the device, and only if this one would have to move. */
	place(self, 0x11100, 0x100, "12000-12fff : " BDF "\n12000-120ff : BOOTFB\n");
	EXPECT_EQ(VERDICT_CONFIRMED, judge(self, "busy"));
	place(self, 0x11000, 0x100, "12000-12fff : " BDF "\n12000-120ff : BOOTFB\n");
	EXPECT_EQ(VERDICT_CHANGED, judge(self, "busy"));
	/* Virtual functions may be in use whose physical function is not. */
	place(self, 0x11100, 0x100, "");
	self->bar.has_vfs = true;
	EXPECT_EQ(VERDICT_CONFIRMED, judge(self, "busy"));
}

/* A region inside a BAR keeps VFIO from mapping it, and nothing else does. */
TEST_F(expect, region_inside)
{
	struct error why = { "" };

	place(self, 0x11000, 2 * PAGE, "11000-11fff : BOOTFB\n11000-110ff : simpledrm\n");
	EXPECT_TRUE(expect_mmap(&self->bar, &self->map));
	EXPECT_TRUE(expect_busy(&self->bar, &self->map, &why));
	EXPECT_EQ(0, strncmp("'BOOTFB' has 0x11000-0x11fff of the BAR", why.text, 39))
		TH_LOG("%s", why.text);
	EXPECT_NE(NULL, strstr(why.text, "initcall_blacklist=sysfb_init"));

	place(self, 0x11000, 2 * PAGE, "12000-12fff : vesafb\n");
	EXPECT_TRUE(expect_busy(&self->bar, &self->map, &why));
	place(self, 0x11000, 2 * PAGE, "");
	EXPECT_FALSE(expect_busy(&self->bar, &self->map, &why));
	place(self, 0x11000, 2 * PAGE, "11000-12fff : vfio-pci\n");
	EXPECT_FALSE(expect_busy(&self->bar, &self->map, &why));
	place(self, 0x11000, 2 * PAGE, "11000-12fff : vfio\n");
	EXPECT_FALSE(expect_busy(&self->bar, &self->map, &why));
	/* In another BAR of the device, or around this one. */
	place(self, 0x11000, PAGE, "12000-12fff : " BDF "\n12000-120ff : BOOTFB\n");
	EXPECT_FALSE(expect_busy(&self->bar, &self->map, &why));
	self->bar.start = 0;
	EXPECT_FALSE(expect_busy(&self->bar, &self->map, &why));
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
	self->bar.start = 0xfffff100;
	self->bar.bus_start = 0xfffff100;
	read_tree(&self->map, "fffff000-100000fff : window\n"
			      "  fffff000-fffff0ff : other\n"
			      "  fffff100-fffff1ff : " BDF "\n");
	EXPECT_EQ(VERDICT_CONFIRMED, judge(self, "no-space"));
	/* It is the address on the bus that has to be below 4 GiB. */
	self->bar.bus_start = 0x7ffff100;
	EXPECT_EQ(VERDICT_CHANGED, judge(self, "no-space"));
	self->bar.bus_start = 0xfffff100;
	self->bar.flags |= RES_MEM_64;
	EXPECT_EQ(VERDICT_CHANGED, judge(self, "no-space"));
	/* And all of it may be above on the side of the CPU. */
	self->bar.flags = RES_MEM;
	self->bar.start = 0x3200001100;
	self->bar.bus_start = 0xffffe100;
	read_tree(&self->map, "3200000000-3200003fff : window\n"
			      "  3200000000-32000000ff : other\n"
			      "  3200001100-32000011ff : " BDF "\n");
	EXPECT_EQ(VERDICT_CHANGED, judge(self, "no-space"));
	self->bar.bus_start = 0xfffff100;
	EXPECT_EQ(VERDICT_CONFIRMED, judge(self, "no-space"));
}

/* e820 above the window: the page is free in the tree, and nobody gets it. */
TEST_F(expect, reason_reserved)
{
	self->bar.start = 0x11100;
	read_tree(&self->map, "10000-1ffff : Reserved\n"
			      "  10000-13fff : window\n"
			      "    11100-111ff : " BDF "\n");
	EXPECT_EQ(VERDICT_CONFIRMED, judge(self, "reserved"));
	EXPECT_EQ(VERDICT_CHANGED, judge(self, "no-space"));
	read_tree(&self->map, "10000-1ffff : ACPI Non-volatile Storage\n"
			      "  10000-13fff : window\n"
			      "    11100-111ff : " BDF "\n");
	EXPECT_EQ(VERDICT_CONFIRMED, judge(self, "reserved"));
	place(self, 0x11100, 0x100, "");
	EXPECT_EQ(VERDICT_ACCEPTED, judge(self, "reserved"));
}

/* e820 between the window and the BAR: other pages of the window are not reserved. */
TEST_F(expect, reason_reserved_within_window)
{
	self->bar.start = 0x11100;
	read_tree(&self->map, "10000-13fff : window\n"
			      "  11000-11fff : Reserved\n"
			      "    11100-111ff : " BDF "\n");
	EXPECT_EQ(VERDICT_ACCEPTED, judge(self, "reserved"));
	EXPECT_EQ(VERDICT_CHANGED, judge(self, "no-space"));
	read_tree(&self->map, "10000-12fff : window\n"
			      "  10000-107ff : other\n"
			      "  11000-11fff : Reserved\n"
			      "    11100-111ff : " BDF "\n"
			      "  12000-12fff : Reserved\n");
	EXPECT_EQ(VERDICT_CONFIRMED, judge(self, "no-space"));
	/* Another window of the bus may have a page that is. */
	EXPECT_EQ(VERDICT_ACCEPTED, judge(self, "reserved"));
	/* With nothing above that is a window, there is none to be full. */
	read_tree(&self->map, "11000-11fff : Reserved\n"
			      "  11100-111ff : " BDF "\n");
	EXPECT_EQ(VERDICT_REFUTED, judge(self, "no-space"));
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

static unsigned int intruders(FIXTURE_DATA(exclusive) * self, const char *more)
{
	char text[1024];

	snprintf(text, sizeof(text), "10000-13fff : window\n11000-110ff : " BDF "\n%s", more);
	read_tree(&self->map, text);
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

/* A window above has all of the page around it; one that begins inside is a neighbour. */
TEST_F(exclusive, window_ends_in_page)
{
	self->dev[0].res[14].start = 0x11000;
	self->dev[0].res[15] = (struct pci_resource) { 0x11800, 0x118ff, RES_MEM };
	EXPECT_EQ(1, intruders(self, ""));
	EXPECT_EQ(0, strncmp("resource 15 of 0000:01:00.0", self->first.text, 27));
}

/* What has no address, or is off, shows a range that is made up. */
TEST_F(exclusive, without_address)
{
	self->dev[2].res[14] = (struct pci_resource) { 0x11000, 0x11fff, RES_MEM | RES_UNSET };
	EXPECT_EQ(0, intruders(self, ""));
	self->dev[2].res[14].flags = RES_MEM | RES_DISABLED;
	EXPECT_EQ(0, intruders(self, ""));
	self->dev[2].res[14].flags = RES_MEM;
	EXPECT_EQ(1, intruders(self, ""));
}

/* Only of those above the device, also for a virtual function. */
TEST_F(exclusive, virtual_function)
{
	self->dev[1].is_vf = true;
	EXPECT_EQ(0, intruders(self, ""));
	self->dev[2].res[14] = (struct pci_resource) { 0x11000, 0x11fff, RES_MEM };
	EXPECT_EQ(1, intruders(self, ""));
}

/* Firmware has reserved the window, or a part of it that the page is in. */
TEST_F(exclusive, reservation_around)
{
	read_tree(&self->map, "10000-1ffff : Reserved\n10000-13fff : window\n"
			      "11000-11fff : Reserved\n11000-110ff : " BDF "\n");
	EXPECT_EQ(0, page_intruders(&self->scan, &self->map, &self->dev[1], 0, PAGE, &self->first));
	EXPECT_EQ(1, intruders(self, "11800-11fff : Reserved\n"));
}

TEST_F(exclusive, not_in_tree)
{
	self->dev[1].res[0].start = 0x11100;
	self->dev[1].res[0].end = 0x111ff;
	EXPECT_EQ(1, intruders(self, ""));
}

/*
 * A host bridge that translates addresses, with one root port and one device below
 * it: on the bus all is 0x2400000000 lower.
 */

#define BEHIND	"0004:01:00.0"

FIXTURE(address)
{
	struct pci_device dev[3];
	struct pci_scan scan;
	struct iomem map;
	struct error why;
};

static void put(struct pci_device *dev, unsigned int offset, u32 value)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		dev->header[offset + i] = value >> 8 * i;
}

FIXTURE_SETUP(address)
{
	/* The port, the device, and another one on the root bus. */
	static const char * const bdf[] = { "0004:00:00.0", BEHIND, "0004:00:01.0" };
	int i;

	for (i = 0; i < 3; i++) {
		snprintf(self->dev[i].bdf, sizeof(self->dev[i].bdf), "%s", bdf[i]);
		self->dev[i].nr_res = i ? 13 : 17;
	}
	self->dev[0].header[0x0e] = 0x81;	/* a bridge, of several functions */
	self->dev[0].res[14] = (struct pci_resource) { 0x2428000000, 0x24280fffff, RES_MEM };
	put(&self->dev[0], 0x20, 0x28002800);
	self->dev[1].res[0] = (struct pci_resource) { 0x2428001000, 0x2428001fff, RES_MEM };
	put(&self->dev[1], 0x10, 0x28001000);
	self->dev[1].is_held = true;
	self->scan = (struct pci_scan) { self->dev, 2 };
	read_tree(&self->map, "2428000000-2437ffffff : pcie@24\n"
			      "  2428000000-24280fffff : PCI Bus 0004:01\n"
			      "    2428001000-2428001fff : " BEHIND "\n"
			      "2500000000-25ffffffff : pcie@24, prefetchable\n");
}

FIXTURE_TEARDOWN(address)
{
	iomem_free(&self->map);
}

static enum verdict verdict_of(FIXTURE_DATA(address) * self, unsigned int i)
{
	return expect_address(&self->scan, &self->map, &self->dev[i], 0, &self->why);
}

static enum verdict register_says(FIXTURE_DATA(address) * self, u32 value)
{
	put(&self->dev[1], 0x10, value);
	return verdict_of(self, 1);
}

TEST_F(address, bridge_window)
{
	EXPECT_EQ(VERDICT_CONFIRMED, register_says(self, 0x28001000));
	EXPECT_EQ(0, strncmp("resource 14 of 0004:00:00.0", self->why.text, 27));
	EXPECT_EQ(VERDICT_REFUTED, register_says(self, 0x28002000));
	EXPECT_EQ(0, strncmp("resource 14 of 0004:00:00.0", self->why.text, 27));
	/* No translation is one that has to be right, too. */
	self->dev[1].res[0] = (struct pci_resource) { 0x28001000, 0x28001fff, RES_MEM };
	self->dev[0].res[14].flags = 0;
	read_tree(&self->map, "28000000-280fffff : PCI Bus 0004:01\n"
			      "  28001000-28001fff : " BEHIND "\n");
	EXPECT_EQ(VERDICT_ACCEPTED, register_says(self, 0x28001000));
	self->dev[0].res[14] = (struct pci_resource) { 0x28000000, 0x280fffff, RES_MEM };
	EXPECT_EQ(VERDICT_CONFIRMED, register_says(self, 0x28001000));
	put(&self->dev[0], 0x20, 0x48004800);
	EXPECT_EQ(VERDICT_REFUTED, register_says(self, 0x28001000));
}

/* Its registers are others, and have upper halves. */
TEST_F(address, prefetchable_window)
{
	struct pci_resource *window = &self->dev[0].res[15];

	self->dev[0].res[14].flags = 0;
	*window = (struct pci_resource) { 0x2500000000, 0x25001fffff, RES_MEM | RES_PREFETCH };
	put(&self->dev[0], 0x24, 0x00110001);
	put(&self->dev[0], 0x28, 0x12);
	put(&self->dev[0], 0x2c, 0x12);
	self->dev[1].res[0] = (struct pci_resource) { 0x2500100000, 0x25001000ff, RES_MEM };
	read_tree(&self->map, "2500000000-25ffffffff : pcie@24, prefetchable\n"
			      "  2500000000-25001fffff : PCI Bus 0004:01\n"
			      "    2500100000-25001000ff : " BEHIND "\n");
	put(&self->dev[1], 0x14, 0x12);
	EXPECT_EQ(VERDICT_CONFIRMED, register_says(self, 0x0010000c));
	put(&self->dev[1], 0x14, 0x25);
	EXPECT_EQ(VERDICT_REFUTED, register_says(self, 0x0010000c));

	/* What the registers hold is not the window. */
	put(&self->dev[0], 0x2c, 0x13);
	EXPECT_EQ(VERDICT_ACCEPTED, register_says(self, 0x0010000c));
	put(&self->dev[0], 0x2c, 0x12);
	window->flags |= RES_DISABLED;
	EXPECT_EQ(VERDICT_ACCEPTED, register_says(self, 0x0010000c));

	/* A window of 32 bits has no upper halves. */
	window->flags = RES_MEM | RES_PREFETCH;
	put(&self->dev[0], 0x24, 0x00100000);
	EXPECT_EQ(VERDICT_CONFIRMED, register_says(self, 0x00100000));
}

/* On the root bus only others of the host's window tell. */
TEST_F(address, root_bus)
{
	struct pci_device *lone = &self->dev[2];

	lone->res[0] = (struct pci_resource) { 0x2430000000, 0x24300000ff, RES_MEM };
	put(lone, 0x10, 0x30000000);
	read_tree(&self->map, "2428000000-2437ffffff : pcie@24\n"
			      "  2430000000-24300000ff : 0004:00:01.0\n");
	self->scan.nr = 3;
	EXPECT_EQ(VERDICT_CONFIRMED, verdict_of(self, 2));
	put(lone, 0x10, 0x31000000);
	EXPECT_EQ(VERDICT_REFUTED, verdict_of(self, 2));

	/* In another window of the host, which may be translated in another way. */
	lone->res[0] = (struct pci_resource) { 0x2500000000, 0x25000000ff, RES_MEM };
	read_tree(&self->map, "2428000000-2437ffffff : pcie@24\n"
			      "2500000000-25ffffffff : pcie@24, prefetchable\n"
			      "  2500000000-25000000ff : 0004:00:01.0\n");
	EXPECT_EQ(VERDICT_ACCEPTED, verdict_of(self, 2));
	put(lone, 0x10, 0x00000004);
	put(lone, 0x14, 0x1);
	EXPECT_EQ(VERDICT_CONFIRMED, verdict_of(self, 2));
}

/* It does not prove itself, and what the module may have moved proves nothing. */
TEST_F(address, witness)
{
	struct pci_device *other = &self->dev[2];

	self->dev[0].res[14].flags = 0;
	self->dev[1].is_held = false;
	EXPECT_EQ(VERDICT_ACCEPTED, verdict_of(self, 1));

	other->res[0] = (struct pci_resource) { 0x2428002000, 0x2428002fff, RES_MEM };
	put(other, 0x10, 0x28002000);
	self->scan.nr = 3;
	EXPECT_EQ(VERDICT_CONFIRMED, verdict_of(self, 1));
	EXPECT_EQ(VERDICT_REFUTED, register_says(self, 0x28003000));
	other->is_held = true;
	EXPECT_EQ(VERDICT_ACCEPTED, verdict_of(self, 1));
	other->is_held = false;
	other->is_vf = true;
	EXPECT_EQ(VERDICT_ACCEPTED, verdict_of(self, 1));
	other->is_vf = false;
	other->res[0].flags |= RES_UNSET;
	EXPECT_EQ(VERDICT_ACCEPTED, verdict_of(self, 1));
	other->res[0].flags = RES_MEM | RES_PCI_FIXED;
	EXPECT_EQ(VERDICT_ACCEPTED, verdict_of(self, 1));
	other->res[0].flags = RES_MEM;
	memcpy(other->bdf, "0005", 4);
	EXPECT_EQ(VERDICT_ACCEPTED, verdict_of(self, 1));
	memcpy(other->bdf, "0004", 4);
	memset(other->header, 0xff, sizeof(other->header));
	EXPECT_EQ(VERDICT_ACCEPTED, verdict_of(self, 1));
}

TEST_F(address, no_register)
{
	self->dev[1].res[0].flags |= RES_PCI_FIXED;
	EXPECT_EQ(VERDICT_ACCEPTED, register_says(self, 0));
	self->dev[1].res[0].flags = RES_MEM;
	self->dev[1].is_vf = true;
	EXPECT_EQ(VERDICT_ACCEPTED, register_says(self, 0));
	self->dev[1].is_vf = false;
	EXPECT_EQ(VERDICT_REFUTED, register_says(self, 0));
	memset(self->dev[1].header, 0xff, sizeof(self->dev[1].header));
	EXPECT_EQ(VERDICT_REFUTED, verdict_of(self, 1));
	EXPECT_NE(NULL, strstr(self->why.text, "does not answer"));
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
