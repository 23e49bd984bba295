// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "root.h"
#include "survey/survey.h"

/* Changes of the resource tree. */

TEST(iomem_insert_and_remove)
{
	struct iomem map = { 0 };
	int i;

	read_tree(&map, "1000-8fff : window\n"
			"  1000-1fff : a\n"
			"    1000-10ff : inside a\n"
			"  4000-4fff : c\n"
			"9000-9fff : other\n"
			"  9000-90ff : inside other\n");
	i = iomem_insert(&map, 0, 0x2000, 0x2fff, "b");
	ASSERT_EQ(3, i);
	EXPECT_STREQ("c", map.entry[4].name);
	EXPECT_EQ(0, map.entry[4].parent);
	EXPECT_EQ(5, map.entry[6].parent);
	EXPECT_EQ(7, iomem_insert(&map, IOMEM_ROOT, 0xa000, 0xafff, "last"));
	EXPECT_EQ(5, iomem_insert(&map, 0, 0x8000, 0x8fff, "last of window"));
	EXPECT_EQ(6, map.entry[7].parent);

	iomem_remove(&map, 1);
	ASSERT_EQ(7, map.nr);
	EXPECT_STREQ("b", map.entry[1].name);
	EXPECT_STREQ("inside other", map.entry[5].name);
	EXPECT_EQ(4, map.entry[5].parent);
	iomem_remove_below(&map, 4);
	ASSERT_EQ(6, map.nr);
	EXPECT_STREQ("last", map.entry[5].name);
	EXPECT_EQ(IOMEM_ROOT, map.entry[5].parent);
	iomem_free(&map);
}

/* Predictions: a port on the root bus, two devices behind it, and one beside it. */

#define PORT	"0000:00:01.0"
#define ONE	"0000:02:01.0"
#define TWO	"0000:02:02.0"
#define ROOTED	"0000:00:02.0"

FIXTURE(predict)
{
	struct pci_device dev[4];
	struct survey survey;
	struct error err;
	char text[512];
};

FIXTURE_SETUP(predict)
{
	static const char * const bdf[] = { PORT, ROOTED, ONE, TWO };
	int i;

	root_set_page_size(PAGE);
	for (i = 0; i < 4; i++) {
		struct pci_device *dev = &self->dev[i];

		snprintf(dev->bdf, sizeof(dev->bdf), "%s", bdf[i]);
		snprintf(dev->path, sizeof(dev->path), "/sys/devices/pci0000:00/%s%s",
			 i < 2 ? "" : PORT "/", bdf[i]);
		dev->iommu_group = -1;
		dev->nr_res = 17;
	}
	self->dev[0].header[0x0e] = 1;
	self->dev[0].header[0x19] = 2;
	self->dev[0].res[14] = (struct pci_resource) { 0x40000000, 0x40003fff, RES_MEM };
}

FIXTURE_TEARDOWN(predict)
{
	self->survey.scan.dev = NULL;
	survey_free(&self->survey);
	root_set_page_size(0);
}

/* A BAR, whose register has the same address, from the text of a line of the tree. */
static void give_bar(FIXTURE_DATA(predict) * self, const char *bdf, u64 start, u64 end, u64 flags)
{
	struct pci_device *dev = self->dev;
	unsigned int bar = 0;

	while (strcmp(dev->bdf, bdf))
		dev++;
	while (dev->bar_size[bar])
		bar++;
	dev->res[bar] = (struct pci_resource) { start, end, flags };
	dev->bar_size[bar] = end - start + 1;
	put(dev, 0x10 + 4 * bar, start);
}

/*
 * The tree of @window, in which the BARs are that the text names, and others; or if there is
 * none, what sysfs shows of it. The result is a word for each BAR.
 */
static const char *outcome(FIXTURE_DATA(predict) * self)
{
	size_t len = 0, i;

	self->survey.scan = (struct pci_scan) { self->dev, 4 };
	if (!self->survey.nr && survey_take(&self->survey, NULL, 0, &self->err))
		return self->err.text;
	if (survey_predict(&self->survey, &self->err))
		return self->err.text;

	self->text[0] = '\0';
	for (i = 0; i < self->survey.nr; i++) {
		const struct survey_bar *bar = &self->survey.bar[i];

		len += snprintf(self->text + len, sizeof(self->text) - len, "%s%s/%u %s 0x%llx",
				i ? ", " : "", bar->dev->bdf, bar->number, bar->state, bar->start);
	}
	return self->text;
}

