// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kunit.h"

#define OF_DRIVER	"pci_subpage_"
/* Cases stand one level below their suite, parameters of a case deeper. */
#define CASE_INDENT	4

static int add_case(struct kunit_suite *suite, const struct kunit_case *test)
{
	struct kunit_case *grown = reallocarray(suite->test, suite->nr + 1, sizeof(*grown));

	if (!grown)
		return -1;

	suite->test = grown;
	suite->test[suite->nr++] = *test;
	suite->count[test->outcome]++;
	return 0;
}

/* "ok 3 name", "not ok 3 name", "ok 3 name # SKIP reason" */
static int parse_case(struct kunit_suite *suite, const char *line)
{
	struct kunit_case test = { .outcome = KUNIT_PASS };

	if (!strncmp(line, "not ", 4)) {
		test.outcome = KUNIT_FAIL;
		line += 4;
	}
	if (sscanf(line, "ok %*u %95s # SKIP %159[^\n]", test.name, test.reason) < 1)
		return 0;
	if (strstr(line, "# SKIP"))
		test.outcome = KUNIT_SKIP;
	return add_case(suite, &test);
}

static int parse_line(struct kunit_suite *suite, const char *line)
{
	if (strspn(line, " ") != CASE_INDENT)
		return 0;

	line += CASE_INDENT;
	if (sscanf(line, "1..%zu", &suite->planned) == 1)
		return 0;
	return parse_case(suite, line);
}

static int parse(struct kunit_suite *suite)
{
	const char *text = suite->ktap;
	char line[512];

	while (*text) {
		size_t len = strcspn(text, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		if (parse_line(suite, line))
			return -1;
		text += len;
		text += *text == '\n';
	}
	return 0;
}

/* A file of debugfs does not know its size. */
static char *read_text(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!file)
		return NULL;
	/* Ends at a character that no text has: at the end of the file. */
	if (getdelim(&text, &size, '\0', file) < 0) {
		free(text);
		text = strdup("");
	}
	fclose(file);
	return text;
}

static int read_suite(const char *dir, const char *name, struct kunit_set *set,
		      struct error *err)
{
	struct kunit_suite *grown, *suite;
	char path[PATH_MAX];

	grown = reallocarray(set->suite, set->nr + 1, sizeof(*grown));
	if (!grown)
		return error_set(err, "no memory for the KUnit suite %s", name);

	set->suite = grown;
	suite = &set->suite[set->nr++];
	memset(suite, 0, sizeof(*suite));
	snprintf(suite->name, sizeof(suite->name), "%s", name);
	snprintf(path, sizeof(path), "%s/%s/results", dir, name);
	suite->ktap = read_text(path);
	if (!suite->ktap)
		return error_set(err, "%.300s: %s", path, strerror(errno));
	if (parse(suite))
		return error_set(err, "no memory for the KUnit suite %s", name);
	return 0;
}

static int of_driver(const struct dirent *entry)
{
	return !strncmp(entry->d_name, OF_DRIVER, strlen(OF_DRIVER));
}

int kunit_read(const char *dir, struct kunit_set *set, struct error *err)
{
	struct dirent **entry;
	int n, i, ret = 0;

	memset(set, 0, sizeof(*set));
	n = scandir(dir, &entry, of_driver, alphasort);
	if (n < 0)
		return error_set(err,
				 "%.300s: %s: the kernel has no CONFIG_KUNIT_DEBUGFS, or debugfs is not mounted",
				 dir, strerror(errno));
	if (!n)
		ret = error_set(err,
				"%.300s: no suite of the driver: it was built without KUnit tests",
				dir);

	for (i = 0; i < n; i++) {
		if (!ret)
			ret = read_suite(dir, entry[i]->d_name, set, err);
		free(entry[i]);
	}
	free(entry);
	return ret;
}

static const struct kunit_case *first_failed(const struct kunit_suite *suite)
{
	size_t i;

	for (i = 0; i < suite->nr; i++)
		if (suite->test[i].outcome == KUNIT_FAIL)
			return &suite->test[i];
	return NULL;
}

int kunit_passed(const struct kunit_suite *suite, struct error *err)
{
	if (suite->count[KUNIT_FAIL])
		return error_set(err, "%s: %zu of %zu tests failed, the first is %s", suite->name,
				 suite->count[KUNIT_FAIL], suite->nr, first_failed(suite)->name);
	if (!suite->planned || suite->nr != suite->planned)
		return error_set(err, "%s: %zu of %zu tests have a result: is kunit.enable set?",
				 suite->name, suite->nr, suite->planned);
	return 0;
}

const char *kunit_outcome_name(enum kunit_outcome outcome)
{
	static const char * const name[] = { "pass", "fail", "skip" };

	return name[outcome];
}

void kunit_free(struct kunit_set *set)
{
	size_t i;

	for (i = 0; i < set->nr; i++) {
		free(set->suite[i].test);
		free(set->suite[i].ktap);
	}
	free(set->suite);
	memset(set, 0, sizeof(*set));
}
