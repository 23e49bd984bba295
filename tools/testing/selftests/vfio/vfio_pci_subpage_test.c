// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests how the BARs of VFIO devices can be mapped, above all those smaller than a
 * page: against what sysfs and /proc/iomem say about them, and through both paths.
 *
 * The devices stay bound to what they are bound to. Each is a subtest, in a process of
 * its own that runs those variants that apply to the device: a test is named like
 * bar.bar0.mmap in the subtest 0000:01:00.0.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "device/devices.h"
#include "device/snapshot.h"
#include "device/vfio_backend.h"
#include "expect/expect.h"
#include "guest/kvm_guest.h"
#include "options.h"
#include "registers/mmio.h"
#include "results/records.h"

#define PROGRAM		"vfio_pci_subpage_test"
#define MAX_ARGS	256	/* of the harness */

/* What was found out about a BAR before its device was opened for good. */
struct tested_bar {
	struct bar_facts facts;
	bool expected_mmap;
	bool is_busy;
	struct error busy_why;
	struct register_list registers;
	enum verdict state_verdict;
	struct error state_why;
};

/* A device and its BARs. Lies in memory that all processes share. */
struct tested_device {
	struct vfio_device *device;
	struct tested_bar bar[SYSFS_NR_BARS];
	bool is_way[VFIO_NR_BACKENDS];
	struct snapshot snapshot[VFIO_NR_BACKENDS];
	struct record_totals totals;
};

static struct options options;
static struct profile_set profiles;
static struct pci_scan scan;
static struct iomem iomem;
static struct vfio_devices devices;
static struct tested_device *tested;
static struct error missing_way[VFIO_NR_BACKENDS];

/* In the process of a device: the one that it tests. */
static struct tested_device *current;

static u64 page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

/* Whether the device can be opened at all. */
FIXTURE(device)
{
};

FIXTURE_SETUP(device)
{
}

FIXTURE_TEARDOWN(device)
{
}

TEST_F(device, opens)
{
	int unassigned = sysfs_unassigned_bar(current->device->dev);

	if (current->device->fd < 0 && unassigned >= 0)
		SKIP(return,
		     "the kernel enables no device with an unassigned BAR: BAR%d has no address",
		     unassigned);
	ASSERT_LE(0, current->device->fd)
		TH_LOG("%s", current->device->open_error.text);
}

/* Every BAR that is there. Of each fixture a device runs the variants that apply to it. */
FIXTURE(bar)
{
	struct vfio_device *device;
	const struct tested_bar *tested;
	const struct vfio_region_info *info;
};

FIXTURE_VARIANT(bar)
{
	unsigned int number;
};

FIXTURE_VARIANT_ADD(bar, bar0) { .number = 0 };
FIXTURE_VARIANT_ADD(bar, bar1) { .number = 1 };
FIXTURE_VARIANT_ADD(bar, bar2) { .number = 2 };
FIXTURE_VARIANT_ADD(bar, bar3) { .number = 3 };
FIXTURE_VARIANT_ADD(bar, bar4) { .number = 4 };
FIXTURE_VARIANT_ADD(bar, bar5) { .number = 5 };

FIXTURE_SETUP(bar)
{
	self->device = current->device;
	self->tested = &current->bar[variant->number];
	self->info = &self->device->bar[variant->number].info;
	ASSERT_EQ(0, vfio_device_enable(self->device));
}

