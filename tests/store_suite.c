/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support.h"
#include "lib/store_ops.h"
#include "tests/store_suite.h"

struct aero_store *suite_store;
const struct store_suite_env *suite_env;
struct aero_err suite_err;

int suite_setup(void **state)
{
	(void)state;
	suite_env->reset();
	suite_store = suite_env->open(false);
	return suite_store == NULL ? -1 : 0;
}

int suite_teardown(void **state)
{
	(void)state;
	aero_store_close(suite_store);
	suite_store = NULL;
	return 0;
}

int store_suite_run(const struct store_suite_env *env)
{
	int failed;

	suite_env = env;
	failed = _cmocka_run_group_tests(
		env->name, suite_store_tests, suite_n_store_tests, NULL, NULL);
	failed += _cmocka_run_group_tests(
		env->name, suite_change_tests, suite_n_change_tests, NULL, NULL);
	return failed + _cmocka_run_group_tests(env->name, suite_watch_tests,
				suite_n_watch_tests, NULL, NULL);
}

/* ---- data ---- */

struct aero_slot *suite_slot(const char *hostname, const char *service,
	const char *instance_id, const char *ip, const char *aliases)
{
	static struct aero_slot slots[8];
	static unsigned turn;
	struct aero_slot *slot = &slots[turn++ % 8];

	aero_slot_clear(slot);
	slot->hostname = strdup(hostname);
	slot->service = strdup(service);
	slot->service_type =
		strdup(strcmp(service, "db") == 0 ? "masterful" : "iterative");
	slot->who.instance_id = strdup(instance_id);
	slot->who.ip = strdup(ip);
	slot->who.ip6 = strdup("");
	while (aliases != NULL && *aliases != '\0') {
		size_t len = strcspn(aliases, ",");

		assert_true(aero_list_addn(&slot->who.aliases, aliases, len));
		aliases += len + (aliases[len] == ',');
	}
	return slot;
}

void suite_insert(struct aero_store *store, const struct aero_slot *slot)
{
	SUITE_RC(aero_store_slots_insert(store, slot, 1, err), AERO_OK);
}

void suite_insert_blank(struct aero_store *store, const char *service, int n)
{
	struct aero_slots slots = {0};
	char hostname[64];

	for (int i = 0; i < n; i++) {
		(void)snprintf(hostname, sizeof(hostname), "%s-%d", service, i);
		assert_true(aero_slots_add(
			&slots, suite_slot(hostname, service, "", "", NULL)));
	}
	SUITE_RC(aero_store_slots_insert(store, slots.v, slots.n, err), AERO_OK);
	aero_slots_clear(&slots);
}

size_t suite_original(bson_t **ret, size_t max)
{
	const char *top = getenv("top_srcdir");
	char path[4096], *text, *line, *end;
	bson_error_t error;
	size_t n = 0;

	(void)snprintf(path, sizeof(path), "%s/tests/data/original.json",
		top == NULL ? "." : top);
	text = test_read(path);
	for (line = text; *line != '\0'; line = end) {
		end = strchrnul(line, '\n');
		assert_true(n < max);
		ret[n] = bson_new_from_json(
			(const uint8_t *)line, (ssize_t)(end - line), &error);
		if (ret[n] == NULL)
			fail_msg("line %zu: %s", n + 1, error.message);
		n++;
		end += *end == '\n';
	}
	free(text);
	return n;
}

void suite_docs_free(bson_t **docs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bson_destroy(docs[i]);
}

/* ---- mirrors ---- */

static size_t mirror_find(const struct suite_mirror *mirror, const bson_t *id)
{
	size_t i = 0;

	while (i < mirror->n && !bson_equal(mirror->ids[i], id))
		i++;
	return i;
}

static void mirror_drop(struct suite_mirror *mirror, size_t i)
{
	bson_destroy(mirror->ids[i]);
	bson_destroy(mirror->docs[i]);
	mirror->n--;
	mirror->ids[i] = mirror->ids[mirror->n];
	mirror->docs[i] = mirror->docs[mirror->n];
}

static bool mirror_change(struct suite_mirror *mirror, const struct aero_change *change)
{
	size_t at = mirror_find(mirror, change->id);
	bson_t *old = at < mirror->n ? mirror->docs[at] : NULL, *doc;
	bool gone;

	doc = aero_change_apply(old, change, &gone);
	if (doc == NULL)
		return gone && (old == NULL || (mirror_drop(mirror, at), true));
	if (old != NULL)
		mirror_drop(mirror, at);
	at = mirror->n++;
	mirror->ids = reallocarray(mirror->ids, mirror->n, sizeof(*mirror->ids));
	mirror->docs = reallocarray(mirror->docs, mirror->n, sizeof(*mirror->docs));
	assert_true(mirror->ids != NULL && mirror->docs != NULL);
	mirror->ids[at] = bson_copy(change->id);
	mirror->docs[at] = doc;
	return true;
}

/* False: an _id comes twice. */
static bool mirror_whole(struct suite_mirror *mirror, const struct aero_docs *docs)
{
	struct aero_docs_at at = {0};
	bool once = true;
	bson_t doc;

	while (mirror->n > 0)
		mirror_drop(mirror, mirror->n - 1);
	while (once && aero_docs_next(docs, &at, &doc)) {
		struct aero_change change = {.id = aero_doc_id(&doc), .doc = &doc};

		once = mirror_find(mirror, change.id) == mirror->n &&
		       mirror_change(mirror, &change);
		bson_destroy(change.id);
	}
	return once;
}

