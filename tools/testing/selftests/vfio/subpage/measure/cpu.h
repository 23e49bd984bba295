/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SUBPAGE_CPU_H
#define SUBPAGE_CPU_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

/**
 * struct near - where the timing runs
 * @cpu: the CPU that this process is pinned to, -1 if it is not
 * @node: the NUMA node that memory comes from, -1 for any
 * @note: the same for people, with the reason if the node is not the device's
 */
struct near {
	int cpu;
	int node;
	struct error note;
};

/**
 * near_enter() - pin this process to a CPU beside a device
 * @node: the device's NUMA node, or -1 if it has none
 * @near: filled in
 *
 * The CPU is the lowest that this process was given: of @node, or of all where
 * there is no node. The choice is the same for each run, so that runs compare.
 */
void near_enter(int node, struct near *near);

/**
 * near_enter_remote() - the same, but on purpose not beside the device
 * @node: the device's NUMA node, or -1 if it has none
 * @near: filled in: the lowest CPU of the first other node
 * @why: set on failure: there is no other node
 *
 * Return: 0 or -1.
 */
int near_enter_remote(int node, struct near *near, struct error *why);

/**
 * near_alloc() - allocate memory on the node, already present
 * @near: where
 * @size: bytes
 *
 * Return: the memory, zeroed, or NULL.
 */
void *near_alloc(const struct near *near, size_t size);

/**
 * near_free() - free what near_alloc() allocated
 * @memory: the memory, or NULL
 * @size: bytes, as allocated
 */
void near_free(void *memory, size_t size);

#endif
