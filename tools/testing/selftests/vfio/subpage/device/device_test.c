// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "device/devices.h"
#include "device/open_error.h"
#include "device/snapshot.h"
#include "device/sysfs.h"
#include "device/vfio_backend.h"
#include "device/vfio_device.h"

/* PCI addresses and resources. */

TEST(bdf_forms)
{
	char bdf[SYSFS_BDF_LEN];

	EXPECT_TRUE(sysfs_parse_bdf("0000:01:00.0", bdf));
	EXPECT_STREQ("0000:01:00.0", bdf);
	EXPECT_TRUE(sysfs_parse_bdf("01:1f.7", bdf));
	EXPECT_STREQ("0000:01:1f.7", bdf);
	EXPECT_TRUE(sysfs_parse_bdf("10000:AB:00.0", bdf));
	EXPECT_STREQ("10000:ab:00.0", bdf);
}

TEST(bdf_rejected)
{
	static const char * const wrong[] = {
		"", "01:00", "01:00.8", "01:20.0", "0000:01:00.0x", "0000:01:00.0 ", " 01:00.0",
		"eth0", "0000:101:00.0", "-1:00.0", "0000:01:00.",
	};
	char bdf[SYSFS_BDF_LEN];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		EXPECT_FALSE(sysfs_parse_bdf(wrong[i], bdf))
			TH_LOG("'%s' was taken as %s", wrong[i], bdf);
	}
}

TEST(resource_line)
{
	struct pci_resource res;

	ASSERT_TRUE(sysfs_parse_resource("0x00000000fe240100 0x00000000fe2401ff 0x0000040200\n",
					 &res));
	EXPECT_EQ(0xfe240100, res.start);
	EXPECT_EQ(0xfe2401ff, res.end);
	EXPECT_EQ(0x40200, res.flags);
	EXPECT_EQ(256, sysfs_resource_size(&res));
}

TEST(resource_line_extremes)
{
	struct pci_resource res;

	ASSERT_TRUE(sysfs_parse_resource("0x0000000000000000 0x0000000000000000 0x0000000000000000",
					 &res));
	EXPECT_EQ(0, sysfs_resource_size(&res));

	ASSERT_TRUE(sysfs_parse_resource("0xffffffffffff0000 0xffffffffffffffff 0x0000000000140204",
					 &res));
	EXPECT_EQ(0x10000, sysfs_resource_size(&res));

	/* Unassigned: no address, but a size. */
	ASSERT_TRUE(sysfs_parse_resource("0x0000000000000000 0x00000000000000ff 0x0000000020040200",
					 &res));
	EXPECT_EQ(256, sysfs_resource_size(&res));
}

TEST(resource_line_rejected)
{
	struct pci_resource res;

	EXPECT_FALSE(sysfs_parse_resource("", &res));
	EXPECT_FALSE(sysfs_parse_resource("0x1 0x2", &res));
	EXPECT_FALSE(sysfs_parse_resource("0x1 0x2 0x3 0x4", &res));
	EXPECT_FALSE(sysfs_parse_resource("start end flags", &res));
}

TEST(unassigned_bar)
{
	struct pci_device dev = {
		.res = {
			{ 0xfe000000, 0xfe000fff, RES_MEM },
			{ 0, 0, 0 },
			{ 0, 0xff, RES_MEM | RES_UNSET },
		},
	};

	EXPECT_EQ(2, sysfs_unassigned_bar(&dev));
	dev.res[2].flags = 0;
	EXPECT_EQ(-1, sysfs_unassigned_bar(&dev));
}

TEST(bar_register)
{
	struct pci_device dev = {
		.header = {
			[0x10] = 0x00, 0x01, 0x24, 0xfe,	/* 32 bits */
			[0x14] = 0x0c, 0x00, 0x00, 0xfd,	/* 64 bits, prefetchable */
			[0x18] = 0x80, 0x03, 0x00, 0x00,
		},
	};

	EXPECT_EQ(0xfe240100, sysfs_bus_address(&dev, 0));
	EXPECT_EQ(0x380fd000000, sysfs_bus_address(&dev, 1));
}

