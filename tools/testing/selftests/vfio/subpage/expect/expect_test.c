// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "expect/expect.h"
#include "expect/iomem.h"

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

	EXPECT_EQ(IOMEM_HIDDEN, iomem_parse(file, &map, &err));
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

	ASSERT_TRUE(iomem_free_page(&map, 0, PAGE, 0, U64_MAX, &page));
	EXPECT_EQ(0x3000, page);
	EXPECT_FALSE(iomem_free_page(&map, 0, PAGE, 0, 0x3ffe, &page));
	EXPECT_TRUE(iomem_free_page(&map, 0, PAGE, 0, 0x3fff, &page));
	EXPECT_FALSE(iomem_free_page(&map, 0, 0x10000, 0, U64_MAX, &page));

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
static bool is_busy(struct _test_data_expect *self, u64 start, u64 size, const char *more,
		    struct error *why)
{
	struct pci_device dev = { .bdf = BDF };

	dev.res[2] = (struct pci_resource) { start, start + size - 1, RES_MEM };
	place(self, start, size, more);
	return expect_busy(&dev, 2, &self->map, why);
}

TEST_F(expect, region_inside)
{
	struct error why = { "" };

	EXPECT_TRUE(is_busy(self, 0x11000, 2 * PAGE,
			    "11000-11fff : BOOTFB\n11000-110ff : simpledrm\n", &why));
	EXPECT_EQ(0, strncmp("'BOOTFB' has 0x11000-0x11fff of the BAR", why.text, 39))
		TH_LOG("%s", why.text);
	EXPECT_NE(NULL, strstr(why.text, "initcall_blacklist=sysfb_init"));
	/* Region info says nothing of it. */
	EXPECT_TRUE(expect_mmap(&self->bar, &self->map));

	EXPECT_TRUE(is_busy(self, 0x11000, 2 * PAGE, "12000-12fff : vesafb\n", &why));
	EXPECT_FALSE(is_busy(self, 0x11000, 2 * PAGE, "", &why));
	EXPECT_FALSE(is_busy(self, 0x11000, 2 * PAGE, "11000-12fff : vfio-pci\n", &why));
	EXPECT_FALSE(is_busy(self, 0x11000, 2 * PAGE, "11000-12fff : vfio\n", &why));
	/* In another BAR of the device. */
	EXPECT_FALSE(is_busy(self, 0x11000, PAGE,
			     "12000-12fff : " BDF "\n12000-120ff : BOOTFB\n", &why));
	/* A BAR that is not there. */
	EXPECT_FALSE(expect_busy(&(struct pci_device) { .bdf = BDF }, 0, &self->map, &why));
}

TEST_F(expect, reason_no_space)
{
	place(self, 0x11100, 0x100, "");
	EXPECT_EQ(VERDICT_CHANGED, judge(self, "no-space"));
	place(self, 0x10100, 0x100,
	      "11000-110ff : a\n12000-12fff : b\n13800-138ff : c\n");
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
