/* SPDX-License-Identifier: GPL-2.0-only */
/* Members of objects that programs write for others. */
#ifndef SUBPAGE_JSON_H
#define SUBPAGE_JSON_H

#include <stdbool.h>

#include <json-c/json.h>

#include "types.h"

/* No text is null. */
void json_add_string(struct json_object *object, const char *key, const char *text);
void json_add_int(struct json_object *object, const char *key, long long value);
void json_add_bool(struct json_object *object, const char *key, bool value);

/* As a string: 64 bits do not survive every reader of JSON as a number. */
void json_add_hex(struct json_object *object, const char *key, int digits, u64 value);

#endif
