// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests how the BARs of VFIO devices can be mapped, above all those smaller
 * than a page: against what sysfs and /proc/iomem say about them, through both
 * paths, and against the clock.
 *
 * The devices stay bound to what they are bound to. Every BAR of every device
 * is a variant of the fixture, so a test is named like
 * bar.0000:01:00.0-bar0.mmap.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kselftest_harness.h"

#include "device/look.h"
#include "device/subject.h"
#include "device/vfio_backend.h"
#include "device/vfio_device.h"
#include "expect/expect.h"
#include "kunit.h"
#include "measure/cpu.h"
#include "options.h"
#include "registers/mmio.h"
#include "results/results.h"
#include "timing.h"

#define MAX_REGISTERS	8
#define TIMING_TIMEOUT	3600	/* seconds: --samples may ask for many */

#define KUNIT_DEBUGFS	"/sys/kernel/debug/kunit"

/*
 * A device and one way to open it. Lies in memory that the tests' processes
 * share.
 */
struct backend_case {
	const struct subject *subject;
	const struct vfio_backend_ops *ops;
	struct device_look look;
	char name[64];
};

/* What the timing tests hand to the parent process. */
struct measured {
	bool valid;
	struct safe_register reg;
	const char *path;
	const char *op;
	struct stats stats;
	int cpu;
	int node;
};

enum {
	READ_MMAP,
	READ_PREAD,
	WRITE_MMAP,
	WRITE_PWRITE,
	NR_MEASURED
};

/* A BAR under test. Lies in memory that the tests' processes share. */
struct bar_case {
	const struct subject *subject;
	unsigned int number;
	struct bar_facts facts;
	bool expected_mmap;
	bool busy;
	struct error busy_why;
	int mmap;
	struct safe_register reg[MAX_REGISTERS];
	size_t nr_reg;
	struct measured measured[NR_MEASURED];
	char name[32];
	enum verdict state_verdict;
	struct error state_why;
};

static struct options options;
static struct profile_set profiles;
static struct pci_scan scan;
static struct iomem iomem;
static struct json_object *results;
static struct subjects subjects;
static struct bar_case *cases;
static size_t nr_cases;
static struct backend_case *backend_cases;
static size_t nr_backend_cases;
static struct kunit_set kunit;
static struct error no_kunit = { "the module " MODULE_SUBPAGE " holds no device" };

static u64 page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

static u64 round_to_page(u64 size)
{
	return (size + page_size() - 1) & ~(page_size() - 1);
}

FIXTURE(bar)
{
	struct bar_case *c;
	int fd;
	struct vfio_region_info info;
	u16 command;
	void *map;
};

FIXTURE_VARIANT(bar)
{
	struct bar_case *c;
};

/* The BAR that keeps the kernel from enabling the device, else -1. */
static int obstructing_bar(const struct subject *subject)
{
	return subject->fd < 0 ? sysfs_unassigned_bar(subject->dev) : -1;
}

FIXTURE_SETUP(bar)
{
	const struct subject *subject = variant->c->subject;
	int unassigned = obstructing_bar(subject);

	self->c = variant->c;
	self->fd = subject->fd;
	if (unassigned >= 0)
		SKIP(return,
		     "the kernel enables no device with an unassigned BAR: BAR%d has no address",
		     unassigned);

	ASSERT_LE(0, self->fd)
		TH_LOG("%s", subject->open_error.text);
	ASSERT_EQ(0, vfio_region(self->fd, self->c->number, &self->info));
	ASSERT_EQ(0, vfio_decode_enable(self->fd, &self->command));
}

FIXTURE_TEARDOWN(bar)
{
	if (self->map)
		munmap(self->map, round_to_page(self->info.size));
	EXPECT_EQ(0, vfio_decode_restore(self->fd, self->command));
}

static bool is_mappable(const struct vfio_region_info *info)
{
	return info->flags & VFIO_REGION_INFO_FLAG_MMAP;
}

static bool regions_overlap(const struct vfio_region_info *a, const struct vfio_region_info *b)
{
	return a->size && b->size && a->offset < b->offset + b->size &&
	       b->offset < a->offset + a->size;
}

