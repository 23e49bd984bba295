// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of what the suite computes. They need no device and no privilege.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <json-c/json.h>

#include "kselftest_harness.h"

#include "device/look.h"
#include "device/obstacle.h"
#include "device/subject.h"
#include "device/sysfs.h"
#include "device/vfio_backend.h"
#include "device/vfio_device.h"
#include "expect/expect.h"
#include "expect/iomem.h"
#include "kunit.h"
#include "measure/cycles.h"
#include "measure/machine.h"
#include "measure/measure.h"
#include "measure/random.h"
#include "measure/stats.h"
#include "options.h"
#include "registers/mmio.h"
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

/* Register accesses. */

TEST(mmio_widths)
{
	union {
		u64 whole;
		u8 byte[8];
	} memory = { .byte = { 1, 2, 3, 4, 5, 6, 7, 8 } };

	EXPECT_EQ(0x01, mmio_read(&memory, 1));
	EXPECT_EQ(0x0201, mmio_read(&memory, 2));
	EXPECT_EQ(0x04030201, mmio_read(&memory, 4));
	EXPECT_EQ(0x0807060504030201, mmio_read(&memory, 8));

	mmio_write(&memory.byte[4], 2, 0xaabb);
	EXPECT_EQ(0xbb, memory.byte[4]);
	EXPECT_EQ(0xaa, memory.byte[5]);
	EXPECT_EQ(4, memory.byte[3]);
	EXPECT_EQ(7, memory.byte[6]);
}

/* PCI addresses and resources. */

TEST(bdf_forms)
{
	char bdf[SYSFS_BDF_LEN];

	EXPECT_TRUE(sysfs_parse_bdf("0000:01:00.0", bdf));
	EXPECT_STREQ("0000:01:00.0", bdf);
	EXPECT_TRUE(sysfs_parse_bdf("01:1f.7", bdf));
	EXPECT_STREQ("0000:01:1f.7", bdf);
	EXPECT_TRUE(sysfs_parse_bdf("10000:AB:00.0", bdf));
	EXPECT_STREQ("10000:ab:00.0", bdf);
}

TEST(bdf_rejected)
{
	static const char * const wrong[] = {
		"", "01:00", "01:00.8", "01:20.0", "0000:01:00.0x", "0000:01:00.0 ", " 01:00.0",
		"eth0", "0000:101:00.0", "-1:00.0", "0000:01:00.",
	};
	char bdf[SYSFS_BDF_LEN];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		EXPECT_FALSE(sysfs_parse_bdf(wrong[i], bdf))
			TH_LOG("'%s' was taken as %s", wrong[i], bdf);
	}
}

TEST(resource_line)
{
	struct pci_resource res;

	ASSERT_TRUE(sysfs_parse_resource("0x00000000fe240100 0x00000000fe2401ff 0x0000040200\n",
					 &res));
	EXPECT_EQ(0xfe240100, res.start);
	EXPECT_EQ(0xfe2401ff, res.end);
	EXPECT_EQ(0x40200, res.flags);
	EXPECT_EQ(256, sysfs_resource_size(&res));
}

TEST(resource_line_extremes)
{
	struct pci_resource res;

	ASSERT_TRUE(sysfs_parse_resource("0x0000000000000000 0x0000000000000000 0x0000000000000000",
					 &res));
	EXPECT_EQ(0, sysfs_resource_size(&res));

	ASSERT_TRUE(sysfs_parse_resource("0xffffffffffff0000 0xffffffffffffffff 0x0000000000140204",
					 &res));
	EXPECT_EQ(0x10000, sysfs_resource_size(&res));

	/* Unassigned: no address, but a size. */
	ASSERT_TRUE(sysfs_parse_resource("0x0000000000000000 0x00000000000000ff 0x0000000020040200",
					 &res));
	EXPECT_EQ(256, sysfs_resource_size(&res));
}

TEST(resource_line_rejected)
{
	struct pci_resource res;

	EXPECT_FALSE(sysfs_parse_resource("", &res));
	EXPECT_FALSE(sysfs_parse_resource("0x1 0x2", &res));
	EXPECT_FALSE(sysfs_parse_resource("0x1 0x2 0x3 0x4", &res));
	EXPECT_FALSE(sysfs_parse_resource("start end flags", &res));
}

