// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "survey/survey.h"

/* Of what else is in a page; the map and JSON have all. */
#define MAX_SHARE	3

const char *survey_size(u64 size, char text[24])
{
	static const char unit[] = " KMGT";
	unsigned int i = 0;

	while (size && !(size % 1024) && unit[i + 1]) {
		size /= 1024;
		i++;
	}
	snprintf(text, 24, i ? "%llu%c" : "%llu", size, unit[i]);
	return text;
}

static void print_intruder(const struct page_intruder *intruder, FILE *out)
{
	if (!intruder->dev)
		fprintf(out, "'%s'", intruder->name);
	else if (intruder->number < SYSFS_NR_BARS)
		fprintf(out, "%s BAR %u", intruder->dev->bdf, intruder->number);
	else
		fprintf(out, "%s resource %u", intruder->dev->bdf, intruder->number);
}

static void print_bar(const struct survey_bar *bar, FILE *out)
{
	char size[24], start[24], then[24] = "-", group[16] = "-";
	unsigned int i;

	snprintf(start, sizeof(start), "0x%llx", bar->facts.start);
	if (bar->start != bar->facts.start)
		snprintf(then, sizeof(then), "0x%llx", bar->start);
	if (bar->dev->iommu_group >= 0 && !bar->dev->is_noiommu)
		snprintf(group, sizeof(group), "%d", bar->dev->iommu_group);

	fprintf(out, "%-12s %3u %5s %-14s %-8s %-12s %-14s %5s %-12s %s", bar->dev->bdf,
		bar->number, survey_size(bar->facts.device_size, size), start,
		bar->mapped ? "mapped" : "trapped", bar->state, then, group,
		bar->dev->driver[0] ? bar->dev->driver : "-", bar->name);
	for (i = 0; i < bar->nr_share && i < MAX_SHARE; i++) {
		fputs(i ? ", " : "; ", out);
		print_intruder(&bar->share[i], out);
	}
	if (i < bar->nr_share)
		fprintf(out, " and %u more", bar->nr_share - i);
	fputc('\n', out);
}

static bool is_first_of_group(const struct survey *survey, size_t i)
{
	size_t k;

	for (k = 0; k < i; k++)
		if (survey->bar[k].dev == survey->bar[i].dev ||
		    survey_goes_with(survey->bar[i].dev, survey->bar[k].dev))
			return false;
	return true;
}

/* Bridges stay with their driver. */
static void print_group(const struct survey *survey, const struct pci_device *dev, FILE *out)
{
	bool is_alone = true;
	size_t d;

	for (d = 0; d < survey->scan.nr; d++) {
		if (!survey_goes_with(dev, &survey->scan.dev[d]))
			continue;
		if (is_alone)
			fprintf(out, "IOMMU group %d is bound as a whole: %s", dev->iommu_group,
				dev->bdf);
		is_alone = false;
		fprintf(out, " %s", survey->scan.dev[d].bdf);
	}
	if (!is_alone)
		fputc('\n', out);
}

void survey_print_table(const struct survey *survey, FILE *out)
{
	size_t i;

	if (survey->nr)
		fprintf(out, "%-12s %3s %5s %-14s %-8s %-12s %-14s %5s %-12s %s\n", "device",
			"BAR", "size", "address", "vfio-pci", "with module", "moved to", "group",
			"driver", "name; page shared with");
	for (i = 0; i < survey->nr; i++)
		print_bar(&survey->bar[i], out);
	for (i = 0; i < survey->nr; i++)
		if (is_first_of_group(survey, i))
			print_group(survey, survey->bar[i].dev, out);
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

void survey_print_summary(const struct survey *survey, FILE *out)
{
	const size_t mapped = survey_mapped(survey), unknown = survey_unknown(survey);

	fprintf(out, "%zu of %zu device%s ha%s sub-page memory BARs", survey->nr_affected,
		survey->nr_devices, plural(survey->nr_devices),
		survey->nr_affected == 1 ? "s" : "ve");
	if (survey->nr)
		fprintf(out, ": %zu BAR%s, %zu mapped, %zu trapped; with the module %zu mapped",
			survey->nr, plural(survey->nr), mapped, survey->nr - mapped,
			survey_mapped_then(survey));
	if (unknown)
		fprintf(out, ", %zu unknown", unknown);
	fputc('\n', out);
}
