// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <json-c/json.h>

#include "kunit.h"
#include "measure/machine.h"
#include "results/results.h"

#define SCHEMA		2
#define MAX_FILE	(64 << 20)

static struct json_object *member(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, key, &value);
	return value;
}

static void add_string(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, text[0] ? json_object_new_string(text) : NULL);
}

static void add_int(struct json_object *object, const char *key, long long value)
{
	json_object_object_add(object, key, json_object_new_int64(value));
}

static void add_bool(struct json_object *object, const char *key, bool value)
{
	json_object_object_add(object, key, json_object_new_boolean(value));
}

static void add_known(struct json_object *object, const char *key, int value)
{
	json_object_object_add(object, key, value < 0 ? NULL : json_object_new_int(value));
}

static void add_hex(struct json_object *object, const char *key, int digits, u64 value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%0*llx", digits, value);
	add_string(object, key, text);
}

static struct json_object *new_ns(double ns)
{
	char text[32];

	snprintf(text, sizeof(text), "%.2f", ns);
	return json_object_new_double_s(ns, text);
}

static bool has_shape(struct json_object *results)
{
	return json_object_is_type(member(results, "platform"), json_type_object) &&
	       json_object_is_type(member(results, "bars"), json_type_array) &&
	       json_object_is_type(member(results, "timings"), json_type_array) &&
	       json_object_is_type(member(results, "totals"), json_type_object);
}

static int check_schema(struct json_object *results, const char *path, struct error *err)
{
	struct json_object *schema;

	if (!json_object_is_type(results, json_type_object))
		return error_set(err, "%.300s: not a results file: no JSON object", path);

	schema = member(results, "schema");
	if (!json_object_is_type(schema, json_type_int))
		return error_set(err, "%.300s: not a results file: no schema number", path);
	if (json_object_get_int(schema) != SCHEMA)
		return error_set(err,
				 "%.300s: schema %d is not known, only schema %d: run the suite again, into another file",
				 path, json_object_get_int(schema), SCHEMA);
	if (!has_shape(results))
		return error_set(err,
				 "%.300s: lacks the platform, bars, timings or totals of schema %d",
				 path, SCHEMA);
	return 0;
}

/* The whole file as a string, or NULL and errno. */
static char *read_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;
	struct stat st;
	char *text;

	if (fd < 0)
		return NULL;

	if (fstat(fd, &st) || st.st_size > MAX_FILE) {
		close(fd);
		errno = EFBIG;
		return NULL;
	}

	text = malloc(st.st_size + 1);
	if (text)
		n = read(fd, text, st.st_size);
	close(fd);
	if (n < 0) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

struct json_object *results_load(const char *path, struct error *err)
{
	enum json_tokener_error problem;
	struct json_object *results;
	char *text = read_file(path);

	if (!text) {
		error_set(err, "%.300s: %s", path, strerror(errno));
		return NULL;
	}

	results = json_tokener_parse_verbose(text, &problem);
	free(text);
	if (problem == json_tokener_continue || problem == json_tokener_error_parse_eof) {
		error_set(err, "%.300s: the JSON is truncated", path);
		return NULL;
	}
	if (problem != json_tokener_success) {
		error_set(err, "%.300s: not JSON: %s", path, json_tokener_error_desc(problem));
		return NULL;
	}
	if (check_schema(results, path, err)) {
		results_free(results);
		return NULL;
	}
	return results;
}

static struct json_object *new_platform(const char *name, const char *accel)
{
	struct json_object *platform = json_object_new_object();
	struct utsname uts;

	uname(&uts);
	add_string(platform, "name", name);
	add_string(platform, "arch", strcmp(uts.machine, "aarch64") ? uts.machine : "arm64");
	add_int(platform, "page_size", sysconf(_SC_PAGESIZE));
	add_string(platform, "kernel", uts.release);
	add_string(platform, "accel", accel);
	add_int(platform, "cpus", sysconf(_SC_NPROCESSORS_ONLN));
	return platform;
}

