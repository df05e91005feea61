/* SPDX-License-Identifier: MIT */
/*
 * What is wrong in the naming collection, or worth knowing: `aerostatd --check`, and the
 * plan of `--repair` (DESIGN 3, doc/naming.md 2). Pure: what was read comes in, a list of
 * findings goes out; no clock, no store.
 *
 * Of documents that want the same thing one keeps it, and what is looked up does not
 * change by that: of one hostname the document that answers (CONTRACTS 4), of one
 * instance the master's slot, else the one that was registered last, of one alias the one
 * that the mirrors give it to.
 */
#ifndef AERO_SERVER_CHECK_H
#define AERO_SERVER_CHECK_H

#include <bson/bson.h>
#include <stdio.h>

#include "lib/conf.h"
#include "lib/store.h"
#include "server/view.h"

/* clang-format off */
/* What --repair can do, in the order in which it is done: the unique indexes as soon as
 * they can be made, and only then does anybody register.
 * X(mend, it takes a name or a document away, words) */
#define AERO_MEND_MAP(X)                                                                 \
	X(NONE, false, "")                                                               \
	X(DELETE, true, "delete the document")                                           \
	X(BLANK, true, "make this slot a gap: the instance keeps the other")             \
	X(UNNAME, true, "take the hostname off: the instance registers as a newcomer")   \
	X(INDEXES, false, "make them")                                                   \
	X(SET, false, "set the field right")                                             \
	X(INSERT, false, "put a gap there")                                              \
	X(REGISTER, false, "register the instance as a newcomer")

/* X(what, wrong, its name for programs, field, what a person does where --repair does
 * nothing) */
#define AERO_FOUND_MAP(X)                                                                \
	X(DAMAGED, true, "damaged", "", "correct it")                            \
	X(TWIN, true, "twin-hostname", "hostname",                                       \
		"correct it: it has a field that none of ours would write")      \
	X(TWICE, true, "twin-instance", "instance_id",                                   \
		"correct it: it has a field that none of ours would write")      \
	X(NAMELESS, true, "nameless", "hostname",                                        \
		"correct it: no registration could be made of it")               \
	X(NAMELESS_GAP, false, "nameless-gap", "hostname",                               \
		"delete it, if nobody needs its other fields")                   \
	X(NAME, true, "name", "hostname",                                                \
		"take the node away, or allow the name (domain, zones)")                 \
	X(NO_ADDRESS, true, "no-address", "ip",                                          \
		"let the node register again, or take it away")                          \
	X(ADDRESS, false, "address", "ip", "let the node register again")                \
	X(NO_SERVICE, true, "no-service", "service", "set it")                   \
	X(EPOCH, true, "epoch", "epoch",                                                 \
		"see to its change-over first: `aerostatd --once`")                      \
	X(ALIAS, true, "alias-twice", "aliases", "")                                     \
	X(NODE, true, "node", "gen", "correct it: nothing can be certified")     \
	X(CONTROL, true, "control", "epoch",                                             \
		"correct it: no change-over is possible")                        \
	X(INDEXES, true, "indexes", "indexes", "")                                       \
	X(INDEXES_UNSEEN, false, "indexes-unseen", "indexes",                            \
		"check as a user who may list indexes")                                  \
	X(TYPE, false, "type", "", "let the node register again")                        \
	X(IP6_LEFT, false, "ip6-left", "ip6", "")                                        \
	X(CERTIFIED, false, "certified", "instance_id",                                  \
		"the next pass of aerostatd frees it")                                   \
	X(OPEN, false, "change-over", "op", "the next pass of aerostatd finishes it")    \
	X(TYPES, false, "types", "service_type",                                         \
		"let those nodes register again whose type is not meant")                \
	X(NO_MASTER, false, "no-master", "hostname",                                     \
		"the next newcomer takes it, or a slave by --change-master")             \
	X(HOLE, false, "hole", "hostname", "newcomers fill them")                        \
	X(MISFIT, false, "misfit", "hostname", "no newcomer takes it")                   \
	X(GAP_ANSWERS, false, "gap-answers", "ip",                                       \
		"the next newcomer of the service takes it, with its own address")       \
	X(ALIAS_REFUSED, false, "alias-refused", "aliases",                              \
		"let the node register again without it")                                \
	X(ALIAS_HIDDEN, false, "alias-hidden", "aliases",                                \
		"let the node register again without it")                                \
	X(SAME_ADDRESS, false, "same-address", "ip",                                     \
		"let the node register again whose address it is not")