/* Ways to a device. */

static bool never(const struct vfio_backend_ops *ops, const struct pci_device *dev,
		  struct error *why)
{
	error_set(why, "no %s for %s", ops->name, dev->bdf);
	return false;
}

static bool always(const struct vfio_backend_ops *ops, const struct pci_device *dev,
		   struct error *why)
{
	return true;
}

TEST(backend_choice)
{
	static const struct vfio_backend_ops no = { .name = "one", .applies = never };
	static const struct vfio_backend_ops nor = { .name = "nor", .applies = never };
	static const struct vfio_backend_ops yes = { .name = "yes", .applies = always };
	static const struct vfio_backend_ops also = { .name = "also", .applies = always };
	const struct vfio_backend_ops *list[] = { &no, &yes, &nor, &also };
	const struct vfio_backend_ops *bad[] = { &no, &nor };
	struct pci_device dev = { .bdf = BDF };
	struct error err;

	EXPECT_EQ(&yes, vfio_backend_choose(list, 4, &dev, &err));
	EXPECT_EQ(NULL, vfio_backend_choose(bad, 2, &dev, &err));
	EXPECT_STREQ(BDF " cannot be opened; one: no one for " BDF "; nor: no nor for " BDF,
		     err.text);
}

/* In whatever way, a device without a group cannot be opened. */
TEST(backend_without_group)
{
	struct pci_device dev = { .bdf = BDF, .iommu_group = -1 };
	struct error err;

	EXPECT_EQ(NULL, vfio_backend_choose(vfio_backends, VFIO_NR_BACKENDS, &dev, &err));
	EXPECT_NE(NULL, strstr(err.text, "IOMMU group"));
}

TEST(backend_iommu)
{
	struct pci_device real = { .bdf = BDF, .iommu_group = 3 };
	struct pci_device made_up = { .bdf = BDF, .iommu_group = 3, .is_noiommu = true };
	struct error why;

	EXPECT_TRUE(device_check_iommu(&real, false, &why));
	EXPECT_TRUE(device_check_iommu(&made_up, true, &why));
	EXPECT_FALSE(device_check_iommu(&real, true, &why));
	EXPECT_STREQ(BDF " has an IOMMU: no-IOMMU mode does not apply", why.text);
	EXPECT_FALSE(device_check_iommu(&made_up, false, &why));
	EXPECT_NE(NULL, strstr(why.text, "has no IOMMU"));
}

TEST(backend_device_file)
{
	struct error why;

	EXPECT_FALSE(file_is_missing("/dev/null", "CONFIG_NULL", &why));
	EXPECT_TRUE(file_is_missing("/dev/no/such", "CONFIG_SUCH", &why));
	EXPECT_NE(NULL, strstr(why.text, "/dev/no/such"));
	EXPECT_NE(NULL, strstr(why.text, "CONFIG_SUCH"));
	/* Is there, but not for us: no reason for a skip. */
	EXPECT_FALSE(file_is_missing("/", "CONFIG_ROOT", &why));
}

TEST(backend_open_errors)
{
	static const struct {
		int error;
		const char *says;
	} errors[] = {
		{ ENOENT, "does not exist" },
		{ ENODEV, "does not exist" },
		{ EACCES, "permission" },
		{ EBUSY, "in use" },
		{ EMFILE, "Too many open files" },
	};
	struct pci_device dev = { .bdf = BDF, .is_noiommu = true };
	struct error err;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		EXPECT_EQ(-1, file_open_error("/dev/iommu", errors[i].error, &err));
		EXPECT_NE(NULL, strstr(err.text, "/dev/iommu"));
		EXPECT_NE(NULL, strstr(err.text, errors[i].says));
	}
	EXPECT_EQ(-1, device_permission_error(&dev, &err));
	EXPECT_NE(NULL, strstr(err.text, BDF));
	EXPECT_NE(NULL, strstr(err.text, "CAP_SYS_RAWIO"));
}

