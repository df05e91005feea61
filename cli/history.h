/* SPDX-License-Identifier: MIT */
/* The events of a name or an instance, as aerostatd and others wrote them. */
#ifndef AERO_CLI_HISTORY_H
#define AERO_CLI_HISTORY_H

#include <stdio.h>

#include "lib/store.h"

/* An event; strings are never NULL. */
struct aero_cli_event {
	int64_t at; /* Unix ms */
	char *hostname, *event, *instance_id, *why, *by;
	int64_t epoch; /* 0 = none */
};

struct aero_cli_events {
	struct aero_cli_event *v;
	size_t n;
};

/* Those of this hostname or instance, oldest first; appended to *ret. */
int aero_cli_events_read(struct aero_store *store, const char *name,
	struct aero_cli_events *ret, struct aero_err *err);
/* A line each for people, the last `last` of them (0 = all), behind indent. */
void aero_cli_events_print(
	FILE *out, const struct aero_cli_events *events, size_t last, const char *indent);
/* An array in doc; false: no memory. */
bool aero_cli_events_append(
	bson_t *doc, const char *key, const struct aero_cli_events *events, size_t last);
void aero_cli_events_clear(struct aero_cli_events *events);

/* 2026-11-30T23:40:24Z of Unix ms. */
const char *aero_cli_time(int64_t ms, char buf[static 32]);

#endif