static int count_overlaps(int fd, const struct vfio_region_info *info)
{
	int nr = vfio_nr_regions(fd), count = 0, i;
	struct vfio_region_info other;

	for (i = 0; i < nr; i++) {
		/* A device need not have each of the fixed regions. */
		if ((u32)i == info->index || vfio_region(fd, i, &other))
			continue;
		count += regions_overlap(info, &other);
	}
	return count;
}

TEST_F(bar, region_info)
{
	const u32 access = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	struct bar_case *c = self->c;

	EXPECT_EQ(access, self->info.flags & access);
	EXPECT_EQ(c->expected_mmap, is_mappable(&self->info))
		TH_LOG("0x%llx bytes at 0x%llx, 0x%llx in the device, under %s: must %sbe mappable",
		       c->facts.size, c->facts.start, c->facts.device_size,
		       c->subject->dev->driver, c->expected_mmap ? "" : "not ");
	EXPECT_EQ(c->facts.size, self->info.size);
	EXPECT_EQ(0, self->info.offset % page_size());
	EXPECT_EQ(0, count_overlaps(self->fd, &self->info));
}

/* The address that the device answers to is the one that the kernel believes in. */
TEST_F(bar, address)
{
	struct error why = { "" };
	enum verdict verdict;
	struct pci_scan now;

	if (!(self->c->facts.flags & RES_MEM))
		SKIP(return, "not a memory BAR");

	/* Opening has reset the device, and the kernel has restored its registers. */
	ASSERT_EQ(0, sysfs_scan(&now, &why))
		TH_LOG("%s", why.text);
	verdict = expect_address(&now, &iomem, sysfs_find(&now, self->c->subject->dev->bdf),
				 self->c->number, &why);
	sysfs_scan_free(&now);
	if (verdict == VERDICT_ACCEPTED)
		SKIP(return, "not verifiable: %s", why.text);

	EXPECT_EQ(VERDICT_CONFIRMED, verdict)
		TH_LOG("the register has not the address of the kernel: %s", why.text);
}

TEST_F(bar, page_exclusive)
{
	const char *bdf = self->c->subject->dev->bdf;
	struct error err = { "" }, intruder = { "" };
	struct pci_scan now;
	struct iomem map;

	if (!bar_is_subpage(&self->c->facts))
		SKIP(return, "not a sub-page memory BAR");
	if (!is_mappable(&self->info))
		SKIP(return, "the BAR is not mappable, so its page may be shared");

	/* Not what was read at the start: what holds while the device is open. */
	ASSERT_EQ(0, sysfs_scan(&now, &err))
		TH_LOG("%s", err.text);
	ASSERT_EQ(0, iomem_read(&map, &err))
		TH_LOG("%s", err.text);
	ASSERT_NE(NULL, sysfs_find(&now, bdf));
	EXPECT_EQ(0, page_intruders(&now, &map, sysfs_find(&now, bdf), self->c->number,
				    page_size(), &intruder))
		TH_LOG("%s", intruder.text);

	iomem_free(&map);
	sysfs_scan_free(&now);
}

static int try_map(int fd, u64 offset, u64 len)
{
	void *address;
	int ret = vfio_map(fd, offset, len, &address);

	if (!ret)
		munmap(address, len);
	return ret;
}

TEST_F(bar, mmap)
{
	u64 len = round_to_page(self->info.size), offset = self->info.offset;
	int expected = self->c->busy ? -EBUSY : 0;

	if (self->c->busy)
		ksft_print_msg("%s: %s\n", self->c->name, self->c->busy_why.text);
	EXPECT_EQ(is_mappable(&self->info) ? expected : -EINVAL, try_map(self->fd, offset, len));
	EXPECT_EQ(-EINVAL, try_map(self->fd, offset, len + page_size()));
	EXPECT_EQ(-EINVAL, try_map(self->fd, offset + len, page_size()));
}

/* The first safe register; of those that may be written, if asked for. */
static const struct safe_register *pick_register(const struct bar_case *c, bool writable)
{
	size_t i;

	for (i = 0; i < c->nr_reg; i++)
		if (!writable || c->reg[i].readback != READBACK_NONE)
			return &c->reg[i];
	return NULL;
}

