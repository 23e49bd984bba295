/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the guests of several architectures: their program, and
 * the state of the CPU.
 */
#ifndef SUBPAGE_KVM_GUEST_ARCH_H
#define SUBPAGE_KVM_GUEST_ARCH_H

#include "guest/kvm_guest.h"

/* Guest physical addresses and sizes, multiples of any page size. */
#define KVM_GUEST_RAM		0x40000000ULL
#define KVM_GUEST_RAM_SIZE	0x10000ULL

/*
 * The program starts at KVM_GUEST_RAM, and its parts have this size. The first
 * waits for work and says when it is done, the second is the loop without an
 * access; one for each operation and width follows.
 */
#define KVM_GUEST_PART		64
#define KVM_GUEST_NR_PARTS	(2 + PATH_NR_OPS * 4)

/*
 * The program, with @wait as its first part. LOOP() makes a part of an access; the
 * architecture defines it and READ_8 to WRITE_64.
 */
#define KVM_GUEST_PROGRAM(wait)						\
	"	.pushsection .rodata\n"					\
	"	.balign 64\n"						\
	"	.globl kvm_arch_program\n"				\
	"kvm_arch_program:\n"						\
	wait								\
	"	.org kvm_arch_program + 64\n"				\
	LOOP(" ")							\
	LOOP(READ_8) LOOP(READ_16) LOOP(READ_32) LOOP(READ_64)		\
	LOOP(WRITE_8) LOOP(WRITE_16) LOOP(WRITE_32) LOOP(WRITE_64)	\
	LOOP(WRITE_8 READ_8) LOOP(WRITE_16 READ_16)			\
	LOOP(WRITE_32 READ_32) LOOP(WRITE_64 READ_64)			\
	"	.popsection\n"

extern const u8 kvm_arch_program[KVM_GUEST_NR_PARTS * KVM_GUEST_PART];

/* The machine type for KVM_CREATE_VM. */
unsigned long kvm_arch_vm_type(int kvm);

/* Brings a new CPU to the start of the program, which is in memory already. */
int kvm_arch_boot(struct kvm_guest *guest, struct error *err);

/*
 * Fills in the registers that the program looks at, while it waits for work. @loop
 * is guest physical.
 */
int kvm_arch_set_work(struct kvm_guest *guest, const struct kvm_work *work, u64 loop,
		      struct error *err);

/* Whether the guest left because all work is done. */
bool kvm_arch_is_done(const struct kvm_run *run);

/* What was read last. Bits above the register's width mean nothing. */
int kvm_arch_get_last(struct kvm_guest *guest, u64 *last, struct error *err);

#endif
