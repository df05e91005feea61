/* SPDX-License-Identifier: MIT */
/*
 * What a storm needs of a store and no program does.
 *
 *	store_tool watch PATH       each version of an LMDB store that can be caught, a
 *line of JSON: {at, until, version, slots, control, nodes}; versions count commits, so a
 *missed one shows. Reads alone; ends when nobody reads its output.
 *	store_tool reap SERVER ID   ID is dead: certificate, and its name is taken away
 *	store_tool open SERVER ID   a change-over to ID, cut off behind its step V
 *	store_tool op SERVER SERVICE   prints its epoch, and "open" or "closed"
 */
#include "config.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/lmdb_slots.h"
#include "lib/loop.h"
#include "register/reap.h"

/* ---- watch ---- */

static double seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct catch
{
	double at;
	size_t version;
	bson_t *doc; /* NULL: nothing new */
};

static int catch_db(
	struct aero_lmdb_txn *txn, enum aero_lmdb_db db, const char *name, bson_t *out)
{
	MDB_cursor *cursor = NULL;
	MDB_val key, value;
	bson_t all, one;
	char hex[1025];
	int rc = mdb_cursor_open(txn->txn, txn->dbi[db], &cursor);

	if (rc != 0)
		return rc;
	BSON_APPEND_DOCUMENT_BEGIN(out, name, &all);
	while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
		const unsigned char *id = key.mv_data;
		size_t len = key.mv_size;

		/* An _id is bytes; a service and an instance are texts. */
		for (size_t i = 0; db == AERO_LMDB_SLOTS && i < len; i++)
			(void)snprintf(hex + 2 * i, 3, "%02x", id[i]);
		if (db == AERO_LMDB_SLOTS)
			len *= 2;
		else
			memcpy(hex, id, len);
		if (!bson_init_static(&one, value.mv_data, value.mv_size)) {
			rc = MDB_CORRUPTED;
			break;
		}
		bson_append_document(&all, hex, (int)len, &one);
	}
	bson_append_document_end(out, &all);
	mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int catch_step(struct aero_lmdb_txn *txn, void *varg, struct aero_err *err)
{
	struct catch *arg = varg;
	size_t version = mdb_txn_id(txn->txn);
	double until = seconds();
	int rc;

	(void)err;
	bson_destroy(arg->doc);
	arg->doc = NULL;
	if (version == arg->version)
		return AERO_OK;
	arg->doc = bson_new();
	BSON_APPEND_DOUBLE(arg->doc, "at", arg->at);
	BSON_APPEND_DOUBLE(arg->doc, "until", until);
	BSON_APPEND_INT64(arg->doc, "version", (int64_t)version);
	rc = catch_db(txn, AERO_LMDB_SLOTS, "slots", arg->doc);
	if (rc == 0)
		rc = catch_db(txn, AERO_LMDB_CONTROL, "control", arg->doc);
	if (rc == 0)
		rc = catch_db(txn, AERO_LMDB_NODES, "nodes", arg->doc);
	arg->version = version;
	return rc;
}

static int watch(const char *path, struct aero_err *err)
{
	struct aero_lmdb *db = NULL;
	struct catch arg = {0};
	bool going = true;
	int rc = AERO_OK;

	while (going && rc == AERO_OK) {
		char *json;

		rc = aero_lmdb_get(path, true, false, &db, err);
		arg.at = seconds();
		if (rc == AERO_OK && db != NULL)
			rc = aero_lmdb_run(db, false, catch_step, &arg, err);
		if (rc == AERO_OK && arg.doc != NULL) {
			json = bson_as_relaxed_extended_json(arg.doc, NULL);
			going = json != NULL && puts(json) >= 0 && fflush(stdout) == 0;
			bson_free(json);
		}
		(void)usleep(db == NULL ? 1000 : 200);
		/* A pipe that nobody reads any more is an error at once. */
		going = going && poll(&(struct pollfd){.fd = STDOUT_FILENO}, 1, 0) == 0;
	}
	bson_destroy(arg.doc);
	aero_lmdb_put(db);
	return rc;
}

/* ---- reap ---- */

static int reap(struct aero_store *store, const char *id, struct aero_err *err)
{
	struct aero_slot slot = {0};
	struct aero_reap machine;
	int rc;

	rc = aero_store_by_instance(store, id, &slot, err);
	if (rc == AERO_OK || rc == AERO_MISS) {
		aero_reap_begin(&machine, store, id, rc == AERO_OK ? &slot : NULL);
		rc = AERO_OK;
		while (rc == AERO_OK && machine.step != AERO_REAP_DONE) {
			aero_reap_judge(&machine, AERO_EVIDENCE_DEAD, "a storm");
			rc = aero_reap_step(&machine, err);
		}
	}
	aero_slot_clear(&slot);
	return rc;
}

/* ---- open, op ---- */

static int open_op(struct aero_store *store, const char *id, struct aero_err *err)
{
	struct aero_slot slot = {0}, master = {0};
	struct aero_control control = {0};
	struct aero_slot_match match;
	const struct aero_slot_change blank = {.blank = true};
	int rc = aero_store_by_instance(store, id, &slot, err);

	if (rc == AERO_OK)
		rc = aero_store_master(store, slot.service, &master, err);
	if (rc == AERO_OK)
		rc = aero_store_control(store, slot.service, &control, err);
	if (rc == AERO_OK)
		rc = aero_store_control_open(store, slot.service, control.epoch + 1,
			&slot.who, &master.who, err);
	match = (struct aero_slot_match){.hostname = slot.hostname,
		.occupant = {id},
		.match_reg = true,
		.reg = slot.reg};
	if (rc == AERO_OK)
		rc = aero_store_slot_update(store, &match, &blank, err);
	aero_control_clear(&control);
	aero_slot_clear(&slot);
	aero_slot_clear(&master);
	return rc;
}

static int print_op(struct aero_store *store, const char *service, struct aero_err *err)
{
	struct aero_control control = {0};
	int rc = aero_store_control(store, service, &control, err);

	if (rc == AERO_OK)
		printf("%lld %s\n", (long long)control.epoch,
			control.open ? "open" : "closed");
	aero_control_clear(&control);
	return rc;
}

static const struct {
	const char *word;
	int (*run)(struct aero_store *store, const char *arg, struct aero_err *err);
} table[] = {{"reap", reap}, {"open", open_op}, {"op", print_op}};

static int run(
	const char *word, const char *server, const char *arg, struct aero_err *err)
{
	struct aero_store_opts opts = {
		.server = server, .database = "aerostat", .role = "server"};
	struct aero_store *store = NULL;
	int rc = 64;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(table[i].word, word) != 0)
			continue;
		rc = aero_store_open(&opts, &store, err);
		if (rc == AERO_OK)
			rc = table[i].run(store, arg, err);
	}
	aero_store_close(store);
	return rc;
}

int main(int argc, char *argv[])
{
	struct aero_err err = {""};
	int rc = 64;

	if (argc == 3 && strcmp(argv[1], "watch") == 0)
		rc = watch(argv[2], &err);
	else if (argc == 4)
		rc = run(argv[1], argv[2], argv[3], &err);
	if (rc != AERO_OK)
		(void)fprintf(stderr, "store_tool: %s\n", err.msg);
	return rc == AERO_OK ? 0 : 1;
}