/* The reason for a skip, with the line that makes it go away. */
static const char *no_register(const struct bar_case *c, const char *access)
{
	const struct pci_device *dev = c->subject->dev;
	static struct error text;

	if (c->busy)
		return c->busy_why.text;

	error_set(&text,
		  "no %.2s register of %04x:%04x BAR%u is known to be safe: name one in a profile, or with --register '%s bar=%u offset=0x0 width=4 access=%s'",
		  access, dev->vendor, dev->device, c->number, dev->bdf, c->number, access);
	return text.text;
}

/* Map the BAR if that is possible; returns the address of the register or NULL. */
static int map_register(struct _test_data_bar *self, const struct safe_register *reg,
			void **address)
{
	int ret;

	*address = NULL;
	if (!is_mappable(&self->info))
		return 0;

	if (!self->map) {
		ret = vfio_map(self->fd, self->info.offset, round_to_page(self->info.size),
			       &self->map);
		if (ret) {
			self->map = NULL;
			return ret;
		}
	}
	*address = (char *)self->map + reg->offset;
	return 0;
}

TEST_F(bar, paths_agree)
{
	struct bar_case *c = self->c;
	void *address;
	size_t i;

	if (!c->nr_reg)
		SKIP(return, "%s", no_register(c, "ro"));
	if (!is_mappable(&self->info))
		SKIP(return, "the BAR is not mappable: there is only one path");

	for (i = 0; i < c->nr_reg; i++) {
		const struct safe_register *reg = &c->reg[i];
		u64 read = 0, mapped;

		ASSERT_EQ(0, map_register(self, reg, &address));
		mapped = mmio_read(address, reg->width);
		ASSERT_EQ(0, vfio_read(self->fd, self->info.offset + reg->offset,
				       reg->width, &read));
		EXPECT_EQ(read, mapped)
			TH_LOG("register at 0x%llx", reg->offset);
		EXPECT_EQ(reg->value & reg->mask, mapped & reg->mask)
			TH_LOG("register at 0x%llx", reg->offset);
		/* Both paths read all ones where nobody answers, and so would agree. */
		EXPECT_TRUE(register_answers(reg, mapped))
			TH_LOG("register at 0x%llx: nobody answers at this address", reg->offset);
	}
}

static void record(struct bar_case *c, unsigned int slot, const struct safe_register *reg,
		   const char *path, const char *op, const struct timed_path *timed,
		   const struct near *near)
{
	c->measured[slot] = (struct measured) {
		.valid = true,
		.reg = *reg,
		.path = path,
		.op = op,
		.stats = timed->stats,
		.cpu = near->cpu,
		.node = near->node,
	};
}

static void print_timing(const struct bar_case *c, const struct safe_register *reg,
			 const char *op, const struct timed_path *file,
			 const struct timed_path *mapped, const struct near *near)
{
	char text[128] = "trapped";

	if (mapped)
		snprintf(text, sizeof(text), "mapped %.1f ns, ratio %.1f",
			 mapped->stats.median, file->stats.median / mapped->stats.median);
	ksft_print_msg("%s: %s %u bytes at 0x%llx: p%s %.1f ns, %s (medians of %zu x %zu, %s)\n",
		       c->name, op, reg->width, reg->offset, op, file->stats.median, text,
		       options.samples, options.batch, near->note.text);
}

/* Times the paths to a register: both if it is mapped, else the trapped one. */
static int time_register(struct bar_case *c, struct timed_path path[2],
			 const struct safe_register *reg, struct error *err)
{
	bool write = path[0].write, is_mapped = path[1].address;
	const char *op = write ? "write" : "read";
	struct near near;

	near_enter(c->subject->dev->numa_node, &near);
	if (timing_run(path, is_mapped ? 2 : 1, &near, options.samples, options.batch, err))
		return -1;

	record(c, write ? WRITE_PWRITE : READ_PREAD, reg, write ? "pwrite" : "pread", op,
	       &path[0], &near);
	if (is_mapped)
		record(c, write ? WRITE_MMAP : READ_MMAP, reg, "mmap", op, &path[1], &near);
	print_timing(c, reg, op, &path[0], is_mapped ? &path[1] : NULL, &near);
	return 0;
}