TEST(unassigned_bar)
{
	struct pci_device dev = {
		.res = {
			{ 0xfe000000, 0xfe000fff, RES_MEM },
			{ 0, 0, 0 },
			{ 0, 0xff, RES_MEM | RES_UNSET },
		},
	};

	EXPECT_EQ(2, sysfs_unassigned_bar(&dev));
	dev.res[2].flags = 0;
	EXPECT_EQ(-1, sysfs_unassigned_bar(&dev));
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

static void place(struct _test_data_expect *self, u64 start, u64 size,
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

static unsigned int intruders(struct _test_data_exclusive *self, const char *more)
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

static enum verdict verdict_of(struct _test_data_address *self, unsigned int i)
{
	return expect_address(&self->scan, &self->map, &self->dev[i], 0, &self->why);
}

static enum verdict register_says(struct _test_data_address *self, u32 value)
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

/* Profiles. */

static int parse_profile(const char *text, struct profile *profile, struct error *err)
{
	FILE *file = text_file(text);
	int ret = profile_parse(file, "x.profile", profile, err);

	fclose(file);
	return ret;
}

TEST(profile_good)
{
	static const char text[] =
		"# a comment\n"
		"\n"
		"device 1234:11e8   # another\n"
		"\tdevice 1af4:*\n"
		"class 0c0310\n"
		"name QEMU edu\t\n"
		"register bar=0 offset=0x10 width=4 access=ro value=0xed mask=0xff\n"
		"register access=rw readback=inverted width=8 offset=8 bar=5\n"
		"register bar=1 offset=0 width=1 access=rw readback=same\n"
		"register bar=0 offset=0 width=2 access=ro value=0xbeef\n";
	struct safe_register reg[4];
	struct profile profile;
	struct error err;

	ASSERT_EQ(0, parse_profile(text, &profile, &err))
		TH_LOG("%s", err.text);
	EXPECT_STREQ("QEMU edu", profile.name);
	ASSERT_EQ(3, profile.nr_match);
	EXPECT_EQ(0x1234, profile.match[0].vendor);
	EXPECT_EQ(0x11e8, profile.match[0].device);
	EXPECT_EQ(PROFILE_ANY_DEVICE, profile.match[1].device);
	EXPECT_TRUE(profile.match[2].is_class);
	EXPECT_EQ(0x0c0310, profile.match[2].class);
	ASSERT_EQ(4, profile.nr_reg);

	memcpy(reg, profile.reg, sizeof(reg));
	EXPECT_EQ(0x10, reg[0].offset);
	EXPECT_EQ(4, reg[0].width);
	EXPECT_EQ(READBACK_NONE, reg[0].readback);
	EXPECT_EQ(0xed, reg[0].value);
	EXPECT_EQ(0xff, reg[0].mask);
	EXPECT_EQ(5, reg[1].bar);
	EXPECT_EQ(READBACK_INVERTED, reg[1].readback);
	EXPECT_EQ(0, reg[1].mask);
	EXPECT_EQ(READBACK_SAME, reg[2].readback);
	EXPECT_EQ(0xffff, reg[3].mask);
	profile_free(&profile);
}

/* What is wrong, in line 3 each time, and what the error says about it. */
static const struct {
	const char *line;
	const char *says;
} wrong_line[] = {
	{ "reg bar=0", "unknown line 'reg'" },
	{ "device 1234", "vendor:device" },
	{ "device 12345:1", "vendor" },
	{ "device 1234:xyz", "device" },
	{ "device 1234:1 extra", "device" },
	{ "device 1234:11e8", "there already" },
	{ "class 0c03", "6 hexadecimal digits" },
	{ "class 0c03zz", "6 hexadecimal digits" },
	{ "name again", "second name" },
	{ "register bar=0 offset=0 width=4", "access= is missing" },
	{ "register offset=0 width=4 access=ro", "bar= is missing" },
	{ "register bar=0 width=4 access=ro", "offset= is missing" },
	{ "register bar=0 offset=0 access=ro", "width= is missing" },
	{ "register bar=6 offset=0 width=4 access=ro", "bar=6: not one of" },
	{ "register bar=-1 offset=0 width=4 access=ro", "bar=-1: not a number" },
	{ "register bar=0 offset=zero width=4 access=ro", "offset=zero: not a number" },
	{ "register bar=0 offset=0x width=4 access=ro", "offset=0x: not a number" },
	{ "register bar=0 offset=0x0x4 width=4 access=ro", "not a number" },
	{ "register bar=0 offset=0x10000000000000000 width=4 access=ro", "not a number" },
	{ "register bar=0 offset=0 width=3 access=ro", "width=3: not one of" },
	{ "register bar=0 offset=0 width=16 access=ro", "width=16: not one of" },
	{ "register bar=0 offset=2 width=4 access=ro", "multiple of the width" },
	{ "register bar=0 offset=0 width=4 access=wo", "access=wo: neither" },
	{ "register bar=0 offset=0 width=4 access=rw", "without readback" },
	{ "register bar=0 offset=0 width=4 access=rw readback=zero", "readback=zero: neither" },
	{ "register bar=0 offset=0 width=4 access=ro readback=same", "readback= needs" },
	{ "register bar=0 offset=0 width=4 access=rw readback=same value=1", "need access=ro" },
	{ "register bar=0 offset=0 width=4 access=ro mask=1", "mask= without value=" },
	{ "register bar=0 offset=0 width=1 access=ro value=0x100", "wider" },
	{ "register bar=0 bar=0 offset=0 width=4 access=ro", "bar= is given twice" },
	{ "register bar=0 offset=0 width=4 access=ro colour=red", "unknown key 'colour'" },
	{ "register bar=0 offset=0 width=4 access=ro safe", "key=value" },
	{ "register bar=2 offset=0 width=4 access=ro", "there already" },
};

TEST(profile_errors)
{
	struct profile profile;
	struct error err;
	char text[512];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong_line); i++) {
		snprintf(text, sizeof(text),
			 "device 1234:11e8\nname x\n%s\n", wrong_line[i].line);
		/* The last one repeats a register. */
		if (i == ARRAY_SIZE(wrong_line) - 1)
			snprintf(text, sizeof(text), "device 1:2\n%s\n%s\n",
				 wrong_line[i].line, wrong_line[i].line);

		EXPECT_EQ(-1, parse_profile(text, &profile, &err))
			TH_LOG("'%s' was taken", wrong_line[i].line);
		EXPECT_EQ(0, strncmp("x.profile:3: ", err.text, 13))
			TH_LOG("'%s' gave '%s'", wrong_line[i].line, err.text);
		EXPECT_NE(NULL, strstr(err.text, wrong_line[i].says))
			TH_LOG("'%s' gave '%s'", wrong_line[i].line, err.text);
	}
}