TEST(backend_viable)
{
	struct pci_device dev[] = {
		{ .bdf = "0000:00:01.0", .iommu_group = 3, .driver = "pcieport" },
		{ .bdf = "0000:00:02.0", .iommu_group = 3, .driver = DRIVER_VFIO_PCI,
		  .is_vfio = true },
		{ .bdf = "0000:00:03.0", .iommu_group = 3 },
		{ .bdf = "0000:00:04.0", .iommu_group = 4, .driver = "nvme" },
		{ .bdf = "0000:00:05.0", .iommu_group = 3, .driver = "e1000e" },
	};
	struct pci_scan others = { .dev = dev, .nr = 5 }, none = { .dev = dev, .nr = 4 };
	struct error err = { "" };

	EXPECT_EQ(0, group_check_viable(&none, &dev[1], &err));
	EXPECT_EQ(-1, group_check_viable(&others, &dev[1], &err));
	EXPECT_NE(NULL, strstr(err.text, "not viable"));
	EXPECT_NE(NULL, strstr(err.text, " 0000:00:05.0 (e1000e)"));
	EXPECT_EQ(NULL, strstr(err.text, "nvme"));

	EXPECT_EQ(-1, device_open_error(&others, &dev[1], EBUSY, &err));
	EXPECT_NE(NULL, strstr(err.text, "not viable"));
	EXPECT_EQ(-1, device_open_error(&none, &dev[1], EBUSY, &err));
	EXPECT_NE(NULL, strstr(err.text, "in use"));
	EXPECT_EQ(-1, device_open_error(&none, &dev[1], EPERM, &err));
	EXPECT_NE(NULL, strstr(err.text, "interrupt remapping"));
}

/* What a device shows. */

FIXTURE(snapshots)
{
	struct snapshot a;
	struct snapshot b;
	struct error why;
};

FIXTURE_SETUP(snapshots)
{
	self->a.is_taken = true;
	self->a.bar[0].info = (struct vfio_region_info) { .flags = 7, .size = 256 };
	self->a.bar[2].info = (struct vfio_region_info) { .flags = 3, .size = 256,
							  .offset = 2ULL << 40 };
	self->a.bar[2].map = -EINVAL;
	self->a.nr_reg = 2;
	self->a.reg[0] = (struct register_snapshot) { .reg.offset = 4, .file = 9, .mapped = 9 };
	self->a.reg[1] = (struct register_snapshot) { .reg.offset = 8, .reg.bar = 2 };
	self->b = self->a;
}

FIXTURE_TEARDOWN(snapshots)
{
}

TEST_F(snapshots, same)
{
	EXPECT_TRUE(snapshot_same_regions(&self->a, &self->b, &self->why));
	EXPECT_TRUE(snapshot_maps_as_flagged(&self->a, &self->why));
	EXPECT_TRUE(snapshot_same_registers(&self->a, &self->b, &self->why));
}

TEST_F(snapshots, regions_differ)
{
	self->b.bar[0].info.flags = 3;
	EXPECT_FALSE(snapshot_same_regions(&self->a, &self->b, &self->why));
	EXPECT_STREQ("BAR0: flags is 0x7, and 0x3 the other way", self->why.text);
	self->b = self->a;
	self->b.bar[5].info.size = 1;
	EXPECT_FALSE(snapshot_same_regions(&self->a, &self->b, &self->why));
	EXPECT_EQ(0, strncmp("BAR5: size", self->why.text, 10));
	self->b = self->a;
	self->b.bar[2].info.offset++;
	EXPECT_FALSE(snapshot_same_regions(&self->a, &self->b, &self->why));
	EXPECT_EQ(0, strncmp("BAR2: offset", self->why.text, 12));
}

