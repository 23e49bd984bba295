// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of the rule that decides what should happen to a BAR. It is pure,
 * so the driver's own file is compiled in and needs neither kernel nor device.
 */
#include "kselftest_harness.h"

#include "../../../../drivers/vfio/pci/subpage/policy.h"

#define PAGE	0x1000ULL
#define BASE	0xfe500000ULL

static struct pci_subpage_bar_info bar_at(__u64 offset, __u64 size)
{
	return (struct pci_subpage_bar_info) {
		.start = BASE + offset,
		.size = size,
		.is_mem = true,
		.assigned = true,
	};
}

static __u64 bytes(const struct pci_subpage_range *range)
{
	return range->end - range->start + 1;
}

static bool overlap(const struct pci_subpage_range *a, __u64 start, __u64 end)
{
	return !pci_subpage_range_empty(a) && a->start <= end && start <= a->end;
}

TEST(only_subpage_memory_bars_are_planned)
{
	struct pci_subpage_bar_info bar;

	bar = bar_at(0, PAGE);
	EXPECT_FALSE(pci_subpage_plan(&bar, PAGE, true).subpage);
	bar = bar_at(0, 4 * PAGE);
	EXPECT_FALSE(pci_subpage_plan(&bar, PAGE, true).subpage);
	bar = bar_at(0, 0);
	EXPECT_FALSE(pci_subpage_plan(&bar, PAGE, true).subpage);
	bar = bar_at(0, 256);
	bar.is_mem = false;
	EXPECT_FALSE(pci_subpage_plan(&bar, PAGE, true).subpage);
}

TEST(page_size_decides)
{
	struct pci_subpage_bar_info bar = bar_at(0x4000, 0x4000);

	EXPECT_FALSE(pci_subpage_plan(&bar, 0x1000, true).subpage);
	EXPECT_FALSE(pci_subpage_plan(&bar, 0x4000, true).subpage);
	EXPECT_TRUE(pci_subpage_plan(&bar, 0x10000, true).subpage);
	EXPECT_EQ(BASE, pci_subpage_plan(&bar, 0x10000, true).page.start);
}

/* Every size at the start of the page: the rest of the page is to be reserved. */
TEST(first_slot)
{
	__u64 size;

	for (size = 16; size < PAGE; size *= 2) {
		struct pci_subpage_bar_info bar = bar_at(0, size);
		struct pci_subpage_plan plan = pci_subpage_plan(&bar, PAGE, true);

		ASSERT_TRUE(plan.subpage);
		EXPECT_EQ(PCI_SUBPAGE_OK, plan.refused);
		EXPECT_EQ(PCI_SUBPAGE_OK, plan.pinned);
		EXPECT_TRUE(pci_subpage_range_empty(&plan.before));
		EXPECT_EQ(BASE + size, plan.after.start);
		EXPECT_EQ(BASE + PAGE - 1, plan.after.end);
		EXPECT_EQ(PAGE, bytes(&plan.page));
	}
}

TEST(last_slot)
{
	__u64 size;

	for (size = 16; size < PAGE; size *= 2) {
		struct pci_subpage_bar_info bar = bar_at(PAGE - size, size);
		struct pci_subpage_plan plan = pci_subpage_plan(&bar, PAGE, true);

		ASSERT_TRUE(plan.subpage);
		EXPECT_EQ(BASE, plan.page.start);
		EXPECT_EQ(BASE, plan.before.start);
		EXPECT_EQ(BASE + PAGE - size - 1, plan.before.end);
		EXPECT_TRUE(pci_subpage_range_empty(&plan.after));
	}
}

TEST(middle_slot)
{
	struct pci_subpage_bar_info bar = bar_at(0x300, 0x100);
	struct pci_subpage_plan plan = pci_subpage_plan(&bar, PAGE, true);

	EXPECT_EQ(0x300, bytes(&plan.before));
	EXPECT_EQ(PAGE - 0x400, bytes(&plan.after));
	EXPECT_EQ(BASE + 0x400, plan.after.start);
}

/* No BAR has this size, but the arithmetic must not depend on that. */
TEST(one_byte_less_than_a_page)
{
	struct pci_subpage_bar_info bar = bar_at(0, PAGE - 1);
	struct pci_subpage_plan plan = pci_subpage_plan(&bar, PAGE, true);

	ASSERT_TRUE(plan.subpage);
	EXPECT_EQ(PCI_SUBPAGE_OK, plan.refused);
	EXPECT_EQ(1, bytes(&plan.after));
	EXPECT_EQ(BASE + PAGE - 1, plan.after.start);
}

