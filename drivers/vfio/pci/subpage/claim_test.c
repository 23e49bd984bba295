// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of claiming, moving and releasing BARs.
 *
 * The devices, their bus and its windows are made up here, on a resource tree
 * of their own: nothing of the machine is touched.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/sizes.h>

#include "claim.h"
#include "move.h"

#define NR_DEVICES	3
#define NR_WINDOWS	3
#define MSIX_CAP	0x40

#define MEM		IORESOURCE_MEM
#define PREF		(IORESOURCE_MEM | IORESOURCE_PREFETCH)
#define PREF64		(PREF | IORESOURCE_MEM_64)

struct fake {
	struct pci_host_bridge *host;
	struct pci_bus bus;
	struct resource root;
	struct resource window[NR_WINDOWS];
	struct pci_dev dev[NR_DEVICES];
	struct pci_subpage claims[NR_DEVICES];
	u32 config[NR_DEVICES][64];
	bool stuck;
	unsigned int command_writes;
	unsigned int decoded_writes;
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

static bool is_bar(int where)
{
	return where >= PCI_BASE_ADDRESS_0 && where <= PCI_BASE_ADDRESS_5;
}

static int fake_read(struct pci_bus *bus, unsigned int devfn, int where, int size,
		     u32 *val)
{
	struct fake *fake = bus->sysdata;
	u32 dword = where < 256 ? fake->config[devfn][where / 4] : ~0;

	*val = dword >> (where % 4 * 8);
	if (size < 4)
		*val &= (1U << (size * 8)) - 1;
	return PCIBIOS_SUCCESSFUL;
}

static int fake_write(struct pci_bus *bus, unsigned int devfn, int where, int size,
		      u32 val)
{
	struct fake *fake = bus->sysdata;
	u32 *dword = &fake->config[devfn][where / 4];
	u32 mask = size < 4 ? (1U << (size * 8)) - 1 : ~0U;

	if (where == PCI_COMMAND)
		fake->command_writes++;
	if (is_bar(where)) {
		if (fake->config[devfn][PCI_COMMAND / 4] & PCI_COMMAND_MEMORY)
			fake->decoded_writes++;
		if (fake->stuck)
			return PCIBIOS_SUCCESSFUL;
	}
	mask <<= where % 4 * 8;
	*dword = (*dword & ~mask) | (val << (where % 4 * 8) & mask);
	return PCIBIOS_SUCCESSFUL;
}

static struct pci_ops fake_ops = {
	.read = fake_read,
	.write = fake_write,
};

static void add_window_at(struct kunit *test, int n, u64 start, unsigned int pages,
			  unsigned long flags)
{
	struct fake *fake = test->priv;
	struct resource *window = &fake->window[n];

	*window = (struct resource) {
		.name = "window",
		.start = start,
		.end = start + pages * PAGE_SIZE - 1,
		.flags = flags,
	};
	KUNIT_ASSERT_EQ(test, 0, request_resource(&fake->root, window));
	fake->bus.resource[n] = window;
}

static void add_window(struct kunit *test, int n, unsigned int pages, unsigned long flags)
{
	add_window_at(test, n, window_start(n), pages, flags);
}

static u64 bar_register(struct fake *fake, int dev, int bar)
{
	u32 *reg = &fake->config[dev][PCI_BASE_ADDRESS_0 / 4 + bar];

	if (fake->dev[dev].resource[bar].flags & IORESOURCE_MEM_64)
		return (u64)reg[1] << 32 | reg[0];
	return reg[0];
}

static void add_bar(struct kunit *test, int dev, int bar, u64 start, unsigned int size,
		    unsigned long flags)
{
	struct fake *fake = test->priv;
	struct resource *res = &fake->dev[dev].resource[bar];
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

	fake->config[dev][PCI_BASE_ADDRESS_0 / 4 + bar] = lower_32_bits(start);
	if (flags & IORESOURCE_MEM_64)
		fake->config[dev][PCI_BASE_ADDRESS_0 / 4 + bar + 1] = upper_32_bits(start);
}

static void probe(struct fake *fake, int dev)
{
	pci_subpage_probe_mmaps(&fake->claims[dev], &fake->dev[dev], true);
}

static enum pci_subpage_claim claim(struct fake *fake, int dev, int bar)
{
	return fake->claims[dev].bars[bar].claim;
}

/* The claim holds, and register, resource and tree agree about the address. */
static void expect_held(struct kunit *test, int dev, int bar,
			enum pci_subpage_claim expected, u64 start)
{
	struct fake *fake = test->priv;
	struct resource *res = &fake->dev[dev].resource[bar];