FIXTURE_TEARDOWN(bar)
{
	EXPECT_EQ(0, vfio_device_disable(self->device));
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
	const struct bar_facts *facts = &self->tested->facts;
	bool is_mappable = vfio_bar_is_mappable(&self->device->bar[variant->number]);

	EXPECT_EQ(access, self->info->flags & access);
	EXPECT_EQ(self->tested->expected_mmap, is_mappable)
		TH_LOG("0x%llx bytes at 0x%llx, 0x%llx in the device, under %s: must %sbe mappable",
		       facts->size, facts->start, facts->device_size,
		       self->device->dev->driver, self->tested->expected_mmap ? "" : "not ");
	EXPECT_EQ(facts->size, self->info->size);
	EXPECT_EQ(0, self->info->offset % page_size());
	EXPECT_EQ(0, count_overlaps(self->device->fd, self->info));
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
	u64 len = vfio_page_round(self->info->size), offset = self->info->offset;
	bool is_mappable = vfio_bar_is_mappable(&self->device->bar[variant->number]);
	int fd = self->device->fd, expected = self->tested->is_busy ? -EBUSY : 0;

	if (self->tested->is_busy)
		ksft_print_msg("BAR%u: %s\n", variant->number, self->tested->busy_why.text);
	EXPECT_EQ(is_mappable ? expected : -EINVAL, try_map(fd, offset, len));
	EXPECT_EQ(-EINVAL, try_map(fd, offset, len + page_size()));
	EXPECT_EQ(-EINVAL, try_map(fd, offset + len, page_size()));
}

/* Memory BARs whose address is in the BAR register. */
FIXTURE(memory)
{
};

FIXTURE_VARIANT(memory)
{
	unsigned int number;
};

FIXTURE_VARIANT_ADD(memory, memory0) { .number = 0 };
FIXTURE_VARIANT_ADD(memory, memory1) { .number = 1 };
FIXTURE_VARIANT_ADD(memory, memory2) { .number = 2 };
FIXTURE_VARIANT_ADD(memory, memory3) { .number = 3 };
FIXTURE_VARIANT_ADD(memory, memory4) { .number = 4 };
FIXTURE_VARIANT_ADD(memory, memory5) { .number = 5 };

FIXTURE_SETUP(memory)
{
}

FIXTURE_TEARDOWN(memory)
{
}

/* The address that the device answers to is the one that the kernel believes in. */
TEST_F(memory, address)
{
	struct error why = { "" };
	enum verdict verdict;
	struct pci_scan now;

	/* Opening has reset the device, and the kernel has restored its registers. */
	ASSERT_EQ(0, sysfs_scan(&now, &why))
		TH_LOG("%s", why.text);
	verdict = expect_address(&now, &iomem, sysfs_find(&now, current->device->dev->bdf),
				 variant->number, &why);
	sysfs_scan_free(&now);
	if (verdict == VERDICT_ACCEPTED)
		SKIP(return, "the address cannot be verified: %s", why.text);

	EXPECT_EQ(VERDICT_CONFIRMED, verdict)
		TH_LOG("the register has not the address of the kernel: %s", why.text);
}

/* Sub-page BARs that are to be mapped. */
FIXTURE(page)
{
};

FIXTURE_VARIANT(page)
{
	unsigned int number;
};

FIXTURE_VARIANT_ADD(page, page0) { .number = 0 };
FIXTURE_VARIANT_ADD(page, page1) { .number = 1 };
FIXTURE_VARIANT_ADD(page, page2) { .number = 2 };
FIXTURE_VARIANT_ADD(page, page3) { .number = 3 };
FIXTURE_VARIANT_ADD(page, page4) { .number = 4 };
FIXTURE_VARIANT_ADD(page, page5) { .number = 5 };

FIXTURE_SETUP(page)
{
}

FIXTURE_TEARDOWN(page)
{
}

/* Not what was read at the start: what holds while the device is open. */
TEST_F(page, exclusive)
{
	const char *bdf = current->device->dev->bdf;
	struct error err = { "" }, intruder = { "" };
	struct pci_scan now;
	struct iomem map;

	ASSERT_EQ(0, sysfs_scan(&now, &err))
		TH_LOG("%s", err.text);
	ASSERT_EQ(0, iomem_read(&map, &err))
		TH_LOG("%s", err.text);
	ASSERT_NE(NULL, sysfs_find(&now, bdf));
	EXPECT_EQ(0, page_intruders(&now, &map, sysfs_find(&now, bdf), variant->number,
				    page_size(), &intruder))
		TH_LOG("%s", intruder.text);

	iomem_free(&map);
	sysfs_scan_free(&now);
}

