// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "device/open_error.h"

bool device_check_iommu(const struct pci_device *dev, bool noiommu, struct error *why)
{
	if (noiommu && dev->iommu_group >= 0 && !dev->is_noiommu) {
		error_set(why, "%s has an IOMMU: no-IOMMU mode does not apply", dev->bdf);
		return false;
	}
	if (!noiommu && dev->is_noiommu) {
		error_set(why, "%s has no IOMMU: switch it on (firmware, intel_iommu=on)",
			  dev->bdf);
		return false;
	}
	if (dev->iommu_group < 0) {
		error_set(why,
			  "%s is in no IOMMU group: switch the IOMMU on (firmware, intel_iommu=on)",
			  dev->bdf);
		return false;
	}
	return true;
}

/* A static node is there before its module is, and also without it. */
static bool nobody_there(int error)
{
	return error == ENOENT || error == ENODEV || error == ENXIO;
}

bool file_is_missing(const char *path, const char *option, struct error *why)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		return false;
	}
	if (!nobody_there(errno))
		return false;

	error_set(why, "%s does not exist: load its module, or use a kernel with %s", path,
		  option);
	return true;
}

int file_open_error(const char *path, int error, struct error *err)
{
	switch (error) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return error_set(err,
				 "%s does not exist: load its module, and see that udev makes it",
				 path);
	case EACCES:
	case EPERM:
		return error_set(err,
				 "no permission to open %s: run as root, or chown it to this user",
				 path);
	case EBUSY:
		return error_set(err,
				 "%s is in use: stop the VM or program that has it open", path);
	default:
		return error_set(err, "%s: %s", path, strerror(error));
	}
}

/*
 * Drivers that do no DMA on their own may stay bound. Of these, only the one
 * of PCIe ports is common; a device without a driver is no obstacle either.
 */
static bool blocks_group(const struct pci_device *dev)
{
	return dev->driver[0] && !dev->is_vfio && strcmp(dev->driver, "pcieport") &&
	       strcmp(dev->driver, "pci-stub");
}

int group_check_viable(const struct pci_scan *scan, const struct pci_device *dev,
		       struct error *err)
{
	char others[300] = "";
	size_t len = 0, i;

	for (i = 0; i < scan->nr; i++) {
		const struct pci_device *other = &scan->dev[i];

		if (other->iommu_group != dev->iommu_group || !blocks_group(other))
			continue;
		if (len < sizeof(others))
			len += snprintf(others + len, sizeof(others) - len, " %s (%s)",
					other->bdf, other->driver);
	}
	if (!len)
		return 0;

	return error_set(err,
			 "%s: group %d is not viable: bind to vfio-pci, or unbind:%s",
			 dev->bdf, dev->iommu_group, others);
}

int device_permission_error(const struct pci_device *dev, struct error *err)
{
	if (dev->is_noiommu)
		return error_set(err, "%s: no-IOMMU mode needs CAP_SYS_RAWIO: run as root",
				 dev->bdf);

	return error_set(err, "%s: no interrupt remapping: switch it on in the firmware",
			 dev->bdf);
}

int device_open_error(const struct pci_scan *scan, const struct pci_device *dev, int error,
		      struct error *err)
{
	switch (error) {
	case EBUSY:
		if (group_check_viable(scan, dev, err))
			return -1;
		return error_set(err,
				 "%s is in use: stop the VM or program that has it or its group open",
				 dev->bdf);
	case EPERM:
		return device_permission_error(dev, err);
	default:
		return error_set(err, "%s: cannot open the device: %s", dev->bdf,
				 strerror(error));
	}
}
