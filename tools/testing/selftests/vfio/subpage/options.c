// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "measure/measure.h"
#include "options.h"

#define DEFAULT_SAMPLES	500
#define DEFAULT_BATCH	128
#define DEFAULT_BLOCKS	20
#define DEFAULT_ROUNDS	20
#define MAX_COUNT	10000000

/* The harness's options that are followed by a name. */
#define HARNESS_WITH_NAME	"FfVvtTr"

#define COMMON_HELP								\
	"  --profiles DIR    where the safe registers of devices are described\n"	\
	"                    (default: profiles, beside this program)\n"		\
	"  --register SPEC   a further safe register, such as\n"			\
	"                    '0000:01:00.0 bar=0 offset=0x0 width=4 access=ro'\n"	\
	"  --backend NAME    how devices are opened: container, iommufd-container, cdev,\n" \
	"                    noiommu (default: the first that applies to the device)\n" \
	"  --results FILE    write the results as JSON, or extend what is there\n"	\
	"  --platform NAME   name of the platform in the results (default: ARCH-PAGESIZE)\n" \
	"  --accel NAME      accelerator of the VM in the results (default: none)\n"

#define DEVICES_HELP								\
	"The devices are those named,\n"					\
	"else those in VFIO_SELFTESTS_BDF, else all that are bound to a vfio driver.\n" \
	"\n"

static const char test_help[] =
	"Usage: vfio_pci_subpage_test [options] [BDF...]\n"
	"\n"
	"Tests how the BARs of VFIO devices can be mapped. " DEVICES_HELP
	COMMON_HELP
	"  --samples N       samples per timing (default: 500)\n"
	"  --batch N         accesses per sample (default: 128)\n"
	"  --help            this text\n"
	"\n"
	"Short options choose tests: -l lists them, -h explains.\n";

static const char perf_help[] =
	"Usage: vfio_pci_subpage_perf [options] [BDF...]\n"
	"\n"
	"Times every path to the safe registers of VFIO devices. " DEVICES_HELP
	COMMON_HELP
	"  --paths LIST      only these, separated by commas: kernel, sysfs, mmap, file\n"
	"                    (pread and pwrite), kvm-mapped, kvm-trapped, kvm-ioeventfd\n"
	"  --samples N       samples of each path (default: 500)\n"
	"  --blocks N        rounds in which the paths take turns (default: 20)\n"
	"  --batch N         accesses per sample (default: as many as the clock needs)\n"
	"  --seed N          of the order and of the intervals (default: from the time)\n"
	"  --delay NS        make each access take longer, to see whether that is found\n"
	"  --remote-node     run on a NUMA node that is not the device's\n"
	"  --help            this text\n";

static const char open_help[] =
	"Usage: vfio_pci_subpage_open [options] BDF...\n"
	"\n"
	"Times bind, open, first mapping, first touch, close and unbind of these devices\n"
	"under vfio-pci without and with the module, for 1, 8, 32 and 128 of them, as far as there\n"
	"are so many. Leaves them without a driver: start it by vfio-bind.sh.\n"
	"\n"
	COMMON_HELP
	"  --samples N       rounds (default: 20)\n"
	"  --help            this text\n";

struct cursor {
	int argc;
	char **argv;
	int at;
};

const char *options_help(enum options_program program)
{
	static const char * const help[] = {
		[OPTIONS_TEST] = test_help,
		[OPTIONS_PERF] = perf_help,
		[OPTIONS_OPEN] = open_help,
	};

	return help[program];
}

static int set_count(const char *name, const char *text, size_t max, size_t *count,
		     struct error *err)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || text[0] < '0' || text[0] > '9' || !value || value > max)
		return error_set(err, "%s %s: not a number from 1 to %zu", name, text, max);

	*count = value;
	return 0;
}

static int set_backend(struct options *options, const char *name, struct error *err)
{
	struct error what;

	options->backend = vfio_backend_find(name, &what);
	return options->backend ? 0 : error_set(err, "--backend: %.400s", what.text);
}

static int add_bdf(struct options *options, const char *text, struct error *err)
{
	char bdf[SYSFS_BDF_LEN];
	void *grown;
	size_t i;

	if (!sysfs_parse_bdf(text, bdf))
		return error_set(err, "'%s' is not a PCI address such as 0000:01:00.0", text);

	for (i = 0; i < options->nr_bdf; i++)
		if (!strcmp(options->bdf[i], bdf))
			return 0;

	grown = reallocarray(options->bdf, options->nr_bdf + 1, sizeof(bdf));
	if (!grown)
		return error_set(err, "no memory");

	options->bdf = grown;
	memcpy(options->bdf[options->nr_bdf++], bdf, sizeof(bdf));
	return 0;
}

static int add_bdfs(struct options *options, const char *text, struct error *err)
{
	char *copy = strdup(text), *word, *save;
	int ret = 0;

	if (!copy)
		return error_set(err, "no memory");

	for (word = strtok_r(copy, " \t\n", &save); word && !ret;
	     word = strtok_r(NULL, " \t\n", &save))
		ret = add_bdf(options, word, err);
	free(copy);
	return ret;
}

static int add_register(struct options *options, const char *text, struct error *err)
{
	struct named_register named, *grown;
	size_t len = strcspn(text, " \t");
	struct error what;
	char bdf[64];

	snprintf(bdf, sizeof(bdf), "%.*s", (int)(len < 63 ? len : 63), text);
	if (!sysfs_parse_bdf(bdf, named.bdf))
		return error_set(err, "--register '%.200s': does not begin with a PCI address",
				 text);
	if (profile_parse_register(text + len, &named.reg, &what))
		return error_set(err, "--register '%.200s': %.200s", text, what.text);

	grown = reallocarray(options->reg, options->nr_reg + 1, sizeof(named));
	if (!grown)
		return error_set(err, "no memory");

	options->reg = grown;
	options->reg[options->nr_reg++] = named;
	return 0;
}

