// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "device/vfio_device.h"

int vfio_region(int fd, unsigned int index, struct vfio_region_info *info)
{
	*info = (struct vfio_region_info) {
		.argsz = sizeof(*info),
		.index = index,
	};
	return ioctl(fd, VFIO_DEVICE_GET_REGION_INFO, info) ? -errno : 0;
}

int vfio_nr_regions(int fd)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	if (ioctl(fd, VFIO_DEVICE_GET_INFO, &info))
		return -errno;

	return info.num_regions;
}

size_t vfio_page_round(u64 size)
{
	u64 page = sysconf(_SC_PAGESIZE);

	return (size + page - 1) & ~(page - 1);
}

int vfio_map(int fd, u64 offset, size_t len, void **address)
{
	*address = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);

	return *address == MAP_FAILED ? -errno : 0;
}

static int read_file(int fd, u64 offset, unsigned int width, u64 *value)
{
	u64 raw = 0;
	ssize_t n = pread(fd, &raw, width, offset);

	if (n < 0)
		return -errno;
	if (n != width)
		return -EIO;

	/* The first bytes of the file are the lowest ones of the register. */
	*value = le64toh(raw);
	return 0;
}

static int write_file(int fd, u64 offset, unsigned int width, u64 value)
{
	u64 raw = htole64(value);
	ssize_t n = pwrite(fd, &raw, width, offset);

	if (n < 0)
		return -errno;

	return n == width ? 0 : -EIO;
}

static int command_offset(int fd, u64 *offset)
{
	struct vfio_region_info info;
	int ret;

	ret = vfio_region(fd, VFIO_PCI_CONFIG_REGION_INDEX, &info);
	*offset = info.offset + PCI_COMMAND;
	return ret;
}

int vfio_device_get_bars(struct vfio_device *device)
{
	unsigned int bar;
	int ret;

	for (bar = 0; bar < SYSFS_NR_BARS; bar++) {
		ret = vfio_region(device->fd, bar, &device->bar[bar].info);
		if (ret)
			return ret;
	}
	return 0;
}

int vfio_device_enable(struct vfio_device *device)
{
	u64 offset, value = 0;
	int ret;

	if (device->is_enabled)
		return 0;

	ret = command_offset(device->fd, &offset);
	if (!ret)
		ret = read_file(device->fd, offset, sizeof(device->command), &value);
	if (ret)
		return ret;

	device->command = value;
	value |= PCI_COMMAND_MEMORY | PCI_COMMAND_IO;
	ret = write_file(device->fd, offset, sizeof(device->command), value);
	device->is_enabled = !ret;
	return ret;
}

int vfio_device_disable(struct vfio_device *device)
{
	u64 offset;
	int ret;

	if (!device->is_enabled)
		return 0;

	device->is_enabled = false;
	ret = command_offset(device->fd, &offset);
	if (ret)
		return ret;

	return write_file(device->fd, offset, sizeof(device->command), device->command);
}

void vfio_device_close(struct vfio_device *device)
{
	unsigned int bar;

	if (device->fd < 0)
		return;

	for (bar = 0; bar < SYSFS_NR_BARS; bar++)
		vfio_bar_unmap(device, bar);
	vfio_device_disable(device);
	close(device->fd);
	device->fd = -1;
}

int vfio_bar_map(struct vfio_device *device, unsigned int number)
{
	struct vfio_bar *bar = &device->bar[number];
	void *map;
	int ret;

	if (bar->map || !vfio_bar_is_mappable(bar))
		return 0;

	ret = vfio_map(device->fd, bar->info.offset, vfio_page_round(bar->info.size), &map);
	if (!ret)
		bar->map = map;
	return ret;
}

void vfio_bar_unmap(struct vfio_device *device, unsigned int number)
{
	struct vfio_bar *bar = &device->bar[number];

	if (bar->map)
		munmap(bar->map, vfio_page_round(bar->info.size));
	bar->map = NULL;
}

void *vfio_register_address(const struct vfio_device *device, const struct safe_register *reg)
{
	void *map = device->bar[reg->bar].map;

	return map ? (char *)map + reg->offset : NULL;
}

static u64 register_offset(const struct vfio_device *device, const struct safe_register *reg)
{
	return device->bar[reg->bar].info.offset + reg->offset;
}

int vfio_register_read(const struct vfio_device *device, const struct safe_register *reg,
		       u64 *value)
{
	return read_file(device->fd, register_offset(device, reg), reg->width, value);
}

int vfio_register_write(const struct vfio_device *device, const struct safe_register *reg,
			u64 value)
{
	return write_file(device->fd, register_offset(device, reg), reg->width, value);
}