static void init_paths(struct timed_path path[2], const struct _test_data_bar *self,
		       const struct safe_register *reg, void *address)
{
	path[0] = (struct timed_path) {
		.fd = self->fd,
		.offset = self->info.offset + reg->offset,
		.width = reg->width,
	};
	path[1] = path[0];
	path[1].address = address;
}

TEST_F_TIMEOUT(bar, time_read, TIMING_TIMEOUT)
{
	const struct safe_register *reg = pick_register(self->c, false);
	struct timed_path path[2];
	struct error err;
	void *address;

	if (!reg)
		SKIP(return, "%s", no_register(self->c, "ro"));

	ASSERT_EQ(0, map_register(self, reg, &address));
	init_paths(path, self, reg, address);
	ASSERT_EQ(0, time_register(self->c, path, reg, &err))
		TH_LOG("%s", err.text);

	EXPECT_LT(0, path[0].stats.median);
	EXPECT_TRUE(!address || path[1].stats.median > 0);
}

static void make_writes(struct timed_path path[2], u64 value)
{
	int i;

	for (i = 0; i < 2; i++) {
		path[i].write = true;
		path[i].value = value;
	}
}

/* What is written by one path is read by the other. */
static int check_write(const struct timed_path *file, void *address,
		       const struct safe_register *reg, u64 value)
{
	u64 back = 0;
	int ret;

	if (address) {
		mmio_write(address, reg->width, value);
		ret = vfio_read(file->fd, file->offset, reg->width, &back);
		if (ret || back != register_mirror(reg, value))
			return -1;
		value = register_mirror(reg, ~register_mirror(reg, value));
	}

	ret = vfio_write(file->fd, file->offset, reg->width, value);
	if (ret)
		return ret;
	if (address)
		back = mmio_read(address, reg->width);
	else
		ret = vfio_read(file->fd, file->offset, reg->width, &back);

	return ret || back != register_mirror(reg, value) ? -1 : 0;
}

TEST_F_TIMEOUT(bar, time_write, TIMING_TIMEOUT)
{
	const struct safe_register *reg = pick_register(self->c, true);
	int before, timed, after, restored;
	struct error err = { "" };
	struct timed_path path[2];
	u64 original, value;
	void *address;

	if (!reg)
		SKIP(return, "%s", no_register(self->c, "rw readback=same"));

	ASSERT_EQ(0, map_register(self, reg, &address));
	init_paths(path, self, reg, address);
	ASSERT_EQ(0, vfio_read(self->fd, path[0].offset, reg->width, &original));

	/* Nothing may return from here before the register is restored. */
	value = register_mirror(reg, ~original ^ 0x5a);
	make_writes(path, value);
	before = check_write(&path[0], address, reg, value);
	timed = before ? 0 : time_register(self->c, path, reg, &err);
	after = check_write(&path[0], address, reg, value);
	restored = vfio_write(self->fd, path[0].offset, reg->width, register_mirror(reg, original));

	EXPECT_EQ(0, before)
		TH_LOG("register at 0x%llx does not read back as described", reg->offset);
	EXPECT_EQ(0, timed)
		TH_LOG("%s", err.text);
	EXPECT_EQ(0, after)
		TH_LOG("register at 0x%llx does not read back after many writes", reg->offset);
	EXPECT_EQ(0, restored);
	EXPECT_EQ(0, vfio_read(self->fd, path[0].offset, reg->width, &value));
	EXPECT_EQ(original, value)
		TH_LOG("register at 0x%llx was not restored", reg->offset);
	EXPECT_TRUE(before || timed || !address || path[1].stats.median > 0);
}

/*
 * What the module says in sysfs. Needs no open device, and so also says something
 * about one that cannot be opened.
 */
FIXTURE(module)
{
};

FIXTURE_VARIANT(module)
{
	struct bar_case *c;
};

FIXTURE_SETUP(module)
{
	if (!variant)
		SKIP(return, "the module " MODULE_SUBPAGE " holds no device");
}

FIXTURE_TEARDOWN(module)
{
}