static const char *predict(FIXTURE_DATA(predict) * self, const char *tree)
{
	read_tree(&self->survey.map, tree);
	return outcome(self);
}

#define WINDOW	"40000000-4fffffff : PCI Bus 0000:00\n"	\
		"  40000000-40003fff : PCI Bus 0000:02\n"

/* What leaves a page leaves it to the next one. */
TEST_F(predict, packed)
{
	give_bar(self, ONE, 0x40000000, 0x400000ff, RES_MEM);
	give_bar(self, TWO, 0x40000100, 0x400001ff, RES_MEM);
	EXPECT_STREQ(ONE "/0 relocated 0x40001000, " TWO "/0 relocated 0x40000000",
		     predict(self, WINDOW
			     "    40000000-400000ff : " ONE "\n"
			     "    40000100-400001ff : " TWO "\n"));
	EXPECT_EQ(0, survey_mapped(&self->survey));
	EXPECT_EQ(2, survey_mapped_then(&self->survey));
	EXPECT_EQ(1, survey_exit_code(&self->survey));
	EXPECT_EQ(1, self->survey.bar[0].nr_share);
	EXPECT_STREQ(TWO, self->survey.bar[0].share[0].dev->bdf);
}

/* Whoever is bound first decides. */
TEST_F(predict, order)
{
	char bdf[2][SYSFS_BDF_LEN] = { TWO, ONE };

	give_bar(self, ONE, 0x40000000, 0x400000ff, RES_MEM);
	give_bar(self, TWO, 0x40000100, 0x400001ff, RES_MEM);
	read_tree(&self->survey.map, WINDOW
		  "    40000000-400000ff : " ONE "\n"
		  "    40000100-400001ff : " TWO "\n");
	self->survey.scan = (struct pci_scan) { self->dev, 4 };
	ASSERT_EQ(0, survey_take(&self->survey, bdf, 2, &self->err));
	EXPECT_STREQ(TWO "/0 relocated 0x40001000, " ONE "/0 in-place 0x40000000", outcome(self));
}

/* Within a device BARs that have to move come first. */
TEST_F(predict, within_device)
{
	give_bar(self, ONE, 0x40000000, 0x400000ff, RES_MEM);
	give_bar(self, ONE, 0x40000100, 0x400001ff, RES_MEM);
	EXPECT_STREQ(ONE "/0 in-place 0x40000000, " ONE "/1 relocated 0x40001000",
		     predict(self, WINDOW
			     "    40000000-400000ff : " ONE "\n"
			     "    40000100-400001ff : " ONE "\n"));
}

TEST_F(predict, in_place)
{
	give_bar(self, ONE, 0x40002000, 0x400020ff, RES_MEM);
	EXPECT_STREQ(ONE "/0 in-place 0x40002000",
		     predict(self, WINDOW "    40002000-400020ff : " ONE "\n"));
	EXPECT_EQ(1, survey_mapped(&self->survey));
	EXPECT_EQ(0, survey_exit_code(&self->survey));
}

/* Alone in its page it needs no other. */
TEST_F(predict, own_page)
{
	give_bar(self, ONE, 0x40002100, 0x400021ff, RES_MEM);
	EXPECT_STREQ(ONE "/0 relocated 0x40002000",
		     predict(self, WINDOW "    40002100-400021ff : " ONE "\n"));
}

/* Its page is not wholly in what it is a child of. */
TEST_F(predict, page_ends_outside_parent)
{
	give_bar(self, ONE, 0x40000000, 0x400000ff, RES_MEM);
	EXPECT_STREQ(ONE "/0 relocated 0x40001000",
		     predict(self, WINDOW
			     "    40000000-400007ff : around\n"
			     "      40000000-400000ff : " ONE "\n"));
}

