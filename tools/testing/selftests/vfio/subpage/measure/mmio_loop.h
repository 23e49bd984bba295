/* SPDX-License-Identifier: GPL-2.0-only */
/* The loop over a mapped register that is timed, the same for each mapping. */
#ifndef SUBPAGE_MMIO_LOOP_H
#define SUBPAGE_MMIO_LOOP_H

#include <stdbool.h>

#include "measure/path.h"

/**
 * mmio_loop() - access a mapped register again and again
 * @address: of the register
 * @target: width, operation and value
 * @n: how often
 * @access: false for the loop alone
 * @done: filled in
 */
void mmio_loop(void *address, const struct path_target *target, u64 n, bool access,
	       struct path_done *done);

#endif
