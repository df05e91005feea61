/* SPDX-License-Identifier: MIT */
/* JSON as it may go to a terminal: relaxed extended JSON in ASCII alone. */
#ifndef AERO_LIB_JSON_H
#define AERO_LIB_JSON_H

#include <bson/bson.h>
#include <stddef.h>

/* malloc'd and NUL-ended; ret_len may be NULL. NULL: out of memory, or a text in doc is
 * no UTF-8. */
char *aero_json_of_bson(const bson_t *doc, size_t *ret_len);

#endif
