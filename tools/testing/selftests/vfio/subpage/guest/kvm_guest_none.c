// SPDX-License-Identifier: GPL-2.0-only
/*
 * Architectures that no guest is written for.
 */
#if !defined(__x86_64__) && !defined(__aarch64__)
#include "guest/kvm_guest_arch.h"

const u8 kvm_arch_program[KVM_GUEST_NR_PARTS * KVM_GUEST_PART];

unsigned long kvm_arch_vm_type(int kvm)
{
	return 0;
}

int kvm_arch_boot(struct kvm_guest *guest, struct error *err)
{
	return error_set(err, "no KVM guest is written for this architecture");
}

int kvm_arch_set_work(struct kvm_guest *guest, const struct kvm_work *work, u64 loop,
		      struct error *err)
{
	return kvm_arch_boot(guest, err);
}

bool kvm_arch_is_done(const struct kvm_run *run)
{
	return false;
}

int kvm_arch_get_last(struct kvm_guest *guest, u64 *last, struct error *err)
{
	*last = 0;
	return kvm_arch_boot(guest, err);
}
#endif
