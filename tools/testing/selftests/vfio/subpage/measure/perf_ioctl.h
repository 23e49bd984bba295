/* SPDX-License-Identifier: GPL-2.0-only */
/* What the module subpage_perf does for the performance core. Only tests use it. */
#ifndef SUBPAGE_PERF_IOCTL_H
#define SUBPAGE_PERF_IOCTL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define SUBPAGE_PERF_DEVICE	"subpage_perf"

/* The operations; the same numbers as enum path_op. */
#define SUBPAGE_PERF_READ	0
#define SUBPAGE_PERF_WRITE	1
#define SUBPAGE_PERF_WRITE_READ	2
#define SUBPAGE_PERF_NOTHING	3

#define SUBPAGE_PERF_MAX	262144

/**
 * struct subpage_perf_run - accesses in a loop
 * @domain: of the PCI device
 * @bus: its bus
 * @devfn: its device and function, as PCI_DEVFN() makes it
 * @bar: number of the BAR
 * @width: bytes: 1, 2, 4 or 8
 * @offset: of the register in the BAR, bytes; a multiple of @width
 * @op: SUBPAGE_PERF_*
 * @count: how often, at most SUBPAGE_PERF_MAX
 * @value: what is written, in the byte order of the CPU
 * @ticks: filled in: what the loop took, by the CPU's counter
 * @last: filled in: what was read last, in the byte order of the CPU
 */
struct subpage_perf_run {
	__u32 domain;
	__u8 bus;
	__u8 devfn;
	__u8 bar;
	__u8 width;
	__u64 offset;
	__u32 op;
	__u32 count;
	__u64 value;
	__u64 ticks;
	__u64 last;
};

#define SUBPAGE_PERF_RUN	_IOWR('s', 0xb0, struct subpage_perf_run)

#endif
