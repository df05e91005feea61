/* SPDX-License-Identifier: MIT */
/*
 * What the search walks over: a state is a world, the actors' knowledge, the writes that
 * may still land, what is left of each budget, and what has been promised to whom. Flat,
 * without padding and in one canonical form, so that equal states are equal bytes.
 */
#ifndef AERO_TESTS_SEARCH_MODEL_H
#define AERO_TESTS_SEARCH_MODEL_H

#include "register/actor.h"
#include "register/reap.h"
#include "tests/search_store.h"

enum {
	S_ACTORS = 5,
	S_LATE = 2,
	S_TURNS = 3,
	S_AHEAD = 2,     /* slots that a newcomer lays out at most */
	S_NOBODY = 0xff, /* owner of a write whose session is over */
};

/* ---- set-ups ---- */

enum s_act {
	S_REGISTER = AERO_ACT_REGISTER,
	S_CHANGE = AERO_ACT_CHANGE_MASTER,
	S_RELEASE = AERO_ACT_RELEASE,
	S_HELP = AERO_ACT_HELP,
	S_HEAL,         /* registration that nobody asked for */
	S_TXN,          /* S_CHANGE where the store has transactions */
	S_REAP,         /* one candidate (register/reap.h) */
	S_OLD_REGISTER, /* the original's (search_other.c) */
	S_OLD_CHANGE,
	S_NOTHING,
};

/* Who takes part: a host that runs its acts one after the other, or the server (node '')
 * that reaps and helps for ever. */
struct s_role {
	const char *node, *service;
	bool iterative;
	bool heals;      /* registers again by itself when it is in no slot */
	bool only_helps; /* a server that reaps nobody */
	const char *alias;
	enum s_act acts[S_TURNS];
	uint8_t n_acts;
};

struct s_setup {
	const char *name, *shows;
	/* `name=node`, `name=` blank, `=node` nameless; a service of its own after `:`.
	 */
	const char *slots[W_SLOTS];
	struct s_role roles[S_ACTORS];
	uint8_t ambiguous, late, crashes, deaths, boots, torn, lies; /* budgets */
	bool replica_set; /* W2: a later write of the session fences */
	bool no_lock;     /* a node may run two sessions at once */
	bool no_regs;     /* slots of the original: without reg */
	bool holes;       /* the numbers are not dense to begin with */
	bool twice;       /* an instance twice, and so no unique index */
	bool originals;   /* I1 and I2 alone are promised */
	bool refusals;    /* a registration may be refused */
	bool no_liveness;
	unsigned long states; /* how many there are */
	unsigned long cut; /* not 0: stop there; no word then on what is always reached */
	enum { S_QUICK, S_LONG } length;
};

/* ---- states ---- */

enum {
	S_ALIASES_DONE = 1,
	S_MINE = 2,
	S_HAD_NONE = 4,
	S_HOLE = 8,
	S_SLOT_READ = 16,
	S_RUNS = 32,  /* a session is under way */
	S_FRESH = 64, /* it was begun by itself: the script's turn is not used up */
};

struct s_actor {
	uint8_t turn, act, flags;
	uint8_t step, epoch, appended, ahead, own, own_reg;
	uint8_t candidate; /* of a server: whom it reaps */
	struct w_node node;
	struct w_control op;
	struct w_slot slot;
};

struct s_host {
	uint8_t running, identity, promised, released, ip;
	uint8_t doubted; /* it runs, and was called dead: nothing is promised to it */
};

struct s_state {
	struct world world;
	struct s_actor actors[S_ACTORS];
	struct w_write late[S_LATE];
	struct s_host hosts[W_NODES + 1];
	uint8_t ambiguous, lates, crashes, deaths, boots, torn, lies;
};

_Static_assert(_Alignof(struct s_state) == 1, "bytes alone: no padding");

/* ---- one search at a time ---- */

struct s_run {
	const struct s_setup *setup;
	uint8_t n_roles;
	uint8_t node[S_ACTORS], service[S_ACTORS]; /* numbers */
	struct aero_occupant me[S_ACTORS];         /* with the ip of each boot in ips */
	char *ips[W_NODES + 1][2];
	bool server;      /* one takes part */
	bool keep_all;    /* actors are kept with what they will not read any more */
	char broken[256]; /* the invariant that does not hold, in words; '' = none */
	char note[160];   /* what the last move was and what came of it */
	bool say;         /* write note */
	bool lie;         /* the evidence of this step is wrong */
};
extern struct s_run s_run;

/* Read a set-up; the state that it begins with. */
void s_begin(const struct s_setup *setup, struct s_state *ret);
void s_end(void);

/* Moves. */
typedef uint16_t s_move;
enum s_kind {
	S_M_STEP,      /* actor, fault: one store operation of shipped code */
	S_M_PICK_SLOT, /* server, slot */
	S_M_PICK_NODE, /* server, node */
	S_M_PICK_HELP, /* server, service */
	S_M_HEAL,      /* actor */
	S_M_BEGIN,     /* actor */
	S_M_CRASH,     /* actor */
	S_M_DIE,       /* node */
	S_M_BOOT,      /* node */
	S_M_LAND,      /* late write */
	S_M_TORN,      /* actor, slot: a read of all slots that does not see this one */
	S_M_LIE,       /* server: the evidence says dead, and the node still runs */
};
#define S_MOVE(kind, who, arg) ((s_move)((kind) << 8 | (who) << 4 | (arg)))
enum { S_MOVES_MAX = 128 };

/* What may happen next, in a fixed order. Fair: what happens by itself at last. */
size_t s_moves(const struct s_state *state, s_move ret[static S_MOVES_MAX]);
bool s_fair(s_move move);
/* Make a move. False: it was none (a fault where nothing was written). s_run.broken says
 * what broke. The state is canonical afterwards. */
bool s_move_make(struct s_state *state, s_move move);

/* It is where it was promised to be, with the address that it has now. */
bool s_well(const struct s_state *state, uint8_t id);
/* An open op names it. */
bool s_named(const struct world *world, uint8_t id);
/* At rest: nothing is under way and I6 holds. */
bool s_at_rest(const struct s_state *state);

/* search_actor.c: between the flat and the shipped form. */
void s_actor_load(const struct s_state *state, int i, struct aero_store *store,
	uint64_t (*random)(void *), void *arg, struct aero_actor *ret);
void s_actor_save(const struct aero_actor *actor, struct s_actor *ret);
void s_actor_begin(struct s_state *state, int i, enum s_act act, bool fresh);
void s_actor_end(struct s_state *state, int i);
uint8_t s_fresh_reg(const struct s_state *state);
void s_canonical(struct s_state *state);

/* search_other.c: who is no shipped code. One step; AERO_OK and DONE as usual. */
int s_other_step(struct s_state *state, int i, struct search_store *store);
const char *s_other_words(const struct s_actor *actor);

/* search_check.c: each sets s_run.broken. */
void s_broken(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void s_check_state(const struct s_state *state);
void s_check_write(const struct s_state *before, const struct s_state *after,
	const struct w_write *write, int answer, int slot);
void s_check_end(const struct s_state *state, int i, int rc);

/* search_print.c */
const char *s_words(const struct s_state *state);
const char *s_step_words(const struct s_actor *actor);
void s_move_words(const struct s_state *before, s_move move, char *ret, size_t size);

#endif
