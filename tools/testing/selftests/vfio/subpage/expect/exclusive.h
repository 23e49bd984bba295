/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SUBPAGE_EXCLUSIVE_H
#define SUBPAGE_EXCLUSIVE_H

#include "device/sysfs.h"
#include "error.h"
#include "expect/expect.h"
#include "expect/iomem.h"

/**
 * page_intruders() - count what else lies in the host page of a BAR
 * @scan: every PCI device
 * @map: /proc/iomem
 * @dev: device of the BAR, one of @scan
 * @number: which BAR of it
 * @page_size: of the host, bytes
 * @first: names the first intruder, if there is one
 *
 * Looks at the resources of every PCI device and at /proc/iomem. What lies
 * above the BAR (bridge windows), inside it (the driver's own request) and the
 * reservations that keep the page free do not count.
 *
 * Return: how many intruders there are.
 */
unsigned int page_intruders(const struct pci_scan *scan, const struct iomem *map,
			    const struct pci_device *dev, int number,
			    u64 page_size, struct error *first);

#endif
