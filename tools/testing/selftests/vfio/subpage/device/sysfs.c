// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

#include "device/sysfs.h"
#include "root.h"

#define PCI_DEVICES	"/sys/bus/pci/devices"
#define MODULE		"/sys/module/" MODULE_SUBPAGE

/* Where a device has a file; "" is its directory. */
static void get_path(const char *bdf, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, PCI_DEVICES "/%s/%s", bdf, name);
}

static bool attr_exists(const struct pci_device *dev, const char *name)
{
	char path[PATH_MAX];

	get_path(dev->bdf, name, path);
	return root_exists(path);
}

bool sysfs_parse_bdf(const char *text, char *bdf)
{
	unsigned int domain = 0, bus, slot, fn;
	int used = 0;

	if (strspn(text, "0123456789abcdefABCDEF:.") != strlen(text))
		return false;
	if (sscanf(text, "%8x:%2x:%2x.%1x%n", &domain, &bus, &slot, &fn, &used) != 4) {
		domain = 0;
		if (sscanf(text, "%2x:%2x.%1x%n", &bus, &slot, &fn, &used) != 3)
			return false;
	}
	if (text[used] || slot > 31 || fn > 7)
		return false;

	snprintf(bdf, SYSFS_BDF_LEN, "%04x:%02x:%02x.%x", domain, bus, slot, fn);
	return true;
}

bool sysfs_parse_resource(const char *line, struct pci_resource *res)
{
	int used = 0;

	return sscanf(line, "0x%llx 0x%llx 0x%llx %n",
		      &res->start, &res->end, &res->flags, &used) == 3 &&
	       used && !line[used];
}

u64 sysfs_resource_size(const struct pci_resource *res)
{
	if (!res->flags || !res->end || res->end < res->start)
		return 0;

	return res->end - res->start + 1;
}

int sysfs_unassigned_bar(const struct pci_device *dev)
{
	int bar;

	for (bar = 0; bar < SYSFS_NR_BARS; bar++) {
		const struct pci_resource *res = &dev->res[bar];

		if (!sysfs_resource_size(res))
			continue;
		if (!res->start || res->flags & RES_UNSET)
			return bar;
	}
	return -1;
}

bool sysfs_read_line(const char *path, char *buf, size_t len)
{
	if (root_read_text(path, buf, len) <= 0)
		return false;

	buf[strcspn(buf, "\n")] = '\0';
	return true;
}

bool sysfs_read_attr(const struct pci_device *dev, const char *name,
		     char *buf, size_t len)
{
	char path[PATH_MAX];

	get_path(dev->bdf, name, path);
	return sysfs_read_line(path, buf, len);
}

bool sysfs_read_parameter(const char *name, char *buf, size_t len)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), MODULE "/parameters/%s", name);
	return sysfs_read_line(path, buf, len);
}

/* More than the header needs privilege. A device that does not answer reads all ones. */
static void read_header(struct pci_device *dev)
{
	char path[PATH_MAX];

	get_path(dev->bdf, "config", path);
	if (root_read(path, dev->header, sizeof(dev->header)) == sizeof(dev->header))
		return;
	root_complain(path, "not as long as %zu bytes", sizeof(dev->header));
	memset(dev->header, 0xff, sizeof(dev->header));
}

u32 sysfs_header_read(const struct pci_device *dev, unsigned int offset, unsigned int width)
{
	u32 value = 0;

	while (width--)
		value = value << 8 | dev->header[offset + width];
	return value;
}

