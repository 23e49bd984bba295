// SPDX-License-Identifier: GPL-2.0-only
/*
 * Claims on the pages of a device's sub-page BARs.
 *
 * Every claim has the same form, whether the BAR moved or not: a resource as
 * large as a page, with the BAR at its start as its only child.
 */
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "claim.h"
#include "move.h"

#define CLAIM_NAME	"vfio-pci-subpage"

/* What a window and a resource in it have to agree about. */
#define WINDOW_FLAGS	(IORESOURCE_MEM | IORESOURCE_PREFETCH | IORESOURCE_MEM_64)

static void init_range(struct resource *res, unsigned long flags,
		       const struct pci_subpage_range *range)
{
	*res = (struct resource) {
		.name = CLAIM_NAME,
		.start = range->start,
		.end = range->end,
		.flags = flags & WINDOW_FLAGS,
	};
}

static int reserve_gap(struct resource *gap, const struct resource *res,
		       const struct pci_subpage_range *range)
{
	init_range(gap, res->flags, range);
	if (pci_subpage_range_empty(range))
		return 0;
	return request_resource(res->parent, gap);
}

static void release_gap(struct resource *gap)
{
	if (gap->parent)
		release_resource(gap);
}

/*
 * Reserve the page that the BAR is in. The gaps on both sides are requested
 * from the BAR's own parent: that fails if anything at all lies in the page,
 * and keeps everything out if it does not. Only then, when the page is known to
 * be full of nothing but us, it is put above them as a whole.
 */
static int reserve_own_page(struct pci_subpage_bar *b, struct resource *res,
			    const struct pci_subpage_plan *plan)
{
	struct resource before, after;
	int ret;

	ret = reserve_gap(&before, res, &plan->before);
	if (ret)
		return ret;

	ret = reserve_gap(&after, res, &plan->after);
	if (ret)
		goto out_before;

	init_range(&b->page, res->flags, &plan->page);
	ret = insert_resource(res->parent, &b->page);

	release_gap(&after);
out_before:
	release_gap(&before);
	return ret;
}

/* May a BAR live in this window? @mask: the flags that have to be the same. */
static bool suits(const struct resource *window, const struct resource *res,
		  unsigned long mask)
{
	if ((window->flags ^ res->flags) & (mask | IORESOURCE_TYPE_BITS))
		return false;
	/* Reading ahead, as such a window allows, may change a register. */
	return (res->flags & IORESOURCE_PREFETCH) ||
	       !(window->flags & IORESOURCE_PREFETCH);
}

static int reserve_page_in(struct pci_subpage_bar *b, struct pci_dev *pdev,
			   struct resource *window)
{
	resource_size_t start = window->start ?: PCIBIOS_MIN_MEM;
	resource_size_t end = window->end;
	struct pci_bus_region region;

	/*
	 * The first MiB is full of legacy ranges (VGA, option ROMs, ISA) that
	 * not every machine keeps in the resource tree, and a root bus may well
	 * decode it.
	 */
	start = max_t(resource_size_t, start, SZ_1M);

	/* A 32-bit BAR reaches bus addresses below 4 GiB. */
	pcibios_resource_to_bus(pdev->bus, &region, window);
	if (!(b->page.flags & IORESOURCE_MEM_64) && region.end > U32_MAX) {
		if (region.start > U32_MAX)
			return -ENOSPC;
		end -= region.end - U32_MAX;
	}

	if (start > end)
		return -ENOSPC;
	return allocate_resource(window, &b->page, PAGE_SIZE, start, end,
				 PAGE_SIZE, NULL, NULL);
}

/*
 * Reserve a free page in a window of the bus that the BAR may live in. The
 * window that it lives in now is known to work for it; after that, the order is
 * the one in which the PCI core looks for a BAR's first address: a window of
 * just its kind, then one that its kind may use too.
 *
 * The BAR's parent need not be its window. There may be a reservation of
 * firmware in between, and that is no place for anybody else.
 */
static int reserve_new_page(struct pci_subpage_bar *b, struct pci_dev *pdev,
			    struct resource *res)
{
	static const struct pci_subpage_range anywhere = { 0, PAGE_SIZE - 1 };
	const unsigned long kind = res->flags & (IORESOURCE_PREFETCH | IORESOURCE_MEM_64);
	const unsigned long masks[] = {
		IORESOURCE_PREFETCH | IORESOURCE_MEM_64,
		/* A 64-bit prefetchable BAR may use a prefetchable window of 32 bits. */
		kind == (IORESOURCE_PREFETCH | IORESOURCE_MEM_64) ? IORESOURCE_PREFETCH : 0,
		0
	};
	struct resource *window;
	int i, n;

