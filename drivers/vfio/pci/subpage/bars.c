// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages for the sub-page memory BARs of a device: which BAR gets one, and where.
 */
#define dev_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/sizes.h>

#include "bars.h"
#include "move.h"

static const struct {
	const char *name;
	const char *text;
} states[] = {
	[PCI_SUBPAGE_NONE]	   = { "none", "not a memory BAR smaller than a page" },
	[PCI_SUBPAGE_IN_PLACE]	   = { "in-place", "it starts its page and is alone there" },
	[PCI_SUBPAGE_RELOCATED]	   = { "relocated", "it was moved to a page of its own" },
	[PCI_SUBPAGE_UNASSIGNED]   = { "unassigned", "it has no address or no window" },
	[PCI_SUBPAGE_FIXED]	   = { "fixed", "its address cannot or shall not change" },
	[PCI_SUBPAGE_BUSY]	   = { "busy", "a region in a BAR of the device is in use" },
	[PCI_SUBPAGE_EXCLUDED]	   = { "excluded", "by a module parameter" },
	[PCI_SUBPAGE_NO_SPACE]	   = { "no-space", "no window has a free page" },
	[PCI_SUBPAGE_RESERVED]	   = { "reserved", "firmware has reserved all free pages" },
	[PCI_SUBPAGE_REJECTED]	   = { "rejected", "its register did not take another address" },
	[PCI_SUBPAGE_INACCESSIBLE] = { "inaccessible", "the device does not answer" },
};

/**
 * pci_subpage_state_name - the word for a state, as user space sees it
 * @state: a state
 *
 * Return: a constant string
 */
const char *pci_subpage_state_name(enum pci_subpage_state state)
{
	return states[state].name;
}

static bool is_subpage(const struct resource *res)
{
	return resource_type(res) == IORESOURCE_MEM && resource_size(res) &&
	       resource_size(res) < PAGE_SIZE;
}

/*
 * The BAR becomes as large as the page that it is in. That succeeds only if the
 * rest of the page is free, and nobody gets in from then on: proof and
 * reservation in one step, under the lock of the resource tree.
 */
static int take_own_page(struct resource *res)
{
	resource_size_t start = res->start, size = resource_size(res);

	if (adjust_resource(res, ALIGN_DOWN(start, PAGE_SIZE), PAGE_SIZE))
		return -EBUSY;
	if (READ_ONCE(res->parent))
		return 0;

	/* Without a window nobody was asked. */
	adjust_resource(res, start, size);
	return -EBUSY;
}

/*
 * May the BAR live in this window? A window that is not in the tree is off, or
 * lacks an address: what is allocated there belongs to somebody else.
 */
static bool is_window_for(const struct resource *window, const struct resource *res,
			  unsigned long same_flags)
{
	if (window->flags & (IORESOURCE_UNSET | IORESOURCE_DISABLED) ||
	    pci_subpage_tree(window) != pci_subpage_tree(res))
		return false;
	if ((window->flags ^ res->flags) & (same_flags | IORESOURCE_TYPE_BITS))
		return false;
	/* Speculative reads, which such a window allows, may change a register. */
	return res->flags & IORESOURCE_PREFETCH || !(window->flags & IORESOURCE_PREFETCH);
}

static int reserve_page_in(struct pci_subpage *sp, const struct resource *res,
			   struct resource *window)
{
	/*
	 * The first MiB is full of legacy ranges (VGA, option ROMs, ISA) that not
	 * every machine keeps in the resource tree, and a root bus may decode it.
	 */
	resource_size_t start = max_t(resource_size_t, window->start ?: PCIBIOS_MIN_MEM, SZ_1M);
	resource_size_t end = window->end;
	struct pci_bus_region region;

	/* A 32-bit BAR reaches bus addresses below 4 GiB. */
	pcibios_resource_to_bus(sp->pdev->bus, &region, window);
	if (!(res->flags & IORESOURCE_MEM_64) && upper_32_bits(region.end)) {
		if (upper_32_bits(region.start))
			return -ENOSPC;
		end -= region.end - U32_MAX;
	}

	return allocate_resource(window, &sp->page, PAGE_SIZE, start, end, PAGE_SIZE, NULL, NULL);
}

/*
 * Reserve a free page in a window of the bus. @type is what the page is reserved
 * as: the architecture keeps what firmware has reserved from memory only.
 *
 * The window that the BAR lives in is known to work for it. After that, the order
 * is that in which the PCI core looks for the first address of a BAR: a window of
 * just its kind, then others. The parent of the BAR need not be its window, as a
 * reservation of firmware can lie in between.
 */
