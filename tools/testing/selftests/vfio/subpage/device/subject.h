/* SPDX-License-Identifier: GPL-2.0-only */
/* The devices that a program works on, and their registers that may be touched. */
#ifndef SUBPAGE_SUBJECT_H
#define SUBPAGE_SUBJECT_H

#include <stddef.h>

#include "device/sysfs.h"
#include "device/vfio_backend.h"
#include "error.h"
#include "options.h"
#include "registers/profile.h"

/**
 * struct subject - a device
 * @dev: what sysfs says of it
 * @ops: how it is opened
 * @backend: of that kind
 * @fd: the VFIO device, negative if it could not be opened
 * @open_error: why not
 */
struct subject {
	const struct pci_device *dev;
	const struct vfio_backend_ops *ops;
	struct vfio_backend *backend;
	int fd;
	struct error open_error;
};

/**
 * struct subjects - all of them
 * @one: the devices
 * @nr: how many
 * @scan: all devices of the machine
 * @backend: one of each kind, as devices of one group have to share it
 */
struct subjects {
	struct subject *one;
	size_t nr;
	const struct pci_scan *scan;
	struct vfio_backend *backend[VFIO_NR_BACKENDS];
};

/**
 * subjects_choose() - the devices that were named, or all that VFIO drivers hold
 * @subjects: filled in; stays allocated for the life of the program
 * @options: of the command line
 * @scan: all devices; must stay
 * @err: set on failure: a named device is unknown, or not bound to VFIO
 *
 * Return: 0 or -1.
 */
int subjects_choose(struct subjects *subjects, const struct options *options,
		    const struct pci_scan *scan, struct error *err);

/**
 * subjects_attach() - gain access to the IOMMU contexts of all devices
 * @subjects: the devices
 * @options: which backend was asked for, if any
 * @err: set on failure
 *
 * Return: 0 or -1.
 */
int subjects_attach(struct subjects *subjects, const struct options *options,
		    struct error *err);

/**
 * subjects_open() - open all devices
 * @subjects: attached
 *
 * They stay open until the end: opening resets a device, which is slow. For one
 * that cannot be opened @open_error says why.
 */
void subjects_open(struct subjects *subjects);

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
