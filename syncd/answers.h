/* SPDX-License-Identifier: MIT */
/* The documents of the collection -> what answers (CONTRACTS 4): clashes settled, in the
 * form that mirror/publish.h and legacy/block.h take. Documents are read once each, when
 * they change; making the answers is then a walk over all. Pure. */
#ifndef AERO_SYNCD_ANSWERS_H
#define AERO_SYNCD_ANSWERS_H

#include "lib/err.h"
#include "mirror/publish.h"
#include "syncd/document.h"

struct aero_answers;

/* AERO_CONFIG: domain or a zone is no name, or they are too many for the mirror's
 * description. opts is copied. */
int aero_answers_new(const struct aero_answers_opts *opts, struct aero_answers **ret,
	struct aero_err *err);
void aero_answers_free(struct aero_answers *answers);

/* The document of this key (aero_document_key) is now doc; NULL: it went. */
int aero_answers_put(struct aero_answers *answers, const void *id, size_t id_len,
	const bson_t *doc, struct aero_err *err);

/* A host that answers. */
struct aero_host {
	const struct aero_document *doc;
	const char **aliases; /* those that answer, in stored order */
	size_t n_aliases;
	struct aero_rec rec;
};

#define AERO_REFUSED_LISTED 100

/* What answers; it points into the answers it was made from, which must not be changed
 * meanwhile. */
struct aero_answer_set {
	struct aero_host *hosts; /* in natural order */
	size_t n_hosts;
	struct aero_entry *entries;
	size_t n_entries;
	const char *zones; /* as in struct aero_meta */
	uint16_t n_zones;
	size_t n_documents, n_gaps, n_refused, n_odd, n_cut;
	struct aero_refused *refused, *odd; /* the first AERO_REFUSED_LISTED of each */
	size_t n_listed, n_odd_listed;
	/* memory behind all that */
	const char **alias_texts;
	char *alias_blob;
	struct aero_service *services;
};

/* AERO_NOMEM is the only failure. */
int aero_answers_make(
	struct aero_answers *answers, struct aero_answer_set *ret, struct aero_err *err);
void aero_answer_set_clear(struct aero_answer_set *set);

/* The host of an instance; NULL if none. */
const struct aero_host *aero_answer_of_instance(
	const struct aero_answer_set *set, const char *instance_id);

#endif