TEST(profile_order_and_end)
{
	struct profile profile;
	struct error err;

	EXPECT_EQ(-1, parse_profile("name x\nregister bar=0 offset=0 width=4 access=ro\n",
				    &profile, &err));
	EXPECT_STREQ("x.profile:2: register before any device or class", err.text);
	EXPECT_EQ(-1, parse_profile("device 1:2\n", &profile, &err));
	EXPECT_STREQ("x.profile:1: names no register", err.text);
	EXPECT_EQ(-1, parse_profile("", &profile, &err));
}

TEST(profile_directory_missing)
{
	struct profile_set set;
	struct error err;

	EXPECT_EQ(-1, profile_set_load("/nonexistent/profiles", &set, &err));
	EXPECT_NE(NULL, strstr(err.text, "/nonexistent/profiles"));
}

TEST(profile_match)
{
	struct profile profile[3];
	struct profile_set set = { profile, 3 };
	struct safe_register reg[4];
	struct error err;

	ASSERT_EQ(0, parse_profile("class 0c0310\nregister bar=0 offset=0 width=4 access=ro\n",
				   &profile[0], &err));
	ASSERT_EQ(0, parse_profile("device 1:*\nregister bar=0 offset=4 width=4 access=ro\n",
				   &profile[1], &err));
	ASSERT_EQ(0, parse_profile("device 1:2\nregister bar=0 offset=8 width=4 access=ro\n"
				   "register bar=1 offset=12 width=4 access=ro\n",
				   &profile[2], &err));

	/* The closest profile first. */
	ASSERT_EQ(3, profile_set_registers(&set, 1, 2, 0x0c0310, 0, reg, 4));
	EXPECT_EQ(8, reg[0].offset);
	EXPECT_EQ(2, profile_set_registers(&set, 1, 2, 0x0c0310, 0, reg, 2));
	EXPECT_EQ(1, profile_set_registers(&set, 1, 3, 0, 0, reg, 4));
	EXPECT_EQ(4, reg[0].offset);
	EXPECT_EQ(1, profile_set_registers(&set, 1, 2, 0, 1, reg, 4));
	EXPECT_EQ(1, profile_set_registers(&set, 9, 9, 0x0c0310, 0, reg, 4));
	EXPECT_EQ(0, profile_set_registers(&set, 9, 9, 0x0c0320, 0, reg, 4));
	EXPECT_EQ(0, profile_set_registers(&set, 9, 2, 0, 0, reg, 4));
}