	KUNIT_EXPECT_EQ(test, expected, claim(fake, dev, bar));
	KUNIT_EXPECT_TRUE(test, pci_subpage_holds(&fake->claims[dev], bar));
	KUNIT_EXPECT_EQ(test, start, res->start);
	KUNIT_EXPECT_EQ(test, start, bar_register(fake, dev, bar));
	KUNIT_ASSERT_NOT_NULL(test, res->parent);
	KUNIT_EXPECT_PTR_EQ(test, &fake->claims[dev].bars[bar].page, res->parent);
	KUNIT_EXPECT_EQ(test, start, res->parent->start);
	KUNIT_EXPECT_EQ(test, PAGE_SIZE, resource_size(res->parent));
	KUNIT_EXPECT_PTR_EQ(test, res, res->parent->child);
	KUNIT_EXPECT_NULL(test, res->sibling);
	KUNIT_EXPECT_EQ(test, 0, fake->decoded_writes);
}

/* Nothing was changed, in register, resource and tree. */
static void expect_untouched(struct kunit *test, int dev, int bar, u64 start)
{
	struct fake *fake = test->priv;
	struct resource *res = &fake->dev[dev].resource[bar];

	KUNIT_EXPECT_EQ(test, start, res->start);
	KUNIT_EXPECT_EQ(test, start, bar_register(fake, dev, bar));
	KUNIT_ASSERT_NOT_NULL(test, res->parent);
	KUNIT_EXPECT_STREQ(test, "window", res->parent->name);
	KUNIT_EXPECT_EQ(test, 0, fake->decoded_writes);
}

static void expect_none(struct kunit *test, int dev, int bar,
			enum pci_subpage_reason reason, u64 start)
{
	struct fake *fake = test->priv;

