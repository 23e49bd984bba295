// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "expect.h"
#include "sysfs.h"

#define LAST_32BIT	U32_MAX

static u64 bar_end(const struct bar_facts *bar)
{
	return bar->start + bar->size - 1;
}

u64 bar_page(const struct bar_facts *bar)
{
	return bar->start & ~(bar->page_size - 1);
}

static u64 page_end(const struct bar_facts *bar)
{
	return bar_page(bar) + bar->page_size - 1;
}

bool bar_is_subpage(const struct bar_facts *bar)
{
	return bar->flags & RES_MEM && bar->size && bar->size < bar->page_size;
}

static int find_bar(const struct bar_facts *bar, const struct iomem *map)
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

	self = find_bar(bar, map);
	if (self < 0)
		return false;

	parent = map->entry[self].parent;
	return parent != IOMEM_ROOT &&
	       iomem_range_free(map, parent, bar_end(bar) + 1, page_end(bar));
}

bool expect_mmap(const struct bar_facts *bar, const struct iomem *map)
{
	if (!(bar->flags & RES_MEM) || !bar->size)
		return false;
	if (!bar_is_subpage(bar))
		return true;
	if (bar->by_subpage)
		return strcmp(bar->claim, CLAIM_NONE);

	return starts_free_page(bar, map);
}

static bool is_page_of(const struct bar_facts *bar, const struct iomem_entry *entry)
{
	return entry->start == bar_page(bar) && entry->end == page_end(bar) &&
	       !strcmp(entry->name, RESERVED_BY_SUBPAGE);
}

/* The rest of the page is reserved beside the BAR, not above it. */
static bool rest_reserved(const struct bar_facts *bar, const struct iomem *map)
{
	return iomem_find(map, RESERVED_BY_SUBPAGE, bar_end(bar) + 1, page_end(bar)) >= 0;
}

static enum verdict refute(struct error *why, const char *text)
{
	error_set(why, "%s", text);
	return VERDICT_REFUTED;
}

static enum verdict confirm(struct error *why, const char *text)
{
	error_set(why, "%s", text);
	return VERDICT_CONFIRMED;
}

static enum verdict changed(struct error *why, const char *text)
{
	error_set(why, "%s", text);
	return VERDICT_CHANGED;
}

static enum verdict check_held(const struct bar_facts *bar, const struct iomem *map,
			       struct error *why)
{
	bool moved = !strcmp(bar->claim, CLAIM_RELOCATED);
	int self = find_bar(bar, map), parent;

	if (bar->start != bar_page(bar))
		return refute(why, "the BAR does not start its page");
	if (self < 0)
		return refute(why, "the BAR is not in /proc/iomem");

	parent = map->entry[self].parent;
	if (parent != IOMEM_ROOT && is_page_of(bar, &map->entry[parent]))
		return confirm(why, "its page is reserved as a whole");
	if (!moved && rest_reserved(bar, map))
		return confirm(why, "the rest of its page is reserved");

	return refute(why, "the page is not reserved by " RESERVED_BY_SUBPAGE);
}

static enum verdict check_unassigned(const struct bar_facts *bar, const struct iomem *map,
				     struct error *why)
{
	if (!bar->start || bar->flags & RES_UNSET || find_bar(bar, map) < 0)
		return confirm(why, "the BAR has no place in /proc/iomem");

	return changed(why, "the BAR has an address and is in /proc/iomem");
}

/* Children follow their parent directly. */
static bool has_child(const struct iomem *map, int i)
{
	return i >= 0 && i + 1 < map->nr && map->entry[i + 1].parent == i;
}

/*
 * A region in the BAR stands in the way of any claim; one in another BAR of the
 * device only in that of a move, as a move turns off memory decode for both.
 */
static enum verdict check_busy(const struct bar_facts *bar, const struct iomem *map,
			       struct error *why)
{
	int i;

	if (has_child(map, find_bar(bar, map)))
		return confirm(why, "/proc/iomem shows a region inside the BAR");
	if (starts_free_page(bar, map))
		return changed(why, "the BAR starts a page with nothing else in it");
	for (i = 0; i < map->nr; i++) {
		if (!strcmp(map->entry[i].name, bar->bdf) && has_child(map, i))
			return confirm(why, "/proc/iomem shows a region inside another BAR");
	}

