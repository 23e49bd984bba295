// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that has been hot-added to a POWER machine must be taken out of its isolation
 * before the kernel can ask what it is ("dt add" in /sys/kernel/dlpar). Elsewhere drmgr does
 * so, of the package powerpc-utils.
 */
#include <linux/module.h>

#include <asm/rtas.h>

/* PAPR+, "Set-Indicator" */
#define ISOLATION_STATE	9001
#define UNISOLATE	1

static unsigned int index;
module_param(index, uint, 0444);
MODULE_PARM_DESC(index, "Index of the device's connector");

static int __init unisolate_init(void)
{
	int ret = rtas_set_indicator(ISOLATION_STATE, index, UNISOLATE);

	return ret > 0 ? -EIO : ret;
}
module_init(unisolate_init);

static void __exit unisolate_exit(void)
{
}
module_exit(unisolate_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The vfio-pci-subpage authors");
MODULE_DESCRIPTION("What drmgr does of a hot-add, to test vfio_pci_subpage");
