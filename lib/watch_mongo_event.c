/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/store_ops.h"
#include "lib/watch_mongo_event.h"

/* A view of the document at key; false if there is none. */
static bool view_at(const bson_t *doc, const char *key, bson_t *ret)
{
	bson_iter_t it;
	const uint8_t *data;
	uint32_t len;

	if (!bson_iter_init_find(&it, doc, key))
		return false;
	if (BSON_ITER_HOLDS_ARRAY(&it))
		bson_iter_array(&it, &len, &data);
	else if (BSON_ITER_HOLDS_DOCUMENT(&it))
		bson_iter_document(&it, &len, &data);
	else
		return false;
	return bson_init_static(ret, data, len);
}

static bson_t *copy_at(const bson_t *doc, const char *key)
{
	bson_t view;

	return view_at(doc, key, &view) ? bson_copy(&view) : NULL;
}

/* A new document of these two fields; NULL unless doc has all that are not NULL. */
static bson_t *pick(const bson_t *doc, const char *a, const char *b)
{
	const char *const keys[] = {a, b};
	bson_t *picked = bson_new();
	bson_iter_t it;
	bool ok = true;

	for (size_t i = 0; ok && i < 2 && keys[i] != NULL; i++)
		ok = bson_iter_init_find(&it, doc, keys[i]) &&
		     bson_append_iter(picked, keys[i], -1, &it);
	if (ok)
		return picked;
	bson_destroy(picked);
	return NULL;
}

/* ---- updates ---- */

/* Top-level fields alone: what goes deeper cannot be applied from here. */
static bool all_top_level(const bson_t *fields)
{
	bson_iter_t it;

	if (!bson_iter_init(&it, fields))
		return false;
	while (bson_iter_next(&it))
		if (strchr(bson_iter_key(&it), '.') != NULL)
			return false;
	return it.err_off == 0;
}

static bool add_removed(const bson_t *removed, struct aero_list *unset)
{
	bson_iter_t it;

	if (!bson_iter_init(&it, removed))
		return false;
	while (bson_iter_next(&it))
		if (!BSON_ITER_HOLDS_UTF8(&it) ||
			strchr(bson_iter_utf8(&it, NULL), '.') != NULL ||
			!aero_list_add(unset, bson_iter_utf8(&it, NULL)))
			return false;
	return it.err_off == 0;
}

/* set and unset of an update; false: the document has to be read again. */
static bool read_update(const bson_t *event, struct aero_change *change)
{
	bson_t update, part;

	if (!view_at(event, "updateDescription", &update) ||
		(view_at(&update, "truncatedArrays", &part) && !bson_empty(&part)) ||
		(view_at(&update, "removedFields", &part) &&
			!add_removed(&part, &change->unset)))
		return false;
	/* Even when empty it must be there: a change without is a deletion. */
	change->set =
		view_at(&update, "updatedFields", &part) ? bson_copy(&part) : bson_new();
	return all_top_level(change->set);
}

/* A replacement may give an _id another type (1, 1.0): later events know that one alone,
 * so that nothing would lead from them to what is kept under the old one. */
static bool renamed(const struct aero_change *change)
{
	bson_t *id = pick(change->doc, "_id", NULL);
	bool differs = id != NULL && !bson_equal(id, change->id);

	bson_destroy(id);
	return differs;
}

static enum aero_mongo_event_kind read_change(
	const bson_t *event, const char *what, struct aero_change *change)
{
	if (strcmp(what, "delete") == 0)
		return AERO_MONGO_CHANGE;
	if (strcmp(what, "update") == 0) {
		if (read_update(event, change))
			return AERO_MONGO_CHANGE;
		aero_list_clear(&change->unset);
		bson_destroy(change->set);
		change->set = NULL;
		return AERO_MONGO_REREAD;
	}
	change->doc = copy_at(event, "fullDocument");
	if (change->doc != NULL && renamed(change))
		return AERO_MONGO_END;
	return change->doc != NULL ? AERO_MONGO_CHANGE : AERO_MONGO_REREAD;
}

/* ---- events ---- */

