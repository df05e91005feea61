/* SPDX-License-Identifier: MIT */
/* The store that the search walks over acts like the others: the same operations at
 * random on it, on the scripted store and on the LMDB store, answer by answer. (What the
 * LMDB and the MongoDB store have in common is tests/store_suite.h.) */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/fake_store.h"
#include "tests/search_store.h"
#include "tests/support.h"

static const char *const names[] = {
	"db-master", "db-slave-1", "db-slave-2", "db-slave-10", "web-0", "web-1"};
static const char *const ids[] = {"a", "b", "c", "d", "e"};
static const char *const services[] = {"db", "web"};
static const char *const aliases[] = {"x", "y", "z"};

static uint64_t seed;

static size_t pick(size_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(seed >> 33) % n;
}

#define PICK(array) ((array)[pick(AERO_COUNT(array))])

static unsigned long changes[3]; /* done, miss, refused */
static char words[2048];
static size_t len;

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	len += (size_t)vsnprintf(words + len, sizeof(words) - len, fmt, args);
	va_end(args);
	assert_true(len < sizeof(words));
}

static void say_who(const struct aero_occupant *who)
{
	unsigned set = 0; /* the order of aliases means nothing */

	for (size_t i = 0; i < AERO_COUNT(aliases); i++)
		set |= (unsigned)aero_list_has(&who->aliases, aliases[i]) << i;
	say(" id=%s ip=%s ip6=%s al=%u", who->instance_id, who->ip, who->ip6, set);
}

static void say_slot(const struct aero_slot *slot)
{
	say(" %s/%s/%s r%d e%d", slot->hostname, slot->service, slot->service_type,
		(int)slot->reg, (int)slot->epoch);
	say_who(&slot->who);
}

/* One operation, all drawn before, so that each store gets the same. */
struct draw {
	size_t op, reg, gen, epoch;
	const char *name, *except, *service, *id, *other;
	struct aero_occupant who, master;
	bool flags[6];
};

static void draw_who(struct aero_occupant *who, const char *id)
{
	who->instance_id = strdup(id);
	who->ip = strdup(pick(2) ? "10.0.0.1" : "10.0.0.2");
	who->ip6 = strdup(pick(3) ? "" : "fd00::1");
	for (size_t i = 0; i < AERO_COUNT(aliases); i++)
		if (pick(3) == 0)
			assert_true(aero_list_add(&who->aliases, aliases[i]));
}

static void draw(struct draw *d)
{
	*d = (struct draw){
		.op = pick(13),
		.reg = 1 + pick(4),
		.gen = pick(3),
		.epoch = 1 + pick(3),
		.name = PICK(names),
		.except = pick(2) ? "db-master" : NULL,
		.service = PICK(services),
		.id = PICK(ids),
		.other = pick(3) ? PICK(ids) : "",
	};
	draw_who(&d->who, d->id);
	draw_who(&d->master, d->other);
	for (size_t i = 0; i < AERO_COUNT(d->flags); i++)
		d->flags[i] = pick(2) != 0;
}

static int do_update(const struct draw *d, struct aero_store *store, struct aero_err *err)
{
	struct aero_slot_match match = {
		.hostname = d->name,
		.occupant = {d->other, d->flags[0] ? d->id : NULL},
		.match_reg = d->flags[1],
		.reg = (int64_t)d->reg,
		.epoch_below = d->flags[2] ? (int64_t)d->epoch : 0,
	};
	struct aero_slot_change change = {
		.who = d->flags[3] ? &d->who : NULL,
		.reg = d->flags[3] ? (int64_t)d->gen + 1 : 0,
		.blank = !d->flags[3] && d->flags[4],
		.epoch = d->flags[5] ? (int64_t)d->epoch : 0,
		.service_type = "masterful",
	};

	return aero_store_slot_update(store, &match, &change, err);
}

