// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies what is read of a machine, and nothing else: what is small, plain and the same
 * for whoever reads it. The page size comes last, so that a copy without it is none.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "root.h"
#include "survey/survey.h"

#define PAGE_SIZE_FILE	"/page_size"

/* Of a BAR of this size or more sysfs itself says how large it is. */
#define MAX_SIZE	(64 << 10)

static const char *target;
static struct error failure;
static int nr_files;

static void fail(const char *path)
{
	if (!failure.text[0])
		error_set(&failure, "%.200s%.200s: %s: the copy is incomplete, remove it", target,
			  path, strerror(errno));
}

static void make_directories(const char *path)
{
	char here[PATH_MAX], *slash;

	if (snprintf(here, sizeof(here), "%s%s/", target, path) >= (int)sizeof(here)) {
		errno = ENAMETOOLONG;
		fail(path);
		return;
	}
	for (slash = here + strlen(target) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(here, 0777) && errno != EEXIST)
			fail(path);
		*slash = '/';
	}
}

static void make_parent(const char *path)
{
	char parent[PATH_MAX];

	snprintf(parent, sizeof(parent), "%.*s", (int)(strrchr(path, '/') - path), path);
	make_directories(parent);
}

static void copy_link(const char *path, const char *here)
{
	char to[PATH_MAX], real[PATH_MAX];
	ssize_t n = readlink(path, to, sizeof(to) - 1);

	if (n < 0 || !realpath(path, real))
		return;

	to[n] = '\0';
	if (symlink(to, here) && errno != EEXIST)
		fail(path);
	make_directories(real);
}

static void copy_file(const char *path, const char *here, const void *data, size_t len)
{
	int fd = open(here, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0 || (data ? write(fd, data, len) != (ssize_t)len : ftruncate(fd, len)))
		fail(path);
	if (fd >= 0)
		close(fd);
	nr_files++;
}

static void copy(const char *given, const void *data, size_t len)
{
	char path[PATH_MAX], here[2 * PATH_MAX];
	struct stat st;

	/* With a slash at its end a link is what it points to. */
	snprintf(path, sizeof(path), "%.*s",
		 (int)strlen(given) - (given[strlen(given) - 1] == '/'), given);
	snprintf(here, sizeof(here), "%s%s", target, path);
	if (lstat(path, &st))
		return;

	make_parent(path);
	if (S_ISLNK(st.st_mode))
		copy_link(path, here);
	else if (S_ISDIR(st.st_mode))
		make_directories(path);
	else if (data)
		copy_file(path, here, data, len);
	else if (st.st_size < MAX_SIZE)
		copy_file(path, here, NULL, st.st_size);
}

int collect_begin(const char *dir, struct error *err)
{
	if (mkdir(dir, 0777))
		return error_set(err, "--collect %.300s: %s: name a new directory", dir,
				 strerror(errno));
	target = dir;
	root_watch(copy);
	return 0;
}

int collect_end(struct error *err)
{
	char text[32], here[PATH_MAX];
	int len = snprintf(text, sizeof(text), "%llu\n", root_page_size());

	root_watch(NULL);
	if (!failure.text[0]) {
		snprintf(here, sizeof(here), "%s" PAGE_SIZE_FILE, target);
		copy_file(PAGE_SIZE_FILE, here, text, len);
	}
	if (failure.text[0]) {
		*err = failure;
		return -1;
	}
	return nr_files;
}

int collect_use_page_size(struct error *err)
{
	char text[32], *end;
	u64 size;

	if (root_read_text(PAGE_SIZE_FILE, text, sizeof(text)) <= 0)
		return root_complaint(err) ? -1 :
		       error_set(err,
				 "%.300s%s: missing or empty, the copy is incomplete: name the size with --page-size",
				 root_name(), PAGE_SIZE_FILE);

	size = strtoull(text, &end, 10);
	if (*end != '\n' || size < 4096 || size > 1 << 20 || size & (size - 1))
		return error_set(err, "%.300s" PAGE_SIZE_FILE ": not the size of a page: '%.*s'",
				 root_name(), (int)strcspn(text, "\n"), text);
	root_set_page_size(size);
	return 0;
}
