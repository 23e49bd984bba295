// SPDX-License-Identifier: GPL-2.0-only
/*
 * The survey for programs. Its schema is described in
 * Documentation/dev-tools/subpage-survey.rst; whoever changes it raises its number.
 */
#include <string.h>

#include <json-c/json.h>

#include "json.h"
#include "root.h"
#include "survey/survey.h"

#define SURVEY_SCHEMA	1

#define FORMAT	(JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |	\
		 JSON_C_TO_STRING_NOSLASHESCAPE)

static struct json_object *new_share(const struct page_intruder *intruder)
{
	struct json_object *share = json_object_new_object();

	json_add_string(share, "bdf", intruder->dev ? intruder->dev->bdf : "");
	json_object_object_add(share, "resource",
			       intruder->dev ? json_object_new_int(intruder->number) : NULL);
	json_add_string(share, "name", intruder->dev ? "" : intruder->name);
	json_add_hex(share, "start", 0, intruder->start);
	json_add_hex(share, "end", 0, intruder->end);
	return share;
}

static struct json_object *new_shares(const struct survey_bar *bar)
{
	struct json_object *shares = json_object_new_array();
	unsigned int i;

	for (i = 0; i < bar->nr_share; i++)
		json_object_array_add(shares, new_share(&bar->share[i]));
	return shares;
}

static struct json_object *new_group(const struct survey *survey, const struct pci_device *dev)
{
	struct json_object *group = json_object_new_array();
	size_t d;

	for (d = 0; d < survey->scan.nr; d++)
		if (survey_goes_with(dev, &survey->scan.dev[d]))
			json_object_array_add(group,
					      json_object_new_string(survey->scan.dev[d].bdf));
	return group;
}

static struct json_object *new_bar(const struct survey *survey, const struct survey_bar *bar)
{
	const bool has_group = bar->dev->iommu_group >= 0 && !bar->dev->is_noiommu;
	struct json_object *object = json_object_new_object();

	json_add_string(object, "bdf", bar->dev->bdf);
	json_add_hex(object, "vendor", 4, bar->dev->vendor);
	json_add_hex(object, "device", 4, bar->dev->device);
	json_add_hex(object, "class", 6, bar->dev->class);
	json_add_string(object, "name", bar->name);
	json_add_string(object, "driver", bar->dev->driver);
	json_object_object_add(object, "iommu_group",
			       has_group ? json_object_new_int(bar->dev->iommu_group) : NULL);
	json_object_object_add(object, "bound_with", new_group(survey, bar->dev));
	json_add_int(object, "bar", bar->number);
	json_add_int(object, "size", bar->facts.device_size);
	json_add_hex(object, "start", 0, bar->facts.start);
	json_add_hex(object, "flags", 0, bar->facts.flags);
	json_object_object_add(object, "page_shared_with", new_shares(bar));
	json_add_bool(object, "mmap", bar->mapped);
	json_add_bool(object, "held", bar->facts.held);
	json_add_string(object, "state", bar->state);
	json_add_hex(object, "start_with_module", 0, bar->start);
	json_add_bool(object, "mmap_with_module", bar->mapped_then);
	return object;
}

static struct json_object *new_summary(const struct survey *survey)
{
	struct json_object *summary = json_object_new_object();

	json_add_int(summary, "devices", survey->nr_devices);
	json_add_int(summary, "affected_devices", survey->nr_affected);
	json_add_int(summary, "bars", survey->nr);
	json_add_int(summary, "mmap", survey_mapped(survey));
	json_add_int(summary, "mmap_with_module", survey_mapped_then(survey));
	json_add_int(summary, "unknown", survey_unknown(survey));
	return summary;
}

int survey_print_json(const struct survey *survey, FILE *out)
{
	struct json_object *object = json_object_new_object(), *bars = json_object_new_array();
	size_t i;
	int ret;

	json_add_int(object, "schema", SURVEY_SCHEMA);
	json_add_int(object, "page_size", root_page_size());
	json_add_bool(object, "whole_tree", survey->is_whole);
	for (i = 0; i < survey->nr; i++)
		json_object_array_add(bars, new_bar(survey, &survey->bar[i]));
	json_object_object_add(object, "bars", bars);
	json_object_object_add(object, "summary", new_summary(survey));
	ret = fprintf(out, "%s\n", json_object_to_json_string_ext(object, FORMAT));
	json_object_put(object);
	return ret < 0 ? -1 : 0;
}