static struct json_object *new_results(const char *platform, const char *accel)
{
	static const char * const totals[] = { "pass", "fail", "skip", "xfail", "error" };
	struct json_object *results = json_object_new_object();
	struct json_object *zeroes = json_object_new_object();
	size_t i;

	for (i = 0; i < sizeof(totals) / sizeof(*totals); i++)
		add_int(zeroes, totals[i], 0);

	add_int(results, "schema", SCHEMA);
	json_object_object_add(results, "platform", new_platform(platform, accel));
	json_object_object_add(results, "bars", json_object_new_array());
	json_object_object_add(results, "timings", json_object_new_array());
	json_object_object_add(results, "opens", json_object_new_array());
	json_object_object_add(results, "kunit", json_object_new_array());
	json_object_object_add(results, "totals", zeroes);
	return results;
}

/* Found out before the run, not after it. */
static int check_writable(const char *path, struct error *err)
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", path);
	if (access(dirname(copy), W_OK | X_OK))
		return error_set(err, "%.300s: cannot write the results: %s", path,
				 strerror(errno));
	return 0;
}

struct json_object *results_open(const char *path, const char *platform,
				 const char *accel, struct error *err)
{
	struct json_object *results;
	const char *name;

	if (check_writable(path, err))
		return NULL;
	if (access(path, F_OK) && errno == ENOENT)
		return new_results(platform, accel);

	results = results_load(path, err);
	if (!results)
		return NULL;

	name = json_object_get_string(member(member(results, "platform"), "name"));
	if (!name || strcmp(name, platform)) {
		error_set(err, "%.300s: holds results of platform %s, not %s: name another file",
			  path, name ? name : "null", platform);
		results_free(results);
		return NULL;
	}
	return results;
}

static bool same_member(struct json_object *a, struct json_object *b, const char *key)
{
	return json_object_equal(member(a, key), member(b, key));
}

static void replace(struct json_object *array, struct json_object *object,
		    const char * const *key, size_t nr_keys)
{
	size_t i, k;

	for (i = json_object_array_length(array); i-- > 0;) {
		struct json_object *old = json_object_array_get_idx(array, i);

		for (k = 0; k < nr_keys && same_member(old, object, key[k]); k++)
			;
		if (k == nr_keys)
			json_object_array_del_idx(array, i, 1);
	}
	json_object_array_add(array, object);
}

void results_add_bar(struct json_object *results, const struct result_bar *bar)
{
	static const char * const key[] = { "bdf", "bar", "driver", "module" };
	struct json_object *object = json_object_new_object();

	add_string(object, "bdf", bar->bdf);
	add_hex(object, "vendor", 4, bar->vendor);
	add_hex(object, "device", 4, bar->device);
	add_string(object, "driver", bar->driver);
	add_bool(object, "module", bar->module);
	add_int(object, "bar", bar->bar);
	add_int(object, "size", bar->size);
	add_int(object, "shown_size", bar->shown_size);
	add_hex(object, "start", 0, bar->start);
	add_hex(object, "flags", 0, bar->flags);
	add_string(object, "state", bar->state);
	add_bool(object, "expected_mmap", bar->expected_mmap);
	json_object_object_add(object, "mmap",
			       bar->mmap < 0 ? NULL : json_object_new_boolean(bar->mmap));
	add_string(object, "backend", bar->backend);

	replace(member(results, "bars"), object, key, sizeof(key) / sizeof(*key));
}

static struct json_object *new_interval(const double *ends)
{
	struct json_object *array;

	if (isnan(ends[0]))
		return NULL;

	array = json_object_new_array();
	json_object_array_add(array, new_ns(ends[0]));
	json_object_array_add(array, new_ns(ends[1]));
	return array;
}

static void add_stats(struct json_object *object, const struct stats *stats)
{
	json_object_object_add(object, "median_ns", new_ns(stats->median));
	json_object_object_add(object, "min_ns", new_ns(stats->min));
	json_object_object_add(object, "p99_ns", new_ns(stats->p99));
	json_object_object_add(object, "ci95_ns", new_interval(stats->ci95));
	add_int(object, "samples", stats->samples);
}

