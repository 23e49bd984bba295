/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a driver should have done with a BAR, worked out from sysfs and
 * /proc/iomem alone. Pure: nothing here looks at the system or shares a line
 * with the drivers that it judges.
 */
#ifndef SUBPAGE_EXPECT_H
#define SUBPAGE_EXPECT_H

#include <stdbool.h>

#include "error.h"
#include "iomem.h"
#include "types.h"

#define CLAIM_IN_PLACE	"in-place"
#define CLAIM_RELOCATED	"relocated"
#define CLAIM_NONE	"none"

/* Names of the reservations in /proc/iomem. */
#define RESERVED_BY_SUBPAGE	"vfio-pci-subpage"
#define RESERVED_BY_CORE	"vfio sub-page reserved"

/**
 * struct bar_facts - a BAR, as seen before any device was opened
 * @bdf: address of its device, which is also its name in /proc/iomem
 * @start: first CPU address, or first port
 * @size: bytes; 0 for a BAR that is not there
 * @flags: RES_* bits of sysfs
 * @page_size: of the host, bytes
 * @by_subpage: its device is bound to vfio-pci-subpage
 * @is_vf: its device is an SR-IOV virtual function
 * @claim: what vfio-pci-subpage says about it, "" for nothing
 * @reason: the reason that goes with claim "none", "" for none given
 * @relocate_off: the administrator forbids moving
 */
struct bar_facts {
	const char *bdf;
	u64 start;
	u64 size;
	u64 flags;
	u64 page_size;
	bool by_subpage;
	bool is_vf;
	bool relocate_off;
	char claim[16];
	char reason[32];
};

/**
 * enum verdict - how far a statement of the driver could be checked
 * @VERDICT_CONFIRMED: sysfs and /proc/iomem agree with it
 * @VERDICT_ACCEPTED: nothing contradicts it, nothing can prove it either
 * @VERDICT_CHANGED: it would differ now, but may have been true when the device
 *	was bound, which is when it was made: neighbours come and go, the module
 *	parameter can be written, a rescan finds an address
 * @VERDICT_REFUTED: they contradict it
 */
enum verdict {
	VERDICT_CONFIRMED,
	VERDICT_ACCEPTED,
	VERDICT_CHANGED,
	VERDICT_REFUTED,
};

/**
 * bar_is_subpage() - is it a memory BAR smaller than a page?
 * @bar: the BAR
 *
 * Return: true if it is; false also for one that is not there.
 */
bool bar_is_subpage(const struct bar_facts *bar);

/**
 * bar_page() - start of the host page that the BAR starts in
 * @bar: the BAR
 *
 * Return: CPU address.
 */
u64 bar_page(const struct bar_facts *bar);

/**
 * expect_mmap() - should region info say that the BAR can be mapped?
 * @bar: the BAR
 * @map: /proc/iomem of the same moment
 *
 * Plain vfio-pci and its variants map a sub-page BAR that starts its page and
 * whose parent resource has the rest of the page free. vfio-pci-subpage maps
 * every one for which it does not claim "none"; expect_claim() says whether
 * that claim holds.
 *
 * Return: true if it should be.
 */
bool expect_mmap(const struct bar_facts *bar, const struct iomem *map);

/**
 * expect_claim() - does the claim of vfio-pci-subpage hold?
 * @bar: a BAR of a device bound to vfio-pci-subpage
 * @map: /proc/iomem of the same moment
 * @why: what contradicts or confirms it, or why it cannot be checked
 *
 * Return: the verdict.
 */
enum verdict expect_claim(const struct bar_facts *bar, const struct iomem *map,
			  struct error *why);

#endif
