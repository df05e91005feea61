/* SPDX-License-Identifier: MIT */
/* A real MongoDB for tests: the store on it and, beside it, a bare client that sets
 * things up and looks after. Include after "tests/support.h". */
#ifndef AERO_TESTS_MONGO_ENV_H
#define AERO_TESTS_MONGO_ENV_H

#include <mongoc/mongoc.h>

#include "lib/store.h"

/* The server that the environment variable names, or skip; an empty database of its own.
 */
void mongo_begin(const char *variable);
void mongo_end(void);

extern mongoc_client_t *mongo_admin;
extern const char *mongo_uri;
extern char mongo_database[64];

/* A store on it; options: more of the URI ("socketTimeoutMS=500&...") or NULL. */
struct aero_store *mongo_open(const char *options);
/* Delete all documents; indexes in place. */
void mongo_reset(void);
mongoc_collection_t *mongo_servers(mongoc_client_t *client);
/* A client like mongo_admin, for another thread. */
mongoc_client_t *mongo_client(const char *options);
/* Run a command given as JSON; fail the test unless it succeeds. The reply is the
 * caller's unless NULL. */
void mongo_run(const char *database, const char *json, bson_t *reply);
/* The same without failing. */
bool mongo_try(const char *database, const char *json);
/* The value of a document of servers, as relaxed JSON; static. "" = no document. */
const char *mongo_show(const char *hostname);

#endif
