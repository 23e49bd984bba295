// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PCI host bridge made of software, for tests. Its devices exist in their
 * config space only: nothing answers at the addresses in their BARs.
 *
 * The host is domain 1. Its windows lie where the machine has room above 4 GiB,
 * and the addresses on its bus are others: those in window_kinds[].
 *
 * A device has an IOMMU, and so can be bound to VFIO, only through the loan of
 * another's: with the parameter requester the devices are given out as living
 * behind that device, in the way that x86 knows for Intel VMD.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/align.h>
#include <linux/ioport.h>
#include <linux/module.h>
#include <linux/numa.h>
#include <linux/pci.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>

#include "fake_host.h"

#define DOMAIN		1
#define PM_CAP		0x40
#define PM_CTRL		(PM_CAP + PCI_PM_CTRL)
#define COMMAND_BITS	(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | \
			 PCI_COMMAND_INTX_DISABLE)

/**
 * struct device_state - a device of the host
 * @model: what it is; NULL if the slot is empty
 * @regs: its config space, in the byte order of the CPU
 */
struct device_state {
	const struct fake_device *model;
	u32 regs[PCI_CFG_SPACE_SIZE / 4];
};

static const struct {
	unsigned long flags;
	u64 bus_address;
} window_kinds[] = {
	[FAKE_MEM32]  = { IORESOURCE_MEM, 0xe0000000 },
	[FAKE_PREF64] = { IORESOURCE_MEM | IORESOURCE_PREFETCH | IORESOURCE_MEM_64,
			  0x4200000000 },
};

static struct {
	const struct fake_scenario *scenario;
	struct resource windows[FAKE_WINDOWS];
	struct device_state devices[FAKE_SLOTS];
	struct pci_host_bridge *bridge;
	struct pci_sysdata sysdata;
	struct pci_dev *requester;
	bool scanned;
} host;

/* Config accesses are not serialized by the PCI core on x86. */
static DEFINE_RAW_SPINLOCK(config_lock);

static char *scenario = "";
module_param(scenario, charp, 0444);
MODULE_PARM_DESC(scenario, "The host to make, one of those in scenarios.c");

static char *requester = "";
module_param(requester, charp, 0444);
MODULE_PARM_DESC(requester,
		 "DDDD:BB:DD.F of the device that lends its IOMMU group (default: none)");

static unsigned int violations;
module_param(violations, uint, 0444);
MODULE_PARM_DESC(violations,
		 "Counts writes to a BAR register while memory decode was on (read only)");

static struct device_state *device_at(struct pci_bus *bus, unsigned int devfn)
{
	unsigned int slot = PCI_SLOT(devfn);

	if (!pci_is_root_bus(bus) || slot >= FAKE_SLOTS || PCI_FUNC(devfn) ||
	    !host.devices[slot].model)
		return NULL;
	return &host.devices[slot];
}

static bool is_upper_half(const struct device_state *dev, int bar)
{
	return bar && dev->model->bars[bar - 1].size &&
	       (dev->model->bars[bar - 1].type & PCI_BASE_ADDRESS_MEM_TYPE_64);
}

/* The bits of a BAR's register that can be written. */
static u32 bar_mask(const struct device_state *dev, int bar)
{
	if (is_upper_half(dev, bar))
		return ~0;
	return dev->model->bars[bar].size ? ~(dev->model->bars[bar].size - 1) : 0;
}

static u32 bar_quirks(const struct device_state *dev, int bar)
{
	return dev->model->bars[is_upper_half(dev, bar) ? bar - 1 : bar].quirks;
}

static bool decodes_memory(const struct device_state *dev)
{
	return dev->regs[PCI_COMMAND / 4] & PCI_COMMAND_MEMORY;
}

static void write_bar(struct device_state *dev, int bar, u32 val)
{
	u32 mask = bar_mask(dev, bar);
	u32 *reg = &dev->regs[PCI_BASE_ADDRESS_0 / 4 + bar];

	if (host.scanned && decodes_memory(dev)) {
		violations++;
		pr_info("slot %td: BAR %d was written while memory decode was on\n",
			dev - host.devices, bar);
	}
	*reg = (val & mask) | (*reg & ~mask);
}

/* In D3hot a device may forget what it was told (PCI PM r1.2, 5.4.1). */
static void write_pm_ctrl(struct device_state *dev, u32 val)
{
	u32 *reg = &dev->regs[PM_CTRL / 4];
	int bar;

	val &= PCI_PM_CTRL_STATE_MASK;
	if (*reg && !val) {
		dev->regs[PCI_COMMAND / 4] &= ~COMMAND_BITS;
		for (bar = 0; bar < PCI_STD_NUM_BARS; bar++)
			dev->regs[PCI_BASE_ADDRESS_0 / 4 + bar] &=
				~bar_mask(dev, bar);
	}
	*reg = val;
}

