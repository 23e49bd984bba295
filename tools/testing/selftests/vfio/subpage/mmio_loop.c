// SPDX-License-Identifier: GPL-2.0-only
#include "cycles.h"
#include "mmio.h"
#include "mmio_loop.h"

/* The compiler must not drop a loop that does nothing. */
static inline void keep_loop(void)
{
	__asm__ __volatile__("" : : : "memory");
}

/*
 * Inline, so that the width is a constant in each copy: choosing it would be part
 * of what is timed.
 */
static inline u64 loop(void *address, unsigned int width, const struct path_target *target,
		       u64 n, bool access)
{
	enum path_op op = target->op;
	u64 value = target->value, start = cycles_start(), i;

	if (!access)
		for (i = 0; i < n; i++)
			keep_loop();
	else if (op == PATH_READ)
		for (i = 0; i < n; i++)
			mmio_read(address, width);
	else if (op == PATH_WRITE)
		for (i = 0; i < n; i++)
			mmio_write(address, width, value);
	else
		for (i = 0; i < n; i++) {
			mmio_write(address, width, value);
			mmio_read(address, width);
		}
	return cycles_end() - start;
}

u64 mmio_loop(void *address, const struct path_target *target, u64 n, bool access)
{
	switch (target->reg.width) {
	case 1:
		return loop(address, 1, target, n, access);
	case 2:
		return loop(address, 2, target, n, access);
	case 4:
		return loop(address, 4, target, n, access);
	default:
		return loop(address, 8, target, n, access);
	}
}