TEST(profiles_shipped)
{
	struct options options;
	struct profile_set set;
	char *name = "x";
	struct error err;

	ASSERT_EQ(0, options_parse(OPTIONS_TEST, 1, &name, NULL, &options, &err));
	ASSERT_EQ(0, profile_set_load(options.profiles, &set, &err))
		TH_LOG("%s", err.text);
	EXPECT_LT(0, set.nr);
	profile_set_free(&set);
}

/* The command line. */

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

	ASSERT_EQ(0, parse_options(&options, &err, "0000:09:00.0", "--samples", "7", "-t", "mmap",
				   "--batch=3", "01:00.0", "-vx", "--register",
				   "2:00.1 bar=1 offset=4 width=2 access=ro", "0000:01:00.0", NULL))
		TH_LOG("%s", err.text);
	EXPECT_EQ(7, options.samples);
	EXPECT_EQ(3, options.batch);
	ASSERT_EQ(1, options.nr_bdf);
	EXPECT_STREQ("0000:01:00.0", options.bdf[0]);
	ASSERT_EQ(4, options.harness_argc);
	EXPECT_STREQ("mmap", options.harness_argv[2]);
	EXPECT_STREQ("-vx", options.harness_argv[3]);
	ASSERT_EQ(1, options.nr_reg);
	EXPECT_STREQ("0000:02:00.1", options.reg[0].bdf);
	EXPECT_EQ(4, options.reg[0].reg.offset);
	EXPECT_FALSE(options.list_only);
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

