// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "measure/measure.h"
#include "options.h"

#define SAMPLES_OF_PERF		500
#define SAMPLES_OF_OPEN		20
#define DEFAULT_BLOCKS		20
#define DEFAULT_ROUNDS		4
#define MAX_COUNT		10000000

#define TEXT_OF(x)		#x
#define DEFAULT(x)		" (default: " TEXT_OF(x) ")"
#define INDENT			"\n                    "

/* The harness's options. It may come to know others, without a value. */
#define HARNESS_OPTIONS		"hlF:f:V:v:t:T:r:"

struct known_option {
	const char *name;
	const char *value;	/* what it is called in the help; NULL: there is none */
	unsigned int programs;
	const char *help;
	int (*set)(struct options *options, const struct known_option *known,
		   const char *value, struct error *err);
	size_t offset;		/* of the member of struct options that is set */
	size_t max;		/* of a count */
};

static void *member(struct options *options, const struct known_option *known)
{
	return (char *)options + known->offset;
}

static int set_flag(struct options *options, const struct known_option *known,
		    const char *value, struct error *err)
{
	*(bool *)member(options, known) = true;
	return 0;
}

static int set_text(struct options *options, const struct known_option *known,
		    const char *value, struct error *err)
{
	*(const char **)member(options, known) = value;
	return 0;
}

static int set_count(struct options *options, const struct known_option *known,
		     const char *value, struct error *err)
{
	u64 count;

	if (!profile_parse_number(value, &count) || !count || count > known->max)
		return error_set(err, "--%s %s: not a number from 1 to %zu", known->name, value,
				 known->max);

	*(size_t *)member(options, known) = count;
	return 0;
}

static int set_seed(struct options *options, const struct known_option *known,
		    const char *value, struct error *err)
{
	if (!profile_parse_number(value, &options->seed))
		return error_set(err, "--seed %s: not a number below 2^64", value);
	return 0;
}

static int set_page_size(struct options *options, const struct known_option *known,
			 const char *value, struct error *err)
{
	u64 size;

	if (!profile_parse_number(value, &size) || size < 4096 || size > known->max ||
	    size & (size - 1))
		return error_set(err, "--page-size %s: not a power of two from 4096 to %zu",
				 value, known->max);

	options->page_size = size;
	return 0;
}

static int set_backend(struct options *options, const struct known_option *known,
		       const char *name, struct error *err)
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

