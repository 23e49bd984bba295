// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

#include "root.h"
#include "survey/survey.h"

#define HEADER_TYPE_MASK	0x7f
#define CLASS_HOST_BRIDGE	0x0600

bool survey_is_bridge(const struct pci_device *dev)
{
	u32 type = sysfs_header_read(dev, PCI_HEADER_TYPE, 1);

	/* A device that does not answer has no header. */
	return (type != 0xff && type & HEADER_TYPE_MASK) || dev->class >> 8 == CLASS_HOST_BRIDGE;
}

void survey_bus_behind(const struct pci_device *bridge, char *buf, size_t len)
{
	snprintf(buf, len, "PCI Bus %.*s:%02x", (int)strcspn(bridge->bdf, ":"), bridge->bdf,
		 sysfs_header_read(bridge, PCI_SECONDARY_BUS, 1));
}

bool survey_goes_with(const struct pci_device *dev, const struct pci_device *other)
{
	return other != dev && other->iommu_group >= 0 && !other->is_noiommu &&
	       other->iommu_group == dev->iommu_group && !survey_is_bridge(other);
}

/* What vfio-pci-core reserves behind an open BAR belongs to the BAR. */
static void drop_reservations(struct iomem *map)
{
	int i;

	for (i = map->nr - 1; i >= 0; i--)
		if (!strcmp(map->entry[i].name, IOMEM_RESERVED_BY_CORE))
			iomem_remove(map, i);
}

int survey_read(struct survey *survey, struct error *err)
{
	int ret;

	*survey = (struct survey) { 0 };
	err->text[0] = '\0';
	if (sysfs_scan(&survey->scan, err))
		return -1;

	ret = iomem_read(&survey->map, err);
	survey->is_whole = !ret;
	if (ret == IOMEM_HIDDEN)
		return survey_tree(&survey->scan, &survey->map, err);
	if (ret)
		return -1;

	drop_reservations(&survey->map);
	return 0;
}

void survey_free(struct survey *survey)
{
	size_t i;

	for (i = 0; i < survey->nr; i++)
		free(survey->bar[i].share);
	free(survey->bar);
	iomem_free(&survey->map);
	sysfs_scan_free(&survey->scan);
	*survey = (struct survey) { 0 };
}

/* What lies inside of something else in the list is no news. */
static unsigned int keep_outermost(struct page_intruder *list, unsigned int nr)
{
	unsigned int kept = 0, i, k;

	for (i = 0; i < nr; i++) {
		for (k = 0; k < kept; k++)
			if (!list[i].dev && list[k].start <= list[i].start &&
			    list[i].end <= list[k].end)
				break;
		if (k == kept)
			list[kept++] = list[i];
	}
	return kept;
}

static int look_at_page(const struct survey *survey, struct survey_bar *bar, struct error *err)
{
	const u64 size = bar->facts.page_size;
	struct page_intruder few[8];
	unsigned int nr;

	/* A BAR that is nowhere is in no page. */
	if (bar_find(&bar->facts, &survey->map) < 0)
		return 0;

	nr = page_look(&survey->scan, &survey->map, bar->dev, bar->number, size, few, 8);
	if (!nr)
		return 0;
	bar->share = calloc(nr, sizeof(*bar->share));
	if (!bar->share)
		return error_set(err, "no memory for %u neighbours of %s", nr, bar->dev->bdf);

	if (nr <= 8)
		memcpy(bar->share, few, nr * sizeof(*few));
	else
		page_look(&survey->scan, &survey->map, bar->dev, bar->number, size, bar->share, nr);
	bar->nr_share = keep_outermost(bar->share, nr);
	return 0;
}

static int add_bar(struct survey *survey, const struct pci_device *dev, unsigned int number,
		   struct error *err)
{
	struct survey_bar *grown = reallocarray(survey->bar, survey->nr + 1, sizeof(*grown));
	struct survey_bar *bar;

	if (!grown)
		return error_set(err, "no memory for the BARs of %s", dev->bdf);

	survey->bar = grown;
	bar = &grown[survey->nr++];
	*bar = (struct survey_bar) { .dev = dev, .number = number };
	bar_facts_read(dev, number, &bar->facts);
	bar->mapped = expect_mmap(&bar->facts, &survey->map);
	return look_at_page(survey, bar, err);
}

static int add_device(struct survey *survey, const struct pci_device *dev, struct error *err)
{
	const size_t before = survey->nr;
	unsigned int number;

	for (number = 0; number < SYSFS_NR_BARS; number++)
		if (dev->res[number].flags & RES_MEM && dev->bar_size[number] &&
		    dev->bar_size[number] < root_page_size() &&
		    add_bar(survey, dev, number, err))
			return -1;
	survey->nr_devices++;
	survey->nr_affected += survey->nr > before;
	return 0;
}

static int add_named(struct survey *survey, const char *bdf, struct error *err)
{
	const struct pci_device *dev = sysfs_find_named(&survey->scan, bdf, err);

	if (!dev)
		return -1;
	if (survey_is_bridge(dev))
		return error_set(err,
				 "%s is a bridge, which VFIO does not take: name what is behind it",
				 bdf);
	return add_device(survey, dev, err);
}

int survey_take(struct survey *survey, char bdf[][SYSFS_BDF_LEN], size_t n, struct error *err)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (add_named(survey, bdf[i], err))
			return -1;
	for (i = 0; !n && i < survey->scan.nr; i++)
		if (!survey_is_bridge(&survey->scan.dev[i]) &&
		    add_device(survey, &survey->scan.dev[i], err))
			return -1;
	return survey_predict(survey, err);
}

size_t survey_mapped(const struct survey *survey)
{
	size_t nr = 0, i;

	for (i = 0; i < survey->nr; i++)
		nr += survey->bar[i].mapped;
	return nr;
}

size_t survey_mapped_then(const struct survey *survey)
{
	size_t nr = 0, i;

	for (i = 0; i < survey->nr; i++)
		nr += survey->bar[i].mapped_then;
	return nr;
}

static bool is_unknown(const struct survey_bar *bar)
{
	return !bar->mapped_then && !strcmp(bar->state, STATE_UNKNOWN);
}

size_t survey_unknown(const struct survey *survey)
{
	size_t nr = 0, i;

	for (i = 0; i < survey->nr; i++)
		nr += is_unknown(&survey->bar[i]);
	return nr;
}

const struct survey_bar *survey_find(const struct survey *survey, const struct pci_device *dev,
				     unsigned int number)
{
	size_t i;

	for (i = 0; i < survey->nr; i++)
		if (survey->bar[i].dev == dev && survey->bar[i].number == number)
			return &survey->bar[i];
	return NULL;
}

int survey_exit_code(const struct survey *survey)
{
	int code = 0;
	size_t i;

	for (i = 0; i < survey->nr; i++) {
		const struct survey_bar *bar = &survey->bar[i];

		if (!bar->mapped_then && !is_unknown(bar))
			return 3;
		if (!bar->mapped)
			code = 1;
	}
	return code;
}
