/* SPDX-License-Identifier: MIT */
/*
 * N nodes register one new service at once: store operations of each, and how long it
 * takes. Each is a thread with a store of its own, connected before the start, and runs
 * the shipped steps with their pauses. Run by bench/register_crowd.sh.
 *
 * bench/register_crowd SERVER DATABASE AHEAD N...: AHEAD is how many slots one may lay
 * out (register/actor.h), 0 as shipped, 1 nobody any for others.
 */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/loop.h"
#include "lib/store_ops.h"
#include "register/session.h"

#define DEADLINE_MS 600000

static const struct aero_store_ops *real;
static _Thread_local unsigned n_done;

/* clang-format off */
#define COUNTED(name, params, args) \
	static int counted_##name params { n_done++; return real->name args; }
COUNTED(slots, (struct aero_store *store, const char *service, struct aero_slots *ret,
	struct aero_err *err), (store, service, ret, err))
COUNTED(by_instance, (struct aero_store *store, const char *id, struct aero_slot *ret,
	struct aero_err *err), (store, id, ret, err))
COUNTED(by_hostname, (struct aero_store *store, const char *name, struct aero_slot *ret,
	struct aero_err *err), (store, name, ret, err))
COUNTED(slot_update, (struct aero_store *store, const struct aero_slot_match *match,
	const struct aero_slot_change *change, struct aero_err *err),
	(store, match, change, err))
COUNTED(slot_claim, (struct aero_store *store, const char *service, const char *except,
	const struct aero_slot_change *change, struct aero_slot *ret, struct aero_err *err),
	(store, service, except, change, ret, err))
COUNTED(slots_insert, (struct aero_store *store, const struct aero_slot *slots, size_t n,
	struct aero_err *err), (store, slots, n, err))
COUNTED(node, (struct aero_store *store, const char *id, struct aero_node *ret,
	struct aero_err *err), (store, id, ret, err))
COUNTED(node_update, (struct aero_store *store, const char *id,
	const struct aero_node *was, bool left, bool dead, const char *why,
	struct aero_err *err), (store, id, was, left, dead, why, err))
COUNTED(control, (struct aero_store *store, const char *service, struct aero_control *ret,
	struct aero_err *err), (store, service, ret, err))
/* clang-format on */

static struct aero_store_ops counted;

struct node {
	pthread_t thread;
	const struct aero_store_opts *opts;
	const char *service;
	uint8_t ahead;
	int i, rc;
	unsigned n_ops;
	int64_t ms;
	char hostname[AERO_HOSTNAME_SIZE];
	struct aero_err err;
};

static pthread_barrier_t start;

static _Noreturn void die(const char *what, const char *why)
{
	(void)fprintf(stderr, "bench: %s: %s\n", what, why);
	exit(1);
}

static struct aero_store *connect_to(const struct aero_store_opts *opts)
{
	struct aero_store *store = NULL;
	struct aero_err err;

	if (aero_store_open(opts, &store, &err) != AERO_OK ||
		aero_store_ping(store, &err) != AERO_OK)
		die(opts->server, err.msg);
	return store;
}

static void *run(void *arg)
{
	struct node *node = arg;
	struct aero_session session = {
		.store = connect_to(node->opts), .deadline = INT64_MAX, .lock_fd = -1};
	char id[64], ip[32], none[1] = "";
	struct aero_occupant me = {.instance_id = id, .ip = ip, .ip6 = none};
	struct aero_actor actor = {0};
	int64_t began;

	(void)snprintf(id, sizeof(id), "i-%.30s-%d", node->service, node->i);
	(void)snprintf(ip, sizeof(ip), "10.1.%d.%d", node->i >> 8, node->i & 255);
	session.store->ops = &counted;
	aero_actor_begin(&actor, AERO_ACT_REGISTER, session.store, node->service, false,
		&me, aero_session_random, NULL);
	if (node->ahead != 0)
		actor.ahead_max = node->ahead;
	(void)pthread_barrier_wait(&start);
	began = aero_clock_ms();
	session.deadline = began + DEADLINE_MS;
	node->rc = aero_session_drive(&session, &actor, &node->err);
	node->ms = aero_clock_ms() - began;
	node->n_ops = n_done;
	(void)snprintf(node->hostname, sizeof(node->hostname), "%s", actor.hostname);
	aero_actor_clear(&actor);
	aero_store_close(session.store);
	return NULL;
}