static int reserve_page(struct pci_subpage *sp, struct resource *res, unsigned long type)
{
	static const unsigned long same_flags[] = {
		IORESOURCE_PREFETCH | IORESOURCE_MEM_64, IORESOURCE_PREFETCH, 0
	};
	struct resource *own = pci_find_parent_resource(sp->pdev, res), *window;
	int i, n;

	sp->page = (struct resource) {
		.name = PCI_SUBPAGE_RESOURCE_NAME,
		.flags = type | IORESOURCE_BUSY,
	};
	if (own && is_window_for(own, res, 0) && !reserve_page_in(sp, res, own))
		return 0;

	for (i = 0; i < ARRAY_SIZE(same_flags); i++) {
		pci_bus_for_each_resource(sp->pdev->bus, window, n) {
			if (window && is_window_for(window, res, same_flags[i]) &&
			    !reserve_page_in(sp, res, window))
				return 0;
		}
	}
	return -ENOSPC;
}

/* Of the two reasons, the true one. */
static enum pci_subpage_state why_no_page(struct pci_subpage *sp, struct resource *res)
{
	if (reserve_page(sp, res, 0))
		return PCI_SUBPAGE_NO_SPACE;

	/* Unless its window was taken away meanwhile. */
	if (sp->page.parent)
		release_resource(&sp->page);
	return PCI_SUBPAGE_RESERVED;
}

/*
 * Firmware, or the administrator, wants all addresses behind this host bridge
 * kept. A wish of ACPI can be overridden; to probe only, which a device tree can
 * ask for, means that nothing was set up for anything else.
 */
static bool keeps_addresses(struct pci_dev *pdev, bool force)
{
	struct pci_host_bridge *host = pci_find_host_bridge(pdev->bus);

	if (pci_has_flag(PCI_PROBE_ONLY))
		return true;
	if (!host->preserve_config)
		return false;
	return !force || (host->dev.parent && host->dev.parent->of_node);
}

/*
 * On s390 a BAR register does not decide where the BAR is. A VF has none: its
 * BARs follow from its PF's (PCIe r6.0, 9.3.3.14), and are whole pages anyway.
 */
static bool is_fixed(struct pci_dev *pdev, const struct resource *res, bool force)
{
	return res->flags & IORESOURCE_PCI_FIXED || pdev->is_virtfn || pdev->mmio_always_on ||
	       IS_ENABLED(CONFIG_S390) || keeps_addresses(pdev, force);
}

/*
 * A move turns off memory decode for all BARs of the device at once. The console
 * may be on one of them, as a frame buffer that firmware has set up; and VFs may
 * be in use whose PF is not.
 */
static bool is_busy(struct pci_dev *pdev)
{
	int i;

	for (i = 0; i <= PCI_ROM_RESOURCE; i++) {
		if (pdev->resource[i].child)
			return true;
	}
	return pci_num_vf(pdev);
}

static enum pci_subpage_state state_of_move(int error)
{
	switch (error) {
	case 0:
		return PCI_SUBPAGE_RELOCATED;
	case -ENODEV:
		return PCI_SUBPAGE_INACCESSIBLE;
	case -EIO:
		return PCI_SUBPAGE_REJECTED;
	default:
		return PCI_SUBPAGE_UNASSIGNED;
	}
}

/* To the start of the page that the BAR has for itself already. */
static int move_in_own_page(struct pci_subpage *sp, int bar, resource_size_t start)
{
	struct resource *res = &sp->pdev->resource[bar];
	int ret = pci_subpage_write_register(sp->pdev, bar, res->start);

	if (ret)
		adjust_resource(res, start, sp->bar[bar].size);
	return ret;
}

/*
 * The first byte of a mapping is taken for the first byte of the BAR by every
 * user of VFIO, and region info cannot say that the BAR starts elsewhere. So a
 * BAR has to start its page, also if it is alone there.
 */
