/* SPDX-License-Identifier: MIT */
/* Who answers a watch: the member that is read, its time and its set. */
#include "config.h"

#include "lib/loop.h"
#include "lib/watch_mongo.h"

#define KNOWN_MS 2000 /* how often to look who is in the set */

static int no_memory(struct aero_err *err)
{
	return aero_err_set(err, AERO_NOMEM, "out of memory");
}

uint64_t aero_mongo_operation_time(const struct aero_watch_mongo *w)
{
	uint32_t seconds = 0, increment = 0;

	if (w->own.session != NULL)
		mongoc_client_session_get_operation_time(
			w->own.session, &seconds, &increment);
	return (uint64_t)seconds << 32 | increment;
}

int aero_mongo_choose(struct aero_watch_mongo *w, struct aero_err *err)
{
	struct aero_mongo_place place = {&w->own, "", ""};
	mongoc_server_description_t *server;
	bson_error_t error = {0};

	server = mongoc_client_select_server(w->own.client, false,
		mongoc_client_get_read_prefs(w->own.client), &error);
	if (server == NULL)
		return aero_mongo_read_error(&place, NULL, &error, err);
	w->server_id = mongoc_server_description_id(server);
	mongoc_server_description_destroy(server);
	return AERO_OK;
}

/* By its old name, hello is understood everywhere. */
int aero_mongo_greet(struct aero_watch_mongo *w, struct aero_mongo_known *ret_self,
	struct aero_err *err)
{
	struct aero_mongo_place place = {&w->own, "", ""};
	unsigned char process[AERO_MONGO_PROCESS_LEN];
	bson_t command = BSON_INITIALIZER, opts = BSON_INITIALIZER, reply;
	bson_error_t error = {0};
	int rc = AERO_OK;

	BSON_APPEND_INT32(&command, "isMaster", 1);
	if (!aero_mongo_watch_opts(w, &opts))
		rc = no_memory(err);
	if (rc == AERO_OK) {
		if (!mongoc_client_command_with_opts(w->own.client, w->own.database,
			    &command, mongoc_client_get_read_prefs(w->own.client), &opts,
			    &reply, &error))
			rc = aero_mongo_read_error(&place, &reply, &error, err);
		else if (aero_mongo_process_of(&reply, process))
			aero_mongo_known_add(ret_self, process);
		bson_destroy(&reply);
	}
	bson_destroy(&command);
	bson_destroy(&opts);
	return rc;
}

int aero_mongo_open_stream(struct aero_watch_mongo *w, const bson_t *token,
	const struct aero_mongo_known *self, struct aero_err *err)
{
	uint64_t now = aero_mongo_operation_time(w);
	bool none = now == 0; /* who tells no time has no stream */
	int rc = AERO_OK;

	/* Behind T0: what happened at T0 is in the snapshot, which is read after it. */
	if (!none)
		rc = aero_mongo_stream_open(w, token, now + 1, &none, err);
	w->polling = none;
	w->snapshot_due = !none && token == NULL;
	for (size_t i = 0; i < self->n; i++)
		aero_mongo_known_add(&w->known, self->v[i]);
	return rc;
}

/* The driver keeps their answers. */
bool aero_mongo_know_members(struct aero_watch_mongo *w)
{
	unsigned char process[AERO_MONGO_PROCESS_LEN];
	mongoc_server_description_t **v;
	size_t n = 0;
	bool learned = false;

	if (w->polling || aero_clock_ms() < w->known_due)
		return false;
	w->known_due = aero_clock_ms() + KNOWN_MS;
	v = mongoc_client_get_server_descriptions(w->own.client, &n);
	for (size_t i = 0; i < n; i++)
		if (aero_mongo_process_of(
			    mongoc_server_description_hello_response(v[i]), process)) {
			learned |= !aero_mongo_known_has(&w->known, process);
			aero_mongo_known_add(&w->known, process);
		}
	mongoc_server_descriptions_destroy_all(v, n);
	return learned;
}
