// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the module would make of each BAR, if the devices were bound one after another.
 *
 * Its rule is documented in Documentation/driver-api/vfio-pci-subpage.rst, and is
 * worked out anew here: no line is the module's. What sysfs does not show cannot be
 * predicted: that firmware wants the addresses behind a host bridge kept (fixed), or
 * that a register does not take another address (rejected).
 */
#include <stdlib.h>
#include <string.h>

#include "survey/survey.h"

#define CLASS_BRIDGE_TRANSPARENT	0x060401
#define PREFETCHABLE			", prefetchable"
#define MAX_WINDOWS			32

/* Below it is much that not every machine has in its tree. */
#define LOWEST				0x100000

/* A window of a bus: of the bridge to it, or of the host. */
struct window {
	int entry;
	u64 flags;
	bool is_host;
};

struct windows {
	struct window at[MAX_WINDOWS];
	unsigned int nr;
};

enum found {
	FOUND,
	FULL,
	UNKNOWN
};

static void add_window(struct windows *windows, struct window window)
{
	if (windows->nr < MAX_WINDOWS)
		windows->at[windows->nr++] = window;
}

/* The last but one part of the path, if that is a device. */
static const struct pci_device *bridge_above(const struct pci_scan *scan,
					     const struct pci_device *dev)
{
	const char *end = strrchr(dev->path, '/'), *start = end;
	char bdf[SYSFS_BDF_LEN];

	while (start > dev->path && start[-1] != '/')
		start--;
	if (!end || end - start >= SYSFS_BDF_LEN)
		return NULL;

	snprintf(bdf, sizeof(bdf), "%.*s", (int)(end - start), start);
	return sysfs_find(scan, bdf);
}

/* Those that are on, and in the tree: else what is there belongs to somebody else. */
static void add_windows_of(const struct pci_device *bridge, const struct iomem *map,
			   struct windows *windows)
{
	char name[32];
	unsigned int i;

	survey_bus_behind(bridge, name, sizeof(name));
	for (i = SYSFS_ROM + 1; i < bridge->nr_res; i++) {
		const struct pci_resource *res = &bridge->res[i];
		int entry = iomem_find(map, name, res->start, res->end);

		if (entry >= 0 && resource_in_page(res, res->start, res->end))
			add_window(windows, (struct window) { entry, res->flags, false });
	}
}

/* What follows a comma is not the name of a host bridge. */
static bool same_host(const struct iomem_entry *a, const struct iomem_entry *b)
{
	size_t len = strcspn(a->name, ",");

	return len == strcspn(b->name, ",") && !strncmp(a->name, b->name, len);
}

/* The windows of a host have its name, and all that is on its buses is in one of them. */
static void add_windows_of_host(const struct iomem *map, int self, struct windows *windows)
{
	int host = iomem_window(map, self), i;

	while (host != IOMEM_ROOT && iomem_window(map, host) != IOMEM_ROOT)
		host = iomem_window(map, host);
	for (i = 0; host != IOMEM_ROOT && i < map->nr; i++)
		if (same_host(&map->entry[i], &map->entry[host]) &&
		    iomem_window(map, i) == IOMEM_ROOT)
			add_window(windows, (struct window) { .entry = i, .is_host = true });
}

/* A transparent bridge passes on what its own windows do not have. */
static void find_windows(const struct pci_scan *scan, const struct iomem *map,
			 const struct pci_device *dev, int self, struct windows *windows)
{
	const struct pci_device *bridge = bridge_above(scan, dev);

	windows->nr = 0;
	while (bridge) {
		add_windows_of(bridge, map, windows);
		if (bridge->class != CLASS_BRIDGE_TRANSPARENT)
			return;
		bridge = bridge_above(scan, bridge);
	}
	add_windows_of_host(map, self, windows);
}

static bool may_live_in(const struct window *window, const struct iomem *map, u64 flags,
			u64 same_flags)
{
	if ((window->flags ^ flags) & same_flags)
		return false;
	if (flags & RES_PREFETCH)
		return true;
	return !(window->flags & RES_PREFETCH) &&
	       !strstr(map->entry[window->entry].name, PREFETCHABLE);
}

/* The window that the BAR lives in, which need not be what it is a child of; or NULL. */
static const struct window *own_window(const struct windows *windows, const struct iomem *map,
				       int self, u64 flags)
{
	unsigned int i;

	for (i = 0; i < windows->nr; i++)
		if (iomem_contains(map, windows->at[i].entry, self))
			return may_live_in(&windows->at[i], map, flags, 0) ?
			       &windows->at[i] : NULL;
	return NULL;
}