/* What VMMs do that take the size of a region as it is, and do not round it to pages. */
TEST_F(page, kvm_takes_region)
{
	struct vfio_bar *bar = &current->device->bar[variant->number];
	u64 size = bar->info.size;
	struct kvm_guest guest;
	struct error why;

	if (current->bar[variant->number].is_busy)
		SKIP(return, "%s", current->bar[variant->number].busy_why.text);
	if (kvm_guest_create(&guest, &why))
		SKIP(return, "%s", why.text);

	EXPECT_EQ(0, vfio_bar_map(current->device, variant->number));
	EXPECT_EQ(size % page_size() ? -EINVAL : 0,
		  kvm_guest_map(&guest, bar->map, size, &why))
		TH_LOG("region of 0x%llx bytes, pages of 0x%llx", size, page_size());

	vfio_bar_unmap(current->device, variant->number);
	kvm_guest_destroy(&guest);
}

/* Memory BARs, and their registers that may be read. */
FIXTURE(registers)
{
	struct vfio_device *device;
	const struct register_list *list;
};

FIXTURE_VARIANT(registers)
{
	unsigned int number;
};

FIXTURE_VARIANT_ADD(registers, registers0) { .number = 0 };
FIXTURE_VARIANT_ADD(registers, registers1) { .number = 1 };
FIXTURE_VARIANT_ADD(registers, registers2) { .number = 2 };
FIXTURE_VARIANT_ADD(registers, registers3) { .number = 3 };
FIXTURE_VARIANT_ADD(registers, registers4) { .number = 4 };
FIXTURE_VARIANT_ADD(registers, registers5) { .number = 5 };

FIXTURE_SETUP(registers)
{
	const struct pci_device *dev = current->device->dev;

	self->device = current->device;
	self->list = &current->bar[variant->number].registers;
	if (current->bar[variant->number].is_busy)
		SKIP(return, "%s", current->bar[variant->number].busy_why.text);
	if (!self->list->nr)
		SKIP(return,
		     "no register of %04x:%04x BAR%u is known to be safe: name one in a profile, or with --register '%s bar=%u offset=0x0 width=4 access=ro'",
		     dev->vendor, dev->device, variant->number, dev->bdf, variant->number);

	ASSERT_EQ(0, vfio_device_enable(self->device));
	ASSERT_EQ(0, vfio_bar_map(self->device, variant->number));
}

FIXTURE_TEARDOWN(registers)
{
	vfio_bar_unmap(self->device, variant->number);
	EXPECT_EQ(0, vfio_device_disable(self->device));
}

/* Both paths read all ones where nobody answers, and so would agree. */
TEST_F(registers, agree)
{
	size_t i;

	for (i = 0; i < self->list->nr; i++) {
		const struct safe_register *reg = &self->list->reg[i];
		void *address = vfio_register_address(self->device, reg);
		u64 file = 0, mapped;

		ASSERT_EQ(0, vfio_register_read(self->device, reg, &file));
		mapped = address ? mmio_read(address, reg->width) : file;
		EXPECT_EQ(file, mapped)
			TH_LOG("register at 0x%llx", reg->offset);
		EXPECT_EQ(reg->value & reg->mask, file & reg->mask)
			TH_LOG("register at 0x%llx", reg->offset);
		EXPECT_TRUE(register_answers(reg, file))
			TH_LOG("register at 0x%llx: nobody answers at this address", reg->offset);
	}
}

/* BARs with registers that may be written. */
FIXTURE(writable)
{
	struct vfio_device *device;
	const struct register_list *list;
};

FIXTURE_VARIANT(writable)
{
	unsigned int number;
};