	KUNIT_EXPECT_EQ(test, PCI_SUBPAGE_NONE, claim(fake, dev, bar));
	KUNIT_EXPECT_EQ(test, reason, fake->claims[dev].bars[bar].reason);
	KUNIT_EXPECT_FALSE(test, pci_subpage_holds(&fake->claims[dev], bar));
	expect_untouched(test, dev, bar, start);
}

static void claim_in_place(struct kunit *test)
{
	struct fake *fake = test->priv;

	add_window(test, 0, 2, MEM);
	add_bar(test, 0, 0, page(0, 0), 256, MEM);
	probe(fake, 0);
	expect_held(test, 0, 0, PCI_SUBPAGE_IN_PLACE, page(0, 0));

	/* May be called again, and changes nothing. */
	probe(fake, 0);
	expect_held(test, 0, 0, PCI_SUBPAGE_IN_PLACE, page(0, 0));

	pci_subpage_release_mmaps(&fake->claims[0]);
	expect_untouched(test, 0, 0, page(0, 0));
	KUNIT_EXPECT_NULL(test, fake->dev[0].resource[0].sibling);
}

static void claim_slides_in_own_page(struct kunit *test)
{
	struct fake *fake = test->priv;

	add_window(test, 0, 1, MEM);
	add_bar(test, 0, 0, page(0, 0) + 512, 256, MEM);
	probe(fake, 0);
	expect_held(test, 0, 0, PCI_SUBPAGE_RELOCATED, page(0, 0));
}

static void claim_first_fit(struct kunit *test)
{
	struct fake *fake = test->priv;

	add_window(test, 0, 4, MEM);
	add_bar(test, 0, 0, page(0, 0), 256, MEM);
	add_bar(test, 1, 0, page(0, 0) + 256, 256, MEM);
	add_bar(test, 2, 0, page(0, 1) + 1024, 1024, MEM);
	probe(fake, 0);
	expect_held(test, 0, 0, PCI_SUBPAGE_RELOCATED, page(0, 2));
	probe(fake, 1);
	expect_held(test, 1, 0, PCI_SUBPAGE_RELOCATED, page(0, 0));
}

/* As many pages as BARs, all packed into the first one. */
static void claim_window_exactly_full(struct kunit *test)
{
	struct fake *fake = test->priv;
	int bar;

	add_window(test, 0, 4, MEM);
	for (bar = 0; bar < 4; bar++)
		add_bar(test, 0, bar, page(0, 0) + bar * 256, 256, MEM);
	probe(fake, 0);
	expect_held(test, 0, 0, PCI_SUBPAGE_IN_PLACE, page(0, 0));
	for (bar = 1; bar < 4; bar++)
		expect_held(test, 0, bar, PCI_SUBPAGE_RELOCATED, page(0, bar));
}

static void claim_window_full(struct kunit *test)
{
	struct fake *fake = test->priv;

	add_window(test, 0, 2, MEM);
	add_bar(test, 0, 0, page(0, 0), 256, MEM);
	add_bar(test, 1, 0, page(0, 0) + 256, 256, MEM);
	add_bar(test, 2, 0, page(0, 1), 256, MEM);
	add_bar(test, 2, 1, page(0, 1) + 256, 256, MEM);
	probe(fake, 0);
	expect_none(test, 0, 0, PCI_SUBPAGE_NO_SPACE, page(0, 0));
	probe(fake, 2);
	expect_none(test, 2, 0, PCI_SUBPAGE_NO_SPACE, page(0, 1));
	expect_none(test, 2, 1, PCI_SUBPAGE_NO_SPACE, page(0, 1) + 256);
}

/* One page is left: it goes to the BAR that gains most from it. */
static void claim_msix_comes_last(struct kunit *test)
{
	struct fake *fake = test->priv;

	add_window(test, 0, 2, MEM);
	add_bar(test, 0, 0, page(0, 0) + 256, 256, MEM);
	add_bar(test, 0, 3, page(0, 0) + 512, 256, MEM);
	add_bar(test, 1, 0, page(0, 0), 256, MEM);
	fake->dev[0].msix_cap = MSIX_CAP;
	fake->config[0][(MSIX_CAP + PCI_MSIX_TABLE) / 4] = 0;
	probe(fake, 0);
	expect_none(test, 0, 0, PCI_SUBPAGE_NO_SPACE, page(0, 0) + 256);
	expect_held(test, 0, 3, PCI_SUBPAGE_RELOCATED, page(0, 1));
	pci_subpage_undo_mmaps(&fake->claims[0]);

	/* The other BAR has the table now; then one with registers before it. */
	fake->config[0][(MSIX_CAP + PCI_MSIX_TABLE) / 4] = 3;
	probe(fake, 0);
	expect_held(test, 0, 0, PCI_SUBPAGE_RELOCATED, page(0, 1));
	expect_none(test, 0, 3, PCI_SUBPAGE_NO_SPACE, page(0, 0) + 512);
	pci_subpage_undo_mmaps(&fake->claims[0]);

	fake->config[0][(MSIX_CAP + PCI_MSIX_TABLE) / 4] = 0x80;
	probe(fake, 0);
	expect_held(test, 0, 0, PCI_SUBPAGE_RELOCATED, page(0, 1));
}

static void claim_prefetchable_and_64bit(struct kunit *test)
{
	struct fake *fake = test->priv;

	/* No page is free in the windows that they live in, but the last. */
	add_window(test, 0, 1, MEM);
	add_window(test, 1, 1, PREF);
	add_window(test, 2, 4, PREF64);
	add_bar(test, 0, 0, page(0, 0), 256, MEM);
	add_bar(test, 0, 1, page(0, 0) + 256, 256, MEM);
	add_bar(test, 1, 0, page(1, 0), 256, PREF);
	add_bar(test, 1, 1, page(1, 0) + 256, 256, PREF);
	add_bar(test, 2, 0, page(2, 0), 256, PREF64);
	add_bar(test, 2, 2, page(2, 0) + 256, 256, PREF64);

	probe(fake, 2);
	expect_held(test, 2, 0, PCI_SUBPAGE_IN_PLACE, page(2, 0));
	expect_held(test, 2, 2, PCI_SUBPAGE_RELOCATED, page(2, 1));
	/* Neither is prefetchable, and the window above 4 GiB is. */
	probe(fake, 0);
	expect_none(test, 0, 0, PCI_SUBPAGE_NO_SPACE, page(0, 0));
	expect_none(test, 0, 1, PCI_SUBPAGE_NO_SPACE, page(0, 0) + 256);
	/* Prefetchable, but 32 bits do not reach that far. */
	probe(fake, 1);
	expect_none(test, 1, 0, PCI_SUBPAGE_NO_SPACE, page(1, 0));
	expect_none(test, 1, 1, PCI_SUBPAGE_NO_SPACE, page(1, 0) + 256);
}

/*
 * The window that a BAR lives in comes first, then others: a prefetchable one
 * for a prefetchable BAR, never for one that is not.
 */
static void claim_other_window(struct kunit *test)
{
	struct fake *fake = test->priv;

	add_window(test, 0, 2, MEM);
	add_window(test, 1, 3, PREF);
	add_bar(test, 0, 0, page(0, 0), 256, PREF);
	add_bar(test, 0, 1, page(0, 0) + 256, 256, PREF);
	add_bar(test, 1, 0, page(0, 0) + 512, 256, MEM);
	add_bar(test, 2, 0, page(0, 0) + 768, 256, MEM);
	probe(fake, 0);
	expect_held(test, 0, 1, PCI_SUBPAGE_RELOCATED, page(0, 1));
	expect_held(test, 0, 0, PCI_SUBPAGE_RELOCATED, page(1, 0));
	probe(fake, 1);
	expect_none(test, 1, 0, PCI_SUBPAGE_NO_SPACE, page(0, 0) + 512);
}

/*
 * The PCI core sizes a 64-bit prefetchable window for 64-bit BARs alone. One of
 * 32 bits gets a page there only if no window before it has one.
 */
static void claim_32bit_prefetchable(struct kunit *test)
{
	struct fake *fake = test->priv;

	add_window(test, 0, 1, MEM);
	add_window(test, 1, 2, PREF64);
	add_window_at(test, 2, window_start(0) + SZ_1M, 1, PREF);
	add_bar(test, 0, 0, fake->window[2].start, 256, PREF);
	add_bar(test, 0, 1, fake->window[2].start + 256, 256, PREF);
	add_bar(test, 0, 2, fake->window[2].start + 512, 256, PREF);

	probe(fake, 0);
	expect_held(test, 0, 1, PCI_SUBPAGE_RELOCATED, page(0, 0));
	expect_held(test, 0, 2, PCI_SUBPAGE_RELOCATED, page(1, 0));
	expect_held(test, 0, 0, PCI_SUBPAGE_IN_PLACE, fake->window[2].start);
}

/* What firmware has reserved around a BAR, as x86 does, is nobody's to give. */
static void claim_below_reservation(struct kunit *test)
{
	struct resource reserved = DEFINE_RES_MEM_NAMED(page(2, 0), 2 * PAGE_SIZE, "Reserved");
	struct fake *fake = test->priv;

	add_window(test, 2, 4, PREF64);
	add_bar(test, 0, 0, page(2, 0), 256, PREF64);
	add_bar(test, 0, 2, page(2, 0) + 256, 256, PREF64);
	KUNIT_ASSERT_EQ(test, 0, insert_resource(&fake->window[2], &reserved));

	probe(fake, 0);
	expect_held(test, 0, 0, PCI_SUBPAGE_IN_PLACE, page(2, 0));
	expect_held(test, 0, 2, PCI_SUBPAGE_RELOCATED, page(2, 2));

	/* Back to where it was, reserved or not. */
	pci_subpage_undo_mmaps(&fake->claims[0]);
	KUNIT_EXPECT_EQ(test, page(2, 0) + 256, fake->dev[0].resource[2].start);
	KUNIT_EXPECT_PTR_EQ(test, &reserved, fake->dev[0].resource[2].parent);
	remove_resource(&reserved);
}

/* A window of the root bus that holds VGA memory has no page for others. */
static void claim_above_legacy(struct kunit *test)
{
	struct fake *fake = test->priv;

	add_window_at(test, 0, 0xa0000, 3, MEM);
	add_bar(test, 0, 0, 0xa0000, 256, MEM);
	add_bar(test, 1, 0, 0xa0000 + 256, 256, MEM);
	probe(fake, 0);
	expect_none(test, 0, 0, PCI_SUBPAGE_NO_SPACE, 0xa0000);
}

static void claim_release_in_any_order(struct kunit *test)
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
			probe(fake, dev);
		for (i = 0; i < NR_DEVICES; i++) {
			dev = orders[order][i];
			pci_subpage_release_mmaps(&fake->claims[dev]);
			expect_untouched(test, dev, 0, fake->dev[dev].resource[0].start);
			expect_untouched(test, dev, 1, fake->dev[dev].resource[1].start);
		}
	}
}

