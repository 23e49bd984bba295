// SPDX-License-Identifier: GPL-2.0-only
/*
 * While this is loaded, the architecture asks for BARs to start a page by default, as
 * PowerNV does: pcibios_default_alignment() returns the size of a page.
 */
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/ptrace.h>

static int set_result(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	regs_set_return_value(regs, PAGE_SIZE);
	return 0;
}

static struct kretprobe probe = {
	.kp.symbol_name	= "pcibios_default_alignment",
	.handler	= set_result,
};

static int __init default_alignment_init(void)
{
	return register_kretprobe(&probe);
}
module_init(default_alignment_init);

static void __exit default_alignment_exit(void)
{
	unregister_kretprobe(&probe);
}
module_exit(default_alignment_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The vfio-pci-subpage authors");
MODULE_DESCRIPTION("Page-sized default alignment of BARs, to compare vfio_pci_subpage with");
