/* SPDX-License-Identifier: MIT */
/*
 * The addresses of the servers that last worked, which a position keeps: {set: NAME,
 * hosts: {NAME: [ADDRESS, ...]}}.
 */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/loop.h"
#include "lib/resolve.h"
#include "lib/watch_mongo.h"

#define SOON_MS 3000 /* by then all members are known */
#define LATER_MS 60000
#define ADDRESSES_MAX 8
/* A primary writes something every 10 s, which all members of its set show. */
#define SILENT_MS 25000
#define DEPOSED_MS 12000 /* no longer the primary that was asked for */

static bool numeric(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, address) == 1 ||
	       inet_pton(AF_INET6, host, address) == 1;
}

/* Not bson_has_field: to that, a dot is a path. */
static bool in(const bson_t *doc, const char *key)
{
	bson_iter_t it;

	return bson_iter_init_find(&it, doc, key);
}

/* The addresses of a host that is in memory, in *ret as key. */
static bool remembered(
	const struct aero_watch_mongo *w, const char *host, const char *key, bson_t *ret)
{
	bson_iter_t it, at;

	return w->parent->hosts != NULL &&
	       bson_iter_init_find(&it, w->parent->hosts, "hosts") &&
	       BSON_ITER_HOLDS_DOCUMENT(&it) && bson_iter_recurse(&it, &at) &&
	       bson_iter_find_case(&at, host) && BSON_ITER_HOLDS_ARRAY(&at) &&
	       bson_append_iter(ret, key, -1, &at);
}

struct hosts {
	const struct aero_watch_mongo *w;
	mongoc_server_description_t **servers;
	size_t n;
};

static bool known(const mongoc_server_description_t *server)
{
	return strcmp(mongoc_server_description_type(server), "Unknown") != 0;
}

/* One name: what it stood for when it last worked. Pinned names lead to what memory has;
 * those that do not answer now may have changed. */
static void put_host(const struct hosts *all, const char *host, bool works, bson_t *ret)
{
	if (numeric(host) || in(ret, host))
		return;
	if (!works || all->w->pinned) {
		if (remembered(all->w, host, host, ret))
			return;
	}
	if (works)
		(void)aero_resolve_noted(host, host, ret);
}

static void add_one(bson_t *list, const char *address)
{
	bson_iter_t it;
	char index[24];
	uint32_t n = 0;

	if (bson_iter_init(&it, list))
		for (; bson_iter_next(&it); n++)
			if (strcmp(bson_iter_utf8(&it, NULL), address) == 0)
				return;
	(void)snprintf(index, sizeof(index), "%u", n);
	if (n < ADDRESSES_MAX)
		BSON_APPEND_UTF8(list, index, address);
}

static void add_all(bson_t *list, const bson_t *from, const char *key)
{
	bson_iter_t it, each;

	if (!bson_iter_init_find(&it, from, key) || !BSON_ITER_HOLDS_ARRAY(&it) ||
		!bson_iter_recurse(&it, &each))
		return;
	while (bson_iter_next(&each))
		if (BSON_ITER_HOLDS_UTF8(&each))
			add_one(list, bson_iter_utf8(&each, NULL));
}

/* A name of the URI: the member behind it may be gone, and the others know the way too.
 */
static void put_seed(const struct hosts *all, const mongoc_host_list_t *seed,
	const bson_t *members, bson_t *ret)
{
	bson_t one = BSON_INITIALIZER, list = BSON_INITIALIZER;

	put_host(all, seed->host, true, &one);
	add_all(&list, &one, seed->host);
	for (size_t i = 0; i < all->n; i++) {
		const mongoc_host_list_t *at =
			mongoc_server_description_host(all->servers[i]);

		if (at->port != seed->port)
			continue;
		add_all(&list, members, at->host);
		if (numeric(at->host))
			add_one(&list, at->host);
	}
	if (!bson_empty(&list))
		BSON_APPEND_ARRAY(ret, seed->host, &list);
	bson_destroy(&one);
	bson_destroy(&list);
}

static void put_set(const struct hosts *all, bson_t *ret)
{
	bson_iter_t it;

	for (size_t i = 0; i < all->n; i++)
		if (bson_iter_init_find(&it,
			    mongoc_server_description_hello_response(all->servers[i]),
			    "setName") &&
			BSON_ITER_HOLDS_UTF8(&it)) {
			BSON_APPEND_UTF8(ret, "set", bson_iter_utf8(&it, NULL));
			return;
		}
}

