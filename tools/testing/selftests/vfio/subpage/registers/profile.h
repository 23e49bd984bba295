/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SUBPAGE_PROFILE_H
#define SUBPAGE_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "error.h"
#include "types.h"

/**
 * DOC: profiles
 *
 * Registers have side effects: a read can clear, a write can start something.
 * Which registers are safe to touch is data. A profile is a text file
 * ``*.profile`` for one device or family, read line by line; ``#`` starts a
 * comment that runs to the end of the line, and empty lines mean nothing::
 *
 *	profile  = { [ line ] newline }
 *	line     = device | class | name | register
 *	device   = "device" VENDOR ":" ( DEVICE | "*" )
 *	class    = "class" CLASS
 *	name     = "name" TEXT
 *	register = "register" { KEY "=" VALUE }
 *
 * VENDOR and DEVICE are 1 to 4 hexadecimal digits, CLASS is 6 (the 24-bit
 * class code). There may be several device and class lines, at most one name,
 * and all registers belong to all of the devices; the first register stands
 * after the first device or class. Numbers are decimal, or hexadecimal with a
 * leading 0x. The keys of a register, each at most once and in any order:
 *
 * ``bar=N``
 *	0 to 5; required.
 * ``offset=N``
 *	bytes from the start of the BAR, a multiple of the width; required.
 * ``width=N``
 *	1, 2, 4 or 8 bytes; required.
 * ``access=ro|rw``
 *	``ro``: reading has no effect and gives the same value each time.
 *	``rw``: writing any value has no effect either, but for the value that
 *	is read back; required.
 * ``readback=same|inverted``
 *	what a read gives after a write; required for ``rw``, and only there.
 * ``value=N``, ``mask=N``
 *	what is read, in the bits that are set in the mask (all, without a
 *	mask); only for ``ro``. Without a value, all ones is taken to mean that
 *	nobody answers.
 *
 * No two registers of a file have the same BAR, offset and width.
 */

#define PROFILE_ANY_DEVICE	(-1)

/* What a register gives after it was written. */
enum readback {
	READBACK_NONE,		/* it must not be written */
	READBACK_SAME,
	READBACK_INVERTED,
};

/**
 * struct safe_register - a register that may be touched
 * @bar: number of the BAR
 * @width: bytes
 * @offset: from the start of the BAR, bytes
 * @readback: whether it may be written, and how it then reads
 * @value: what it reads, under @mask
 * @mask: which bits of @value are known; 0 for none
 */
struct safe_register {
	unsigned int bar;
	unsigned int width;
	u64 offset;
	enum readback readback;
	u64 value;
	u64 mask;
};

/* No two of them have the same BAR, offset and width. Zeroed, it is empty. */
struct register_list {
	struct safe_register *reg;
	size_t nr;
};

/* All bits of a register; also what is read where nobody answers. */
static inline u64 register_mask(unsigned int width)
{
	return U64_MAX >> (64 - width * 8);
}

/* What is read after @value was written, or was written if @value is read. */
static inline u64 register_mirror(const struct safe_register *reg, u64 value)
{
	return (reg->readback == READBACK_INVERTED ? ~value : value) & register_mask(reg->width);
}

/* All ones mean that nobody answers, unless the register may hold them. */
static inline bool register_answers(const struct safe_register *reg, u64 value)
{
	return reg->mask || reg->readback != READBACK_NONE || value != register_mask(reg->width);
}

/* Ids of devices, or a class of them. */
struct profile_match {
	bool is_class;
	unsigned int vendor;
	int device;		/* or PROFILE_ANY_DEVICE */
	unsigned int class;	/* 24 bits */
};

/* A device or family of devices. */
struct profile {
	char name[64];		/* for people, may be empty */
	struct profile_match *match;
	size_t nr_match;
	struct register_list list;
};

/* The profiles of a directory, ordered by file name. */
struct profile_set {
	struct profile *profile;
	size_t nr;
};

/* Frees the registers. The list is empty afterwards. */
void register_list_free(struct register_list *list);

/*
 * Adds a register, unless one of the same place is there. Returns 1 if it was
 * added, 0 if not, or -1.
 */
int register_list_add(struct register_list *list, const struct safe_register *reg,
		      struct error *err);

/* A decimal number, or a hexadecimal one after 0x; without a sign and blanks. */
bool profile_parse_number(const char *text, u64 *number);

/* Parses what follows "register" in a line. Errors name no file. Returns 0 or -1. */
int profile_parse_register(const char *text, struct safe_register *reg, struct error *err);

/*
 * Parses one profile. @path is its name in errors, FILE:LINE: what is wrong. Fills
 * in @profile, which profile_free() frees. Returns 0 or -1.
 */
int profile_parse(FILE *file, const char *path, struct profile *profile, struct error *err);

void profile_free(struct profile *profile);

/* Reads every *.profile of a directory, for profile_set_free(). Returns 0 or -1. */
int profile_set_load(const char *dir, struct profile_set *set, struct error *err);

void profile_set_free(struct profile_set *set);

/**
 * profile_set_registers() - add the safe registers of one BAR to a list
 * @set: the profiles
 * @vendor: vendor id of the device
 * @device: device id
 * @class: 24-bit class code
 * @bar: number of the BAR
 * @list: registers of profiles that name the device come before those of profiles
 *	that name its vendor or class; what is there already stays as it is
 * @err: set on failure
 *
 * Return: 0 or -1.
 */
int profile_set_registers(const struct profile_set *set, unsigned int vendor,
			  unsigned int device, unsigned int class, unsigned int bar,
			  struct register_list *list, struct error *err);

/*
 * The name of a device, from the profile that names it most closely and has one;
 * else an empty string. Lives as long as the set.
 */
const char *profile_set_name(const struct profile_set *set, unsigned int vendor,
			     unsigned int device, unsigned int class);

#endif
