// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parameters of the module: checked when they are set, read when a device is
 * bound.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/pci.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "bars.h"
#include "params.h"

/*
 * A parameter that takes one of @nr words. Rows that follow are other ways to
 * write them.
 */
struct choice {
	const char *allowed;
	const char * const *words;
	unsigned int nr_words;
	unsigned int nr;
	unsigned int value;
};

static const char * const relocate_words[] = {
	"no", "yes", "force",
	"N",  "Y",   "force",
	"n",  "y",   "force",
	"0",  "1",   "force",
};

static struct choice relocate_choice = {
	.allowed = "no, yes or force",
	.words = relocate_words,
	.nr_words = ARRAY_SIZE(relocate_words),
	.nr = PCI_SUBPAGE_RELOCATE_FORCE + 1,
	.value = PCI_SUBPAGE_RELOCATE_YES,
};

static const char * const bar_size_words[] = { "page", "device" };

static struct choice bar_size_choice = {
	.allowed = "page or device",
	.words = bar_size_words,
	.nr_words = ARRAY_SIZE(bar_size_words),
	.nr = ARRAY_SIZE(bar_size_words),
};

static char exclude[1024];

/* A line that is written to sysfs ends with a newline. */
static int length(const char *text)
{
	return strcspn(text, "\n");
}

static int set_choice(const char *value, const struct kernel_param *kp)
{
	struct choice *choice = kp->arg;
	int i = __sysfs_match_string(choice->words, choice->nr_words, value);

	if (i < 0) {
		pr_err("%s=%.*s: not a choice: use %s\n", kp->name, length(value), value,
		       choice->allowed);
		return i;
	}
	choice->value = i % choice->nr;
	return 0;
}

static int get_choice(char *buf, const struct kernel_param *kp)
{
	const struct choice *choice = kp->arg;

	return sysfs_emit(buf, "%s\n", choice->words[choice->value]);
}

/* Is the device this one? -EINVAL if @item names none. */
static int match_item(const char *item, const struct pci_dev *pdev)
{
	unsigned int a, b, slot, func;
	int end = 0;

	if (sscanf(item, "%x:%x:%x.%x%n", &a, &b, &slot, &func, &end) == 4 && !item[end] &&
	    b <= 0xff && slot <= 0x1f && func <= 7)
		return pdev && pci_domain_nr(pdev->bus) == a && pdev->bus->number == b &&
		       pdev->devfn == PCI_DEVFN(slot, func);
	if (sscanf(item, "%x:%x%n", &a, &b, &end) == 2 && !item[end] &&
	    a <= 0xffff && b <= 0xffff)
		return pdev && pdev->vendor == a && pdev->device == b;
	return -EINVAL;
}

/* 1 if the device is in the list, else 0; -EINVAL for a wrong item. */
static int match_list(const char *list, const struct pci_dev *pdev)
{
	char item[32];
	int len, ret;

	for (; *list; list += len + !!list[len]) {
		len = strcspn(list, ",\n ");
		if (!len)
			continue;
		strscpy(item, list, min_t(size_t, len + 1, sizeof(item)));
		ret = match_item(item, pdev);
		if (ret < 0)
			pr_err("exclude=%.*s: not a device: use DOMAIN:BUS:DEV.FN or VENDOR:DEVICE, separated by commas\n",
			       len, list);
		if (ret)
			return ret;
	}
	return 0;
}

static int set_exclude(const char *value, const struct kernel_param *kp)
{
	int ret = match_list(value, NULL);

	if (ret)
		return ret;
	if (length(value) >= sizeof(exclude)) {
		pr_err("exclude: use at most %zu characters\n", sizeof(exclude) - 1);
		return -ENOSPC;
	}
	strscpy(exclude, value, length(value) + 1);
	return 0;
}

static int get_exclude(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", exclude);
}

static const struct kernel_param_ops choice_ops = { .set = set_choice, .get = get_choice };
static const struct kernel_param_ops exclude_ops = { .set = set_exclude, .get = get_exclude };

module_param_cb(relocate, &choice_ops, &relocate_choice, 0644);
MODULE_PARM_DESC(relocate,
		 "Move a BAR that shares its page: no, yes, or force, also where the firmware of a host bridge wants its addresses kept (default: yes)");
module_param_cb(bar_size, &choice_ops, &bar_size_choice, 0644);
MODULE_PARM_DESC(bar_size,
		 "Size of a BAR that has a page of its own while a VFIO driver has the device: page, or device, as large as in the device (default: page)");
module_param_cb(exclude, &exclude_ops, NULL, 0644);
MODULE_PARM_DESC(exclude,
		 "Devices that are left as they are: DOMAIN:BUS:DEV.FN or VENDOR:DEVICE, separated by commas");

/**
 * vfio_pci_subpage_policy - what the parameters say about a device
 * @pdev: the device
 * @policy: filled in
 *
 * Context: may sleep. Takes the lock of the module's parameters.
 */
void vfio_pci_subpage_policy(const struct pci_dev *pdev, struct pci_subpage_policy *policy)
{
	kernel_param_lock(THIS_MODULE);
	*policy = (struct pci_subpage_policy) {
		.relocate = relocate_choice.value,
		.keep_size = bar_size_choice.value,
		.exclude = match_list(exclude, pdev) > 0,
	};
	kernel_param_unlock(THIS_MODULE);
}
