/* SPDX-License-Identifier: GPL-2.0-only */
/* Binds devices to drivers, through sysfs, and loads the module before. */
#ifndef SUBPAGE_BINDING_H
#define SUBPAGE_BINDING_H

#include <stdbool.h>
#include <stddef.h>

#include "device/sysfs.h"
#include "error.h"

/**
 * binding_bind() - bind devices that have no driver
 * @bdf: addresses of the devices
 * @n: how many
 * @driver: loaded; named in driver_override first
 * @err: set on failure
 *
 * Context: needs root. Returns when probe() has.
 *
 * Return: 0 or -1.
 */
int binding_bind(char bdf[][SYSFS_BDF_LEN], size_t n, const char *driver, struct error *err);

/**
 * binding_unbind() - take devices from their drivers, if they have one
 * @bdf: addresses of the devices
 * @n: how many
 * @err: set on failure
 *
 * Context: needs root. Waits until nobody uses the devices.
 *
 * Return: 0 or -1.
 */
int binding_unbind(char bdf[][SYSFS_BDF_LEN], size_t n, struct error *err);

/*
 * Whether devices are there, and none is in use by a driver that is not VFIO's: whoever
 * has a disk there would miss it. 0, or -1 with the error set.
 */
int binding_check(const struct pci_scan *scan, char bdf[][SYSFS_BDF_LEN], size_t n,
		  struct error *err);

bool binding_module_is_loaded(void);

/**
 * binding_load_module() - load or unload the module
 * @load: it shall be there; else it shall not
 * @err: set on failure: modprobe's reason, or devices that the module holds
 *
 * Context: needs root.
 *
 * Return: 0 or -1.
 */
int binding_load_module(bool load, struct error *err);

#endif
