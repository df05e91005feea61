/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/search.h"
#include "tests/support.h"

struct print {
	uint64_t a, b;
};

/* All states so far, numbered as they were found. */
static struct {
	struct print *prints;
	uint32_t *parents;
	s_move *moves;
	size_t n, room;
	uint32_t *table; /* number + 1 of a state, open addressing */
	size_t table_size;
	uint32_t *fair, *fair_from; /* fair successors, in order of the states */
	size_t n_fair, fair_room;
	unsigned char *rest;
	struct s_state *queue; /* a ring: states that are not expanded yet */
	size_t queue_room, queue_first, queue_n;
	struct print *reduced; /* a second table, of fingerprints alone */
	size_t reduced_size, n_reduced;
} all;

static void *grow(void *old, size_t n, size_t size)
{
	void *ret = reallocarray(old, n, size);

	assert_non_null(ret);
	return ret;
}

/* Two multiply-and-fold lanes over the bytes; collisions are a matter of 2^-90 here. */
static uint64_t fold(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 wide_int;
	wide_int wide = (wide_int)a * b;

	return (uint64_t)wide ^ (uint64_t)(wide >> 64);
}

static struct print fingerprint(const struct s_state *state)
{
	const unsigned char *bytes = (const unsigned char *)state;
	struct print print = {0x243f6a8885a308d3u, 0x13198a2e03707344u};
	uint64_t word[2];
	size_t i, left;

	for (i = 0; i < sizeof(*state); i += left) {
		left = sizeof(*state) - i < sizeof(word) ? sizeof(*state) - i
							 : sizeof(word);
		word[0] = word[1] = 0;
		memcpy(word, bytes + i, left);
		print.a = fold(print.a ^ word[0] ^ 0xa0761d6478bd642fu,
			word[1] ^ 0xe7037ed1a0b428dbu);
		print.b = fold(print.b ^ word[1] ^ 0x8ebc6af09c88c6e3u,
				  word[0] ^ 0x589965cc75374cc3u) +
			  i;
	}
	print.a = fold(print.a ^ print.b, 0x1d8e4e27c47d124fu);
	print.b = fold(print.b, 0xeb44accab455d165u) ^ print.a;
	return print;
}

static bool equal(struct print a, struct print b)
{
	return a.a == b.a && a.b == b.b;
}

static void table_grow(void)
{
	size_t size = all.table_size == 0 ? 1 << 16 : all.table_size * 2, at;

	free(all.table);
	all.table = calloc(size, sizeof(*all.table));
	assert_non_null(all.table);
	all.table_size = size;
	for (size_t i = 0; i < all.n; i++) {
		for (at = all.prints[i].a & (size - 1); all.table[at] != 0;)
			at = (at + 1) & (size - 1);
		all.table[at] = (uint32_t)i + 1;
	}
}

/* The number of a state; *ret_new if it was not known. */
static uint32_t number_of(struct print print, uint32_t parent, s_move move, bool *ret_new)
{
	size_t at;

	if (all.n * 2 >= all.table_size)
		table_grow();
	for (at = print.a & (all.table_size - 1); all.table[at] != 0;
		at = (at + 1) & (all.table_size - 1))
		if (equal(all.prints[all.table[at] - 1], print)) {
			*ret_new = false;
			return all.table[at] - 1;
		}
	if (all.n == all.room) {
		all.room = all.room == 0 ? 1 << 14 : all.room * 2;
		all.prints = grow(all.prints, all.room, sizeof(*all.prints));
		all.parents = grow(all.parents, all.room, sizeof(*all.parents));
		all.moves = grow(all.moves, all.room, sizeof(*all.moves));
		all.fair_from = grow(all.fair_from, all.room + 1, sizeof(*all.fair_from));
		all.rest = grow(all.rest, all.room, sizeof(*all.rest));
	}
	all.prints[all.n] = print;
	all.parents[all.n] = parent;
	all.moves[all.n] = move;
	all.table[at] = (uint32_t)all.n + 1;
	*ret_new = true;
	return (uint32_t)all.n++;
}

