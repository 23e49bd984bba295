// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of which BAR gets a page, of how it moves, and of giving it back.
 *
 * The devices, their bus and its windows are made up here, on a resource tree of
 * their own: nothing of the machine is touched.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/of.h>
#include <linux/pci.h>
#include <linux/sizes.h>

#include "bars.h"
#include "move.h"

#define NR_DEVICES	3
#define NR_WINDOWS	3

#define MEM		IORESOURCE_MEM
#define PREF		(IORESOURCE_MEM | IORESOURCE_PREFETCH)
#define PREF64		(PREF | IORESOURCE_MEM_64)

struct fake {
	struct pci_host_bridge *host;
	struct pci_bus bus;
	struct resource root;
	struct resource window[NR_WINDOWS];
	u64 offset[NR_WINDOWS];	/* CPU address minus bus address */
	struct pci_dev dev[NR_DEVICES];
	struct pci_subpage sp[NR_DEVICES];
	struct pci_subpage_policy policy;
	u32 config[NR_DEVICES][64];
	bool dead;	/* devices answer all ones */
	bool stuck;	/* BAR registers keep their value */
	bool confused;	/* BAR registers take another one than is written */
	unsigned int command_writes;
	unsigned int bar_writes;
	unsigned int decoded_writes;
	struct resource *lose;	/* a window that is taken away at the next BAR write */
};

/* Windows lie apart; below 4 GiB on the bus, but for the last. */
static u64 window_start(int n)
{
	return n == 2 ? 0x80ULL << 32 : 0x80000000ULL + n * 0x10000000ULL;
}

static u64 page(int window, int n)
{
	return window_start(window) + n * PAGE_SIZE;
}

/*
 * Make room for others in the way of the PCI core, in
 * pci_bus_release_bridge_resources(): all in the window goes, with its address.
 */
static void take_children(struct resource *parent)
{
	struct resource *res;
	resource_size_t size;

	while ((res = parent->child)) {
		take_children(res);
		size = resource_size(res);
		release_resource(res);
		res->sibling = NULL;
		res->start = 0;
		res->end = size - 1;
	}
}

static void take_window_away(struct resource *window)
{
	take_children(window);
	release_resource(window);
}

static int fake_read(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 *val)
{
	struct fake *fake = bus->sysdata;
	u32 dword = where < 256 && !fake->dead ? fake->config[devfn][where / 4] : ~0;

	*val = dword >> (where % 4 * 8);
	if (size < 4)
		*val &= (1U << (size * 8)) - 1;
	return PCIBIOS_SUCCESSFUL;
}

static void bar_is_written(struct fake *fake, unsigned int devfn)
{
	fake->bar_writes++;
	if (fake->config[devfn][PCI_COMMAND / 4] & PCI_COMMAND_MEMORY)
		fake->decoded_writes++;
	if (fake->lose)
		take_window_away(fake->lose);
	fake->lose = NULL;
}

static int fake_write(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 val)
{
	struct fake *fake = bus->sysdata;
	u32 *dword = &fake->config[devfn][where / 4];
	u32 mask = size < 4 ? (1U << (size * 8)) - 1 : ~0U;

	if (where == PCI_COMMAND)
		fake->command_writes++;
	if (where >= PCI_BASE_ADDRESS_0 && where <= PCI_BASE_ADDRESS_5) {
		bar_is_written(fake, devfn);
		if (fake->stuck)
			return PCIBIOS_SUCCESSFUL;
		if (fake->confused)
			val = 0x12340000;
	}
	mask <<= where % 4 * 8;
	*dword = (*dword & ~mask) | (val << (where % 4 * 8) & mask);
	return PCIBIOS_SUCCESSFUL;
}

static struct pci_ops fake_ops = {
	.read = fake_read,
	.write = fake_write,
};

static void add_window_at(struct kunit *test, int n, u64 start, u64 size, unsigned long flags)
{
	struct fake *fake = test->priv;
	struct resource *window = &fake->window[n];

	*window = (struct resource) {
		.name = "window",
		.start = start,
		.end = start + size - 1,
		.flags = flags,
	};
	fake->bus.resource[n] = window;
	KUNIT_ASSERT_EQ(test, 0, request_resource(&fake->root, window));
}

static void add_window(struct kunit *test, int n, unsigned int pages, unsigned long flags)
{
	add_window_at(test, n, window_start(n), pages * PAGE_SIZE, flags);
}

/* The bus address of a CPU address in a window. */
static u64 on_bus(struct fake *fake, u64 start)
{
	int n;

	for (n = 0; n < NR_WINDOWS; n++)
		if (start >= fake->window[n].start && start <= fake->window[n].end)
			return start - fake->offset[n];
	return start;
}

static u64 bar_register(struct fake *fake, int dev, int bar)
{
	u32 *reg = &fake->config[dev][PCI_BASE_ADDRESS_0 / 4 + bar];
	u64 low = reg[0] & (u32)PCI_BASE_ADDRESS_MEM_MASK;

	if (fake->dev[dev].resource[bar].flags & IORESOURCE_MEM_64)
		return (u64)reg[1] << 32 | low;
	return low;
}

static void add_bar(struct kunit *test, int dev, int bar, u64 start, u64 size,
		    unsigned long flags)
{
	struct fake *fake = test->priv;
	struct resource *res = &fake->dev[dev].resource[bar];
	u32 *reg = &fake->config[dev][PCI_BASE_ADDRESS_0 / 4 + bar];
	int n;

	*res = (struct resource) {
		.name = "bar",
		.start = start,
		.end = start + size - 1,
		.flags = flags,
	};
	for (n = 0; n < NR_WINDOWS; n++)
		if (fake->window[n].parent && resource_contains(&fake->window[n], res))
			break;
	KUNIT_ASSERT_LT(test, n, NR_WINDOWS);
	KUNIT_ASSERT_EQ(test, 0, request_resource(&fake->window[n], res));

	reg[0] = lower_32_bits(on_bus(fake, start));
	if (flags & IORESOURCE_PREFETCH)
		reg[0] |= PCI_BASE_ADDRESS_MEM_PREFETCH;
	if (flags & IORESOURCE_MEM_64) {
		reg[0] |= PCI_BASE_ADDRESS_MEM_TYPE_64;
		reg[1] = upper_32_bits(on_bus(fake, start));
	}
}