TEST(options_rejected)
{
	struct options options;
	struct error err;

	EXPECT_EQ(-1, parse_options(&options, &err, NULL, "--colour", "red", NULL));
	EXPECT_NE(NULL, strstr(err.text, "--colour"));
	EXPECT_EQ(-1, parse_options(&options, &err, NULL, "--samples", "0", NULL));
	EXPECT_EQ(-1, parse_options(&options, &err, NULL, "--samples", "ten", NULL));
	EXPECT_EQ(-1, parse_options(&options, &err, NULL, "--results", NULL));
	EXPECT_EQ(-1, parse_options(&options, &err, NULL, "eth0", NULL));
	EXPECT_NE(NULL, strstr(err.text, "eth0"));
	EXPECT_EQ(-1, parse_options(&options, &err, "nonsense", NULL));
	EXPECT_EQ(-1, parse_options(&options, &err, NULL, "--register", "01:00.0 bar=9", NULL));
	EXPECT_NE(NULL, strstr(err.text, "bar=9"));
	EXPECT_EQ(-1, parse_options(&options, &err, NULL, "--register", "bar=0", NULL));
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

/* Ways to a device. */

static bool never(const struct vfio_backend_ops *ops, const struct pci_device *dev,
		  struct error *why)
{
	error_set(why, "no %s for %s", ops->name, dev->bdf);
	return false;
}

static bool always(const struct vfio_backend_ops *ops, const struct pci_device *dev,
		   struct error *why)
{
	return true;
}

TEST(backend_choice)
{
	static const struct vfio_backend_ops no = { .name = "one", .applies = never };
	static const struct vfio_backend_ops nor = { .name = "nor", .applies = never };
	static const struct vfio_backend_ops yes = { .name = "yes", .applies = always };
	static const struct vfio_backend_ops also = { .name = "also", .applies = always };
	const struct vfio_backend_ops *list[] = { &no, &yes, &nor, &also };
	const struct vfio_backend_ops *bad[] = { &no, &nor };
	struct pci_device dev = { .bdf = BDF };
	struct error err;

	EXPECT_EQ(&yes, vfio_backend_choose(list, 4, &dev, &err));
	EXPECT_EQ(NULL, vfio_backend_choose(bad, 2, &dev, &err));
	EXPECT_STREQ(BDF " cannot be opened; one: no one for " BDF "; nor: no nor for " BDF,
		     err.text);
}

/* In whatever way, a device without a group cannot be opened. */
TEST(backend_without_group)
{
	struct pci_device dev = { .bdf = BDF, .iommu_group = -1 };
	struct error err;

	EXPECT_EQ(NULL, vfio_backend_choose(vfio_backends, VFIO_NR_BACKENDS, &dev, &err));
	EXPECT_NE(NULL, strstr(err.text, "IOMMU group"));
}

TEST(backend_iommu)
{
	struct pci_device real = { .bdf = BDF, .iommu_group = 3 };
	struct pci_device made_up = { .bdf = BDF, .iommu_group = 3, .is_noiommu = true };
	struct error why;

	EXPECT_TRUE(obstacle_iommu(&real, false, &why));
	EXPECT_TRUE(obstacle_iommu(&made_up, true, &why));
	EXPECT_FALSE(obstacle_iommu(&real, true, &why));
	EXPECT_STREQ(BDF " has an IOMMU: no-IOMMU mode does not apply", why.text);
	EXPECT_FALSE(obstacle_iommu(&made_up, false, &why));
	EXPECT_NE(NULL, strstr(why.text, "has no IOMMU"));
}

TEST(backend_device_file)
{
	struct error why;

	EXPECT_FALSE(obstacle_missing("/dev/null", "CONFIG_NULL", &why));
	EXPECT_TRUE(obstacle_missing("/dev/no/such", "CONFIG_SUCH", &why));
	EXPECT_NE(NULL, strstr(why.text, "/dev/no/such"));
	EXPECT_NE(NULL, strstr(why.text, "CONFIG_SUCH"));
	/* Is there, but not for us: no reason for a skip. */
	EXPECT_FALSE(obstacle_missing("/", "CONFIG_ROOT", &why));
}

TEST(backend_open_errors)
{
	static const struct {
		int error;
		const char *says;
	} errors[] = {
		{ ENOENT, "does not exist" },
		{ ENODEV, "does not exist" },
		{ EACCES, "permission" },
		{ EBUSY, "in use" },
		{ EMFILE, "Too many open files" },
	};
	struct pci_device dev = { .bdf = BDF, .is_noiommu = true };
	struct error err;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		EXPECT_EQ(-1, obstacle_open("/dev/iommu", errors[i].error, &err));
		EXPECT_NE(NULL, strstr(err.text, "/dev/iommu"));
		EXPECT_NE(NULL, strstr(err.text, errors[i].says));
	}
	EXPECT_EQ(-1, obstacle_permission(&dev, &err));
	EXPECT_NE(NULL, strstr(err.text, BDF));
	EXPECT_NE(NULL, strstr(err.text, "CAP_SYS_RAWIO"));
}

