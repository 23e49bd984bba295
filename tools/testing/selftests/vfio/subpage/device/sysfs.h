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

/* The kernel's IORESOURCE_* bits that sysfs shows in a resource's flags. */
#define RES_PCI_FIXED		0x00000010ULL
#define RES_IO			0x00000100ULL
#define RES_MEM			0x00000200ULL
#define RES_MEM_64		0x00100000ULL
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
 * @is_vfio: it is bound to vfio-pci or to a variant of it
 * @is_held: the module has prepared its BARs
 * @is_prepared: so it is, or the module is loaded and would have nothing to prepare
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
	bool is_vfio;
	bool is_held;
	bool is_prepared;
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

/**
 * sysfs_scan_free() - free what sysfs_scan() allocated
 * @scan: empty afterwards
 */
void sysfs_scan_free(struct pci_scan *scan);

/**
 * sysfs_find() - look a device up by its address
 * @scan: the devices
 * @bdf: address with domain
 *
 * Return: the device, or NULL.
 */
const struct pci_device *sysfs_find(const struct pci_scan *scan, const char *bdf);

/**
 * sysfs_parse_bdf() - bring a PCI address into sysfs's form
 * @text: ``[DDDD:]BB:DD.F``, hexadecimal
 * @bdf: SYSFS_BDF_LEN bytes; filled in, with the domain
 *
 * Return: true if @text is an address.
 */
bool sysfs_parse_bdf(const char *text, char *bdf);

/**
 * sysfs_parse_resource() - parse one line of a ``resource`` file
 * @line: ``0xSTART 0xEND 0xFLAGS``
 * @res: filled in
 *
 * Return: true if the line has that form.
 */
bool sysfs_parse_resource(const char *line, struct pci_resource *res);

/**
 * sysfs_resource_size() - size of a resource
 * @res: the resource
 *
 * An empty slot reads as three zeroes and has no size; an unassigned BAR
 * starts at zero and has one.
 *
 * Return: size in bytes.
 */
u64 sysfs_resource_size(const struct pci_resource *res);

/**
 * sysfs_unassigned_bar() - find a BAR that has no address
 * @dev: the device
 *
 * The kernel refuses to enable such a device.
 *
 * Return: number of the first such BAR, or -1.
 */
int sysfs_unassigned_bar(const struct pci_device *dev);

/**
 * sysfs_read_line() - read the first line of a file
 * @path: the file
 * @buf: filled in without the trailing newline
 * @len: size of @buf
 *
 * Return: true if the file exists and could be read.
 */
bool sysfs_read_line(const char *path, char *buf, size_t len);

/**
 * sysfs_read_attr() - read a small attribute of a device
 * @dev: the device
 * @name: file name below the device's directory
 * @buf: filled in without the trailing newline
 * @len: size of @buf
 *
 * Return: true if the file exists and could be read.
 */
bool sysfs_read_attr(const struct pci_device *dev, const char *name,
		     char *buf, size_t len);

/**
 * sysfs_vfio_name() - find the VFIO device of a PCI device
 * @dev: the device
 * @buf: filled in with its name, such as vfio0
 * @len: size of @buf
 *
 * Return: true if there is one.
 */
bool sysfs_vfio_name(const struct pci_device *dev, char *buf, size_t len);

/**
 * sysfs_read_config() - read the start of a device's configuration space
 * @dev: the device
 * @config: filled in
 * @len: bytes; more than 64 need privilege
 *
 * Return: true if all of it could be read.
 */
bool sysfs_read_config(const struct pci_device *dev, u8 *config, size_t len);

/**
 * sysfs_read_parameter() - read a parameter of the module vfio_pci_subpage
 * @name: the parameter
 * @buf: filled in without the trailing newline
 * @len: size of @buf
 *
 * Return: true if the module is loaded and has it.
 */
bool sysfs_read_parameter(const char *name, char *buf, size_t len);

#endif