static void push(const struct s_state *state)
{
	if (all.queue_n == all.queue_room) {
		size_t room = all.queue_room == 0 ? 1 << 10 : all.queue_room * 2;
		struct s_state *queue = grow(NULL, room, sizeof(*queue));

		for (size_t i = 0; i < all.queue_n; i++)
			queue[i] = all.queue[(all.queue_first + i) % all.queue_room];
		free(all.queue);
		all.queue = queue;
		all.queue_room = room;
		all.queue_first = 0;
	}
	all.queue[(all.queue_first + all.queue_n++) % all.queue_room] = *state;
}

static void pop(struct s_state *ret)
{
	*ret = all.queue[all.queue_first];
	all.queue_first = (all.queue_first + 1) % all.queue_room;
	all.queue_n--;
}

static void add_fair(uint32_t to)
{
	if (all.n_fair == all.fair_room) {
		all.fair_room = all.fair_room == 0 ? 1 << 15 : all.fair_room * 2;
		all.fair = grow(all.fair, all.fair_room, sizeof(*all.fair));
	}
	all.fair[all.n_fair++] = to;
}

/* For the check of what is left out: the state as it would be without it. */
static void count_reduced(const struct s_state *state)
{
	struct s_state less = *state;
	struct print print;
	size_t at;

	s_run.keep_all = false;
	for (int i = 0; i < s_run.n_roles; i++)
		if (less.actors[i].flags & S_RUNS && less.actors[i].act < S_REAP) {
			struct aero_actor actor;

			s_actor_load(&less, i, NULL, NULL, NULL, &actor);
			s_actor_save(&actor, &less.actors[i]);
			aero_actor_clear(&actor);
		}
	s_canonical(&less);
	s_run.keep_all = true;
	print = fingerprint(&less);
	if (all.n_reduced * 2 >= all.reduced_size) {
		struct print *old = all.reduced;
		size_t size = all.reduced_size;

		all.reduced_size = size == 0 ? 1 << 14 : size * 2;
		all.reduced = calloc(all.reduced_size, sizeof(*all.reduced));
		assert_non_null(all.reduced);
		for (size_t i = 0; i < size; i++) {
			if (old[i].a == 0)
				continue;
			for (at = old[i].a & (all.reduced_size - 1);
				all.reduced[at].a != 0;)
				at = (at + 1) & (all.reduced_size - 1);
			all.reduced[at] = old[i];
		}
		free(old);
	}
	for (at = print.a & (all.reduced_size - 1); all.reduced[at].a != 0;
		at = (at + 1) & (all.reduced_size - 1))
		if (equal(all.reduced[at], print))
			return;
	all.reduced[at] = print;
	all.n_reduced++;
}

/* ---- liveness: from every state, rest is reached by what happens by itself ---- */

/* The first state from where it is not; n if there is none. */
static size_t find_restless(void)
{
	size_t n = all.n, first;
	uint32_t *from = calloc(n + 1, sizeof(*from)), *back, *todo, n_todo = 0;

	back = grow(NULL, all.n_fair + 1, sizeof(*back));
	todo = grow(NULL, n + 1, sizeof(*todo));
	assert_non_null(from);
	for (size_t i = 0; i < all.n_fair; i++)
		from[all.fair[i]]++;
	for (size_t i = 0, sum = 0; i <= n; i++) { /* from[i] = end of i's part */
		sum += i < n ? from[i] : 0;
		from[i] = (uint32_t)sum;
	}
	for (size_t i = n; i-- > 0;)
		for (size_t k = all.fair_from[i]; k < all.fair_from[i + 1]; k++)
			back[--from[all.fair[k]]] = (uint32_t)i;
	from[n] = (uint32_t)all.n_fair;
	for (size_t i = 0; i < n; i++)
		if (all.rest[i])
			todo[n_todo++] = (uint32_t)i;
	while (n_todo > 0) {
		uint32_t at = todo[--n_todo];

		for (uint32_t k = from[at]; k < from[at + 1]; k++)
			if (!all.rest[back[k]]) {
				all.rest[back[k]] = 1;
				todo[n_todo++] = back[k];
			}
	}
	for (first = 0; first < n && all.rest[first];)
		first++;
	free(from);
	free(back);
	free(todo);
	return first;
}

/* ---- counterexamples ---- */

