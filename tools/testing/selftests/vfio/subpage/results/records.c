// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "json.h"
#include "results/records.h"

static FILE *file;
static int write_error;

static struct json_object *new_record(const char *type)
{
	struct json_object *record = json_object_new_object();

	json_object_object_add(record, "type", json_object_new_string(type));
	return record;
}

/* Negative is unknown. */
static void add_known(struct json_object *object, const char *key, int value)
{
	json_object_object_add(object, key, value < 0 ? NULL : json_object_new_int(value));
}

static void add_known_bool(struct json_object *object, const char *key, int value)
{
	json_object_object_add(object, key, value < 0 ? NULL : json_object_new_boolean(value));
}

static struct json_object *new_number(double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.2f", value);
	return json_object_new_double_s(value, text);
}

static void add_number(struct json_object *object, const char *key, double value)
{
	json_object_object_add(object, key, new_number(value));
}

/*
 * A whole line, at once: a program that is killed leaves whole records. Without a file
 * there is nothing to write.
 */
static void write_record(struct json_object *record)
{
	const char *text = json_object_to_json_string_ext(record, JSON_C_TO_STRING_SPACED |
							  JSON_C_TO_STRING_NOSLASHESCAPE);

	if (file && (fprintf(file, "%s\n", text) < 0 || fflush(file)))
		write_error = errno;
	json_object_put(record);
}

static struct json_object *new_platform(const char *name, const char *accel)
{
	struct json_object *platform = json_object_new_object();
	struct utsname uts;

	uname(&uts);
	json_add_string(platform, "name", name);
	json_add_string(platform, "arch", strcmp(uts.machine, "aarch64") ? uts.machine : "arm64");
	json_add_int(platform, "page_size", sysconf(_SC_PAGESIZE));
	json_add_string(platform, "kernel", uts.release);
	json_add_string(platform, "accel", accel);
	json_add_int(platform, "cpus", sysconf(_SC_NPROCESSORS_ONLN));
	return platform;
}

static void add_command(struct json_object *record, char **argv)
{
	char text[4096] = "", program[PATH_MAX];
	size_t len = 0;

	snprintf(program, sizeof(program), "%s", argv[0]);
	json_add_string(record, "program", basename(program));
	for (; *argv && len < sizeof(text); argv++)
		len += snprintf(text + len, sizeof(text) - len, "%s%s", len ? " " : "", *argv);
	json_add_string(record, "command", text);
}

static void add_time(struct json_object *record)
{
	time_t now = time(NULL);
	struct tm utc;
	char text[32];

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
	json_add_string(record, "time", text);
}

/* Its version, and the checksum of its source; of nothing while it is not loaded. */
static void add_module_version(struct json_object *record)
{
	char version[32], checksum[64], text[128] = "";

	if (sysfs_read_line("/sys/module/" MODULE_SUBPAGE "/version", version, sizeof(version)) &&
	    sysfs_read_line("/sys/module/" MODULE_SUBPAGE "/srcversion", checksum,
			    sizeof(checksum)))
		snprintf(text, sizeof(text), "%s, srcversion %s", version, checksum);
	json_add_string(record, "module_version", text);
}

int records_open(const char *path, char **argv, const char *platform, const char *accel,
		 struct error *err)
{
	struct json_object *record;

	if (!path)
		return 0;

	file = fopen(path, "ae");
	if (!file)
		return error_set(err, "%.300s: cannot write the results: %s", path,
				 strerror(errno));

	record = new_record("run");
	json_add_int(record, "schema", RECORDS_SCHEMA);
	add_command(record, argv);
	add_time(record);
	add_module_version(record);
	json_object_object_add(record, "platform", new_platform(platform, accel));
	write_record(record);
	return 0;
}

static void add_binding(struct json_object *record, const char *bdf, const char *driver,
			bool module)
{
	json_add_string(record, "bdf", bdf);
	json_add_string(record, "driver", driver);
	json_add_bool(record, "module", module);
}

void record_bar(const struct record_bar *bar)
{
	const struct pci_resource *res = &bar->dev->res[bar->bar];
	struct json_object *record = new_record("bar");

	add_binding(record, bar->dev->bdf, bar->dev->driver, bar->dev->is_prepared);
	json_add_hex(record, "vendor", 4, bar->dev->vendor);
	json_add_hex(record, "device", 4, bar->dev->device);
	json_add_hex(record, "class", 6, bar->dev->class);
	json_add_string(record, "name", bar->name);
	json_add_int(record, "bar", bar->bar);
	json_add_int(record, "size", bar->dev->bar_size[bar->bar]);
	json_add_int(record, "shown_size", sysfs_resource_size(res));
	json_add_hex(record, "start", 0, res->start);
	json_add_hex(record, "flags", 0, res->flags);
	json_add_string(record, "state", bar->state);
	json_add_bool(record, "expected_mmap", bar->expected_mmap);
	add_known_bool(record, "mmap", bar->mmap);
	json_add_string(record, "backend", bar->backend);
	write_record(record);
}

