/* SPDX-License-Identifier: MIT */
/* Who this node is: its instance id and addresses, by flag, --offline,
 * identity_command or the metadata service; and identity.json, the mark of a registered
 * node (DESIGN 7). */
#ifndef AERO_LIB_IDENTITY_H
#define AERO_LIB_IDENTITY_H

#include <stdbool.h>

#include "lib/conf.h"
#include "lib/err.h"
#include "lib/identity_command.h"
#include "lib/slot.h"

#define AERO_TEST_INSTANCE "test-instance"

/* What is asked of others about this node: until when, and the answer of the
 * identity_command, which is run once for all that it says. Begin with a deadline alone.
 */
struct aero_asked {
	int64_t deadline_ms; /* aero_clock_ms until which to try again; past: one try */
	bool command;        /* it was run: */
	struct aero_identity_said said;
};

/* Have the identity_command's answer in asked. AERO_MISS: none is to be asked (--offline
 * excludes it, too). AERO_NET, AERO_CONFIG as lib/identity_command.h. */
int aero_identity_ask(
	const struct aero_conf *conf, struct aero_asked *asked, struct aero_err *err);
void aero_asked_clear(struct aero_asked *asked);

/* Find out who we are into *ret (aliases stay empty). Flags win; with an id and an
 * address no request is made; then --offline, identity_command or the metadata service.
 * AERO_NET at the deadline, AERO_CONFIG, AERO_BAD. */
int aero_identity_find(const struct aero_conf *conf, struct aero_asked *asked,
	struct aero_occupant *ret, struct aero_err *err);

/* identity.json. */
struct aero_identity {
	struct aero_occupant who;
	char *service, *type, *hostname;
	char *service_from;  /* where service and type came from, in words */
	char machine_id[64]; /* of /etc/machine-id; '' = unknown */
};

int aero_identity_save(const struct aero_conf *conf, const struct aero_identity *identity,
	struct aero_err *err);
/* AERO_MISS when there is none; *ret_foreign: it was written under another machine-id. */
int aero_identity_load(const struct aero_conf *conf, struct aero_identity *ret,
	bool *ret_foreign, struct aero_err *err);
/* The mark of this machine, for what syncd does unasked: AERO_MISS also where it is
 * another machine's or test-instance's. */
int aero_identity_own(
	const struct aero_conf *conf, struct aero_identity *ret, struct aero_err *err);
int aero_identity_remove(const struct aero_conf *conf, struct aero_err *err);
void aero_identity_clear(struct aero_identity *identity);

#endif