void results_add_timing(struct json_object *results, const struct result_timing *timing)
{
	static const char * const key[] = {
		"bdf", "bar", "driver", "module", "path", "op", "offset", "width"
	};
	struct json_object *object = json_object_new_object();

	add_string(object, "bdf", timing->bdf);
	add_string(object, "driver", timing->driver);
	add_bool(object, "module", timing->module);
	add_int(object, "bar", timing->bar);
	add_int(object, "offset", timing->offset);
	add_string(object, "path", timing->path);
	add_string(object, "op", timing->op);
	add_int(object, "width", timing->width);
	add_stats(object, &timing->stats);
	add_int(object, "batch", timing->batch);
	add_known(object, "cpu", timing->cpu);
	add_known(object, "node", timing->node);
	add_known(object, "outliers", timing->outliers);
	json_object_object_add(object, "loop_ns",
			       timing->loop_ns < 0 ? NULL : new_ns(timing->loop_ns));

	replace(member(results, "timings"), object, key, sizeof(key) / sizeof(*key));
}

static struct json_object *new_machine(const struct machine *machine)
{
	struct json_object *object = json_object_new_object();

	add_string(object, "cpu_model", machine->cpu_model);
	add_string(object, "governor", machine->governor);
	json_object_object_add(object, "smt", machine->smt < 0 ? NULL :
			       json_object_new_boolean(machine->smt));
	add_string(object, "hypervisor", machine->hypervisor);
	json_object_object_add(object, "steal_percent", machine->steal_percent < 0 ? NULL :
			       new_ns(machine->steal_percent));
	return object;
}

static struct json_object *new_warnings(const struct machine *machine)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < machine->nr_warnings; i++)
		json_object_array_add(array, json_object_new_string(machine->warning[i].text));
	return array;
}

/* Only the performance core measures the loop. */
static void drop_perf_timings(struct json_object *timings)
{
	size_t i;

	for (i = json_object_array_length(timings); i-- > 0;)
		if (member(json_object_array_get_idx(timings, i), "loop_ns"))
			json_object_array_del_idx(timings, i, 1);
}

void results_begin_perf(struct json_object *results, const struct result_perf *perf)
{
	struct json_object *object = json_object_new_object();

	drop_perf_timings(member(results, "timings"));
	add_hex(object, "seed", 0, perf->seed);
	add_string(object, "counter", perf->counter);
	json_object_object_add(object, "counter_hz", new_ns(perf->counter_hz));
	json_object_object_add(object, "resolution_ns", new_ns(perf->resolution_ns));
	add_int(object, "blocks", perf->blocks);
	add_bool(object, "remote_node", perf->remote_node);
	add_bool(object, "partial", true);
	json_object_object_add(object, "machine", new_machine(perf->machine));
	json_object_object_add(object, "warnings", new_warnings(perf->machine));
	json_object_object_add(object, "skipped", json_object_new_array());
	json_object_object_add(results, "perf", object);
}

void results_add_skip(struct json_object *results, const struct result_skip *skip)
{
	struct json_object *object = json_object_new_object();

	add_string(object, "bdf", skip->bdf);
	add_string(object, "driver", skip->driver);
	add_bool(object, "module", skip->module);
	add_int(object, "bar", skip->bar);
	json_object_object_add(object, "offset",
			       skip->width ? json_object_new_int64(skip->offset) : NULL);
	add_string(object, "path", skip->path);
	add_string(object, "op", skip->op);
	add_known(object, "width", skip->width ? (int)skip->width : -1);
	add_string(object, "reason", skip->reason);
	json_object_array_add(member(member(results, "perf"), "skipped"), object);
}

void results_end_perf(struct json_object *results, const struct machine *machine, bool partial)
{
	struct json_object *perf = member(results, "perf");

	json_object_object_add(perf, "machine", new_machine(machine));
	json_object_object_add(perf, "warnings", new_warnings(machine));
	add_bool(perf, "partial", partial);
}