void record_neighbour(bool module, u64 start, u64 end, const char *name)
{
	struct json_object *record = new_record("neighbour");

	json_add_bool(record, "module", module);
	json_add_hex(record, "start", 0, start);
	json_add_hex(record, "end", 0, end);
	json_add_string(record, "name", name);
	write_record(record);
}

static void add_register(struct json_object *record, const struct record_register *at)
{
	bool whole = !at->reg.width;

	add_binding(record, at->bdf, at->driver, at->module);
	json_add_int(record, "bar", at->reg.bar);
	json_object_object_add(record, "offset",
			       whole ? NULL : json_object_new_int64(at->reg.offset));
	add_known(record, "width", whole ? -1 : (int)at->reg.width);
	json_add_string(record, "path", at->path);
	json_add_string(record, "op", at->op);
}

static void add_interval(struct json_object *record, const double *ends)
{
	struct json_object *array = NULL;

	if (!isnan(ends[0])) {
		array = json_object_new_array();
		json_object_array_add(array, new_number(ends[0]));
		json_object_array_add(array, new_number(ends[1]));
	}
	json_object_object_add(record, "ci95_ns", array);
}

static void add_stats(struct json_object *record, const struct stats *stats)
{
	add_number(record, "median_ns", stats->median);
	add_number(record, "min_ns", stats->min);
	add_number(record, "p99_ns", stats->p99);
	add_interval(record, stats->ci95);
	json_add_int(record, "samples", stats->samples);
}

void record_timing(const struct record_timing *timing)
{
	struct json_object *record = new_record("timing");

	add_register(record, &timing->at);
	add_stats(record, &timing->stats);
	json_add_int(record, "batch", timing->batch);
	add_known(record, "cpu", timing->cpu);
	add_known(record, "node", timing->node);
	json_add_int(record, "outliers", timing->outliers);
	add_number(record, "loop_ns", timing->loop_ns);
	write_record(record);
}

void record_skip(const struct record_register *at, bool missing, const char *reason)
{
	struct json_object *record = new_record("skip");

	add_register(record, at);
	json_add_string(record, "kind", missing ? "missing" : "not-applicable");
	json_add_string(record, "reason", reason);
	write_record(record);
}

void record_perf(const struct record_perf *perf)
{
	struct json_object *record = new_record("perf");

	json_add_hex(record, "seed", 0, perf->seed);
	json_add_string(record, "counter", perf->counter);
	add_number(record, "counter_hz", perf->counter_hz);
	add_number(record, "resolution_ns", perf->resolution_ns);
	json_add_int(record, "blocks", perf->blocks);
	json_add_int(record, "rounds", perf->rounds);
	json_add_bool(record, "remote_node", perf->remote_node);
	write_record(record);
}

void record_machine(const struct machine *machine)
{
	struct json_object *record, *warnings;
	size_t i;

	warnings = json_object_new_array();
	for (i = 0; i < machine->nr_warnings; i++)
		json_object_array_add(warnings, json_object_new_string(machine->warning[i].text));

	record = new_record("machine");
	json_add_string(record, "cpu_model", machine->cpu_model);
	json_add_string(record, "governor", machine->governor);
	add_known_bool(record, "smt", machine->smt);
	json_add_string(record, "hypervisor", machine->hypervisor);
	json_object_object_add(record, "steal_percent", machine->steal_percent < 0 ? NULL :
			       new_number(machine->steal_percent));
	json_object_object_add(record, "warnings", warnings);
	write_record(record);
}

void record_open(const char *driver, bool module, size_t functions, const char *phase,
		 const struct stats *stats)
{
	struct json_object *record = new_record("open");

	json_add_string(record, "driver", driver);
	json_add_bool(record, "module", module);
	json_add_int(record, "functions", functions);
	json_add_string(record, "phase", phase);
	add_stats(record, stats);
	write_record(record);
}

static struct json_object *new_totals(const struct record_totals *totals)
{
	struct json_object *object = json_object_new_object();

	json_add_int(object, "pass", totals->pass);
	json_add_int(object, "fail", totals->fail);
	json_add_int(object, "skip", totals->skip);
	json_add_int(object, "xfail", totals->xfail);
	json_add_int(object, "error", totals->error);
	return object;
}

int records_close(const struct record_totals *totals, bool complete, struct error *err)
{
	struct json_object *record;

	if (!file)
		return 0;

	record = new_record("end");
	json_object_object_add(record, "totals", totals ? new_totals(totals) : NULL);
	json_add_bool(record, "complete", complete);
	write_record(record);
	if (fsync(fileno(file)) && errno != EINVAL)
		write_error = errno;
	if (fclose(file))
		write_error = errno;
	file = NULL;

	return write_error ? error_set(err, "the results were not written: %s",
				       strerror(write_error)) : 0;
}
