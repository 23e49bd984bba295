/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files of the machine that is looked at: /sys and /proc of this one, or a copy of
 * them that somebody has sent.
 *
 * A copy is not trusted. Nothing outside of its directory is opened, and nothing but
 * plain files. What is wrong with it is kept for root_complaint(). A live machine has
 * nothing wrong: what is gone meanwhile is not there.
 */
#ifndef SUBPAGE_ROOT_H
#define SUBPAGE_ROOT_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "error.h"
#include "types.h"

/**
 * root_use() - look at a copy from now on
 * @dir: where /sys and /proc of it are; NULL for this machine again
 * @err: set on failure
 *
 * Return: 0 or -1.
 */
int root_use(const char *dir, struct error *err);
bool root_is_copy(void);

/* What stands before a path in a message: the directory, or nothing. */
const char *root_name(void);

/* Of the machine that is looked at: bytes. Of a copy it has to be set. */
u64 root_page_size(void);
void root_set_page_size(u64 bytes);

/*
 * Who is told of each path that is looked at, to make a copy of it; @data is what was
 * read of a file, and NULL if only its kind or size was asked for.
 */
typedef void (*root_watcher)(const char *path, const void *data, size_t len);
void root_watch(root_watcher watcher);

/* The first bytes of a file; as many as there are up to @len, or -1. */
ssize_t root_read(const char *path, void *buf, size_t len);

/* The same of a text that has to fit, as a string of printable characters and newlines. */
ssize_t root_read_text(const char *path, char *buf, size_t len);

/* The last part of what a link points to, or "". */
void root_read_link(const char *path, char *buf, size_t len);

/* A directory without its links, below the root, or "". */
void root_resolve(const char *path, char *buf, size_t len);

bool root_exists(const char *path);

/* How large a file is that is not read: bytes, or -1. */
long long root_file_size(const char *path);

/* Sorted names in a directory, as of scandir(), which are not hidden; -1 with errno. */
int root_list(const char *path, struct dirent ***names);

/* What is wrong with a file of a copy. Only the first is kept. */
void root_complain(const char *path, const char *fmt, ...);

/* Was there something? -1 with the error set, else 0. */
int root_complaint(struct error *err);

#endif
