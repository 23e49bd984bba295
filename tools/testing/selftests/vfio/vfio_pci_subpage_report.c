// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints a results file for people: a line for each memory BAR, with what vfio-pci
 * made of it without and with the module, and the summary.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "device/sysfs.h"
#include "results/results.h"

#define NOT_MEASURED	"not measured"
#define NOT_OPENED	"not opened"

#define HEADER_FORMAT	"%-12s %3s %8s %-*s %-12s %-16s %10s %9s %6s\n"
#define ROW_FORMAT	"%-12s %3d %8s %-*s %-12s %-16s %10s %9s %6s\n"

/* A BAR without and with the module. */
struct row {
	const char *bdf;
	int bar;
	u64 size;
	struct json_object *without;
	struct json_object *with;
};

struct table {
	struct json_object *results;
	struct row *row;
	size_t nr;
	size_t others;
	int where_width;
	u64 page_size;
};

/* A pair of timings of one operation, in nanoseconds; 0 for unknown. */
struct pair {
	double trapped;
	double mapped;
};

static struct json_object *member(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	if (object)
		json_object_object_get_ex(object, key, &value);
	return value;
}

static const char *text_of(struct json_object *object, const char *key)
{
	struct json_object *value = member(object, key);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

static u64 hex_of(struct json_object *object, const char *key)
{
	return strtoull(text_of(object, key), NULL, 16);
}

static bool is_mapped(struct json_object *bar)
{
	return bar && json_object_get_boolean(member(bar, "mmap"));
}

/* A device that could not be opened has said nothing. */
static bool is_known(struct json_object *bar)
{
	return bar && member(bar, "mmap");
}

static bool is_memory(struct json_object *bar)
{
	return hex_of(bar, "flags") & RES_MEM;
}

static bool has_module(struct json_object *object)
{
	return json_object_get_boolean(member(object, "module"));
}

static bool is_row(const struct row *row, struct json_object *object)
{
	return row->bar == json_object_get_int(member(object, "bar")) &&
	       !strcmp(row->bdf, text_of(object, "bdf"));
}

static struct row *find_row(struct table *table, struct json_object *bar)
{
	struct row *row;
	size_t i;

	for (i = 0; i < table->nr; i++)
		if (is_row(&table->row[i], bar))
			return &table->row[i];

	row = &table->row[table->nr++];
	row->bdf = text_of(bar, "bdf");
	row->bar = json_object_get_int(member(bar, "bar"));
	row->size = json_object_get_int64(member(bar, "size"));
	return row;
}

static void add_bar(struct table *table, struct json_object *bar)
{
	if (!is_memory(bar))
		return;

	if (strcmp(text_of(bar, "driver"), DRIVER_VFIO_PCI))
		table->others++;
	else if (has_module(bar))
		find_row(table, bar)->with = bar;
	else
		find_row(table, bar)->without = bar;
}

static int by_place(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = strcmp(x->bdf, y->bdf);

	return order ? order : x->bar - y->bar;
}

static int build(struct table *table, struct json_object *results)
{
	struct json_object *bars = member(results, "bars");
	size_t n = json_object_array_length(bars), i;

	table->results = results;
	table->page_size = json_object_get_int64(member(member(results, "platform"),
							"page_size"));
	table->row = calloc(n + 1, sizeof(*table->row));
	if (!table->row)
		return -1;

	for (i = 0; i < n; i++)
		add_bar(table, json_object_array_get_idx(bars, i));
	qsort(table->row, table->nr, sizeof(*table->row), by_place);
	return 0;
}

/*
 * What costs less than the loop around it, as memory that is emulated does, is
 * not measured well enough for a ratio: 0.
 */
static double timed_ns(struct json_object *timing)
{
	double ns = json_object_get_double(member(timing, "median_ns"));

	return ns > json_object_get_double(member(timing, "loop_ns")) ? ns : 0;
}

static bool is_timing(struct json_object *timing, bool module, const char *path,
		      const char *op)
{
	return !strcmp(text_of(timing, "driver"), DRIVER_VFIO_PCI) &&
	       has_module(timing) == module && !strcmp(text_of(timing, "path"), path) &&
	       !strcmp(text_of(timing, "op"), op);
}

static bool same_register(struct json_object *a, struct json_object *b)
{
	static const char * const key[] = { "bdf", "bar", "offset", "width" };
	size_t i;

	for (i = 0; i < sizeof(key) / sizeof(*key); i++)
		if (!json_object_equal(member(a, key[i]), member(b, key[i])))
			return false;
	return true;
}

/* What another path takes to the same register, with the module or without. */
static double other_ns(const struct table *table, struct json_object *timing, const char *path)
{
	struct json_object *timings = member(table->results, "timings");
	size_t n = json_object_array_length(timings), i;

	for (i = 0; i < n; i++) {
		struct json_object *other = json_object_array_get_idx(timings, i);

		if (same_register(timing, other) &&
		    is_timing(other, has_module(timing), path, text_of(timing, "op")))
			return timed_ns(other);
	}
	return 0;
}

static bool add_pair(const struct table *table, const struct row *row, bool module,
		     const char *op, struct pair *pair)
{
	const char *file = strcmp(op, "read") ? "pwrite" : "pread";
	struct json_object *timings = member(table->results, "timings");
	size_t n = json_object_array_length(timings), i;

	for (i = 0; i < n; i++) {
		struct json_object *timing = json_object_array_get_idx(timings, i);
		struct pair one;

		if (!is_row(row, timing) || !is_timing(timing, module, file, op))
			continue;
		one.trapped = timed_ns(timing);
		one.mapped = other_ns(table, timing, "mmap");
		if (one.trapped && (one.mapped || !pair->trapped))
			*pair = one;
		if (pair->mapped)
			return true;
	}
	return false;
}

/*
 * Both numbers come from one run where there is one, as only those were
 * measured against each other: with the module, else without it.
 */
static struct pair find_pair(const struct table *table, const struct row *row, const char *op)
{
	struct pair pair = { 0 };

	if (!add_pair(table, row, true, op, &pair))
		add_pair(table, row, false, op, &pair);
	return pair;
}

static bool is_subpage(const struct table *table, const struct row *row)
{
	return row->size < table->page_size;
}

static void format_size(u64 size, char *buf, size_t len)
{
	static const char unit[] = "\0KMGT";
	int i = 0;

	while (size >= 1024 && !(size % 1024) && unit[i + 1]) {
		size /= 1024;
		i++;
	}
	if (i)
		snprintf(buf, len, "%llu %ciB", size, unit[i]);
	else
		snprintf(buf, len, "%llu B", size);
}

/* The page, and how far into it the BAR starts. */
static void format_place(const struct table *table, u64 start, char *buf, size_t len)
{
	u64 offset = table->page_size ? start % table->page_size : 0;

	if (offset)
		snprintf(buf, len, "0x%llx+0x%llx", start - offset, offset);
	else
		snprintf(buf, len, "0x%llx", start);
}

static void format_where(const struct table *table, const struct row *row, char *buf, size_t len)
{
	u64 before = hex_of(row->without, "start"), after = hex_of(row->with, "start");
	char from[40], to[40];

	format_place(table, row->without ? before : after, from, sizeof(from));
	format_place(table, row->with ? after : before, to, sizeof(to));
	if (strcmp(from, to))
		snprintf(buf, len, "%s -> %s", from, to);
	else
		snprintf(buf, len, "%s", from);
}

static void measure_where(struct table *table)
{
	char where[96];
	size_t i;

	for (i = 0; i < table->nr; i++) {
		int width;

		format_where(table, &table->row[i], where, sizeof(where));
		width = strlen(where);
		if (width > table->where_width)
			table->where_width = width;
	}
}

/* What the module says of it, if it says something, and the mapping. */
static const char *state_of(struct json_object *bar)
{
	const char *state = text_of(bar, "state");

	if (!is_known(bar))
		return bar ? NOT_OPENED : NOT_MEASURED;
	if (state[0])
		return state;

	return is_mapped(bar) ? "mapped" : "trapped";
}

static void format_ns(double ns, char *buf, size_t len)
{
	if (ns)
		snprintf(buf, len, ns < 100 ? "%.1f" : "%.0f", ns);
	else
		snprintf(buf, len, "-");
}

static void print_row(const struct table *table, const struct row *row, const char *op)
{
	struct pair pair = find_pair(table, row, op);
	char size[32], where[96], trapped[32], mapped[32], ratio[32];

	format_size(row->size, size, sizeof(size));
	format_where(table, row, where, sizeof(where));
	format_ns(pair.trapped, trapped, sizeof(trapped));
	format_ns(pair.mapped, mapped, sizeof(mapped));
	format_ns(pair.mapped ? pair.trapped / pair.mapped : 0, ratio, sizeof(ratio));
	printf(ROW_FORMAT, row->bdf, row->bar, size, table->where_width, where,
	       state_of(row->without), state_of(row->with), trapped, mapped, ratio);
}

static void print_header(const struct table *table, const char *title)
{
	printf("%s\n", title);
	printf(HEADER_FORMAT, "BDF", "BAR", "size", table->where_width, "where", "without",
	       "with module", "ns trapped", "ns mapped", "ratio");
}

static void print_platform(const struct table *table)
{
	struct json_object *platform = member(table->results, "platform");

	printf("%s: Linux %s, pages of %llu KiB, %lld CPUs, accelerator %s\n\n",
	       text_of(platform, "name"), text_of(platform, "kernel"), table->page_size / 1024,
	       (long long)json_object_get_int64(member(platform, "cpus")),
	       text_of(platform, "accel"));
}

static void print_reads(const struct table *table)
{
	size_t i;

	print_header(table, "Reads: medians of pread (trapped) and of a mapping");
	for (i = 0; i < table->nr; i++)
		print_row(table, &table->row[i], "read");
}

static void print_writes(const struct table *table)
{
	bool first = true;
	size_t i;

	for (i = 0; i < table->nr; i++) {
		if (!find_pair(table, &table->row[i], "write").trapped)
			continue;
		if (first)
			print_header(table,
				     "\nWrites: medians of pwrite (trapped) and of a mapping");
		first = false;
		print_row(table, &table->row[i], "write");
	}
}

/* The middle of what the rows show, so that one odd device does not decide. */
static void print_median_ratio(const struct table *table)
{
	double *ratio = calloc(table->nr + 1, sizeof(*ratio));
	struct stats stats;
	size_t n = 0, i;

	for (i = 0; ratio && i < table->nr; i++) {
		struct pair pair = find_pair(table, &table->row[i], "read");

		if (pair.mapped)
			ratio[n++] = pair.trapped / pair.mapped;
	}
	stats_compute(ratio, n, &stats);
	if (n)
		printf("median ratio of %zu mapped BARs: %.1f\n", n, stats.median);
	free(ratio);
}

static void print_kunit(const struct table *table)
{
	struct json_object *suites = member(table->results, "kunit");
	size_t n = json_object_is_type(suites, json_type_array) ?
		   json_object_array_length(suites) : 0, i;

	for (i = 0; i < n; i++) {
		struct json_object *suite = json_object_array_get_idx(suites, i);

		printf("KUnit %s: %d passed, %d failed, %d skipped\n", text_of(suite, "suite"),
		       json_object_get_int(member(suite, "pass")),
		       json_object_get_int(member(suite, "fail")),
		       json_object_get_int(member(suite, "skip")));
	}
}

static void print_ratio(const struct table *table, const char *over, const char *under)
{
	struct json_object *timings = member(table->results, "timings");
	size_t n = json_object_array_length(timings), nr = 0, i;
	double *ratio = calloc(n + 1, sizeof(*ratio));
	struct stats stats;

	for (i = 0; ratio && i < n; i++) {
		struct json_object *timing = json_object_array_get_idx(timings, i);
		double ns = other_ns(table, timing, under);

		/* The test measures no loop, and so not this. */
		if (member(timing, "loop_ns") && is_timing(timing, true, over, "read") &&
		    timed_ns(timing) && ns)
			ratio[nr++] = timed_ns(timing) / ns;
	}
	stats_compute(ratio, nr, &stats);
	if (nr)
		printf("%s / %s: %.2f, median of the reads of %zu registers\n", over, under,
		       stats.median, nr);
	free(ratio);
}

static double open_ns(struct json_object *open, bool module)
{
	if (has_module(open) != module || strcmp(text_of(open, "phase"), "total"))
		return 0;
	return json_object_get_double(member(open, "median_ns"));
}

/* The same number of devices without the module. */
static void print_open(struct json_object *opens, struct json_object *with)
{
	size_t n = json_object_array_length(opens), i;

	for (i = 0; i < n; i++) {
		struct json_object *without = json_object_array_get_idx(opens, i);

		if (!open_ns(without, false) ||
		    !json_object_equal(member(with, "functions"), member(without, "functions")))
			continue;
		printf("bind to first touch, with / without the module: %.2f, %d at once\n",
		       open_ns(with, true) / open_ns(without, false),
		       json_object_get_int(member(with, "functions")));
	}
}

static void print_opens(const struct table *table)
{
	struct json_object *opens = member(table->results, "opens");
	size_t n = json_object_is_type(opens, json_type_array) ?
		   json_object_array_length(opens) : 0, i;

	for (i = 0; i < n; i++) {
		struct json_object *with = json_object_array_get_idx(opens, i);

		if (open_ns(with, true))
			print_open(opens, with);
	}
}

/* "N of M", or that it was not measured. */
static void format_count(const struct table *table, bool module, char *buf, size_t len)
{
	size_t measured = 0, total = 0, mapped = 0, i;

	for (i = 0; i < table->nr; i++) {
		const struct row *row = &table->row[i];
		struct json_object *bar = module ? row->with : row->without;

		measured += is_known(bar);
		if (!is_known(bar) || !is_subpage(table, row))
			continue;
		total++;
		mapped += is_mapped(bar);
	}
	if (measured)
		snprintf(buf, len, "%zu of %zu", mapped, total);
	else
		snprintf(buf, len, NOT_MEASURED);
}

static void print_summary(const struct table *table)
{
	char with[64], without[64];

	format_count(table, true, with, sizeof(with));
	format_count(table, false, without, sizeof(without));
	printf("%s sub-page MMIO BARs mapped (without the module: %s)\n", with, without);
}

/* There are none in a file that says only what opening costs. */
static void print_bars(const struct table *table)
{
	print_reads(table);
	print_writes(table);
	printf("\n");
	if (table->others)
		printf("%zu BARs of devices bound to other drivers are not shown\n",
		       table->others);
}

static void print_table(const struct table *table)
{
	print_platform(table);
	if (table->nr)
		print_bars(table);
	print_kunit(table);
	print_ratio(table, "mmap", "kernel");
	print_ratio(table, "mmap", "sysfs");
	print_ratio(table, "kvm-mapped", "mmap");
	print_ratio(table, "kvm-trapped", "kvm-mapped");
	print_opens(table);
	print_median_ratio(table);
	if (table->nr)
		print_summary(table);
}

int main(int argc, char **argv)
{
	struct table table = { 0 };
	struct json_object *results;
	struct error err;

	if (argc != 2 || argv[1][0] == '-') {
		fprintf(stderr, "Usage: vfio_pci_subpage_report FILE (a results.json)\n");
		return 1;
	}

	results = results_load(argv[1], &err);
	if (!results || build(&table, results)) {
		fprintf(stderr, "vfio_pci_subpage_report: %s\n",
			results ? "no memory" : err.text);
		results_free(results);
		return 1;
	}

	measure_where(&table);
	print_table(&table);
	free(table.row);
	results_free(results);
	return 0;
}
