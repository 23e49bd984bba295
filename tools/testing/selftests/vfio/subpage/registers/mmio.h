/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Single accesses of an exact width to a mapped BAR: volatile, so that the
 * compiler neither drops, repeats, splits nor merges them, and ordered against
 * memory as the kernel's readl() and writel() are (Documentation/memory-barriers.txt
 * of the kernel, "KERNEL I/O BARRIER EFFECTS"). PCI is little endian.
 */
#ifndef SUBPAGE_MMIO_H
#define SUBPAGE_MMIO_H

#include <endian.h>

#include "types.h"

/*
 * A read is done before later accesses to memory; on arm64, where a branch that
 * depends on the value says so, also before later reads of the counter.
 */
static inline void mmio_after_read(u64 value)
{
#if defined(__aarch64__)
	u64 zero;

	__asm__ __volatile__("dmb oshld\n\teor %0, %1, %1\n\tcbnz %0, ."
			     : "=r" (zero) : "r" (value) : "memory");
#elif defined(__x86_64__)
	/* Memory that is not cached is not reordered there. */
	__asm__ __volatile__("" : : : "memory");
#else
	__sync_synchronize();
#endif
}

/* Earlier accesses to memory are done before a write. */
static inline void mmio_before_write(void)
{
#if defined(__aarch64__)
	__asm__ __volatile__("dmb oshst" : : : "memory");
#elif defined(__x86_64__)
	__asm__ __volatile__("" : : : "memory");
#else
	__sync_synchronize();
#endif
}

#define mmio_raw_read(type, address)		(*(const __volatile__ type *)(address))
#define mmio_raw_write(type, address, value)	(*(__volatile__ type *)(address) = (value))

/* Values are in the byte order of the CPU, widths 1, 2, 4 or 8 bytes. */
static inline u64 mmio_read(const void *address, unsigned int width)
{
	u64 value;

	switch (width) {
	case 1:
		value = mmio_raw_read(u8, address);
		break;
	case 2:
		value = le16toh(mmio_raw_read(u16, address));
		break;
	case 4:
		value = le32toh(mmio_raw_read(u32, address));
		break;
	default:
		value = le64toh(mmio_raw_read(u64, address));
	}
	mmio_after_read(value);
	return value;
}

static inline void mmio_write(void *address, unsigned int width, u64 value)
{
	mmio_before_write();
	switch (width) {
	case 1:
		mmio_raw_write(u8, address, value);
		break;
	case 2:
		mmio_raw_write(u16, address, htole16(value));
		break;
	case 4:
		mmio_raw_write(u32, address, htole32(value));
		break;
	default:
		mmio_raw_write(u64, address, htole64(value));
	}
}

#endif