TEST(backend_viable)
{
	struct pci_device dev[] = {
		{ .bdf = "0000:00:01.0", .iommu_group = 3, .driver = "pcieport" },
		{ .bdf = "0000:00:02.0", .iommu_group = 3, .driver = DRIVER_VFIO_PCI,
		  .is_vfio = true },
		{ .bdf = "0000:00:03.0", .iommu_group = 3 },
		{ .bdf = "0000:00:04.0", .iommu_group = 4, .driver = "nvme" },
		{ .bdf = "0000:00:05.0", .iommu_group = 3, .driver = "e1000e" },
	};
	struct pci_scan others = { .dev = dev, .nr = 5 }, none = { .dev = dev, .nr = 4 };
	struct error err = { "" };

	EXPECT_EQ(0, obstacle_viable(&none, &dev[1], &err));
	EXPECT_EQ(-1, obstacle_viable(&others, &dev[1], &err));
	EXPECT_NE(NULL, strstr(err.text, "not viable"));
	EXPECT_NE(NULL, strstr(err.text, " 0000:00:05.0 (e1000e)"));
	EXPECT_EQ(NULL, strstr(err.text, "nvme"));

	EXPECT_EQ(-1, obstacle_device(&others, &dev[1], EBUSY, &err));
	EXPECT_NE(NULL, strstr(err.text, "not viable"));
	EXPECT_EQ(-1, obstacle_device(&none, &dev[1], EBUSY, &err));
	EXPECT_NE(NULL, strstr(err.text, "in use"));
	EXPECT_EQ(-1, obstacle_device(&none, &dev[1], EPERM, &err));
	EXPECT_NE(NULL, strstr(err.text, "interrupt remapping"));
}

/* What a device shows. */

FIXTURE(looks)
{
	struct device_look a;
	struct device_look b;
	struct error why;
};

FIXTURE_SETUP(looks)
{
	self->a.state = LOOK_TAKEN;
	self->a.bar[0].info = (struct vfio_region_info) { .flags = 7, .size = 256 };
	self->a.bar[2].info = (struct vfio_region_info) { .flags = 3, .size = 256,
							  .offset = 2ULL << 40 };
	self->a.bar[2].map = -EINVAL;
	self->a.nr_reg = 2;
	self->a.reg[0] = (struct register_look) { .reg.offset = 4, .file = 9, .mapped = 9 };
	self->a.reg[1] = (struct register_look) { .reg.offset = 8, .reg.bar = 2 };
	self->b = self->a;
}

FIXTURE_TEARDOWN(looks)
{
}

TEST_F(looks, same)
{
	EXPECT_TRUE(look_same_regions(&self->a, &self->b, &self->why));
	EXPECT_TRUE(look_maps_as_flagged(&self->a, &self->why));
	EXPECT_TRUE(look_same_registers(&self->a, &self->b, &self->why));
}

TEST_F(looks, regions_differ)
{
	self->b.bar[0].info.flags = 3;
	EXPECT_FALSE(look_same_regions(&self->a, &self->b, &self->why));
	EXPECT_STREQ("BAR0: flags is 0x7, and 0x3 the other way", self->why.text);
	self->b = self->a;
	self->b.bar[5].info.size = 1;
	EXPECT_FALSE(look_same_regions(&self->a, &self->b, &self->why));
	EXPECT_EQ(0, strncmp("BAR5: size", self->why.text, 10));
	self->b = self->a;
	self->b.bar[2].info.offset++;
	EXPECT_FALSE(look_same_regions(&self->a, &self->b, &self->why));
	EXPECT_EQ(0, strncmp("BAR2: offset", self->why.text, 12));
}

TEST_F(looks, maps_otherwise)
{
	self->a.bar[0].map = -EINVAL;
	EXPECT_FALSE(look_maps_as_flagged(&self->a, &self->why));
	EXPECT_EQ(0, strncmp("BAR0 is flagged", self->why.text, 15));
	self->a.bar[0].map = 0;
	self->a.bar[2].map = 0;
	EXPECT_FALSE(look_maps_as_flagged(&self->a, &self->why));
	EXPECT_EQ(0, strncmp("BAR2 is not flagged", self->why.text, 19));
	/* Refused, but for another reason. */
	self->a.bar[2].map = -ENOMEM;
	EXPECT_FALSE(look_maps_as_flagged(&self->a, &self->why));
	/* Somebody else has a region inside. */
	self->a.bar[2].map = -EINVAL;
	self->a.bar[0].map = -EBUSY;
	EXPECT_FALSE(look_maps_as_flagged(&self->a, &self->why));
	self->a.bar[0].busy = true;
	EXPECT_TRUE(look_maps_as_flagged(&self->a, &self->why));
	self->a.bar[0].map = 0;
	EXPECT_FALSE(look_maps_as_flagged(&self->a, &self->why));
}