TEST_F(module, state)
{
	const struct bar_case *c = variant->c;

	ASSERT_NE(VERDICT_REFUTED, c->state_verdict)
		TH_LOG("state '%s', 0x%llx bytes: %s", c->facts.state, c->facts.stated_size,
		       c->state_why.text);
	/* A module that gives up too early looks the same. */
	ASSERT_NE(VERDICT_CHANGED, c->state_verdict)
		TH_LOG("state '%s', 0x%llx bytes: %s: if that is new, bind the device again",
		       c->facts.state, c->facts.stated_size, c->state_why.text);

	if (c->facts.state[0])
		ksft_print_msg("%s: %s, 0x%llx bytes that are shown as 0x%llx, %s: %s\n", c->name,
			       c->facts.state, c->facts.device_size, c->facts.size,
			       c->state_verdict == VERDICT_ACCEPTED ? "not verifiable" : "verified",
			       c->state_why.text);
}

/*
 * Devices look the same whichever way they are opened. They were looked at
 * before, one way after the other, as a device can be open in one way only.
 */
FIXTURE(backend)
{
	const struct subject *subject;
	const struct device_look *look;
};

FIXTURE_VARIANT(backend)
{
	struct backend_case *c;
};

FIXTURE_SETUP(backend)
{
	const struct backend_case *c = variant->c;
	int unassigned = obstructing_bar(c->subject);

	self->subject = c->subject;
	self->look = &c->look;
	if (c->look.state == LOOK_SKIPPED)
		SKIP(return, "%s", c->look.why.text);
	if (unassigned >= 0)
		SKIP(return,
		     "the kernel enables no device with an unassigned BAR: BAR%d has no address",
		     unassigned);

	ASSERT_EQ(LOOK_TAKEN, c->look.state)
		TH_LOG("%s", c->look.why.text);
	ASSERT_LE(0, c->subject->fd)
		TH_LOG("%s", c->subject->open_error.text);
}

FIXTURE_TEARDOWN(backend)
{
}

/* Through the device that is open now, at the same registers. */
static void look_now(const struct _test_data_backend *self, struct device_look *now)
{
	*now = *self->look;
	memset(now->bar, 0, sizeof(now->bar));
	look_at(self->subject->fd, now);
}

TEST_F(backend, region_info)
{
	struct device_look now;
	struct error err;

	look_now(self, &now);
	ASSERT_EQ(LOOK_TAKEN, now.state)
		TH_LOG("%s", now.why.text);
	EXPECT_TRUE(look_same_regions(self->look, &now, &err))
		TH_LOG("%s: %s", self->subject->ops->name, err.text);
}

TEST_F(backend, mmap)
{
	struct error err;

	EXPECT_TRUE(look_maps_as_flagged(self->look, &err))
		TH_LOG("%s", err.text);
}

TEST_F(backend, registers)
{
	struct device_look now;
	struct error err;

	if (!self->look->nr_reg)
		SKIP(return, "no read-only register of the device is known to be safe");

	look_now(self, &now);
	ASSERT_EQ(LOOK_TAKEN, now.state)
		TH_LOG("%s", now.why.text);
	EXPECT_TRUE(look_same_registers(self->look, &now, &err))
		TH_LOG("%s: %s", self->subject->ops->name, err.text);
}

/* The module's own tests, which ran when the kernel loaded it. */
FIXTURE(kunit)
{
};

FIXTURE_VARIANT(kunit)
{
	const struct kunit_suite *suite;
};

FIXTURE_SETUP(kunit)
{
	if (!variant)
		SKIP(return, "%s", no_kunit.text);
}

FIXTURE_TEARDOWN(kunit)
{
}

/* The suite's KTAP comes first, as subtests. */
static void print_ktap(const char *text)
{
	while (*text) {
		int len = strcspn(text, "\n");

		printf("    %.*s\n", len, text);
		text += len;
		text += *text == '\n';
	}
	fflush(stdout);
}

TEST_F(kunit, result)
{
	struct error err;

	print_ktap(variant->suite->ktap);
	EXPECT_EQ(0, kunit_passed(variant->suite, &err))
		TH_LOG("%s", err.text);
}

