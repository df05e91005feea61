/* SPDX-License-Identifier: MIT */
/* What the registrar's three actions share: lock, aerostat_info, store, tries. */
#ifndef AERO_REGISTER_SESSION_H
#define AERO_REGISTER_SESSION_H

#include <stdio.h>

#include "lib/conf.h"
#include "lib/identity.h"
#include "lib/store.h"
#include "register/actor.h"
#include "register/info.h"

struct aero_session {
	const struct aero_conf *conf;
	struct aero_asked asked; /* its deadline is at most that of the session */
	struct aero_info info;
	struct aero_occupant me;
	struct aero_store *store;
	int lock_fd;
	int64_t deadline; /* aero_clock_ms; past in a dry run: one try */
	/* Asked before each step, if set: true ends the run with AERO_MISS. */
	bool (*ends)(const struct aero_actor *actor);
};

/* Begin the deadline, without the lock: for who writes nothing yet. */
void aero_session_look(const struct aero_conf *conf, struct aero_session *ret);
/* A person waits, and not as long as a boot may: 10 s for what is asked of others than
 * the store. */
void aero_session_brief(struct aero_session *session);
/* Take the lock, see that our folder can be written. */
int aero_session_lock(struct aero_session *session, struct aero_err *err);
/* All of these. A dry run does neither. *ret must be closed in any case. */
int aero_session_begin(
	const struct aero_conf *conf, struct aero_session *ret, struct aero_err *err);
/* What this node runs, into session->info: by the flags, else the identity_command where
 * it says that, else as info_source says. Its warning is logged. */
int aero_session_info(struct aero_session *session, struct aero_err *err);
/* Open the store. */
int aero_session_store(struct aero_session *session, struct aero_err *err);
/* See that the unique indexes are there, or make them. A dry run only says so on out. */
int aero_session_indexes(struct aero_session *session, FILE *out, struct aero_err *err);

/* Call once until it does not fail or the deadline is past, backing off between. */
int aero_session_try(struct aero_session *session,
	int (*once)(void *arg, struct aero_err *err), void *arg, struct aero_err *err);
/* How long to wait after a lost race, at random: up to three times as long as the try has
 * taken so far, so that the larger the crowd and the slower the store, the thinner they
 * come back, and most find what others laid out. 10 ms to 10 s; not past the deadline,
 * that is left, by more than 0.2 s. */
int64_t aero_session_lost_ms(int64_t gone, int64_t left, uint64_t random);
/* An actor's source of random numbers. */
uint64_t aero_session_random(void *arg);
/* Run an actor to its end. */
int aero_session_drive(
	struct aero_session *session, struct aero_actor *actor, struct aero_err *err);

void aero_session_close(struct aero_session *session);

#endif
