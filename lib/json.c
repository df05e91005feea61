/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/json.h"

#define ESCAPED 6 /* bytes of \uXXXX */

static char *put_half(char *at, bson_unichar_t c)
{
	(void)snprintf(at, ESCAPED + 1, "\\u%04x", c & 0xffff);
	return at + ESCAPED;
}

/* Append a character as \uXXXX, in two halves where it is beyond 16 bits. */
static char *put(char *at, bson_unichar_t c)
{
	if (c > 0xffff) {
		at = put_half(at, 0xd800U + ((c - 0x10000) >> 10));
		c = 0xdc00 + (c & 0x3ff);
	}
	return put_half(at, c);
}

char *aero_json_of_bson(const bson_t *doc, size_t *ret_len)
{
	size_t len = 0, more = 0;
	char *json = bson_as_relaxed_extended_json(doc, &len), *plain = NULL, *at;

	if (json == NULL)
		return NULL;
	for (const char *p = json; *p != '\0'; p++)
		more += (unsigned char)*p >= 0x7f;
	plain = at = malloc(len + ESCAPED * more + 1);
	if (plain == NULL)
		goto out;
	/* Beyond ASCII only within strings, and those are UTF-8: libbson saw to it. */
	for (const char *p = json; *p != '\0';) {
		if ((unsigned char)*p < 0x7f) {
			*at++ = *p++;
		} else {
			at = put(at, bson_utf8_get_char(p));
			p = bson_utf8_next_char(p);
		}
	}
	*at = '\0';
	if (ret_len != NULL)
		*ret_len = (size_t)(at - plain);
out:
	bson_free(json);
	return plain;
}