bool suite_mirror_apply(struct suite_mirror *mirror, const struct aero_batch *batch)
{
	if (batch->kind == AERO_BATCH_FULL || batch->kind == AERO_BATCH_POLL) {
		if (!mirror_whole(mirror, &batch->docs) || mirror->n != batch->n)
			return false;
	} else {
		for (size_t i = 0; i < batch->n; i++)
			if (!mirror_change(mirror, &batch->v[i]))
				return false;
	}
	aero_position_clear(&mirror->at);
	mirror->at.source_time = batch->position.source_time;
	mirror->at.token_len = batch->position.token_len;
	mirror->at.token = malloc(batch->position.token_len + 1);
	assert_non_null(mirror->at.token);
	if (batch->position.token_len > 0)
		memcpy(mirror->at.token, batch->position.token,
			batch->position.token_len);
	return true;
}

static bool mirror_has(const struct suite_mirror *mirror, const char *hostname)
{
	bson_iter_t it;

	for (size_t i = 0; i < mirror->n; i++)
		if (bson_iter_init_find(&it, mirror->docs[i], "hostname") &&
			BSON_ITER_HOLDS_UTF8(&it) &&
			strcmp(bson_iter_utf8(&it, NULL), hostname) == 0)
			return true;
	return false;
}

bool suite_mirror_until(
	struct suite_mirror *mirror, struct aero_watch *watch, const char *hostname)
{
	struct aero_batch batch = {0};
	struct aero_err err = {{0}};
	time_t end = time(NULL) + 20;
	bool fits = true;
	int rc;

	while (fits && !mirror_has(mirror, hostname) && time(NULL) < end) {
		rc = aero_watch_next(watch, 1000, &batch, &err);
		if (rc != AERO_OK)
			fail_msg("next: %s (%s)", aero_rc_words(rc), err.msg);
		fits = suite_mirror_apply(mirror, &batch);
		aero_batch_clear(&batch);
	}
	return fits && mirror_has(mirror, hostname);
}

void suite_mirror_check(const struct suite_mirror *mirror, struct aero_store *store)
{
	struct aero_watch_opts opts = {.poll_interval = 1};
	struct aero_watch *watch = NULL;
	struct aero_batch batch = {0};
	struct aero_docs_at place = {0};
	bson_t doc;

	SUITE_RC(aero_watch_open(store, &opts, &watch, err), AERO_OK);
	SUITE_RC(aero_watch_next(watch, 5000, &batch, err), AERO_OK);
	assert_true(batch.kind == AERO_BATCH_FULL || batch.kind == AERO_BATCH_POLL);
	assert_int_equal(mirror->n, batch.n);
	while (aero_docs_next(&batch.docs, &place, &doc)) {
		bson_t *id = aero_doc_id(&doc);
		size_t at = mirror_find(mirror, id);
		char *have, *want;

		bson_destroy(id);
		assert_true(at < mirror->n);
		have = bson_as_canonical_extended_json(mirror->docs[at], NULL);
		want = bson_as_canonical_extended_json(&doc, NULL);
		assert_string_equal(have, want);
		bson_free(have);
		bson_free(want);
	}
	aero_batch_clear(&batch);
	aero_watch_close(watch);
}

void suite_mirror_clear(struct suite_mirror *mirror)
{
	while (mirror->n > 0)
		mirror_drop(mirror, mirror->n - 1);
	free(mirror->ids);
	free(mirror->docs);
	aero_position_clear(&mirror->at);
	*mirror = (struct suite_mirror){0};
}

/* ---- crowds ---- */

static struct member {
	suite_work *work;
	int turn;
	pid_t pid;
	pthread_t thread;
	int failed;
} crowd[64];
static int n_crowd;

static void *member_main(void *arg)
{
	struct member *m = arg;
	struct aero_store *store = suite_env->open(false);

	m->failed = store == NULL ? 1 : m->work(store, m->turn);
	aero_store_close(store);
	return NULL;
}

void suite_crowd_start(suite_work *work, int n)
{
	assert_true(n <= (int)AERO_COUNT(crowd));
	(void)fflush(NULL);
	for (n_crowd = 0; n_crowd < n; n_crowd++) {
		struct member *m = &crowd[n_crowd];

		*m = (struct member){.work = work, .turn = n_crowd, .pid = -1};
		if (!suite_env->processes) {
			assert_int_equal(
				pthread_create(&m->thread, NULL, member_main, m), 0);
			continue;
		}
		m->pid = fork();
		assert_true(m->pid >= 0);
		if (m->pid == 0) {
			(void)member_main(m);
			_exit(m->failed);
		}
	}
}

void suite_crowd_join(void)
{
	int failed = 0, status;

	for (int i = 0; i < n_crowd; i++) {
		if (!suite_env->processes) {
			(void)pthread_join(crowd[i].thread, NULL);
			failed += crowd[i].failed != 0;
		} else {
			failed += waitpid(crowd[i].pid, &status, 0) != crowd[i].pid ||
				  status != 0;
		}
	}
	n_crowd = 0;
	if (failed > 0)
		fail_msg("%d of the crowd failed", failed);
}
