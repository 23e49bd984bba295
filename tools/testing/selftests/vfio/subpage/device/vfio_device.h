/* SPDX-License-Identifier: GPL-2.0-only */
/* An open VFIO device, its BARs, and access to their registers. */
#ifndef SUBPAGE_VFIO_DEVICE_H
#define SUBPAGE_VFIO_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/vfio.h>

#include "device/sysfs.h"
#include "device/vfio_backend.h"
#include "error.h"
#include "registers/profile.h"
#include "types.h"

/**
 * struct vfio_bar - a BAR of an open device
 * @info: region info; its size is 0 if the BAR is not implemented
 * @map: the whole region, rounded up to pages; NULL while it is not mapped
 */
struct vfio_bar {
	struct vfio_region_info info;
	void *map;
};

/**
 * struct vfio_device - a device, and what was opened and mapped of it
 * @dev: what sysfs says of it
 * @ops: how it is opened
 * @backend: of that kind
 * @fd: the VFIO device, negative while it is not open
 * @open_error: why it could not be opened
 * @bar: the BARs
 * @command: the command register as vfio_device_enable() found it
 * @is_enabled: vfio_device_close() has to restore that
 */
struct vfio_device {
	const struct pci_device *dev;
	const struct vfio_backend_ops *ops;
	struct vfio_backend *backend;
	int fd;
	struct error open_error;
	struct vfio_bar bar[SYSFS_NR_BARS];
	u16 command;
	bool is_enabled;
};

/* All functions below return 0 or a negative errno unless they say otherwise. */

/* Region info, without capabilities; for BARs the index is their number. */
int vfio_region(int fd, unsigned int index, struct vfio_region_info *info);

/* How many regions the device has. */
int vfio_nr_regions(int fd);

/* A size in bytes, rounded up to whole pages: what is mapped of a region. */
size_t vfio_page_round(u64 size);

/* Map @len bytes at @offset of the device's file, shared, for reading and writing. */
int vfio_map(int fd, u64 offset, size_t len, void **address);

/* Read what region info says of each BAR. */
int vfio_device_get_bars(struct vfio_device *device);

/*
 * Let the device answer to its BARs: without memory decode a mapped access faults,
 * and without I/O decode one through the file fails.
 */
int vfio_device_enable(struct vfio_device *device);

/* Undo vfio_device_enable(). */
int vfio_device_disable(struct vfio_device *device);

/* Unmap the BARs, restore the command register, close the device if it is open. */
void vfio_device_close(struct vfio_device *device);

static inline bool vfio_bar_is_mappable(const struct vfio_bar *bar)
{
	return bar->info.flags & VFIO_REGION_INFO_FLAG_MMAP;
}

/* Map a BAR, unless it is; one that region info does not flag stays trapped. */
int vfio_bar_map(struct vfio_device *device, unsigned int bar);

void vfio_bar_unmap(struct vfio_device *device, unsigned int bar);

/* The address of a register in the mapping of its BAR; NULL where there is none. */
void *vfio_register_address(const struct vfio_device *device, const struct safe_register *reg);

/**
 * vfio_register_read() - read a register through the device's file: trapped
 * @device: open
 * @reg: the register
 * @value: filled in, in the byte order of the CPU
 *
 * Return: 0, or a negative errno; -EIO if less than the width was read.
 */
int vfio_register_read(const struct vfio_device *device, const struct safe_register *reg,
		       u64 *value);

/* The same for writing. */
int vfio_register_write(const struct vfio_device *device, const struct safe_register *reg,
			u64 value);

#endif