static int do_claim(const struct draw *d, struct aero_store *store, struct aero_err *err)
{
	struct aero_slot_change change = {
		.who = &d->who, .reg = (int64_t)d->reg, .service_type = "masterful"};
	struct aero_slot slot = {0};
	int rc = aero_store_slot_claim(store, d->service, d->except, &change, &slot, err);

	if (rc == AERO_OK)
		say_slot(&slot);
	aero_slot_clear(&slot);
	return rc;
}

static int do_insert(const struct draw *d, struct aero_store *store, struct aero_err *err)
{
	char name[3][64], service[64], type[16] = "masterful", none[1] = "";
	struct aero_slot slots[3];
	size_t first = 0, n = 0;

	while (names[first] != d->name)
		first++;
	(void)snprintf(service, sizeof(service), "%s",
		*d->name == 'd' ? services[0] : services[1]);
	for (; n <= d->gen && first + n < AERO_COUNT(names) &&
		*names[first + n] == *service;
		n++) {
		(void)snprintf(name[n], sizeof(name[n]), "%s", names[first + n]);
		slots[n] = (struct aero_slot){.hostname = name[n],
			.service = service,
			.service_type = type,
			.who = {.instance_id = none, .ip = none, .ip6 = none}};
	}
	return aero_store_slots_insert(store, slots, n, err);
}

static int do_find(const struct draw *d, struct aero_store *store, struct aero_err *err)
{
	struct aero_slot slot = {0};
	int rc = d->flags[0] ? aero_store_by_hostname(store, d->name, &slot, err)
			     : aero_store_by_instance(store, d->id, &slot, err);

	if (rc == AERO_OK)
		say_slot(&slot);
	aero_slot_clear(&slot);
	return rc;
}

static int do_slots(const struct draw *d, struct aero_store *store, struct aero_err *err)
{
	struct aero_slots slots = {0};
	int rc = aero_store_slots(store, d->flags[0] ? d->service : NULL, &slots, err);

	for (size_t i = 0; i < AERO_COUNT(names); i++) /* they come in no order */
		for (size_t j = 0; j < slots.n; j++)
			if (strcmp(slots.v[j].hostname, names[i]) == 0)
				say_slot(&slots.v[j]);
	aero_slots_clear(&slots);
	return rc;
}

static int do_node(const struct draw *d, struct aero_store *store, struct aero_err *err)
{
	struct aero_node node;
	int rc = aero_store_node(store, d->id, &node, err);

	if (rc != AERO_OK)
		return rc;
	say(" node %d g%d%s%s", node.exists, (int)node.gen, node.left ? " left" : "",
		node.dead ? " dead" : "");
	if (d->flags[0]) /* a stale one */
		node.gen = (int64_t)d->gen;
	if (node.gen > 200)
		return rc;
	return aero_store_node_update(store, d->id, &node, d->flags[1], d->flags[2],
		d->flags[2] ? "stopped" : "", err);
}

static int do_control(
	const struct draw *d, struct aero_store *store, struct aero_err *err)
{
	struct aero_control control = {0};
	int rc = aero_store_control(store, d->service, &control, err);

	if (rc != AERO_OK)
		return rc;
	say(" control e%d", (int)control.epoch);
	if (control.open) {
		say_who(&control.promote);
		say_who(&control.master);
	}
	if (control.epoch < 200 && d->flags[0])
		rc = aero_store_control_open(store, d->service,
			control.epoch + (d->flags[1] ? 1 : (int64_t)d->gen), &d->who,
			&d->master, err);
	else if (control.epoch > 0)
		rc = aero_store_control_close(
			store, d->service, control.epoch - d->flags[1], err);
	aero_control_clear(&control);
	return rc;
}

static int do_aliases(
	const struct draw *d, struct aero_store *store, struct aero_err *err)
{
	return aero_store_aliases_take(store, &d->who.aliases, d->id, err);
}