static void read_state(const struct pci_device *dev, unsigned int bar, struct bar_facts *facts)
{
	char name[64], size[32];

	snprintf(name, sizeof(name), MODULE_SUBPAGE "/bar%u", bar);
	sysfs_read_attr(dev, name, facts->state, sizeof(facts->state));
	snprintf(name, sizeof(name), MODULE_SUBPAGE "/bar%u_size", bar);
	if (sysfs_read_attr(dev, name, size, sizeof(size)))
		facts->stated_size = strtoull(size, NULL, 10);
}

static bool parameter_is(const char *name, const char *value)
{
	char now[16];

	return sysfs_read_parameter(name, now, sizeof(now)) && !strcmp(now, value);
}

/* DOMAIN:BUS:DEV.FN or VENDOR:DEVICE, separated by commas or blanks. */
static bool is_excluded(const struct pci_device *dev)
{
	char list[1024], bdf[SYSFS_BDF_LEN], *item, *rest = list;
	unsigned int vendor, device;

	if (!sysfs_read_parameter("exclude", list, sizeof(list)))
		return false;

	while ((item = strsep(&rest, ", "))) {
		if (sysfs_parse_bdf(item, bdf) ? !strcmp(bdf, dev->bdf) :
		    sscanf(item, "%x:%x", &vendor, &device) == 2 && vendor == dev->vendor &&
		    device == dev->device)
			return true;
	}
	return false;
}

static void read_facts(const struct pci_device *dev, unsigned int bar, struct bar_facts *facts)
{
	const struct pci_resource *res = &dev->res[bar];

	*facts = (struct bar_facts) {
		.bdf = dev->bdf,
		.start = res->start,
		.bus_start = sysfs_bus_address(dev, bar),
		.size = sysfs_resource_size(res),
		.device_size = dev->bar_size[bar],
		.flags = res->flags,
		.page_size = page_size(),
		.held = dev->is_held,
		.has_vfs = dev->has_vfs,
		.relocate_off = parameter_is("relocate", "no"),
		.excluded = is_excluded(dev),
		.keep_size = parameter_is("bar_size", "device"),
	};
	if (facts->held)
		read_state(dev, bar, facts);
}

static void init_case(struct bar_case *c, const struct subject *subject, unsigned int bar)
{
	c->subject = subject;
	c->number = bar;
	c->mmap = -1;
	snprintf(c->name, sizeof(c->name), "%.19s-bar%u", subject->dev->bdf, bar);
	read_facts(subject->dev, bar, &c->facts);
	c->nr_reg = safe_registers(&options, &profiles, subject->dev, bar, c->reg,
				   MAX_REGISTERS);
}

static int init_cases(struct error *err)
{
	size_t size = subjects.nr * SYSFS_NR_BARS * sizeof(*cases), s;
	unsigned int bar;

	if (!subjects.nr)
		return 0;

	cases = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (cases == MAP_FAILED)
		return error_set(err, "no memory for %zu devices", subjects.nr);

	for (s = 0; s < subjects.nr; s++)
		for (bar = 0; bar < SYSFS_NR_BARS; bar++)
			if (sysfs_resource_size(&subjects.one[s].dev->res[bar]))
				init_case(&cases[nr_cases++], &subjects.one[s], bar);
	return 0;
}

static void init_backend_case(struct backend_case *c, const struct subject *subject,
			      const struct vfio_backend_ops *ops)
{
	c->subject = subject;
	c->ops = ops;
	snprintf(c->name, sizeof(c->name), "%.19s-%s", subject->dev->bdf, ops->name);
}

static int init_backend_cases(struct error *err)
{
	size_t size = subjects.nr * VFIO_NR_BACKENDS * sizeof(*backend_cases), s, b;

	if (!subjects.nr)
		return 0;

	backend_cases = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			     -1, 0);
	if (backend_cases == MAP_FAILED)
		return error_set(err, "no memory for %zu devices", subjects.nr);

	for (s = 0; s < subjects.nr; s++)
		for (b = 0; b < VFIO_NR_BACKENDS; b++)
			init_backend_case(&backend_cases[nr_backend_cases++], &subjects.one[s],
					  vfio_backends[b]);
	return 0;
}

