// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "device/sysfs.h"

#define PCI_DEVICES	"/sys/bus/pci/devices"
#define MODULE		"/sys/module/" MODULE_SUBPAGE

/* Where a device has a file; "" is its directory. */
static void get_path(const char *bdf, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, PCI_DEVICES "/%s/%s", bdf, name);
}

static FILE *open_file(const struct pci_device *dev, const char *name)
{
	char path[PATH_MAX];

	get_path(dev->bdf, name, path);
	return fopen(path, "re");
}

static bool attr_exists(const struct pci_device *dev, const char *name)
{
	char path[PATH_MAX];

	get_path(dev->bdf, name, path);
	return !access(path, F_OK);
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
	FILE *file = fopen(path, "re");
	bool ok;

	if (!file)
		return false;

	ok = fgets(buf, len, file);
	fclose(file);
	if (ok)
		buf[strcspn(buf, "\n")] = '\0';
	return ok;
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
	FILE *file = open_file(dev, "config");

	if (!file || fread(dev->header, sizeof(dev->header), 1, file) != 1)
		memset(dev->header, 0xff, sizeof(dev->header));
	if (file)
		fclose(file);
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
	char buf[64];

	if (!sysfs_read_attr(dev, name, buf, sizeof(buf)))
		return fallback;

	return strtol(buf, NULL, 0);
}

/* The last part of what a link in the device's directory points to, or "". */
static void read_link(const struct pci_device *dev, const char *name,
		      char *buf, size_t len)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t n;

	buf[0] = '\0';
	get_path(dev->bdf, name, path);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return;

	target[n] = '\0';
	snprintf(buf, len, "%s", basename(target));
}

static void read_resources(struct pci_device *dev)
{
	FILE *file = open_file(dev, "resource");
	char line[128];

	if (!file)
		return;

	while (dev->nr_res < SYSFS_NR_RESOURCES && fgets(line, sizeof(line), file))
		if (sysfs_parse_resource(line, &dev->res[dev->nr_res]))
			dev->nr_res++;
	fclose(file);
}

static void read_path(struct pci_device *dev)
{
	char path[PATH_MAX], resolved[PATH_MAX];

	get_path(dev->bdf, "", path);
	if (realpath(path, resolved))
		snprintf(dev->path, sizeof(dev->path), "%.511s", resolved);
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
	struct stat st;
	int bar;

	for (bar = 0; bar < SYSFS_NR_BARS; bar++) {
		dev->bar_size[bar] = sysfs_resource_size(&dev->res[bar]);
		snprintf(name, sizeof(name), "resource%d", bar);
		get_path(dev->bdf, name, path);
		if (dev->bar_size[bar] && !stat(path, &st))
			dev->bar_size[bar] = st.st_size;
	}
}

static bool has_subpage_bar(const struct pci_device *dev)
{
	u64 page = sysconf(_SC_PAGESIZE);
	int bar;

	for (bar = 0; bar < SYSFS_NR_BARS; bar++)
		if (dev->res[bar].flags & RES_MEM && dev->bar_size[bar] &&
		    dev->bar_size[bar] < page)
			return true;
	return false;
}

static void read_device(struct pci_device *dev, const char *bdf)
{
	char group[32];

	memset(dev, 0, sizeof(*dev));
	snprintf(dev->bdf, sizeof(dev->bdf), "%.*s", SYSFS_BDF_LEN - 1, bdf);
	read_path(dev);
	read_link(dev, "driver", dev->driver, sizeof(dev->driver));
	read_link(dev, "iommu_group", group, sizeof(group));
	dev->iommu_group = group[0] ? atoi(group) : -1;
	dev->is_noiommu = group_is_made_up(dev);
	dev->vendor = read_number(dev, "vendor", 0);
	dev->device = read_number(dev, "device", 0);
	dev->class = read_number(dev, "class", 0);
	dev->numa_node = read_number(dev, "numa_node", -1);
	dev->is_vf = attr_exists(dev, "physfn");
	dev->has_vfs = read_number(dev, "sriov_numvfs", 0) > 0;
	dev->is_vfio = bound_to_vfio(dev);
	read_header(dev);
	read_resources(dev);
	read_bar_sizes(dev);
	dev->is_held = attr_exists(dev, MODULE_SUBPAGE);
	dev->is_prepared = dev->is_held || (!access(MODULE, F_OK) && !has_subpage_bar(dev));
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

bool sysfs_vfio_name(const struct pci_device *dev, char *buf, size_t len)
{
	struct dirent **names;
	char path[PATH_MAX];
	int n, i;

	get_path(dev->bdf, "vfio-dev", path);
	n = scandir(path, &names, not_hidden, by_name);
	if (n < 0)
		return false;

	if (n)
		snprintf(buf, len, "%s", names[0]->d_name);
	for (i = 0; i < n; i++)
		free(names[i]);
	free(names);
	return n;
}

int sysfs_scan(struct pci_scan *scan, struct error *err)
{
	struct dirent **names;
	int n, i;

	memset(scan, 0, sizeof(*scan));
	n = scandir(PCI_DEVICES, &names, not_hidden, by_name);
	if (n < 0)
		return error_set(err, PCI_DEVICES ": %s", strerror(errno));

	scan->dev = calloc(n ? n : 1, sizeof(*scan->dev));
	for (i = 0; i < n; i++) {
		if (scan->dev)
			read_device(&scan->dev[i], names[i]->d_name);
		free(names[i]);
	}
	free(names);
	if (!scan->dev)
		return error_set(err, "no memory for %d PCI devices", n);

	scan->nr = n;
	return 0;
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
