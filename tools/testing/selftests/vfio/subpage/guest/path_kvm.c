// SPDX-License-Identifier: GPL-2.0-only
/*
 * A register as the guest of a virtual machine reaches it: through a mapping of
 * its page, through the VMM, or, for writes, through an eventfd that VFIO waits
 * for in the kernel.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "device/vfio_device.h"
#include "guest/kvm_guest.h"
#include "measure/path.h"

/**
 * struct kvm_path - a path of one of these kinds
 * @guest: the machine
 * @target: the register
 * @work: one operation of the guest on it
 * @doorbell: the eventfd, -1 if there is none
 */
struct kvm_path {
	struct kvm_guest guest;
	const struct path_target *target;
	struct kvm_work work;
	int doorbell;
};

static int serve_through_file(const void *data, bool write, u64 *value)
{
	const struct path_target *target = data;

	if (write)
		return vfio_register_write(target->device, &target->reg, *value);

	return vfio_register_read(target->device, &target->reg, value);
}

static u64 expected_exits(const struct kvm_path *kp, u64 n, bool access)
{
	if (!kp->work.serve || !access)
		return 0;

	return kp->target->op == PATH_WRITE_READ ? 2 * n : n;
}

static int run_guest(struct kvm_path *kp, u64 n, bool access, struct kvm_done *done,
		     struct error *err)
{
	struct kvm_work work = kp->work;
	u64 exits = expected_exits(kp, n, access);

	work.n = n;
	work.access = access;
	if (kvm_guest_run(&kp->guest, &work, done, err))
		return -1;
	if (done->exits != exits)
		return error_set(err, "%llu accesses left the guest instead of %llu", done->exits,
				 exits);

	done->last &= register_mask(kp->target->reg.width);
	return 0;
}

static enum path_state connect_mapped(struct kvm_path *kp, struct error *why)
{
	u8 *address = vfio_register_address(kp->target->device, &kp->target->reg);
	u8 *page = address - kp->target->reg.offset % getpagesize();

	return kvm_guest_map(&kp->guest, page, getpagesize(), why) ? PATH_FAILED : PATH_OPEN;
}

static enum path_state connect_trapped(struct kvm_path *kp, struct error *why)
{
	(void)why;
	kp->work.serve = serve_through_file;
	kp->work.data = kp->target;
	return PATH_OPEN;
}

/*
 * VFIO: what a signal writes; the flag for a width is the width. Without an fd,
 * what has the same offset, data and width is removed.
 */
static int set_vfio_doorbell(const struct path_target *target, int fd)
{
	struct vfio_device_ioeventfd ring = {
		.argsz = sizeof(ring),
		.flags = target->reg.width,
		.offset = target->device->bar[target->reg.bar].info.offset + target->reg.offset,
		.data = target->value & register_mask(target->reg.width),
		.fd = fd,
	};

	return ioctl(target->device->fd, VFIO_DEVICE_IOEVENTFD, &ring);
}

/* KVM: which write signals it. */
static int set_kvm_doorbell(const struct kvm_path *kp, unsigned int flags)
{
	struct kvm_ioeventfd ring = {
		.datamatch = kp->target->value & register_mask(kp->target->reg.width),
		.addr = kp->work.address,
		.len = kp->target->reg.width,
		.fd = kp->doorbell,
		.flags = KVM_IOEVENTFD_FLAG_DATAMATCH | flags,
	};

	return ioctl(kp->guest.vm, KVM_IOEVENTFD, &ring);
}

static enum path_state connect_doorbell(struct kvm_path *kp, struct error *why)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0) {
		error_set(why, "no eventfd: %s", strerror(errno));
		return PATH_FAILED;
	}
	if (set_vfio_doorbell(kp->target, fd)) {
		error_set(why, "VFIO_DEVICE_IOEVENTFD, %u bytes: %s", kp->target->reg.width,
			  strerror(errno));
		close(fd);
		return PATH_MISSING;
	}

	kp->doorbell = fd;
	if (!set_kvm_doorbell(kp, 0))
		return PATH_OPEN;

	error_set(why, "KVM_IOEVENTFD: %s", strerror(errno));
	return PATH_FAILED;
}

