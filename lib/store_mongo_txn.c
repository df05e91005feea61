/* SPDX-License-Identifier: MIT */
/*
 * One transaction, tried again as the driver prescribes, but within our time. Trouble
 * before the commit was sent is certainly nothing done: a transaction that is not
 * committed is given up by the server, at the latest when the session goes on to its next
 * write. That also keeps a commit whose answer was lost from landing later (W2).
 */
#include "config.h"

#include <time.h>

#include "lib/loop.h"
#include "lib/store_mongo.h"

#define TRY_MS 5000    /* no further try after that */
#define COMMIT_MS 5000 /* for the majority to have it */
#define PAUSE_MS 40    /* another one is writing the same documents */

static void pause_a_little(void)
{
	struct timespec time = {
		.tv_nsec = 1000000 * (1 + (long)(aero_random() % PAUSE_MS))};

	(void)nanosleep(&time, NULL);
}

/* Perhaps done: ask again, which does nothing if it was. AERO_NET: certainly not. */
static int commit(struct aero_store_mongo *s, int64_t end, struct aero_err *err)
{
	bson_error_t error = {0};
	bson_t reply;
	bool done, undone, again;

	do {
		done = mongoc_client_session_commit_transaction(
			s->session, &reply, &error);
		undone = mongoc_error_has_label(&reply, "TransientTransactionError");
		again = mongoc_error_has_label(&reply, "UnknownTransactionCommitResult");
		bson_destroy(&reply);
	} while (!done && !undone && again && aero_clock_ms() < end);
	if (done)
		return AERO_OK;
	return aero_err_set(err, undone ? AERO_NET : AERO_AMBIGUOUS, "%.120s: %s: %.250s",
		aero_store_name(&s->base),
		undone ? "the change-over was not made"
		       : "no answer whether the change-over was made",
		error.message);
}

static int try_once(struct aero_store_mongo *s, const mongoc_transaction_opt_t *opts,
	const struct aero_change_over *change, int64_t end, struct aero_err *err)
{
	bson_error_t error = {0};
	int rc;

	if (!mongoc_client_session_start_transaction(s->session, opts, &error))
		return aero_err_set(err, AERO_REFUSED, "%.120s: %.250s",
			aero_store_name(&s->base), error.message);
	s->in_txn = true;
	rc = aero_change_over_run(&s->base, change, err);
	if (rc == AERO_OK)
		rc = commit(s, end, err);
	else if (rc == AERO_AMBIGUOUS) /* but not committed */
		rc = AERO_NET;
	s->in_txn = false;
	if (mongoc_client_session_in_transaction(s->session))
		(void)mongoc_client_session_abort_transaction(s->session, &error);
	return rc;
}

int aero_mongo_change_over(struct aero_store *base, const struct aero_change_over *change,
	struct aero_err *err)
{
	struct aero_store_mongo *s = aero_mongo_store(base);
	mongoc_transaction_opt_t *opts = NULL;
	mongoc_read_concern_t *snapshot = NULL;
	int64_t end = aero_clock_ms() + TRY_MS;
	bson_t session = BSON_INITIALIZER;
	int rc = aero_mongo_begin(s, &session, err);

	if (rc == AERO_OK && s->session == NULL)
		rc = aero_err_set(
			err, AERO_REFUSED, "%.120s: no sessions", aero_store_name(base));
	if (rc != AERO_OK)
		goto out;
	snapshot = mongoc_read_concern_new();
	(void)mongoc_read_concern_set_level(snapshot, MONGOC_READ_CONCERN_LEVEL_SNAPSHOT);
	opts = mongoc_transaction_opts_new();
	mongoc_transaction_opts_set_read_concern(opts, snapshot);
	mongoc_transaction_opts_set_max_commit_time_ms(opts, COMMIT_MS);
	rc = try_once(s, opts, change, end, err);
	while (rc == AERO_NET && aero_clock_ms() < end) {
		pause_a_little();
		rc = try_once(s, opts, change, end, err);
	}
out:
	mongoc_transaction_opts_destroy(opts);
	mongoc_read_concern_destroy(snapshot);
	bson_destroy(&session);
	return rc;
}
