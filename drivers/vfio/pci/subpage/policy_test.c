// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what should happen to a BAR, with the page size of the kernel
 * that they run on.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "policy.h"

#define BASE	(0x40ULL << 30)

struct policy_case {
	const char *name;
	u64 offset;
	u64 size;
	bool may_relocate;
	bool is_io, unassigned, busy, is_vf, fixed, device_busy, msix;
	/* expected */
	bool subpage;
	enum pci_subpage_reason refused;
	enum pci_subpage_reason pinned;
	u64 before;
	u64 after;
	unsigned int rank;
};

static const struct policy_case policy_cases[] = {
	{ .name = "page", .size = PAGE_SIZE, .may_relocate = true },
	{ .name = "larger", .size = 4 * PAGE_SIZE, .may_relocate = true },
	{ .name = "not implemented", .may_relocate = true },
	{ .name = "I/O", .size = 256, .is_io = true, .may_relocate = true },
	{ .name = "smallest, first slot", .size = 16, .may_relocate = true,
	  .subpage = true, .after = PAGE_SIZE - 16, .rank = 1 },
	{ .name = "smallest, last slot", .offset = PAGE_SIZE - 16, .size = 16,
	  .may_relocate = true, .subpage = true, .before = PAGE_SIZE - 16 },
	{ .name = "half a page, first slot", .size = PAGE_SIZE / 2,
	  .may_relocate = true, .subpage = true, .after = PAGE_SIZE / 2, .rank = 1 },
	{ .name = "half a page, last slot", .offset = PAGE_SIZE / 2,
	  .size = PAGE_SIZE / 2, .may_relocate = true, .subpage = true,
	  .before = PAGE_SIZE / 2 },
	{ .name = "one byte less than a page", .size = PAGE_SIZE - 1,
	  .may_relocate = true, .subpage = true, .after = 1, .rank = 1 },
	{ .name = "unassigned", .size = 256, .unassigned = true, .busy = true,
	  .may_relocate = true, .subpage = true, .refused = PCI_SUBPAGE_UNASSIGNED,
	  .after = PAGE_SIZE - 256, .rank = 1 },
	{ .name = "busy", .size = 256, .busy = true, .may_relocate = true,
	  .subpage = true, .refused = PCI_SUBPAGE_BUSY, .after = PAGE_SIZE - 256,
	  .rank = 1 },
	{ .name = "virtual function", .offset = 256, .size = 256, .is_vf = true,
	  .fixed = true, .may_relocate = true, .subpage = true,
	  .pinned = PCI_SUBPAGE_VF, .before = 256, .after = PAGE_SIZE - 512 },
	{ .name = "fixed", .offset = 256, .size = 256, .fixed = true,
	  .may_relocate = true, .subpage = true, .pinned = PCI_SUBPAGE_FIXED,
	  .before = 256, .after = PAGE_SIZE - 512 },
	{ .name = "device busy", .offset = 256, .size = 256, .device_busy = true,
	  .may_relocate = true, .subpage = true, .pinned = PCI_SUBPAGE_BUSY,
	  .before = 256, .after = PAGE_SIZE - 512 },
	{ .name = "excluded", .offset = 256, .size = 256, .subpage = true,
	  .pinned = PCI_SUBPAGE_EXCLUDED, .before = 256, .after = PAGE_SIZE - 512 },
	{ .name = "MSI-X, not first in its page", .offset = 256, .size = 256,
	  .msix = true, .may_relocate = true, .subpage = true, .before = 256,
	  .after = PAGE_SIZE - 512, .rank = 2 },
	{ .name = "MSI-X, first in its page", .size = 256, .msix = true,
	  .may_relocate = true, .subpage = true, .after = PAGE_SIZE - 256, .rank = 3 },
};

static void policy_case_name(const struct policy_case *c, char *name)
{
	strscpy(name, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(policy, policy_cases, policy_case_name);

static u64 bytes(const struct pci_subpage_range *range)
{
	return pci_subpage_range_empty(range) ? 0 : range->end - range->start + 1;
}

static void policy_plan(struct kunit *test)
{
	const struct policy_case *c = test->param_value;
	const struct pci_subpage_bar_info info = {
		.start = BASE + c->offset,
		.size = c->size,
		.is_mem = !c->is_io,
		.assigned = !c->unassigned,
		.busy = c->busy,
		.is_vf = c->is_vf,
		.fixed = c->fixed,
		.device_busy = c->device_busy,
		.msix = c->msix,
	};
	struct pci_subpage_plan plan;

	plan = pci_subpage_plan(&info, PAGE_SIZE, c->may_relocate);
	KUNIT_EXPECT_EQ(test, c->subpage, plan.subpage);
	if (!c->subpage)
		return;

	KUNIT_EXPECT_EQ(test, c->refused, plan.refused);
	KUNIT_EXPECT_EQ(test, c->pinned, plan.pinned);
	KUNIT_EXPECT_EQ(test, c->rank, plan.rank);
	KUNIT_EXPECT_EQ(test, BASE, plan.page.start);
	KUNIT_EXPECT_EQ(test, PAGE_SIZE, bytes(&plan.page));
	KUNIT_EXPECT_EQ(test, c->before, bytes(&plan.before));
	KUNIT_EXPECT_EQ(test, c->after, bytes(&plan.after));
	KUNIT_EXPECT_EQ(test, PAGE_SIZE, c->before + c->size + c->after);
}

static void policy_straddles(struct kunit *test)
{
	const struct pci_subpage_bar_info info = {
		.start = BASE + PAGE_SIZE - 128,
		.size = 256,
		.is_mem = true,
		.assigned = true,
	};

	KUNIT_EXPECT_EQ(test, PCI_SUBPAGE_FIXED,
			pci_subpage_plan(&info, PAGE_SIZE, true).refused);
}

static struct kunit_case policy_test_cases[] = {
	KUNIT_CASE_PARAM(policy_plan, policy_gen_params),
	KUNIT_CASE(policy_straddles),
	{}
};

static struct kunit_suite policy_test_suite = {
	.name = "pci_subpage_policy",
	.test_cases = policy_test_cases,
};

kunit_test_suites(&policy_test_suite);
