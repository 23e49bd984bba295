// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "survey/survey.h"

/* A line of what /proc/iomem would be. */
struct line {
	u64 start;
	u64 end;
	size_t depth;
	char name[32];
};

/* Parents before their children: a window before the like one that is in it. */
static int by_address(const void *a, const void *b)
{
	const struct line *left = a, *right = b;

	if (left->start != right->start)
		return left->start < right->start ? -1 : 1;
	if (left->end != right->end)
		return left->end > right->end ? -1 : 1;
	return left->depth < right->depth ? -1 : left->depth > right->depth;
}

static size_t add_lines(const struct pci_device *dev, struct line *line)
{
	const bool is_bridge = survey_is_bridge(dev);
	size_t nr = 0;
	unsigned int i;

	for (i = 0; i < dev->nr_res; i++) {
		const struct pci_resource *res = &dev->res[i];

		if (!res->start || !resource_in_page(res, res->start, res->start))
			continue;
		line[nr] = (struct line) {
			.start = res->start, .end = res->end, .depth = strlen(dev->path),
		};
		if (is_bridge && i > SYSFS_ROM)
			survey_bus_behind(dev, line[nr].name, sizeof(line[nr].name));
		else
			snprintf(line[nr].name, sizeof(line[nr].name), "%s", dev->bdf);
		nr++;
	}
	return nr;
}

static int parse(const struct line *line, size_t nr, struct iomem *map, struct error *err)
{
	char *text = NULL;
	size_t len = 0, i;
	FILE *file = open_memstream(&text, &len);
	int ret = -1;

	if (!file)
		return error_set(err, "no memory for %zu resources", nr);

	fprintf(file, "0-ffffffffffffffff :\n");
	for (i = 0; i < nr; i++)
		fprintf(file, "%llx-%llx : %s\n", line[i].start, line[i].end, line[i].name);
	fclose(file);
	file = fmemopen(text, len, "r");
	if (file) {
		ret = iomem_parse(file, map, err);
		fclose(file);
	} else {
		error_set(err, "no memory for %zu resources", nr);
	}
	free(text);
	return ret;
}

int survey_tree(const struct pci_scan *scan, struct iomem *map, struct error *err)
{
	struct line *line = calloc(scan->nr * SYSFS_NR_RESOURCES + 1, sizeof(*line));
	struct error what;
	size_t nr = 0, d;
	int ret;

	if (!line)
		return error_set(err, "no memory for the resources of %zu devices", scan->nr);

	for (d = 0; d < scan->nr; d++)
		nr += add_lines(&scan->dev[d], line + nr);
	qsort(line, nr, sizeof(*line), by_address);
	ret = parse(line, nr, map, &what);
	free(line);
	return ret ? error_set(err, "%s", what.text) : 0;
}
