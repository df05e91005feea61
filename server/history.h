/* SPDX-License-Identifier: MIT */
/* The history: one event per change of a name: who, what, when, why (DESIGN 3). */
#ifndef AERO_SERVER_HISTORY_H
#define AERO_SERVER_HISTORY_H

#include "lib/store.h"
#include "server/tenure.h"
#include "server/view.h"

/* clang-format off */
/* X(event, its name in the collection, words for people) */
#define AERO_EVENT_MAP(X)                                                                \
	X(REGISTERED, "registered", "took the name")                                     \
	X(RENEWED, "renewed", "registered again")                                        \
	X(MASTER, "master", "was made the master")                                       \
	X(LEFT, "left", "gave the name back")                                            \
	X(REAPED, "reaped", "was found dead")                                            \
	X(GONE, "gone", "lost the name to another client's write")                       \
	X(CLEARED, "cleared", "runs after all: its death certificate is taken back")     \
	X(REPAIRED, "repaired", "was mended by aerostatd --repair")
/* clang-format on */

enum aero_event {
#define AERO_X(event, name, words) AERO_EVENT_##event,
	AERO_EVENT_MAP(AERO_X)
#undef AERO_X
		AERO_N_EVENTS
};

/* The words of an event's name in the collection; NULL: a name that is none of ours. */
const char *aero_history_words(const char *name);

/* Write an event; the same one is kept once, whoever writes it. why may be ''; at: Unix
 * ms. */
int aero_history_write(struct aero_store *store, enum aero_event event,
	const struct aero_tenure *who, const char *why, int64_t at, struct aero_err *err);

/* What happened to a name between two passes: was or is may be NULL (a gap); left: is
 * there a release certificate of who was there. False: nothing. Pure. */
bool aero_history_compare(const struct aero_tenure *was, const struct aero_tenure *is,
	bool left, enum aero_event *ret);
/* Write what others did between two passes: an event for each slot that is not as it was.
 * view: of the later pass. at: Unix ms. */
int aero_history_changes(struct aero_store *store, const struct aero_tenures *was,
	const struct aero_tenures *is, const struct aero_view *view, int64_t at,
	struct aero_err *err);

#endif
