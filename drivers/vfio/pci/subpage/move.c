// SPDX-License-Identifier: GPL-2.0-only
/*
 * Moving one BAR: the register in the device and the resource in the tree.
 */
#include <linux/ioport.h>
#include <linux/pci.h>

#include "move.h"

static u16 decode_off(struct pci_dev *pdev)
{
	u16 cmd;

	pci_read_config_word(pdev, PCI_COMMAND, &cmd);
	if (cmd & PCI_COMMAND_MEMORY)
		pci_write_config_word(pdev, PCI_COMMAND,
				      cmd & ~PCI_COMMAND_MEMORY);
	return cmd;
}

static void decode_restore(struct pci_dev *pdev, u16 cmd)
{
	if (cmd & PCI_COMMAND_MEMORY)
		pci_write_config_word(pdev, PCI_COMMAND, cmd);
}

/*
 * Write an address into a BAR register and read it back. The low bits of the
 * register are read-only flags (PCI Local Bus r3.0, 6.2.5.1).
 */
static bool write_register(struct pci_dev *pdev, int bar, u64 addr)
{
	int reg = PCI_BASE_ADDRESS_0 + bar * 4;
	u32 lo, hi = 0;

	pci_write_config_dword(pdev, reg, lower_32_bits(addr));
	pci_read_config_dword(pdev, reg, &lo);
	lo &= (u32)PCI_BASE_ADDRESS_MEM_MASK;

	if (pdev->resource[bar].flags & IORESOURCE_MEM_64) {
		pci_write_config_dword(pdev, reg + 4, upper_32_bits(addr));
		pci_read_config_dword(pdev, reg + 4, &hi);
	}

	return lo == lower_32_bits(addr) && hi == upper_32_bits(addr);
}

static bool program(struct pci_dev *pdev, int bar, resource_size_t start)
{
	struct resource *res = &pdev->resource[bar];
	struct resource there = DEFINE_RES_MEM(start, resource_size(res));
	struct pci_bus_region region;

	pcibios_resource_to_bus(pdev->bus, &region, &there);
	return write_register(pdev, bar, region.start);
}

/*
 * A process that had the BAR mapped through sysfs or /dev/mem before it was
 * bound to us keeps that mapping. Once the BAR has left, whoever is given the
 * address next would be exposed to it. Marking the place busy for a moment has
 * the kernel revoke such mappings, where it is built to (CONFIG_IO_STRICT_DEVMEM).
 *
 * Only what is in the machine's own tree can have been mapped: not the addresses
 * that a test makes up, at which the machine may have something else.
 */
static void revoke_mappings(struct pci_dev *pdev, int bar, const struct resource *place)
{
	resource_size_t size = resource_size(place);
	const struct resource *root = place;

	while (root->parent)
		root = root->parent;
	if (root != &iomem_resource)
		return;

	if (request_mem_region(place->start, size, place->name))
		release_mem_region(place->start, size);
	else
		pci_warn(pdev, "BAR %d: mappings of its old place %pR cannot be revoked\n",
			 bar, place);
}

/*
 * The configuration that was saved last, perhaps by a driver before us, has the
 * old address, and pci_restore_state() would bring it back, whether or not it
 * is marked as valid. What it is marked as does not change.
 */
static void refresh_saved_state(struct pci_dev *pdev)
{
	bool saved = pdev->state_saved;

	pci_save_state(pdev);
	pdev->state_saved = saved;
}

/*
 * At no moment may the BAR be without a parent. The PCI core takes that as the
 * sign of a BAR that still needs an address, and looks for such BARs whenever a
 * bus is rescanned, not caring for bound drivers: it would put the BAR into the
 * tree a second time. So the BAR does not leave the tree by itself. It travels
 * inside a carrier, which is taken out with the BAR in it.
 */
static int carry(struct resource *carrier, struct resource *res,
		 struct resource *to, resource_size_t start)
{
	resource_size_t end = start + resource_size(res) - 1;

	/* Out of the tree, nobody else finds them. */
	res->start = start;
	res->end = end;
	carrier->start = start;
	carrier->end = end;
	return request_resource(to, carrier);
}

static int move_in_tree(struct resource *res, struct resource *to,
			resource_size_t start)
{
	struct resource carrier = DEFINE_RES_MEM_NAMED(res->start, resource_size(res),
						       to->name);
	struct resource *from = res->parent;
	resource_size_t old = res->start;
	int ret;

	/* The same range as the BAR's: goes between the BAR and its parent. */
	if (insert_resource(from, &carrier))
		return -EBUSY;

	release_resource(&carrier);
	ret = carry(&carrier, res, to, start);
	/* Only a window that was taken away meanwhile does not take it back. */
	if (ret && carry(&carrier, res, from, old))
		release_resource(res);
	else
		remove_resource(&carrier);
	return ret;
}

/**
 * pci_subpage_move_bar - give a memory BAR another address
 * @pdev: the device; in D0, with no driver using the BAR
 * @bar: number of the BAR, 0 to 5; in the resource tree and with no children
 * @to: the reservation of the caller that the BAR becomes a child of
 * @start: new CPU address; [@start, @start + size of the BAR) lies in @to, is
 *	free there, and does not overlap the old place
 *
 * Memory decode of the device is off while the register changes, and is then as
 * it was (PCI Local Bus r3.0, 6.2.5.1). The old place stays reserved until the
 * move is final, so that going back cannot fail.
 *
 * The saved configuration of the device is saved anew, with the new address.
 *
 * Context: may sleep. The device lock is held, which keeps resets away; the PCI
 *	rescan/remove lock is neither needed nor taken.
 * Return: 0; -EBUSY if the place cannot be reserved; -EIO if the device did not
 *	keep the address. On error the BAR is where it was, in the register, in
 *	its resource and in the tree.
 */
int pci_subpage_move_bar(struct pci_dev *pdev, int bar, struct resource *to,
			 resource_size_t start)
{
	struct resource *res = &pdev->resource[bar];
	const resource_size_t from = res->start;
	struct resource old = DEFINE_RES_MEM_NAMED(from, resource_size(res), to->name);
	bool lost = false;
	int ret = -EIO;
	u16 cmd;

	/* Between the BAR and its parent, as above. */
	if (insert_resource(res->parent, &old))
		return -EBUSY;

	cmd = decode_off(pdev);
	if (program(pdev, bar, start))
		ret = move_in_tree(res, to, start);
	if (ret)
		lost = !program(pdev, bar, from);
	decode_restore(pdev, cmd);

	if (lost)
		pci_err(pdev, "BAR %d %pR: register lost its address\n", bar, res);
	if (!ret) {
		revoke_mappings(pdev, bar, &old);
		refresh_saved_state(pdev);
	}
	/* It has no parent if its window was taken away; see release_page(). */
	if (old.parent)
		remove_resource(&old);
	return ret;
}