/* Make room for others in the way of the PCI core: all in the window goes. */
static void take_window_away(struct resource *window)
{
	struct resource *page = window->child;
	struct resource *bar = page->child;

	release_resource(bar);
	bar->end = resource_size(bar) - 1;
	bar->start = 0;
	release_resource(page);
	page->end = PAGE_SIZE - 1;
	page->start = 0;
	release_resource(window);
}

static void claim_lost(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct resource *res = &fake->dev[0].resource[0];

	add_window(test, 0, 1, MEM);
	add_bar(test, 0, 0, page(0, 0), 256, MEM);
	probe(fake, 0);
	expect_held(test, 0, 0, PCI_SUBPAGE_IN_PLACE, page(0, 0));

	take_window_away(&fake->window[0]);
	KUNIT_EXPECT_FALSE(test, pci_subpage_holds(&fake->claims[0], 0));

	/* The window is back, elsewhere; the BAR may share its page by now. */
	add_window(test, 1, 1, MEM);
	add_bar(test, 0, 0, page(1, 0), 256, MEM);
	KUNIT_EXPECT_FALSE(test, pci_subpage_holds(&fake->claims[0], 0));

	pci_subpage_release_mmaps(&fake->claims[0]);
	KUNIT_EXPECT_PTR_EQ(test, &fake->window[1], res->parent);
}

