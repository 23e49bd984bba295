// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "expect/iomem.h"

#define IOMEM	"/proc/iomem"

static bool covers(const struct iomem_entry *entry, u64 start, u64 end)
{
	return entry->start <= start && end <= entry->end;
}

static bool overlaps(const struct iomem_entry *entry, u64 start, u64 end)
{
	return entry->start <= end && start <= entry->end;
}

/*
 * The indentation stops growing after a few levels, so the parent is found by
 * range: the nearest earlier entry, upwards from the last, that covers this
 * one. Siblings never overlap, so there is no other candidate.
 */
static int find_parent(const struct iomem *map, u64 start, u64 end)
{
	int i = map->nr - 1;

	while (i != IOMEM_ROOT && !covers(&map->entry[i], start, end))
		i = map->entry[i].parent;
	return i;
}

static int append(struct iomem *map, const struct iomem_entry *entry)
{
	struct iomem_entry *grown;

	grown = reallocarray(map->entry, map->nr + 1, sizeof(*grown));
	if (!grown)
		return -1;

	map->entry = grown;
	map->entry[map->nr++] = *entry;
	return 0;
}

static int parse_line(struct iomem *map, char *line, int number, struct error *err)
{
	struct iomem_entry entry;
	int name = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, " %llx-%llx : %n", &entry.start, &entry.end, &name) != 2 ||
	    !name || entry.end < entry.start)
		return error_set(err, IOMEM ":%d: not a resource: '%.80s'", number, line);

	snprintf(entry.name, sizeof(entry.name), "%.63s", line + name);
	entry.parent = find_parent(map, entry.start, entry.end);
	if (append(map, &entry))
		return error_set(err, IOMEM ": no memory for %d resources", number);

	return 0;
}

static bool addresses_hidden(const struct iomem *map)
{
	int i;

	for (i = 0; i < map->nr; i++)
		if (map->entry[i].end)
			return false;
	return true;
}

int iomem_parse(FILE *file, struct iomem *map, struct error *err)
{
	char line[256];
	int number = 0;

	memset(map, 0, sizeof(*map));
	while (fgets(line, sizeof(line), file)) {
		if (!parse_line(map, line, ++number, err))
			continue;
		iomem_free(map);
		return -1;
	}

	if (addresses_hidden(map)) {
		iomem_free(map);
		return error_set(err, IOMEM " shows no addresses: run as root (CAP_SYS_ADMIN)");
	}
	return 0;
}

int iomem_read(struct iomem *map, struct error *err)
{
	FILE *file = fopen(IOMEM, "re");
	int ret;

	if (!file)
		return error_set(err, IOMEM ": %s", strerror(errno));

	ret = iomem_parse(file, map, err);
	fclose(file);
	return ret;
}

void iomem_free(struct iomem *map)
{
	free(map->entry);
	memset(map, 0, sizeof(*map));
}

int iomem_find(const struct iomem *map, const char *name, u64 start, u64 end)
{
	int i;

	for (i = 0; i < map->nr; i++) {
		const struct iomem_entry *entry = &map->entry[i];

		if (entry->start == start && entry->end == end && !strcmp(entry->name, name))
			return i;
	}
	return -1;
}

bool iomem_contains(const struct iomem *map, int above, int below)
{
	while (below != IOMEM_ROOT && below != above)
		below = map->entry[below].parent;
	return below == above;
}

/* What e820 calls the ranges that it keeps from the PCI core, but for RAM. */
static bool is_reservation(const struct iomem_entry *entry)
{
	static const char * const name[] = {
		"Reserved", "Soft Reserved", "ACPI Tables", "ACPI Non-volatile Storage",
		"Unusable memory", "Unknown E820 type",
	};
	size_t i;

	for (i = 0; i < sizeof(name) / sizeof(*name); i++)
		if (!strcasecmp(entry->name, name[i]))
			return true;
	return false;
}

int iomem_window(const struct iomem *map, int i)
{
	do {
		i = map->entry[i].parent;
	} while (i != IOMEM_ROOT && is_reservation(&map->entry[i]));
	return i;
}

bool iomem_is_reserved(const struct iomem *map, int i)
{
	while (i != IOMEM_ROOT && !is_reservation(&map->entry[i]))
		i = map->entry[i].parent;
	return i != IOMEM_ROOT;
}

/* The first child of @parent that overlaps the range, or -1. */
static int find_overlap(const struct iomem *map, int parent, u64 start, u64 end)
{
	int i;

	for (i = parent + 1; i < map->nr; i++)
		if (map->entry[i].parent == parent && overlaps(&map->entry[i], start, end))
			return i;
	return -1;
}

bool iomem_range_free(const struct iomem *map, int parent, u64 start, u64 end)
{
	return covers(&map->entry[parent], start, end) &&
	       find_overlap(map, parent, start, end) < 0;
}

static u64 align_up(u64 address, u64 size)
{
	return (address + size - 1) & ~(size - 1);
}

bool iomem_free_page(const struct iomem *map, int parent, u64 page_size,
		     u64 limit, u64 *page)
{
	const struct iomem_entry *window = &map->entry[parent];
	u64 last = window->end < limit ? window->end : limit;
	u64 at = align_up(window->start, page_size), next;
	int i;

	while (at <= last && last - at >= page_size - 1) {
		i = find_overlap(map, parent, at, at + page_size - 1);
		if (i < 0) {
			*page = at;
			return true;
		}
		next = align_up(map->entry[i].end + 1, page_size);
		if (next <= at)
			break;
		at = next;
	}
	return false;
}
