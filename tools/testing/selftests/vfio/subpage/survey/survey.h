/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which BARs of a machine are smaller than a page, which of them vfio-pci maps, and what
 * would become of them with the module. Nothing is bound, and nothing of a device touched.
 */
#ifndef SUBPAGE_SURVEY_H
#define SUBPAGE_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "device/sysfs.h"
#include "error.h"
#include "expect/expect.h"
#include "expect/iomem.h"

#define STATE_UNKNOWN	"unknown"

/**
 * struct survey_bar - a sub-page memory BAR
 * @dev: its device
 * @number: which BAR
 * @name: of the device, for people
 * @facts: as it is now
 * @share: what else lies in its page now
 * @nr_share: how many of these there are
 * @mapped: vfio-pci maps it where it is
 * @state: what the module makes of it, in its words; or STATE_UNKNOWN
 * @start: its address then
 * @mapped_then: it is mapped then
 */
struct survey_bar {
	const struct pci_device *dev;
	unsigned int number;
	char name[80];
	struct bar_facts facts;
	struct page_intruder *share;
	unsigned int nr_share;
	bool mapped;
	const char *state;
	u64 start;
	bool mapped_then;
};

/**
 * struct survey - the sub-page memory BARs of some devices
 * @scan: every PCI device
 * @map: /proc/iomem, or what sysfs shows of it
 * @is_whole: it is the former
 * @nr_devices: devices that were looked at
 * @nr_affected: how many of these have such BARs
 * @bar: the BARs, in the order in which their devices are bound
 * @nr: how many
 */
struct survey {
	struct pci_scan scan;
	struct iomem map;
	bool is_whole;
	size_t nr_devices;
	size_t nr_affected;
	struct survey_bar *bar;
	size_t nr;
};

/**
 * survey_read() - read the machine
 * @survey: filled in; to be freed with survey_free(), also on failure
 * @err: set on failure; on success it says why @map is not /proc/iomem, if it is not
 *
 * Return: 0 or -1.
 */
int survey_read(struct survey *survey, struct error *err);

/**
 * survey_take() - find the BARs, and what becomes of them
 * @survey: after survey_read()
 * @bdf: devices, in the order in which they would be bound
 * @n: how many; 0 for all, by address
 * @err: set on failure: there is no such device, or it is a bridge
 *
 * Return: 0 or -1.
 */
int survey_take(struct survey *survey, char bdf[][SYSFS_BDF_LEN], size_t n, struct error *err);
void survey_free(struct survey *survey);

/*
 * survey_predict() - fill in @state, @start and @mapped_then: the rule of the module,
 * applied to a copy of the resource tree. Knows nothing but the survey. 0 or -1.
 */
int survey_predict(struct survey *survey, struct error *err);

/* What sysfs shows of the resource tree, with an entry without name around all. 0 or -1. */
int survey_tree(const struct pci_scan *scan, struct iomem *map, struct error *err);

/* What VFIO does not take: a bridge to another bus, or to the host. */
bool survey_is_bridge(const struct pci_device *dev);

/* The name in /proc/iomem of the windows of a bridge to another bus. */
void survey_bus_behind(const struct pci_device *bridge, char *buf, size_t len);

/* Is another device bound together with this one? They share an IOMMU group. */
bool survey_goes_with(const struct pci_device *dev, const struct pci_device *other);

/* How many BARs are mapped now or with the module, or of how many that is not known. */
size_t survey_mapped(const struct survey *survey);
size_t survey_mapped_then(const struct survey *survey);
size_t survey_unknown(const struct survey *survey);

/* The survey of a BAR, or NULL. */
const struct survey_bar *survey_find(const struct survey *survey, const struct pci_device *dev,
				     unsigned int number);

/* 0: no BAR is trapped; 1: some are that the module would map; 3: some stay trapped. */
int survey_exit_code(const struct survey *survey);

/* For people: a line for each BAR, or for all that lies in each page; and for programs. */
void survey_print_table(const struct survey *survey, FILE *out);
void survey_print_map(const struct survey *survey, FILE *out);
int survey_print_json(const struct survey *survey, FILE *out);

/* One line. */
void survey_print_summary(const struct survey *survey, FILE *out);

/* Such as 256 or 16K. */
const char *survey_size(u64 size, char text[24]);

/**
 * collect_begin() - copy into a new directory all that is read from now on
 * @dir: the directory
 * @err: set on failure
 *
 * Return: 0 or -1.
 */
int collect_begin(const char *dir, struct error *err);

/* How many files there are, or -1 with the error set. The copy is complete then. */
int collect_end(struct error *err);

/* The page size of a copy: 0, or -1 with the error set. */
int collect_use_page_size(struct error *err);

#endif
