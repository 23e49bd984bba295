// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "options.h"
#include "registers/mmio.h"
#include "registers/profile.h"

/* Register accesses. */

TEST(mmio_widths)
{
	union {
		u64 whole;
		u8 byte[8];
	} memory = { .byte = { 1, 2, 3, 4, 5, 6, 7, 8 } };

	EXPECT_EQ(0x01, mmio_read(&memory, 1));
	EXPECT_EQ(0x0201, mmio_read(&memory, 2));
	EXPECT_EQ(0x04030201, mmio_read(&memory, 4));
	EXPECT_EQ(0x0807060504030201, mmio_read(&memory, 8));

	mmio_write(&memory.byte[4], 2, 0xaabb);
	EXPECT_EQ(0xbb, memory.byte[4]);
	EXPECT_EQ(0xaa, memory.byte[5]);
	EXPECT_EQ(4, memory.byte[3]);
	EXPECT_EQ(7, memory.byte[6]);
}

TEST(register_values)
{
	struct safe_register reg = { .width = 2, .readback = READBACK_INVERTED };

	EXPECT_EQ(0xff00, register_mirror(&reg, 0xff));
	EXPECT_TRUE(register_answers(&reg, 0xffff));
	reg.readback = READBACK_NONE;
	EXPECT_FALSE(register_answers(&reg, 0xffff));
	EXPECT_TRUE(register_answers(&reg, 0xfffe));
	reg.mask = 1;
	EXPECT_TRUE(register_answers(&reg, 0xffff));
	EXPECT_EQ(U64_MAX, register_mask(8));
}

/* Profiles. */

static int parse_profile(const char *text, struct profile *profile, struct error *err)
{
	FILE *file = text_file(text);
	int ret = profile_parse(file, "x.profile", profile, err);

	fclose(file);
	return ret;
}

TEST(profile_good)
{
	static const char text[] =
		"# a comment\n"
		"\n"
		"device 1234:11e8   # another\n"
		"\tdevice 1af4:*\n"
		"class 0c0310\n"
		"name QEMU edu\t\n"
		"register bar=0 offset=0x10 width=4 access=ro value=0xed mask=0xff\n"
		"register access=rw readback=inverted width=8 offset=8 bar=5\n"
		"register bar=1 offset=0 width=1 access=rw readback=same\n"
		"register bar=0 offset=0 width=2 access=ro value=0xbeef\n";
	struct safe_register reg[4];
	struct profile profile;
	struct error err;

	ASSERT_EQ(0, parse_profile(text, &profile, &err))
		TH_LOG("%s", err.text);
	EXPECT_STREQ("QEMU edu", profile.name);
	ASSERT_EQ(3, profile.nr_match);
	EXPECT_EQ(0x1234, profile.match[0].vendor);
	EXPECT_EQ(0x11e8, profile.match[0].device);
	EXPECT_EQ(PROFILE_ANY_DEVICE, profile.match[1].device);
	EXPECT_TRUE(profile.match[2].is_class);
	EXPECT_EQ(0x0c0310, profile.match[2].class);
	ASSERT_EQ(4, profile.list.nr);

	memcpy(reg, profile.list.reg, sizeof(reg));
	EXPECT_EQ(0x10, reg[0].offset);
	EXPECT_EQ(4, reg[0].width);
	EXPECT_EQ(READBACK_NONE, reg[0].readback);
	EXPECT_EQ(0xed, reg[0].value);
	EXPECT_EQ(0xff, reg[0].mask);
	EXPECT_EQ(5, reg[1].bar);
	EXPECT_EQ(READBACK_INVERTED, reg[1].readback);
	EXPECT_EQ(0, reg[1].mask);
	EXPECT_EQ(READBACK_SAME, reg[2].readback);
	EXPECT_EQ(0xffff, reg[3].mask);
	profile_free(&profile);
}

