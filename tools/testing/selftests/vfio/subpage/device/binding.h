/* SPDX-License-Identifier: GPL-2.0-only */
/* Binds devices to drivers, through sysfs, and loads the module before. */
#ifndef SUBPAGE_BINDING_H
#define SUBPAGE_BINDING_H

#include <stdbool.h>

#include "error.h"

/**
 * binding_bind() - bind a device that has no driver
 * @bdf: address of the device
 * @driver: loaded; named in driver_override first
 * @err: set on failure
 *
 * Context: needs root. Returns when probe() has.
 *
 * Return: 0 or -1.
 */
int binding_bind(const char *bdf, const char *driver, struct error *err);

/**
 * binding_unbind() - take a device from its driver, if it has one
 * @bdf: address of the device
 * @err: set on failure
 *
 * Context: needs root. Waits until nobody uses the device.
 *
 * Return: 0 or -1.
 */
int binding_unbind(const char *bdf, struct error *err);

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
