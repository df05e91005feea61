/* SPDX-License-Identifier: MIT */
/* One distributed configuration file: the document of `configs.<service>` and what may
 * become a file of a node. Pure. */
#ifndef AERO_LIB_CONFIG_FILE_H
#define AERO_LIB_CONFIG_FILE_H

#include <bson/bson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/err.h"
#include "lib/list.h"

/* What fits into a document of 16 MiB with the other fields. */
#define AERO_CONFIG_MAX (15u << 20)

struct aero_config {
	char *name; /* a file name, unique within its service */
	char *path; /* where it goes: absolute, without ., .. or empty parts */
	char *owner, *group;
	mode_t mode; /* 0777 at most, and not for all to write */
	char *contents;
	size_t len;
	bool is_template;          /* `keywords` of the original, which rendered it */
	struct aero_list keywords; /* those that are text */
};

/* Read a document. What it leaves open: path /etc/<name>, owner and group root, mode
 * 0644. AERO_BAD: it is none, or one that could do harm. */
int aero_config_of_bson(const bson_t *doc, struct aero_config *ret, struct aero_err *err);
/* Its fields, without _id. */
void aero_config_to_bson(const struct aero_config *config, bson_t *ret);
/* The rules for name, path, owner, group, mode and length. */
int aero_config_check(const struct aero_config *config, struct aero_err *err);
/* Octal digits, as `644` or `0644`. */
bool aero_config_mode(const char *text, mode_t *ret);
/* All fields are equal. */
bool aero_config_equal(const struct aero_config *a, const struct aero_config *b);
void aero_config_clear(struct aero_config *config);

#endif
