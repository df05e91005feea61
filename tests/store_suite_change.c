/* SPDX-License-Identifier: MIT */
/* The suite's third part: a change-over in one piece. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/support.h"
#include "tests/store_suite.h"

static struct aero_slot own, master;
static struct aero_control control;
static struct aero_change_over change;

static void forget(void)
{
	aero_slot_clear(&own);
	aero_slot_clear(&master);
	aero_control_clear(&control);
}

/* What p reads before it asks for it. */
static int read_all(struct aero_store *store, const char *p, struct aero_err *err)
{
	int rc;

	forget();
	rc = aero_store_control(store, "db", &control, err);
	if (rc == AERO_OK)
		rc = aero_store_by_instance(store, p, &own, err);
	if (rc == AERO_OK)
		rc = aero_store_by_hostname(store, "db-master", &master, err);
	if (rc == AERO_OK)
		change = (struct aero_change_over){.service = "db",
			.epoch = control.epoch + 1,
			.hostname = own.hostname,
			.reg = own.reg,
			.promote = &own.who,
			.master_hostname = "db-master",
			.master_reg = master.reg,
			.master = &master.who,
			.new_reg = 77 + control.epoch};
	return rc;
}

/* db-master=m, db-slave-1=p, db-slave-2 blank; p and m with all that is theirs. */
static void begin(void)
{
	suite_insert(suite_store, suite_slot("db-master", "db", "m", "10.0.0.1", "old"));
	suite_insert(
		suite_store, suite_slot("db-slave-1", "db", "p", "10.0.0.2", "fast,x"));
	suite_insert(suite_store, suite_slot("db-slave-2", "db", "", "", NULL));
	SUITE_RC(read_all(suite_store, "p", err), AERO_OK);
}

/* All that a change-over may touch, at a glance. */
static const char *show(void)
{
	static const char *const names[] = {"db-master", "db-slave-1", "db-slave-2"};
	static const char *const ids[] = {"m", "p"};
	static char text[1024];
	struct aero_control c = {0};
	struct aero_node node;
	size_t at = 0;

	for (size_t i = 0; i < AERO_COUNT(names); i++) {
		struct aero_slot slot = {0};

		SUITE_RC(aero_store_by_hostname(suite_store, names[i], &slot, err),
			AERO_OK);
		at += (size_t)snprintf(text + at, sizeof(text) - at,
			"%s%s:%s:%zu r%d e%d, ", slot.who.instance_id, slot.who.ip,
			slot.who.aliases.n > 0 ? slot.who.aliases.v[0] : "",
			slot.who.aliases.n, (int)slot.reg, (int)slot.epoch);
		aero_slot_clear(&slot);
	}
	for (size_t i = 0; i < AERO_COUNT(ids); i++) {
		SUITE_RC(aero_store_node(suite_store, ids[i], &node, err), AERO_OK);
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s g%d%s, ", ids[i],
			(int)node.gen,
			node.dead   ? " dead"
			: node.left ? " left"
				    : "");
	}
	SUITE_RC(aero_store_control(suite_store, "db", &c, err), AERO_OK);
	(void)snprintf(
		text + at, sizeof(text) - at, "e%d%s", (int)c.epoch, c.open ? " op" : "");
	aero_control_clear(&c);
	return text;
}

static void certify(const char *id, bool left, bool dead)
{
	struct aero_node node;

	SUITE_RC(aero_store_node(suite_store, id, &node, err), AERO_OK);
	SUITE_RC(aero_store_node_update(
			 suite_store, id, &node, left, dead, "stopped", err),
		AERO_OK);
}

static void a_change_over_moves_both_at_once(void **state)
{
	(void)state;
	begin();
	if (suite_env->no_transactions) {
		SUITE_RC(aero_store_change_over(suite_store, &change, err), AERO_REFUSED);
		assert_string_equal(show(), "m10.0.0.1:old:1 r0 e0, "
					    "p10.0.0.2:fast:2 r0 e0, ::0 r0 e0, "
					    "m g0, p g0, e0");
		goto out;
	}
	SUITE_RC(aero_store_change_over(suite_store, &change, err), AERO_OK);
	assert_string_equal(show(), "p10.0.0.2:fast:2 r77 e1, "
				    "m10.0.0.1:old:1 r77 e0, ::0 r0 e0, "
				    "m g0, p g1, e1");
	/* Again, as it was read: no. And back. */
	SUITE_RC(aero_store_change_over(suite_store, &change, err), AERO_MISS);
	SUITE_RC(read_all(suite_store, "m", err), AERO_OK);
	SUITE_RC(aero_store_change_over(suite_store, &change, err), AERO_OK);
	assert_string_equal(show(), "m10.0.0.1:old:1 r78 e2, "
				    "p10.0.0.2:fast:2 r78 e0, ::0 r0 e0, "
				    "m g1, p g1, e2");
out:
	forget();
}

