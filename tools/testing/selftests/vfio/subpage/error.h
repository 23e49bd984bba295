/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SUBPAGE_ERROR_H
#define SUBPAGE_ERROR_H

/* One line for a person: the thing, the cause, the remedy. No newline. */
struct error {
	char text[512];
};

/* Fills in an error; a longer text is cut. Always returns -1. */
int error_set(struct error *err, const char *fmt, ...);

#endif
