// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "device/open_error.h"
#include "guest/kvm_guest.h"
#include "guest/kvm_guest_arch.h"
#include "measure/cycles.h"

#define KVM		"/dev/kvm"

enum memory_slot {
	SLOT_RAM,
	SLOT_DEVICE
};

static const char *exit_name(unsigned int reason)
{
	static const char * const name[] = {
		[KVM_EXIT_UNKNOWN] = "KVM_EXIT_UNKNOWN",
		[KVM_EXIT_EXCEPTION] = "KVM_EXIT_EXCEPTION",
		[KVM_EXIT_IO] = "KVM_EXIT_IO",
		[KVM_EXIT_HLT] = "KVM_EXIT_HLT",
		[KVM_EXIT_MMIO] = "KVM_EXIT_MMIO",
		[KVM_EXIT_SHUTDOWN] = "KVM_EXIT_SHUTDOWN",
		[KVM_EXIT_FAIL_ENTRY] = "KVM_EXIT_FAIL_ENTRY",
		[KVM_EXIT_INTR] = "KVM_EXIT_INTR",
		[KVM_EXIT_INTERNAL_ERROR] = "KVM_EXIT_INTERNAL_ERROR",
		[KVM_EXIT_SYSTEM_EVENT] = "KVM_EXIT_SYSTEM_EVENT",
		[KVM_EXIT_ARM_NISV] = "KVM_EXIT_ARM_NISV",
	};

	return reason < sizeof(name) / sizeof(*name) && name[reason] ? name[reason] : "unknown";
}

static u64 exit_detail(const struct kvm_run *run)
{
	switch (run->exit_reason) {
	case KVM_EXIT_UNKNOWN:
		return run->hw.hardware_exit_reason;
	case KVM_EXIT_MMIO:
		return run->mmio.phys_addr;
	case KVM_EXIT_FAIL_ENTRY:
		return run->fail_entry.hardware_entry_failure_reason;
	case KVM_EXIT_INTERNAL_ERROR:
		return run->internal.suberror;
	case KVM_EXIT_SYSTEM_EVENT:
		return run->system_event.type;
	case KVM_EXIT_ARM_NISV:
		return run->arm_nisv.fault_ipa;
	default:
		return 0;
	}
}

static int unexpected_exit(const struct kvm_run *run, struct error *err)
{
	return error_set(err, "the guest left with exit reason %u, %s (%#llx)",
			 run->exit_reason, exit_name(run->exit_reason), exit_detail(run));
}

static int set_memory(struct kvm_guest *guest, enum memory_slot slot, u64 address, void *memory,
		      size_t size)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = address,
		.memory_size = size,
		.userspace_addr = (unsigned long)memory,
	};

	return ioctl(guest->vm, KVM_SET_USER_MEMORY_REGION, &region);
}

