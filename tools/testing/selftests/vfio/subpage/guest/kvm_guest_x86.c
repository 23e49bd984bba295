// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest on x86: 64-bit mode from the start, with three page tables that
 * show its memory and the device where they are. Any exception is one too many,
 * as there is no handler for it: KVM reports a shutdown.
 */
#ifdef __x86_64__
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/kvm.h>

#include "guest/kvm_guest_arch.h"

/* Offsets in the guest's memory; the program is below. */
#define PML4_AT		0x1000
#define PDPT_AT		0x2000
#define PD_AT		0x3000

#define PTE_PRESENT	0x01ULL
#define PTE_WRITE	0x02ULL
#define PTE_PWT		0x08ULL
#define PTE_PCD		0x10ULL
#define PTE_ACCESSED	0x20ULL
#define PTE_DIRTY	0x40ULL
#define PTE_LARGE	0x80ULL
#define PTE_TABLE	(PTE_PRESENT | PTE_WRITE | PTE_ACCESSED)
#define PTE_MEMORY	(PTE_TABLE | PTE_DIRTY | PTE_LARGE)
/* AMD's nested paging leaves the memory type to the guest: uncached. */
#define PTE_DEVICE	(PTE_MEMORY | PTE_PWT | PTE_PCD)

#define CR0_PE		0x00000001ULL
#define CR0_ET		0x00000010ULL
#define CR0_NE		0x00000020ULL
#define CR0_WP		0x00010000ULL
#define CR0_PG		0x80000000ULL
#define CR4_PAE		0x20ULL
#define EFER_LME	0x100ULL
#define EFER_LMA	0x400ULL
#define RFLAGS_ONE	0x2ULL

#define MAX_CPUID	256

/*
 * RCX how often, RDX the loop, RDI where, RSI what is written, RAX what was
 * read. HLT with interrupts off leaves the guest, and the next entry goes on
 * behind it. Uncached accesses are strongly ordered: reads do not overlap.
 */
#define LOOP(body)	"1:" body " dec %rcx\n jnz 1b\n jmp kvm_guest_done\n .org 1b + 64\n"
#define READ_8		" movb (%rdi), %al\n"
#define READ_16		" movw (%rdi), %ax\n"
#define READ_32		" movl (%rdi), %eax\n"
#define READ_64		" movq (%rdi), %rax\n"
#define WRITE_8		" movb %sil, (%rdi)\n"
#define WRITE_16	" movw %si, (%rdi)\n"
#define WRITE_32	" movl %esi, (%rdi)\n"
#define WRITE_64	" movq %rsi, (%rdi)\n"

__asm__(KVM_GUEST_PROGRAM("	jrcxz kvm_guest_done\n"
			  "	jmp *%rdx\n"
			  "kvm_guest_done:\n"
			  "	hlt\n"
			  "	jmp kvm_arch_program\n"));

unsigned long kvm_arch_vm_type(int kvm)
{
	return 0;
}

static void set_entry(struct kvm_guest *guest, u64 table, unsigned int index, u64 entry)
{
	memcpy((u8 *)guest->ram + table + index * sizeof(entry), &entry, sizeof(entry));
}

/* Both addresses are in the second GiB, and multiples of 2 MiB. */
static void make_page_tables(struct kvm_guest *guest)
{
	set_entry(guest, PML4_AT, 0, (KVM_GUEST_RAM + PDPT_AT) | PTE_TABLE);
	set_entry(guest, PDPT_AT, KVM_GUEST_RAM >> 30, (KVM_GUEST_RAM + PD_AT) | PTE_TABLE);
	set_entry(guest, PD_AT, KVM_GUEST_RAM >> 21 & 0x1ff, KVM_GUEST_RAM | PTE_MEMORY);
	set_entry(guest, PD_AT, KVM_GUEST_DEVICE >> 21 & 0x1ff, KVM_GUEST_DEVICE | PTE_DEVICE);
}

/* Without, the CPU would not be one that has a 64-bit mode. */
static int set_cpuid(struct kvm_guest *guest)
{
	struct kvm_cpuid2 *cpuid;
	int ret;

	cpuid = calloc(1, sizeof(*cpuid) + MAX_CPUID * sizeof(cpuid->entries[0]));
	if (!cpuid)
		return -1;

	cpuid->nent = MAX_CPUID;
	ret = ioctl(guest->kvm, KVM_GET_SUPPORTED_CPUID, cpuid);
	if (!ret)
		ret = ioctl(guest->vcpu, KVM_SET_CPUID2, cpuid);
	free(cpuid);
	return ret;
}

static int set_system_registers(struct kvm_guest *guest)
{
	struct kvm_segment code = {
		.limit = U32_MAX, .selector = 8, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1,
	};
	struct kvm_segment data = {
		.limit = U32_MAX, .selector = 16, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1,
	};
	struct kvm_sregs sregs;

	if (ioctl(guest->vcpu, KVM_GET_SREGS, &sregs))
		return -1;

	sregs.cs = code;
	sregs.ds = data;
	sregs.es = data;
	sregs.fs = data;
	sregs.gs = data;
	sregs.ss = data;
	sregs.cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_WP | CR0_PG;
	sregs.cr3 = KVM_GUEST_RAM + PML4_AT;
	sregs.cr4 = CR4_PAE;
	sregs.efer = EFER_LME | EFER_LMA;
	return ioctl(guest->vcpu, KVM_SET_SREGS, &sregs);
}

int kvm_arch_boot(struct kvm_guest *guest, struct error *err)
{
	struct kvm_regs regs = {
		.rip = KVM_GUEST_RAM,
		.rflags = RFLAGS_ONE,
	};

	make_page_tables(guest);
	if (set_cpuid(guest) || set_system_registers(guest) ||
	    ioctl(guest->vcpu, KVM_SET_REGS, &regs))
		return error_set(err, "KVM has no CPU in 64-bit mode: %s", strerror(errno));

	return 0;
}

int kvm_arch_set_work(struct kvm_guest *guest, const struct kvm_work *work, u64 loop,
		      struct error *err)
{
	struct kvm_regs regs;

	if (ioctl(guest->vcpu, KVM_GET_REGS, &regs))
		return error_set(err, "registers of the guest: %s", strerror(errno));

	regs.rax = 0;
	regs.rcx = work->n;
	regs.rdx = loop;
	regs.rdi = work->address;
	regs.rsi = work->value;
	if (ioctl(guest->vcpu, KVM_SET_REGS, &regs))
		return error_set(err, "registers of the guest: %s", strerror(errno));

	return 0;
}

bool kvm_arch_is_done(const struct kvm_run *run)
{
	return run->exit_reason == KVM_EXIT_HLT;
}

int kvm_arch_get_last(struct kvm_guest *guest, u64 *last, struct error *err)
{
	struct kvm_regs regs;

	if (ioctl(guest->vcpu, KVM_GET_REGS, &regs))
		return error_set(err, "registers of the guest: %s", strerror(errno));

	*last = regs.rax;
	return 0;
}
#endif