static void prepare(struct fake *fake, int dev)
{
	fake->sp[dev].pdev = &fake->dev[dev];
	pci_subpage_prepare_bars(&fake->sp[dev], &fake->policy);
}

/* What the next bind does. */
static void restore(struct fake *fake, int dev)
{
	pci_subpage_restore_bars(&fake->sp[dev]);
	memset(&fake->sp[dev], 0, sizeof(fake->sp[dev]));
}

static enum pci_subpage_state state(struct fake *fake, int dev, int bar)
{
	return fake->sp[dev].bar[bar].state;
}

static bool in_window(const struct resource *res)
{
	return res->parent && !strcmp(res->parent->name, "window");
}

/* Register, resource and tree agree about address and size; a window is the parent. */
static void expect_at(struct kunit *test, int dev, int bar, u64 start, u64 size)
{
	struct fake *fake = test->priv;
	struct resource *res = &fake->dev[dev].resource[bar];

	KUNIT_EXPECT_EQ(test, start, res->start);
	KUNIT_EXPECT_EQ(test, size, resource_size(res));
	KUNIT_EXPECT_EQ(test, on_bus(fake, start), bar_register(fake, dev, bar));
	KUNIT_EXPECT_TRUE(test, in_window(res));
	KUNIT_EXPECT_EQ(test, 0, fake->decoded_writes);
}

/* As large as a page, at the start of it. Siblings in the tree do not overlap. */
static void expect_page(struct kunit *test, int dev, int bar, enum pci_subpage_state expected,
			u64 start)
{
	struct fake *fake = test->priv;

	KUNIT_EXPECT_STREQ(test, pci_subpage_state_name(expected),
			   pci_subpage_state_name(state(fake, dev, bar)));
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED(start, PAGE_SIZE));
	expect_at(test, dev, bar, start, PAGE_SIZE);
}

/* Nothing was changed. */
static void expect_none(struct kunit *test, int dev, int bar, enum pci_subpage_state reason,
			u64 start)
{
	struct fake *fake = test->priv;

	KUNIT_EXPECT_STREQ(test, pci_subpage_state_name(reason),
			   pci_subpage_state_name(state(fake, dev, bar)));
	expect_at(test, dev, bar, start, 256);
}

static void in_place(struct kunit *test)
{
	struct fake *fake = test->priv;

	add_window(test, 0, 2, MEM);
	add_bar(test, 0, 0, page(0, 0), 256, MEM);
	prepare(fake, 0);
	expect_page(test, 0, 0, PCI_SUBPAGE_IN_PLACE, page(0, 0));
	KUNIT_EXPECT_EQ(test, 256, fake->sp[0].bar[0].size);

	/* May be called again, and changes nothing. */
	prepare(fake, 0);
	expect_page(test, 0, 0, PCI_SUBPAGE_IN_PLACE, page(0, 0));
	KUNIT_EXPECT_EQ(test, 256, fake->sp[0].bar[0].size);
	KUNIT_EXPECT_EQ(test, 0, fake->bar_writes + fake->command_writes);

	restore(fake, 0);
	expect_at(test, 0, 0, page(0, 0), 256);
}

static void moves_in_own_page(struct kunit *test)
{
	struct fake *fake = test->priv;

	add_window(test, 0, 1, MEM);
	add_bar(test, 0, 0, page(0, 0) + 512, 256, MEM);
	prepare(fake, 0);
	expect_page(test, 0, 0, PCI_SUBPAGE_RELOCATED, page(0, 0));
	restore(fake, 0);
	expect_at(test, 0, 0, page(0, 0), 256);
}

static void keeps_size(struct kunit *test)
{
	struct fake *fake = test->priv;
	int bar;

	fake->policy.keep_size = true;
	add_window(test, 0, 4, MEM);
	for (bar = 0; bar < 3; bar++)
		add_bar(test, 0, bar, page(0, 0) + bar * 256, 256, MEM);
	add_bar(test, 0, 3, page(0, 3) + 512, 256, MEM);
	prepare(fake, 0);
	KUNIT_EXPECT_EQ(test, PCI_SUBPAGE_IN_PLACE, state(fake, 0, 0));
	expect_at(test, 0, 0, page(0, 0), 256);
	for (bar = 1; bar < 4; bar++) {
		KUNIT_EXPECT_EQ(test, PCI_SUBPAGE_RELOCATED, state(fake, 0, bar));
		expect_at(test, 0, bar, page(0, bar), 256);
	}
	restore(fake, 0);
	expect_at(test, 0, 3, page(0, 3), 256);
}

/* Which BARs are sub-page memory BARs, and what a page of each looks like. */
struct size_case {
	const char *name;
	u64 offset;
	u64 size;
	unsigned long flags;
	enum pci_subpage_state state;
};

static const struct size_case size_cases[] = {
	{ "page", 0, PAGE_SIZE, MEM, PCI_SUBPAGE_NONE },
	{ "larger", 0, 2 * PAGE_SIZE, MEM, PCI_SUBPAGE_NONE },
	{ "I/O", 0, 256, IORESOURCE_IO, PCI_SUBPAGE_NONE },
	{ "smallest, first slot", 0, 16, MEM, PCI_SUBPAGE_IN_PLACE },
	{ "smallest, last slot", PAGE_SIZE - 16, 16, MEM, PCI_SUBPAGE_RELOCATED },
	{ "half, first slot", 0, PAGE_SIZE / 2, MEM, PCI_SUBPAGE_IN_PLACE },
	{ "half, last slot", PAGE_SIZE / 2, PAGE_SIZE / 2, MEM, PCI_SUBPAGE_RELOCATED },
	{ "Enhanced Allocation, in place", 0, PAGE_SIZE - 64, MEM | IORESOURCE_PCI_FIXED,
	  PCI_SUBPAGE_IN_PLACE },
	{ "Enhanced Allocation, over two pages", PAGE_SIZE - 64, 128,
	  MEM | IORESOURCE_PCI_FIXED, PCI_SUBPAGE_FIXED },
};