TEST_F(predict, no_space)
{
	give_bar(self, ONE, 0x40000000, 0x400000ff, RES_MEM);
	give_bar(self, TWO, 0x40000100, 0x400001ff, RES_MEM);
	EXPECT_STREQ(ONE "/0 no-space 0x40000000, " TWO "/0 no-space 0x40000100",
		     predict(self, WINDOW
			     "    40000000-400000ff : " ONE "\n"
			     "    40000100-400001ff : " TWO "\n"
			     "    40001000-40003fff : large\n"));
	EXPECT_EQ(3, survey_exit_code(&self->survey));
}

/* The first page of a window is not the first of its addresses that are free. */
TEST_F(predict, first_free_page)
{
	give_bar(self, ONE, 0x40000100, 0x400001ff, RES_MEM);
	EXPECT_STREQ(ONE "/0 relocated 0x40003000",
		     predict(self, WINDOW
			     "    40000000-400000ff : other\n"
			     "    40000100-400001ff : " ONE "\n"
			     "    40001f00-40001fff : other\n"
			     "    40002fff-40002fff : other\n"));
}

TEST_F(predict, reserved)
{
	give_bar(self, ONE, 0x40000000, 0x400000ff, RES_MEM);
	EXPECT_STREQ(ONE "/0 reserved 0x40000000",
		     predict(self, "40000000-4fffffff : Reserved\n" WINDOW
			     "    40000000-400000ff : " ONE "\n"
			     "    40000100-400001ff : other\n"));
	EXPECT_STREQ(ONE "/0 no-space 0x40000000",
		     predict(self, "40000000-4fffffff : Reserved\n" WINDOW
			     "    40000000-400000ff : " ONE "\n"
			     "    40000100-40003fff : other\n"));
}

#define SHARED	WINDOW							\
		"    40000000-400000ff : " ONE "\n"			\
		"    40000100-400001ff : other\n"

TEST_F(predict, reasons)
{
	struct survey_bar *bar;

	give_bar(self, ONE, 0x40000000, 0x400000ff, RES_MEM);
	predict(self, SHARED);
	bar = self->survey.bar;

	bar->facts.relocate_off = true;
	EXPECT_STREQ(ONE "/0 excluded 0x40000000", outcome(self));
	bar->facts.relocate_off = false;
	bar->facts.excluded = true;
	EXPECT_STREQ(ONE "/0 excluded 0x40000000", outcome(self));
	bar->facts.excluded = false;
	bar->facts.flags |= RES_PCI_FIXED;
	EXPECT_STREQ(ONE "/0 fixed 0x40000000", outcome(self));
	bar->facts.flags = RES_MEM | RES_UNSET;
	EXPECT_STREQ(ONE "/0 unassigned 0x40000000", outcome(self));
	bar->facts.flags = RES_MEM;
	self->dev[2].is_vf = true;
	EXPECT_STREQ(ONE "/0 fixed 0x40000000", outcome(self));
	self->dev[2].is_vf = false;
	self->dev[2].has_vfs = true;
	EXPECT_STREQ(ONE "/0 busy 0x40000000", outcome(self));
	self->dev[2].has_vfs = false;
	memset(self->dev[2].header, 0xff, sizeof(self->dev[2].header));
	EXPECT_STREQ(ONE "/0 inaccessible 0x40000000", outcome(self));
	EXPECT_STREQ(ONE "/0 unassigned 0x40000000", predict(self, WINDOW));
}

/* What has its page needs no leave to move, but when the administrator says so. */
TEST_F(predict, reasons_in_place)
{
	give_bar(self, ONE, 0x40000000, 0x400000ff, RES_MEM | RES_PCI_FIXED);
	self->dev[2].has_vfs = true;
	EXPECT_STREQ(ONE "/0 in-place 0x40000000",
		     predict(self, WINDOW "    40000000-400000ff : " ONE "\n"));
	self->survey.bar[0].facts.relocate_off = true;
	EXPECT_STREQ(ONE "/0 in-place 0x40000000", outcome(self));
	self->survey.bar[0].facts.excluded = true;
	EXPECT_STREQ(ONE "/0 excluded 0x40000000", outcome(self));
	/* vfio-pci maps it all the same. */
	EXPECT_EQ(1, survey_mapped_then(&self->survey));
	EXPECT_EQ(0, survey_exit_code(&self->survey));
}