static bson_t *gather(const struct aero_watch_mongo *w)
{
	bson_t *ret = bson_new(), members = BSON_INITIALIZER, hosts = BSON_INITIALIZER;
	struct hosts all = {.w = w};
	bson_iter_t it;

	all.servers = mongoc_client_get_server_descriptions(w->own.client, &all.n);
	put_set(&all, ret);
	for (size_t i = 0; i < all.n; i++)
		put_host(&all, mongoc_server_description_host(all.servers[i])->host,
			known(all.servers[i]), &members);
	for (const mongoc_host_list_t *seed = mongoc_uri_get_hosts(w->own.uri);
		seed != NULL; seed = seed->next)
		if (!numeric(seed->host) && !in(&hosts, seed->host))
			put_seed(&all, seed, &members, &hosts);
	if (bson_iter_init(&it, &members))
		while (bson_iter_next(&it))
			if (!in(&hosts, bson_iter_key(&it)))
				(void)bson_append_iter(&hosts, NULL, -1, &it);
	BSON_APPEND_DOCUMENT(ret, "hosts", &hosts);
	bson_destroy(&members);
	bson_destroy(&hosts);
	mongoc_server_descriptions_destroy_all(all.servers, all.n);
	return ret;
}

void aero_mongo_hosts_note(struct aero_watch_mongo *w)
{
	int64_t now = aero_clock_ms();
	bson_t *found;

	if (now < w->hosts_due)
		return;
	w->hosts_due = now + (w->hosts_due == 0 ? SOON_MS : LATER_MS);
	found = gather(w);
	bson_destroy(w->parent->hosts);
	w->parent->hosts = found;
}

void aero_mongo_hosts_pin(struct aero_watch_mongo *w, bool remembered)
{
	const bson_t *memory = w->parent->hosts;
	const uint8_t *data;
	uint32_t len;
	bson_iter_t it;
	bson_t hosts;

	if (remembered && memory != NULL && bson_iter_init_find(&it, memory, "hosts") &&
		BSON_ITER_HOLDS_DOCUMENT(&it)) {
		bson_iter_document(&it, &len, &data);
		w->pinned = bson_init_static(&hosts, data, len);
	}
	aero_resolve_pin(w->pinned ? &hosts : NULL);
	/* An address may be another's by now: of another set, it is refused. */
	if (w->pinned && bson_iter_init_find(&it, memory, "set") &&
		BSON_ITER_HOLDS_UTF8(&it) &&
		!mongoc_uri_has_option(w->own.uri, MONGOC_URI_REPLICASET))
		(void)mongoc_uri_set_option_as_utf8(
			w->own.uri, MONGOC_URI_REPLICASET, bson_iter_utf8(&it, NULL));
}

/* How long this member may show nothing; 0 = for ever, as before 4.0, where a stream does
 * not tell how far it has read if that was nothing. */
static int64_t patience(const struct aero_watch_mongo *w)
{
	mongoc_server_description_t *server =
		mongoc_client_get_server_description(w->own.client, w->server_id);
	mongoc_read_mode_t mode =
		mongoc_read_prefs_get_mode(mongoc_client_get_read_prefs(w->own.client));
	const char *type;
	int64_t ms = SILENT_MS;
	bson_iter_t it;

	if (server == NULL)
		return SILENT_MS;
	type = mongoc_server_description_type(server);
	if (!bson_iter_init_find(&it, mongoc_server_description_hello_response(server),
		    "maxWireVersion") ||
		bson_iter_as_int64(&it) < 8)
		ms = 0;
	else if (strcmp(type, "RSPrimary") != 0 && strncmp(type, "RS", 2) == 0 &&
		 (mode == MONGOC_READ_PRIMARY || mode == MONGOC_READ_PRIMARY_PREFERRED))
		ms = DEPOSED_MS;
	mongoc_server_description_destroy(server);
	return ms;
}

int aero_mongo_hosts_heard(struct aero_watch_mongo *w, struct aero_err *err)
{
	int64_t now = aero_clock_ms(), silence, most;

	if (w->seen != w->heard || w->heard_at == 0) {
		w->heard = w->seen;
		w->heard_at = now;
	}
	silence = now - w->heard_at;
	if (silence < DEPOSED_MS)
		return AERO_OK;
	most = patience(w);
	if (most == 0 || silence < most)
		return AERO_OK;
	return aero_err_set(err, AERO_NET,
		"%.120s: the member that is read has heard nothing of its set for %lld s",
		w->own.base.name, (long long)(silence / 1000));
}
