/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SUBPAGE_VFIO_DEVICE_H
#define SUBPAGE_VFIO_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <linux/vfio.h>

#include "types.h"

/**
 * vfio_region() - ask for the region info of a device
 * @fd: the VFIO device
 * @index: which region; for BARs their number
 * @info: filled in, without capabilities
 *
 * Return: 0, or a negative errno.
 */
int vfio_region(int fd, unsigned int index, struct vfio_region_info *info);

/**
 * vfio_nr_regions() - ask how many regions a device has
 * @fd: the VFIO device
 *
 * Return: the number, or a negative errno.
 */
int vfio_nr_regions(int fd);

/**
 * vfio_page_round() - what is mapped of a region
 * @size: of the region, bytes
 *
 * Return: bytes, whole pages.
 */
size_t vfio_page_round(u64 size);

/**
 * vfio_map() - map a part of a region, shared, for reading and writing
 * @fd: the VFIO device
 * @offset: in the device's file, bytes
 * @len: bytes
 * @address: filled in; to be unmapped with munmap()
 *
 * Return: 0, or a negative errno.
 */
int vfio_map(int fd, u64 offset, size_t len, void **address);

/**
 * vfio_read() - read a register through the device's file
 * @fd: the VFIO device
 * @offset: in the device's file, bytes
 * @width: 1, 2, 4 or 8 bytes
 * @value: filled in, in the byte order of the CPU
 *
 * Return: 0, or a negative errno; -EIO if less than the width was read.
 */
int vfio_read(int fd, u64 offset, unsigned int width, u64 *value);

/**
 * vfio_write() - write a register through the device's file
 * @fd: the VFIO device
 * @offset: in the device's file, bytes
 * @width: 1, 2, 4 or 8 bytes
 * @value: in the byte order of the CPU
 *
 * Return: 0, or a negative errno; -EIO if less than the width was written.
 */
int vfio_write(int fd, u64 offset, unsigned int width, u64 value);

/**
 * vfio_decode_enable() - let the device answer to its BARs
 * @fd: the VFIO device
 * @command: filled in with what the command register was
 *
 * Return: 0, or a negative errno.
 */
int vfio_decode_enable(int fd, u16 *command);

/**
 * vfio_decode_restore() - undo vfio_decode_enable()
 * @fd: the VFIO device
 * @command: what that filled in
 *
 * Return: 0, or a negative errno.
 */
int vfio_decode_restore(int fd, u16 command);

#endif