	init_range(&b->page, res->flags, &anywhere);

	window = pci_find_parent_resource(pdev, res);
	if (window && !reserve_page_in(b, pdev, window))
		return 0;

	for (i = 0; i < ARRAY_SIZE(masks); i++) {
		pci_bus_for_each_resource(pdev->bus, window, n) {
			if (window && suits(window, res, masks[i]) &&
			    !reserve_page_in(b, pdev, window))
				return 0;
		}
	}
	return -ENOSPC;
}

/*
 * The parent is looked at because the PCI core takes a whole window away from
 * under its devices when it has to make room for others
 * (pci_bus_release_bridge_resources()), and our page with it.
 */
static void release_page(struct pci_subpage_bar *b)
{
	if (b->page.parent)
		remove_resource(&b->page);
}

static enum pci_subpage_reason move_to_page(struct pci_subpage_bar *b,
					    struct pci_dev *pdev, int bar)
{
	struct resource *res = &pdev->resource[bar];
	struct resource old = *res;

	b->home = res->parent;
	b->home_start = res->start;
	if (pci_subpage_move_bar(pdev, bar, &b->page, b->page.start)) {
		b->home = NULL;
		release_page(b);
		return PCI_SUBPAGE_REJECTED;
	}

	pci_info(pdev, "BAR %d: moved from %pR to a page of its own at %pR\n",
		 bar, &old, res);
	b->claim = PCI_SUBPAGE_RELOCATED;
	return PCI_SUBPAGE_OK;
}

static enum pci_subpage_reason claim_page(struct pci_subpage_bar *b,
					  struct pci_dev *pdev, int bar,
					  const struct pci_subpage_plan *plan)
{
	struct resource *res = &pdev->resource[bar];
	bool own;

	if (plan->refused)
		return plan->refused;

	own = !reserve_own_page(b, res, plan);
	if (own && pci_subpage_range_empty(&plan->before)) {
		b->claim = PCI_SUBPAGE_IN_PLACE;
		return PCI_SUBPAGE_OK;
	}

	if (plan->pinned) {
		release_page(b);
		return plan->pinned;
	}

	/* Alone in its page but not at its start: no other page is needed. */
	if (!own && reserve_new_page(b, pdev, res))
		return PCI_SUBPAGE_NO_SPACE;

	return move_to_page(b, pdev, bar);
}

static bool starts_with_msix_table(struct pci_dev *pdev, int bar)
{
	u32 table;

	if (!pdev->msix_cap)
		return false;

	/* BAR and offset in one register (PCIe r6.0, 7.7.2.3). */
	pci_read_config_dword(pdev, pdev->msix_cap + PCI_MSIX_TABLE, &table);
	return table == bar;
}

/*
 * Before the native driver, or instead of one, the console may be on the
 * device: a frame buffer that firmware has set up is a child of a BAR.
 */
static bool in_use(const struct pci_dev *pdev)
{
	int i;

	for (i = 0; i <= PCI_ROM_RESOURCE; i++) {
		if (pdev->resource[i].child)
			return true;
	}
	return false;
}

/* Firmware, or the user, wants all addresses behind this host left alone. */
static bool keeps_addresses(struct pci_dev *pdev)
{
	return pci_has_flag(PCI_PROBE_ONLY) ||
	       pci_find_host_bridge(pdev->bus)->preserve_config;
}

static struct pci_subpage_plan plan_bar(struct pci_dev *pdev, int bar,
					bool may_relocate)
{
	const struct resource *res = &pdev->resource[bar];
	const struct pci_subpage_bar_info info = {
		.start = res->start,
		.size = resource_size(res),
		.is_mem = resource_type(res) == IORESOURCE_MEM,
		.assigned = res->parent && !(res->flags & IORESOURCE_UNSET),
		.busy = res->child,
		.is_vf = pdev->is_virtfn,
		.fixed = (res->flags & IORESOURCE_PCI_FIXED) ||
			 pdev->mmio_always_on || keeps_addresses(pdev),
		.device_busy = in_use(pdev),
		.msix = starts_with_msix_table(pdev, bar),
	};

	return pci_subpage_plan(&info, PAGE_SIZE, may_relocate);
}

static void probe_bar(struct pci_subpage *sp, int bar,
		      const struct pci_subpage_plan *plan)
{
	struct pci_subpage_bar *b = &sp->bars[bar];

	b->subpage = true;
	b->rank = plan->rank;
	b->reason = claim_page(b, sp->pdev, bar, plan);
	if (b->reason)
		pci_info(sp->pdev, "BAR %d %pR: stays trapped: %s (%s)\n", bar,
			 &sp->pdev->resource[bar],
			 pci_subpage_reason_name(b->reason),
			 pci_subpage_reason_text(b->reason));
}

