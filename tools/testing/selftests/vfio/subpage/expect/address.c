// SPDX-License-Identifier: GPL-2.0-only

#include <linux/pci_regs.h>

#include "expect/address.h"

#define HEADER_LEN	64

static u32 config_long(const u8 *config, unsigned int offset)
{
	const u8 *at = config + offset;

	return at[0] | at[1] << 8 | at[2] << 16 | (u32)at[3] << 24;
}

u64 address_parse(const u8 *config, unsigned int bar)
{
	unsigned int offset = PCI_BASE_ADDRESS_0 + bar * 4;
	u32 low = config_long(config, offset);
	u64 address = low & (u32)PCI_BASE_ADDRESS_MEM_MASK;

	if ((low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64)
		address |= (u64)config_long(config, offset + 4) << 32;
	return address;
}

bool address_read(const struct pci_device *dev, unsigned int bar, u64 *address)
{
	u8 config[HEADER_LEN];

	if (!sysfs_read_config(dev, config, sizeof(config)))
		return false;

	*address = address_parse(config, bar);
	return true;
}

static bool has_offset(const struct pci_device *dev, u64 offset)
{
	unsigned int bar;
	u64 address;

	for (bar = 0; bar < SYSFS_NR_BARS; bar++) {
		const struct pci_resource *res = &dev->res[bar];

		if (!(res->flags & RES_MEM) || !res->start || !sysfs_resource_size(res))
			continue;
		if (address_read(dev, bar, &address) && address - res->start == offset)
			return true;
	}
	return false;
}

bool address_offset_known(const struct pci_scan *scan, u64 offset)
{
	size_t i;

	if (!offset)
		return true;

	for (i = 0; i < scan->nr; i++) {
		const struct pci_device *dev = &scan->dev[i];

		if (dev->is_vf || dev->is_held)
			continue;
		if (has_offset(dev, offset))
			return true;
	}
	return false;
}