/* @firmware: what it has reserved counts as free */
static enum found try_window(const struct window *window, const struct iomem *map,
			     const struct bar_facts *bar, bool firmware, u64 *page)
{
	if (!map->entry[window->entry].name[0])
		return UNKNOWN;
	if (!firmware && iomem_is_reserved(map, window->entry))
		return FULL;
	return bar_free_page(bar, map, window->entry, LOWEST, page) ? FOUND : FULL;
}

/*
 * First the window that the BAR lives in, then those of just its kind, then others. What
 * kind another window of a host is, and how it translates addresses, is shown nowhere.
 */
static enum found find_page(const struct windows *windows, const struct iomem *map,
			    const struct bar_facts *bar, int self, bool firmware,
			    const struct window **where, u64 *page)
{
	static const u64 same_flags[] = { RES_PREFETCH | RES_MEM_64, RES_PREFETCH, 0 };
	enum found found = FULL;
	unsigned int pass, i;

	*where = own_window(windows, map, self, bar->flags);
	if (*where)
		found = try_window(*where, map, bar, firmware, page);

	for (pass = 0; found == FULL && pass < 3; pass++)
		for (i = 0; found == FULL && i < windows->nr; i++) {
			*where = &windows->at[i];
			if (!(*where)->is_host &&
			    may_live_in(*where, map, bar->flags, same_flags[pass]))
				found = try_window(*where, map, bar, firmware, page);
		}

	for (i = 0; found == FULL && i < windows->nr; i++)
		if (windows->at[i].is_host && may_live_in(&windows->at[i], map, bar->flags, 0) &&
		    try_window(&windows->at[i], map, bar, firmware, page) != FULL)
			found = UNKNOWN;
	return found;
}

static bool starts_page(const struct survey_bar *bar)
{
	return bar->facts.start == bar_page(&bar->facts);
}

/* Nothing else is in the page, and all of it is in what the BAR is a child of. */
static bool has_own_page(const struct bar_facts *bar, const struct iomem *map, int self)
{
	const int parent = map->entry[self].parent;

	if (parent == IOMEM_ROOT)
		return false;
	if (bar->start > bar_page(bar) &&
	    !iomem_range_free(map, parent, bar_page(bar), bar->start - 1))
		return false;
	return iomem_range_free(map, parent, map->entry[self].end + 1, bar_page_end(bar));
}

/* A BAR that has a page is as large as that, unless it shall keep its size. */
static u64 size_then(const struct survey_bar *bar)
{
	return bar->facts.keep_size ? bar->facts.device_size : bar->facts.page_size;
}

static void stay(struct survey_bar *bar, struct iomem *map, int self)
{
	bar->start = bar_page(&bar->facts);
	map->entry[self].start = bar->start;
	map->entry[self].end = bar->start + size_then(bar) - 1;
}

static int move(struct survey_bar *bar, struct iomem *map, int self, int window, u64 page,
		struct error *err)
{
	int there = iomem_insert(map, window, page, page + size_then(bar) - 1, bar->dev->bdf);

	if (there < 0)
		return error_set(err, "no memory for a BAR of %s", bar->dev->bdf);

	iomem_remove(map, there <= self ? self + 1 : self);
	bar->start = page;
	return 0;
}

/* A device that does not answer reads all ones. */
static const char *state_of_move(const struct pci_device *dev)
{
	return sysfs_header_read(dev, 0, 2) == 0xffff ? "inaccessible" : STATE_RELOCATED;
}

static int find_place(const struct survey *survey, struct survey_bar *bar, struct iomem *map,
		      int self, struct error *err)
{
	const struct window *where;
	struct windows windows;
	u64 page;

	find_windows(&survey->scan, map, bar->dev, self, &windows);
	switch (find_page(&windows, map, &bar->facts, self, false, &where, &page)) {
	case FOUND:
		bar->state = state_of_move(bar->dev);
		if (!strcmp(bar->state, STATE_RELOCATED))
			return move(bar, map, self, where->entry, page, err);
		return 0;
	case UNKNOWN:
		bar->state = STATE_UNKNOWN;
		return 0;
	default:
		bar->state = find_page(&windows, map, &bar->facts, self, true, &where, &page) ==
			     FULL ? "no-space" : "reserved";
		return 0;
	}
}

