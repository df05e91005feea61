/* SPDX-License-Identifier: MIT */
/* Our block of /etc/hosts: which names the lines outside it define, and the block's text
 * without those (CONTRACTS 6). Pure. */
#ifndef AERO_LEGACY_BLOCK_H
#define AERO_LEGACY_BLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"
#include "lib/status.h"

#define AERO_HOSTS_BEGIN "# AEROSTAT"
#define AERO_HOSTS_END "# /AEROSTAT"
#define AERO_HOSTS_ADDRS 16 /* 8 per family */

/* One host of the block. The caller gives hosts in natural order of host (lib/names.h)
 * and owns all strings. Each address gets a line, in the order given. */
struct aero_hosts_row {
	const char *host;
	const char *fqdn; /* host.domain; NULL without `domain` */
	const char *const *aliases;
	size_t n_aliases;
	const char *addrs[AERO_HOSTS_ADDRS]; /* IPv4 or IPv6 text */
	size_t n_addrs;
};

/* Bytes that grow; free data. */
struct aero_text {
	char *data;
	size_t len, size;
};

/* False when out of memory; the text is then as before. */
bool aero_text_add(struct aero_text *text, const void *data, size_t len);

/* The names that lines outside the block define, as glibc reads them: `#` ends a line,
 * blanks separate, a line whose first word is no address defines nothing. */
struct aero_outside;

int aero_outside_new(struct aero_outside **ret, struct aero_err *err);
void aero_outside_free(struct aero_outside *outside);
/* Add all lines of a text, which must live as long as outside. */
int aero_outside_add(
	struct aero_outside *outside, const char *text, size_t len, struct aero_err *err);
/* Lines added so far. */
int aero_outside_lines(const struct aero_outside *outside);

/* A name that was left out; line counts the lines of outside, in the order added. */
struct aero_shadows {
	struct aero_shadow *v;
	size_t n;
};

void aero_shadows_clear(struct aero_shadows *shadows);

/* Append the block, markers included, to text, and what was left out to shadows.
 * AERO_BAD: a row holds a name or address that could not stand in the file; text may then
 * hold a part of the block. */
int aero_block_render(struct aero_outside *outside, const struct aero_hosts_row *rows,
	size_t n_rows, struct aero_text *text, struct aero_shadows *shadows,
	struct aero_err *err);

#endif