enum what {
	EPOCH,
	OPEN,
	OWN_REG,
	OWN_NAME,
	MASTER_REG,
	MASTER_ID,
	P_DEAD,
	P_LEFT,
	NO_GAP
};

static void disturb(enum what what)
{
	static char other[] = "q", service[] = "other";
	struct aero_slot_match match = {.hostname = "db-slave-1"};
	struct aero_slot_change renew = {.who = &own.who, .reg = 5, .renew = true};
	static struct aero_occupant nobody = {.instance_id = other};

	switch (what) {
	case EPOCH:
	case OPEN:
		SUITE_RC(aero_store_control_open(
				 suite_store, "db", 1, &nobody, &nobody, err),
			AERO_OK);
		if (what == EPOCH)
			SUITE_RC(aero_store_control_close(suite_store, "db", 1, err),
				AERO_OK);
		break;
	case OWN_REG:
		SUITE_RC(aero_store_slot_update(suite_store, &match, &renew, err),
			AERO_OK);
		break;
	case OWN_NAME:
		change.hostname = "db-slave-2";
		break;
	case MASTER_REG:
		match.hostname = "db-master";
		renew.who = &master.who;
		SUITE_RC(aero_store_slot_update(suite_store, &match, &renew, err),
			AERO_OK);
		break;
	case MASTER_ID:
		change.master = &nobody;
		break;
	case P_DEAD:
	case P_LEFT:
		certify("p", what == P_LEFT, what == P_DEAD);
		break;
	case NO_GAP:
	default:
		change.service = service; /* none of the slots is one of it */
	}
}

static void whatever_changed_since_is_missed(void **state)
{
	static const struct {
		enum what what;
		int rc;
	} rows[] = {
		{EPOCH, AERO_MISS},
		{OPEN, AERO_MISS},
		{OWN_REG, AERO_MISS},
		{OWN_NAME, AERO_MISS},
		{MASTER_REG, AERO_MISS},
		{MASTER_ID, AERO_MISS},
		{P_DEAD, AERO_REFUSED},
		{P_LEFT, AERO_REFUSED},
		{NO_GAP, AERO_REFUSED},
	};
	char before[1024];

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows) && !suite_env->no_transactions; i++) {
		if (i > 0)
			suite_env->reset();
		begin();
		disturb(rows[i].what);
		(void)snprintf(before, sizeof(before), "%s", show());
		SUITE_RC(aero_store_change_over(suite_store, &change, err), rows[i].rc);
		if (strcmp(show(), before) != 0)
			fail_msg("row %zu: %s, not %s", i, show(), before);
	}
	forget();
}

static void a_dead_old_master_gets_no_place(void **state)
{
	(void)state;
	for (int left = 0; left < 2 && !suite_env->no_transactions; left++) {
		if (left)
			suite_env->reset();
		begin();
		certify("m", left, !left);
		SUITE_RC(aero_store_change_over(suite_store, &change, err), AERO_OK);
		assert_string_equal(show(), left ? "p10.0.0.2:fast:2 r77 e1, "
						   ":fast:2 r0 e0, ::0 r0 e0, "
						   "m g1 left, p g1, e1"
						 : "p10.0.0.2:fast:2 r77 e1, "
						   ":fast:2 r0 e0, ::0 r0 e0, "
						   "m g1 dead, p g1, e1");
	}
	forget();
}

/* ---- a crowd of callers, and one who watches ---- */

enum { CALLERS = 4, CALLS = 8 };