FIXTURE_VARIANT_ADD(writable, writable0) { .number = 0 };
FIXTURE_VARIANT_ADD(writable, writable1) { .number = 1 };
FIXTURE_VARIANT_ADD(writable, writable2) { .number = 2 };
FIXTURE_VARIANT_ADD(writable, writable3) { .number = 3 };
FIXTURE_VARIANT_ADD(writable, writable4) { .number = 4 };
FIXTURE_VARIANT_ADD(writable, writable5) { .number = 5 };

FIXTURE_SETUP(writable)
{
	self->device = current->device;
	self->list = &current->bar[variant->number].registers;
	ASSERT_EQ(0, vfio_device_enable(self->device));
	ASSERT_EQ(0, vfio_bar_map(self->device, variant->number));
}

FIXTURE_TEARDOWN(writable)
{
	vfio_bar_unmap(self->device, variant->number);
	EXPECT_EQ(0, vfio_device_disable(self->device));
}

static int write_register(const struct vfio_device *device, const struct safe_register *reg,
			  bool mapped, u64 value)
{
	if (!mapped)
		return vfio_register_write(device, reg, value);

	mmio_write(vfio_register_address(device, reg), reg->width, value);
	return 0;
}

static int read_register(const struct vfio_device *device, const struct safe_register *reg,
			 bool mapped, u64 *value)
{
	if (!mapped)
		return vfio_register_read(device, reg, value);

	*value = mmio_read(vfio_register_address(device, reg), reg->width);
	return 0;
}

/* What is written by one path is read by the other, or by the only one that there is. */
static int check_write(const struct vfio_device *device, const struct safe_register *reg,
		       bool write_mapped, bool read_mapped, u64 value)
{
	u64 back = 0;
	int ret;

	ret = write_register(device, reg, write_mapped, value);
	if (!ret)
		ret = read_register(device, reg, read_mapped, &back);
	if (!ret && back != register_mirror(reg, value))
		ret = -EBADE;
	return ret;
}

/* Nothing returns between the first write and the restore. */
static void check_register(struct __test_metadata *_metadata, const struct vfio_device *device,
			   const struct safe_register *reg)
{
	bool is_mapped = vfio_register_address(device, reg);
	u64 original, value, now;
	int to_file, to_map;

	ASSERT_EQ(0, vfio_register_read(device, reg, &original));
	value = register_mirror(reg, ~original ^ 0x5a);
	to_file = check_write(device, reg, false, is_mapped, value);
	to_map = check_write(device, reg, is_mapped, false, ~value & register_mask(reg->width));
	EXPECT_EQ(0, vfio_register_write(device, reg, register_mirror(reg, original)));

	EXPECT_EQ(0, to_file)
		TH_LOG("register at 0x%llx: what is written to the file does not come back",
		       reg->offset);
	EXPECT_EQ(0, to_map)
		TH_LOG("register at 0x%llx: what is written to the mapping does not come back",
		       reg->offset);
	EXPECT_EQ(0, vfio_register_read(device, reg, &now));
	EXPECT_EQ(original, now)
		TH_LOG("register at 0x%llx was not restored", reg->offset);
}

TEST_F(writable, reads_back)
{
	size_t i;

	for (i = 0; i < self->list->nr; i++)
		if (self->list->reg[i].readback != READBACK_NONE)
			check_register(_metadata, self->device, &self->list->reg[i]);
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
	unsigned int number;
};

FIXTURE_VARIANT_ADD(module, module0) { .number = 0 };
FIXTURE_VARIANT_ADD(module, module1) { .number = 1 };
FIXTURE_VARIANT_ADD(module, module2) { .number = 2 };
FIXTURE_VARIANT_ADD(module, module3) { .number = 3 };
FIXTURE_VARIANT_ADD(module, module4) { .number = 4 };
FIXTURE_VARIANT_ADD(module, module5) { .number = 5 };

FIXTURE_SETUP(module)
{
}

FIXTURE_TEARDOWN(module)
{
}