/* Why a BAR is not moved, or NULL. */
static const char *why_it_stays(const struct survey_bar *bar, const struct iomem *map)
{
	if (bar->facts.flags & RES_PCI_FIXED || bar->dev->is_vf)
		return "fixed";
	if (bar->dev->has_vfs || device_has_region_inside(bar->dev->bdf, map))
		return "busy";
	if (bar->facts.relocate_off)
		return "excluded";
	return NULL;
}

/* Of a BAR that has to move. */
static int predict_move(const struct survey *survey, struct survey_bar *bar, struct iomem *map,
			int self, struct error *err)
{
	bar->state = why_it_stays(bar, map);
	if (bar->state)
		return 0;
	if (!has_own_page(&bar->facts, map, self))
		return find_place(survey, bar, map, self, err);

	bar->state = state_of_move(bar->dev);
	if (!strcmp(bar->state, STATE_RELOCATED))
		stay(bar, map, self);
	return 0;
}

static int predict_bar(const struct survey *survey, struct survey_bar *bar, struct iomem *map,
		       struct error *err)
{
	const int self = bar_find(&bar->facts, map);

	bar->start = bar->facts.start;
	if (bar->facts.excluded) {
		bar->state = "excluded";
		return 0;
	}
	if (self < 0 || map->entry[self].parent == IOMEM_ROOT || bar->facts.flags & RES_UNSET) {
		bar->state = "unassigned";
		return 0;
	}
	if (!starts_page(bar) || !has_own_page(&bar->facts, map, self))
		return predict_move(survey, bar, map, self, err);

	bar->state = STATE_IN_PLACE;
	stay(bar, map, self);
	return 0;
}

/* Regions inside its BARs are those of the driver that it has, and go with it. */
static void unbind(const struct pci_device *dev, struct iomem *map)
{
	int i;

	for (i = 0; dev->driver[0] && i < map->nr; i++)
		if (!strcmp(map->entry[i].name, dev->bdf))
			iomem_remove_below(map, i);
}

/* BARs that do not start their page come first: they have to move anyway. */
static int predict_device(const struct survey *survey, struct survey_bar *bar, size_t nr,
			  struct iomem *map, struct error *err)
{
	size_t pass, i;

	unbind(bar->dev, map);
	for (pass = 0; pass <= 1; pass++)
		for (i = 0; i < nr; i++)
			if (starts_page(&bar[i]) == pass && predict_bar(survey, &bar[i], map, err))
				return -1;
	return 0;
}

/* What is bound already says itself what became of it. */
static void take_state(struct survey_bar *bar)
{
	bar->state = bar->facts.state[0] ? bar->facts.state : STATE_UNKNOWN;
	bar->start = bar->facts.start;
}

/* Of a BAR that has no page of its own vfio-pci looks anew when the device is opened. */
static bool is_mapped_then(const struct survey_bar *bar, const struct iomem *map)
{
	struct bar_facts then = bar->facts;

	if (!strcmp(bar->state, STATE_IN_PLACE) || !strcmp(bar->state, STATE_RELOCATED))
		return true;

	then.start = bar->start;
	return expect_mmap(&then, map);
}

/* The BARs of a device follow each other. */
static size_t count_of_device(const struct survey *survey, size_t i)
{
	size_t end = i + 1;

	while (end < survey->nr && survey->bar[end].dev == survey->bar[i].dev)
		end++;
	return end - i;
}

static int predict_all(struct survey *survey, struct iomem *map, struct error *err)
{
	struct survey_bar *bar = survey->bar;
	size_t i, nr;

	for (i = 0; i < survey->nr; i += nr) {
		nr = count_of_device(survey, i);
		if (!bar[i].facts.held && predict_device(survey, &bar[i], nr, map, err))
			return -1;
	}
	for (i = 0; i < survey->nr; i++) {
		if (bar[i].facts.held)
			take_state(&bar[i]);
		bar[i].mapped_then = is_mapped_then(&bar[i], map);
	}
	return 0;
}

int survey_predict(struct survey *survey, struct error *err)
{
	struct iomem map = { .nr = survey->map.nr };
	int ret = -1;

	map.entry = reallocarray(NULL, map.nr + 1, sizeof(*map.entry));
	if (map.entry) {
		memcpy(map.entry, survey->map.entry, map.nr * sizeof(*map.entry));
		ret = predict_all(survey, &map, err);
	} else {
		error_set(err, "no memory for a copy of the resource tree");
	}
	iomem_free(&map);
	return ret;
}
