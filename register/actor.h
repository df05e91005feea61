/* SPDX-License-Identifier: MIT */
/*
 * The naming steps (protocol.md R, C, S, L) as a machine: one call of aero_actor_step
 * does one step, and one step is one store operation. All that an actor knows between two
 * steps is in its struct, so that tests and searches can stop, crash and interleave
 * actors between any two operations of the shipped code.
 */
#ifndef AERO_REGISTER_ACTOR_H
#define AERO_REGISTER_ACTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/store.h"
#include "register/pick.h"

/* clang-format off */
/* X(step, words for a log line, which begin with the step's name in protocol.md) */
#define AERO_STEP_MAP(X)                                                                 \
	X(DONE, "done")                                                                  \
	/* claim.c: register me */                                                       \
	X(R0, "R0 read my node")                                                         \
	X(R1, "R1 begin: raise gen")                                                     \
	X(R1B, "R1b read control")                                                       \
	X(R2_FIND, "R2 find my slot")                                                    \
	X(ALIASES, "A take my aliases")                                                  \
	X(R2_RENEW, "R2 renew my slot")                                                  \
	X(N_BLANK, "N drop my nameless slot")                                            \
	X(R3, "R3 read the master")                                                      \
	X(R3_INSERT, "R3 insert a blank master")                                         \
	X(R3_OPEN, "C1 open an op for the blank master")                                 \
	X(R4, "R4 claim a gap")                                                          \
	X(R5_FIND, "R5 read the slots")                                                  \
	X(R5_INSERT, "R5 append a blank slot")                                           \
	X(R5_OWNER, "R5 see whose the name is")                                          \
	/* master.c: make me the master */                                               \
	X(C_FENCE_FIND, "W2 read my node")                                               \
	X(C_FENCE, "W2 raise gen")                                                       \
	X(C0, "C0 read control")                                                         \
	X(C0_SELF, "C0 find my slot")                                                    \
	X(C0_NONE, "C0 read control again")                                              \
	X(C0_MASTER, "C0 read the master")                                               \
	X(C0_INSERT, "C0 insert a blank master")                                         \
	X(C_TXN, "C all in one transaction")                                             \
	X(C1, "C1 open the op")                                                          \
	X(CE, "CE read the master")                                                      \
	X(CE_CONTROL, "CE read control")                                                 \
	/* help.c: whoever meets an open op */                                           \
	X(S0, "S0 read control")                                                         \
	X(S1, "S1 read p's node")                                                        \
	X(S2, "S2 put p into the master slot")                                           \
	X(S2C, "S2c read the master")                                                    \
	X(S2_INSERT, "S2 insert a blank master")                                         \
	X(V0, "V0 find p's slot")                                                        \
	X(V0_CONTROL, "V0 is the op still open")                                         \
	X(V, "V blank p's slot")                                                         \
	X(F, "F fence the master slot")                                                  \
	X(S3, "S3 find m's slot")                                                        \
	X(S3_NODE, "S3 read m's node")                                                   \
	X(S3_CLAIM, "S3 claim a gap for m")                                              \
	X(S4, "S4 close the op")                                                         \
	/* release.c: give my name back */                                               \
	X(L1_FIND, "L1 read my node")                                                    \
	X(L1, "L1 say that I left")                                                      \
	X(L2, "L2 read control")                                                         \
	X(L3_FIND, "L3 find my slot")                                                    \
	X(L3, "L3 blank my slot")                                                        \
	X(L4, "L4 read control again")
/* clang-format on */

enum aero_step {
#define AERO_X(step, words) AERO_STEP_##step,
	AERO_STEP_MAP(AERO_X)
#undef AERO_X
		AERO_N_STEPS
};

/* How the name came about. */
enum aero_how {
	AERO_HOW_HELD, /* it was this node's already */
	AERO_HOW_GAP,  /* a blank slot was filled */
	AERO_HOW_NEW,  /* the service grew by one */
};

struct aero_actor {
	/* Set by aero_actor_begin; lent. */
	struct aero_store *store;
	const char *service;
	bool masterful;
	bool asked; /* by a person or at boot: may come back after left */
	const struct aero_occupant *me; /* with aliases */
	uint64_t (*random)(void *arg);
	void *random_arg;
	enum aero_step first, restart, back;

	/* What it knows. */
	enum aero_step step;
	bool pause; /* another actor was quicker: wait a little before the next step */
	bool aliases_done; /* since the last R1 */
	bool had_none;     /* a read found me without a slot */
	bool mine;         /* the op that is helped promotes me */
	int64_t epoch;     /* of the op that is helped, or the one that L2 read */
	char appended[AERO_HOSTNAME_SIZE]; /* what R5 last tried */
	bool hole;                         /* and it was below the maximum */
	uint8_t ahead;     /* how many slots R5 lays out; 0 = not come to it yet */
	uint8_t ahead_max; /* AERO_AHEAD; less for tests and measurements */
	char own[AERO_HOSTNAME_SIZE]; /* my slot, while slot is the master's */
	int64_t own_reg;
	struct aero_node node;
	struct aero_control op; /* control as read last; while it is open it is helped */
	struct aero_slot slot;  /* my slot, or that of whom the step is about */

	/* Once step is DONE: */
	char hostname[AERO_HOSTNAME_SIZE]; /* '' after a release that found nothing */
	enum aero_how how;
};

/* Newcomers who meet others lay out slots for them too: four times as many each time. */
enum { AERO_AHEAD = 64 };

/* Prepare *actor, which must be zeroed or cleared. */
enum aero_act {
	AERO_ACT_REGISTER,
	AERO_ACT_CHANGE_MASTER,
	AERO_ACT_RELEASE,
	AERO_ACT_HELP, /* finish an open change-over, whoever it promotes */
};

void aero_actor_begin(struct aero_actor *actor, enum aero_act act,
	struct aero_store *store, const char *service, bool masterful,
	const struct aero_occupant *me, uint64_t (*random)(void *arg), void *random_arg);

/* One store operation. AERO_OK: actor->step is the next one, DONE = done. AERO_NET,
 * AERO_DB, AERO_AMBIGUOUS, AERO_NOMEM, AERO_IO: trouble with the store; calling again
 * goes on rightly, from the actor's first step (protocol W1, W2). Others are final:
 * AERO_REFUSED, AERO_AGAIN (declared dead, superseded), AERO_PERM, AERO_CONFIG. */
int aero_actor_step(struct aero_actor *actor, struct aero_err *err);

/* True if a failed step is worth another try. */
bool aero_actor_retry(int rc);

/* "R0 read my node" and so on. */
const char *aero_step_words(enum aero_step step);

void aero_actor_clear(struct aero_actor *actor);

#endif