/* One that is only read: what was written does not outlive the next opening. */
static const struct safe_register *constant_register(const struct bar_case *c)
{
	size_t i;

	for (i = 0; i < c->nr_reg; i++)
		if (c->reg[i].readback == READBACK_NONE)
			return &c->reg[i];
	return NULL;
}

static void choose_registers(const struct subject *subject, struct device_look *look)
{
	const struct safe_register *reg;
	size_t i;

	for (i = 0; i < nr_cases; i++) {
		if (cases[i].subject != subject)
			continue;
		look->bar[cases[i].number].busy = cases[i].busy;
		reg = constant_register(&cases[i]);
		if (reg)
			look->reg[look->nr_reg++].reg = *reg;
	}
}

/* Before the devices are opened for good: they can be open in one way only. */
static void look_through_backends(void)
{
	size_t i;

	for (i = 0; i < nr_backend_cases; i++) {
		struct backend_case *c = &backend_cases[i];

		choose_registers(c->subject, &c->look);
		look_through(c->ops, &scan, c->subject->dev, &c->look);
	}
}

/* Before any device is open: that adds reservations of its own. */
static void expect_cases(void)
{
	size_t i;

	for (i = 0; i < nr_cases; i++) {
		struct bar_case *c = &cases[i];

		c->expected_mmap = expect_mmap(&c->facts, &iomem);
		if (c->facts.held)
			c->state_verdict = expect_state(&c->facts, &iomem, &c->state_why);
		c->busy = expect_busy(&c->facts, &iomem, &c->busy_why);
		if (c->busy)
			c->nr_reg = 0;
	}
}

static void observe_cases(void)
{
	struct vfio_region_info info;
	size_t i;

	for (i = 0; i < nr_cases; i++) {
		int fd = cases[i].subject->fd;

		if (fd >= 0 && !vfio_region(fd, cases[i].number, &info))
			cases[i].mmap = is_mappable(&info);
	}
}

/* What the fixtures get to see of a case, of whichever kind. */
struct variant {
	struct __fixture_variant_metadata meta;
	void *c;
};

static int add_variant(struct __fixture_metadata *fixture, const char *name, void *c,
		       struct error *err)
{
	struct variant *variant = calloc(1, sizeof(*variant));

	if (!variant)
		return error_set(err, "no memory for the tests of %s", name);

	variant->c = c;
	variant->meta.name = name;
	variant->meta.data = &variant->c;
	__register_fixture_variant(fixture, &variant->meta);
	return 0;
}

static int add_bar_variants(struct bar_case *c, struct error *err)
{
	if (add_variant(&_bar_fixture_object, c->name, c, err))
		return -1;
	if (!c->facts.held)
		return 0;

	return add_variant(&_module_fixture_object, c->name, c, err);
}

static bool module_is_used(void)
{
	size_t i;

	for (i = 0; i < nr_cases; i++)
		if (cases[i].facts.held)
			return true;
	return false;
}

/* A kernel without KUnit is no mistake: the fixture then says what is missing. */
static int add_kunit_variants(struct error *err)
{
	size_t i;

	if (!module_is_used() || kunit_read(KUNIT_DEBUGFS, &kunit, &no_kunit))
		return 0;

	for (i = 0; i < kunit.nr; i++)
		if (add_variant(&_kunit_fixture_object, kunit.suite[i].name, &kunit.suite[i],
				err))
			return -1;
	return 0;
}

static int add_variants(struct error *err)
{
	size_t i;

	for (i = 0; i < nr_cases; i++)
		if (add_bar_variants(&cases[i], err))
			return -1;
	for (i = 0; i < nr_backend_cases; i++)
		if (add_variant(&_backend_fixture_object, backend_cases[i].name,
				&backend_cases[i], err))
			return -1;
	return add_kunit_variants(err);
}

static void save_bar(const struct bar_case *c)
{
	const struct pci_device *dev = c->subject->dev;
	struct result_bar bar = {
		.bdf = dev->bdf,
		.vendor = dev->vendor,
		.device = dev->device,
		.driver = dev->driver,
		.module = dev->is_prepared,
		.bar = c->number,
		.size = c->facts.device_size,
		.shown_size = c->facts.size,
		.start = c->facts.start,
		.flags = c->facts.flags,
		.state = c->facts.state,
		.expected_mmap = c->expected_mmap,
		.mmap = c->mmap,
		.backend = c->subject->fd < 0 ? "" : c->subject->ops->name,
	};

	results_add_bar(results, &bar);
}

