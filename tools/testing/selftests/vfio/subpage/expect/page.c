// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "expect/expect.h"

struct page {
	u64 start;
	u64 end;
};

static bool overlaps(const struct page *page, u64 start, u64 end)
{
	return start <= page->end && page->start <= end;
}

static bool is_bridge_above(const struct pci_device *bridge, const struct pci_device *dev)
{
	char part[SYSFS_BDF_LEN + 2];

	snprintf(part, sizeof(part), "/%s/", bridge->bdf);
	return strstr(dev->path, part);
}

/* A window of a bridge above the device, all around the page, is where it should be. */
static bool is_window_above(const struct pci_device *other, unsigned int i,
			    const struct pci_device *dev, const struct page *page)
{
	return i > SYSFS_ROM && is_bridge_above(other, dev) &&
	       other->res[i].start <= page->start && page->end <= other->res[i].end;
}

bool resource_in_page(const struct pci_resource *res, u64 start, u64 end)
{
	const struct page page = { start, end };

	return res->flags & RES_MEM && !(res->flags & (RES_UNSET | RES_DISABLED)) &&
	       sysfs_resource_size(res) && overlaps(&page, res->start, res->end);
}

/* A list that knows how much did not fit. */
struct list {
	struct page_intruder *at;
	unsigned int nr;
	unsigned int max;
};

static void add(struct list *list, struct page_intruder intruder)
{
	if (list->nr < list->max)
		list->at[list->nr] = intruder;
	list->nr++;
}

static void look_at_devices(const struct pci_scan *scan, const struct pci_device *dev,
			    unsigned int number, const struct page *page, struct list *list)
{
	unsigned int i;
	size_t d;

	for (d = 0; d < scan->nr; d++) {
		const struct pci_device *other = &scan->dev[d];

		for (i = 0; i < other->nr_res; i++) {
			const struct pci_resource *res = &other->res[i];

			if (!resource_in_page(res, page->start, page->end) ||
			    is_window_above(other, i, dev, page) ||
			    (other == dev && i == number))
				continue;
			add(list, (struct page_intruder) {
				.dev = other, .number = i, .start = res->start, .end = res->end,
			});
		}
	}
}

static bool is_reservation(const struct iomem_entry *entry, const struct page *page)
{
	if (entry->start < page->start || entry->end > page->end)
		return false;

	return !strcmp(entry->name, IOMEM_RESERVED_BY_CORE);
}

static void look_at_iomem(const struct iomem *map, int self, const struct page *page,
			  struct list *list)
{
	int i;

	for (i = 0; i < map->nr; i++) {
		const struct iomem_entry *entry = &map->entry[i];

		if (overlaps(page, entry->start, entry->end) && !iomem_contains(map, i, self) &&
		    !iomem_contains(map, self, i) && !is_reservation(entry, page))
			add(list, (struct page_intruder) {
				.name = entry->name, .start = entry->start, .end = entry->end,
			});
	}
}

unsigned int page_look(const struct pci_scan *scan, const struct iomem *map,
		       const struct pci_device *dev, unsigned int number, u64 page_size,
		       struct page_intruder *list, unsigned int max)
{
	const struct pci_resource *res = &dev->res[number];
	struct page page = { .start = res->start & ~(page_size - 1) };
	struct list found = { .at = list, .max = max };

	page.end = page.start + page_size - 1;
	look_at_devices(scan, dev, number, &page, &found);
	look_at_iomem(map, iomem_find(map, dev->bdf, res->start, res->end), &page, &found);
	return found.nr;
}

unsigned int page_intruders(const struct pci_scan *scan, const struct iomem *map,
			    const struct pci_device *dev, unsigned int number,
			    u64 page_size, struct error *first)
{
	const struct pci_resource *res = &dev->res[number];
	struct page_intruder one;
	unsigned int nr;

	if (iomem_find(map, dev->bdf, res->start, res->end) < 0) {
		error_set(first, "the BAR itself is not in /proc/iomem");
		return 1;
	}

	nr = page_look(scan, map, dev, number, page_size, &one, 1);
	if (nr && one.dev)
		error_set(first, "resource %u of %s at 0x%llx is in the page", one.number,
			  one.dev->bdf, one.start);
	else if (nr)
		error_set(first, "/proc/iomem has '%s' at 0x%llx in the page", one.name,
			  one.start);
	return nr;
}