TEST_F(snapshots, maps_otherwise)
{
	self->a.bar[0].map = -EINVAL;
	EXPECT_FALSE(snapshot_maps_as_flagged(&self->a, &self->why));
	EXPECT_EQ(0, strncmp("BAR0 is flagged", self->why.text, 15));
	self->a.bar[0].map = 0;
	self->a.bar[2].map = 0;
	EXPECT_FALSE(snapshot_maps_as_flagged(&self->a, &self->why));
	EXPECT_EQ(0, strncmp("BAR2 is not flagged", self->why.text, 19));
	/* Refused, but for another reason. */
	self->a.bar[2].map = -ENOMEM;
	EXPECT_FALSE(snapshot_maps_as_flagged(&self->a, &self->why));
	/* Somebody else has a region inside. */
	self->a.bar[2].map = -EINVAL;
	self->a.bar[0].map = -EBUSY;
	EXPECT_FALSE(snapshot_maps_as_flagged(&self->a, &self->why));
	self->a.bar[0].is_busy = true;
	EXPECT_TRUE(snapshot_maps_as_flagged(&self->a, &self->why));
	self->a.bar[0].map = 0;
	EXPECT_FALSE(snapshot_maps_as_flagged(&self->a, &self->why));
}

TEST_F(snapshots, registers_differ)
{
	self->b.reg[1].file = 1;
	EXPECT_FALSE(snapshot_same_registers(&self->a, &self->b, &self->why));
	EXPECT_NE(NULL, strstr(self->why.text, "BAR2: register at 0x8 is 0x0"));
	self->b = self->a;
	self->b.reg[0].mapped = 0xff;
	EXPECT_FALSE(snapshot_same_registers(&self->a, &self->b, &self->why));
	EXPECT_NE(NULL, strstr(self->why.text, "BAR0: register at 0x4, mapped,"));
}

/* A backend of which only opening matters. */
static struct vfio_backend *fake_create(const struct vfio_backend_ops *ops, struct error *err)
{
	static struct vfio_backend backend;

	backend.ops = ops;
	return &backend;
}

static int fake_attach(struct vfio_backend *backend, const struct pci_scan *scan,
		       const struct pci_device *dev, struct error *err)
{
	return 0;
}

static void fake_destroy(struct vfio_backend *backend)
{
}

static int open_nothing(struct vfio_backend *backend, const struct pci_scan *scan,
			const struct pci_device *dev, struct error *err)
{
	return error_set(err, "%s is away", dev->bdf);
}

static int open_null(struct vfio_backend *backend, const struct pci_scan *scan,
		     const struct pci_device *dev, struct error *err)
{
	return open("/dev/null", O_RDWR);
}

static int crash(struct vfio_backend *backend, const struct pci_scan *scan,
		 const struct pci_device *dev, struct error *err)
{
	return raise(SIGBUS);
}

TEST_F(snapshots, through)
{
	struct vfio_backend_ops ops = {
		.name = "fake", .create = fake_create, .attach = fake_attach,
		.destroy = fake_destroy,
	};
	struct pci_device dev = { .bdf = BDF };
	struct pci_scan scan = { .dev = &dev, .nr = 1 };
	struct snapshot *seen;

	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		    -1, 0);
	ASSERT_NE(MAP_FAILED, seen);

	ops.open = open_nothing;
	snapshot_take_through(&ops, &scan, &dev, seen);
	EXPECT_FALSE(seen->is_taken);
	EXPECT_STREQ(BDF " is away", seen->why.text);

	ops.open = open_null;
	snapshot_take_through(&ops, &scan, &dev, seen);
	EXPECT_FALSE(seen->is_taken);
	EXPECT_STREQ("no region info", seen->why.text);

	ops.open = crash;
	snapshot_take_through(&ops, &scan, &dev, seen);
	EXPECT_FALSE(seen->is_taken);
	EXPECT_NE(NULL, strstr(seen->why.text, "signal 7"));
	munmap(seen, sizeof(*seen));
}

/* Registers that the user named. */

FIXTURE(named)
{
	struct options options;
	struct named_register named;
	struct pci_device dev;
	struct pci_scan scan;
	struct error err;
};

