// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hosts that the tests ask for. What is expected of each is said in
 * scripts/vm/guest/test-fake-host.sh.
 */
#include <linux/array_size.h>
#include <linux/string.h>

#include "fake_host.h"

#define MEM64	PCI_BASE_ADDRESS_MEM_TYPE_64
#define PREF	PCI_BASE_ADDRESS_MEM_PREFETCH

/* A BAR at an offset of a page of the first window, or of the second one. */
#define BAR(_size, _page, _offset)					\
	{ .size = (_size), .page = (_page), .offset = (_offset) }
#define BAR_WINDOW1(_size, _page, _offset, _type)			\
	{ .size = (_size), .page = (_page), .offset = (_offset), .type = (_type), \
	  .window = 1 }
#define BAR_QUIRK(_size, _page, _offset, _quirks)			\
	{ .size = (_size), .page = (_page), .offset = (_offset), .quirks = (_quirks) }

/* A device with nothing but BAR 0. */
#define ONE_BAR(...)	{ .bars[0] = __VA_ARGS__ }

static const struct fake_scenario scenarios[] = {
	{
		.name = "packed",
		.windows = { { FAKE_MEM32, 8 } },
		.devices = {
			ONE_BAR(BAR(2048, 0, 0)),
			ONE_BAR(BAR(256, 0, 0x800)),
			ONE_BAR(BAR(16, 0, 0xff0)),
		},
	}, {
		.name = "fails",
		.windows = { { FAKE_MEM32, 8 }, { FAKE_PREF64, 4 } },
		.devices = {
			{
				.bars = {
					/* To a new page; in its own. */
					BAR(256, 0, 0x100),
					BAR(256, 1, 0x400),
					/* Share one. */
					BAR(256, 2, 0x000),
					BAR(256, 2, 0x100),
					BAR(256, 2, 0x200),
					/* In place. */
					BAR(256, 3, 0x000),
				},
			},
			ONE_BAR(BAR(256, 0, 0x000)),
			{
				.bars = {
					BAR_WINDOW1(256, 0, 0x100, MEM64 | PREF),
					{},
					BAR_WINDOW1(256, 0, 0x000, MEM64 | PREF),
				},
			},
		},
	}, {
		.name = "pm",
		.windows = { { FAKE_MEM32, 8 }, { FAKE_PREF64, 4 } },
		.devices = {
			{
				.pm = true,
				.bars = {
					BAR(256, 0, 0x100),
					BAR_WINDOW1(256, 0, 0x100, MEM64 | PREF),
				},
			},
			ONE_BAR(BAR(256, 0, 0x000)),
			ONE_BAR(BAR_WINDOW1(256, 0, 0x000, MEM64 | PREF)),
		},
	}, {
		/*
		 * The last device, which the PCI core is to find places for,
		 * has to get into the only page of window 0 beside the first
		 * one, or gets none there.
		 */
		.name = "race",
		.windows = { { FAKE_MEM32, 1 }, { FAKE_PREF64, 4 } },
		.devices = {
			{
				.bars = {
					BAR(256, 0, 0),
					BAR_WINDOW1(256, 0, 0x000, MEM64 | PREF),
				},
			},
			ONE_BAR(BAR_WINDOW1(256, 0, 0x100, MEM64 | PREF)),
			ONE_BAR(BAR_WINDOW1(256, 0, 0x200, MEM64 | PREF)),
			{
				.bars = {
					BAR_QUIRK(256, 0, 0, FAKE_ASSIGN),
					{ .size = 16, .type = MEM64 | PREF,
					  .quirks = FAKE_ASSIGN, .window = 1 },
				},
			},
		},
	},
};

/**
 * fake_scenario_find - look up a host
 * @name: its name
 *
 * Return: the host; NULL if there is none with this name
 */
const struct fake_scenario *fake_scenario_find(const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(scenarios); i++) {
		if (!strcmp(scenarios[i].name, name))
			return &scenarios[i];
	}
	return NULL;
}
