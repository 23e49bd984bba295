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

/**
 * enum readback - what a register gives after it was written
 * @READBACK_NONE: it must not be written
 * @READBACK_SAME: the value
 * @READBACK_INVERTED: its complement
 */
enum readback {
	READBACK_NONE,
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

/**
 * register_mask() - all bits of a register
 * @width: 1, 2, 4 or 8 bytes
 *
 * Return: the mask; also what is read where nobody answers.
 */
static inline u64 register_mask(unsigned int width)
{
	return U64_MAX >> (64 - width * 8);
}

/**
 * register_mirror() - what is read after a write, or was written if this is read
 * @reg: a register that may be written
 * @value: what is written, or read
 *
 * Return: the other one.
 */
static inline u64 register_mirror(const struct safe_register *reg, u64 value)
{
	return (reg->readback == READBACK_INVERTED ? ~value : value) & register_mask(reg->width);
}

/**
 * register_answers() - whether a device gave a value, or nobody did
 * @reg: the register
 * @value: what was read
 *
 * Return: false for all ones, unless it may hold them.
 */
static inline bool register_answers(const struct safe_register *reg, u64 value)
{
	return reg->mask || reg->readback != READBACK_NONE || value != register_mask(reg->width);
}

/**
 * struct profile_match - a device or a class of devices
 * @is_class: match @class, not @vendor and @device
 * @vendor: vendor id
 * @device: device id, or PROFILE_ANY_DEVICE
 * @class: 24-bit class code
 */
struct profile_match {
	bool is_class;
	unsigned int vendor;
	int device;
	unsigned int class;
};

/**
 * struct profile - one profile file
 * @name: for people; "" if the file has none
 * @match: the devices
 * @nr_match: how many
 * @reg: their registers
 * @nr_reg: how many
 */
struct profile {
	char name[64];
	struct profile_match *match;
	size_t nr_match;
	struct safe_register *reg;
	size_t nr_reg;
};

/**
 * struct profile_set - the profiles of a directory
 * @profile: the profiles, ordered by file name
 * @nr: how many
 */
struct profile_set {
	struct profile *profile;
	size_t nr;
};

/**
 * profile_parse() - parse one profile
 * @file: its text
 * @path: its name, for errors
 * @profile: filled in; to be freed with profile_free()
 * @err: set on failure, as ``FILE:LINE: what is wrong``
 *
 * Return: 0 or -1.
 */
int profile_parse(FILE *file, const char *path, struct profile *profile, struct error *err);

/**
 * profile_parse_register() - parse the keys of a register line
 * @text: ``bar=0 offset=0x0 width=4 access=ro``; what follows "register"
 * @reg: filled in
 * @err: set on failure, without a file name
 *
 * Return: 0 or -1.
 */
int profile_parse_register(const char *text, struct safe_register *reg, struct error *err);

/**
 * profile_free() - free a profile
 * @profile: empty afterwards
 */
void profile_free(struct profile *profile);

/**
 * profile_set_load() - read every ``*.profile`` of a directory
 * @dir: the directory
 * @set: filled in; to be freed with profile_set_free()
 * @err: set on failure
 *
 * Return: 0 or -1.
 */
int profile_set_load(const char *dir, struct profile_set *set, struct error *err);

/**
 * profile_set_free() - free all profiles
 * @set: empty afterwards
 */
void profile_set_free(struct profile_set *set);

/**
 * profile_set_registers() - the safe registers of one BAR
 * @set: the profiles
 * @vendor: vendor id of the device
 * @device: device id
 * @class: 24-bit class code
 * @bar: number of the BAR
 * @reg: filled in: registers of profiles that name the device come before
 *	those that name its vendor or class
 * @max: room in @reg
 *
 * Return: how many were filled in.
 */
size_t profile_set_registers(const struct profile_set *set, unsigned int vendor,
			     unsigned int device, unsigned int class, unsigned int bar,
			     struct safe_register *reg, size_t max);

#endif
