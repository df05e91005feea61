/* SPDX-License-Identifier: MIT */
/* The documents of the collection -> what answers (CONTRACTS 4): clashes settled, in the
 * form that mirror/publish.h and legacy/block.h take. Documents are read once each, when
 * they change; what follows from a change is found from the keys that it touches, not by
 * a walk over all. Pure. */
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

#define AERO_REFUSED_LISTED 100

/* What answers; it points into the answers it was made from, and holds until these are
 * changed. */
struct aero_answer_set {
	struct aero_answers *answers;
	size_t n_hosts;
	const char *zones; /* as in struct aero_meta */
	uint16_t n_zones;
	size_t n_documents, n_gaps, n_refused, n_odd, n_cut;
	const struct aero_refused *refused,
		*odd; /* the first AERO_REFUSED_LISTED of each */
	size_t n_listed, n_odd_listed;
};

/* Settle the clashes of what was put. AERO_NOMEM is the only failure. */
int aero_answers_make(
	struct aero_answers *answers, struct aero_answer_set *ret, struct aero_err *err);

/* A walk over the entries of the mirror, in the order of the file: an aero_entry_next,
 * with the walk as its arg. One walk at a time. */
struct aero_answers_walk {
	struct aero_answers *answers;
	bool changed; /* only what changed since aero_answers_published */
	size_t at;
};

/* All entries, or those that changed, where what went has no record. */
void aero_answers_walk(
	struct aero_answers *answers, bool changed, struct aero_answers_walk *ret);
bool aero_answers_next(void *walk, struct aero_entry *ret);

/* Is it better to publish all? */
bool aero_answers_all_changed(const struct aero_answers *answers);
/* Changes are counted from now on. */
void aero_answers_published(struct aero_answers *answers);
/* Nothing is known of what is published: all counts as changed. */
void aero_answers_forget(struct aero_answers *answers);

/* The next host that answers in natural order, from *at (0 at first) on; NULL at the end.
 * Of its aliases those answer that it won. */
const struct aero_document *aero_answers_host(
	const struct aero_answers *answers, size_t *at);
/* The host of an instance; NULL if none. */
const struct aero_document *aero_answer_of_instance(
	const struct aero_answer_set *set, const char *instance_id);
/* All documents, answering or not, by their number from 0; NULL behind the last. */
const struct aero_document *aero_answers_at(const struct aero_answers *answers, size_t i);
/* The document that an instance holds, whether it answers or not, as of the last
 * aero_answers_make; NULL if none. instance_id is not ''. */
const struct aero_document *aero_answers_held(
	const struct aero_answers *answers, const char *instance_id);

#endif
