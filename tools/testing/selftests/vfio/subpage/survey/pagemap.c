// SPDX-License-Identifier: GPL-2.0-only
/* What lies in each page that holds a sub-page BAR. */
#include <stdlib.h>
#include <string.h>

#include "survey/survey.h"

static int by_address(const void *a, const void *b)
{
	const struct page_intruder *left = a, *right = b;

	return left->start < right->start ? -1 : left->start > right->start;
}

static int bar_by_address(const void *a, const void *b)
{
	const struct survey_bar * const *left = a, * const *right = b;

	return (*left)->facts.start < (*right)->facts.start ? -1 :
	       (*left)->facts.start > (*right)->facts.start;
}

static void print_range(u64 offset, u64 size, FILE *out)
{
	char text[24];

	fprintf(out, "    +0x%-5llx %6s  ", offset, survey_size(size, text));
}

static void print_item(const struct survey *survey, const struct page_intruder *item, FILE *out)
{
	const struct survey_bar *bar;

	if (!item->dev) {
		fprintf(out, "'%s'\n", item->name);
		return;
	}
	fprintf(out, "%s %s %u", item->dev->bdf,
		item->number < SYSFS_NR_BARS ? "BAR" : "resource", item->number);
	bar = survey_find(survey, item->dev, item->number);
	if (bar)
		fprintf(out, " %s: %s; with the module %s", bar->name,
			bar->mapped ? "mapped" : "trapped", bar->state);
	if (bar && bar->start != bar->facts.start)
		fprintf(out, " to 0x%llx", bar->start);
	fputc('\n', out);
}

static void print_items(const struct survey *survey, u64 page, u64 size,
			const struct page_intruder *item, unsigned int nr, FILE *out)
{
	u64 at = page, end = page + size - 1, last;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (item[i].start > at) {
			print_range(at - page, item[i].start - at, out);
			fputs("free\n", out);
		}
		/* What is larger has more than this page. */
		at = item[i].start > page ? item[i].start : page;
		last = item[i].end < end ? item[i].end : end;
		print_range(at - page, last - at + 1, out);
		print_item(survey, &item[i], out);
		at = last + 1;
	}
	if (nr && at <= end && at > page) {
		print_range(at - page, end - at + 1, out);
		fputs("free\n", out);
	}
}

static void print_page(const struct survey *survey, const struct survey_bar *bar, FILE *out)
{
	const u64 page = bar_page(&bar->facts);
	struct page_intruder *item = calloc(bar->nr_share + 1, sizeof(*item));

	if (!item)
		return;

	if (bar->nr_share)
		memcpy(item, bar->share, bar->nr_share * sizeof(*item));
	item[bar->nr_share] = (struct page_intruder) {
		.dev = bar->dev, .number = bar->number, .start = bar->facts.start,
		.end = bar->facts.start + bar->facts.size - 1,
	};
	qsort(item, bar->nr_share + 1, sizeof(*item), by_address);
	fprintf(out, "0x%llx\n", page);
	print_items(survey, page, bar->facts.page_size, item, bar->nr_share + 1, out);
	free(item);
}

static void print_homeless(const struct survey_bar *bar, FILE *out)
{
	fprintf(out, "no address: %s BAR %u %s\n", bar->dev->bdf, bar->number, bar->name);
}

void survey_print_map(const struct survey *survey, FILE *out)
{
	const struct survey_bar **bar = calloc(survey->nr + 1, sizeof(*bar));
	u64 before = U64_MAX;
	size_t i;

	for (i = 0; bar && i < survey->nr; i++)
		bar[i] = &survey->bar[i];
	if (bar)
		qsort(bar, survey->nr, sizeof(*bar), bar_by_address);
	for (i = 0; bar && i < survey->nr; i++) {
		if (bar_find(&bar[i]->facts, &survey->map) < 0) {
			print_homeless(bar[i], out);
			continue;
		}
		if (bar_page(&bar[i]->facts) != before)
			print_page(survey, bar[i], out);
		before = bar_page(&bar[i]->facts);
	}
	free(bar);
}
