/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SUBPAGE_SYSFS_H
#define SUBPAGE_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "error.h"
#include "types.h"

#define SYSFS_NR_BARS		6
#define SYSFS_NR_RESOURCES	24
#define SYSFS_ROM		6
#define SYSFS_BDF_LEN		20
#define SYSFS_HEADER_LEN	64

/* The kernel's IORESOURCE_* bits that sysfs shows in a resource's flags. */
#define RES_PCI_FIXED		0x00000010ULL
#define RES_IO			0x00000100ULL
#define RES_MEM			0x00000200ULL
#define RES_PREFETCH		0x00002000ULL
#define RES_MEM_64		0x00100000ULL
#define RES_DISABLED		0x10000000ULL
#define RES_UNSET		0x20000000ULL

#define DRIVER_VFIO_PCI		"vfio-pci"

/* The module, and where it says in a device's directory what became of its BARs. */
#define MODULE_SUBPAGE		"vfio_pci_subpage"

/**
 * struct pci_resource - one line of a device's sysfs ``resource`` file
 * @start: first CPU address, or first port
 * @end: last one, inclusive
 * @flags: RES_* and further bits of the kernel's
 */
struct pci_resource {
	u64 start;
	u64 end;
	u64 flags;
};

/**
 * struct pci_device - what sysfs says about a PCI device
 * @bdf: address with domain, such as 0000:01:00.0
 * @path: resolved directory; its parts are the bridges above the device
 * @driver: name of the driver that it is bound to, or ""
 * @vendor: vendor id
 * @device: device id
 * @class: 24-bit class code
 * @iommu_group: number of its IOMMU group, -1 for none
 * @is_noiommu: VFIO has made up that group, as the device has no IOMMU
 * @numa_node: its NUMA node, -1 where the firmware names none
 * @is_vf: it is a virtual function of SR-IOV
 * @has_vfs: it has such functions
 * @is_vfio: it is bound to vfio-pci or to a variant of it
 * @is_held: the module has prepared its BARs
 * @is_prepared: so it is, or the module is loaded and would have nothing to prepare
 * @header: start of its configuration space, from the device itself
 * @bar_size: of each BAR in the device, bytes; what the kernel shows in @res can be
 *	larger while the module has the device
 * @res: BARs, ROM, then (device dependent) SR-IOV BARs and bridge windows
 * @nr_res: how many of @res there are
 */
struct pci_device {
	char bdf[SYSFS_BDF_LEN];
	char path[512];
	char driver[64];
	unsigned int vendor;
	unsigned int device;
	unsigned int class;
	int iommu_group;
	bool is_noiommu;
	int numa_node;
	bool is_vf;
	bool has_vfs;
	bool is_vfio;
	bool is_held;
	bool is_prepared;
	u8 header[SYSFS_HEADER_LEN];
	u64 bar_size[SYSFS_NR_BARS];
	struct pci_resource res[SYSFS_NR_RESOURCES];
	unsigned int nr_res;
};

/**
 * struct pci_scan - every PCI device of the system, at one moment
 * @dev: the devices, ordered by address
 * @nr: how many
 */
struct pci_scan {
	struct pci_device *dev;
	size_t nr;
};

/**
 * sysfs_scan() - read every PCI device
 * @scan: filled in; to be freed with sysfs_scan_free()
 * @err: set on failure
 *
 * Return: 0 or -1.
 */
int sysfs_scan(struct pci_scan *scan, struct error *err);
void sysfs_scan_free(struct pci_scan *scan);

/* The device with that address, or NULL. */
const struct pci_device *sysfs_find(const struct pci_scan *scan, const char *bdf);

/* The same for a device that a user named: NULL with the error set. */
const struct pci_device *sysfs_find_named(const struct pci_scan *scan, const char *bdf,
					  struct error *err);

/**
 * sysfs_parse_bdf() - bring a PCI address into sysfs's form
 * @text: ``[DDDD:]BB:DD.F``, hexadecimal
 * @bdf: SYSFS_BDF_LEN bytes; filled in, with the domain
 *
 * Return: true if @text is an address.
 */
bool sysfs_parse_bdf(const char *text, char *bdf);

/* A line of a device's file ``resource``: 0xSTART 0xEND 0xFLAGS. */
bool sysfs_parse_resource(const char *line, struct pci_resource *res);

/* An empty slot reads as zeroes and has no size; an unassigned BAR has one. */
u64 sysfs_resource_size(const struct pci_resource *res);

/* A BAR without an address, for which the kernel enables no device, or -1. */
int sysfs_unassigned_bar(const struct pci_device *dev);

/* A little-endian number in the header of a device's configuration space. */
u32 sysfs_header_read(const struct pci_device *dev, unsigned int offset, unsigned int width);

/* The bus address in the register of a memory BAR, or the two of a 64-bit one. */
u64 sysfs_bus_address(const struct pci_device *dev, unsigned int bar);

/* The first line of a file, of a device's attribute, of a parameter of the module. */
bool sysfs_read_line(const char *path, char *buf, size_t len);
bool sysfs_read_attr(const struct pci_device *dev, const char *name, char *buf, size_t len);
bool sysfs_read_parameter(const char *name, char *buf, size_t len);

/* The name of the VFIO device of a PCI device, such as vfio0, if it has one. */
bool sysfs_vfio_name(const struct pci_device *dev, char *buf, size_t len);

#endif
