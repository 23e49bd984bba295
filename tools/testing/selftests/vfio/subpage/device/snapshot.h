/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a device shows to those who open it, for comparing one backend with
 * another.
 */
#ifndef SUBPAGE_SNAPSHOT_H
#define SUBPAGE_SNAPSHOT_H

#include "device/vfio_device.h"

/* A register of each BAR is enough to see whether backends agree. */
#define SNAPSHOT_MAX_REGISTERS	SYSFS_NR_BARS

/**
 * struct bar_snapshot - what a BAR shows
 * @info: region info; its size is 0 if the BAR is not implemented
 * @map: result of mapping it: 0 or a negative errno
 * @is_busy: somebody else has a region inside, as far as the caller knows: it can be
 *	flagged as mappable, and cannot be mapped
 */
struct bar_snapshot {
	struct vfio_region_info info;
	int map;
	bool is_busy;
};

/**
 * struct register_snapshot - what a safe register shows
 * @reg: the register
 * @file: read through the device's file
 * @mapped: read through a mapping; the same as @file where there is none
 */
struct register_snapshot {
	struct safe_register reg;
	u64 file;
	u64 mapped;
};

/**
 * struct snapshot - what a device shows
 * @is_taken: there is something to compare
 * @why: the reason, if there is not
 * @bar: the BARs
 * @reg: the registers; the caller sets which
 * @nr_reg: how many
 */
struct snapshot {
	bool is_taken;
	struct error why;
	struct bar_snapshot bar[SYSFS_NR_BARS];
	struct register_snapshot reg[SNAPSHOT_MAX_REGISTERS];
	size_t nr_reg;
};

/* Of a device that is open. */
void snapshot_take(struct vfio_device *device, struct snapshot *snapshot);

/**
 * snapshot_take_through() - open a device through a backend, look at it, and close it
 * @ops: the backend; applies to the device
 * @scan: all devices
 * @dev: the device, which nobody may have open
 * @snapshot: filled in; lies in memory that is shared with child processes
 *
 * Happens in a process of its own, which may take a minute: whatever goes wrong,
 * nothing stays open.
 */
void snapshot_take_through(const struct vfio_backend_ops *ops, const struct pci_scan *scan,
			   const struct pci_device *dev, struct snapshot *snapshot);

/*
 * Each returns true if it is so, else false with the first difference in @err: region
 * info is the same; exactly those BARs could be mapped that are flagged; the same safe
 * registers read the same, on all paths.
 */
bool snapshot_same_regions(const struct snapshot *a, const struct snapshot *b,
			   struct error *err);
bool snapshot_maps_as_flagged(const struct snapshot *snapshot, struct error *err);
bool snapshot_same_registers(const struct snapshot *a, const struct snapshot *b,
			     struct error *err);

#endif
