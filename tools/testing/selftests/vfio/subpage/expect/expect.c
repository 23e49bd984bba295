// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include <strings.h>

#include "device/sysfs.h"
#include "expect/expect.h"

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
	return bar->flags & RES_MEM && bar->device_size && bar->device_size < bar->page_size;
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

	return bar->size >= bar->page_size || starts_free_page(bar, map);
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

static enum verdict accept(struct error *why, const char *text)
{
	error_set(why, "%s", text);
	return VERDICT_ACCEPTED;
}

/* A BAR that is as large as its page has it for itself: siblings do not overlap. */
static enum verdict check_page(const struct bar_facts *bar, const struct iomem *map,
			       struct error *why)
{
	if (bar->start != bar_page(bar))
		return refute(why, "the BAR does not start its page");
	if (find_bar(bar, map) < 0)
		return refute(why, "the BAR is not in /proc/iomem");
	if (bar->size != bar->page_size && bar->size != bar->device_size)
		return refute(why, "the BAR is neither as large as a page nor as in the device");
	if (bar->size != (bar->keep_size ? bar->device_size : bar->page_size))
		return changed(why, "the size of the BAR is not the one of the parameter bar_size");

	return confirm(why, bar->keep_size ? "it starts its page" : "it is as large as its page");
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

/* A region in any BAR of the device: a move turns off memory decode for all. */
static enum verdict check_busy(const struct bar_facts *bar, const struct iomem *map,
			       struct error *why)
{
	int i;

	for (i = 0; i < map->nr; i++) {
		if (!strcmp(map->entry[i].name, bar->bdf) && has_child(map, i))
			return confirm(why, "/proc/iomem shows a region inside a BAR of it");
	}

	return changed(why, "/proc/iomem shows nothing inside a BAR of the device");
}

static enum verdict check_fixed(const struct bar_facts *bar, struct error *why)
{
	if (bar->flags & RES_PCI_FIXED)
		return confirm(why, "the resource is marked as fixed");

	return accept(why, "sysfs does not show what else may fix a BAR");
}

static enum verdict check_excluded(const struct bar_facts *bar, const struct iomem *map,
				   struct error *why)
{
	if (bar->excluded)
		return confirm(why, "the module parameter exclude names the device");
	if (!bar->relocate_off)
		return changed(why, "the module parameters do not exclude the device");
	if (starts_free_page(bar, map))
		return changed(why, "the BAR starts a page with nothing else in it");

	return confirm(why, "the module parameter relocate is no");
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

/* Firmware may reserve more than shows: x86 gives out nothing just below 4 GiB. */
static enum verdict check_reserved(const struct bar_facts *bar, const struct iomem *map,
				   struct error *why)
{
	int i = find_bar(bar, map);

	if (i < 0)
		return refute(why, "the BAR is not in /proc/iomem");
	for (; i != IOMEM_ROOT; i = map->entry[i].parent)
		if (!strcasecmp(map->entry[i].name, "reserved"))
			return confirm(why, "firmware has reserved its window");

	return accept(why, "/proc/iomem does not show all that firmware reserves");
}

/* Why a BAR that does not have its page for itself was not moved. */
static enum verdict check_not_moved(const struct bar_facts *bar, const struct iomem *map,
				    struct error *why)
{
	if (!strcmp(bar->state, "fixed"))
		return check_fixed(bar, why);
	if (!strcmp(bar->state, "busy"))
		return check_busy(bar, map, why);
	if (!strcmp(bar->state, "no-space"))
		return check_no_space(bar, map, why);
	if (!strcmp(bar->state, "reserved"))
		return check_reserved(bar, map, why);
	if (!strcmp(bar->state, "rejected") || !strcmp(bar->state, "inaccessible"))
		return accept(why, "only the module saw what the device answered");

	return refute(why, "the state is missing, or not one of the documented words");
}

static enum verdict check_reason(const struct bar_facts *bar, const struct iomem *map,
				 struct error *why)
{
	enum verdict verdict;

	if (bar->size != bar->device_size)
		return refute(why, "the BAR is not as large as in the device");
	if (!strcmp(bar->state, "unassigned"))
		return check_unassigned(bar, map, why);
	if (!strcmp(bar->state, "excluded"))
		return check_excluded(bar, map, why);

	verdict = check_not_moved(bar, map, why);
	if (verdict != VERDICT_REFUTED && starts_free_page(bar, map))
		return changed(why, "the BAR starts a page with nothing else in it");

	return verdict;
}

enum verdict expect_state(const struct bar_facts *bar, const struct iomem *map,
			  struct error *why)
{
	if (!bar_is_subpage(bar)) {
		if (!bar->state[0])
			return confirm(why, "not a sub-page memory BAR, and nothing is said of it");
		return refute(why, "a state of what is not a sub-page memory BAR");
	}
	if (bar->stated_size != bar->device_size)
		return refute(why, "the module states another size than the BAR has in the device");
	if (!strcmp(bar->state, STATE_IN_PLACE) || !strcmp(bar->state, STATE_RELOCATED))
		return check_page(bar, map, why);

	return check_reason(bar, map, why);
}