/* The moves to a state, made again from the first. */
static unsigned long trace(
	const struct s_setup *setup, size_t to, const s_move *last, bool show)
{
	s_move *moves = grow(NULL, all.n + 2, sizeof(*moves));
	struct s_state state, before;
	unsigned long n = 0;
	char words[160];

	if (last != NULL)
		moves[n++] = *last;
	for (size_t at = to; at != 0; at = all.parents[at])
		moves[n++] = all.moves[at];
	s_end();
	s_begin(setup, &state);
	s_run.say = true;
	s_run.broken[0] = '\0';
	if (show)
		printf("        %s\n", s_words(&state));
	for (unsigned long i = n; i-- > 0 && show;) {
		before = state;
		(void)s_move_make(&state, moves[i]);
		s_move_words(&before, moves[i], words, sizeof(words));
		printf("  %3lu   %s%s\n        %s\n", n - i, words, s_run.note,
			s_words(&state));
	}
	s_run.say = false;
	free(moves);
	return n;
}

/* ---- the search ---- */

static void clear(void)
{
	free(all.prints);
	free(all.parents);
	free(all.moves);
	free(all.table);
	free(all.fair);
	free(all.fair_from);
	free(all.rest);
	free(all.queue);
	free(all.reduced);
	memset(&all, 0, sizeof(all));
}

static double now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Expand one state; true when an invariant is broken, by *ret_last. */
static bool expand(uint32_t from, const struct s_state *state, s_move *ret_last)
{
	s_move moves[S_MOVES_MAX];
	size_t n = s_moves(state, moves);
	struct s_state next;
	bool fresh;

	all.fair_from[from] = (uint32_t)all.n_fair;
	all.rest[from] = s_at_rest(state);
	for (size_t i = 0; i < n; i++) {
		uint32_t to;

		next = *state;
		if (!s_move_make(&next, moves[i]))
			continue;
		if (s_run.broken[0] != '\0') {
			*ret_last = moves[i];
			return true;
		}
		to = number_of(fingerprint(&next), from, moves[i], &fresh);
		if (fresh) {
			push(&next);
			if (s_run.keep_all)
				count_reduced(&next);
		}
		if (s_fair(moves[i]) && !s_run.setup->no_liveness)
			add_fair(to);
	}
	all.fair_from[from + 1] = (uint32_t)all.n_fair;
	return false;
}

static unsigned long depth_of(size_t at)
{
	unsigned long n = 0;

	for (; at != 0; at = all.parents[at])
		n++;
	return n;
}

static double megabytes(size_t most_queued)
{
	return ((double)all.room * (sizeof(struct print) + 2 * sizeof(uint32_t) +
					   sizeof(s_move) + 1) +
		       (double)all.table_size * sizeof(uint32_t) +
		       (double)all.fair_room * sizeof(uint32_t) +
		       (double)most_queued * sizeof(struct s_state)) /
	       1e6;
}

void search_run(const struct s_setup *setup, unsigned long max_states, bool keep_all,
	bool show, struct search_result *ret)
{
	struct s_state state;
	uint32_t at = 0;
	bool fresh, broken = false, lively = true;
	s_move last = 0;
	size_t restless;

	*ret = (struct search_result){.seconds = -now()};
	s_run.keep_all = keep_all;
	s_run.broken[0] = '\0';
	s_begin(setup, &state);
	(void)number_of(fingerprint(&state), 0, 0, &fresh);
	push(&state);
	if (keep_all)
		count_reduced(&state);
	for (; all.queue_n > 0 && all.n < max_states && !broken; at += !broken) {
		pop(&state);
		broken = expand(at, &state, &last);
	}
	ret->exhausted = !broken && all.queue_n == 0;
	ret->states = all.n;
	ret->edges = all.n_fair;
	ret->reduced = all.n_reduced;
	ret->depth = depth_of(all.n - 1);
	if (ret->exhausted && !setup->no_liveness) {
		restless = find_restless();
		if (restless < all.n) {
			s_broken("liveness: from here, rest is never reached");
			broken = true;
			lively = false;
			at = (uint32_t)restless;
		}
	}
	ret->megabytes = megabytes(all.queue_room);
	ret->seconds += now();
	if (broken) {
		(void)snprintf(ret->broken, sizeof(ret->broken), "%s", s_run.broken);
		if (show)
			printf("  %s: %s\n", setup->name, ret->broken);
		ret->trace = trace(setup, at, lively ? &last : NULL, show);
	}
	s_end();
	clear();
}