TEST_F(module, state)
{
	const struct tested_bar *bar = &current->bar[variant->number];
	const struct bar_facts *facts = &bar->facts;

	ASSERT_NE(VERDICT_REFUTED, bar->state_verdict)
		TH_LOG("state '%s', 0x%llx bytes: %s", facts->state, facts->stated_size,
		       bar->state_why.text);
	/* A module that gives up too early looks the same. */
	ASSERT_NE(VERDICT_CHANGED, bar->state_verdict)
		TH_LOG("state '%s', 0x%llx bytes: %s: if that is new, bind the device again",
		       facts->state, facts->stated_size, bar->state_why.text);
	if (bar->state_verdict == VERDICT_ACCEPTED)
		SKIP(return, "state '%s' cannot be verified: %s", facts->state,
		     bar->state_why.text);

	ksft_print_msg("BAR%u: %s, 0x%llx bytes that are shown as 0x%llx: %s\n", variant->number,
		       facts->state, facts->device_size, facts->size, bar->state_why.text);
}

/*
 * Devices look the same whichever way they are opened. Snapshots were taken before,
 * one way after the other, as a device can be open in one way only.
 */
FIXTURE(way)
{
	struct vfio_device *device;
	const struct snapshot *before;
	struct snapshot now;
};

FIXTURE_VARIANT(way)
{
	const char *name;
};

FIXTURE_VARIANT_ADD(way, container) { .name = "container" };
FIXTURE_VARIANT_ADD(way, iommufd_container) { .name = "iommufd-container" };
FIXTURE_VARIANT_ADD(way, cdev) { .name = "cdev" };
FIXTURE_VARIANT_ADD(way, noiommu) { .name = "noiommu" };

/* At the same registers, through the device that is open now. */
FIXTURE_SETUP(way)
{
	size_t i;

	for (i = 0; strcmp(vfio_backends[i]->name, variant->name); i++)
		;
	self->device = current->device;
	self->before = &current->snapshot[i];
	ASSERT_TRUE(self->before->is_taken)
		TH_LOG("%s", self->before->why.text);

	self->now = *self->before;
	snapshot_take(self->device, &self->now);
	ASSERT_TRUE(self->now.is_taken)
		TH_LOG("%s", self->now.why.text);
}

FIXTURE_TEARDOWN(way)
{
}

TEST_F(way, looks_the_same)
{
	struct error err;

	EXPECT_TRUE(snapshot_same_regions(self->before, &self->now, &err))
		TH_LOG("%s: %s", self->device->ops->name, err.text);
	EXPECT_TRUE(snapshot_maps_as_flagged(self->before, &err))
		TH_LOG("%s", err.text);
	EXPECT_TRUE(snapshot_same_registers(self->before, &self->now, &err))
		TH_LOG("%s: %s", self->device->ops->name, err.text);
}

/* Which variants of each fixture apply to a device. */

static bool is_there(const struct tested_device *t, unsigned int bar)
{
	return t->device->fd >= 0 && t->bar[bar].facts.size;
}

static bool is_memory(const struct tested_device *t, unsigned int bar)
{
	return is_there(t, bar) && t->bar[bar].facts.flags & RES_MEM;
}

static bool has_address(const struct tested_device *t, unsigned int bar)
{
	return is_memory(t, bar) && !t->device->dev->is_vf &&
	       !(t->bar[bar].facts.flags & RES_PCI_FIXED);
}

static bool has_page(const struct tested_device *t, unsigned int bar)
{
	return is_there(t, bar) && bar_is_subpage(&t->bar[bar].facts) &&
	       vfio_bar_is_mappable(&t->device->bar[bar]);
}

static bool is_writable(const struct tested_device *t, unsigned int bar)
{
	const struct register_list *list = &t->bar[bar].registers;
	size_t i;

	for (i = 0; i < list->nr; i++)
		if (list->reg[i].readback != READBACK_NONE)
			return is_memory(t, bar) && !t->bar[bar].is_busy;
	return false;
}

/* The module says nothing about other BARs; if it does, that is looked at. */
static bool is_stated(const struct tested_device *t, unsigned int bar)
{
	const struct bar_facts *facts = &t->bar[bar].facts;

	return facts->held && (bar_is_subpage(facts) || facts->state[0]);
}