static const struct {
	const char *what;
	enum aero_mongo_event_kind kind;
} operations[] = {
	{"insert", AERO_MONGO_CHANGE},
	{"update", AERO_MONGO_CHANGE},
	{"replace", AERO_MONGO_CHANGE},
	{"delete", AERO_MONGO_CHANGE},
	{"drop", AERO_MONGO_END},
	{"rename", AERO_MONGO_END},
	{"dropDatabase", AERO_MONGO_END},
	{"invalidate", AERO_MONGO_END},
};

static bool read_what(const bson_t *event, struct aero_mongo_event *ret)
{
	bson_iter_t it;

	if (!bson_iter_init_find(&it, event, "operationType") ||
		!BSON_ITER_HOLDS_UTF8(&it))
		return false;
	(void)snprintf(ret->what, sizeof(ret->what), "%s", bson_iter_utf8(&it, NULL));
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (strcmp(ret->what, operations[i].what) == 0)
			ret->kind = operations[i].kind;
	return true;
}

bool aero_mongo_event_of(const bson_t *event, struct aero_mongo_event *ret)
{
	struct aero_mongo_event e = {.kind = AERO_MONGO_IGNORED};
	uint32_t seconds = 0, increment = 0;
	bson_iter_t it;
	bson_t key;
	bool ok;

	e.token = copy_at(event, "_id");
	ok = e.token != NULL && read_what(event, &e);
	if (ok && bson_iter_init_find(&it, event, "clusterTime") &&
		BSON_ITER_HOLDS_TIMESTAMP(&it)) {
		bson_iter_timestamp(&it, &seconds, &increment);
		e.time = (uint64_t)seconds << 32 | increment;
	}
	if (ok && e.kind == AERO_MONGO_CHANGE) {
		ok = view_at(event, "documentKey", &key);
		e.change.id = ok ? pick(&key, "_id", NULL) : NULL;
		ok = e.change.id != NULL;
		if (ok)
			e.kind = read_change(event, e.what, &e.change);
		if (e.kind == AERO_MONGO_END)
			aero_change_clear(&e.change);
	}
	if (ok) {
		e.txn = pick(event, "lsid", "txnNumber");
		*ret = e;
	} else {
		aero_mongo_event_clear(&e);
	}
	return ok;
}

void aero_mongo_event_clear(struct aero_mongo_event *event)
{
	aero_change_clear(&event->change);
	bson_destroy(event->token);
	bson_destroy(event->txn);
	*event = (struct aero_mongo_event){0};
}

/* ---- tokens ---- */

/* {_data: "82SSSSSSSSIIIIIIII..."}: seconds and increment in hex. */
uint64_t aero_mongo_token_time(const bson_t *token)
{
	uint64_t time = 0;
	bson_iter_t it;
	const char *data;

	if (!bson_iter_init_find(&it, token, "_data") || !BSON_ITER_HOLDS_UTF8(&it))
		return 0;
	data = bson_iter_utf8(&it, NULL);
	if (strncmp(data, "82", 2) != 0 ||
		strspn(data + 2, "0123456789ABCDEFabcdef") < 16)
		return 0;
	for (size_t i = 2; i < 18; i++) {
		unsigned char c = (unsigned char)data[i];

		time = time << 4 |
		       (c <= '9' ? c - (unsigned)'0' : (c | 0x20U) - 'a' + 10U);
	}
	return time;
}

/* ---- the processes that know them ---- */

bool aero_mongo_process_of(const bson_t *hello, unsigned char ret[AERO_MONGO_PROCESS_LEN])
{
	bson_iter_t it, at;

	if (!bson_iter_init(&it, hello) ||
		!bson_iter_find_descendant(&it, "topologyVersion.processId", &at) ||
		!BSON_ITER_HOLDS_OID(&at))
		return false;
	memcpy(ret, bson_iter_oid(&at)->bytes, AERO_MONGO_PROCESS_LEN);
	return true;
}

bool aero_mongo_known_has(const struct aero_mongo_known *known,
	const unsigned char process[AERO_MONGO_PROCESS_LEN])
{
	for (size_t i = 0; i < known->n; i++)
		if (memcmp(known->v[i], process, AERO_MONGO_PROCESS_LEN) == 0)
			return true;
	return false;
}

