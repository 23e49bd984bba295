// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>

#include "json.h"

void json_add_string(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, text[0] ? json_object_new_string(text) : NULL);
}

void json_add_int(struct json_object *object, const char *key, long long value)
{
	json_object_object_add(object, key, json_object_new_int64(value));
}

void json_add_bool(struct json_object *object, const char *key, bool value)
{
	json_object_object_add(object, key, json_object_new_boolean(value));
}

void json_add_hex(struct json_object *object, const char *key, int digits, u64 value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%0*llx", digits, value);
	json_add_string(object, key, text);
}
