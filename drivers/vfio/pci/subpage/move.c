// SPDX-License-Identifier: GPL-2.0-only
/*
 * Moving one BAR: the register in the device, and the resource in the tree.
 */
#define dev_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>

#ifdef CONFIG_EEH
#include <asm/eeh.h>
#endif

#include "bars.h"
#include "move.h"

/* The register of a 64-bit BAR, or one of 32 bits, with its flags. */
static u64 read_register(struct pci_dev *pdev, int bar)
{
	int reg = PCI_BASE_ADDRESS_0 + bar * 4;
	u32 low, high = 0;

	pci_read_config_dword(pdev, reg, &low);
	if (pdev->resource[bar].flags & IORESOURCE_MEM_64)
		pci_read_config_dword(pdev, reg + 4, &high);
	return (u64)high << 32 | low;
}

/* The flags are read-only, so that all bits have to read back. */
static bool write_register(struct pci_dev *pdev, int bar, u64 value)
{
	int reg = PCI_BASE_ADDRESS_0 + bar * 4;

	pci_write_config_dword(pdev, reg, lower_32_bits(value));
	if (pdev->resource[bar].flags & IORESOURCE_MEM_64)
		pci_write_config_dword(pdev, reg + 4, upper_32_bits(value));
	return read_register(pdev, bar) == value;
}

static void save_in(u32 *config_space, struct pci_dev *pdev, int bar, u64 value)
{
	u32 *saved = &config_space[PCI_BASE_ADDRESS_0 / 4 + bar];

	saved[0] = lower_32_bits(value);
	if (pdev->resource[bar].flags & IORESOURCE_MEM_64)
		saved[1] = upper_32_bits(value);
}

/*
 * What pci_restore_state() brings back after a reset, and on the way from D3hot
 * to D0. Some kernels restore it whether or not it is marked as valid. POWER's EEH
 * has a copy of its own for its resets, from when it met the device.
 */
static void save_register(struct pci_dev *pdev, int bar, u64 value)
{
	save_in(pdev->saved_config_space, pdev, bar, value);
#ifdef CONFIG_EEH
	if (pci_dev_to_eeh_dev(pdev))
		save_in(pci_dev_to_eeh_dev(pdev)->config_space, pdev, bar, value);
#endif
}

static u64 bus_address(struct pci_dev *pdev, int bar, resource_size_t start)
{
	struct resource there = pdev->resource[bar];
	struct pci_bus_region region;

	there.end = start + resource_size(&there) - 1;
	there.start = start;
	pcibios_resource_to_bus(pdev->bus, &region, &there);
	return region.start;
}

/* Or leave the register as it was. @cmd: the command register */
static int change_register(struct pci_dev *pdev, int bar, resource_size_t start, u16 cmd)
{
	u64 old, new;
	int ret = 0;

	if (cmd & PCI_COMMAND_MEMORY)
		pci_write_config_word(pdev, PCI_COMMAND, cmd & ~PCI_COMMAND_MEMORY);

	old = read_register(pdev, bar);
	new = bus_address(pdev, bar, start) | (old & ~PCI_BASE_ADDRESS_MEM_MASK);
	if (write_register(pdev, bar, new)) {
		save_register(pdev, bar, new);
	} else if (write_register(pdev, bar, old)) {
		ret = -EIO;
	} else {
		/* Whatever address it has now belongs to somebody else. */
		pci_err(pdev, "BAR %d: register lost its address: memory decode stays off\n", bar);
		return -EIO;
	}

	if (cmd & PCI_COMMAND_MEMORY)
		pci_write_config_word(pdev, PCI_COMMAND, cmd);
	return ret;
}

/**
 * pci_subpage_write_register - write another address into the register of a BAR
 * @pdev: the device; no driver uses it
 * @bar: number of a memory BAR, 0 to 5
 * @start: CPU address of its first byte
 *
 * Memory decode is off while the register changes, and is then as it was (PCI
 * Local Bus r3.0, 6.2.5.1). The device is awake meanwhile, and so are the ports
 * above it. What is saved of the register changes with it.
 *
 * Context: may sleep. The device lock is held, which keeps resets away.
 * Return: 0; -ENODEV if the device does not answer; -EIO if the register did not
 *	take the address. On error it has the one that it had; if it has not,
 *	memory decode stays off, and the log says so.
 */
int pci_subpage_write_register(struct pci_dev *pdev, int bar, resource_size_t start)
{
	int ret = -ENODEV;
	u16 cmd;

	/*
	 * The PCI core does not know the power state of a device whose driver has
	 * left. One that forgets its BARs in D3hot gets them back here.
	 */
	pm_runtime_get_sync(&pdev->dev);
	if (!pci_set_power_state(pdev, PCI_D0)) {
		pci_read_config_word(pdev, PCI_COMMAND, &cmd);
		if (!PCI_POSSIBLE_ERROR(cmd))
			ret = change_register(pdev, bar, start, cmd);
	}
	pm_runtime_put(&pdev->dev);
	return ret;
}

