/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One way to a register, to be timed against others. Each file path_*.c has one
 * or several.
 */
#ifndef SUBPAGE_PATH_H
#define SUBPAGE_PATH_H

#include <stdbool.h>

#include "device/vfio_device.h"
#include "error.h"
#include "registers/profile.h"
#include "types.h"

/**
 * enum path_op - what is timed
 * @PATH_READ: a read
 * @PATH_WRITE: a posted write: the CPU need not wait until it has arrived
 * @PATH_WRITE_READ: a write, followed by a read of the same register, which
 *	cannot be answered before the write has arrived
 * @PATH_NR_OPS: how many there are
 */
enum path_op {
	PATH_READ,
	PATH_WRITE,
	PATH_WRITE_READ,
	PATH_NR_OPS
};

/**
 * struct path_target - a register of an open device, and what is done to it
 * @device: the device; the BAR is mapped where that is possible
 * @reg: the register
 * @op: what is timed
 * @value: what is written, in the byte order of the CPU
 */
struct path_target {
	struct vfio_device *device;
	struct safe_register reg;
	enum path_op op;
	u64 value;
};

struct path;

/**
 * struct path_done - what a path has done
 * @ticks: of cycles.h that its loop took
 * @last: what it read last, in the byte order of the CPU
 */
struct path_done {
	u64 ticks;
	u64 last;
};

/**
 * enum path_state - what became of opening a path
 * @PATH_OPEN: it can be run
 * @PATH_INAPPLICABLE: there is no such path to this register, on whatever machine
 * @PATH_MISSING: kernel or machine do not have it; the error says why
 * @PATH_FAILED: it should work and does not; the error says why
 */
enum path_state {
	PATH_OPEN,
	PATH_INAPPLICABLE,
	PATH_MISSING,
	PATH_FAILED
};

/**
 * struct path_ops - a kind of path
 * @name: as in results.json
 * @open: get ready to run; fills in @priv
 * @run: do @n operations one after the other. With @access false the same loop
 *	without them: its cost is subtracted. Returns 0, or -1 with the error
 *	set.
 * @close: undo @open; only after PATH_OPEN
 */
struct path_ops {
	const char *name;
	enum path_state (*open)(struct path *path, const struct path_target *target,
				struct error *why);
	int (*run)(const struct path *path, u64 n, bool access, struct path_done *done,
		   struct error *err);
	void (*close)(struct path *path);
};

/**
 * struct path - a path to one register
 * @ops: of its kind
 * @target: the register
 * @priv: what @ops need
 */
struct path {
	const struct path_ops *ops;
	const struct path_target *target;
	void *priv;
};

/**
 * path_check() - see whether a path reaches its register
 * @path: open
 * @err: set on failure: an access failed, or the device's file reads another value
 *
 * Does one operation. Reads have to give what the device's file gives, writes have
 * to change it.
 *
 * Return: 0 or -1.
 */
int path_check(struct path *path, struct error *err);

extern const struct path_ops path_kernel;
extern const struct path_ops path_sysfs;
extern const struct path_ops path_mmap;
extern const struct path_ops path_file;
extern const struct path_ops path_kvm_mapped;
extern const struct path_ops path_kvm_trapped;
extern const struct path_ops path_kvm_ioeventfd;

#define NR_PATHS	7

/* From the limit to what a trapped guest pays. */
extern const struct path_ops * const all_paths[NR_PATHS];

/* In output: read, write or write-read. */
const char *path_op_name(enum path_op op);

/* In output: that of the kind; the file's is pread or pwrite, after the operation. */
const char *path_name(const struct path_ops *ops, enum path_op op);

/* Is every word of a list, separated by commas, the name of a path? 0, or -1 with @err. */
int path_check_names(const char *list, struct error *err);

/* Is a path in such a list? NULL has all. */
bool path_is_named(const struct path_ops *ops, const char *list);

#endif