/* What is wrong, in line 3 each time, and what the error says about it. */
static const struct {
	const char *line;
	const char *says;
} wrong_line[] = {
	{ "reg bar=0", "unknown line 'reg'" },
	{ "device 1234", "vendor:device" },
	{ "device 12345:1", "vendor" },
	{ "device 1234:xyz", "device" },
	{ "device 1234:1 extra", "device" },
	{ "device 1234:11e8", "there already" },
	{ "class 0c03", "6 hexadecimal digits" },
	{ "class 0c03zz", "6 hexadecimal digits" },
	{ "name again", "second name" },
	{ "register bar=0 offset=0 width=4", "access= is missing" },
	{ "register offset=0 width=4 access=ro", "bar= is missing" },
	{ "register bar=0 width=4 access=ro", "offset= is missing" },
	{ "register bar=0 offset=0 access=ro", "width= is missing" },
	{ "register bar=6 offset=0 width=4 access=ro", "bar=6: not one of" },
	{ "register bar=-1 offset=0 width=4 access=ro", "bar=-1: not a number" },
	{ "register bar=0 offset=zero width=4 access=ro", "offset=zero: not a number" },
	{ "register bar=0 offset=0x width=4 access=ro", "offset=0x: not a number" },
	{ "register bar=0 offset=0x0x4 width=4 access=ro", "not a number" },
	{ "register bar=0 offset=0x10000000000000000 width=4 access=ro", "not a number" },
	{ "register bar=0 offset=0 width=3 access=ro", "width=3: not one of" },
	{ "register bar=0 offset=0 width=16 access=ro", "width=16: not one of" },
	{ "register bar=0 offset=2 width=4 access=ro", "multiple of the width" },
	{ "register bar=0 offset=0 width=4 access=wo", "access=wo: neither" },
	{ "register bar=0 offset=0 width=4 access=rw", "without readback" },
	{ "register bar=0 offset=0 width=4 access=rw readback=zero", "readback=zero: neither" },
	{ "register bar=0 offset=0 width=4 access=ro readback=same", "readback= needs" },
	{ "register bar=0 offset=0 width=4 access=rw readback=same value=1", "need access=ro" },
	{ "register bar=0 offset=0 width=4 access=ro mask=1", "mask= without value=" },
	{ "register bar=0 offset=0 width=1 access=ro value=0x100", "wider" },
	{ "register bar=0 bar=0 offset=0 width=4 access=ro", "bar= is given twice" },
	{ "register bar=0 offset=0 width=4 access=ro colour=red", "unknown key 'colour'" },
	{ "register bar=0 offset=0 width=4 access=ro safe", "key=value" },
	{ "register bar=2 offset=0 width=4 access=ro", "there already" },
};

TEST(profile_errors)
{
	struct profile profile;
	struct error err;
	char text[512];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong_line); i++) {
		snprintf(text, sizeof(text),
			 "device 1234:11e8\nname x\n%s\n", wrong_line[i].line);
		/* The last one repeats a register. */
		if (i == ARRAY_SIZE(wrong_line) - 1)
			snprintf(text, sizeof(text), "device 1:2\n%s\n%s\n",
				 wrong_line[i].line, wrong_line[i].line);

		EXPECT_EQ(-1, parse_profile(text, &profile, &err))
			TH_LOG("'%s' was taken", wrong_line[i].line);
		EXPECT_EQ(0, strncmp("x.profile:3: ", err.text, 13))
			TH_LOG("'%s' gave '%s'", wrong_line[i].line, err.text);
		EXPECT_NE(NULL, strstr(err.text, wrong_line[i].says))
			TH_LOG("'%s' gave '%s'", wrong_line[i].line, err.text);
	}
}

TEST(profile_order_and_end)
{
	struct profile profile;
	struct error err;

	EXPECT_EQ(-1, parse_profile("name x\nregister bar=0 offset=0 width=4 access=ro\n",
				    &profile, &err));
	EXPECT_STREQ("x.profile:2: register before any device or class", err.text);
	EXPECT_EQ(-1, parse_profile("device 1:2\n", &profile, &err));
	EXPECT_STREQ("x.profile:1: names no register", err.text);
	EXPECT_EQ(-1, parse_profile("", &profile, &err));
}

