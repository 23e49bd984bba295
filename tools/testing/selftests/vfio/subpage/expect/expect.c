// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "expect/expect.h"

static u64 bar_end(const struct bar_facts *bar)
{
	return bar->start + bar->size - 1;
}

u64 bar_page(const struct bar_facts *bar)
{
	return bar->start & ~(bar->page_size - 1);
}

u64 bar_page_end(const struct bar_facts *bar)
{
	return bar_page(bar) + bar->page_size - 1;
}

bool bar_is_subpage(const struct bar_facts *bar)
{
	return bar->flags & RES_MEM && bar->device_size && bar->device_size < bar->page_size;
}

int bar_find(const struct bar_facts *bar, const struct iomem *map)
{
	return iomem_find(map, bar->bdf, bar->start, bar_end(bar));
}

/*
 * The rule of vfio-pci since v4.8: a mapping has no way to say where in the
 * page the BAR is, so it must start it, and nothing else may be in the rest.
 */
static bool starts_free_page(const struct bar_facts *bar, const struct iomem *map)
{
	int self, parent;

	if (bar->start != bar_page(bar))
		return false;

	self = bar_find(bar, map);
	if (self < 0)
		return false;

	parent = map->entry[self].parent;
	return parent != IOMEM_ROOT &&
	       iomem_range_free(map, parent, bar_end(bar) + 1, bar_page_end(bar));
}

bool expect_mmap(const struct bar_facts *bar, const struct iomem *map)
{
	if (!(bar->flags & RES_MEM) || !bar->size)
		return false;

	return bar->size >= bar->page_size || starts_free_page(bar, map);
}

/* A region inside a BAR is VFIO's own request, once the BAR was mapped or read, ... */
static bool is_own_request(const struct iomem_entry *entry)
{
	return !strcmp(entry->name, "vfio-pci") || !strcmp(entry->name, "vfio");
}

/* ... or somebody else's. Returns its index, or -1. */
static int find_region_inside(const struct iomem *map, int bar)
{
	int i;

	for (i = bar + 1; bar >= 0 && i < map->nr; i++)
		if (map->entry[i].parent == bar && !is_own_request(&map->entry[i]))
			return i;
	return -1;
}

bool expect_busy(const struct pci_device *dev, unsigned int number, const struct iomem *map,
		 struct error *why)
{
	const struct pci_resource *res = &dev->res[number];
	int i = find_region_inside(map, iomem_find(map, dev->bdf, res->start, res->end));

	if (i < 0)
		return false;

	error_set(why,
		  "'%s' has 0x%llx-0x%llx of the BAR (/proc/iomem), which VFIO is refused therefore (EBUSY): unload what that belongs to; a boot frame buffer goes when the device's own driver is bound once, or with initcall_blacklist=sysfb_init",
		  map->entry[i].name, map->entry[i].start, map->entry[i].end);
	return true;
}

static enum verdict say(enum verdict verdict, struct error *why, const char *text)
{
	error_set(why, "%s", text);
	return verdict;
}

/* A BAR that is as large as its page has it for itself: siblings do not overlap. */
static enum verdict check_page(const struct bar_facts *bar, const struct iomem *map,
			       struct error *why)
{
	if (bar->start != bar_page(bar))
		return say(VERDICT_REFUTED, why, "the BAR does not start its page");
	if (bar_find(bar, map) < 0)
		return say(VERDICT_REFUTED, why, "the BAR is not in /proc/iomem");
	if (bar->size != bar->page_size && bar->size != bar->device_size)
		return say(VERDICT_REFUTED, why,
			   "the BAR is neither as large as a page nor as in the device");
	if (bar->size != (bar->keep_size ? bar->device_size : bar->page_size))
		return say(VERDICT_CHANGED, why,
			   "the size of the BAR is not the one of the parameter bar_size");

	return say(VERDICT_CONFIRMED, why,
		   bar->keep_size ? "it starts its page" : "it is as large as its page");
}

static enum verdict check_unassigned(const struct bar_facts *bar, const struct iomem *map,
				     struct error *why)
{
	if (!bar->start || bar->flags & RES_UNSET || bar_find(bar, map) < 0)
		return say(VERDICT_CONFIRMED, why, "the BAR has no place in /proc/iomem");

	return say(VERDICT_CHANGED, why, "the BAR has an address and is in /proc/iomem");
}

bool device_has_region_inside(const char *bdf, const struct iomem *map)
{
	int i;

	for (i = 0; i < map->nr; i++)
		if (!strcmp(map->entry[i].name, bdf) && find_region_inside(map, i) >= 0)
			return true;
	return false;
}

/* A move turns off memory decode for all BARs of the device, and for its VFs. */
static enum verdict check_busy(const struct bar_facts *bar, const struct iomem *map,
			       struct error *why)
{
	if (bar->has_vfs)
		return say(VERDICT_CONFIRMED, why, "the device has virtual functions");
	if (device_has_region_inside(bar->bdf, map))
		return say(VERDICT_CONFIRMED, why,
			   "/proc/iomem shows a region inside a BAR of it");

	return say(VERDICT_CHANGED, why, "/proc/iomem shows nothing inside a BAR of the device");
}

static enum verdict check_fixed(const struct bar_facts *bar, struct error *why)
{
	if (bar->flags & RES_PCI_FIXED)
		return say(VERDICT_CONFIRMED, why, "the resource is marked as fixed");

