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

int vfio_read(int fd, u64 offset, unsigned int width, u64 *value)
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

int vfio_write(int fd, u64 offset, unsigned int width, u64 value)
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

int vfio_decode_enable(int fd, u16 *command)
{
	u64 offset, value = 0;
	int ret;

	ret = command_offset(fd, &offset);
	if (ret)
		return ret;

	ret = vfio_read(fd, offset, sizeof(*command), &value);
	if (ret)
		return ret;

	*command = value;
	value |= PCI_COMMAND_MEMORY | PCI_COMMAND_IO;
	return vfio_write(fd, offset, sizeof(*command), value);
}

int vfio_decode_restore(int fd, u16 command)
{
	u64 offset;
	int ret;

	ret = command_offset(fd, &offset);
	if (ret)
		return ret;

	return vfio_write(fd, offset, sizeof(command), command);
}