/* At the end; the oldest goes when there is no room. */
void aero_mongo_known_add(struct aero_mongo_known *known,
	const unsigned char process[AERO_MONGO_PROCESS_LEN])
{
	if (aero_mongo_known_has(known, process))
		return;
	if (known->n == AERO_MONGO_KNOWN_MAX)
		memmove(known->v[0], known->v[1], --known->n * AERO_MONGO_PROCESS_LEN);
	memcpy(known->v[known->n++], process, AERO_MONGO_PROCESS_LEN);
}

/* ---- positions ---- */

/* A change of the pipeline is a new word here: tokens of the old one do not fit. */
#define PIPELINE "aerostat 1 $changeStream"
#define MAGIC "aeM2"

/* Then the known processes, then the token. */
struct head {
	char magic[4];
	unsigned char origin[8];
	unsigned char n_known;
};

static uint64_t hash_text(uint64_t hash, const char *text)
{
	do
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3U; /* FNV-1a */
	while (*text++ != '\0');
	return hash;
}

static struct head head_of(const struct aero_mongo_origin *origin)
{
	struct head head;
	uint64_t hash = hash_text(0xcbf29ce484222325U, PIPELINE);

	memcpy(head.magic, MAGIC, sizeof(head.magic));
	hash = hash_text(hash_text(hash, origin->server), origin->database);
	for (size_t i = 0; i < sizeof(head.origin); i++)
		head.origin[i] = (unsigned char)(hash >> 8 * i);
	head.n_known = (unsigned char)origin->known.n;
	return head;
}

bool aero_mongo_token_pack(const bson_t *token, const bson_t *hosts,
	const struct aero_mongo_origin *origin, uint64_t time, struct aero_position *ret)
{
	struct head head = head_of(origin);
	size_t known = origin->known.n * AERO_MONGO_PROCESS_LEN;
	size_t more = hosts != NULL ? hosts->len : 0;
	size_t len = sizeof(head) + known + token->len + more;
	char *data = malloc(len);

	if (data == NULL)
		return false;
	memcpy(data, &head, sizeof(head));
	memcpy(data + sizeof(head), origin->known.v, known);
	memcpy(data + sizeof(head) + known, bson_get_data(token), token->len);
	if (more > 0)
		memcpy(data + len - more, bson_get_data(hosts), more);
	aero_position_clear(ret);
	*ret = (struct aero_position){data, len, time};
	/* cppcheck-suppress memleak ; it is in *ret */
	return true;
}

/* The document at the start of data, which may go on behind it. */
static bool view_of(const unsigned char *data, size_t len, bson_t *ret)
{
	uint32_t own;

	if (len < sizeof(own))
		return false;
	memcpy(&own, data, sizeof(own));
	own = BSON_UINT32_FROM_LE(own);
	return own <= len && bson_init_static(ret, data, own) &&
	       bson_validate(ret, BSON_VALIDATE_NONE, NULL);
}

bool aero_mongo_token_unpack(const struct aero_position *position,
	struct aero_mongo_origin *origin, bson_t *ret_token, bson_t *ret_hosts)
{
	struct head head = head_of(origin);
	const unsigned char *data = position->token;
	size_t start = sizeof(head), len = position->token_len;

	if (len <= sizeof(head) ||
		memcmp(data, &head, offsetof(struct head, n_known)) != 0)
		return false;
	memcpy(&head, data, sizeof(head));
	start += head.n_known * (size_t)AERO_MONGO_PROCESS_LEN;
	if (head.n_known > AERO_MONGO_KNOWN_MAX || start >= len ||
		!view_of(data + start, len - start, ret_token))
		return false;
	origin->known.n = head.n_known;
	memcpy(origin->known.v, data + sizeof(head), start - sizeof(head));
	start += ret_token->len;
	if (ret_hosts != NULL && !view_of(data + start, len - start, ret_hosts))
		bson_init(ret_hosts);
	return true;
}