static void claim_undo(struct kunit *test)
{
	struct fake *fake = test->priv;
	int bar;

	/* In place, moved, slid, and one that there is no page for. */
	add_window(test, 0, 4, MEM);
	add_bar(test, 0, 0, page(0, 0), 256, MEM);
	add_bar(test, 0, 1, page(0, 0) + 512, 256, MEM);
	add_bar(test, 0, 2, page(0, 2) + 1024, 1024, MEM);
	add_bar(test, 1, 0, page(0, 3), 256, MEM);
	add_bar(test, 0, 3, page(0, 3) + 256, 256, MEM);
	fake->config[0][PCI_COMMAND / 4] = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;

	probe(fake, 0);
	for (bar = 0; bar < 3; bar++)
		KUNIT_EXPECT_NE(test, PCI_SUBPAGE_NONE, claim(fake, 0, bar));
	KUNIT_EXPECT_EQ(test, PCI_SUBPAGE_NONE, claim(fake, 0, 3));
	KUNIT_EXPECT_EQ(test, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER,
			fake->config[0][PCI_COMMAND / 4]);

	pci_subpage_undo_mmaps(&fake->claims[0]);
	expect_untouched(test, 0, 0, page(0, 0));
	expect_untouched(test, 0, 1, page(0, 0) + 512);
	expect_untouched(test, 0, 2, page(0, 2) + 1024);
	expect_untouched(test, 0, 3, page(0, 3) + 256);
	KUNIT_EXPECT_EQ(test, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER,
			fake->config[0][PCI_COMMAND / 4]);
}

/* What is in its place may be claimed, nothing else is touched. */
static void expect_only_in_place(struct kunit *test, enum pci_subpage_reason reason)
{
	struct fake *fake = test->priv;

	fake->config[0][PCI_COMMAND / 4] = PCI_COMMAND_MEMORY;
	fake->command_writes = 0;
	probe(fake, 0);
	expect_held(test, 0, 0, PCI_SUBPAGE_IN_PLACE, page(0, 0));
	expect_none(test, 0, 1, reason, page(0, 1));
	expect_none(test, 0, 2, reason, page(0, 2) + 512);
	KUNIT_EXPECT_EQ(test, 0, fake->command_writes);
}

static void add_bars_to_move(struct kunit *test)
{
	add_window(test, 0, 8, MEM);
	add_bar(test, 0, 0, page(0, 0), 256, MEM);
	add_bar(test, 0, 1, page(0, 1), 256, MEM);
	add_bar(test, 1, 0, page(0, 1) + 256, 256, MEM);
	add_bar(test, 0, 2, page(0, 2) + 512, 256, MEM);
}

static void claim_firmware_keeps_addresses(struct kunit *test)
{
	struct fake *fake = test->priv;

	add_bars_to_move(test);
	fake->host->preserve_config = 1;
	expect_only_in_place(test, PCI_SUBPAGE_FIXED);
}

