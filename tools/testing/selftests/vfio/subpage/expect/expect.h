/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is expected of a BAR, worked out from sysfs and /proc/iomem alone. Pure but for
 * bar_facts_read(), which reads them; it shares no line with what it judges.
 *
 * "Somebody else" in the page of a BAR is whatever is neither above the BAR (bridge
 * windows, and what firmware has reserved around them), nor the BAR itself, nor a
 * reservation that keeps the page free. Inside the BAR it is whoever is not VFIO.
 */
#ifndef SUBPAGE_EXPECT_H
#define SUBPAGE_EXPECT_H

#include <stdbool.h>

#include "device/sysfs.h"
#include "error.h"
#include "expect/iomem.h"
#include "types.h"

#define STATE_IN_PLACE	"in-place"
#define STATE_RELOCATED	"relocated"

/**
 * struct bar_facts - a BAR, as seen before any device was opened
 * @bdf: address of its device, which is also its name in /proc/iomem
 * @start: first CPU address, or first port
 * @bus_start: first address on the bus, as in its register
 * @size: bytes that the kernel shows; 0 for a BAR that is not there
 * @device_size: bytes that it has in the device
 * @flags: RES_* bits of sysfs
 * @page_size: of the host, bytes
 * @held: the module has prepared the BARs of its device
 * @has_vfs: its device has virtual functions
 * @state: what the module says became of it, "" for nothing
 * @stated_size: what the module says it has in the device, bytes
 * @relocate_off: the administrator forbids moving
 * @excluded: the administrator wants the device left as it is
 * @keep_size: the administrator wants BARs to keep their size
 */
struct bar_facts {
	const char *bdf;
	u64 start;
	u64 bus_start;
	u64 size;
	u64 device_size;
	u64 flags;
	u64 page_size;
	bool held;
	bool has_vfs;
	char state[32];
	u64 stated_size;
	bool relocate_off;
	bool excluded;
	bool keep_size;
};

/**
 * enum verdict - how far a statement could be checked
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

/* Is it a memory BAR smaller than a page in the device? */
bool bar_is_subpage(const struct bar_facts *bar);

/* First and last address of the page that a BAR starts in. */
u64 bar_page(const struct bar_facts *bar);
u64 bar_page_end(const struct bar_facts *bar);

/* Index of the BAR in /proc/iomem, or -1. */
int bar_find(const struct bar_facts *bar, const struct iomem *map);

/* Which page of a window is the first free one, @from an address on, that its register can hold? */
bool bar_free_page(const struct bar_facts *bar, const struct iomem *map, int window, u64 from,
		   u64 *page);

/* Of a BAR as sysfs shows it now; the parameters are those of the module. */
void bar_facts_read(const struct pci_device *dev, unsigned int bar, struct bar_facts *facts);

/**
 * expect_mmap() - should region info say that the BAR can be mapped?
 * @bar: the BAR
 * @map: /proc/iomem of the same moment
 *
 * vfio-pci and its variants map a BAR of a page or more, and a smaller one that
 * starts its page and whose parent resource has the rest of the page free. What
 * the module did is in the size that the kernel shows; expect_state() says whether
 * it did right.
 *
 * Return: true if it should be.
 */
bool expect_mmap(const struct bar_facts *bar, const struct iomem *map);

/**
 * expect_busy() - does somebody else have a region inside a BAR?
 * @dev: device of the BAR; no driver of its own uses it
 * @number: which BAR of it
 * @map: /proc/iomem of the same moment
 * @why: set to who has, and what helps
 *
 * Before vfio-pci-core maps or reads a BAR it requests all of it. That fails with
 * EBUSY then, although region info says that the BAR can be mapped.
 *
 * Return: true if so.
 */
bool expect_busy(const struct pci_device *dev, unsigned int number, const struct iomem *map,
		 struct error *why);

/* Has anybody but VFIO a region inside a BAR of the device? Then none of its BARs moves. */
bool device_has_region_inside(const char *bdf, const struct iomem *map);

/**
 * expect_state() - is true what the module says of a BAR?
 * @bar: a BAR of a device that the module holds
 * @map: /proc/iomem of the same moment
 * @why: what contradicts or confirms it, or why it cannot be checked
 *
 * Return: the verdict.
 */
enum verdict expect_state(const struct bar_facts *bar, const struct iomem *map,
			  struct error *why);

/**
 * expect_address() - is the address in a BAR register the one of the kernel?
 * @scan: every PCI device
 * @map: /proc/iomem
 * @dev: device of the BAR, one of @scan
 * @number: which memory BAR of it
 * @why: what tells, or why nothing does
 *
 * A host bridge may translate addresses, each of its windows in its own way. What
 * other resources that share a window with the BAR have on the bus tells how:
 * windows of PCI bridges, and BARs that the module has not moved. Those elsewhere in
 * the domain can confirm, but not refute.
 *
 * Return: the verdict; VERDICT_ACCEPTED if nothing tells.
 */
enum verdict expect_address(const struct pci_scan *scan, const struct iomem *map,
			    const struct pci_device *dev, unsigned int number,
			    struct error *why);

/*
 * Has a memory resource any of the page from @start to @end? Without an address it has
 * none, whatever its line says.
 */
bool resource_in_page(const struct pci_resource *res, u64 start, u64 end);

/**
 * struct page_intruder - something else that lies in the page of a BAR
 * @dev: the device whose resource it is, or NULL for an entry of /proc/iomem
 * @number: which resource of it
 * @name: of the entry
 * @start: first address
 * @end: last address
 */
struct page_intruder {
	const struct pci_device *dev;
	unsigned int number;
	const char *name;
	u64 start;
	u64 end;
};

/**
 * page_look() - what else lies in the host page of a BAR
 * @scan: every PCI device
 * @map: /proc/iomem
 * @dev: device of the BAR, one of @scan
 * @number: which BAR of it
 * @page_size: of the host, bytes
 * @list: filled in: resources of PCI devices first. A device's BAR is in /proc/iomem
 *	too, and what lies inside it.
 * @max: how many it may hold
 *
 * Return: how many there are.
 */
unsigned int page_look(const struct pci_scan *scan, const struct iomem *map,
		       const struct pci_device *dev, unsigned int number, u64 page_size,
		       struct page_intruder *list, unsigned int max);

/* The same: their number, and the first in words. A BAR that is in no tree is one itself. */
unsigned int page_intruders(const struct pci_scan *scan, const struct iomem *map,
			    const struct pci_device *dev, unsigned int number,
			    u64 page_size, struct error *first);

#endif
