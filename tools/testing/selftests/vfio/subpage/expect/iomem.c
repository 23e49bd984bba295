// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "expect/iomem.h"
#include "root.h"

#define IOMEM		"/proc/iomem"
#define IOMEM_MAX	(16 << 20)

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
		error_set(err, IOMEM " shows no addresses: run as root (CAP_SYS_ADMIN)");
		return IOMEM_HIDDEN;
	}
	return 0;
}

static int parse_text(char *text, ssize_t len, struct iomem *map, struct error *err)
{
	struct error what;
	FILE *file;
	int ret;

	if (len < 0 && !root_is_copy()) {
		error_set(err, IOMEM ": %s", strerror(errno));
		return errno == EACCES ? IOMEM_HIDDEN : -1;
	}
	if (len <= 0 || text[len - 1] != '\n')
		return error_set(err, "%s" IOMEM ": missing, empty, or a last line without end",
				 root_name());

	file = fmemopen(text, len, "r");
	if (!file)
		return error_set(err, IOMEM ": %s", strerror(errno));
	ret = iomem_parse(file, map, &what);
	fclose(file);
	if (ret)
		error_set(err, "%.200s%s", root_name(), what.text);
	return ret;
}

int iomem_read(struct iomem *map, struct error *err)
{
	char *text = malloc(IOMEM_MAX);
	int ret;

	memset(map, 0, sizeof(*map));
	if (!text)
		return error_set(err, IOMEM ": no memory");

	ret = parse_text(text, root_read_text(IOMEM, text, IOMEM_MAX), map, err);
	if (root_complaint(err)) {
		iomem_free(map);
		ret = -1;
	}
	free(text);
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

/* One pass, as those in a parent are sorted. */
bool iomem_free_page(const struct iomem *map, int parent, u64 page_size, u64 from,
		     u64 limit, u64 *page)
{
	const struct iomem_entry *window = &map->entry[parent];
	u64 last = window->end < limit ? window->end : limit;
	u64 at = align_up(window->start > from ? window->start : from, page_size), next;
	int i;

	for (i = parent + 1; i < map->nr && map->entry[i].start <= window->end; i++) {
		const struct iomem_entry *entry = &map->entry[i];

		if (entry->parent != parent || entry->end < at)
			continue;
		if (entry->start > at && entry->start - at >= page_size)
			break;
		next = align_up(entry->end + 1, page_size);
		if (next <= at)
			return false;
		at = next;
	}

	*page = at;
	return at >= window->start && at <= last && last - at >= page_size - 1;
}

/* Behind all that lies in the entry. */
static int end_of(const struct iomem *map, int i)
{
	int end = i + 1;

	while (end < map->nr && map->entry[end].parent >= i)
		end++;
	return end;
}

/* Entries from @from on are @by further behind than their children think. */
static void renumber(struct iomem *map, int from, int by)
{
	int i;

	for (i = 0; i < map->nr; i++)
		if (map->entry[i].parent >= from)
			map->entry[i].parent += by;
}

static void cut(struct iomem *map, int from, int to)
{
	memmove(&map->entry[from], &map->entry[to], (map->nr - to) * sizeof(*map->entry));
	map->nr -= to - from;
	renumber(map, to, from - to);
}

void iomem_remove_below(struct iomem *map, int i)
{
	cut(map, i + 1, end_of(map, i));
}

void iomem_remove(struct iomem *map, int i)
{
	cut(map, i, end_of(map, i));
}

int iomem_insert(struct iomem *map, int parent, u64 start, u64 end, const char *name)
{
	struct iomem_entry entry = { .start = start, .end = end, .parent = parent };
	int i = parent + 1;

	snprintf(entry.name, sizeof(entry.name), "%.63s", name);
	while (i < map->nr && map->entry[i].parent >= parent && map->entry[i].start < start)
		i = end_of(map, i);
	if (append(map, &entry))
		return -1;

	memmove(&map->entry[i + 1], &map->entry[i], (map->nr - 1 - i) * sizeof(entry));
	renumber(map, i, 1);
	map->entry[i] = entry;
	return i;
}
