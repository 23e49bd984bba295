// SPDX-License-Identifier: GPL-2.0-only
#include "measure/cycles.h"
#include "measure/mmio_loop.h"
#include "registers/mmio.h"

/* The compiler must not drop a loop that does nothing. */
static inline void keep_loop(void)
{
	__asm__ __volatile__("" : : : "memory");
}

/*
 * Inline, so that the width is a constant in each copy: choosing it would be part
 * of what is timed.
 */
static inline void loop(void *address, unsigned int width, const struct path_target *target,
			u64 n, bool access, struct path_done *done)
{
	u64 value = target->value, last = 0, start = cycles_start(), i;
	enum path_op op = target->op;

	if (!access)
		for (i = 0; i < n; i++)
			keep_loop();
	else if (op == PATH_READ)
		for (i = 0; i < n; i++)
			last = mmio_read(address, width);
	else if (op == PATH_WRITE)
		for (i = 0; i < n; i++)
			mmio_write(address, width, value);
	else
		for (i = 0; i < n; i++) {
			mmio_write(address, width, value);
			last = mmio_read(address, width);
		}
	done->ticks = cycles_end() - start;
	done->last = last;
}

void mmio_loop(void *address, const struct path_target *target, u64 n, bool access,
	       struct path_done *done)
{
	switch (target->reg.width) {
	case 1:
		loop(address, 1, target, n, access, done);
		break;
	case 2:
		loop(address, 2, target, n, access, done);
		break;
	case 4:
		loop(address, 4, target, n, access, done);
		break;
	default:
		loop(address, 8, target, n, access, done);
	}
}