/* The console is on another BAR, and must not go dark. */
static void claim_boot_framebuffer(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct resource fb = DEFINE_RES_MEM_NAMED(page(0, 4), PAGE_SIZE, "BOOTFB");

	add_bars_to_move(test);
	add_bar(test, 0, 4, page(0, 4), 2 * PAGE_SIZE, MEM);
	KUNIT_ASSERT_EQ(test, 0, request_resource(&fake->dev[0].resource[4], &fb));
	expect_only_in_place(test, PCI_SUBPAGE_BUSY);

	pci_subpage_undo_mmaps(&fake->claims[0]);
	release_resource(&fb);
	probe(fake, 0);
	expect_held(test, 0, 2, PCI_SUBPAGE_RELOCATED, page(0, 2));
}

static void claim_register_stuck(struct kunit *test)
{
	struct fake *fake = test->priv;

	add_window(test, 0, 4, MEM);
	add_bar(test, 0, 0, page(0, 0), 256, MEM);
	add_bar(test, 1, 0, page(0, 0) + 256, 256, MEM);
	fake->stuck = true;
	probe(fake, 0);
	expect_none(test, 0, 0, PCI_SUBPAGE_REJECTED, page(0, 0));
	KUNIT_EXPECT_PTR_EQ(test, &fake->dev[1].resource[0],
			    fake->dev[0].resource[0].sibling);
	KUNIT_EXPECT_NULL(test, fake->dev[1].resource[0].sibling);
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
	return region_intersects(start, 256, IORESOURCE_MEM | IORESOURCE_BUSY,
				 IORES_DESC_NONE);
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

/* To another window and back, and within its own page and back. */
static void move_keeps_parent(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct resource own = DEFINE_RES_MEM(page(0, 0), PAGE_SIZE);
	struct resource other = DEFINE_RES_MEM(page(1, 0), PAGE_SIZE);
	struct onlooker o = {
		.bar = &fake->dev[0].resource[0],
		.start = page(0, 0) + 256,
	};
	struct task_struct *thread;
	unsigned int i, failed = 0;

	add_window(test, 0, 1, MEM);
	add_window(test, 1, 1, MEM);
	add_bar(test, 0, 0, page(0, 0) + 256, 256, MEM);
	KUNIT_ASSERT_EQ(test, 0, insert_resource(&fake->window[0], &own));
	KUNIT_ASSERT_EQ(test, 0, request_resource(&fake->window[1], &other));
	o.machine = machine_has(o.start);
	thread = kthread_run(onlooker_thread, &o, "subpage-onlooker");
	KUNIT_ASSERT_FALSE(test, IS_ERR(thread));

	for (i = 0; i < 3000; i++) {
		failed += !!pci_subpage_move_bar(&fake->dev[0], 0, &other, other.start);
		failed += !!pci_subpage_move_bar(&fake->dev[0], 0, &own, own.start);
		failed += !!pci_subpage_move_bar(&fake->dev[0], 0, &own, own.start + 256);
	}
	kthread_stop(thread);
	remove_resource(&own);
	remove_resource(&other);

	KUNIT_EXPECT_GT(test, o.looks, 0);
	KUNIT_EXPECT_EQ(test, 0, o.orphaned);
	KUNIT_EXPECT_EQ(test, 0, o.touched);
	KUNIT_EXPECT_EQ(test, 0, failed);
	expect_untouched(test, 0, 0, page(0, 0) + 256);
}

/* A move into a place that is not free: all is as it was. */
static void move_to_taken_place(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct resource *neighbour = &fake->dev[1].resource[0];

	add_window(test, 0, 1, MEM);
	add_window(test, 1, 1, MEM);
	add_bar(test, 0, 0, page(0, 0) + 256, 256, MEM);
	add_bar(test, 1, 0, page(1, 0), 256, MEM);

	KUNIT_EXPECT_EQ(test, -EBUSY, pci_subpage_move_bar(&fake->dev[0], 0, &fake->window[1],
							   page(1, 0)));
	expect_untouched(test, 0, 0, page(0, 0) + 256);
	KUNIT_EXPECT_PTR_EQ(test, neighbour, fake->window[1].child);
	KUNIT_EXPECT_NULL(test, neighbour->sibling);
	KUNIT_EXPECT_NULL(test, neighbour->child);
}

/*
 * A neighbour who comes into the rest of the BAR's page whenever it can, and
 * stays until it is known how the claim of that round ended.
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
 * Either the neighbour is in the page and the BAR stays trapped, or the BAR holds
 * the page and the neighbour is kept out: never both. A neighbour who came in
 * between a look and the claim would be a child of the page, beside the BAR.
 */
static void claim_neighbour_taken_concurrently(struct kunit *test)
{
	struct fake *fake = test->priv;
	unsigned int in_place = 0, lost = 0, shared = 0;
	struct neighbour n = {
		.fake = fake,
		.res = DEFINE_RES_MEM(page(0, 0) + 2048, 256),
	};
	struct task_struct *thread;

	add_window(test, 0, 1, MEM);
	add_bar(test, 0, 0, page(0, 0), 256, MEM);
	thread = kthread_run(neighbour_thread, &n, "subpage-neighbour");
	KUNIT_ASSERT_FALSE(test, IS_ERR(thread));

	/* Each one that is lost is a line in the log. */
	while (in_place < 20000 && lost < 200) {
		pci_subpage_probe_mmaps(&fake->claims[0], &fake->dev[0], false);
		if (claim(fake, 0, 0) == PCI_SUBPAGE_IN_PLACE) {
			in_place++;
			shared += !is_alone(&fake->dev[0].resource[0]);
		} else {
			lost++;
		}
		pci_subpage_release_mmaps(&fake->claims[0]);
		next_round(&n);
	}
	kthread_stop(thread);

	kunit_info(test, "%u in place, %u lost, neighbour came %u times\n",
		   in_place, lost, n.came);
	KUNIT_EXPECT_EQ(test, 0, shared);
	expect_untouched(test, 0, 0, page(0, 0));
}

static void init_device(struct fake *fake, int n)
{
	struct pci_dev *dev = &fake->dev[n];

	dev->bus = &fake->bus;
	dev->devfn = n;
	dev->dev.init_name = "kunit-subpage";
	dev->cfg_size = 256;
	INIT_HLIST_HEAD(&dev->saved_cap_space);
}

static int claim_test_init(struct kunit *test)
{
	struct fake *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);
	int n;

	KUNIT_ASSERT_NOT_NULL(test, fake);
	fake->host = pci_alloc_host_bridge(0);
	KUNIT_ASSERT_NOT_NULL(test, fake->host);

	fake->root = (struct resource) {
		.name = "root", .end = ~(resource_size_t)0, .flags = IORESOURCE_MEM,
	};
	fake->bus.bridge = &fake->host->dev;
	fake->bus.ops = &fake_ops;
	fake->bus.sysdata = fake;
	INIT_LIST_HEAD(&fake->bus.resources);
	for (n = 0; n < NR_DEVICES; n++)
		init_device(fake, n);
	test->priv = fake;
	return 0;
}