static void save_timing(const struct bar_case *c, const struct measured *measured)
{
	struct result_timing timing = {
		.bdf = c->subject->dev->bdf,
		.driver = c->subject->dev->driver,
		.module = c->subject->dev->is_prepared,
		.bar = c->number,
		.offset = measured->reg.offset,
		.width = measured->reg.width,
		.path = measured->path,
		.op = measured->op,
		.stats = measured->stats,
		.outliers = -1,
		.loop_ns = -1,
		.batch = options.batch,
		.cpu = measured->cpu,
		.node = measured->node,
	};

	results_add_timing(results, &timing);
}

static void save_totals(void)
{
	struct result_totals totals = {
		.pass = ksft_cnt.ksft_pass + ksft_cnt.ksft_xpass,
		.fail = ksft_cnt.ksft_fail,
		.skip = ksft_cnt.ksft_xskip,
		.xfail = ksft_cnt.ksft_xfail,
		.error = ksft_cnt.ksft_error,
	};

	results_add_totals(results, &totals);
}

static void complain(const struct error *err)
{
	fprintf(stderr, "vfio_pci_subpage_test: %s\n", err->text);
}

/* The harness ends with exit(), so this is where the program goes on. */
static void save_results(void)
{
	struct error err;
	unsigned int m;
	size_t i;

	if (!results || !ksft_plan)
		return;

	for (i = 0; i < nr_cases; i++) {
		save_bar(&cases[i]);
		for (m = 0; m < NR_MEASURED; m++)
			if (cases[i].measured[m].valid)
				save_timing(&cases[i], &cases[i].measured[m]);
	}
	for (i = 0; i < kunit.nr; i++)
		results_add_kunit(results, &kunit.suite[i]);
	save_totals();

	if (results_save(results, options.results, &err)) {
		complain(&err);
		fflush(NULL);
		_exit(KSFT_FAIL);
	}
}

static void skip_without_device(void)
{
	ksft_print_header();
	ksft_exit_skip("no PCI device with a BAR is bound to VFIO: bind one to vfio-pci\n");
}

static int prepare(int argc, char **argv, struct error *err)
{
	if (options_parse(OPTIONS_TEST, argc, argv, getenv("VFIO_SELFTESTS_BDF"), &options,
			  err))
		return -1;
	if (options.help)
		return 0;
	if (profile_set_load(options.profiles, &profiles, err))
		return -1;
	if (sysfs_scan(&scan, err) || subjects_choose(&subjects, &options, &scan, err) ||
	    registers_check(&options, &scan, err) ||
	    init_cases(err) || init_backend_cases(err))
		return -1;

	return add_variants(err);
}

static int prepare_run(struct error *err)
{
	struct error why_hidden;
	int hidden;

	if (options.results) {
		results = results_open(options.results, options.platform, options.accel, err);
		if (!results)
			return -1;
	}
	/* Whoever may not open a device shall be told that first. */
	hidden = iomem_read(&iomem, &why_hidden);
	expect_cases();
	look_through_backends();
	if (subjects_attach(&subjects, &options, err))
		return -1;
	if (hidden)
		return error_set(err, "%s", why_hidden.text);

	subjects_open(&subjects);
	observe_cases();
	return atexit(save_results) ? error_set(err, "no memory") : 0;
}

int main(int argc, char **argv)
{
	struct error err;

	if (prepare(argc, argv, &err)) {
		complain(&err);
		return KSFT_FAIL;
	}
	if (options.help) {
		fputs(options_help(OPTIONS_TEST), stdout);
		return KSFT_PASS;
	}
	if (!nr_cases && !options.list_only)
		skip_without_device();
	if (!options.list_only && prepare_run(&err)) {
		complain(&err);
		return KSFT_FAIL;
	}
	return test_harness_run(options.harness_argc, options.harness_argv);
}
