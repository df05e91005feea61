/* SPDX-License-Identifier: MIT */
/* Who lives, from whoever can tell: the seam between aerostatd and a cloud. */
#ifndef AERO_SERVER_CLOUD_H
#define AERO_SERVER_CLOUD_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/conf.h"
#include "lib/err.h"
#include "lib/store.h"
#include "server/rules.h"

#define AERO_CLOUD_ID_SIZE 128

struct aero_listed {
	char id[AERO_CLOUD_ID_SIZE];
	enum aero_sight
		sight;  /* RUNS or DEAD; ABSENT: what is known of it all the same */
	char state[64]; /* in the cloud's words: "terminated" */
};

/* All that a cloud listed; by id once aero_listing_sort was called. */
struct aero_listing {
	struct aero_listed *v;
	size_t n;
};

/* Append; AERO_BAD for an id that is none, AERO_NOMEM. state may be NULL. */
int aero_listing_add(struct aero_listing *listing, const char *id, enum aero_sight sight,
	const char *state, struct aero_err *err);
void aero_listing_sort(struct aero_listing *listing);
/* NULL: it is not in there. */
const struct aero_listed *aero_listing_find(
	const struct aero_listing *listing, const char *id);
void aero_listing_clear(struct aero_listing *listing);

/* Can the configured cloud tell of this node: is the id of the form that it gives out, or
 * (lease) did the node ever send a heartbeat? */
bool aero_cloud_knows(
	const struct aero_conf *conf, const char *id, const struct aero_node *node);

/* Ask the configured cloud: all of its instances, sorted, or an error and nothing. May
 * take 30 s. AERO_NET: it cannot be reached; AERO_PERM, AERO_CONFIG; AERO_REFUSED: it
 * gave no whole answer; AERO_AGAIN: this machine's clock is wrong, or stop_fd (-1 = none)
 * became readable. Not for lease, whose listing is the collection (lease.h). */
int aero_cloud_list(const struct aero_conf *conf, int stop_fd, struct aero_listing *ret,
	struct aero_err *err);

/* The lines that cloud_command printed: one id each, blank lines between. Pure. */
int aero_cloud_parse(
	const char *text, size_t len, struct aero_listing *ret, struct aero_err *err);

#endif
