// SPDX-License-Identifier: GPL-2.0-only
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include <numa.h>

#include "measure/cpu.h"

static bool cpu_on_node(int cpu, int node)
{
	return node < 0 || numa_node_of_cpu(cpu) == node;
}

/* Those that this process was given: pinning narrows what the kernel would say. */
static const cpu_set_t *allowed_cpus(void)
{
	static cpu_set_t allowed;
	static bool known;

	if (!known)
		known = !sched_getaffinity(0, sizeof(allowed), &allowed);
	return &allowed;
}

static int lowest_cpu(int node)
{
	const cpu_set_t *allowed = allowed_cpus();
	int cpu;

	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, allowed) && cpu_on_node(cpu, node))
			return cpu;
	return -1;
}

static bool pin(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return false;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !sched_setaffinity(0, sizeof(set), &set);
}

static void pin_anywhere(struct near *near, const char *reason)
{
	int cpu = lowest_cpu(-1);

	if (pin(cpu))
		near->cpu = cpu;
	error_set(&near->note, "on CPU %d: %s", near->cpu, reason);
}

void near_enter(int node, struct near *near)
{
	int cpu;

	near->cpu = -1;
	near->node = -1;
	if (node < 0) {
		pin_anywhere(near, "the device names no NUMA node");
		return;
	}
	if (numa_available() < 0) {
		pin_anywhere(near, "the kernel knows no NUMA");
		return;
	}

	cpu = lowest_cpu(node);
	if (!pin(cpu)) {
		pin_anywhere(near, "this process may use no CPU of the device's node");
		return;
	}

	near->cpu = cpu;
	near->node = node;
	error_set(&near->note, "on CPU %d of the device's NUMA node %d",
		  cpu, node);
}

/* Another node with a CPU that this process may use, or -1. */
static int other_node(int node)
{
	int other;

	for (other = 0; other <= numa_max_node(); other++)
		if (other != node && lowest_cpu(other) >= 0)
			return other;
	return -1;
}

int near_enter_remote(int node, struct near *near, struct error *why)
{
	int other;

	if (numa_available() < 0)
		return error_set(why, "the kernel knows no NUMA: no node is remote");
	if (node < 0)
		return error_set(why, "the device names no NUMA node: none is remote");

	other = other_node(node);
	if (other < 0)
		return error_set(why, "there is no other NUMA node than the device's");

	near_enter(other, near);
	error_set(&near->note, "on CPU %d of NUMA node %d, not on the device's", near->cpu, other);
	return 0;
}

void *near_alloc(const struct near *near, size_t size)
{
	void *memory;

	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;

	if (near->node >= 0)
		numa_tonode_memory(memory, size, near->node);
	/* No page fault may fall into a measurement. */
	memset(memory, 0, size);
	return memory;
}

void near_free(void *memory, size_t size)
{
	if (memory)
		munmap(memory, size);
}
