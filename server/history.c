/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/history.h"

static const struct {
	const char *name, *words;
} events[] = {
#define AERO_X(event, name, words) [AERO_EVENT_##event] = {name, words},
	AERO_EVENT_MAP(AERO_X)
#undef AERO_X
};

const char *aero_history_words(const char *name)
{
	for (int i = 0; i < AERO_N_EVENTS; i++)
		if (strcmp(name, events[i].name) == 0)
			return events[i].words;
	return NULL;
}

int aero_history_write(struct aero_store *store, enum aero_event event,
	const struct aero_tenure *who, const char *why, int64_t at, struct aero_err *err)
{
	bson_t doc = BSON_INITIALIZER;
	char id[1024], host[256] = "";
	int rc;

	(void)gethostname(host, sizeof(host) - 1);
	(void)snprintf(id, sizeof(id), "%.300s %s %.300s %lld %lld", who->hostname,
		events[event].name, who->instance_id, (long long)who->reg,
		(long long)who->epoch);
	BSON_APPEND_UTF8(&doc, "_id", id);
	BSON_APPEND_DATE_TIME(&doc, "at", at);
	BSON_APPEND_UTF8(&doc, "hostname", who->hostname);
	BSON_APPEND_UTF8(&doc, "event", events[event].name);
	BSON_APPEND_UTF8(&doc, "instance_id", who->instance_id);
	BSON_APPEND_UTF8(&doc, "service", who->service);
	if (who->epoch != 0)
		BSON_APPEND_INT64(&doc, "epoch", who->epoch);
	BSON_APPEND_UTF8(&doc, "why", why);
	BSON_APPEND_UTF8(&doc, "by", host);
	rc = aero_store_history_add(store, &doc, err);
	bson_destroy(&doc);
	return rc;
}

bool aero_history_compare(const struct aero_tenure *was, const struct aero_tenure *is,
	bool left, enum aero_event *ret)
{
	if (is == NULL) {
		*ret = left ? AERO_EVENT_LEFT : AERO_EVENT_GONE;
		return was != NULL;
	}
	if (is->epoch != 0 && is->epoch != (was == NULL ? 0 : was->epoch))
		*ret = AERO_EVENT_MASTER;
	else if (was == NULL || strcmp(was->instance_id, is->instance_id) != 0)
		*ret = AERO_EVENT_REGISTERED;
	else
		*ret = AERO_EVENT_RENEWED;
	return was == NULL || was->reg != is->reg || was->epoch != is->epoch ||
	       strcmp(was->instance_id, is->instance_id) != 0;
}

int aero_history_changes(struct aero_store *store, const struct aero_tenures *was,
	const struct aero_tenures *is, const struct aero_view *view, int64_t at,
	struct aero_err *err)
{
	enum aero_event what;
	int rc = AERO_OK;

	for (size_t i = 0; rc == AERO_OK && i < is->n; i++)
		if (aero_history_compare(aero_tenures_find(was, is->v[i].hostname),
			    &is->v[i], false, &what))
			rc = aero_history_write(store, what, &is->v[i], "", at, err);
	for (size_t i = 0; rc == AERO_OK && i < was->n; i++)
		if (aero_tenures_find(is, was->v[i].hostname) == NULL &&
			aero_history_compare(&was->v[i], NULL,
				aero_view_node(view, was->v[i].instance_id).left, &what))
			rc = aero_history_write(store, what, &was->v[i], "", at, err);
	return rc;
}