/* What is in a BAR goes with the driver, if there is one. */
TEST_F(predict, busy)
{
	static const char tree[] = WINDOW
		"    40000000-400000ff : " ONE "\n"
		"      40000000-4000000f : BOOTFB\n"
		"    40000100-400001ff : other\n";

	give_bar(self, ONE, 0x40000000, 0x400000ff, RES_MEM);
	EXPECT_STREQ(ONE "/0 busy 0x40000000", predict(self, tree));
	snprintf(self->dev[2].driver, sizeof(self->dev[2].driver), "ohci-pci");
	EXPECT_STREQ(ONE "/0 relocated 0x40001000", predict(self, tree));
}

/* Speculative reads may change a register, but not where they are allowed. */
TEST_F(predict, prefetchable)
{
	static const char tree[] = WINDOW
		"    40000000-400000ff : " ONE "\n"
		"    40000100-40003fff : other\n"
		"  50000000-50003fff : PCI Bus 0000:02\n"
		"    50000000-500000ff : " TWO "\n"
		"    50000100-50000fff : other\n";

	self->dev[0].res[15] = (struct pci_resource) { 0x50000000, 0x50003fff,
						       RES_MEM | RES_PREFETCH };
	give_bar(self, ONE, 0x40000000, 0x400000ff, RES_MEM);
	give_bar(self, TWO, 0x50000000, 0x500000ff, RES_MEM | RES_PREFETCH);
	EXPECT_STREQ(ONE "/0 no-space 0x40000000, " TWO "/0 relocated 0x50001000",
		     predict(self, tree));
	self->survey.bar[0].facts.flags |= RES_PREFETCH;
	EXPECT_STREQ(ONE "/0 relocated 0x50001000, " TWO "/0 relocated 0x50002000",
		     outcome(self));
	/* A window that is off is no free space. */
	self->dev[0].res[15].flags |= RES_DISABLED;
	EXPECT_STREQ(ONE "/0 no-space 0x40000000, " TWO "/0 no-space 0x50000000",
		     outcome(self));
}

/* Of windows that all would do, one of just its kind. */
TEST_F(predict, kind_of_window)
{
	give_bar(self, ONE, 0x40000000, 0x400000ff, RES_MEM | RES_PREFETCH | RES_MEM_64);
	self->dev[0].res[15] = (struct pci_resource) { 0x50000000, 0x50003fff,
						       RES_MEM | RES_PREFETCH };
	self->dev[0].res[16] = (struct pci_resource) { 0x60000000, 0x60003fff,
						       RES_MEM | RES_PREFETCH | RES_MEM_64 };
	EXPECT_STREQ(ONE "/0 relocated 0x60000000",
		     predict(self, WINDOW
			     "    40000000-400000ff : " ONE "\n"
			     "    40000100-40003fff : other\n"
			     "  50000000-50003fff : PCI Bus 0000:02\n"
			     "  60000000-60003fff : PCI Bus 0000:02\n"));
}

/* On the bus the window is a MiB higher, and only its first two pages are below 4 GiB. */
TEST_F(predict, limit)
{
	static const char tree[] =
		"fff00000-fff03fff : PCI Bus 0000:00\n"
		"  fff00000-fff03fff : PCI Bus 0000:02\n"
		"    fff00000-fff000ff : " ONE "\n"
		"    fff00100-fff010ff : other\n";

	self->dev[0].res[14] = (struct pci_resource) { 0xfff00000, 0xfff03fff, RES_MEM };
	give_bar(self, ONE, 0xfff00000, 0xfff000ff, RES_MEM);
	put(&self->dev[2], 0x10, 0xffffe000);
	EXPECT_STREQ(ONE "/0 no-space 0xfff00000", predict(self, tree));
	self->survey.bar[0].facts.flags |= RES_MEM_64;
	EXPECT_STREQ(ONE "/0 relocated 0xfff02000", outcome(self));
}