	return say(VERDICT_ACCEPTED, why, "sysfs does not show what else may fix a BAR");
}

static enum verdict check_excluded(const struct bar_facts *bar, const struct iomem *map,
				   struct error *why)
{
	if (bar->excluded)
		return say(VERDICT_CONFIRMED, why, "the module parameter exclude names the device");
	if (!bar->relocate_off)
		return say(VERDICT_CHANGED, why, "the module parameters do not exclude the device");
	if (starts_free_page(bar, map))
		return say(VERDICT_CHANGED, why, "the BAR starts a page with nothing else in it");

	return say(VERDICT_CONFIRMED, why, "the module parameter relocate is no");
}

/* The highest CPU address that the register can hold. */
static u64 address_limit(const struct bar_facts *bar)
{
	return bar->flags & RES_MEM_64 ? U64_MAX : U32_MAX - (bar->bus_start - bar->start);
}

bool bar_free_page(const struct bar_facts *bar, const struct iomem *map, int window, u64 from,
		   u64 *page)
{
	return iomem_free_page(map, window, bar->page_size, from, address_limit(bar), page);
}

/*
 * Only the window that the BAR lies in is judged: whether another window of the bus
 * would do depends on bridge properties that sysfs does not show. A page in a window
 * that firmware has reserved is free for nobody: x86 gives it out to no BAR.
 */
static enum verdict check_no_space(const struct bar_facts *bar, const struct iomem *map,
				   int window, struct error *why)
{
	u64 page;

	if (!bar_free_page(bar, map, window, 0, &page))
		return say(VERDICT_CONFIRMED, why, "its window has no free page");
	if (iomem_is_reserved(map, window))
		return say(VERDICT_CHANGED, why,
			   "firmware has reserved the free pages of its window");

	error_set(why, "its window '%s' has a free page at 0x%llx",
		  map->entry[window].name, page);
	return VERDICT_CHANGED;
}

static enum verdict check_reserved(const struct bar_facts *bar, const struct iomem *map,
				   int window, struct error *why)
{
	u64 page;

	if (!bar_free_page(bar, map, window, 0, &page))
		return say(VERDICT_ACCEPTED, why,
			   "its window is full: a page that is reserved is in another one");
	if (iomem_is_reserved(map, window))
		return say(VERDICT_CONFIRMED, why, "firmware has reserved its window");

	/* Such as what is just below 4 GiB on x86. */
	return say(VERDICT_ACCEPTED, why, "/proc/iomem does not show all that firmware reserves");
}

static enum verdict check_window(const struct bar_facts *bar, const struct iomem *map,
				 struct error *why)
{
	int self = bar_find(bar, map), window = self < 0 ? self : iomem_window(map, self);

	if (self < 0)
		return say(VERDICT_REFUTED, why, "the BAR is not in /proc/iomem");
	if (window == IOMEM_ROOT)
		return say(VERDICT_REFUTED, why, "the BAR lies in no window");
	if (!strcmp(bar->state, "no-space"))
		return check_no_space(bar, map, window, why);
	return check_reserved(bar, map, window, why);
}

/* Why a BAR that does not have its page for itself was not moved. */
static enum verdict check_not_moved(const struct bar_facts *bar, const struct iomem *map,
				    struct error *why)
{
	if (!strcmp(bar->state, "fixed"))
		return check_fixed(bar, why);
	if (!strcmp(bar->state, "busy"))
		return check_busy(bar, map, why);
	if (!strcmp(bar->state, "no-space") || !strcmp(bar->state, "reserved"))
		return check_window(bar, map, why);
	if (!strcmp(bar->state, "rejected") || !strcmp(bar->state, "inaccessible"))
		return say(VERDICT_ACCEPTED, why, "only the module saw what the device answered");

	return say(VERDICT_REFUTED, why,
		   "the state is missing, or not one of the documented words");
}

static enum verdict check_reason(const struct bar_facts *bar, const struct iomem *map,
				 struct error *why)
{
	enum verdict verdict;

	if (bar->size != bar->device_size)
		return say(VERDICT_REFUTED, why, "the BAR is not as large as in the device");
	if (!strcmp(bar->state, "unassigned"))
		return check_unassigned(bar, map, why);
	if (!strcmp(bar->state, "excluded"))
		return check_excluded(bar, map, why);

	verdict = check_not_moved(bar, map, why);
	if (verdict != VERDICT_REFUTED && starts_free_page(bar, map))
		return say(VERDICT_CHANGED, why, "the BAR starts a page with nothing else in it");

	return verdict;
}

enum verdict expect_state(const struct bar_facts *bar, const struct iomem *map,
			  struct error *why)
{
	if (!bar_is_subpage(bar)) {
		if (!bar->state[0])
			return say(VERDICT_CONFIRMED, why,
				   "not a sub-page memory BAR, and nothing is said of it");
		return say(VERDICT_REFUTED, why, "a state of what is not a sub-page memory BAR");
	}
	if (bar->stated_size != bar->device_size)
		return say(VERDICT_REFUTED, why,
			   "the module states another size than the BAR has in the device");
	if (!strcmp(bar->state, STATE_IN_PLACE) || !strcmp(bar->state, STATE_RELOCATED))
		return check_page(bar, map, why);

	return check_reason(bar, map, why);
}