FIXTURE_SETUP(named)
{
	memset(self, 0, sizeof(*self));
	snprintf(self->dev.bdf, sizeof(self->dev.bdf), BDF);
	self->dev.res[1] = (struct pci_resource) {
		.start = 0xfe240100, .end = 0xfe2401ff, .flags = RES_MEM,
	};
	self->scan = (struct pci_scan) { .dev = &self->dev, .nr = 1 };
	self->named.reg = (struct safe_register) { .bar = 1, .width = 4, .offset = 0xfc };
	snprintf(self->named.bdf, sizeof(self->named.bdf), BDF);
	self->options.reg = &self->named;
	self->options.nr_reg = 1;
}

FIXTURE_TEARDOWN(named)
{
}

static const char *complaint(const struct options *options, const struct pci_scan *scan)
{
	static struct error err;

	err.text[0] = '\0';
	registers_check(options, scan, &err);
	return err.text;
}

TEST_F(named, outside)
{
	EXPECT_STREQ("", complaint(&self->options, &self->scan));
	self->named.reg.offset = 0x100;
	EXPECT_STREQ("--register: " BDF " BAR1 has only 0x100 bytes, none at 0x100",
		     complaint(&self->options, &self->scan));
	/* The end of it is no small number. */
	self->named.reg.offset = -8ULL;
	self->named.reg.width = 8;
	EXPECT_STRNE("", complaint(&self->options, &self->scan));
	self->named.reg.bar = 0;
	EXPECT_STREQ("--register: " BDF " BAR0 is not a memory BAR",
		     complaint(&self->options, &self->scan));
}

TEST_F(named, of_another_device)
{
	char other[1][SYSFS_BDF_LEN] = { "0000:09:00.0" };

	self->options.bdf = other;
	self->options.nr_bdf = 1;
	EXPECT_STREQ("--register: " BDF " is not among the devices that are named",
		     complaint(&self->options, &self->scan));
	snprintf(self->named.bdf, sizeof(self->named.bdf), "0000:09:00.0");
	EXPECT_STREQ("--register: 0000:09:00.0: there is no such PCI device: lspci -D lists them",
		     complaint(&self->options, &self->scan));
}

TEST_F(named, counts_once)
{
	struct named_register twice[3] = { self->named, self->named, self->named };
	struct profile_set none = { 0 };
	struct register_list list;

	twice[2].reg.offset = -4ULL;
	self->options.reg = twice;
	self->options.nr_reg = 3;
	ASSERT_EQ(0, safe_registers(&self->options, &none, &self->dev, 1, &list, &self->err));
	EXPECT_EQ(1, list.nr);
	register_list_free(&list);
	twice[1].reg.width = 2;
	ASSERT_EQ(0, safe_registers(&self->options, &none, &self->dev, 1, &list, &self->err));
	EXPECT_EQ(2, list.nr);
	register_list_free(&list);
}

/* The user's come first, and replace those of a profile. */
TEST_F(named, before_those_of_profiles)
{
	struct safe_register known[] = {
		{ .bar = 1, .width = 4, .offset = 0 },
		{ .bar = 1, .width = 4, .offset = 0xfc, .mask = 1 },
	};
	struct profile_match match = { .device = PROFILE_ANY_DEVICE };
	struct profile profile = { .match = &match, .nr_match = 1, .list = { known, 2 } };
	struct profile_set set = { &profile, 1 };
	struct register_list list;

	ASSERT_EQ(0, safe_registers(&self->options, &set, &self->dev, 1, &list, &self->err));
	ASSERT_EQ(2, list.nr);
	EXPECT_EQ(0xfc, list.reg[0].offset);
	EXPECT_EQ(0, list.reg[0].mask);
	register_list_free(&list);
}

/* However many there are, none is left out. */
TEST_F(named, all_count)
{
	struct named_register many[64];
	struct profile_set none = { 0 };
	struct register_list list;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(many); i++) {
		many[i] = self->named;
		many[i].reg.offset = i * 4;
	}
	self->options.reg = many;
	self->options.nr_reg = ARRAY_SIZE(many);
	ASSERT_EQ(0, safe_registers(&self->options, &none, &self->dev, 1, &list, &self->err));
	EXPECT_EQ(ARRAY_SIZE(many), list.nr);
	register_list_free(&list);
}
