/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why a device cannot be opened, in words that name the remedy. Functions that return
 * int return 0, or -1 with the error set; those that are named for an error always -1.
 */
#ifndef SUBPAGE_OPEN_ERROR_H
#define SUBPAGE_OPEN_ERROR_H

#include "device/sysfs.h"
#include "error.h"

/* Has the device the IOMMU, or with @noiommu the lack of one, that a way is for? */
bool device_check_iommu(const struct pci_device *dev, bool noiommu, struct error *why);

/* Does the kernel lack a device file, or what is behind it? It comes with @option. */
bool file_is_missing(const char *path, const char *option, struct error *why);

/* A device file could not be opened, for this errno. */
int file_open_error(const char *path, int error, struct error *err);

/* That no other driver holds the device's group; the error names the devices that do. */
int group_check_viable(const struct pci_scan *scan, const struct pci_device *dev,
		       struct error *err);

/* VFIO denied a privileged process the device. */
int device_permission_error(const struct pci_device *dev, struct error *err);

/* VFIO did not open the device, for this errno. */
int device_open_error(const struct pci_scan *scan, const struct pci_device *dev, int error,
		      struct error *err);

#endif