TEST_F(looks, registers_differ)
{
	self->b.reg[1].file = 1;
	EXPECT_FALSE(look_same_registers(&self->a, &self->b, &self->why));
	EXPECT_NE(NULL, strstr(self->why.text, "BAR2: register at 0x8 is 0x0"));
	self->b = self->a;
	self->b.reg[0].mapped = 0xff;
	EXPECT_FALSE(look_same_registers(&self->a, &self->b, &self->why));
	EXPECT_NE(NULL, strstr(self->why.text, "BAR0: register at 0x4, mapped,"));
}

/* A backend of which only opening matters. */
static struct vfio_backend *fake_create(const struct vfio_backend_ops *ops, struct error *err)
{
	static struct vfio_backend backend;

	backend.ops = ops;
	return &backend;
}

static int fake_attach(struct vfio_backend *backend, const struct pci_scan *scan,
		       const struct pci_device *dev, struct error *err)
{
	return 0;
}

static void fake_destroy(struct vfio_backend *backend)
{
}

static int open_nothing(struct vfio_backend *backend, const struct pci_scan *scan,
			const struct pci_device *dev, struct error *err)
{
	return error_set(err, "%s is away", dev->bdf);
}

static int open_null(struct vfio_backend *backend, const struct pci_scan *scan,
		     const struct pci_device *dev, struct error *err)
{
	return open("/dev/null", O_RDWR);
}

static int crash(struct vfio_backend *backend, const struct pci_scan *scan,
		 const struct pci_device *dev, struct error *err)
{
	return raise(SIGBUS);
}

TEST_F(looks, through)
{
	struct vfio_backend_ops ops = {
		.name = "fake", .applies = never, .create = fake_create, .attach = fake_attach,
		.destroy = fake_destroy,
	};
	struct pci_device dev = { .bdf = BDF };
	struct pci_scan scan = { .dev = &dev, .nr = 1 };
	struct device_look *seen;

	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		    -1, 0);
	ASSERT_NE(MAP_FAILED, seen);

	look_through(&ops, &scan, &dev, seen);
	EXPECT_EQ(LOOK_SKIPPED, seen->state);
	EXPECT_STREQ("no fake for " BDF, seen->why.text);

	ops.applies = always;
	ops.open = open_nothing;
	look_through(&ops, &scan, &dev, seen);
	EXPECT_EQ(LOOK_FAILED, seen->state);
	EXPECT_STREQ(BDF " is away", seen->why.text);

	ops.open = open_null;
	look_through(&ops, &scan, &dev, seen);
	EXPECT_EQ(LOOK_FAILED, seen->state);
	EXPECT_EQ(0, strncmp("region info: ", seen->why.text, 13));

	ops.open = crash;
	look_through(&ops, &scan, &dev, seen);
	EXPECT_EQ(LOOK_FAILED, seen->state);
	EXPECT_NE(NULL, strstr(seen->why.text, "signal 7"));
	munmap(seen, sizeof(*seen));
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

FIXTURE(named)
{
	struct options options;
	struct named_register named;
	struct pci_device dev;
	struct pci_scan scan;
	struct error err;
};

FIXTURE_SETUP(named)
{
	memset(self, 0, sizeof(*self));
	snprintf(self->dev.bdf, sizeof(self->dev.bdf), BDF);
	self->dev.res[1] = (struct pci_resource) {
		.start = 0xfe240100, .end = 0xfe2401ff, .flags = RES_MEM,
	};
	self->scan = (struct pci_scan) { .dev = &self->dev, .nr = 1 };
	self->named.reg = (struct safe_register) { .bar = 1, .width = 4, .offset = 0xfc };
	snprintf(self->named.bdf, sizeof(self->named.bdf), BDF);
	self->options.reg = &self->named;
	self->options.nr_reg = 1;
}

FIXTURE_TEARDOWN(named)
{
}

