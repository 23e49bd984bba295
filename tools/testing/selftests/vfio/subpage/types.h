/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SUBPAGE_TYPES_H
#define SUBPAGE_TYPES_H

/* The kernel's names. The largest one always prints with %llu and %llx. */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define U32_MAX		(~0U)
#define U64_MAX		(~0ULL)

#endif
