// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-pci-subpage-survey: does a machine need the module? Which of its memory BARs are
 * smaller than a page, which of these vfio-pci maps, and which it would with the module.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>

#include "options.h"
#include "root.h"
#include "survey/survey.h"

/* Ours are the kernel's, too. */
#define PCI_HAVE_Uxx_TYPES
#include <pci/pci.h>

#define PROGRAM		"vfio-pci-subpage-survey"
#define VERSION		"1.0"
#define EXIT_ERROR	2

static int fail(const struct error *err)
{
	fprintf(stderr, PROGRAM ": %s\n", err->text);
	return EXIT_ERROR;
}

/* libpci wants that it does not return: a list of names with errors in it. */
static noreturn void names_are_bad(char *fmt, ...)
{
	va_list args;

	fputs(PROGRAM ": names of devices: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	exit(EXIT_ERROR);
}

static void say_nothing(char *fmt, ...)
{
}

/*
 * From the list that is installed; nobody is asked for those that it does not have. Not
 * with pci_init(), which would end the program where there is no PCI.
 */
static void look_up_names(struct survey *survey)
{
	struct pci_access *access = pci_alloc();
	size_t i;

	access->error = names_are_bad;
	access->warning = say_nothing;
	access->debug = say_nothing;
	for (i = 0; i < survey->nr; i++) {
		struct survey_bar *bar = &survey->bar[i];

		if (!pci_lookup_name(access, bar->name, sizeof(bar->name),
				     PCI_LOOKUP_DEVICE | PCI_LOOKUP_NO_NUMBERS |
				     PCI_LOOKUP_NO_HWDB, bar->dev->vendor, bar->dev->device))
			snprintf(bar->name, sizeof(bar->name), "%04x:%04x", bar->dev->vendor,
				 bar->dev->device);
	}
	pci_cleanup(access);
}

static int collect(const struct options *options, const struct error *hidden)
{
	struct error err;
	int nr = collect_end(&err);

	if (nr < 0)
		return fail(&err);
	if (hidden->text[0])
		fprintf(stderr, PROGRAM ": %s, for a copy from which all can be predicted\n",
			hidden->text);
	printf("%s: %d files; --root %s looks at them\n", options->collect, nr,
	       options->collect);
	return EXIT_SUCCESS;
}

static int print(const struct survey *survey, const struct options *options,
		 const struct error *hidden)
{
	if (!survey->is_whole)
		fprintf(stderr,
			"%s: %s; which pages of a host bridge are free is not known, nor whether anything but PCI devices is in a page\n",
			PROGRAM, hidden->text);
	if (options->json) {
		survey_print_json(survey, stdout);
	} else {
		if (options->map)
			survey_print_map(survey, stdout);
		else
			survey_print_table(survey, stdout);
		survey_print_summary(survey, stdout);
	}
	if (fflush(stdout) || ferror(stdout)) {
		perror(PROGRAM ": stdout");
		return EXIT_ERROR;
	}
	return survey_exit_code(survey);
}

static int survey_machine(const struct options *options, struct survey *survey)
{
	struct error err, hidden;

	if (options->root && root_use(options->root, &err))
		return fail(&err);
	root_set_page_size(options->page_size);
	if (options->root && !options->page_size && collect_use_page_size(&err))
		return fail(&err);
	if (options->collect && collect_begin(options->collect, &err))
		return fail(&err);
	if (survey_read(survey, &hidden))
		return fail(&hidden);
	if (survey_take(survey, options->bdf, options->nr_bdf, &err))
		return fail(&err);
	if (options->collect)
		return collect(options, &hidden);

	look_up_names(survey);
	return print(survey, options, &hidden);
}

int main(int argc, char **argv)
{
	struct survey survey = { 0 };
	struct options options;
	struct error err;
	int code;

	if (options_parse(OPTIONS_SURVEY, argc, argv, NULL, &options, &err))
		return fail(&err);
	if (options.help || options.version) {
		fputs(options.help ? options_help(OPTIONS_SURVEY) : PROGRAM " " VERSION "\n",
		      stdout);
		return EXIT_SUCCESS;
	}
	code = survey_machine(&options, &survey);
	survey_free(&survey);
	return code;
}
