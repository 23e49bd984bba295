/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SUBPAGE_ERROR_H
#define SUBPAGE_ERROR_H

/**
 * struct error - what went wrong, in one line for a person
 * @text: names the thing and, where there is one, the remedy; no newline
 */
struct error {
	char text[512];
};

/**
 * error_set() - fill in an error
 * @err: where to put the text
 * @fmt: printf format
 *
 * A longer text is cut to the buffer.
 *
 * Return: always -1, so that callers can ``return error_set(...)``.
 */
int error_set(struct error *err, const char *fmt, ...);

#endif
