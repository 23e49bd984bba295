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
 * The CPU is the lowest that this process may use: of @node, or of all where
 * there is no node. The choice is the same for each run, so that runs compare.
 */
void near_enter(int node, struct near *near);

/**
 * near_enter_node() - the same, or on purpose not beside the device
 * @node: the device's NUMA node, or -1 if it has none
 * @remote: pin to the first CPU of another node, where there is one
 * @near: filled in
 */
void near_enter_node(int node, bool remote, struct near *near);

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
