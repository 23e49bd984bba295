// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "device/vfio_device.h"
#include "measure/path.h"

static int compare(u64 expected, u64 seen, const char *what, struct error *err)
{
	if (seen == expected)
		return 0;

	return error_set(err, "%s 0x%llx instead of 0x%llx", what, seen, expected);
}

int path_check(struct path *path, struct error *err)
{
	const struct path_target *target = path->target;
	const struct safe_register *reg = &target->reg;
	u64 value = ~target->value;
	struct path_done done;

	/* A value that a write has to change. */
	if (target->op != PATH_READ && vfio_register_write(target->device, reg, value))
		return error_set(err, "the device's file cannot be written");
	if (path->ops->run(path, 1, true, &done, err))
		return -1;
	if (vfio_register_read(target->device, reg, &value))
		return error_set(err, "the device's file cannot be read");

	if (target->op != PATH_READ &&
	    compare(register_mirror(reg, target->value), value, "it wrote", err))
		return -1;

	return target->op == PATH_WRITE ? 0 : compare(value, done.last, "it read", err);
}

const struct path_ops * const all_paths[NR_PATHS] = {
	&path_kernel, &path_sysfs, &path_mmap, &path_file,
	&path_kvm_mapped, &path_kvm_trapped, &path_kvm_ioeventfd,
};

const char *path_op_name(enum path_op op)
{
	static const char * const name[] = { "read", "write", "write-read" };

	return name[op];
}

const char *path_name(const struct path_ops *ops, enum path_op op)
{
	if (ops != &path_file)
		return ops->name;

	return op == PATH_READ ? "pread" : "pwrite";
}

/* The names of the output are understood too. */
static bool is_name(const struct path_ops *ops, const char *word, size_t len)
{
	const char * const name[] = {
		ops->name, path_name(ops, PATH_READ), path_name(ops, PATH_WRITE)
	};
	size_t i;

	for (i = 0; i < sizeof(name) / sizeof(*name); i++)
		if (strlen(name[i]) == len && !strncmp(name[i], word, len))
			return true;
	return false;
}

int path_check_names(const char *list, struct error *err)
{
	size_t len, i;

	do {
		len = strcspn(list, ",");
		for (i = 0; i < NR_PATHS && !is_name(all_paths[i], list, len); i++)
			;
		if (i == NR_PATHS)
			return error_set(err, "--paths: '%.*s' is none: --help lists them",
					 (int)len, list);
		list += len;
	} while (*list++);
	return 0;
}

bool path_is_named(const struct path_ops *ops, const char *list)
{
	size_t len;

	if (!list)
		return true;

	for (; *list; list += len + (list[len] == ',')) {
		len = strcspn(list, ",");
		if (is_name(ops, list, len))
			return true;
	}
	return false;
}
