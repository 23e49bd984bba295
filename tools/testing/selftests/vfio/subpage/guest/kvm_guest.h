/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtual machine of one CPU, whose program does nothing but access one
 * register, again and again.
 */
#ifndef SUBPAGE_KVM_GUEST_H
#define SUBPAGE_KVM_GUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"
#include "measure/path.h"
#include "types.h"

/* Where the guest sees the device: a multiple of any page size. */
#define KVM_GUEST_DEVICE	0x50000000ULL

struct kvm_run;

struct kvm_guest {
	int kvm;		/* /dev/kvm */
	int vm;
	int vcpu;
	struct kvm_run *run;	/* what KVM shares about the CPU */
	size_t run_size;
	void *ram;		/* KVM_GUEST_RAM_SIZE bytes */
	bool lost;		/* left in the middle of the program, and cannot go on */
};

/**
 * struct kvm_work - what the guest is to do
 * @n: how often
 * @access: false: an empty loop of @n rounds
 * @op: one operation
 * @width: of the register, 1, 2, 4 or 8 bytes
 * @address: of the register, guest physical
 * @value: what the guest writes
 * @serve: does an access that left the guest, with the value in the byte order of
 *	the CPU; 0 or a negative errno. NULL if no access should leave.
 * @data: for @serve
 */
struct kvm_work {
	u64 n;
	bool access;
	enum path_op op;
	unsigned int width;
	u64 address;
	u64 value;
	int (*serve)(const void *data, bool write, u64 *value);
	const void *data;
};

/**
 * struct kvm_done - what the guest has done
 * @ticks: of cycles.h, from entering the guest until all was done
 * @exits: how many accesses left the guest
 * @last: what was read last
 */
struct kvm_done {
	u64 ticks;
	u64 exits;
	u64 last;
};

/* Makes a machine that waits for work. On failure @why says what is missing. */
int kvm_guest_create(struct kvm_guest *guest, struct error *why);

void kvm_guest_destroy(struct kvm_guest *guest);

/*
 * Maps memory of this process at KVM_GUEST_DEVICE: accesses no longer leave the guest.
 * Returns 0 or a negative errno: KVM takes whole pages only.
 */
int kvm_guest_map(struct kvm_guest *guest, void *memory, size_t size, struct error *err);

/* Lets the guest work. After a failure the guest is lost. */
int kvm_guest_run(struct kvm_guest *guest, const struct kvm_work *work,
		  struct kvm_done *done, struct error *err);

#endif