static void write_reg(struct device_state *dev, int where, u32 val)
{
	u32 *reg = &dev->regs[where / 4];

	if (where >= PCI_BASE_ADDRESS_0 && where <= PCI_BASE_ADDRESS_5)
		write_bar(dev, (where - PCI_BASE_ADDRESS_0) / 4, val);
	else if (where == PCI_COMMAND)
		*reg = (val & COMMAND_BITS) | (*reg & ~COMMAND_BITS);
	else if (where == PM_CTRL && dev->model->pm)
		write_pm_ctrl(dev, val);
}

static u32 access_mask(int where, int size)
{
	return GENMASK(size * 8 - 1, 0) << ((where & 3) * 8);
}

static int fake_read(struct pci_bus *bus, unsigned int devfn, int where,
		     int size, u32 *val)
{
	struct device_state *dev = device_at(bus, devfn);
	unsigned long flags;

	if (!dev) {
		*val = ~0;
		return PCIBIOS_DEVICE_NOT_FOUND;
	}

	raw_spin_lock_irqsave(&config_lock, flags);
	*val = (dev->regs[where / 4] & access_mask(where, size)) >>
	       ((where & 3) * 8);
	raw_spin_unlock_irqrestore(&config_lock, flags);
	return PCIBIOS_SUCCESSFUL;
}

static int fake_write(struct pci_bus *bus, unsigned int devfn, int where,
		      int size, u32 val)
{
	struct device_state *dev = device_at(bus, devfn);
	u32 mask = access_mask(where, size);
	unsigned long flags;

	if (!dev)
		return PCIBIOS_DEVICE_NOT_FOUND;

	raw_spin_lock_irqsave(&config_lock, flags);
	val = (val << ((where & 3) * 8) & mask) | (dev->regs[where / 4] & ~mask);
	write_reg(dev, where & ~3, val);
	raw_spin_unlock_irqrestore(&config_lock, flags);
	return PCIBIOS_SUCCESSFUL;
}

static struct pci_ops fake_ops = {
	.read	= fake_read,
	.write	= fake_write,
};

static int with_device(const char *slot_text,
		       int (*do_it)(struct pci_dev *pdev))
{
	struct pci_dev *pdev;
	unsigned int slot;
	int ret;

	ret = kstrtouint(slot_text, 0, &slot);
	if (ret)
		return ret;
	/* Parameters on the command line come before there is a host. */
	if (!host.scanned)
		return -ENODEV;
	pdev = pci_get_slot(host.bridge->bus, PCI_DEVFN(slot, 0));
	if (!pdev)
		return -ENODEV;

	device_lock(&pdev->dev);
	ret = do_it(pdev);
	device_unlock(&pdev->dev);
	pci_dev_put(pdev);
	return ret;
}

static int restore(struct pci_dev *pdev)
{
	pci_restore_state(pdev);
	return 0;
}

static int set_save(const char *val, const struct kernel_param *kp)
{
	return with_device(val, pci_save_state);
}

static int set_restore(const char *val, const struct kernel_param *kp)
{
	return with_device(val, restore);
}

static const struct kernel_param_ops save_ops = { .set = set_save };
module_param_cb(save, &save_ops, NULL, 0200);
MODULE_PARM_DESC(save, "Slot whose state is to be saved, as a driver leaves it behind");

static const struct kernel_param_ops restore_ops = { .set = set_restore };
module_param_cb(restore, &restore_ops, NULL, 0200);
MODULE_PARM_DESC(restore, "Slot whose saved state is to be restored");

/* The bus address that firmware has given to a BAR. */
static u64 firmware_address(const struct fake_bar *bar)
{
	const struct fake_window *window = &host.scenario->windows[bar->window];

	if (bar->quirks & FAKE_ASSIGN)
		return 0;
	return window_kinds[window->kind].bus_address +
	       bar->page * PAGE_SIZE + bar->offset;
}

static void make_device(struct device_state *dev, const struct fake_device *model)
{
	const struct fake_bar *bar;
	u64 addr;
	u32 *reg;
	int i;

	dev->model = model;
	dev->regs[PCI_VENDOR_ID / 4] = 0x50b01234;
	dev->regs[PCI_CLASS_REVISION / 4] = PCI_CLASS_OTHERS << 24;

	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		bar = &model->bars[i];
		if (!bar->size)
			continue;
		reg = &dev->regs[PCI_BASE_ADDRESS_0 / 4 + i];
		addr = firmware_address(bar);
		reg[0] = lower_32_bits(addr) | bar->type;
		if (bar->type & PCI_BASE_ADDRESS_MEM_TYPE_64)
			reg[1] = upper_32_bits(addr);
	}

	if (model->pm) {
		dev->regs[PCI_COMMAND / 4] |= PCI_STATUS_CAP_LIST << 16;
		dev->regs[PCI_CAPABILITY_LIST / 4] = PM_CAP;
		dev->regs[PM_CAP / 4] = PCI_CAP_ID_PM | 3 << 16;
	}
}

