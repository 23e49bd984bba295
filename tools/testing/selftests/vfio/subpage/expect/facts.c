// SPDX-License-Identifier: GPL-2.0-only
/* What expectations start from: the one place of this folder that looks at the system. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/sysfs.h"
#include "expect/expect.h"
#include "root.h"

static void read_state(const struct pci_device *dev, unsigned int bar, struct bar_facts *facts)
{
	char name[64], size[32];

	snprintf(name, sizeof(name), MODULE_SUBPAGE "/bar%u", bar);
	sysfs_read_attr(dev, name, facts->state, sizeof(facts->state));
	snprintf(name, sizeof(name), MODULE_SUBPAGE "/bar%u_size", bar);
	if (sysfs_read_attr(dev, name, size, sizeof(size)))
		facts->stated_size = strtoull(size, NULL, 10);
}

static bool parameter_is(const char *name, const char *value)
{
	char now[16];

	return sysfs_read_parameter(name, now, sizeof(now)) && !strcmp(now, value);
}

/* DOMAIN:BUS:DEV.FN or VENDOR:DEVICE, separated by commas or blanks. */
static bool is_excluded(const struct pci_device *dev)
{
	char list[1100], bdf[SYSFS_BDF_LEN], *item, *rest = list;
	unsigned int vendor, device;

	if (!sysfs_read_parameter("exclude", list, sizeof(list)))
		return false;

	while ((item = strsep(&rest, ", "))) {
		if (sysfs_parse_bdf(item, bdf) ? !strcmp(bdf, dev->bdf) :
		    sscanf(item, "%x:%x", &vendor, &device) == 2 && vendor == dev->vendor &&
		    device == dev->device)
			return true;
	}
	return false;
}

void bar_facts_read(const struct pci_device *dev, unsigned int bar, struct bar_facts *facts)
{
	const struct pci_resource *res = &dev->res[bar];

	*facts = (struct bar_facts) {
		.bdf = dev->bdf,
		.start = res->start,
		.bus_start = sysfs_bus_address(dev, bar),
		.size = sysfs_resource_size(res),
		.device_size = dev->bar_size[bar],
		.flags = res->flags,
		.page_size = root_page_size(),
		.held = dev->is_held,
		.has_vfs = dev->has_vfs,
		.relocate_off = parameter_is("relocate", "no"),
		.excluded = is_excluded(dev),
		.keep_size = parameter_is("bar_size", "device"),
	};
	if (facts->held)
		read_state(dev, bar, facts);
}
