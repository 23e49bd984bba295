/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What stands between a backend and a device, in words.
 */
#ifndef SUBPAGE_OBSTACLE_H
#define SUBPAGE_OBSTACLE_H

#include "device/sysfs.h"
#include "error.h"

/**
 * obstacle_iommu() - check that the device has the IOMMU that a backend is for
 * @dev: the device
 * @noiommu: the backend is for devices without one
 * @why: set if not
 *
 * Return: true if it fits.
 */
bool obstacle_iommu(const struct pci_device *dev, bool noiommu, struct error *why);

/**
 * obstacle_missing() - check whether the kernel lacks a device file
 * @path: the file
 * @option: configuration option that it comes with
 * @why: set if it does
 *
 * Return: true if there is no such file, or nothing behind it.
 */
bool obstacle_missing(const char *path, const char *option, struct error *why);

/**
 * obstacle_open() - say why a device file could not be opened
 * @path: the file
 * @error: the errno
 * @err: set
 *
 * Return: always -1.
 */
int obstacle_open(const char *path, int error, struct error *err);

/**
 * obstacle_viable() - check that no other driver holds the device's group
 * @scan: all devices
 * @dev: the device
 * @err: set if one does, with the devices that do
 *
 * Return: 0 or -1.
 */
int obstacle_viable(const struct pci_scan *scan, const struct pci_device *dev,
		    struct error *err);

/**
 * obstacle_permission() - say why VFIO denied a privileged process a device
 * @dev: the device
 * @err: set
 *
 * Return: always -1.
 */
int obstacle_permission(const struct pci_device *dev, struct error *err);

/**
 * obstacle_device() - say why VFIO did not open a device
 * @scan: all devices
 * @dev: the device
 * @error: the errno
 * @err: set
 *
 * Return: always -1.
 */
int obstacle_device(const struct pci_scan *scan, const struct pci_device *dev, int error,
		    struct error *err);

#endif