/* Files from before there was this part go on too. */
static struct json_object *part(struct json_object *results, const char *name)
{
	if (!json_object_is_type(member(results, name), json_type_array))
		json_object_object_add(results, name, json_object_new_array());
	return member(results, name);
}

void results_set_partial(struct json_object *results, bool partial)
{
	add_bool(results, "partial", partial);
}

void results_add_open(struct json_object *results, const char *driver, bool module,
		      size_t functions, const char *phase, const struct stats *stats)
{
	static const char * const key[] = { "driver", "module", "functions", "phase" };
	struct json_object *object = json_object_new_object();

	add_string(object, "driver", driver);
	add_bool(object, "module", module);
	add_int(object, "functions", functions);
	add_string(object, "phase", phase);
	add_stats(object, stats);
	replace(part(results, "opens"), object, key, sizeof(key) / sizeof(*key));
}

static struct json_object *new_case(const struct kunit_case *test)
{
	struct json_object *object = json_object_new_object();

	add_string(object, "name", test->name);
	add_string(object, "result", kunit_outcome_name(test->outcome));
	add_string(object, "reason", test->reason);
	return object;
}

void results_add_kunit(struct json_object *results, const struct kunit_suite *suite)
{
	static const char * const key[] = { "suite" };
	struct json_object *object = json_object_new_object();
	struct json_object *cases = json_object_new_array();
	int outcome;
	size_t i;

	for (i = 0; i < suite->nr; i++)
		json_object_array_add(cases, new_case(&suite->test[i]));

	add_string(object, "suite", suite->name);
	for (outcome = 0; outcome < KUNIT_NR_OUTCOMES; outcome++)
		add_int(object, kunit_outcome_name(outcome), suite->count[outcome]);
	json_object_object_add(object, "cases", cases);

	replace(part(results, "kunit"), object, key, sizeof(key) / sizeof(*key));
}

static void add_to(struct json_object *totals, const char *key, unsigned int more)
{
	add_int(totals, key, json_object_get_int64(member(totals, key)) + more);
}

void results_add_totals(struct json_object *results, const struct result_totals *more)
{
	struct json_object *totals = member(results, "totals");

	add_to(totals, "pass", more->pass);
	add_to(totals, "fail", more->fail);
	add_to(totals, "skip", more->skip);
	add_to(totals, "xfail", more->xfail);
	add_to(totals, "error", more->error);
}

static int write_all(int fd, const char *text)
{
	size_t left = strlen(text);
	ssize_t n;

	while (left) {
		n = write(fd, text, left);
		if (n < 0)
			return -1;
		text += n;
		left -= n;
	}
	return fsync(fd);
}

static void sync_directory(const char *path)
{
	char copy[PATH_MAX];
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;

	fsync(fd);
	close(fd);
}

static int write_temporary(struct json_object *results, const char *path)
{
	const char *text = json_object_to_json_string_ext(results, JSON_C_TO_STRING_PRETTY |
							  JSON_C_TO_STRING_SPACED |
							  JSON_C_TO_STRING_NOSLASHESCAPE);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int ret;

	if (fd < 0)
		return -1;

	ret = write_all(fd, text);
	if (!ret)
		ret = write_all(fd, "\n");
	if (close(fd))
		ret = -1;
	return ret;
}

int results_save(struct json_object *results, const char *path, struct error *err)
{
	char temporary[PATH_MAX];

	/* In the same directory: rename() does not cross file systems. */
	snprintf(temporary, sizeof(temporary), "%s.%d.tmp", path, getpid());
	if (write_temporary(results, temporary) || rename(temporary, path)) {
		error_set(err, "%.300s: cannot write the results: %s", path, strerror(errno));
		unlink(temporary);
		return -1;
	}
	sync_directory(path);
	return 0;
}

void results_free(struct json_object *results)
{
	json_object_put(results);
}
