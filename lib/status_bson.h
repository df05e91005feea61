/* SPDX-License-Identifier: MIT */
/* A status as BSON, apart from lib/status.h for those who build without libbson. */
#ifndef AERO_LIB_STATUS_BSON_H
#define AERO_LIB_STATUS_BSON_H

#include <bson/bson.h>

#include "lib/status.h"

/* Append all members, as status.json holds them; a NULL string is ''. False without
 * memory. */
/* Append a text that may be no UTF-8: then with ? in the place of what is not ASCII. */
bool aero_status_text(bson_t *doc, const char *key, const char *text);
bool aero_status_to_bson(const struct aero_status *status, bson_t *doc);

/* As the array `masters` (masters.c); read: what is no master is skipped. */
bool aero_masters_to_bson(const struct aero_masters *masters, bson_t *doc);
bool aero_masters_of_bson(const bson_t *doc, struct aero_masters *ret);

#endif
