// SPDX-License-Identifier: GPL-2.0-only
/*
 * subpage_perf: readl() and friends in a loop, timed: what no path from user
 * space can be faster than. For measurements only: whoever may open its device
 * may write registers. Make it available only while measuring.
 */
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/preempt.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

#include "measure/perf_ioctl.h"

/* The clock that user space reads too: see cycles.h of the suite. */
static u64 ticks(void)
{
#if defined(CONFIG_X86_64)
	return rdtsc_ordered();
#elif defined(CONFIG_ARM64)
	return get_cycles();
#else
	return ktime_get_raw_ns();
#endif
}

/*
 * A function for each width and operation, so that choosing is not part of what
 * is timed.
 */
#define DEFINE_LOOPS(suffix, type)						\
static void loops_##suffix(void __iomem *reg, struct subpage_perf_run *run)	\
{										\
	type value = run->value, last = 0;					\
	u32 n = run->count;							\
	u64 start = ticks();							\
										\
	switch (run->op) {							\
	case SUBPAGE_PERF_READ:							\
		while (n--)							\
			last = read##suffix(reg);				\
		break;								\
	case SUBPAGE_PERF_WRITE:						\
		while (n--)							\
			write##suffix(value, reg);				\
		break;								\
	case SUBPAGE_PERF_WRITE_READ:						\
		while (n--) {							\
			write##suffix(value, reg);				\
			last = read##suffix(reg);				\
		}								\
		break;								\
	default:								\
		while (n--)							\
			barrier();						\
	}									\
	run->ticks = ticks() - start;						\
	run->last = last;							\
}

DEFINE_LOOPS(b, u8)
DEFINE_LOOPS(w, u16)
DEFINE_LOOPS(l, u32)
DEFINE_LOOPS(q, u64)

static void loops(void __iomem *reg, struct subpage_perf_run *run)
{
	/* Interrupts may come, as they do in user space; another task may not. */
	preempt_disable();
	switch (run->width) {
	case 1:
		loops_b(reg, run);
		break;
	case 2:
		loops_w(reg, run);
		break;
	case 4:
		loops_l(reg, run);
		break;
	default:
		loops_q(reg, run);
	}
	preempt_enable();
}

static bool is_valid(const struct subpage_perf_run *run)
{
	return run->bar < PCI_STD_NUM_BARS && run->count <= SUBPAGE_PERF_MAX &&
	       run->op <= SUBPAGE_PERF_NOTHING &&
	       (run->width == 1 || run->width == 2 || run->width == 4 || run->width == 8) &&
	       !(run->offset & (run->width - 1));
}

/* Whether the device answers to its BARs; reading all ones is fast, and no result. */
static bool decodes(struct pci_dev *pdev)
{
	u16 command;

	pci_read_config_word(pdev, PCI_COMMAND, &command);
	return command != 0xffff && command & PCI_COMMAND_MEMORY;
}

static int run_on(struct pci_dev *pdev, struct subpage_perf_run *run)
{
	resource_size_t len = pci_resource_len(pdev, run->bar);
	void __iomem *reg;

	if (!(pci_resource_flags(pdev, run->bar) & IORESOURCE_MEM) || len < run->width ||
	    run->offset > len - run->width)
		return -EINVAL;
	if (!decodes(pdev))
		return -EIO;

	reg = ioremap(pci_resource_start(pdev, run->bar) + run->offset, run->width);
	if (!reg)
		return -ENOMEM;

	loops(reg, run);
	iounmap(reg);
	return 0;
}

static long perf_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;
	struct subpage_perf_run run;
	struct pci_dev *pdev;
	int ret;

	if (cmd != SUBPAGE_PERF_RUN)
		return -ENOTTY;
	if (copy_from_user(&run, user, sizeof(run)))
		return -EFAULT;
	if (!is_valid(&run))
		return -EINVAL;

	pdev = pci_get_domain_bus_and_slot(run.domain, run.bus, run.devfn);
	if (!pdev)
		return -ENODEV;
	ret = run_on(pdev, &run);
	pci_dev_put(pdev);
	if (ret)
		return ret;

	return copy_to_user(user, &run, sizeof(run)) ? -EFAULT : 0;
}

static const struct file_operations perf_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= perf_ioctl,
};

static struct miscdevice perf_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= SUBPAGE_PERF_DEVICE,
	.fops	= &perf_fops,
	.mode	= 0600,
};
module_misc_device(perf_device);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Times accesses to PCI registers from inside the kernel; for tests only");
