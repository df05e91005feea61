/* SPDX-License-Identifier: MIT */
/* One document of the collection, read: what of it may answer, and why not the rest
 * (CONTRACTS 4). What other documents have to say is answers.h's part. Pure. */
#ifndef AERO_SYNCD_DOCUMENT_H
#define AERO_SYNCD_DOCUMENT_H

#include <bson/bson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/list.h"
#include "mirror/layout.h"

struct aero_answers_opts {
	const char *domain; /* '' = none; without dots around it */
	const struct aero_list *zones;
	bool service_names;
	bool loopback; /* --offline */
};

/* A name, and the keys of the mirror that it answers to. */
struct aero_label {
	const char *text;
	const unsigned char *key; /* of text.domain; it begins with that of text */
	uint16_t len;             /* key length of text */
	uint16_t full;            /* key length of text.domain; 0 = no such name */
	bool won;                 /* answers.c's: the name is this document's */
};

struct aero_document;

/* A name and why it does not answer, or why a field of its document was ignored. */
struct aero_refused {
	const char *name, *why;
	const struct aero_document *doc;
};

#define AERO_DOCUMENT_REFUSED 4 /* refusals of one document that are kept in words */
#define AERO_DOCUMENT_ADDRS 2   /* `ip` and `ip6` */

/* Everything that it points to goes with it. There are as many as nodes in the fleet, so
 * it is kept small. */
struct aero_document {
	/* table.c's: */
	struct aero_document *next;
	bool gone : 1, fresh : 1;

	bool answers : 1; /* valid name and an address */
	bool gap : 1;     /* valid name, no address given */
	bool odd : 1;     /* a field was ignored that cost no answer */
	bool changed : 1; /* answers.c's: its records are to be made anew */
	bool addr_won[AERO_DOCUMENT_ADDRS]; /* answers.c's */
	uint8_t n4, n6, n_aliases, n_listed;
	uint16_t id_len;
	uint32_t n_cut, n_refused;
	int64_t registered_at, epoch;
	const unsigned char *id;
	const unsigned char *addrs; /* n4 of 4 bytes, n6 of 16, then the keys of these */
	const char *fqdn;           /* text.domain, NULL = none */
	const char *instance_id;
	struct aero_label name;       /* text is '' when it may not answer */
	struct aero_label *aliases;   /* valid ones, none twice, within the limit */
	struct aero_label *service;   /* NULL when it may not answer */
	struct aero_refused *refused; /* n_listed of them, then why it is odd */
};

static inline const unsigned char *aero_document_addr6(const struct aero_document *doc)
{
	return doc->addrs + (size_t)4 * doc->n4;
}

/* The mirror's key of address i: the IPv4 ones come first. */
static inline const unsigned char *aero_document_addr_key(
	const struct aero_document *doc, size_t i, size_t *ret_len)
{
	const unsigned char *keys = aero_document_addr6(doc) + (size_t)16 * doc->n6;

	*ret_len = i < doc->n4 ? 1 + 4 : 1 + 16;
	return i < doc->n4 ? keys + 5 * i : keys + 5 * doc->n4 + 17 * (i - doc->n4);
}

/* Natural order of names; of one name twice the better one first. */
int aero_document_cmp(const struct aero_document *a, const struct aero_document *b);

/* Bytes of the longest key that aero_document_key makes. */
#define AERO_DOCUMENT_KEY_MAX 256

/* The key of an _id: doc is {_id: value} or a whole document. Ids order as their keys, at
 * least those of one type that are short. 0: there is no _id. */
size_t aero_document_key(
	const bson_t *doc, unsigned char key[static AERO_DOCUMENT_KEY_MAX]);

/* The _id of a document for people: what it holds if that is a text, a number or an
 * ObjectId, else its type and first bytes. Cut to fit; not escaped. Returns buf. */
const char *aero_document_id(const struct aero_document *doc, char *buf, size_t size);

/* Read a document of this key. NULL only when out of memory: a document that makes no
 * sense is one that does not answer, with the reason in refused. */
struct aero_document *aero_document_read(const struct aero_answers_opts *opts,
	const void *id, size_t id_len, const bson_t *doc);

#endif