/* What follows # is no line of its own, however long it is. */
TEST(profile_long_line)
{
	struct profile profile;
	char text[2048];
	struct error err;

	snprintf(text, sizeof(text), "device 1:2 #%*s\nregister bar=0 offset=0 width=4 access=ro\n",
		 1500, "nonsense");
	ASSERT_EQ(0, parse_profile(text, &profile, &err))
		TH_LOG("%s", err.text);
	EXPECT_EQ(1, profile.list.nr);
	profile_free(&profile);
}

TEST(profile_directory_missing)
{
	struct profile_set set;
	struct error err;

	EXPECT_EQ(-1, profile_set_load("/nonexistent/profiles", &set, &err));
	EXPECT_NE(NULL, strstr(err.text, "/nonexistent/profiles"));
}

FIXTURE(profiles)
{
	struct profile profile[3];
	struct profile_set set;
	struct register_list list;
	struct error err;
};

/* In files' order: the closest is last. */
FIXTURE_SETUP(profiles)
{
	static const char * const text[] = {
		"class 0c0310\nname class\n"
		"register bar=0 offset=0 width=4 access=ro\n"
		"register bar=0 offset=8 width=4 access=ro value=1\n",
		"device 1:*\nname vendor\n"
		"register bar=0 offset=4 width=4 access=ro\n",
		"device 1:2\nname device\n"
		"register bar=0 offset=8 width=4 access=ro value=2\n"
		"register bar=1 offset=12 width=4 access=ro\n"
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(text); i++)
		ASSERT_EQ(0, parse_profile(text[i], &self->profile[i], &self->err));
	self->set = (struct profile_set) { self->profile, ARRAY_SIZE(text) };
	self->list = (struct register_list) { 0 };
}

FIXTURE_TEARDOWN(profiles)
{
	size_t i;

	for (i = 0; i < self->set.nr; i++)
		profile_free(&self->profile[i]);
	register_list_free(&self->list);
}

static size_t count_registers(const struct profile_set *set, unsigned int vendor,
			      unsigned int device, unsigned int class, unsigned int bar,
			      struct register_list *list)
{
	struct error err;

	register_list_free(list);
	profile_set_registers(set, vendor, device, class, bar, list, &err);
	return list->nr;
}

/* The closest first, and for one place it alone. */
TEST_F(profiles, registers)
{
	struct register_list *list = &self->list;

	ASSERT_EQ(3, count_registers(&self->set, 1, 2, 0x0c0310, 0, list));
	EXPECT_EQ(8, list->reg[0].offset);
	EXPECT_EQ(2, list->reg[0].value);
	ASSERT_EQ(1, count_registers(&self->set, 1, 3, 0, 0, list));
	EXPECT_EQ(4, list->reg[0].offset);
	EXPECT_EQ(1, count_registers(&self->set, 1, 2, 0, 1, list));
	EXPECT_EQ(2, count_registers(&self->set, 9, 9, 0x0c0310, 0, list));
	EXPECT_EQ(0, count_registers(&self->set, 9, 9, 0x0c0320, 0, list));
	EXPECT_EQ(0, count_registers(&self->set, 9, 2, 0, 0, list));
}

TEST_F(profiles, name)
{
	EXPECT_STREQ("device", profile_set_name(&self->set, 1, 2, 0x0c0310));
	EXPECT_STREQ("vendor", profile_set_name(&self->set, 1, 3, 0));
	EXPECT_STREQ("class", profile_set_name(&self->set, 9, 9, 0x0c0310));
	EXPECT_STREQ("", profile_set_name(&self->set, 9, 2, 0));
	self->profile[2].name[0] = '\0';
	EXPECT_STREQ("vendor", profile_set_name(&self->set, 1, 2, 0));
}

TEST(profiles_shipped)
{
	struct options options;
	struct profile_set set;
	char *name = "x";
	struct error err;
	size_t i;

	ASSERT_EQ(0, options_parse(OPTIONS_TEST, 1, &name, NULL, &options, &err));
	ASSERT_EQ(0, profile_set_load(options.profiles, &set, &err))
		TH_LOG("%s", err.text);
	EXPECT_LT(0, set.nr);
	for (i = 0; i < set.nr; i++)
		EXPECT_STRNE("", set.profile[i].name);
	profile_set_free(&set);
}
