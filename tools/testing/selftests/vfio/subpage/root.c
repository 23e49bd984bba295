// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

#include "root.h"

static const char *copy;
static int copy_fd = -1;
static u64 page_size;
static root_watcher watch;
static struct error complaint;

int root_use(const char *dir, struct error *err)
{
	if (copy_fd >= 0)
		close(copy_fd);
	copy = dir;
	copy_fd = -1;
	complaint.text[0] = '\0';
	if (!dir)
		return 0;

	copy_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (copy_fd < 0)
		return error_set(err, "%.300s: %s: name a directory that --collect has made",
				 dir, strerror(errno));
	return 0;
}

bool root_is_copy(void)
{
	return copy;
}

const char *root_name(void)
{
	return copy ? copy : "";
}

u64 root_page_size(void)
{
	return page_size ? page_size : (u64)sysconf(_SC_PAGESIZE);
}

void root_set_page_size(u64 bytes)
{
	page_size = bytes;
}

void root_watch(root_watcher watcher)
{
	watch = watcher;
}

static void tell(const char *path, const void *data, size_t len)
{
	if (watch)
		watch(path, data, len);
}

static bool is_printable(char c)
{
	return c >= ' ' && c < 0x7f;
}

void root_complain(const char *path, const char *fmt, ...)
{
	char cause[256];
	va_list args;
	size_t i;

	if (!copy || complaint.text[0])
		return;

	va_start(args, fmt);
	vsnprintf(cause, sizeof(cause), fmt, args);
	va_end(args);
	for (i = 0; cause[i]; i++)
		if (!is_printable(cause[i]))
			cause[i] = '?';
	error_set(&complaint, "%.150s%.80s: %s", copy, path, cause);
}

int root_complaint(struct error *err)
{
	if (complaint.text[0])
		*err = complaint;
	return complaint.text[0] ? -1 : 0;
}

/* What is not there is nothing to complain of: a machine need not have it. */
static int open_path(const char *path, int flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	int fd;

	if (!copy)
		return open(path, flags | O_CLOEXEC);

	/* While anybody renames anything, the kernel cannot tell where ".." leads. */
	do {
		fd = syscall(SYS_openat2, copy_fd, path + 1, &how, sizeof(how));
	} while (fd < 0 && errno == EAGAIN);
	if (fd < 0 && errno == EXDEV)
		root_complain(path, "a link leads out of the directory");
	else if (fd < 0 && errno != ENOENT)
		root_complain(path, "%s", strerror(errno));
	return fd;
}

/* To open a device, or a pipe, could do something, or wait for ever. */
static bool is_plain_file(const char *path)
{
	int fd = open_path(path, O_PATH);
	struct stat st;
	bool is_plain;

	if (fd < 0)
		return false;

	is_plain = !fstat(fd, &st) && S_ISREG(st.st_mode);
	close(fd);
	if (!is_plain)
		root_complain(path, "not a plain file");
	return is_plain;
}

ssize_t root_read(const char *path, void *buf, size_t len)
{
	size_t done = 0;
	ssize_t n = 0;
	int fd;

	if (copy && !is_plain_file(path))
		return -1;
	fd = open_path(path, O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return -1;

	while (done < len && (n = read(fd, (char *)buf + done, len - done)) > 0)
		done += n;
	if (n < 0)
		root_complain(path, "%s", strerror(errno));
	close(fd);
	if (n < 0)
		return -1;

	tell(path, buf, done);
	return done;
}

ssize_t root_read_text(const char *path, char *buf, size_t len)
{
	ssize_t n = root_read(path, buf, len), i;

	if (n < 0)
		return n;
	if ((size_t)n == len) {
		root_complain(path, "more than the %zu bytes that a kernel may write", len - 1);
		n--;
	}
	for (i = 0; i < n; i++)
		if (buf[i] != '\n' && !is_printable(buf[i]))
			buf[i] = '?';
	buf[n] = '\0';
	return n;
}

void root_read_link(const char *path, char *buf, size_t len)
{
	int fd = open_path(path, O_PATH | O_NOFOLLOW), i;
	char target[PATH_MAX];
	ssize_t n;

	buf[0] = '\0';
	if (fd < 0)
		return;

	n = readlinkat(fd, "", target, sizeof(target) - 1);
	close(fd);
	if (n < 0) {
		root_complain(path, "not a link");
		return;
	}
	target[n] = '\0';
	snprintf(buf, len, "%s", basename(target));
	for (i = 0; buf[i]; i++)
		if (!is_printable(buf[i]))
			buf[i] = '?';
	tell(path, NULL, 0);
}

/* Where the open directory is, which the kernel knows. */
static bool where_is(int fd, char path[PATH_MAX])
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX - 1);
	path[n < 0 ? 0 : n] = '\0';
	return n > 0;
}

void root_resolve(const char *path, char *buf, size_t len)
{
	char where[PATH_MAX], above[PATH_MAX] = "";
	int fd = open_path(path, O_PATH | O_DIRECTORY);

	buf[0] = '\0';
	if (fd < 0)
		return;
	if (where_is(fd, where) && (!copy || where_is(copy_fd, above)))
		snprintf(buf, len, "%s", where + strlen(above));
	close(fd);
	tell(path, NULL, 0);
}

bool root_exists(const char *path)
{
	int fd = open_path(path, O_PATH);

	if (fd < 0)
		return false;
	close(fd);
	tell(path, NULL, 0);
	return true;
}

long long root_file_size(const char *path)
{
	int fd = open_path(path, O_PATH);
	long long size = -1;
	struct stat st;

	if (fd < 0)
		return -1;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		size = st.st_size;
	else
		root_complain(path, "not a plain file");
	close(fd);
	tell(path, NULL, 0);
	return size;
}

static int not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int root_list(const char *path, struct dirent ***names)
{
	int fd = open_path(path, O_PATH | O_DIRECTORY), n;
	char link[64];

	if (fd < 0)
		return -1;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = scandir(link, names, not_hidden, by_name);
	close(fd);
	if (n >= 0)
		tell(path, NULL, 0);
	return n;
}