static void size_case_name(const struct size_case *c, char *name)
{
	strscpy(name, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(size, size_cases, size_case_name);

static void sizes(struct kunit *test)
{
	const struct size_case *c = test->param_value;
	struct fake *fake = test->priv;
	bool has_page = c->state == PCI_SUBPAGE_IN_PLACE || c->state == PCI_SUBPAGE_RELOCATED;

	add_window(test, 0, 2, MEM);
	add_bar(test, 0, 0, page(0, 0) + c->offset, c->size, MEM);
	fake->dev[0].resource[0].flags = c->flags;
	KUNIT_EXPECT_EQ(test, c->state != PCI_SUBPAGE_NONE, pci_subpage_has_bars(&fake->dev[0]));
	prepare(fake, 0);
	KUNIT_EXPECT_STREQ(test, pci_subpage_state_name(c->state),
			   pci_subpage_state_name(state(fake, 0, 0)));
	if (has_page)
		expect_at(test, 0, 0, page(0, 0), PAGE_SIZE);
	else
		expect_at(test, 0, 0, page(0, 0) + c->offset, c->size);
	restore(fake, 0);
	expect_at(test, 0, 0, page(0, 0) + (has_page ? 0 : c->offset), c->size);
}

static void bridge_has_none(struct kunit *test)
{
	struct fake *fake = test->priv;

	add_window(test, 0, 1, MEM);
	add_bar(test, 0, 0, page(0, 0), 256, MEM);
	KUNIT_EXPECT_TRUE(test, pci_subpage_has_bars(&fake->dev[0]));
	fake->dev[0].hdr_type = PCI_HEADER_TYPE_BRIDGE;
	KUNIT_EXPECT_FALSE(test, pci_subpage_has_bars(&fake->dev[0]));
}

static void first_fit(struct kunit *test)
{
	struct fake *fake = test->priv;

	add_window(test, 0, 4, MEM);
	add_bar(test, 0, 0, page(0, 0), 256, MEM);
	add_bar(test, 1, 0, page(0, 0) + 256, 256, MEM);
	add_bar(test, 2, 0, page(0, 1) + 1024, 1024, MEM);
	prepare(fake, 0);
	expect_page(test, 0, 0, PCI_SUBPAGE_RELOCATED, page(0, 2));
	/* It is alone by now. */
	prepare(fake, 1);
	expect_page(test, 1, 0, PCI_SUBPAGE_RELOCATED, page(0, 0));
}

/* As many pages as BARs, all packed into the first one. */
static void window_exactly_full(struct kunit *test)
{
	struct fake *fake = test->priv;
	int bar;

	add_window(test, 0, 4, MEM);
	for (bar = 0; bar < 4; bar++)
		add_bar(test, 0, bar, page(0, 0) + bar * 256, 256, MEM);
	prepare(fake, 0);
	expect_page(test, 0, 0, PCI_SUBPAGE_IN_PLACE, page(0, 0));
	for (bar = 1; bar < 4; bar++)
		expect_page(test, 0, bar, PCI_SUBPAGE_RELOCATED, page(0, bar));
}

static void add_full_window(struct kunit *test, unsigned long flags)
{
	add_window(test, 0, 2, flags);
	add_bar(test, 0, 0, page(0, 0), 256, flags);
	add_bar(test, 1, 0, page(0, 0) + 256, 256, flags);
	add_bar(test, 2, 0, page(0, 1), 256, flags);
	add_bar(test, 2, 2, page(0, 1) + 256, 256, flags);
}

static void expect_no_space(struct kunit *test)
{
	struct fake *fake = test->priv;

	prepare(fake, 0);
	expect_none(test, 0, 0, PCI_SUBPAGE_NO_SPACE, page(0, 0));
	prepare(fake, 2);
	expect_none(test, 2, 0, PCI_SUBPAGE_NO_SPACE, page(0, 1));
	expect_none(test, 2, 2, PCI_SUBPAGE_NO_SPACE, page(0, 1) + 256);
	KUNIT_EXPECT_EQ(test, 0, fake->bar_writes + fake->command_writes);
}

static void window_full(struct kunit *test)
{
	add_full_window(test, MEM);
	expect_no_space(test);
}

/*
 * A prefetchable window that is off: since 6.18 it keeps its type. It has no
 * parent and, as pci_read_bridge_mmio_pref() leaves it, holds every address.
 */
static void window_off(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->window[1] = (struct resource) {
		.name = "window off",
		.end = ~(resource_size_t)0,
		.flags = PREF | IORESOURCE_UNSET | IORESOURCE_DISABLED,
	};
	fake->bus.resource[1] = &fake->window[1];
	add_full_window(test, PREF);
	expect_no_space(test);
	KUNIT_EXPECT_NULL(test, fake->window[1].child);
}

/* One that could not be given its address. */
static void window_unset(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->window[1] = (struct resource) {
		.name = "window unset",
		.start = SZ_1M,
		.end = SZ_16M - 1,
		.flags = MEM | IORESOURCE_UNSET,
	};
	fake->bus.resource[1] = &fake->window[1];
	add_full_window(test, MEM);
	expect_no_space(test);
	KUNIT_EXPECT_NULL(test, fake->window[1].child);
}

/* While a hot-add is sized, a window has no more than its alignment and size. */
static void window_not_in_tree(struct kunit *test)
{
	struct fake *fake = test->priv;

	add_window_at(test, 1, SZ_16M, SZ_16M, MEM);
	release_resource(&fake->window[1]);
	add_full_window(test, MEM);
	expect_no_space(test);

	/* Below a window that is not in the tree. */
	fake->window[2] = (struct resource) { .end = SZ_64M - 1, .flags = MEM };
	KUNIT_ASSERT_EQ(test, 0, request_resource(&fake->window[2], &fake->window[1]));
	restore(fake, 0);
	restore(fake, 2);
	expect_no_space(test);
	KUNIT_EXPECT_NULL(test, fake->window[1].child);
}

static void prefetchable_and_64bit(struct kunit *test)
{
	struct fake *fake = test->priv;

	/* No page is free in the windows that they live in, but the last. */
	add_window(test, 0, 1, MEM);
	add_window(test, 1, 1, PREF);
	add_window(test, 2, 4, PREF64);
	add_bar(test, 0, 0, page(0, 0), 256, MEM);
	add_bar(test, 0, 1, page(0, 0) + 256, 256, MEM);
	add_bar(test, 0, 2, page(0, 0) + 512, 256, MEM | IORESOURCE_MEM_64);
	add_bar(test, 1, 0, page(1, 0), 256, PREF);
	add_bar(test, 1, 1, page(1, 0) + 256, 256, PREF);
	add_bar(test, 2, 0, page(2, 0), 256, PREF64);
	add_bar(test, 2, 2, page(2, 0) + 256, 256, PREF64);

	prepare(fake, 2);
	expect_page(test, 2, 0, PCI_SUBPAGE_IN_PLACE, page(2, 0));
	expect_page(test, 2, 2, PCI_SUBPAGE_RELOCATED, page(2, 1));
	/* None is prefetchable, and the window above 4 GiB is. */
	prepare(fake, 0);
	expect_none(test, 0, 0, PCI_SUBPAGE_NO_SPACE, page(0, 0));
	expect_none(test, 0, 1, PCI_SUBPAGE_NO_SPACE, page(0, 0) + 256);
	expect_none(test, 0, 2, PCI_SUBPAGE_NO_SPACE, page(0, 0) + 512);
	/* Prefetchable, but 32 bits do not reach that far. */
	prepare(fake, 1);
	expect_none(test, 1, 0, PCI_SUBPAGE_NO_SPACE, page(1, 0));
	expect_none(test, 1, 1, PCI_SUBPAGE_NO_SPACE, page(1, 0) + 256);
}

/*
 * The window that a BAR lives in comes first, then others: a prefetchable one
 * for a prefetchable BAR, never for one that is not.
 */
static void other_window(struct kunit *test)
{
	struct fake *fake = test->priv;

	add_window(test, 0, 2, MEM);
	add_window(test, 1, 3, PREF);
	add_bar(test, 0, 0, page(0, 0), 256, PREF);
	add_bar(test, 0, 1, page(0, 0) + 256, 256, PREF);
	add_bar(test, 1, 0, page(0, 0) + 512, 256, MEM);
	add_bar(test, 2, 0, page(0, 0) + 768, 256, MEM);
	prepare(fake, 0);
	expect_page(test, 0, 1, PCI_SUBPAGE_RELOCATED, page(0, 1));
	expect_page(test, 0, 0, PCI_SUBPAGE_RELOCATED, page(1, 0));
	prepare(fake, 1);
	expect_none(test, 1, 0, PCI_SUBPAGE_NO_SPACE, page(0, 0) + 512);
}

/* Registers hold bus addresses, and 32 bits of those end within this window. */
static void bus_addresses(struct kunit *test)
{
	struct fake *fake = test->priv;

	add_window(test, 2, 3, PREF64);
	fake->offset[2] = window_start(2) - (SZ_4G - PAGE_SIZE);
	pci_add_resource_offset(&fake->host->windows, &fake->window[2], fake->offset[2]);
	add_bar(test, 0, 0, page(2, 0), 256, PREF);
	add_bar(test, 1, 0, page(2, 0) + 256, 256, PREF);
	add_bar(test, 2, 0, page(2, 0) + 512, 256, PREF64);

	prepare(fake, 1);
	expect_none(test, 1, 0, PCI_SUBPAGE_NO_SPACE, page(2, 0) + 256);
	prepare(fake, 2);
	expect_page(test, 2, 0, PCI_SUBPAGE_RELOCATED, page(2, 1));
	KUNIT_EXPECT_EQ(test, SZ_4G, bar_register(fake, 2, 0));
}

/* What firmware has reserved around a BAR, as x86 does, is nobody's to give. */
static void below_reservation(struct kunit *test)
{
	struct resource reserved = DEFINE_RES_MEM_NAMED(page(2, 0), 2 * PAGE_SIZE, "Reserved");
	struct fake *fake = test->priv;

	add_window(test, 2, 4, PREF64);
	add_bar(test, 0, 0, page(2, 0), 256, PREF64);
	add_bar(test, 0, 2, page(2, 0) + 256, 256, PREF64);
	KUNIT_ASSERT_EQ(test, 0, insert_resource(&fake->window[2], &reserved));

	prepare(fake, 0);
	KUNIT_EXPECT_EQ(test, PCI_SUBPAGE_IN_PLACE, state(fake, 0, 0));
	KUNIT_EXPECT_EQ(test, PAGE_SIZE, resource_size(&fake->dev[0].resource[0]));
	KUNIT_EXPECT_PTR_EQ(test, &reserved, fake->dev[0].resource[0].parent);
	expect_page(test, 0, 2, PCI_SUBPAGE_RELOCATED, page(2, 2));
	restore(fake, 0);
	remove_resource(&reserved);
}

/*
 * x86 gives out nothing of the 2 MiB below 4 GiB, whatever the resource tree says,
 * just as it gives out nothing that e820 has as reserved.
 */
static void reserved_by_firmware(struct kunit *test)
{
	const u64 start = SZ_4G - SZ_2M;
	struct fake *fake = test->priv;

	if (!IS_ENABLED(CONFIG_X86))
		kunit_skip(test, "only x86 reserves addresses outside of the resource tree");

	add_window_at(test, 0, start, 4 * PAGE_SIZE, MEM);
	add_bar(test, 0, 0, start, 256, MEM);
	add_bar(test, 1, 0, start + 256, 256, MEM);
	prepare(fake, 0);
	expect_none(test, 0, 0, PCI_SUBPAGE_RESERVED, start);
	KUNIT_EXPECT_PTR_EQ(test, &fake->dev[1].resource[0], fake->dev[0].resource[0].sibling);
	KUNIT_EXPECT_NULL(test, fake->dev[1].resource[0].sibling);
}

/* A window of the root bus that holds VGA memory has no page for others. */
static void above_legacy(struct kunit *test)
{
	struct fake *fake = test->priv;

	add_window_at(test, 0, 0xa0000, 3 * PAGE_SIZE, MEM);
	add_bar(test, 0, 0, 0xa0000, 256, MEM);
	add_bar(test, 1, 0, 0xa0000 + 256, 256, MEM);
	prepare(fake, 0);
	expect_none(test, 0, 0, PCI_SUBPAGE_NO_SPACE, 0xa0000);
}

static void restore_in_any_order(struct kunit *test)
{
	static const int orders[][NR_DEVICES] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
	};
	struct fake *fake = test->priv;
	int order, i, dev;

	add_window(test, 0, 8, MEM);
	for (dev = 0; dev < NR_DEVICES; dev++) {
		add_bar(test, dev, 0, page(0, 0) + dev * 512, 256, MEM);
		add_bar(test, dev, 1, page(0, 0) + dev * 512 + 256, 256, MEM);
	}
	for (order = 0; order < ARRAY_SIZE(orders); order++) {
		for (dev = 0; dev < NR_DEVICES; dev++)
			prepare(fake, dev);
		for (i = 0; i < NR_DEVICES; i++) {
			dev = orders[order][i];
			restore(fake, dev);
			expect_at(test, dev, 0, fake->dev[dev].resource[0].start, 256);
			expect_at(test, dev, 1, fake->dev[dev].resource[1].start, 256);
		}
	}
}

/* Without a window; or in one, but without an address yet. */
static void unassigned(struct kunit *test)
{
	struct fake *fake = test->priv;
	int bar;

	add_window(test, 0, 2, MEM);
	for (bar = 0; bar < 2; bar++)
		add_bar(test, 0, bar, page(0, bar) + 256, 256, MEM);
	release_resource(&fake->dev[0].resource[0]);
	fake->dev[0].resource[1].flags |= IORESOURCE_UNSET;
	fake->policy.relocate = PCI_SUBPAGE_RELOCATE_FORCE;
	prepare(fake, 0);
	for (bar = 0; bar < 2; bar++) {
		KUNIT_EXPECT_EQ(test, PCI_SUBPAGE_UNASSIGNED, state(fake, 0, bar));
		KUNIT_EXPECT_EQ(test, page(0, bar) + 256, fake->dev[0].resource[bar].start);
		KUNIT_EXPECT_EQ(test, 256, resource_size(&fake->dev[0].resource[bar]));
	}
	KUNIT_EXPECT_EQ(test, 0, fake->bar_writes + fake->command_writes);
}

/* The window goes while the BAR is held, and comes back elsewhere. */
static void window_lost(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct resource *res = &fake->dev[0].resource[0];

	add_window(test, 0, 1, MEM);
	add_bar(test, 0, 0, page(0, 0), 256, MEM);
	prepare(fake, 0);
	expect_page(test, 0, 0, PCI_SUBPAGE_IN_PLACE, page(0, 0));

	take_window_away(&fake->window[0]);
	add_window(test, 1, 1, MEM);
	KUNIT_ASSERT_EQ(test, 0, allocate_resource(&fake->window[1], res, resource_size(res), 0,
						   ~(resource_size_t)0, resource_size(res),
						   NULL, NULL));
	/* It got a page again, as it was as large as one. */
	KUNIT_EXPECT_EQ(test, page(1, 0), res->start);
	KUNIT_EXPECT_EQ(test, PAGE_SIZE, resource_size(res));

	restore(fake, 0);
	KUNIT_EXPECT_EQ(test, 256, resource_size(res));
	KUNIT_EXPECT_PTR_EQ(test, &fake->window[1], res->parent);
}

/* And while it has no window, or was given up. */
static void window_lost_for_good(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct resource *res = &fake->dev[0].resource[0];

	add_window(test, 0, 2, MEM);
	add_bar(test, 0, 0, page(0, 0), 256, MEM);
	add_bar(test, 0, 1, page(0, 1), 256, MEM);
	prepare(fake, 0);
	take_window_away(&fake->window[0]);
	fake->dev[0].resource[1] = (struct resource) { .name = "bar" };

	restore(fake, 0);
	KUNIT_EXPECT_EQ(test, 256, resource_size(res));
	KUNIT_EXPECT_NULL(test, res->parent);
	KUNIT_EXPECT_EQ(test, 1, resource_size(&fake->dev[0].resource[1]));

	/* Nobody was asked for the page. */
	prepare(fake, 0);
	KUNIT_EXPECT_EQ(test, PCI_SUBPAGE_UNASSIGNED, state(fake, 0, 0));
	KUNIT_EXPECT_EQ(test, 256, resource_size(res));
}

/* The PCI core takes the window of the BAR away while its register is written. */
static void own_window_lost_while_moving(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct resource *res = &fake->dev[0].resource[0];

	add_window(test, 0, 1, MEM);
	add_window(test, 1, 1, MEM);
	add_bar(test, 0, 0, page(0, 0), 256, MEM);
	add_bar(test, 1, 0, page(0, 0) + 256, 256, MEM);
	fake->lose = &fake->window[0];
	prepare(fake, 0);
	KUNIT_EXPECT_EQ(test, PCI_SUBPAGE_UNASSIGNED, state(fake, 0, 0));
	KUNIT_EXPECT_NULL(test, res->parent);
	KUNIT_EXPECT_EQ(test, 256, resource_size(res));
	KUNIT_EXPECT_EQ(test, page(0, 0), bar_register(fake, 0, 0));
	KUNIT_EXPECT_NULL(test, fake->window[1].child);
}

/* Or the one that it moves to. */
static void new_window_lost_while_moving(struct kunit *test)
{
	struct fake *fake = test->priv;

	add_window(test, 0, 1, MEM);
	add_window(test, 1, 1, MEM);
	add_bar(test, 0, 0, page(0, 0), 256, MEM);
	add_bar(test, 1, 0, page(0, 0) + 256, 256, MEM);
	fake->lose = &fake->window[1];
	prepare(fake, 0);
	expect_none(test, 0, 0, PCI_SUBPAGE_UNASSIGNED, page(0, 0));
	KUNIT_EXPECT_NULL(test, fake->window[1].child);
	KUNIT_EXPECT_NULL(test, fake->sp[0].page.child);
}

/* What is in its place has its page, nothing else is touched. */
static void expect_only_in_place(struct kunit *test, enum pci_subpage_state reason)
{
	struct fake *fake = test->priv;

	fake->config[0][PCI_COMMAND / 4] = PCI_COMMAND_MEMORY;
	fake->command_writes = 0;
	prepare(fake, 0);
	expect_page(test, 0, 0, PCI_SUBPAGE_IN_PLACE, page(0, 0));
	expect_none(test, 0, 1, reason, page(0, 1));
	expect_none(test, 0, 2, reason, page(0, 2) + 512);
	KUNIT_EXPECT_EQ(test, 0, fake->bar_writes + fake->command_writes);
	restore(fake, 0);
}

static void expect_moved(struct kunit *test)
{
	prepare(test->priv, 0);
	expect_page(test, 0, 0, PCI_SUBPAGE_IN_PLACE, page(0, 0));
	expect_page(test, 0, 1, PCI_SUBPAGE_RELOCATED, page(0, 3));
	expect_page(test, 0, 2, PCI_SUBPAGE_RELOCATED, page(0, 2));
}

static void add_bars_to_move(struct kunit *test)
{
	add_window(test, 0, 8, MEM);
	add_bar(test, 0, 0, page(0, 0), 256, MEM);
	add_bar(test, 0, 1, page(0, 1), 256, MEM);
	add_bar(test, 1, 0, page(0, 1) + 256, 256, MEM);
	add_bar(test, 0, 2, page(0, 2) + 512, 256, MEM);
}

static void relocate_is_off(struct kunit *test)
{
	struct fake *fake = test->priv;

	add_bars_to_move(test);
	fake->policy.relocate = PCI_SUBPAGE_RELOCATE_NO;
	expect_only_in_place(test, PCI_SUBPAGE_EXCLUDED);
}

static void device_is_excluded(struct kunit *test)
{
	struct fake *fake = test->priv;

	add_bars_to_move(test);
	fake->policy.exclude = true;
	prepare(fake, 0);
	expect_none(test, 0, 0, PCI_SUBPAGE_EXCLUDED, page(0, 0));
	expect_none(test, 0, 1, PCI_SUBPAGE_EXCLUDED, page(0, 1));
	expect_none(test, 0, 2, PCI_SUBPAGE_EXCLUDED, page(0, 2) + 512);
}

/* ACPI's wish to keep addresses can be overridden. */
static void firmware_keeps_addresses(struct kunit *test)
{
	struct fake *fake = test->priv;

	add_bars_to_move(test);
	fake->host->preserve_config = 1;
	expect_only_in_place(test, PCI_SUBPAGE_FIXED);
	fake->policy.relocate = PCI_SUBPAGE_RELOCATE_FORCE;
	expect_moved(test);
}

/* "linux,pci-probe-only" of a device tree cannot. */
static void device_tree_keeps_addresses(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct device *parent = kunit_kzalloc(test, sizeof(*parent), GFP_KERNEL);
	struct device_node *node = kunit_kzalloc(test, sizeof(*node), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, parent);
	KUNIT_ASSERT_NOT_NULL(test, node);
	parent->of_node = node;
	fake->host->dev.parent = parent;
	fake->host->preserve_config = 1;
	fake->policy.relocate = PCI_SUBPAGE_RELOCATE_FORCE;
	add_bars_to_move(test);
	expect_only_in_place(test, PCI_SUBPAGE_FIXED);
	fake->host->dev.parent = NULL;
}

static void decode_has_to_stay_on(struct kunit *test)
{
	struct fake *fake = test->priv;

	add_bars_to_move(test);
	fake->dev[0].mmio_always_on = 1;
	fake->policy.relocate = PCI_SUBPAGE_RELOCATE_FORCE;
	expect_only_in_place(test, PCI_SUBPAGE_FIXED);
}

/* Enhanced Allocation, or a quirk. */
static void resource_is_fixed(struct kunit *test)
{
	struct fake *fake = test->priv;

	add_bars_to_move(test);
	fake->dev[0].resource[1].flags |= IORESOURCE_PCI_FIXED;
	fake->dev[0].resource[2].flags |= IORESOURCE_PCI_FIXED;
	fake->policy.relocate = PCI_SUBPAGE_RELOCATE_FORCE;
	expect_only_in_place(test, PCI_SUBPAGE_FIXED);
}

/* The console is on another BAR, and must not go dark. */
static void boot_framebuffer(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct resource fb = DEFINE_RES_MEM_NAMED(page(0, 4), PAGE_SIZE, "BOOTFB");

	add_bars_to_move(test);
	add_bar(test, 0, 4, page(0, 4), 2 * PAGE_SIZE, MEM);
	KUNIT_ASSERT_EQ(test, 0, request_resource(&fake->dev[0].resource[4], &fb));
	expect_only_in_place(test, PCI_SUBPAGE_BUSY);
	release_resource(&fb);
	expect_moved(test);
}

/* vfio-pci maps such a BAR, and so it stays: a region inside is no obstacle. */
static void region_inside_in_place(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct resource region = DEFINE_RES_MEM_NAMED(page(0, 0), 16, "region");

	add_window(test, 0, 1, MEM);
	add_bar(test, 0, 0, page(0, 0), 256, MEM);
	KUNIT_ASSERT_EQ(test, 0, request_resource(&fake->dev[0].resource[0], &region));
	prepare(fake, 0);
	expect_page(test, 0, 0, PCI_SUBPAGE_IN_PLACE, page(0, 0));
	restore(fake, 0);
	expect_at(test, 0, 0, page(0, 0), 256);
	release_resource(&region);
}

/* Nobody has let go of the rest of the page: that is said, and harms nobody. */
static void region_in_the_rest(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct resource region = DEFINE_RES_MEM_NAMED(page(0, 0) + 1024, 16, "region");

	add_window(test, 0, 1, MEM);
	add_bar(test, 0, 0, page(0, 0), 256, MEM);
	prepare(fake, 0);
	KUNIT_ASSERT_EQ(test, 0, request_resource(&fake->dev[0].resource[0], &region));
	restore(fake, 0);
	expect_at(test, 0, 0, page(0, 0), PAGE_SIZE);
	release_resource(&region);
}

/* Off while both halves are written, then as before; not touched if it was off. */
static void decode_as_before(struct kunit *test)
{
	static const u32 commands[] = { PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER,
					PCI_COMMAND_MASTER };
	struct fake *fake = test->priv;
	int dev;

	add_window(test, 2, 3, PREF64);
	add_bar(test, 2, 0, page(2, 0), 256, PREF64);
	for (dev = 0; dev < 2; dev++)
		add_bar(test, dev, 0, page(2, 0) + (dev + 1) * 256, 256, PREF64);
	for (dev = 0; dev < 2; dev++) {
		fake->config[dev][PCI_COMMAND / 4] = commands[dev];
		prepare(fake, dev);
		expect_page(test, dev, 0, PCI_SUBPAGE_RELOCATED, page(2, dev + 1));
		KUNIT_EXPECT_EQ(test, commands[dev], fake->config[dev][PCI_COMMAND / 4]);
		KUNIT_EXPECT_EQ(test, 2 * (dev + 1), fake->bar_writes);
		KUNIT_EXPECT_EQ(test, 2, fake->command_writes);
	}
}

static void register_stuck(struct kunit *test)
{
	struct fake *fake = test->priv;

	add_window(test, 0, 4, MEM);
	add_bar(test, 0, 0, page(0, 0), 256, MEM);
	add_bar(test, 1, 0, page(0, 0) + 256, 256, MEM);
	add_bar(test, 2, 0, page(0, 1) + 256, 256, MEM);
	fake->config[0][PCI_COMMAND / 4] = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	fake->stuck = true;
	prepare(fake, 0);
	expect_none(test, 0, 0, PCI_SUBPAGE_REJECTED, page(0, 0));
	KUNIT_EXPECT_EQ(test, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER,
			fake->config[0][PCI_COMMAND / 4]);
	KUNIT_EXPECT_PTR_EQ(test, &fake->dev[1].resource[0], fake->dev[0].resource[0].sibling);
	/* Alone in its page. */
	prepare(fake, 2);
	expect_none(test, 2, 0, PCI_SUBPAGE_REJECTED, page(0, 1) + 256);
	KUNIT_EXPECT_PTR_EQ(test, &fake->dev[2].resource[0], fake->dev[1].resource[0].sibling);
	KUNIT_EXPECT_NULL(test, fake->dev[2].resource[0].sibling);
}

/* It must not answer at an address that is somebody else's. */
static void register_lost_its_address(struct kunit *test)
{
	struct fake *fake = test->priv;

	add_window(test, 0, 4, MEM);
	add_bar(test, 0, 0, page(0, 0), 256, MEM);
	add_bar(test, 1, 0, page(0, 0) + 256, 256, MEM);
	fake->config[0][PCI_COMMAND / 4] = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	fake->confused = true;
	prepare(fake, 0);
	KUNIT_EXPECT_EQ(test, PCI_SUBPAGE_REJECTED, state(fake, 0, 0));
	KUNIT_EXPECT_EQ(test, PCI_COMMAND_MASTER, fake->config[0][PCI_COMMAND / 4]);
	KUNIT_EXPECT_EQ(test, page(0, 0), fake->dev[0].resource[0].start);
	KUNIT_EXPECT_EQ(test, 256, resource_size(&fake->dev[0].resource[0]));
	KUNIT_EXPECT_EQ(test, 0, fake->decoded_writes);
}

/* All ones are no command register: nothing is written that could be wrong later. */
static void device_does_not_answer(struct kunit *test)
{
	struct fake *fake = test->priv;

	add_bars_to_move(test);
	fake->dead = true;
	expect_only_in_place(test, PCI_SUBPAGE_INACCESSIBLE);
}

/* Restoring brings back the new address, and all else that was saved. */
static void saved_registers(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct pci_dev *dev = &fake->dev[0];
	int i;

	add_window(test, 2, 4, PREF64);
	add_bar(test, 0, 2, page(2, 0), 256, PREF64);
	add_bar(test, 1, 0, page(2, 0) + 256, 256, PREF64);
	for (i = 0; i < ARRAY_SIZE(dev->saved_config_space); i++)
		dev->saved_config_space[i] = 0x1000 + i;
	prepare(fake, 0);
	expect_page(test, 0, 2, PCI_SUBPAGE_RELOCATED, page(2, 1));
	for (i = 0; i < ARRAY_SIZE(dev->saved_config_space); i++) {
		bool is_bar = i == PCI_BASE_ADDRESS_2 / 4 || i == PCI_BASE_ADDRESS_3 / 4;

		KUNIT_EXPECT_EQ(test, is_bar ? fake->config[0][i] : 0x1000 + i,
				dev->saved_config_space[i]);
	}
	KUNIT_EXPECT_FALSE(test, dev->state_saved);
}

/*
 * The PCI core looks for BARs without a parent whenever it assigns addresses,
 * and takes no lock for it that we could hold. Others look at the machine, which
 * has nothing to do with the addresses that are made up here.
 */
struct onlooker {
	const struct resource *bar;
	u64 start;
	int machine;
	unsigned int looks;
	unsigned int orphaned;
	unsigned int touched;
};

/* What the machine has at the place that the BAR leaves. */
static int machine_has(u64 start)
{
	return region_intersects(start, 256, IORESOURCE_MEM | IORESOURCE_BUSY, IORES_DESC_NONE);
}

static int onlooker_thread(void *data)
{
	struct onlooker *o = data;

	while (!kthread_should_stop()) {
		if (!READ_ONCE(o->bar->parent))
			o->orphaned++;
		if (machine_has(o->start) != o->machine)
			o->touched++;
		if (!(++o->looks % 1024))
			cond_resched();
	}
	return 0;
}

/* To the other window and back. */
static void move_keeps_parent(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct resource *res = &fake->dev[0].resource[0];
	struct pci_subpage *sp = &fake->sp[0];
	struct onlooker o = { .bar = res, .start = page(0, 0) };
	struct task_struct *thread;
	unsigned int i, window, failed = 0;

	sp->pdev = &fake->dev[0];
	add_window(test, 0, 1, MEM);
	add_window(test, 1, 1, MEM);
	add_bar(test, 0, 0, page(0, 0), 256, MEM);
	o.machine = machine_has(o.start);
	thread = kthread_run(onlooker_thread, &o, "subpage-onlooker");
	KUNIT_ASSERT_FALSE(test, IS_ERR(thread));

	for (i = 0; i < 9000; i++) {
		window = 1 - i % 2;
		sp->page = (struct resource) {
			.start = page(window, 0),
			.end = page(window, 1) - 1,
			.flags = MEM,
		};
		failed += !!request_resource(&fake->window[window], &sp->page);
		failed += !!pci_subpage_move_bar(sp, 0);
		failed += !!adjust_resource(res, res->start, 256);
	}
	kthread_stop(thread);

	KUNIT_EXPECT_GT(test, o.looks, 0);
	KUNIT_EXPECT_EQ(test, 0, o.orphaned);
	KUNIT_EXPECT_EQ(test, 0, o.touched);
	KUNIT_EXPECT_EQ(test, 0, failed);
	expect_at(test, 0, 0, page(0, 0), 256);
}

/*
 * A neighbour who comes into the rest of the BAR's page whenever it can, and
 * stays until it is known how that round ended.
 */
struct neighbour {
	struct fake *fake;
	struct resource res;
	unsigned int round;
	unsigned int came;
	unsigned int left;
};

static void visit(struct neighbour *n)
{
	unsigned int round = READ_ONCE(n->round);

	if (request_resource(&n->fake->window[0], &n->res))
		return;

	WRITE_ONCE(n->came, n->came + 1);
	while (READ_ONCE(n->round) == round && !kthread_should_stop())
		cond_resched();
	release_resource(&n->res);
	WRITE_ONCE(n->left, n->came);
	/* Leaves room for the next, for not always as long. */
	udelay(n->came % 64);
}

static int neighbour_thread(void *data)
{
	while (!kthread_should_stop()) {
		visit(data);
		cond_resched();
	}
	return 0;
}

/* Whoever has come does not stay for the next one. */
static void next_round(struct neighbour *n)
{
	unsigned int came = READ_ONCE(n->came);

	WRITE_ONCE(n->round, n->round + 1);
	while (READ_ONCE(n->left) != came && READ_ONCE(n->came) == came)
		cond_resched();
}

static bool is_alone(const struct resource *res)
{
	return READ_ONCE(res->parent->child) == res && !READ_ONCE(res->sibling);
}

/*
 * Either the neighbour is in the page and the BAR is as it was, or the BAR has the
 * page and the neighbour is kept out: never both. A neighbour who came in between
 * a look and the reservation would be seen beside the BAR.
 */
static void neighbour_comes_meanwhile(struct kunit *test)
{
	struct fake *fake = test->priv;
	unsigned int in_place = 0, lost = 0, shared = 0;
	struct neighbour n = {
		.fake = fake,
		.res = DEFINE_RES_MEM(page(0, 0) + 2048, 256),
	};
	struct task_struct *thread;

	fake->policy.relocate = PCI_SUBPAGE_RELOCATE_NO;
	add_window(test, 0, 1, MEM);
	add_bar(test, 0, 0, page(0, 0), 256, MEM);
	thread = kthread_run(neighbour_thread, &n, "subpage-neighbour");
	KUNIT_ASSERT_FALSE(test, IS_ERR(thread));

	/* Each one that is lost is a line in the log. */
	while (in_place < 20000 && lost < 200) {
		prepare(fake, 0);
		if (state(fake, 0, 0) == PCI_SUBPAGE_IN_PLACE) {
			in_place++;
			shared += !is_alone(&fake->dev[0].resource[0]);
		} else {
			lost++;
		}
		restore(fake, 0);
		next_round(&n);
	}
	kthread_stop(thread);

	kunit_info(test, "%u in place, %u lost, neighbour came %u times\n",
		   in_place, lost, n.came);
	KUNIT_EXPECT_EQ(test, 0, shared);
	expect_at(test, 0, 0, page(0, 0), 256);
}

static void init_device(struct fake *fake, int n)
{
	struct pci_dev *dev = &fake->dev[n];

	dev->bus = &fake->bus;
	dev->devfn = n;
	dev->dev.init_name = "kunit-subpage";
	dev->cfg_size = 256;
	INIT_HLIST_HEAD(&dev->saved_cap_space);
	device_initialize(&dev->dev);
}

static int bars_test_init(struct kunit *test)
{
	struct fake *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);
	int n;

	KUNIT_ASSERT_NOT_NULL(test, fake);
	fake->host = pci_alloc_host_bridge(0);
	KUNIT_ASSERT_NOT_NULL(test, fake->host);

	fake->root = (struct resource) {
		.name = "root", .end = ~(resource_size_t)0, .flags = IORESOURCE_MEM,
	};
	fake->policy.relocate = PCI_SUBPAGE_RELOCATE_YES;
	fake->bus.bridge = &fake->host->dev;
	fake->bus.ops = &fake_ops;
	fake->bus.sysdata = fake;
	INIT_LIST_HEAD(&fake->bus.resources);
	for (n = 0; n < NR_DEVICES; n++)
		init_device(fake, n);
	test->priv = fake;
	return 0;
}