static int set_seed(const char *text, u64 *seed, struct error *err)
{
	char *end;

	errno = 0;
	*seed = strtoull(text, &end, 0);
	if (errno || *end || text[0] < '0' || text[0] > '9')
		return error_set(err, "--seed %s: not a number below 2^64", text);
	return 0;
}

static int refuse_option(const char *name, struct error *err)
{
	return error_set(err, "unknown option %s (--help lists them)", name);
}

static int set_perf_option(struct options *options, const char *name, char *value,
			   struct error *err)
{
	if (!strcmp(name, "--paths"))
		options->paths = value;
	else if (!strcmp(name, "--blocks"))
		return set_count(name, value, MAX_COUNT, &options->blocks, err);
	else if (!strcmp(name, "--delay"))
		return set_count(name, value, MAX_COUNT, &options->delay_ns, err);
	else if (!strcmp(name, "--seed"))
		return set_seed(value, &options->seed, err);
	else
		return refuse_option(name, err);
	return 0;
}

static int set_option(struct options *options, const char *name, char *value,
		      struct error *err)
{
	if (!strcmp(name, "--profiles"))
		snprintf(options->profiles, sizeof(options->profiles), "%s", value);
	else if (!strcmp(name, "--results"))
		options->results = value;
	else if (!strcmp(name, "--platform"))
		snprintf(options->platform, sizeof(options->platform), "%s", value);
	else if (!strcmp(name, "--accel"))
		options->accel = value;
	else if (!strcmp(name, "--backend"))
		return set_backend(options, value, err);
	else if (!strcmp(name, "--register"))
		return add_register(options, value, err);
	else if (!strcmp(name, "--samples"))
		return set_count(name, value, MAX_COUNT, &options->samples, err);
	else if (!strcmp(name, "--batch") && options->program != OPTIONS_OPEN)
		return set_count(name, value, MEASURE_MAX_BATCH, &options->batch, err);
	else if (options->program == OPTIONS_PERF)
		return set_perf_option(options, name, value, err);
	else
		return refuse_option(name, err);
	return 0;
}

/* --name VALUE or --name=VALUE */
static int parse_long(struct options *options, struct cursor *cursor, struct error *err)
{
	char *name = cursor->argv[cursor->at], *value = strchr(name, '=');

	if (!strcmp(name, "--help")) {
		options->help = true;
		return 0;
	}
	if (options->program == OPTIONS_PERF && !strcmp(name, "--remote-node")) {
		options->remote_node = true;
		return 0;
	}

	if (value)
		*value++ = '\0';
	else if (cursor->at + 1 < cursor->argc)
		value = cursor->argv[++cursor->at];
	else
		return error_set(err, "%s: unknown, or needs a value (--help lists them)", name);

	return set_option(options, name, value, err);
}

static void pass_short(struct options *options, struct cursor *cursor)
{
	char *word = cursor->argv[cursor->at];

	options->harness_argv[options->harness_argc++] = word;
	if (strchr("lh", word[1]))
		options->list_only = true;
	if (strchr(HARNESS_WITH_NAME, word[1]) && !word[2] && cursor->at + 1 < cursor->argc)
		options->harness_argv[options->harness_argc++] = cursor->argv[++cursor->at];
}

static int parse_argument(struct options *options, struct cursor *cursor, struct error *err)
{
	const char *word = cursor->argv[cursor->at];

	if (!strncmp(word, "--", 2))
		return parse_long(options, cursor, err);
	if (word[0] != '-' || !word[1])
		return add_bdf(options, word, err);
	if (options->program != OPTIONS_TEST)
		return refuse_option(word, err);

	pass_short(options, cursor);
	return 0;
}

static void set_default_profiles(struct options *options)
{
	char exe[PATH_MAX], *slash;
	ssize_t n;

	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	exe[n < 0 ? 0 : n] = '\0';
	slash = strrchr(exe, '/');
	if (slash)
		*slash = '\0';
	snprintf(options->profiles, sizeof(options->profiles), "%.400s/profiles",
		 slash ? exe : ".");
}

static void set_default_platform(struct options *options)
{
	struct utsname uts;
	const char *arch;

	uname(&uts);
	arch = strcmp(uts.machine, "aarch64") ? uts.machine : "arm64";
	snprintf(options->platform, sizeof(options->platform), "%.40s-%ldk", arch,
		 sysconf(_SC_PAGESIZE) / 1024);
}

int options_parse(enum options_program program, int argc, char **argv, const char *bdfs,
		  struct options *options, struct error *err)
{
	struct cursor cursor = { .argc = argc, .argv = argv, .at = 1 };

	*options = (struct options) {
		.program = program,
		.accel = "none",
		.samples = program == OPTIONS_OPEN ? DEFAULT_ROUNDS : DEFAULT_SAMPLES,
		.batch = program == OPTIONS_PERF ? 0 : DEFAULT_BATCH,
		.blocks = DEFAULT_BLOCKS,
		.seed = time(NULL),
	};
	set_default_profiles(options);
	set_default_platform(options);

	options->harness_argv = calloc(argc + 1, sizeof(*options->harness_argv));
	if (!options->harness_argv)
		return error_set(err, "no memory");

	options->harness_argv[options->harness_argc++] = argv[0];
	for (; cursor.at < argc; cursor.at++)
		if (parse_argument(options, &cursor, err))
			return -1;

	if (!options->nr_bdf && bdfs)
		return add_bdfs(options, bdfs, err);

	return 0;
}