u64 sysfs_bus_address(const struct pci_device *dev, unsigned int bar)
{
	unsigned int offset = PCI_BASE_ADDRESS_0 + bar * 4;
	u32 low = sysfs_header_read(dev, offset, 4);
	u64 address = low & (u32)PCI_BASE_ADDRESS_MEM_MASK;

	if ((low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64)
		address |= (u64)sysfs_header_read(dev, offset + 4, 4) << 32;
	return address;
}

static long read_number(const struct pci_device *dev, const char *name, long fallback)
{
	char buf[64], path[PATH_MAX], *end;
	long number;

	if (!sysfs_read_attr(dev, name, buf, sizeof(buf)))
		return fallback;

	errno = 0;
	number = strtol(buf, &end, 0);
	if (errno || end == buf || *end) {
		get_path(dev->bdf, name, path);
		root_complain(path, "not a number: '%.40s'", buf);
	}
	return number;
}

/* A kernel without IOMMU, or SR-IOV, has no such file; these it always has. */
static unsigned int read_id(const struct pci_device *dev, const char *name, long max)
{
	long number = read_number(dev, name, -1);
	char path[PATH_MAX];

	if (number >= 0 && number <= max)
		return number;

	get_path(dev->bdf, name, path);
	root_complain(path, number < 0 ? "missing, or not a number" : "0x%lx is too large", number);
	return 0;
}

static void read_link(const struct pci_device *dev, const char *name, char *buf, size_t len)
{
	char path[PATH_MAX];

	get_path(dev->bdf, name, path);
	root_read_link(path, buf, len);
}

static int read_group(const struct pci_device *dev)
{
	char name[32], path[PATH_MAX];

	read_link(dev, "iommu_group", name, sizeof(name));
	if (!name[0])
		return -1;
	if (strspn(name, "0123456789") != strlen(name) || strlen(name) > 9) {
		get_path(dev->bdf, "iommu_group", path);
		root_complain(path, "not a group: '%s'", name);
		return -1;
	}
	return atoi(name);
}

/* A window that is off may have any range. */
static bool is_possible(const struct pci_device *dev, const struct pci_resource *res)
{
	return res - dev->res > SYSFS_ROM || !(res->flags & RES_MEM) || !res->end ||
	       sysfs_resource_size(res);
}

static bool read_resource(struct pci_device *dev, const char *line)
{
	struct pci_resource *res = &dev->res[dev->nr_res];

	if (dev->nr_res == SYSFS_NR_RESOURCES || !sysfs_parse_resource(line, res) ||
	    (root_is_copy() && !is_possible(dev, res)))
		return false;

	dev->nr_res++;
	return true;
}

static void read_resources(struct pci_device *dev)
{
	char text[4096], path[PATH_MAX], *line, *rest = text;

	get_path(dev->bdf, "resource", path);
	if (root_read_text(path, text, sizeof(text)) < 0)
		text[0] = '\0';

	do {
		line = strsep(&rest, "\n");
	} while (rest && read_resource(dev, line));

	/* Behind the last newline there is nothing. */
	if (line[0])
		root_complain(path, "line %u: not a resource: '%.80s'", dev->nr_res + 1, line);
	if (dev->nr_res <= SYSFS_ROM)
		root_complain(path, "has only %u of a device's resources", dev->nr_res);
}

static void read_path(struct pci_device *dev)
{
	char path[PATH_MAX];

	get_path(dev->bdf, "", path);
	root_resolve(path, dev->path, sizeof(dev->path));
}

static bool bound_to_vfio(const struct pci_device *dev)
{
	if (!strcmp(dev->driver, DRIVER_VFIO_PCI))
		return true;

	/* Every variant driver registers a VFIO device below the PCI device. */
	return dev->driver[0] && attr_exists(dev, "vfio-dev");
}

/* VFIO makes up a group for a device that has no IOMMU, and names it so. */
static bool group_is_made_up(const struct pci_device *dev)
{
	char name[64];

	return sysfs_read_attr(dev, "iommu_group/name", name, sizeof(name)) &&
	       !strcmp(name, "vfio-noiommu");
}

/*
 * The file through which a BAR can be mapped is as large as the BAR was when the
 * device was found. An architecture that has no such files shows it in @res only.
 */
static void read_bar_sizes(struct pci_device *dev)
{
	char name[16], path[PATH_MAX];
	long long size;
	int bar;

	for (bar = 0; bar < SYSFS_NR_BARS; bar++) {
		dev->bar_size[bar] = sysfs_resource_size(&dev->res[bar]);
		snprintf(name, sizeof(name), "resource%d", bar);
		get_path(dev->bdf, name, path);
		size = dev->bar_size[bar] ? root_file_size(path) : -1;
		if (size >= 0)
			dev->bar_size[bar] = size;
	}
}

static bool has_subpage_bar(const struct pci_device *dev)
{
	u64 page = root_page_size();
	int bar;

	for (bar = 0; bar < SYSFS_NR_BARS; bar++)
		if (dev->res[bar].flags & RES_MEM && dev->bar_size[bar] &&
		    dev->bar_size[bar] < page)
			return true;
	return false;
}

static void read_device(struct pci_device *dev, const char *bdf)
{
	memset(dev, 0, sizeof(*dev));
	snprintf(dev->bdf, sizeof(dev->bdf), "%.*s", SYSFS_BDF_LEN - 1, bdf);
	read_path(dev);
	read_link(dev, "driver", dev->driver, sizeof(dev->driver));
	dev->iommu_group = read_group(dev);
	dev->is_noiommu = group_is_made_up(dev);
	dev->vendor = read_id(dev, "vendor", 0xffff);
	dev->device = read_id(dev, "device", 0xffff);
	dev->class = read_id(dev, "class", 0xffffff);
	dev->numa_node = read_number(dev, "numa_node", -1);
	dev->is_vf = attr_exists(dev, "physfn");
	dev->has_vfs = read_number(dev, "sriov_numvfs", 0) > 0;
	dev->is_vfio = bound_to_vfio(dev);
	read_header(dev);
	read_resources(dev);
	read_bar_sizes(dev);
	dev->is_held = attr_exists(dev, MODULE_SUBPAGE);
	dev->is_prepared = dev->is_held || (root_exists(MODULE) && !has_subpage_bar(dev));
}

bool sysfs_vfio_name(const struct pci_device *dev, char *buf, size_t len)
{
	struct dirent **names;
	char path[PATH_MAX];
	int n, i;

	get_path(dev->bdf, "vfio-dev", path);
	n = root_list(path, &names);
	if (n < 0)
		return false;

	if (n)
		snprintf(buf, len, "%s", names[0]->d_name);
	for (i = 0; i < n; i++)
		free(names[i]);
	free(names);
	return n;
}

static bool is_bdf(const char *name)
{
	char bdf[SYSFS_BDF_LEN], path[PATH_MAX];

	if (sysfs_parse_bdf(name, bdf) && !strcmp(name, bdf))
		return true;

	get_path(name, "", path);
	root_complain(path, "not a PCI address");
	return false;
}

int sysfs_scan(struct pci_scan *scan, struct error *err)
{
	struct dirent **names;
	int n, i;

	memset(scan, 0, sizeof(*scan));
	n = root_list(PCI_DEVICES, &names);
	if (n < 0)
		return root_complaint(err) ? -1 :
		       error_set(err, "%s" PCI_DEVICES ": %s", root_name(), strerror(errno));

	scan->dev = calloc(n ? n : 1, sizeof(*scan->dev));
	for (i = 0; i < n; i++) {
		if (scan->dev && is_bdf(names[i]->d_name))
			read_device(&scan->dev[scan->nr++], names[i]->d_name);
		free(names[i]);
	}
	free(names);
	if (!scan->dev)
		return error_set(err, "no memory for %d PCI devices", n);
	if (!root_complaint(err))
		return 0;

	sysfs_scan_free(scan);
	return -1;
}

void sysfs_scan_free(struct pci_scan *scan)
{
	free(scan->dev);
	memset(scan, 0, sizeof(*scan));
}

const struct pci_device *sysfs_find(const struct pci_scan *scan, const char *bdf)
{
	size_t i;

	for (i = 0; i < scan->nr; i++)
		if (!strcmp(scan->dev[i].bdf, bdf))
			return &scan->dev[i];
	return NULL;
}

const struct pci_device *sysfs_find_named(const struct pci_scan *scan, const char *bdf,
					  struct error *err)
{
	const struct pci_device *dev = sysfs_find(scan, bdf);

	if (!dev)
		error_set(err, "%s: there is no such PCI device: lspci -D lists them", bdf);
	return dev;
}