/* As an actor does it; the flags make one of the things that were read another. */
static int do_change(const struct draw *d, struct aero_store *store, struct aero_err *err)
{
	struct aero_control control = {0};
	struct aero_slot own = {0}, master = {0};
	struct aero_change_over change;
	int rc = aero_store_control(store, "db", &control, err);

	if (rc == AERO_OK)
		rc = aero_store_by_instance(store, d->id, &own, err);
	if (rc == AERO_OK)
		rc = aero_store_by_hostname(store, "db-master", &master, err);
	if (rc == AERO_OK && control.epoch < 200) {
		change = (struct aero_change_over){.service = "db",
			.epoch = control.epoch + (d->reg == 1 ? (int64_t)d->gen : 1),
			.hostname = d->reg == 2 ? d->name : own.hostname,
			.reg = own.reg + (d->reg == 3 && d->flags[0]),
			.promote = &d->who,
			.master_hostname = "db-master",
			.master_reg = master.reg + (d->reg == 3 && d->flags[1]),
			.master = d->reg == 4 && d->flags[0] ? &d->master : &master.who,
			.new_reg = (int64_t)d->epoch};
		rc = aero_store_change_over(store, &change, err);
		changes[rc == AERO_OK ? 0 : rc == AERO_MISS ? 1 : 2]++;
	}
	aero_control_clear(&control);
	aero_slot_clear(&own);
	aero_slot_clear(&master);
	return rc;
}

static int (*const ops[])(const struct draw *, struct aero_store *, struct aero_err *) = {
	do_update, do_update, do_update, do_claim, do_claim, do_insert, do_find, do_slots,
	do_node, do_control, do_aliases, do_change, do_change};

/* n operations on ours and another store; what each said is the same. */
static void same_answers(struct aero_store *other, unsigned long n)
{
	struct world world = {0};
	struct search_store ours;
	struct aero_err err = {{0}};
	char theirs[sizeof(words)];
	unsigned long ok = 0, miss = 0, dup = 0;
	struct draw d;
	int rc;

	search_store_init(&ours, &world);
	ours.transactions = true;
	memset(changes, 0, sizeof(changes));
	for (unsigned long i = 0; i < n; i++) {
		draw(&d);
		len = 0;
		words[0] = '\0';
		rc = ops[d.op](&d, other, &err);
		say(" -> %s", aero_rc_words(rc));
		(void)snprintf(theirs, sizeof(theirs), "%s", words);
		len = 0;
		rc = ops[d.op](&d, &ours.base, &err);
		say(" -> %s", aero_rc_words(rc));
		if (strcmp(words, theirs) != 0)
			fail_msg("operation %lu (%zu): theirs%s, ours%s", i, d.op, theirs,
				words);
		ok += rc == AERO_OK;
		miss += rc == AERO_MISS;
		dup += rc == AERO_DUP_HOSTNAME || rc == AERO_DUP_INSTANCE;
		aero_occupant_clear(&d.who);
		aero_occupant_clear(&d.master);
	}
	printf("%lu operations: %lu ok, %lu miss, %lu duplicate; change-overs: %lu ok, "
	       "%lu miss, %lu refused\n",
		n, ok, miss, dup, changes[0], changes[1], changes[2]);
	assert_true(ok > n / 10 && miss > n / 50 && dup > n / 50);
	assert_true(changes[0] > n / 1000 && changes[1] > n / 200 && changes[2] > 0);
}

static void it_acts_like_the_scripted_store(void **state)
{
	(void)state;
	for (uint64_t turn = 1; turn <= 10; turn++) {
		struct fake_store *fake = fake_store_new();

		fake->transactions = true;
		seed = turn;
		same_answers(&fake->base, 2000);
		aero_store_close(&fake->base);
	}
}

static void it_acts_like_the_lmdb_store(void **state)
{
	char server[600];
	struct aero_store_opts opts = {.server = server};
	struct aero_store *store = NULL;
	struct aero_err err;

	(void)state;
	(void)snprintf(server, sizeof(server), "lmdb:%s", test_path("store.mdb"));
	if (aero_store_open(&opts, &store, &err) != AERO_OK)
		fail_msg("%s", err.msg);
	seed = 4711;
	same_answers(store, test_by_length(2000, 20000));
	aero_store_close(store);
	test_dir_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_acts_like_the_scripted_store),
		cmocka_unit_test(it_acts_like_the_lmdb_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
