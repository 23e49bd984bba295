// SPDX-License-Identifier: GPL-2.0-only
#include <linux/pci_regs.h>
#include <string.h>

#include "expect/expect.h"

#define HEADER_TYPE_MASK	0x7f
#define NR_BRIDGE_BARS		2

/* A resource, and where it is on the bus. */
struct translation {
	u64 start;
	u64 end;
	u64 bus_start;
};

static bool is_bridge(const struct pci_device *dev)
{
	return (sysfs_header_read(dev, PCI_HEADER_TYPE, 1) & HEADER_TYPE_MASK) ==
	       PCI_HEADER_TYPE_BRIDGE;
}

/* The registers of a bridge's window count in units of 1 MiB; the limit is inclusive. */
static void read_window(const struct pci_device *dev, bool prefetch, u64 *start, u64 *end)
{
	unsigned int base = prefetch ? PCI_PREF_MEMORY_BASE : PCI_MEMORY_BASE;
	u32 low = sysfs_header_read(dev, base, 2), high = sysfs_header_read(dev, base + 2, 2);

	*start = (low & (u32)PCI_MEMORY_RANGE_MASK) << 16;
	*end = (high & (u32)PCI_MEMORY_RANGE_MASK) << 16 | 0xfffff;
	if (prefetch && (low & PCI_PREF_RANGE_TYPE_MASK) == PCI_PREF_RANGE_TYPE_64) {
		*start |= (u64)sysfs_header_read(dev, PCI_PREF_BASE_UPPER32, 4) << 32;
		*end |= (u64)sysfs_header_read(dev, PCI_PREF_LIMIT_UPPER32, 4) << 32;
	}
}

/* A window of another size is not what the kernel thinks, and tells nothing. */
static bool translate_window(const struct pci_device *dev, const struct pci_resource *res,
			     struct translation *t)
{
	u64 end;

	read_window(dev, res->flags & RES_PREFETCH, &t->bus_start, &end);
	return end - t->bus_start == res->end - res->start;
}

/* Where resource @i of a device is on the bus, if that can be known. */
static bool translate(const struct pci_device *dev, unsigned int i, struct translation *t)
{
	const struct pci_resource *res = &dev->res[i];
	bool bridge = is_bridge(dev);

	if (!(res->flags & RES_MEM) || !res->start || !sysfs_resource_size(res) ||
	    res->flags & (RES_UNSET | RES_DISABLED | RES_PCI_FIXED))
		return false;

	t->start = res->start;
	t->end = res->end;
	if (bridge && i > SYSFS_ROM)
		return translate_window(dev, res, t);
	if (i >= (bridge ? NR_BRIDGE_BARS : SYSFS_NR_BARS))
		return false;

	t->bus_start = sysfs_bus_address(dev, i);
	return true;
}

static bool answers(const struct pci_device *dev)
{
	return sysfs_header_read(dev, PCI_VENDOR_ID, 2) != 0xffff;
}

static bool same_domain(const struct pci_device *a, const struct pci_device *b)
{
	return !strncmp(a->bdf, b->bdf, strcspn(a->bdf, ":") + 1);
}

/* What the module may have moved, and what has no register, proves nothing. */
static bool is_witness(const struct pci_device *other, const struct pci_device *dev)
{
	return strcmp(other->bdf, dev->bdf) && same_domain(other, dev) &&
	       !other->is_vf && !other->is_held && answers(other);
}

/* A window of the same host is around the BAR's, the same one, or inside it. */
static bool shares_window(const struct translation *t, const struct iomem_entry *window)
{
	return (window->start <= t->start && t->end <= window->end) ||
	       (t->start <= window->start && window->end <= t->end);
}

/* Is there something in that window, or in any, that has this offset, or has another? */
static bool find_witness(const struct pci_scan *scan, const struct pci_device *dev,
			 const struct iomem_entry *window, u64 offset, bool agrees,
			 struct error *why)
{
	struct translation t;
	unsigned int i;
	size_t d;

	for (d = 0; d < scan->nr; d++) {
		const struct pci_device *other = &scan->dev[d];

		for (i = 0; is_witness(other, dev) && i < other->nr_res; i++) {
			if (!translate(other, i, &t) || (window && !shares_window(&t, window)) ||
			    (t.bus_start - t.start == offset) != agrees)
				continue;
			error_set(why, "resource %u of %s is at 0x%llx, on the bus at 0x%llx", i,
				  other->bdf, t.start, t.bus_start);
			return true;
		}
	}
	return false;
}

/* The range of which all is translated like the BAR. */
static struct iomem_entry find_window(const struct iomem *map, const struct pci_device *dev,
				      const struct pci_resource *res)
{
	int i = iomem_find(map, dev->bdf, res->start, res->end);

	if (i >= 0)
		i = iomem_window(map, i);
	if (i < 0)
		return (struct iomem_entry) { .start = res->start, .end = res->end };

	return map->entry[i];
}

enum verdict expect_address(const struct pci_scan *scan, const struct iomem *map,
			    const struct pci_device *dev, unsigned int number,
			    struct error *why)
{
	const struct pci_resource *res = &dev->res[number];
	const u64 offset = sysfs_bus_address(dev, number) - res->start;
	const struct iomem_entry window = find_window(map, dev, res);

	if (dev->is_vf || res->flags & RES_PCI_FIXED) {
		error_set(why, "the address is not in the BAR register");
		return VERDICT_ACCEPTED;
	}
	if (!answers(dev)) {
		error_set(why, "the device does not answer");
		return VERDICT_REFUTED;
	}

	if (find_witness(scan, dev, &window, offset, true, why))
		return VERDICT_CONFIRMED;
	if (find_witness(scan, dev, &window, offset, false, why))
		return VERDICT_REFUTED;
	if (find_witness(scan, dev, NULL, offset, true, why))
		return VERDICT_CONFIRMED;

	error_set(why, "nothing else shows how the host bridge translates addresses there");
	return VERDICT_ACCEPTED;
}
