// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest on arm64: EL1 as after a reset, MMU off. All its data accesses are
 * then Device-nGnRnE: each is done once, in order, and with its width.
 */
#ifdef __aarch64__
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/kvm.h>

#include "guest/kvm_guest_arch.h"

/* Nothing is there: a write leaves the guest. */
#define DONE_AT		0x60000000ULL

/* KVM's default, which not every CPU has. */
#define MAX_IPA_BITS	40

/* The numbers of general-purpose registers that the program uses. */
enum {
	X_N,
	X_ADDRESS,
	X_VALUE,
	X_LOOP,
	X_DONE_AT,
	X_LAST,
};

#define CORE_REG(name)	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | \
			 KVM_REG_ARM_CORE_REG(name))
#define X_REG(number)	(CORE_REG(regs.regs[0]) + (number) * sizeof(u64) / sizeof(u32))

/*
 * A read must not start before the one before has its value, so its address
 * depends on that: X6 is always 0. KVM moves on behind the write that says
 * "done" when it enters the guest the next time.
 */
#define LOOP(body)	"1:" body						\
			" eor x6, x5, x5\n add x1, x1, x6\n subs x0, x0, #1\n"	\
			" b.ne 1b\n b kvm_guest_done\n .org 1b + 64\n"
#define READ_8		" ldrb w5, [x1]\n"
#define READ_16		" ldrh w5, [x1]\n"
#define READ_32		" ldr w5, [x1]\n"
#define READ_64		" ldr x5, [x1]\n"
#define WRITE_8		" strb w2, [x1]\n"
#define WRITE_16	" strh w2, [x1]\n"
#define WRITE_32	" str w2, [x1]\n"
#define WRITE_64	" str x2, [x1]\n"

__asm__(KVM_GUEST_PROGRAM("	cbz x0, kvm_guest_done\n"
			  "	br x3\n"
			  "kvm_guest_done:\n"
			  "	str wzr, [x4]\n"
			  "	b kvm_arch_program\n"));

unsigned long kvm_arch_vm_type(int kvm)
{
	int bits = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);

	return bits > 0 && bits < MAX_IPA_BITS ? KVM_VM_TYPE_ARM_IPA_SIZE(bits) : 0;
}

static int set_register(struct kvm_guest *guest, u64 id, u64 value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (unsigned long)&value };

	return ioctl(guest->vcpu, KVM_SET_ONE_REG, &reg);
}

int kvm_arch_boot(struct kvm_guest *guest, struct error *err)
{
	struct kvm_vcpu_init init;

	if (ioctl(guest->vm, KVM_ARM_PREFERRED_TARGET, &init) ||
	    ioctl(guest->vcpu, KVM_ARM_VCPU_INIT, &init) ||
	    set_register(guest, CORE_REG(regs.pc), KVM_GUEST_RAM) ||
	    set_register(guest, X_REG(X_DONE_AT), DONE_AT))
		return error_set(err, "KVM's CPU cannot be set up: %s", strerror(errno));

	return 0;
}

int kvm_arch_set_work(struct kvm_guest *guest, const struct kvm_work *work, u64 loop,
		      struct error *err)
{
	if (set_register(guest, X_REG(X_N), work->n) ||
	    set_register(guest, X_REG(X_ADDRESS), work->address) ||
	    set_register(guest, X_REG(X_VALUE), work->value) ||
	    set_register(guest, X_REG(X_LOOP), loop) ||
	    set_register(guest, X_REG(X_LAST), 0))
		return error_set(err, "registers of the guest: %s", strerror(errno));

	return 0;
}

bool kvm_arch_is_done(const struct kvm_run *run)
{
	return run->exit_reason == KVM_EXIT_MMIO && run->mmio.phys_addr == DONE_AT;
}

int kvm_arch_get_last(struct kvm_guest *guest, u64 *last, struct error *err)
{
	struct kvm_one_reg reg = { .id = X_REG(X_LAST), .addr = (unsigned long)last };

	if (ioctl(guest->vcpu, KVM_GET_ONE_REG, &reg))
		return error_set(err, "registers of the guest: %s", strerror(errno));

	return 0;
}
#endif