static int add_register(struct options *options, const struct known_option *known,
			const char *text, struct error *err)
{
	struct named_register named, *grown;
	struct error what;
	char bdf[64];
	int len;

	if (sscanf(text, "%63s%n", bdf, &len) != 1 || !sysfs_parse_bdf(bdf, named.bdf))
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

#define TEST	OPTIONS_TEST
#define PERF	OPTIONS_PERF
#define OPEN	OPTIONS_OPEN
#define SURVEY	OPTIONS_SURVEY
#define ALL	(TEST | PERF | OPEN)

#define MEMBER(name)	offsetof(struct options, name)

static const struct known_option table[] = {
	{ "profiles", "DIR", ALL,
	  "where the safe registers of devices are described"
	  INDENT "(default: profiles, beside this program)",
	  .set = set_text, .offset = MEMBER(profiles) },
	{ "register", "SPEC", ALL,
	  "a further safe register, such as"
	  INDENT "'0000:01:00.0 bar=0 offset=0x0 width=4 access=ro'",
	  .set = add_register },
	{ "backend", "NAME", ALL,
	  "how devices are opened: container, iommufd-container, cdev,"
	  INDENT "noiommu (default: the first that applies to the device)",
	  .set = set_backend },
	{ "results", "FILE", ALL,
	  "records are appended to FILE",
	  .set = set_text, .offset = MEMBER(results) },
	{ "platform", "NAME", ALL,
	  "name of the platform in the results (default: ARCH-PAGESIZE)",
	  .set = set_text, .offset = MEMBER(platform) },
	{ "accel", "NAME", ALL,
	  "accelerator of the VM in the results (default: none)",
	  .set = set_text, .offset = MEMBER(accel) },
	{ "paths", "LIST", PERF,
	  "only these, separated by commas: kernel, sysfs, mmap, file"
	  INDENT "(pread and pwrite), kvm-mapped, kvm-trapped, kvm-ioeventfd",
	  .set = set_text, .offset = MEMBER(paths) },
	{ "samples", "N", PERF,
	  "samples of each path" DEFAULT(SAMPLES_OF_PERF),
	  .set = set_count, .offset = MEMBER(samples), .max = MAX_COUNT },
	{ "samples", "N", OPEN,
	  "rounds" DEFAULT(SAMPLES_OF_OPEN),
	  .set = set_count, .offset = MEMBER(samples), .max = MAX_COUNT },
	{ "blocks", "N", PERF,
	  "rounds in which the paths take turns" DEFAULT(DEFAULT_BLOCKS),
	  .set = set_count, .offset = MEMBER(blocks), .max = MAX_COUNT },
	{ "batch", "N", PERF,
	  "accesses per sample (default: as many as the clock needs)",
	  .set = set_count, .offset = MEMBER(batch), .max = MEASURE_MAX_BATCH },
	{ "seed", "N", PERF,
	  "of the order and of the intervals (default: from the time)",
	  .set = set_seed },
	{ "delay", "NS", PERF,
	  "make each access take longer, to see whether that is found",
	  .set = set_count, .offset = MEMBER(delay_ns), .max = MAX_COUNT },
	{ "remote-node", NULL, PERF,
	  "run on a NUMA node that is not the device's",
	  .set = set_flag, .offset = MEMBER(remote_node) },
	{ "compare", NULL, PERF,
	  "rebind the devices, without and with the module in turn",
	  .set = set_flag, .offset = MEMBER(compare) },
	{ "rounds", "N", PERF,
	  "bindings of each kind, for --compare" DEFAULT(DEFAULT_ROUNDS),
	  .set = set_count, .offset = MEMBER(rounds), .max = MAX_COUNT },
	{ "map", NULL, SURVEY,
	  "a map of the pages instead of the table",
	  .set = set_flag, .offset = MEMBER(map) },
	{ "json", NULL, SURVEY,
	  "JSON instead of the table",
	  .set = set_flag, .offset = MEMBER(json) },
	{ "root", "DIR", SURVEY,
	  "look at the copy of a machine in DIR, made with --collect",
	  .set = set_text, .offset = MEMBER(root) },
	{ "page-size", "N", SURVEY,
	  "bytes of a page there, if the copy does not say it",
	  .set = set_page_size, .max = 1 << 20 },
	{ "collect", "DIR", SURVEY,
	  "copy the files that this program reads into DIR, which is new,"
	  INDENT "and print nothing else",
	  .set = set_text, .offset = MEMBER(collect) },
	{ "version", NULL, SURVEY,
	  "print the version",
	  .set = set_flag, .offset = MEMBER(version) },
	{ "help", NULL, ALL | SURVEY,
	  "this text",
	  .set = set_flag, .offset = MEMBER(help) },
};

#define NR_KNOWN	(sizeof(table) / sizeof(*table))

/* Values of getopt_long() from here on are rows of the table, others characters. */
#define FIRST_ROW	(UCHAR_MAX + 1)

#define DEVICES_HELP								\
	"The devices are those named,\n"					\
	"else those in VFIO_SELFTESTS_BDF, else all that are bound to a vfio driver.\n"

static const char * const about[] = {
	[OPTIONS_TEST] =
	"Usage: vfio_pci_subpage_test [options] [BDF...]\n"
	"\n"
	"Tests how the BARs of VFIO devices can be mapped. " DEVICES_HELP
	"Short options choose tests: -l lists them, -h explains.\n"
	"\n",
	[OPTIONS_PERF] =
	"Usage: vfio_pci_subpage_perf [options] [BDF...]\n"
	"\n"
	"Times every path to the safe registers of VFIO devices. " DEVICES_HELP
	"\n",
	[OPTIONS_OPEN] =
	"Usage: vfio_pci_subpage_open [options] BDF...\n"
	"\n"
	"Times bind, open, first mapping, first touch, close and unbind of these devices\n"
	"under vfio-pci without and with the module, for 1, 8, 32 and 128 of them, as far as there\n"
	"are so many. Leaves them without a driver: start it by vfio-bind.sh.\n"
	"\n",
	[OPTIONS_SURVEY] =
	"Usage: vfio-pci-subpage-survey [options] [BDF...]\n"
	"\n"
	"Lists memory BARs smaller than a page of these PCI devices, else of all: which of\n"
	"them user space can map under vfio-pci, and what becomes of each with the module\n"
	"vfio_pci_subpage, if the devices are bound in this order. Binds and changes nothing.\n"
	"Needs no root; without it the kernel does not show which pages of a host bridge are\n"
	"free.\n"
	"\n"
	"Exit status: 0 no BAR is trapped, 1 some are that the module would map, 2 wrong use or\n"
	"files that cannot be read, 3 some stay trapped even with the module.\n"
	"\n",
};

const char *options_help(enum options_program program)
{
	static char *text;
	char *grown, left[32];
	size_t i;

	free(text);
	text = strdup(about[program]);
	for (i = 0; text && i < NR_KNOWN; i++) {
		if (!(table[i].programs & program))
			continue;
		snprintf(left, sizeof(left), "--%s %s", table[i].name,
			 table[i].value ? table[i].value : "");
		if (asprintf(&grown, "%s  %-17s %s\n", text, left, table[i].help) < 0)
			break;
		free(text);
		text = grown;
	}
	return text ? text : "no memory\n";
}

static int add_harness_word(struct options *options, char *word, struct error *err)
{
	char **grown = reallocarray(options->harness_argv, options->harness_argc + 2,
				    sizeof(*grown));

	if (!grown || !word)
		return error_set(err, "no memory");

	options->harness_argv = grown;
	grown[options->harness_argc++] = word;
	grown[options->harness_argc] = NULL;
	return 0;
}

/* The value, if any, in the same word. */
static int pass_on(struct options *options, char option, const char *value, struct error *err)
{
	char *word;

	if (option == 'l' || option == 'h')
		options->list_only = true;
	if (asprintf(&word, "-%c%s", option, value ? value : "") < 0)
		word = NULL;
	return add_harness_word(options, word, err);
}

/* What getopt_long() does not take: optopt is a letter, or the word is a long option. */
static int refuse(struct options *options, bool needs_value, const char *word, struct error *err)
{
	bool is_letter = optopt > 0 && optopt < FIRST_ROW;

	if (is_letter && options->program == OPTIONS_TEST)
		return pass_on(options, optopt, NULL, err);
	if (is_letter)
		return error_set(err, "unknown option -%c (--help lists them)", optopt);
	if (needs_value)
		return error_set(err, "%s needs a value (--help lists them)", word);
	return error_set(err, "unknown option %s (--help lists them)", word);
}

static int take(struct options *options, int c, const char *word, struct error *err)
{
	if (c == '?' || c == ':')
		return refuse(options, c == ':', word, err);
	if (c < FIRST_ROW)
		return pass_on(options, c, optarg, err);

	return table[c - FIRST_ROW].set(options, &table[c - FIRST_ROW], optarg, err);
}

static int parse_words(struct options *options, int argc, char **argv, struct error *err)
{
	const char *letters = options->program == OPTIONS_TEST ? ":" HARNESS_OPTIONS : ":";
	struct option known[NR_KNOWN + 1] = { 0 };
	size_t i, nr = 0;
	int c, ret = 0;

	for (i = 0; i < NR_KNOWN; i++)
		if (table[i].programs & options->program)
			known[nr++] = (struct option) {
				.name = table[i].name,
				.has_arg = table[i].value ? required_argument : no_argument,
				.val = FIRST_ROW + i,
			};

	opterr = 0;
	optind = 0;
	while (!ret && (c = getopt_long(argc, argv, letters, known, NULL)) >= 0)
		ret = take(options, c, argv[optind - 1], err);
	for (; !ret && optind < argc; optind++)
		ret = add_bdf(options, argv[optind], err);

	/* For the harness's getopt(). */
	opterr = 1;
	optind = 0;
	return ret;
}

static int set_default_profiles(struct options *options, struct error *err)
{
	char exe[PATH_MAX], *profiles;
	ssize_t n;

	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	exe[n < 0 ? 0 : n] = '\0';
	if (asprintf(&profiles, "%s/profiles", dirname(exe)) < 0)
		return error_set(err, "no memory");

	options->profiles = profiles;
	return 0;
}

static int set_default_platform(struct options *options, struct error *err)
{
	struct utsname uts;
	char *platform;

	uname(&uts);
	if (asprintf(&platform, "%s-%ldk", strcmp(uts.machine, "aarch64") ? uts.machine : "arm64",
		     sysconf(_SC_PAGESIZE) / 1024) < 0)
		return error_set(err, "no memory");

	options->platform = platform;
	return 0;
}

int options_parse(enum options_program program, int argc, char **argv, const char *bdfs,
		  struct options *options, struct error *err)
{
	*options = (struct options) {
		.program = program,
		.accel = "none",
		.samples = program == OPTIONS_OPEN ? SAMPLES_OF_OPEN : SAMPLES_OF_PERF,
		.blocks = DEFAULT_BLOCKS,
		.seed = time(NULL),
	};
	if (set_default_profiles(options, err) || set_default_platform(options, err) ||
	    add_harness_word(options, argv[0], err) || parse_words(options, argc, argv, err))
		return -1;
	if (options->rounds && !options->compare)
		return error_set(err, "--rounds needs --compare");
	if (options->map && options->json)
		return error_set(err, "--map and --json exclude each other");
	if (options->collect && (options->root || options->nr_bdf))
		return error_set(err, "--collect copies all of this machine: no --root, no BDF");
	if (options->page_size && !options->root)
		return error_set(err, "--page-size needs --root: this machine's own is known");
	if (options->compare && !options->rounds)
		options->rounds = DEFAULT_ROUNDS;
	if (!options->nr_bdf && bdfs)
		return add_bdfs(options, bdfs, err);

	return 0;
}