static const struct {
	const char *fixture;
	bool (*applies)(const struct tested_device *t, unsigned int bar);
} kinds[] = {
	{ "bar", is_there },
	{ "memory", has_address },
	{ "page", has_page },
	{ "registers", is_memory },
	{ "writable", is_writable },
	{ "module", is_stated },
};

static const char * const way_variants[VFIO_NR_BACKENDS] = {
	"container", "iommufd_container", "cdev", "noiommu"
};

static void leave_out(char **argv, int *argc, const char *name, int bar)
{
	char *variant;

	if (bar < 0 ? asprintf(&variant, "%s", name) < 0 :
	    asprintf(&variant, "%s%d", name, bar) < 0)
		ksft_exit_fail_msg("no memory\n");
	argv[(*argc)++] = "-V";
	argv[(*argc)++] = variant;
}

/* The harness takes the first option that says something of a test: ours come first. */
static int harness_arguments(const struct tested_device *t, char **argv)
{
	int argc = 0, bar, i;
	size_t k;

	argv[argc++] = options.harness_argv[0];
	for (k = 0; k < ARRAY_SIZE(kinds); k++)
		for (bar = 0; bar < SYSFS_NR_BARS; bar++)
			if (!kinds[k].applies(t, bar))
				leave_out(argv, &argc, kinds[k].fixture, bar);
	for (i = 0; i < VFIO_NR_BACKENDS; i++)
		if (t->device->fd < 0 || !t->is_way[i])
			leave_out(argv, &argc, way_variants[i], -1);
	for (i = 1; i < options.harness_argc && argc < MAX_ARGS - 1; i++)
		argv[argc++] = options.harness_argv[i];
	argv[argc] = NULL;
	return argc;
}

/* The harness ends with exit(). */
static void keep_totals(void)
{
	current->totals = (struct record_totals) {
		.pass = ksft_get_pass_cnt() + ksft_get_xpass_cnt(),
		.fail = ksft_get_fail_cnt(),
		.skip = ksft_get_xskip_cnt(),
		.xfail = ksft_get_xfail_cnt(),
		.error = ksft_get_error_cnt(),
	};
}

static void test_in_child(struct tested_device *t, int output)
{
	char *argv[MAX_ARGS];
	int argc;

	current = t;
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	close(output);
	memset(&ksft_cnt, 0, sizeof(ksft_cnt));
	atexit(keep_totals);
	argc = harness_arguments(t, argv);
	exit(test_harness_run(argc, argv));
}

static void print_indented(int input)
{
	FILE *file = fdopen(input, "r");
	char *line = NULL;
	size_t size = 0;

	if (!file)
		return;

	while (getline(&line, &size, file) > 0) {
		printf("    %s", line);
		fflush(stdout);
	}
	free(line);
	fclose(file);
}

static void test_device(struct tested_device *t)
{
	const char *bdf = t->device->dev->bdf;
	int output[2], status = 0;
	pid_t pid;

	printf("# Subtest: %s\n", bdf);
	fflush(stdout);
	if (pipe(output))
		ksft_exit_fail_msg("%s: no pipe for its tests: %s\n", bdf, strerror(errno));

	pid = fork();
	if (pid < 0)
		ksft_exit_fail_msg("%s: no process for its tests: %s\n", bdf, strerror(errno));
	if (!pid) {
		close(output[0]);
		test_in_child(t, output[1]);
	}

	close(output[1]);
	print_indented(output[0]);
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status)) {
		ksft_print_msg("ended by signal %d\n", WTERMSIG(status));
		t->totals.error++;
	}
	ksft_test_result(WIFEXITED(status) && !WEXITSTATUS(status), "%s\n", bdf);
}

