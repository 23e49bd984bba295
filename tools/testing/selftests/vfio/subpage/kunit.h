/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What KUnit has to say of the driver. Its suites run when the module is
 * loaded; the kernel keeps their KTAP in debugfs, a file for each suite.
 * Format: Documentation/dev-tools/ktap.rst of the kernel.
 */
#ifndef SUBPAGE_KUNIT_H
#define SUBPAGE_KUNIT_H

#include <stddef.h>

#include "error.h"

enum kunit_outcome {
	KUNIT_PASS,
	KUNIT_FAIL,
	KUNIT_SKIP,
	KUNIT_NR_OUTCOMES
};

/**
 * struct kunit_case - a test of a suite
 * @name: its name
 * @outcome: how it ended
 * @reason: of a skip, "" for none
 */
struct kunit_case {
	char name[96];
	enum kunit_outcome outcome;
	char reason[160];
};

/**
 * struct kunit_suite - a suite
 * @name: its name
 * @test: in the order in which they ran; those that did not run are missing
 * @nr: how many
 * @planned: how many there should be
 * @count: how many ended how, by outcome
 * @ktap: the text of the file
 */
struct kunit_suite {
	char name[96];
	struct kunit_case *test;
	size_t nr;
	size_t planned;
	size_t count[KUNIT_NR_OUTCOMES];
	char *ktap;
};

/**
 * struct kunit_set - all suites of the driver
 * @suite: by name
 * @nr: how many
 */
struct kunit_set {
	struct kunit_suite *suite;
	size_t nr;
};

/**
 * kunit_read() - read the results of the driver's suites
 * @dir: of KUnit in debugfs
 * @set: filled in; to be freed with kunit_free(), also after a failure
 * @err: set on failure: no such directory, or no suite of the driver in it
 *
 * Return: 0 or -1.
 */
int kunit_read(const char *dir, struct kunit_set *set, struct error *err);

/**
 * kunit_passed() - did all tests of a suite run, and none fail?
 * @suite: the suite
 * @err: set if not: the tests that failed, or how many are missing
 *
 * Return: 0 or -1.
 */
int kunit_passed(const struct kunit_suite *suite, struct error *err);

/**
 * kunit_outcome_name() - the word for an outcome
 * @outcome: the outcome
 *
 * Return: "pass", "fail" or "skip".
 */
const char *kunit_outcome_name(enum kunit_outcome outcome);

/**
 * kunit_free() - free what kunit_read() has read
 * @set: empty afterwards
 */
void kunit_free(struct kunit_set *set);

#endif
