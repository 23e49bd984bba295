/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a device shows to those who open it, for comparing one backend with
 * another.
 */
#ifndef SUBPAGE_LOOK_H
#define SUBPAGE_LOOK_H

#include <linux/vfio.h>

#include "device/sysfs.h"
#include "device/vfio_backend.h"
#include "registers/profile.h"
#include "types.h"

#define LOOK_MAX_REGISTERS	8

/**
 * enum look_state - how far a look got
 * @LOOK_SKIPPED: the backend does not apply to the device
 * @LOOK_FAILED: it does, and something went wrong
 * @LOOK_TAKEN: there is something to compare
 */
enum look_state {
	LOOK_SKIPPED,
	LOOK_FAILED,
	LOOK_TAKEN,
};

/**
 * struct region_look - what a BAR shows
 * @info: region info; its size is 0 if the BAR is not implemented
 * @map: result of mapping it: 0 or a negative errno
 * @busy: somebody else has a region inside, as far as the caller knows: it can be
 *	flagged as mappable, and cannot be mapped
 */
struct region_look {
	struct vfio_region_info info;
	int map;
	bool busy;
};

/**
 * struct register_look - what a safe register shows
 * @reg: the register
 * @file: read through the device's file
 * @mapped: read through a mapping; the same as @file where there is none
 */
struct register_look {
	struct safe_register reg;
	u64 file;
	u64 mapped;
};

/**
 * struct device_look - what a device shows
 * @state: whether there is anything below
 * @why: the reason, if there is not
 * @bar: the BARs
 * @reg: the registers; the caller sets which, look_through() reads them
 * @nr_reg: how many
 */
struct device_look {
	enum look_state state;
	struct error why;
	struct region_look bar[SYSFS_NR_BARS];
	struct register_look reg[LOOK_MAX_REGISTERS];
	size_t nr_reg;
};

/**
 * look_at() - look at an open device
 * @fd: the device
 * @look: filled in
 */
void look_at(int fd, struct device_look *look);

/**
 * look_through() - open a device through a backend, look at it, and close it
 * @ops: the backend
 * @scan: all devices
 * @dev: the device, which nobody may have open
 * @look: filled in; lies in memory that is shared with child processes
 *
 * Happens in a process of its own, which may take a minute: whatever goes wrong,
 * nothing stays open.
 */
void look_through(const struct vfio_backend_ops *ops, const struct pci_scan *scan,
		  const struct pci_device *dev, struct device_look *look);

/**
 * look_same_regions() - compare region info of all BARs
 * @a: the one
 * @b: the other
 * @err: set to the first difference
 *
 * Return: true if they are the same.
 */
bool look_same_regions(const struct device_look *a, const struct device_look *b,
		       struct error *err);

/**
 * look_maps_as_flagged() - check that exactly those BARs could be mapped that are flagged
 * @look: at the device
 * @err: set to the first that is not so
 *
 * Return: true if it is so.
 */
bool look_maps_as_flagged(const struct device_look *look, struct error *err);

/**
 * look_same_registers() - compare what safe registers read, on all paths
 * @a: the one
 * @b: the other, of the same registers
 * @err: set to the first difference
 *
 * Return: true if they are the same.
 */
bool look_same_registers(const struct device_look *a, const struct device_look *b,
			 struct error *err);

#endif