/* Where KVM never took it, taking it back changes nothing. */
static void disconnect_doorbell(struct kvm_path *kp)
{
	set_kvm_doorbell(kp, KVM_IOEVENTFD_FLAG_DEASSIGN);
	set_vfio_doorbell(kp->target, -1);
	close(kp->doorbell);
}

static void kvm_close(struct path *path)
{
	struct kvm_path *kp = path->priv;

	if (kp->doorbell >= 0)
		disconnect_doorbell(kp);
	kvm_guest_destroy(&kp->guest);
	free(kp);
	path->priv = NULL;
}

/* A guest that does nothing: whether KVM works is seen by using it only. */
static int make_guest(struct kvm_path *kp, struct error *why)
{
	struct kvm_done done;
	struct error reason;

	if (kvm_guest_create(&kp->guest, why))
		return -1;
	if (!run_guest(kp, 1, false, &done, &reason))
		return 0;

	kvm_guest_destroy(&kp->guest);
	return error_set(why, "KVM does not run a guest here: %s", reason.text);
}

static struct kvm_path *new_path(const struct path_target *target)
{
	struct kvm_path *kp = calloc(1, sizeof(*kp));

	if (!kp)
		return NULL;

	kp->target = target;
	kp->doorbell = -1;
	kp->work.op = target->op;
	kp->work.width = target->reg.width;
	kp->work.address = KVM_GUEST_DEVICE + target->reg.offset % getpagesize();
	kp->work.value = target->value;
	return kp;
}

static enum path_state kvm_open(struct path *path, const struct path_target *target,
				enum path_state (*connect)(struct kvm_path *, struct error *),
				struct error *why)
{
	enum path_state state;
	struct kvm_path *kp;

	kp = new_path(target);
	if (!kp) {
		error_set(why, "no memory for a guest");
		return PATH_FAILED;
	}
	if (make_guest(kp, why)) {
		free(kp);
		return PATH_MISSING;
	}

	path->priv = kp;
	state = connect(kp, why);
	if (state != PATH_OPEN)
		kvm_close(path);
	return state;
}

static enum path_state open_mapped(struct path *path, const struct path_target *target,
				   struct error *why)
{
	if (!vfio_register_address(target->device, &target->reg)) {
		error_set(why, "the BAR is trapped: it cannot be mapped");
		return PATH_INAPPLICABLE;
	}
	return kvm_open(path, target, connect_mapped, why);
}

static enum path_state open_trapped(struct path *path, const struct path_target *target,
				    struct error *why)
{
	return kvm_open(path, target, connect_trapped, why);
}

static enum path_state open_ioeventfd(struct path *path, const struct path_target *target,
				      struct error *why)
{
	if (target->op != PATH_WRITE) {
		error_set(why, "an eventfd can only be written");
		return PATH_INAPPLICABLE;
	}
	return kvm_open(path, target, connect_doorbell, why);
}

static int kvm_run_path(const struct path *path, u64 n, bool access, struct path_done *done,
			struct error *err)
{
	struct kvm_done guest;

	if (run_guest(path->priv, n, access, &guest, err))
		return -1;

	done->ticks = guest.ticks;
	done->last = guest.last;
	return 0;
}

const struct path_ops path_kvm_mapped = {
	.name = "kvm-mapped",
	.open = open_mapped,
	.run = kvm_run_path,
	.close = kvm_close,
};

const struct path_ops path_kvm_trapped = {
	.name = "kvm-trapped",
	.open = open_trapped,
	.run = kvm_run_path,
	.close = kvm_close,
};

const struct path_ops path_kvm_ioeventfd = {
	.name = "kvm-ioeventfd",
	.open = open_ioeventfd,
	.run = kvm_run_path,
	.close = kvm_close,
};