static void make_devices(void)
{
	int slot;

	for (slot = 0; slot < FAKE_SLOTS; slot++) {
		if (host.scenario->devices[slot].bars[0].size)
			make_device(&host.devices[slot],
				    &host.scenario->devices[slot]);
	}
}

static void release_windows(void)
{
	int i;

	for (i = 0; i < FAKE_WINDOWS; i++) {
		if (host.windows[i].parent)
			release_resource(&host.windows[i]);
	}
}

/* Aligned to more than their size, so that the PCI core does not join them. */
static int make_windows(struct list_head *windows)
{
	static const char * const names[FAKE_WINDOWS] = {
		"fake host window 0", "fake host window 1"
	};
	const struct fake_window *window;
	struct resource *res;
	int i, ret;

	for (i = 0; i < FAKE_WINDOWS; i++) {
		window = &host.scenario->windows[i];
		res = &host.windows[i];
		if (!window->pages)
			continue;

		res->name = names[i];
		res->flags = window_kinds[window->kind].flags | IORESOURCE_WINDOW;
		ret = allocate_resource(&iomem_resource, res,
					window->pages * PAGE_SIZE, SZ_4G,
					iomem_resource.end, SZ_1M, NULL, NULL);
		if (ret)
			return ret;
		pci_add_resource_offset(windows, res, res->start -
					window_kinds[window->kind].bus_address);
	}
	return 0;
}

/*
 * What firmware has given an address keeps it. Only then the PCI core may look
 * for free places, which is why there are two passes.
 */
static void place_bar(struct pci_dev *pdev, int bar, u32 quirks, bool assign)
{
	int ret = 0;

	if (assign && (quirks & FAKE_ASSIGN))
		ret = pci_assign_resource(pdev, bar);
	else if (!assign && !(quirks & FAKE_ASSIGN))
		ret = pci_claim_resource(pdev, bar);
	if (ret)
		pci_info(pdev, "BAR %d: not placed: %d\n", bar, ret);
}

static void place_bars(struct pci_bus *bus, bool assign)
{
	const struct device_state *dev;
	struct pci_dev *pdev;
	int bar;

	list_for_each_entry(pdev, &bus->devices, bus_list) {
		dev = device_at(bus, pdev->devfn);
		for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
			if (dev->model->bars[bar].size)
				place_bar(pdev, bar, bar_quirks(dev, bar), assign);
		}
	}
}

static int scan(struct pci_host_bridge *bridge)
{
	int ret;

	pci_lock_rescan_remove();
	ret = pci_scan_root_bus_bridge(bridge);
	if (ret)
		goto out_unlock;

	place_bars(bridge->bus, false);
	place_bars(bridge->bus, true);
	host.scanned = true;
	pci_bus_add_devices(bridge->bus);

out_unlock:
	pci_unlock_rescan_remove();
	return ret;
}

static void unscan(struct pci_host_bridge *bridge)
{
	pci_lock_rescan_remove();
	host.scanned = false;
	pci_stop_root_bus(bridge->bus);
	pci_remove_root_bus(bridge->bus);
	pci_unlock_rescan_remove();
}

static struct pci_dev *find_requester(void)
{
	unsigned int domain, bus, slot, func;

	if (sscanf(requester, "%x:%x:%x.%x", &domain, &bus, &slot, &func) != 4)
		return NULL;
	return pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, func));
}

static int __init fake_host_init(void)
{
	int ret = -ENOMEM;

	host.scenario = fake_scenario_find(scenario);
	if (!host.scenario) {
		pr_err("no scenario '%s'\n", scenario);
		return -EINVAL;
	}

	host.requester = find_requester();
	if (*requester && !host.requester) {
		pr_err("no device '%s'\n", requester);
		return -ENODEV;
	}

	host.bridge = pci_alloc_host_bridge(0);
	if (!host.bridge)
		goto out_requester;

	make_devices();
	ret = make_windows(&host.bridge->windows);
	if (ret)
		goto out_windows;

	host.sysdata.domain = DOMAIN;
	host.sysdata.node = NUMA_NO_NODE;
	host.sysdata.vmd_dev = host.requester;
	host.bridge->sysdata = &host.sysdata;
	host.bridge->ops = &fake_ops;
	ret = scan(host.bridge);
	if (ret)
		goto out_windows;
	return 0;

out_windows:
	pci_free_host_bridge(host.bridge);
	release_windows();
out_requester:
	pci_dev_put(host.requester);
	return ret;
}
module_init(fake_host_init);

static void __exit fake_host_exit(void)
{
	unscan(host.bridge);
	pci_free_host_bridge(host.bridge);
	release_windows();
	pci_dev_put(host.requester);
}
module_exit(fake_host_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The vfio-pci-subpage authors");
MODULE_DESCRIPTION("PCI host bridge made of software, to test vfio_pci_subpage");
