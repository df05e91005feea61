/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "lib/store_ops.h"
#include "syncd/state_meta.h"

#define STATE_VERSION 1

static const char about_key[] = "about";

int aero_state_meta_write(MDB_txn *txn, MDB_dbi about, const char *source,
	const struct aero_state_meta *meta)
{
	MDB_val key = {sizeof(about_key), (void *)(uintptr_t)about_key}, value;
	bson_t doc = BSON_INITIALIZER;
	int rc;

	BSON_APPEND_INT32(&doc, "version", STATE_VERSION);
	BSON_APPEND_UTF8(&doc, "source", source);
	BSON_APPEND_BOOL(&doc, "synced", meta->synced);
	BSON_APPEND_INT64(&doc, "generation", (int64_t)meta->generation);
	BSON_APPEND_INT64(&doc, "full_at", meta->full_at);
	BSON_APPEND_INT64(&doc, "source_time", (int64_t)meta->position.source_time);
	BSON_APPEND_BINARY(&doc, "token", BSON_SUBTYPE_BINARY,
		meta->position.token_len > 0 ? meta->position.token : (const void *)"",
		(uint32_t)meta->position.token_len);
	value = (MDB_val){doc.len, (void *)(uintptr_t)bson_get_data(&doc)};
	rc = mdb_put(txn, about, &key, &value, 0);
	bson_destroy(&doc);
	return rc;
}

static int64_t number_in(const bson_t *doc, const char *key)
{
	bson_iter_t it;

	return bson_iter_init_find(&it, doc, key) && BSON_ITER_HOLDS_INT(&it)
		       ? bson_iter_as_int64(&it)
		       : 0;
}

static int of_bson(const bson_t *doc, const char *source, struct aero_state_meta *io)
{
	const uint8_t *token = NULL;
	uint32_t len = 0;
	bson_iter_t it;

	io->generation = (uint64_t)number_in(doc, "generation");
	if (number_in(doc, "version") != STATE_VERSION ||
		!bson_iter_init_find(&it, doc, "source") || !BSON_ITER_HOLDS_UTF8(&it) ||
		strcmp(bson_iter_utf8(&it, NULL), source) != 0)
		return MDB_INCOMPATIBLE;
	if (bson_iter_init_find(&it, doc, "token") && BSON_ITER_HOLDS_BINARY(&it))
		bson_iter_binary(&it, NULL, &len, &token);
	io->synced = bson_iter_init_find(&it, doc, "synced") && bson_iter_as_bool(&it);
	io->full_at = number_in(doc, "full_at");
	return aero_position_set(
		       &io->position, token, len, (uint64_t)number_in(doc, "source_time"))
		       ? 0
		       : ENOMEM;
}

int aero_state_meta_read(
	MDB_txn *txn, MDB_dbi about, const char *source, struct aero_state_meta *io)
{
	MDB_val key = {sizeof(about_key), (void *)(uintptr_t)about_key}, value;
	bson_t doc;
	int rc = mdb_get(txn, about, &key, &value);

	if (rc == MDB_NOTFOUND)
		return 0; /* new */
	if (rc != 0)
		return rc;
	if (!bson_init_static(&doc, value.mv_data, value.mv_size))
		return MDB_CORRUPTED;
	return of_bson(&doc, source, io);
}