TEST_F(predict, root_bus)
{
	give_bar(self, ROOTED, 0x40004000, 0x400040ff, RES_MEM);
	EXPECT_STREQ(ROOTED "/0 relocated 0x40005000",
		     predict(self, WINDOW
			     "  40004000-400040ff : " ROOTED "\n"
			     "  40004100-400041ff : other\n"));
	/* Another window of the host: of what kind, is not known. */
	EXPECT_STREQ(ROOTED "/0 unknown 0x40004000",
		     predict(self, "000a0000-000bffff : PCI Bus 0000:00\n" WINDOW
			     "  40004000-400040ff : " ROOTED "\n"
			     "  40004100-4fffffff : other\n"
			     "80000000-800fffff : PCI Bus 0000:00\n"));
	EXPECT_EQ(1, survey_exit_code(&self->survey));
	/* None but that of VGA, or one that is known not to be for it, or another host's. */
	EXPECT_STREQ(ROOTED "/0 no-space 0x40004000",
		     predict(self, "000a0000-000bffff : PCI Bus 0000:00\n" WINDOW
			     "  40004000-400040ff : " ROOTED "\n"
			     "  40004100-4fffffff : other\n"
			     "80000000-800fffff : PCI Bus 0000:00, prefetchable\n"
			     "90000000-900fffff : PCI Bus 0001:00\n"));
}

/* What its windows do not have, such a bridge passes on from the bus above it. */
TEST_F(predict, transparent)
{
	static const char tree[] = WINDOW
		"    40000000-40003fff : other\n"
		"  40004000-400040ff : " ONE "\n"
		"  40004100-400041ff : other\n";

	give_bar(self, ONE, 0x40004000, 0x400040ff, RES_MEM);
	EXPECT_STREQ(ONE "/0 no-space 0x40004000", predict(self, tree));
	self->dev[0].class = 0x060401;
	EXPECT_STREQ(ONE "/0 relocated 0x40005000", predict(self, tree));
}

/* With bar_size=device the rest of the page is free, but not for a page. */
TEST_F(predict, keep_size)
{
	give_bar(self, ONE, 0x40000100, 0x400001ff, RES_MEM);
	give_bar(self, TWO, 0x40001100, 0x400011ff, RES_MEM);
	predict(self, WINDOW
		"    40000000-400000ff : other\n"
		"    40000100-400001ff : " ONE "\n"
		"    40001000-400010ff : other\n"
		"    40001100-400011ff : " TWO "\n");
	self->survey.bar[0].facts.keep_size = true;
	self->survey.bar[1].facts.keep_size = true;
	EXPECT_STREQ(ONE "/0 relocated 0x40002000, " TWO "/0 relocated 0x40003000",
		     outcome(self));
}

/* Without /proc/iomem windows of bridges are known, those of a host are not. */
TEST_F(predict, from_sysfs)
{
	self->dev[0].res[0] = (struct pci_resource) { 0x40010000, 0x4001ffff, RES_MEM };
	give_bar(self, ONE, 0x40000000, 0x400000ff, RES_MEM);
	give_bar(self, TWO, 0x40000100, 0x400001ff, RES_MEM);
	give_bar(self, ROOTED, 0x40004000, 0x400040ff, RES_MEM);
	give_bar(self, ROOTED, 0x40005100, 0x400051ff, RES_MEM);
	give_bar(self, ROOTED, 0x40006100, 0x400061ff, RES_MEM);
	give_bar(self, ROOTED, 0x40006200, 0x400062ff, RES_MEM);
	give_bar(self, ROOTED, 0, 0xff, RES_MEM | RES_UNSET);
	self->survey.scan = (struct pci_scan) { self->dev, 4 };
	ASSERT_EQ(0, survey_tree(&self->survey.scan, &self->survey.map, &self->err));
	EXPECT_STREQ(ROOTED "/0 in-place 0x40004000, "
		     ROOTED "/1 relocated 0x40005000, "
		     ROOTED "/2 unknown 0x40006100, "
		     ROOTED "/3 unknown 0x40006200, "
		     ROOTED "/4 unassigned 0x0, "
		     ONE "/0 relocated 0x40001000, "
		     TWO "/0 relocated 0x40000000", outcome(self));
	EXPECT_EQ(2, survey_unknown(&self->survey));
	EXPECT_EQ(3, survey_exit_code(&self->survey));
}

TEST_F(predict, bridge_is_refused)
{
	char bdf[1][SYSFS_BDF_LEN] = { PORT };

	self->survey.scan = (struct pci_scan) { self->dev, 4 };
	EXPECT_EQ(-1, survey_take(&self->survey, bdf, 1, &self->err));
	EXPECT_NE(NULL, strstr(self->err.text, PORT " is a bridge"));
}