static void claim_test_exit(struct kunit *test)
{
	struct fake *fake = test->priv;
	int n;

	if (!fake)
		return;
	for (n = 0; n < NR_DEVICES; n++)
		pci_subpage_release_mmaps(&fake->claims[n]);
	pci_free_host_bridge(fake->host);
}

static struct kunit_case claim_test_cases[] = {
	KUNIT_CASE(claim_in_place),
	KUNIT_CASE(claim_slides_in_own_page),
	KUNIT_CASE(claim_first_fit),
	KUNIT_CASE(claim_window_exactly_full),
	KUNIT_CASE(claim_window_full),
	KUNIT_CASE(claim_msix_comes_last),
	KUNIT_CASE(claim_prefetchable_and_64bit),
	KUNIT_CASE(claim_other_window),
	KUNIT_CASE(claim_32bit_prefetchable),
	KUNIT_CASE(claim_below_reservation),
	KUNIT_CASE(claim_above_legacy),
	KUNIT_CASE(claim_release_in_any_order),
	KUNIT_CASE(claim_lost),
	KUNIT_CASE(claim_undo),
	KUNIT_CASE(claim_firmware_keeps_addresses),
	KUNIT_CASE(claim_boot_framebuffer),
	KUNIT_CASE(claim_register_stuck),
	KUNIT_CASE(move_keeps_parent),
	KUNIT_CASE(move_to_taken_place),
	KUNIT_CASE(claim_neighbour_taken_concurrently),
	{}
};

static struct kunit_suite claim_test_suite = {
	.name = "pci_subpage_claim",
	.init = claim_test_init,
	.exit = claim_test_exit,
	.test_cases = claim_test_cases,
};

kunit_test_suites(&claim_test_suite);