static int create_ram(struct kvm_guest *guest, struct error *why)
{
	void *ram = mmap(NULL, KVM_GUEST_RAM_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (ram == MAP_FAILED)
		return error_set(why, "no memory for a guest");

	guest->ram = ram;
	memcpy(ram, kvm_arch_program, sizeof(kvm_arch_program));
	if (set_memory(guest, SLOT_RAM, KVM_GUEST_RAM, ram, KVM_GUEST_RAM_SIZE))
		return error_set(why, KVM " gives a guest no memory: %s", strerror(errno));

	return 0;
}

static int create_vcpu(struct kvm_guest *guest, struct error *why)
{
	int size = ioctl(guest->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	void *run;

	guest->vcpu = ioctl(guest->vm, KVM_CREATE_VCPU, 0);
	if (guest->vcpu < 0)
		return error_set(why, KVM " gives a guest no CPU: %s", strerror(errno));

	run = size < 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
					   guest->vcpu, 0);
	if (run == MAP_FAILED)
		return error_set(why, KVM ": cannot map a CPU: %s", strerror(errno));

	guest->run = run;
	guest->run_size = size;
	return 0;
}

static int create_parts(struct kvm_guest *guest, struct error *why)
{
	guest->kvm = open(KVM, O_RDWR | O_CLOEXEC);
	if (guest->kvm < 0)
		return file_open_error(KVM, errno, why);

	guest->vm = ioctl(guest->kvm, KVM_CREATE_VM, kvm_arch_vm_type(guest->kvm));
	if (guest->vm < 0)
		return error_set(why, KVM " makes no guest: %s", strerror(errno));
	if (create_ram(guest, why) || create_vcpu(guest, why))
		return -1;

	return kvm_arch_boot(guest, why);
}

int kvm_guest_create(struct kvm_guest *guest, struct error *why)
{
	*guest = (struct kvm_guest) { .kvm = -1, .vm = -1, .vcpu = -1 };

	if (!create_parts(guest, why))
		return 0;

	kvm_guest_destroy(guest);
	return -1;
}

void kvm_guest_destroy(struct kvm_guest *guest)
{
	if (guest->run)
		munmap(guest->run, guest->run_size);
	if (guest->vcpu >= 0)
		close(guest->vcpu);
	if (guest->vm >= 0)
		close(guest->vm);
	if (guest->ram)
		munmap(guest->ram, KVM_GUEST_RAM_SIZE);
	if (guest->kvm >= 0)
		close(guest->kvm);
}

int kvm_guest_map(struct kvm_guest *guest, void *memory, size_t size, struct error *err)
{
	int ret = set_memory(guest, SLOT_DEVICE, KVM_GUEST_DEVICE, memory, size) ? -errno : 0;

	if (ret)
		error_set(err, KVM " does not take %zu bytes of the BAR: %s", size,
			  strerror(-ret));
	return ret;
}

/* Loops are ordered by operation, then by width. */
static u64 loop_address(const struct kvm_work *work)
{
	unsigned int part = 1;

	if (work->access)
		part = 2 + work->op * 4 + __builtin_ctz(work->width);

	return KVM_GUEST_RAM + part * KVM_GUEST_PART;
}

/* KVM shows the bytes as they would lie in memory: the guest is little endian. */
static int serve(struct kvm_run *run, const struct kvm_work *work, struct error *err)
{
	u64 raw = 0, value;
	int ret;

	if (run->mmio.phys_addr != work->address || run->mmio.len != work->width)
		return unexpected_exit(run, err);

	memcpy(&raw, run->mmio.data, work->width);
	value = le64toh(raw);
	ret = work->serve(work->data, run->mmio.is_write, &value);
	if (ret)
		return error_set(err, "an access that left the guest: %s", strerror(-ret));

	raw = htole64(value);
	if (!run->mmio.is_write)
		memcpy(run->mmio.data, &raw, work->width);
	return 0;
}

static int run_until_done(struct kvm_guest *guest, const struct kvm_work *work, u64 *exits,
			  struct error *err)
{
	struct kvm_run *run = guest->run;

	for (;;) {
		if (ioctl(guest->vcpu, KVM_RUN, 0)) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			return error_set(err, "KVM_RUN: %s", strerror(errno));
		}
		if (kvm_arch_is_done(run))
			return 0;
		if (run->exit_reason != KVM_EXIT_MMIO || !work->serve)
			return unexpected_exit(run, err);
		if (serve(run, work, err))
			return -1;
		(*exits)++;
	}
}

int kvm_guest_run(struct kvm_guest *guest, const struct kvm_work *work,
		  struct kvm_done *done, struct error *err)
{
	u64 start;

	*done = (struct kvm_done) { 0 };
	if (guest->lost)
		return error_set(err, "the guest did not come to its end before");
	if (kvm_arch_set_work(guest, work, loop_address(work), err))
		return -1;

	start = cycles_start();
	if (run_until_done(guest, work, &done->exits, err)) {
		guest->lost = true;
		return -1;
	}
	done->ticks = cycles_end() - start;

	return kvm_arch_get_last(guest, &done->last, err);
}