	return changed(why, "/proc/iomem shows nothing inside a BAR of the device");
}

static enum verdict check_vf(const struct bar_facts *bar, struct error *why)
{
	if (bar->is_vf)
		return confirm(why, "the device is a virtual function");

	return refute(why, "the device has no physfn link");
}

static enum verdict check_fixed(const struct bar_facts *bar, struct error *why)
{
	if (bar->flags & RES_PCI_FIXED)
		return confirm(why, "the resource is marked as fixed");

	error_set(why, "sysfs does not show what else may pin a BAR");
	return VERDICT_ACCEPTED;
}

static enum verdict check_excluded(const struct bar_facts *bar, struct error *why)
{
	if (bar->relocate_off)
		return confirm(why, "the module parameter relocate is off");

	return changed(why, "the module parameter relocate is on");
}

/*
 * Only the window that the BAR lies in is judged: whether another window of
 * the bus would do depends on bridge properties that sysfs does not show.
 */
static enum verdict check_no_space(const struct bar_facts *bar, const struct iomem *map,
				   struct error *why)
{
	u64 limit = bar->flags & RES_MEM_64 ? U64_MAX : LAST_32BIT;
	int self = find_bar(bar, map);
	u64 page;
	int parent;

	if (self < 0)
		return refute(why, "the BAR is not in /proc/iomem");

	parent = map->entry[self].parent;
	if (parent == IOMEM_ROOT)
		return refute(why, "the BAR lies in no window");
	if (!iomem_free_page(map, parent, bar->page_size, limit, &page))
		return confirm(why, "its window has no free page");

	error_set(why, "its window '%s' has a free page at 0x%llx",
		  map->entry[parent].name, page);
	return VERDICT_CHANGED;
}

static enum verdict check_rejected(struct error *why)
{
	error_set(why, "only the driver saw what the device answered");
	return VERDICT_ACCEPTED;
}

/* Why a BAR that does not have its page for itself was not moved. */
static enum verdict check_not_moved(const struct bar_facts *bar, const struct iomem *map,
				    struct error *why)
{
	if (!strcmp(bar->reason, "vf"))
		return check_vf(bar, why);
	if (!strcmp(bar->reason, "fixed"))
		return check_fixed(bar, why);
	if (!strcmp(bar->reason, "excluded"))
		return check_excluded(bar, why);
	if (!strcmp(bar->reason, "no-space"))
		return check_no_space(bar, map, why);
	if (!strcmp(bar->reason, "rejected"))
		return check_rejected(why);

	return refute(why, "the reason is not one of the documented words");
}

static enum verdict check_pinned(const struct bar_facts *bar, const struct iomem *map,
				 struct error *why)
{
	enum verdict verdict = check_not_moved(bar, map, why);

	if (verdict != VERDICT_REFUTED && starts_free_page(bar, map))
		return changed(why, "the BAR starts a page with nothing else in it");

	return verdict;
}

static enum verdict check_reason(const struct bar_facts *bar, const struct iomem *map,
				 struct error *why)
{
	if (!strcmp(bar->reason, "unassigned"))
		return check_unassigned(bar, map, why);
	if (!strcmp(bar->reason, "busy"))
		return check_busy(bar, map, why);

	return check_pinned(bar, map, why);
}

enum verdict expect_claim(const struct bar_facts *bar, const struct iomem *map,
			  struct error *why)
{
	if (!bar_is_subpage(bar)) {
		if (!bar->claim[0] && !bar->reason[0])
			return confirm(why, "not a sub-page memory BAR, and no claim on it");
		return refute(why, "a claim on what is not a sub-page memory BAR");
	}
	if (!strcmp(bar->claim, CLAIM_NONE))
		return check_reason(bar, map, why);
	if (bar->reason[0])
		return refute(why, "a reason beside a claim that holds");
	if (!strcmp(bar->claim, CLAIM_IN_PLACE) || !strcmp(bar->claim, CLAIM_RELOCATED))
		return check_held(bar, map, why);

	return refute(why, "the claim is missing or not one of the documented words");
}
