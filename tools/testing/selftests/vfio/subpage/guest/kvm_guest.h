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

/**
 * struct kvm_guest - a virtual machine
 * @kvm: /dev/kvm
 * @vm: the machine
 * @vcpu: its CPU
 * @run: what KVM shares about the CPU
 * @run_size: bytes of @run
 * @ram: its memory, KVM_GUEST_RAM_SIZE bytes
 * @lost: it was left in the middle of its program, and cannot go on
 */
struct kvm_guest {
	int kvm;
	int vm;
	int vcpu;
	struct kvm_run *run;
	size_t run_size;
	void *ram;
	bool lost;
};

/**
 * struct kvm_work - what the guest is to do
 * @n: how often
 * @access: false: nothing, that often
 * @op: one operation
 * @width: of the register, 1, 2, 4 or 8 bytes
 * @address: of the register, as the guest sees it
 * @value: what it writes
 * @serve: does an access that left the guest, with the value as the CPU sees it;
 *	0 or a negative errno. NULL if none should.
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
 * @ticks: of cycles.h, from entering the guest until it had done all
 * @exits: how many accesses left the guest
 * @last: what it read last
 */
struct kvm_done {
	u64 ticks;
	u64 exits;
	u64 last;
};

/**
 * kvm_guest_create() - make a machine, ready to run
 * @guest: filled in; to be destroyed with kvm_guest_destroy()
 * @why: set on failure: what is missing, or does not work
 *
 * Return: 0 or -1.
 */
int kvm_guest_create(struct kvm_guest *guest, struct error *why);

/**
 * kvm_guest_destroy() - undo kvm_guest_create()
 * @guest: the machine
 */
void kvm_guest_destroy(struct kvm_guest *guest);

/**
 * kvm_guest_map() - let the guest access a page without leaving
 * @guest: the machine
 * @page: one page of this process, seen at KVM_GUEST_DEVICE from now on
 * @err: set on failure
 *
 * Return: 0 or -1.
 */
int kvm_guest_map(struct kvm_guest *guest, void *page, struct error *err);

/**
 * kvm_guest_run() - let the guest work
 * @guest: the machine
 * @work: what it is to do
 * @done: filled in
 * @err: set on failure: it left for a reason that there should not be
 *
 * Return: 0 or -1.
 */
int kvm_guest_run(struct kvm_guest *guest, const struct kvm_work *work,
		  struct kvm_done *done, struct error *err);

#endif