/**
 * pci_subpage_tree - the root of the tree that a resource is in
 * @res: a resource
 *
 * Return: the root; @res itself if it is in no tree
 */
const struct resource *pci_subpage_tree(const struct resource *res)
{
	const struct resource *parent;

	while ((parent = READ_ONCE(res->parent)))
		res = parent;
	return res;
}

/*
 * Put @new between the BAR and its parent. That fails if the PCI core takes the
 * window away, with all that is in it, to make room for others
 * (pci_bus_release_bridge_resources()).
 */
static int insert_above(struct resource *res, struct resource *new)
{
	struct resource *parent = READ_ONCE(res->parent);

	*new = (struct resource) {
		.name = PCI_SUBPAGE_RESOURCE_NAME,
		.start = res->start,
		.end = res->end,
		.flags = IORESOURCE_MEM,
	};
	if (!parent || insert_resource(parent, new))
		return -EBUSY;
	if (new->child == res)
		return 0;

	release_resource(new);
	return -EBUSY;
}

/* A window that is taken away leaves nothing in the tree. */
static void remove_above(struct resource *new)
{
	if (new->parent)
		remove_resource(new);
	else if (new->child)
		release_resource(new->child);
}

/* Out of the tree, nobody else finds the two. */
static int put_down(struct resource *carrier, struct resource *res, struct resource *to)
{
	carrier->start = to->start;
	carrier->end = to->end;
	res->start = to->start;
	res->end = to->end;
	return request_resource(to, carrier);
}

/*
 * At no moment may the BAR be without a parent. The PCI core takes that as the
 * sign of a BAR that needs an address, and looks for such BARs whenever a bus is
 * scanned again, not caring for bound drivers: it would put the BAR into the
 * tree a second time. So the BAR does not leave the tree by itself. A carrier
 * becomes its parent, and is taken out with the BAR in it.
 */
static int carry(struct pci_subpage *sp, struct resource *res)
{
	int ret = insert_above(res, &sp->carrier);

	if (ret)
		return ret;

	release_resource(&sp->carrier);
	ret = sp->page.parent ? put_down(&sp->carrier, res, &sp->page) : -EBUSY;
	if (ret && put_down(&sp->carrier, res, &sp->old))
		release_resource(res);
	else
		remove_resource(&sp->carrier);
	return ret;
}

/*
 * A process that had the BAR mapped through sysfs or /dev/mem keeps the mapping.
 * The next BAR at that address would be exposed to it. Marking the place as busy
 * for a moment has the kernel revoke such mappings, by whole pages, where it is
 * built to (CONFIG_IO_STRICT_DEVMEM).
 *
 * Only what is in the machine's own tree can have been mapped: not the addresses
 * that a test makes up, at which the machine may have something else.
 */
static void revoke_mappings(struct pci_dev *pdev, int bar, const struct resource *place)
{
	if (pci_subpage_tree(place) != &iomem_resource)
		return;

	if (request_mem_region(place->start, resource_size(place), place->name))
		release_mem_region(place->start, resource_size(place));
	else
		pci_warn(pdev, "BAR %d: mappings of its old place %pR cannot be revoked\n",
			 bar, place);
}

/**
 * pci_subpage_move_bar - move a memory BAR to a page of its own
 * @sp: the BARs of the device; @sp->page is reserved, and is in the tree no longer
 *	afterwards
 * @bar: number of the BAR; in the resource tree, with no children, not in
 *	@sp->page
 *
 * Afterwards the BAR is as large as the page, and a child of the page's window.
 * The old place is reserved until the move is final, so that going back cannot
 * fail, and until mappings of it are revoked.
 *
 * Context: may sleep. The device lock is held. The PCI rescan/remove lock is
 *	neither needed nor taken.
 * Return: 0; -EBUSY if the PCI core took a window away meanwhile; or an error of
 *	pci_subpage_write_register(). On error the BAR is where it was, in the
 *	register, in its resource and in the tree.
 */
int pci_subpage_move_bar(struct pci_subpage *sp, int bar)
{
	struct resource *res = &sp->pdev->resource[bar];
	const resource_size_t from = res->start;
	int ret;

	ret = insert_above(res, &sp->old);
	if (ret)
		goto out_page;

	ret = pci_subpage_write_register(sp->pdev, bar, sp->page.start);
	if (ret)
		goto out_old;

	ret = carry(sp, res);
	if (ret)
		pci_subpage_write_register(sp->pdev, bar, from);
	else
		revoke_mappings(sp->pdev, bar, &sp->old);
out_old:
	remove_above(&sp->old);
out_page:
	remove_above(&sp->page);
	return ret;
}