/* Ask for it again and again, whatever becomes of it; then say that this was all. */
static int call(struct aero_store *store, int turn)
{
	struct aero_slot a = {0}, m = {0}, end = {0};
	struct aero_control c = {0};
	struct aero_change_over over;
	char id[8], name[16], service[] = "end", none[1] = "";
	int rc = AERO_OK, done = 0;

	(void)snprintf(id, sizeof(id), "i-%d", turn);
	(void)snprintf(name, sizeof(name), "end-%d", turn);
	for (int tries = 0; done < CALLS && tries < 2000; tries++) {
		rc = aero_store_control(store, "db", &c, NULL);
		if (rc == AERO_OK)
			rc = aero_store_by_instance(store, id, &a, NULL);
		if (rc == AERO_OK)
			rc = aero_store_by_hostname(store, "db-master", &m, NULL);
		over = (struct aero_change_over){"db", c.epoch + 1, a.hostname, a.reg,
			&a.who, "db-master", m.reg, &m.who, 10000 * turn + tries + 1};
		if (rc == AERO_OK && strcmp(a.hostname, "db-master") != 0) {
			rc = aero_store_change_over(store, &over, NULL);
			done += rc == AERO_OK;
		} else {
			(void)usleep(1000);
		}
		aero_slot_clear(&a);
		aero_slot_clear(&m);
		aero_control_clear(&c);
		if (rc != AERO_OK && rc != AERO_MISS && rc != AERO_NET)
			return 1;
	}
	end = (struct aero_slot){.hostname = name,
		.service = service,
		.service_type = none,
		.who = {.instance_id = none, .ip = none, .ip6 = none}};
	return aero_store_slots_insert(store, &end, 1, NULL) != AERO_OK;
}

static const char *text_of(const bson_t *doc, const char *key)
{
	bson_iter_t it;

	return bson_iter_init_find(&it, doc, key) && BSON_ITER_HOLDS_UTF8(&it)
		       ? bson_iter_utf8(&it, NULL)
		       : "";
}

/* In what one batch shows there is one master, and each caller is there once. */
static void check_shown(const struct suite_mirror *mirror)
{
	size_t ends = 0;
	int held[CALLERS] = {0}, masters = 0;

	for (size_t i = 0; i < mirror->n; i++) {
		const char *id = text_of(mirror->docs[i], "instance_id");

		masters +=
			strcmp(text_of(mirror->docs[i], "hostname"), "db-master") == 0 &&
			*id != '\0';
		ends += strcmp(text_of(mirror->docs[i], "service"), "end") == 0;
		if (strncmp(id, "i-", 2) == 0)
			held[id[2] - '0']++;
	}
	if (mirror->n - ends < CALLERS)
		return; /* they are still being put in */
	if (masters != 1)
		fail_msg("%d masters are shown", masters);
	for (int i = 0; i < CALLERS; i++)
		if (held[i] != 1)
			fail_msg("i-%d is shown %d times", i, held[i]);
}

static void whoever_watches_sees_one_master(void **state)
{
	struct aero_watch_opts opts = {.poll_interval = 60};
	struct suite_mirror mirror = {0};
	struct aero_watch *watch = NULL;
	struct aero_batch batch = {0};
	struct aero_control c = {0};
	time_t end = time(NULL) + 120;
	size_t shown = 0;

	(void)state;
	if (suite_env->no_transactions)
		return;
	for (int i = 0; i < CALLERS; i++) {
		char name[16], id[8];

		(void)snprintf(
			name, sizeof(name), i == 0 ? "db-master" : "db-slave-%d", i);
		(void)snprintf(id, sizeof(id), "i-%d", i);
		suite_insert(suite_store, suite_slot(name, "db", id, "10.0.0.1", NULL));
	}
	SUITE_RC(aero_watch_open(suite_store, &opts, &watch, err), AERO_OK);
	suite_crowd_start(call, CALLERS);
	while (mirror.n < 2 * (size_t)CALLERS && time(NULL) < end) {
		SUITE_RC(aero_watch_next(watch, 1000, &batch, err), AERO_OK);
		assert_true(suite_mirror_apply(&mirror, &batch));
		shown += batch.n > 0;
		aero_batch_clear(&batch);
		check_shown(&mirror);
	}
	suite_crowd_join();
	assert_int_equal(mirror.n, 2 * CALLERS);
	SUITE_RC(aero_store_control(suite_store, "db", &c, err), AERO_OK);
	print_message("# %d change-overs in %zu batches\n", (int)c.epoch, shown);
	assert_in_range(c.epoch, CALLERS, CALLERS * CALLS);
	assert_false(c.open);
	aero_watch_close(watch);
	suite_mirror_clear(&mirror);
}

const struct CMUnitTest suite_change_tests[] = {
	SUITE_TEST(a_change_over_moves_both_at_once),
	SUITE_TEST(whatever_changed_since_is_missed),
	SUITE_TEST(a_dead_old_master_gets_no_place),
	SUITE_TEST(whoever_watches_sees_one_master),
};
const size_t suite_n_change_tests = AERO_COUNT(suite_change_tests);