static int by_ms(const void *a, const void *b)
{
	const struct node *x = a, *y = b;

	return (x->ms > y->ms) - (x->ms < y->ms);
}

/* Each node is in one slot, that of its name, and there is no hole. Blank slots. */
static size_t check(struct aero_store *store, struct node *nodes, size_t n)
{
	struct aero_slots slots = {0};
	char id[64], next[AERO_HOSTNAME_SIZE];
	struct aero_err err;
	size_t blank = 0;
	bool hole;

	if (aero_store_slots(store, nodes->service, &slots, &err) != AERO_OK)
		die("slots", err.msg);
	for (size_t i = 0; i < slots.n; i++)
		blank += aero_slot_blank(&slots.v[i]);
	if (slots.n - blank != n)
		die(nodes->service, "not as many slots are held as there are nodes");
	for (size_t i = 0; i < n; i++) {
		const struct aero_slot *slot;

		(void)snprintf(
			id, sizeof(id), "i-%.30s-%d", nodes[i].service, nodes[i].i);
		slot = aero_pick_held(&slots, id);
		if (nodes[i].rc != AERO_OK)
			die(id, nodes[i].err.msg);
		if (slot == NULL || strcmp(slot->hostname, nodes[i].hostname) != 0)
			die(id, "does not have the name that it was told");
	}
	if (!aero_pick_append(&slots, nodes->service, false, next, &hole) || hole)
		die(nodes->service, "the numbers have a hole");
	aero_slots_clear(&slots);
	return blank;
}

static void crowd(
	struct aero_store *store, const struct aero_store_opts *opts, int ahead, size_t n)
{
	struct node *nodes = calloc(n, sizeof(*nodes));
	unsigned long sum = 0;
	unsigned most = 0;
	pthread_attr_t attr;
	char service[40];
	size_t blank;

	if (nodes == NULL)
		die("nodes", "out of memory");
	(void)snprintf(service, sizeof(service), "crowd-%d-%zu-%lx", ahead, n,
		(unsigned long)aero_clock_ms());
	(void)pthread_barrier_init(&start, NULL, (unsigned)n);
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, 512 * 1024);
	for (size_t i = 0; i < n; i++) {
		nodes[i] = (struct node){.opts = opts,
			.service = service,
			.ahead = (uint8_t)ahead,
			.i = (int)i};
		if (pthread_create(&nodes[i].thread, &attr, run, &nodes[i]) != 0)
			die("thread", "cannot be started");
	}
	for (size_t i = 0; i < n; i++)
		(void)pthread_join(nodes[i].thread, NULL);
	blank = check(store, nodes, n);
	for (size_t i = 0; i < n; i++) {
		sum += nodes[i].n_ops;
		most = nodes[i].n_ops > most ? nodes[i].n_ops : most;
	}
	qsort(nodes, n, sizeof(*nodes), by_ms);
	printf("%5zu nodes, ahead %2d: %6.2f operations each, %3u at most; half in %6.2f "
	       "s, all in %6.2f s; %zu slots blank\n",
		n, ahead == 0 ? (int)AERO_AHEAD : ahead, (double)sum / (double)n, most,
		(double)nodes[n / 2].ms / 1e3, (double)nodes[n - 1].ms / 1e3, blank);
	(void)fflush(stdout);
	(void)pthread_attr_destroy(&attr);
	(void)pthread_barrier_destroy(&start);
	free(nodes);
}

int main(int argc, char **argv)
{
	struct aero_store_opts opts = {.role = "bench"};
	struct aero_store *store;
	struct aero_err err;

	if (argc < 5)
		die("usage", "register_crowd SERVER DATABASE AHEAD N...");
	opts.server = argv[1];
	opts.database = argv[2];
	store = connect_to(&opts);
	if (aero_store_indexes_create(store, &err) != AERO_OK)
		die("indexes", err.msg);
	real = store->ops;
	counted = *real;
	counted.slots = counted_slots;
	counted.by_instance = counted_by_instance;
	counted.by_hostname = counted_by_hostname;
	counted.slot_update = counted_slot_update;
	counted.slot_claim = counted_slot_claim;
	counted.slots_insert = counted_slots_insert;
	counted.node = counted_node;
	counted.node_update = counted_node_update;
	counted.control = counted_control;
	for (int i = 4; i < argc; i++)
		crowd(store, &opts, (int)strtoul(argv[3], NULL, 10),
			(size_t)strtoul(argv[i], NULL, 10));
	aero_store_close(store);
	return 0;
}