static int init_device(struct tested_device *t, struct vfio_device *device, struct error *err)
{
	unsigned int bar;

	t->device = device;
	for (bar = 0; bar < SYSFS_NR_BARS; bar++) {
		bar_facts_read(device->dev, bar, &t->bar[bar].facts);
		if (safe_registers(&options, &profiles, device->dev, bar, &t->bar[bar].registers,
				   err))
			return -1;
	}
	return 0;
}

static int init_devices(struct error *err)
{
	size_t i;

	if (!devices.nr)
		return 0;

	tested = mmap(NULL, devices.nr * sizeof(*tested), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tested == MAP_FAILED)
		return error_set(err, "no memory for %zu devices", devices.nr);

	for (i = 0; i < devices.nr; i++)
		if (init_device(&tested[i], &devices.one[i], err))
			return -1;
	return 0;
}

/* One that is only read: what was written does not outlive the next opening. */
static void choose_registers(const struct tested_device *t, struct snapshot *snapshot)
{
	unsigned int bar;
	size_t i;

	for (bar = 0; bar < SYSFS_NR_BARS; bar++) {
		const struct register_list *list = &t->bar[bar].registers;

		snapshot->bar[bar].is_busy = t->bar[bar].is_busy;
		for (i = 0; i < list->nr && list->reg[i].readback != READBACK_NONE; i++)
			;
		if (i < list->nr && !t->bar[bar].is_busy)
			snapshot->reg[snapshot->nr_reg++].reg = list->reg[i];
	}
}

/* A way that the kernel lacks is said once, and not of each device. */
static void take_snapshot(struct tested_device *t, size_t way)
{
	const struct pci_device *dev = t->device->dev;
	struct snapshot *snapshot = &t->snapshot[way];
	const struct vfio_backend_ops *ops = vfio_backends[way];

	if (!vfio_backend_suits(ops, dev))
		return;

	t->is_way[way] = ops->applies(ops, dev, &snapshot->why);
	if (!t->is_way[way]) {
		missing_way[way] = snapshot->why;
		return;
	}
	choose_registers(t, snapshot);
	snapshot_take_through(ops, &scan, dev, snapshot);
}

/* Before the devices are opened for good: they can be open in one way only. */
static void take_snapshots(void)
{
	size_t i, way;

	for (i = 0; i < devices.nr; i++)
		for (way = 0; way < VFIO_NR_BACKENDS; way++)
			take_snapshot(&tested[i], way);
}

/* Before any device is open: that adds reservations of its own. */
static void expect_bars(void)
{
	unsigned int number;
	size_t i;

	for (i = 0; i < devices.nr; i++) {
		for (number = 0; number < SYSFS_NR_BARS; number++) {
			struct tested_bar *bar = &tested[i].bar[number];

			bar->expected_mmap = expect_mmap(&bar->facts, &iomem);
			bar->is_busy = expect_busy(tested[i].device->dev, number, &iomem,
						   &bar->busy_why);
			if (bar->facts.held)
				bar->state_verdict = expect_state(&bar->facts, &iomem,
								  &bar->state_why);
		}
	}
}

static bool is_tested(const char *bdf)
{
	size_t i;

	for (i = 0; i < devices.nr && strcmp(devices.one[i].dev->bdf, bdf); i++)
		;
	return i < devices.nr;
}

/* BARs of devices that are not tested; of the others each has a record. */
static void record_neighbours(const struct bar_facts *facts, bool module)
{
	u64 start = bar_page(facts), end = bar_page_end(facts);
	unsigned int bar;
	char name[64];
	size_t i;

	for (i = 0; i < scan.nr; i++) {
		const struct pci_device *dev = &scan.dev[i];

		if (is_tested(dev->bdf))
			continue;
		for (bar = 0; bar < SYSFS_NR_BARS; bar++) {
			const struct pci_resource *res = &dev->res[bar];

			if (!resource_in_page(res, start, end))
				continue;
			snprintf(name, sizeof(name), "%s BAR %u", dev->bdf, bar);
			record_neighbour(module, res->start, res->end, name);
		}
	}
}

