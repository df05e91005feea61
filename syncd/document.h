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
	const struct aero_document *doc; /* answers.c's */
};

#define AERO_DOCUMENT_REFUSED 4 /* refusals of one document that are kept in words */
#define AERO_DOCUMENT_ADDRS 2   /* `ip` and `ip6` */

/* Everything that it points to goes with it. */
struct aero_document {
	/* answers.c's: */
	struct aero_document *next;
	struct aero_host *host;
	bool gone, ordered;

	bool answers; /* valid name and an address */
	bool gap;     /* valid name, no address given */
	uint8_t n4, n6;
	unsigned char addr4[AERO_DOCUMENT_ADDRS][4], addr6[AERO_DOCUMENT_ADDRS][16];
	/* key[0] is followed by the address */
	unsigned char addr_key[AERO_DOCUMENT_ADDRS][1 + 16];
	bool addr_won[AERO_DOCUMENT_ADDRS]; /* answers.c's */
	size_t id_len;
	const unsigned char *id;
	int64_t registered_at;
	struct aero_label name;    /* text is '' when it may not answer */
	const char *fqdn;          /* text.domain, NULL = none */
	struct aero_label service; /* text is '' when it may not answer */
	const char *instance_id;
	struct aero_label *aliases; /* valid ones, none twice, within the limit */
	size_t n_aliases;
	size_t n_cut, n_refused;
	struct aero_refused refused[AERO_DOCUMENT_REFUSED];
	size_t n_listed;
	const char
		*odd; /* why a field was ignored that cost no answer; NULL = none was */
};

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
