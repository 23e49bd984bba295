/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SUBPAGE_ADDRESS_H
#define SUBPAGE_ADDRESS_H

#include <stdbool.h>

#include "device/sysfs.h"
#include "types.h"

/**
 * address_parse() - the bus address in the BAR registers of a device
 * @config: the first 64 bytes of its configuration space
 * @bar: number of a memory BAR
 *
 * Return: the address, without the flag bits; of 64 bits if the BAR has them.
 */
u64 address_parse(const u8 *config, unsigned int bar);

/**
 * address_read() - read the bus address of a BAR from the device itself
 * @dev: the device
 * @bar: number of a memory BAR
 * @address: filled in
 *
 * The kernel shows here what the device answers, not what it remembers.
 *
 * Return: true if the configuration space could be read.
 */
bool address_read(const struct pci_device *dev, unsigned int bar, u64 *address);

/**
 * address_offset_known() - does some other device have this offset?
 * @scan: every PCI device
 * @offset: bus address minus CPU address of a BAR
 *
 * A host bridge may translate addresses. If it does, it does so for all devices
 * below it, those included whose BARs nobody has moved: only devices that the
 * module does not hold are looked at. No translation is always known.
 *
 * Return: true if the offset can be trusted.
 */
bool address_offset_known(const struct pci_scan *scan, u64 offset);

#endif
