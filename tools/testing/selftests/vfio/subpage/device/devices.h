/* SPDX-License-Identifier: GPL-2.0-only */
/* The devices that a program works on, and their registers that may be touched. */
#ifndef SUBPAGE_DEVICES_H
#define SUBPAGE_DEVICES_H

#include <stddef.h>

#include "device/sysfs.h"
#include "device/vfio_backend.h"
#include "device/vfio_device.h"
#include "error.h"
#include "options.h"
#include "registers/profile.h"

/**
 * struct vfio_devices - the devices that a program works on
 * @one: the devices
 * @nr: how many
 * @scan: all devices of the machine
 * @backend: one of each kind, as devices of one group have to share it
 */
struct vfio_devices {
	struct vfio_device *one;
	size_t nr;
	const struct pci_scan *scan;
	struct vfio_backend *backend[VFIO_NR_BACKENDS];
};

/**
 * vfio_devices_choose() - the devices that were named, or all that VFIO drivers hold
 * @devices: filled in; to be freed with vfio_devices_free(), also on failure
 * @options: of the command line
 * @scan: all devices; must stay
 * @err: set on failure: a named device is unknown, or not bound to VFIO
 *
 * Return: 0 or -1.
 */
int vfio_devices_choose(struct vfio_devices *devices, const struct options *options,
			const struct pci_scan *scan, struct error *err);

/* Gain access to the IOMMU contexts of all devices; 0, or -1 with the error set. */
int vfio_devices_attach(struct vfio_devices *devices, const struct options *options,
			struct error *err);

/*
 * Open all devices, after vfio_devices_attach(). For one that cannot be opened
 * open_error says why.
 */
void vfio_devices_open(struct vfio_devices *devices);

/* Close the devices that are open, give up the IOMMU contexts, free the memory. */
void vfio_devices_free(struct vfio_devices *devices);

/**
 * registers_check() - whether the registers that the user named exist
 * @options: of the command line
 * @scan: all devices
 * @err: set on failure: of a device that is unknown or not named, of no memory
 *	BAR, or outside it
 *
 * Return: 0 or -1.
 */
int registers_check(const struct options *options, const struct pci_scan *scan,
		    struct error *err);

/**
 * safe_registers() - the registers of a BAR that may be touched
 * @options: the user's own come first, and replace those that are known
 * @profiles: those that are known
 * @dev: the device
 * @bar: number of the BAR
 * @list: filled in, for register_list_free(); those outside the BAR do not count
 * @err: set on failure
 *
 * Return: 0 or -1.
 */
int safe_registers(const struct options *options, const struct profile_set *profiles,
		   const struct pci_device *dev, unsigned int bar,
		   struct register_list *list, struct error *err);

#endif