/* What is reserved meets every neighbour in the page and none outside it. */
TEST(neighbours)
{
	struct pci_subpage_bar_info bar = bar_at(0x400, 0x100);
	struct pci_subpage_plan plan = pci_subpage_plan(&bar, PAGE, true);

	/* touching from below and from above, the first byte, the last byte */
	EXPECT_TRUE(overlap(&plan.before, BASE + 0x300, BASE + 0x3ff));
	EXPECT_TRUE(overlap(&plan.after, BASE + 0x500, BASE + 0x5ff));
	EXPECT_TRUE(overlap(&plan.before, BASE, BASE));
	EXPECT_TRUE(overlap(&plan.after, BASE + PAGE - 1, BASE + PAGE - 1));
	/* the pages next door, and the BAR itself */
	EXPECT_FALSE(overlap(&plan.before, BASE - PAGE, BASE - 1));
	EXPECT_FALSE(overlap(&plan.after, BASE + PAGE, BASE + 2 * PAGE - 1));
	EXPECT_FALSE(overlap(&plan.before, bar.start, bar.start + bar.size - 1));
	EXPECT_FALSE(overlap(&plan.after, bar.start, bar.start + bar.size - 1));
}

TEST(no_parent)
{
	struct pci_subpage_bar_info bar = bar_at(0, 256);

	bar.assigned = false;
	EXPECT_EQ(PCI_SUBPAGE_UNASSIGNED, pci_subpage_plan(&bar, PAGE, true).refused);
	bar.busy = true;
	EXPECT_EQ(PCI_SUBPAGE_UNASSIGNED, pci_subpage_plan(&bar, PAGE, true).refused);
}

TEST(busy)
{
	struct pci_subpage_bar_info bar = bar_at(0, 256);

	bar.busy = true;
	EXPECT_EQ(PCI_SUBPAGE_BUSY, pci_subpage_plan(&bar, PAGE, true).refused);
}

/* May be claimed where it is, but not moved. */
TEST(pinned)
{
	struct pci_subpage_bar_info bar = bar_at(0x100, 256);

	EXPECT_EQ(PCI_SUBPAGE_EXCLUDED, pci_subpage_plan(&bar, PAGE, false).pinned);
	bar.fixed = true;
	EXPECT_EQ(PCI_SUBPAGE_FIXED, pci_subpage_plan(&bar, PAGE, true).pinned);
	EXPECT_EQ(PCI_SUBPAGE_OK, pci_subpage_plan(&bar, PAGE, true).refused);
	bar.is_vf = true;
	EXPECT_EQ(PCI_SUBPAGE_VF, pci_subpage_plan(&bar, PAGE, true).pinned);
}

/* Whose turn it is: the table of MSI-X last, those that have to move first. */
TEST(rank)
{
	struct pci_subpage_bar_info aligned = bar_at(0, 256), other = bar_at(256, 256);

	EXPECT_EQ(0, pci_subpage_plan(&other, PAGE, true).rank);
	EXPECT_EQ(1, pci_subpage_plan(&aligned, PAGE, true).rank);
	other.msix = true;
	aligned.msix = true;
	EXPECT_EQ(2, pci_subpage_plan(&other, PAGE, true).rank);
	EXPECT_EQ(3, pci_subpage_plan(&aligned, PAGE, true).rank);
	EXPECT_LT(3, PCI_SUBPAGE_RANKS);
}

/* Only Enhanced Allocation can do that; no page could be mapped for it. */
TEST(straddles_two_pages)
{
	struct pci_subpage_bar_info bar = bar_at(0xf80, 256);

	bar.fixed = true;
	EXPECT_EQ(PCI_SUBPAGE_FIXED, pci_subpage_plan(&bar, PAGE, true).refused);
}

TEST(ends_of_the_address_space)
{
	struct pci_subpage_bar_info low = bar_at(0, 256), high = bar_at(0, 256);
	struct pci_subpage_plan plan;

	low.start = 0;
	plan = pci_subpage_plan(&low, PAGE, true);
	EXPECT_TRUE(pci_subpage_range_empty(&plan.before));
	EXPECT_EQ(PAGE - 256, bytes(&plan.after));

	high.start = -256ULL;
	plan = pci_subpage_plan(&high, PAGE, true);
	EXPECT_EQ(PAGE - 256, bytes(&plan.before));
	EXPECT_TRUE(pci_subpage_range_empty(&plan.after));
}

/* The words are an interface. */
TEST(words)
{
	EXPECT_STREQ("none", pci_subpage_claim_name(PCI_SUBPAGE_NONE));
	EXPECT_STREQ("in-place", pci_subpage_claim_name(PCI_SUBPAGE_IN_PLACE));
	EXPECT_STREQ("relocated", pci_subpage_claim_name(PCI_SUBPAGE_RELOCATED));
	EXPECT_STREQ("unassigned", pci_subpage_reason_name(PCI_SUBPAGE_UNASSIGNED));
	EXPECT_STREQ("busy", pci_subpage_reason_name(PCI_SUBPAGE_BUSY));
	EXPECT_STREQ("vf", pci_subpage_reason_name(PCI_SUBPAGE_VF));
	EXPECT_STREQ("fixed", pci_subpage_reason_name(PCI_SUBPAGE_FIXED));
	EXPECT_STREQ("excluded", pci_subpage_reason_name(PCI_SUBPAGE_EXCLUDED));
	EXPECT_STREQ("no-space", pci_subpage_reason_name(PCI_SUBPAGE_NO_SPACE));
	EXPECT_STREQ("rejected", pci_subpage_reason_name(PCI_SUBPAGE_REJECTED));
}

TEST_HARNESS_MAIN
