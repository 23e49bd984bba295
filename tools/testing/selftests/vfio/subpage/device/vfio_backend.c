// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "device/backend_cdev.h"
#include "device/backend_group.h"
#include "device/vfio_backend.h"

const struct vfio_backend_ops * const vfio_backends[VFIO_NR_BACKENDS] = {
	&backend_container.base,
	&backend_iommufd_container.base,
	&backend_cdev,
	&backend_noiommu.base,
};

const struct vfio_backend_ops *vfio_backend_find(const char *name, struct error *err)
{
	char names[128] = "";
	size_t len = 0, i;

	for (i = 0; i < VFIO_NR_BACKENDS; i++) {
		if (!strcmp(vfio_backends[i]->name, name))
			return vfio_backends[i];
		len += snprintf(names + len, sizeof(names) - len, "%s%s", i ? ", " : "",
				vfio_backends[i]->name);
	}
	error_set(err, "no such backend: %.64s (there are: %s)", name, names);
	return NULL;
}

const struct vfio_backend_ops *vfio_backend_choose(const struct vfio_backend_ops * const *from,
						   size_t nr, const struct pci_device *dev,
						   struct error *err)
{
	char reasons[sizeof(err->text)] = "";
	struct error why;
	size_t len = 0, i;

	for (i = 0; i < nr; i++) {
		if (from[i]->applies(from[i], dev, &why))
			return from[i];
		if (len < sizeof(reasons))
			len += snprintf(reasons + len, sizeof(reasons) - len, "; %s: %s",
					from[i]->name, why.text);
	}
	error_set(err, "%s cannot be opened%.480s", dev->bdf, reasons);
	return NULL;
}
