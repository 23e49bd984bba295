/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SUBPAGE_SIGNALS_H
#define SUBPAGE_SIGNALS_H

#include <stdatomic.h>

/* The signal that asked the program to end, or 0. */
extern atomic_int ended;

/* From now on signals do not end the program: what it has changed is restored first. */
void signals_catch(void);

#endif