/* clang-format on */

enum aero_mend {
#define AERO_X(mend, takes, words) AERO_MEND_##mend,
	AERO_MEND_MAP(AERO_X)
#undef AERO_X
		AERO_N_MENDS
};

enum aero_found {
#define AERO_X(what, wrong, name, field, by_hand) AERO_FOUND_##what,
	AERO_FOUND_MAP(AERO_X)
#undef AERO_X
		AERO_N_FOUND
};

bool aero_mend_takes(enum aero_mend mend);
const char *aero_mend_words(enum aero_mend mend);
bool aero_found_wrong(enum aero_found what);

#define AERO_CHECK_ID 64

/* A document of the collection. */
struct aero_check_doc {
	bson_t *doc; /* as it was read */
	struct aero_slot slot;
	const char *odd;        /* words of aero_slot_of_bson, or NULL */
	char id[AERO_CHECK_ID]; /* its _id, for people */
	bool strange; /* hostname or instance_id is no string: out of the rules */
	bool answers; /* name and an address are such that it may answer */
	bool foreign; /* it has fields that neither we nor the original write */
	/* Who keeps what it wants, if not itself; NULL. */
	const struct aero_check_doc *name_of, *instance_of;
	enum aero_mend mend; /* what is to be done with it as a whole */
};

struct aero_check_control {
	char *service;
	int64_t epoch;
	bool open, odd;
};

struct aero_finding {
	enum aero_found what;
	enum aero_mend mend;
	const struct aero_check_doc *doc; /* NULL: of no single document */
	char *name; /* hostname, or the service or node that it is about */
	const char *field;
	char there[600]; /* what is there, in words, fit for a terminal */
	bson_t *set;     /* SET, UNNAME, BLANK: fields and values; INSERT: the slot */
};

struct aero_check {
	const struct aero_conf *conf; /* domain, zones, offline; lent */
	int64_t reg; /* for a tenure that needs a number: at random, over 0 */
	struct aero_check_doc *docs;
	size_t n_docs;
	struct aero_view view; /* nodes alone */
	struct aero_check_control *controls;
	size_t n_controls;
	int indexes; /* what aero_store_indexes_check said */
	struct aero_err indexes_words;

	const char **services; /* of the documents, in order; lent by them */
	size_t n_services;
	struct aero_finding *v;
	size_t n;
	bool no_memory; /* something is missing in v */
};

/* Put in what was read: copies. AERO_OK, AERO_NOMEM. */
int aero_check_take_doc(
	struct aero_check *check, const bson_t *doc, struct aero_err *err);
int aero_check_take_control(
	struct aero_check *check, const bson_t *doc, struct aero_err *err);

/* Fill v; documents in the order of their names. */
int aero_check_run(struct aero_check *check, struct aero_err *err);
void aero_check_clear(struct aero_check *check);

/* Drop what is not found in that one too: reads of a collection that others write at the
 * same time are no snapshot, and only what two of them show is so. */
int aero_check_keep(
	struct aero_check *check, const struct aero_check *too, struct aero_err *err);

/* `wrong web-0 5f.. hostname: what is there; to mend: what to do`, with the word before
 * what --repair would do, and `by hand` before what it would not. */
void aero_finding_print(FILE *out, const struct aero_finding *finding, const char *word);
bool aero_finding_append(bson_t *doc, const struct aero_finding *finding);

/* ---- between its files ---- */

/* Add a finding; the words of what is there as printf. The caller may set mend and set
 * in what is returned; NULL: no memory. */
struct aero_finding *aero_check_add(struct aero_check *check, enum aero_found what,
	const struct aero_check_doc *doc, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* Who keeps which hostname and instance: name_of and instance_of; false: no memory. */
bool aero_check_settle(struct aero_check *check);
bool aero_check_master(const struct aero_check_doc *d); /* by its hostname */
/* Its hostname is its own: settled. */
bool aero_check_has_name(const struct aero_check_doc *d);
void aero_check_documents(struct aero_check *check);
void aero_check_shared(struct aero_check *check); /* aliases, addresses */
void aero_check_services(struct aero_check *check);
/* The slot that keeps this hostname, or NULL. */
const struct aero_check_doc *aero_check_named(
	const struct aero_check *check, const char *hostname);

#endif
