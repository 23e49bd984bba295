/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SUBPAGE_IOMEM_H
#define SUBPAGE_IOMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "error.h"
#include "types.h"

#define IOMEM_ROOT	(-1)

/* Another failure than that: the kernel shows no addresses to this user. */
#define IOMEM_HIDDEN	(-2)

/* Name of what vfio-pci-core reserves behind an open BAR, up to the end of the page. */
#define IOMEM_RESERVED_BY_CORE	"vfio sub-page reserved"

/**
 * struct iomem_entry - one resource of /proc/iomem
 * @start: first address
 * @end: last address, inclusive
 * @parent: index of the entry that it lies in, or IOMEM_ROOT
 * @name: what holds it
 */
struct iomem_entry {
	u64 start;
	u64 end;
	int parent;
	char name[64];
};

/**
 * struct iomem - the kernel's resource tree, in the order of /proc/iomem
 * @entry: parents stand before their children, siblings by address
 * @nr: how many
 */
struct iomem {
	struct iomem_entry *entry;
	int nr;
};

/**
 * iomem_parse() - build the tree from the text of /proc/iomem
 * @file: the text
 * @map: filled in, empty on failure; to be freed with iomem_free()
 * @err: set on failure: a line of another form, or hidden addresses
 *
 * Return: 0, -1 or IOMEM_HIDDEN.
 */
int iomem_parse(FILE *file, struct iomem *map, struct error *err);

/* The same of the machine that is looked at. The running kernel wants CAP_SYS_ADMIN. */
int iomem_read(struct iomem *map, struct error *err);
void iomem_free(struct iomem *map);

/* Index of the entry of that name and exact range, or -1. A BAR's name is its device. */
int iomem_find(const struct iomem *map, const char *name, u64 start, u64 end);

/* Is an entry @above itself, or anywhere below it? */
bool iomem_contains(const struct iomem *map, int above, int below);

/**
 * iomem_window() - the window that an entry lies in
 * @map: the tree
 * @i: index of the entry
 *
 * That need not be its parent: the kernel inserts what firmware has reserved around
 * what is there already.
 *
 * Return: index of the window, or IOMEM_ROOT.
 */
int iomem_window(const struct iomem *map, int i);

/* Has firmware reserved the entry, or something that it lies in? */
bool iomem_is_reserved(const struct iomem *map, int i);

/* Does @parent cover the range, and does no child of it overlap? */
bool iomem_range_free(const struct iomem *map, int parent, u64 start, u64 end);

/**
 * iomem_free_page() - find an unused aligned page within a parent
 * @map: the tree
 * @parent: index
 * @page_size: bytes, a power of two
 * @from: lowest address that the page may hold
 * @limit: highest address that the page may hold
 * @page: filled in if there is one: its first address
 *
 * Return: true if there is one.
 */
bool iomem_free_page(const struct iomem *map, int parent, u64 page_size, u64 from,
		     u64 limit, u64 *page);

/**
 * iomem_insert() - put an entry into the tree
 * @map: the tree
 * @parent: index of the entry that it lies in, with nothing else there; or IOMEM_ROOT
 * @start: first address
 * @end: last address
 * @name: what holds it
 *
 * Indices of entries behind it change.
 *
 * Return: its index, or -1 if there is no memory.
 */
int iomem_insert(struct iomem *map, int parent, u64 start, u64 end, const char *name);

/* Take out all that lies in entry @i, and the entry itself too. Indices change. */
void iomem_remove_below(struct iomem *map, int i);
void iomem_remove(struct iomem *map, int i);

#endif