static enum pci_subpage_state prepare_bar(struct pci_subpage *sp, int bar,
					  const struct pci_subpage_policy *policy)
{
	struct resource *res = &sp->pdev->resource[bar];
	const resource_size_t start = res->start;
	const bool starts_page = IS_ALIGNED(start, PAGE_SIZE);

	if (policy->exclude)
		return PCI_SUBPAGE_EXCLUDED;
	if (!res->parent || res->flags & IORESOURCE_UNSET)
		return PCI_SUBPAGE_UNASSIGNED;
	if (starts_page && !take_own_page(res))
		return PCI_SUBPAGE_IN_PLACE;

	if (is_fixed(sp->pdev, res, policy->relocate == PCI_SUBPAGE_RELOCATE_FORCE))
		return PCI_SUBPAGE_FIXED;
	if (is_busy(sp->pdev))
		return PCI_SUBPAGE_BUSY;
	if (policy->relocate == PCI_SUBPAGE_RELOCATE_NO)
		return PCI_SUBPAGE_EXCLUDED;

	if (!starts_page && !take_own_page(res))
		return state_of_move(move_in_own_page(sp, bar, start));
	if (reserve_page(sp, res, IORESOURCE_MEM))
		return why_no_page(sp, res);
	return state_of_move(pci_subpage_move_bar(sp, bar));
}

static void log_bar(struct pci_subpage *sp, int bar, const struct resource *old)
{
	enum pci_subpage_state state = sp->bar[bar].state;

	if (state == PCI_SUBPAGE_RELOCATED)
		pci_info(sp->pdev, "BAR %d: moved from %pR to a page of its own at %pR\n", bar,
			 old, &sp->pdev->resource[bar]);
	else if (state != PCI_SUBPAGE_IN_PLACE)
		pci_info(sp->pdev, "BAR %d %pR: gets no page of its own: %s (%s)\n", bar, old,
			 states[state].name, states[state].text);
}

static void restore_size(struct pci_subpage *sp, int bar)
{
	struct resource *res = &sp->pdev->resource[bar];

	/* The PCI core may have given up the BAR since, with its window. */
	if (!(res->flags & IORESOURCE_MEM) || resource_size(res) != PAGE_SIZE)
		return;
	if (adjust_resource(res, res->start, sp->bar[bar].size))
		pci_warn(sp->pdev, "BAR %d %pR: stays as large as a page: somebody uses the rest\n",
			 bar, res);
}

static void prepare_one(struct pci_subpage *sp, int bar, const struct pci_subpage_policy *policy)
{
	const struct resource old = sp->pdev->resource[bar];

	sp->bar[bar].size = resource_size(&old);
	sp->bar[bar].state = prepare_bar(sp, bar, policy);
	log_bar(sp, bar, &old);
	if (policy->keep_size)
		restore_size(sp, bar);
}

/**
 * pci_subpage_has_bars - are there sub-page memory BARs?
 * @pdev: the device
 *
 * Bridges are no devices that VFIO would take; they count as having none.
 *
 * Return: true if one is there, whether or not it can have a page
 */
bool pci_subpage_has_bars(struct pci_dev *pdev)
{
	int bar;

	if (pdev->hdr_type != PCI_HEADER_TYPE_NORMAL)
		return false;

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		if (is_subpage(&pdev->resource[bar]))
			return true;
	}
	return false;
}

/**
 * pci_subpage_prepare_bars - give each sub-page memory BAR a page of its own
 * @sp: the BARs; zeroed before the first call, but for @sp->pdev
 * @policy: what the administrator wants
 *
 * A BAR that starts its page and is alone there stays. All others are moved to
 * the start of a free page: first those that do not start their page, which may
 * leave it to one that does. A BAR then is as large as the page, or as large as it
 * was with @policy->keep_size. What cannot have a page stays as it was.
 *
 * May be called again for the same device. What became of a BAR does not change.
 *
 * Context: may sleep. The device lock is held, and no driver uses the device.
 */
void pci_subpage_prepare_bars(struct pci_subpage *sp, const struct pci_subpage_policy *policy)
{
	int starts_page, bar;

	for (starts_page = 0; starts_page <= 1; starts_page++) {
		for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
			const struct resource *res = &sp->pdev->resource[bar];

			if (!sp->bar[bar].state && is_subpage(res) &&
			    IS_ALIGNED(res->start, PAGE_SIZE) == starts_page)
				prepare_one(sp, bar, policy);
		}
	}
}

/**
 * pci_subpage_restore_bars - give back the pages of a device's BARs
 * @sp: the BARs
 *
 * Each BAR is as large as in the device again, and stays where it is. The device
 * is not touched: it may be gone.
 *
 * Context: may sleep. The device lock is held, and nothing maps the BARs any more.
 */
void pci_subpage_restore_bars(struct pci_subpage *sp)
{
	int bar;

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		if (sp->bar[bar].size)
			restore_size(sp, bar);
	}
}