static const char *complaint(struct _test_data_named *self)
{
	self->err.text[0] = '\0';
	registers_check(&self->options, &self->scan, &self->err);
	return self->err.text;
}

TEST_F(named, outside)
{
	EXPECT_STREQ("", complaint(self));
	self->named.reg.offset = 0x100;
	EXPECT_STREQ("--register: " BDF " BAR1 has only 0x100 bytes, none at 0x100",
		     complaint(self));
	/* The end of it is no small number. */
	self->named.reg.offset = -8ULL;
	self->named.reg.width = 8;
	EXPECT_STRNE("", complaint(self));
	self->named.reg.bar = 0;
	EXPECT_STREQ("--register: " BDF " BAR0 is not a memory BAR", complaint(self));
}

TEST_F(named, of_another_device)
{
	char other[1][SYSFS_BDF_LEN] = { "0000:09:00.0" };

	self->options.bdf = other;
	self->options.nr_bdf = 1;
	EXPECT_STREQ("--register: " BDF " is not among the devices that are named",
		     complaint(self));
	snprintf(self->named.bdf, sizeof(self->named.bdf), "0000:09:00.0");
	EXPECT_STREQ("--register: 0000:09:00.0: there is no such PCI device: lspci -D lists them",
		     complaint(self));
}

TEST_F(named, counts_once)
{
	struct named_register twice[3] = { self->named, self->named, self->named };
	struct profile_set none = { 0 };
	struct safe_register reg[4];

	twice[2].reg.offset = -4ULL;
	self->options.reg = twice;
	self->options.nr_reg = 3;
	EXPECT_EQ(1, safe_registers(&self->options, &none, &self->dev, 1, reg, 4));
	twice[1].reg.width = 2;
	EXPECT_EQ(2, safe_registers(&self->options, &none, &self->dev, 1, reg, 4));
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

TEST(register_values)
{
	struct safe_register reg = { .width = 2, .readback = READBACK_INVERTED };

	EXPECT_EQ(0xff00, register_mirror(&reg, 0xff));
	EXPECT_TRUE(register_answers(&reg, 0xffff));
	reg.readback = READBACK_NONE;
	EXPECT_FALSE(register_answers(&reg, 0xffff));
	EXPECT_TRUE(register_answers(&reg, 0xfffe));
	reg.mask = 1;
	EXPECT_TRUE(register_answers(&reg, 0xffff));
	EXPECT_EQ(U64_MAX, register_mask(8));
}

TEST(perf_options)
{
	char seed[] = "--seed=0x12";
	char *argv[11] = { "perf", "--paths", "mmap,file", seed, "--remote-node",
			 "--delay", "5", "--blocks", "3", "01:00.0", NULL };
	struct options options;
	struct error err = { "" };

	ASSERT_EQ(0, options_parse(OPTIONS_PERF, 10, argv, NULL, &options, &err))
		TH_LOG("%s", err.text);
	EXPECT_STREQ("mmap,file", options.paths);
	EXPECT_EQ(0x12, options.seed);
	EXPECT_TRUE(options.remote_node);
	EXPECT_EQ(5, options.delay_ns);
	EXPECT_EQ(3, options.blocks);
	EXPECT_EQ(0, options.batch);
	EXPECT_EQ(1, options.nr_bdf);
}

static bool perf_refuses(const char *option)
{
	struct options options;
	struct error err;
	char word[32];
	char *argv[3] = { "perf", word, NULL };

	snprintf(word, sizeof(word), "%s", option);
	return options_parse(OPTIONS_PERF, 2, argv, NULL, &options, &err);
}

TEST(perf_options_refused)
{
	EXPECT_TRUE(perf_refuses("-l"));
	EXPECT_TRUE(perf_refuses("--seed=x"));
	EXPECT_TRUE(perf_refuses("--blocks=0"));
	EXPECT_TRUE(perf_refuses("--batch=262145"));
	EXPECT_FALSE(perf_refuses("--batch=262144"));
	EXPECT_TRUE(perf_refuses("--nonsense=1"));
	EXPECT_FALSE(perf_refuses("--blocks=1"));
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