static void record_tested_bar(const struct tested_device *t, unsigned int number)
{
	const struct vfio_device *device = t->device;
	const struct pci_device *dev = device->dev;
	const struct tested_bar *bar = &t->bar[number];
	bool is_open = device->fd >= 0;
	struct record_bar record = {
		.dev = dev,
		.name = profile_set_name(&profiles, dev->vendor, dev->device, dev->class),
		.bar = number,
		.state = bar->facts.state,
		.expected_mmap = bar->expected_mmap,
		.mmap = is_open ? vfio_bar_is_mappable(&device->bar[number]) : -1,
		.backend = is_open ? device->ops->name : "",
	};

	record_bar(&record);
	if (bar_is_subpage(&bar->facts))
		record_neighbours(&bar->facts, dev->is_prepared);
}

static void record_bars(void)
{
	unsigned int bar;
	size_t i;

	for (i = 0; i < devices.nr; i++)
		for (bar = 0; bar < SYSFS_NR_BARS; bar++)
			if (tested[i].bar[bar].facts.size)
				record_tested_bar(&tested[i], bar);
}

static int prepare(int argc, char **argv, struct error *err)
{
	if (options_parse(OPTIONS_TEST, argc, argv, getenv("VFIO_SELFTESTS_BDF"), &options,
			  err))
		return -1;
	if (options.help || options.list_only)
		return 0;
	if (profile_set_load(options.profiles, &profiles, err) || sysfs_scan(&scan, err) ||
	    vfio_devices_choose(&devices, &options, &scan, err) ||
	    registers_check(&options, &scan, err))
		return -1;

	return init_devices(err);
}

static int prepare_run(char **argv, struct error *err)
{
	struct error why_hidden;
	int hidden;

	if (records_open(options.results, argv, options.platform, options.accel, err))
		return -1;

	/* Whoever may not open a device shall be told that first. */
	hidden = iomem_read(&iomem, &why_hidden);
	expect_bars();
	take_snapshots();
	if (vfio_devices_attach(&devices, &options, err))
		return -1;
	if (hidden)
		return error_set(err, "%s", why_hidden.text);

	vfio_devices_open(&devices);
	record_bars();
	return 0;
}

static size_t count_missing_ways(void)
{
	size_t nr = 0, way;

	for (way = 0; way < VFIO_NR_BACKENDS; way++)
		nr += !!missing_way[way].text[0];
	return nr;
}

static void add_totals(struct record_totals *sum, const struct record_totals *more)
{
	sum->pass += more->pass;
	sum->fail += more->fail;
	sum->skip += more->skip;
	sum->xfail += more->xfail;
	sum->error += more->error;
}

static int run(struct error *err)
{
	struct record_totals totals = { .skip = count_missing_ways() };
	size_t i, way;

	ksft_print_header();
	ksft_set_plan(devices.nr + totals.skip);
	for (i = 0; i < devices.nr; i++) {
		test_device(&tested[i]);
		add_totals(&totals, &tested[i].totals);
	}
	for (way = 0; way < VFIO_NR_BACKENDS; way++)
		if (missing_way[way].text[0])
			ksft_test_result_skip("way.%s: %s\n", way_variants[way],
					      missing_way[way].text);
	return records_close(&totals, true, err);
}

static int complain(const struct error *err)
{
	fprintf(stderr, PROGRAM ": %s\n", err->text);
	return KSFT_FAIL;
}

int main(int argc, char **argv)
{
	struct error err;

	if (prepare(argc, argv, &err))
		return complain(&err);
	if (options.help) {
		fputs(options_help(OPTIONS_TEST), stdout);
		return KSFT_PASS;
	}
	if (options.list_only)
		return test_harness_run(options.harness_argc, options.harness_argv);
	if (!devices.nr) {
		ksft_print_header();
		ksft_exit_skip("no PCI device is bound to VFIO: bind one to vfio-pci\n");
	}
	if (prepare_run(argv, &err) || run(&err))
		return complain(&err);

	ksft_exit(!ksft_get_fail_cnt());
}