static void probe_bars(struct pci_subpage *sp, bool may_relocate,
		       unsigned int rank)
{
	struct pci_subpage_plan plan;
	int bar;

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		plan = plan_bar(sp->pdev, bar, may_relocate);
		if (plan.subpage && plan.rank == rank && !sp->bars[bar].subpage)
			probe_bar(sp, bar, &plan);
	}
}

/**
 * pci_subpage_probe_mmaps - claim the pages of all sub-page BARs of a device
 * @sp: the verdicts, zeroed before the first call
 * @pdev: the device; in D0, with no driver using its BARs
 * @may_relocate: whether BARs may be moved
 *
 * Leaves a verdict for each BAR. May be called again and then changes nothing.
 *
 * Context: may sleep. The device lock is held.
 */
void pci_subpage_probe_mmaps(struct pci_subpage *sp, struct pci_dev *pdev,
			     bool may_relocate)
{
	unsigned int rank;

	sp->pdev = pdev;
	for (rank = 0; rank < PCI_SUBPAGE_RANKS; rank++)
		probe_bars(sp, may_relocate, rank);
}

/**
 * pci_subpage_holds - is the page of a BAR held at this moment?
 * @sp: the verdicts of a device whose BARs were probed
 * @bar: number of a BAR
 *
 * The verdict does not change, but the PCI core can take a page away without
 * asking; see release_page(). Then the BAR must not be mapped any more.
 *
 * Return: true if the BAR has a claim and still lies in the page
 */
bool pci_subpage_holds(const struct pci_subpage *sp, int bar)
{
	const struct pci_subpage_bar *b = &sp->bars[bar];

	return b->claim != PCI_SUBPAGE_NONE && b->page.parent &&
	       sp->pdev->resource[bar].parent == &b->page;
}

/* Take the BAR's old place again, or find it in our own page. */
static struct resource *reserve_home(struct pci_subpage_bar *b,
				     struct resource *place,
				     const struct resource *res)
{
	const struct pci_subpage_range range = {
		b->home_start, b->home_start + resource_size(res) - 1
	};

	init_range(place, res->flags, &range);
	if (resource_contains(&b->page, place))
		return &b->page;
	return request_resource(b->home, place) ? NULL : place;
}

static void undo_move(struct pci_subpage_bar *b, struct pci_dev *pdev, int bar)
{
	struct resource *res = &pdev->resource[bar];
	struct resource place, *home;

	home = reserve_home(b, &place, res);
	if (!home || pci_subpage_move_bar(pdev, bar, home, b->home_start))
		pci_warn(pdev, "BAR %d: stays at %pR, its old place is taken\n",
			 bar, res);
	else
		pci_info(pdev, "BAR %d: moved back to %pR\n", bar, res);
	if (home == &place)
		remove_resource(&place);
}

static void undo_bars(struct pci_subpage *sp, unsigned int rank)
{
	struct pci_subpage_bar *b;
	int bar;

	for (bar = PCI_STD_NUM_BARS - 1; bar >= 0; bar--) {
		b = &sp->bars[bar];
		if (!b->subpage || b->rank != rank)
			continue;
		if (b->home)
			undo_move(b, sp->pdev, bar);
		release_page(b);
	}
}

/**
 * pci_subpage_undo_mmaps - undo pci_subpage_probe_mmaps()
 * @sp: the verdicts
 *
 * For a bind that fails after the claims were made: BARs go back to where they
 * were found, in the reverse order, and claims are released. A BAR whose old
 * place was given away in that moment stays at its new address, claimed by its
 * window.
 *
 * Context: may sleep. The device lock is held.
 */
void pci_subpage_undo_mmaps(struct pci_subpage *sp)
{
	unsigned int rank = PCI_SUBPAGE_RANKS;

	while (rank--)
		undo_bars(sp, rank);
	memset(sp, 0, sizeof(*sp));
}

/**
 * pci_subpage_release_mmaps - release all claims of a device
 * @sp: the verdicts
 *
 * BARs stay where they are and become children of their bridge window again.
 * The device is not touched: it may be gone.
 *
 * Context: may sleep. Nothing maps the BARs any more.
 */
void pci_subpage_release_mmaps(struct pci_subpage *sp)
{
	int bar;

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++)
		release_page(&sp->bars[bar]);
	memset(sp, 0, sizeof(*sp));
}