static void bars_test_exit(struct kunit *test)
{
	struct fake *fake = test->priv;

	if (fake)
		pci_free_host_bridge(fake->host);
}

static struct kunit_case bars_test_cases[] = {
	KUNIT_CASE(in_place),
	KUNIT_CASE(moves_in_own_page),
	KUNIT_CASE(keeps_size),
	KUNIT_CASE_PARAM(sizes, size_gen_params),
	KUNIT_CASE(bridge_has_none),
	KUNIT_CASE(first_fit),
	KUNIT_CASE(window_exactly_full),
	KUNIT_CASE(window_full),
	KUNIT_CASE(window_off),
	KUNIT_CASE(window_unset),
	KUNIT_CASE(window_not_in_tree),
	KUNIT_CASE(prefetchable_and_64bit),
	KUNIT_CASE(other_window),
	KUNIT_CASE(bus_addresses),
	KUNIT_CASE(below_reservation),
	KUNIT_CASE(reserved_by_firmware),
	KUNIT_CASE(above_legacy),
	KUNIT_CASE(restore_in_any_order),
	KUNIT_CASE(unassigned),
	KUNIT_CASE(window_lost),
	KUNIT_CASE(window_lost_for_good),
	KUNIT_CASE(own_window_lost_while_moving),
	KUNIT_CASE(new_window_lost_while_moving),
	KUNIT_CASE(relocate_is_off),
	KUNIT_CASE(device_is_excluded),
	KUNIT_CASE(firmware_keeps_addresses),
	KUNIT_CASE(device_tree_keeps_addresses),
	KUNIT_CASE(decode_has_to_stay_on),
	KUNIT_CASE(resource_is_fixed),
	KUNIT_CASE(boot_framebuffer),
	KUNIT_CASE(region_inside_in_place),
	KUNIT_CASE(region_in_the_rest),
	KUNIT_CASE(decode_as_before),
	KUNIT_CASE(register_stuck),
	KUNIT_CASE(register_lost_its_address),
	KUNIT_CASE(device_does_not_answer),
	KUNIT_CASE(saved_registers),
	KUNIT_CASE(move_keeps_parent),
	KUNIT_CASE(neighbour_comes_meanwhile),
	{}
};

static struct kunit_suite bars_test_suite = {
	.name = "pci_subpage_bars",
	.init = bars_test_init,
	.exit = bars_test_exit,
	.test_cases = bars_test_cases,
};

kunit_test_suites(&bars_test_suite);
