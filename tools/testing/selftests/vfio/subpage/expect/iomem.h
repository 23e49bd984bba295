/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SUBPAGE_IOMEM_H
#define SUBPAGE_IOMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "error.h"
#include "types.h"

#define IOMEM_ROOT	(-1)

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
 * @map: filled in; to be freed with iomem_free()
 * @err: set on failure: a line of another form, or hidden addresses
 *
 * Return: 0 or -1.
 */
int iomem_parse(FILE *file, struct iomem *map, struct error *err);

/**
 * iomem_read() - build the tree of the running kernel
 * @map: filled in; to be freed with iomem_free()
 * @err: set on failure
 *
 * Context: needs CAP_SYS_ADMIN; without it the kernel shows zeroes.
 *
 * Return: 0 or -1.
 */
int iomem_read(struct iomem *map, struct error *err);

/**
 * iomem_free() - free the tree
 * @map: empty afterwards
 */
void iomem_free(struct iomem *map);

/**
 * iomem_find() - find an entry by name and exact range
 * @map: the tree
 * @name: its name, for a BAR the address of the device
 * @start: first address
 * @end: last address, inclusive
 *
 * Return: index, or -1.
 */
int iomem_find(const struct iomem *map, const char *name, u64 start, u64 end);

/**
 * iomem_contains() - is an entry another one or above it?
 * @map: the tree
 * @above: index
 * @below: index
 *
 * Return: true for @above itself and for everything below it.
 */
bool iomem_contains(const struct iomem *map, int above, int below);

/**
 * iomem_range_free() - is a range unused within its parent?
 * @map: the tree
 * @parent: index
 * @start: first address
 * @end: last address, inclusive
 *
 * Return: true if @parent covers the range and no child of it overlaps.
 */
bool iomem_range_free(const struct iomem *map, int parent, u64 start, u64 end);

/**
 * iomem_free_page() - find an unused aligned page within a parent
 * @map: the tree
 * @parent: index
 * @page_size: bytes, a power of two
 * @limit: highest address that the page may hold
 * @page: filled in if there is one: its first address
 *
 * Return: true if there is one.
 */
bool iomem_free_page(const struct iomem *map, int parent, u64 page_size,
		     u64 limit, u64 *page);

#endif
