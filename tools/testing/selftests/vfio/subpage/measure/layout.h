/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SUBPAGE_LAYOUT_H
#define SUBPAGE_LAYOUT_H

#include <stdbool.h>

/**
 * layout_fix() - run without address space layout randomisation
 * @argv: as of main(), for the program that takes this one's place
 *
 * Where code and stack lie decides what collides in caches and predictors, for as
 * long as a process lives: processes differ by more than the samples of one do
 * (Mytkowicz et al., "Producing Wrong Data Without Doing Anything Obviously Wrong!",
 * 2009). Starts the program again, once, if the layout was random.
 *
 * Context: first thing in main().
 *
 * Return: true in a process whose layout is fixed, false if the kernel refuses.
 */
bool layout_fix(char **argv);

#endif
