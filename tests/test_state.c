/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support.h"
#include "lib/store_ops.h"
#include "syncd/document.h"
#include "syncd/state.h"

static struct aero_err err, warning;

static bson_t *json(const char *text)
{
	bson_error_t error;
	bson_t *doc = bson_new_from_json((const uint8_t *)text, -1, &error);

	if (doc == NULL)
		fail_msg("%s: %s", text, error.message);
	return doc;
}

/* A change: `+{doc}`, `-{_id}` or `~{_id, fields to set}`. */
static void add(struct aero_batch *batch, const char *text)
{
	struct aero_change change = {0};
	bson_t *doc = json(text + 1);

	if (batch->kind != AERO_BATCH_DELTA) {
		assert_int_equal(*text, '+');
		assert_true(aero_docs_add(&batch->docs, doc));
		batch->n++;
		bson_destroy(doc);
		return;
	}
	change.id = aero_doc_id(doc);
	if (*text == '+')
		change.doc = bson_copy(doc);
	if (*text == '~') {
		change.set = bson_new();
		bson_copy_to_excluding_noinit(doc, change.set, "_id", NULL);
	}
	bson_destroy(doc);
	assert_true(aero_batch_add(batch, &change));
}

static struct aero_batch batch_of(
	enum aero_batch_kind kind, unsigned position, const char *const *changes)
{
	struct aero_batch batch = {.kind = kind};

	for (; *changes != NULL; changes++)
		add(&batch, *changes);
	assert_true(aero_position_set(
		&batch.position, &position, sizeof(position), position));
	return batch;
}

static struct aero_state *open_state(const char *source)
{
	struct aero_state *state = NULL;
	int rc = aero_state_open(test_path("state.mdb"), source, &state, &warning, &err);

	if (rc != AERO_OK)
		fail_msg("%s", err.msg);
	return state;
}

/* All documents, in order of their keys, as JSON lines. */
static char *text_of(struct aero_state *state);

static int print_each(
	void *arg, const void *id, size_t id_len, const bson_t *doc, struct aero_err *e)
{
	unsigned char key[AERO_DOCUMENT_KEY_MAX];
	char *text = bson_as_relaxed_extended_json(doc, NULL);

	(void)e;
	assert_int_equal(aero_document_key(doc, key), id_len);
	assert_memory_equal(key, id, id_len);
	(void)fprintf(arg, "%s\n", text);
	bson_free(text);
	return AERO_OK;
}

static char *text_of(struct aero_state *state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	assert_int_equal(aero_state_load(state, print_each, f, &err), AERO_OK);
	assert_int_equal(fclose(f), 0);
	return text;
}

static int count_each(
	void *arg, const void *id, size_t id_len, const bson_t *doc, struct aero_err *e)
{
	int *counts = arg;

	(void)id;
	(void)e;
	assert_true(id_len > 0);
	counts[doc == NULL]++;
	return AERO_OK;
}

static void expect(struct aero_state *state, const char *want)
{
	char *text = text_of(state);

	assert_string_equal(text, want);
	free(text);
}

static void fresh(void)
{
	(void)unlink(test_path("state.mdb"));
	(void)unlink(test_path("state.mdb.damaged"));
}

static unsigned position(const struct aero_state *state)
{
	const struct aero_position *at = &aero_state_meta(state)->position;
	unsigned number = 0;

	if (at->token_len == sizeof(number))
		memcpy(&number, at->token, sizeof(number));
	assert_int_equal(at->source_time, number);
	return number;
}

static void batches_are_applied_and_said_how(void **unused)
{
	static const struct {
		enum aero_batch_kind kind;
		const char *changes[6];
		size_t added, removed, changed;
		const char *want;
		int rc;
	} rows[] = {
		{AERO_BATCH_FULL, {NULL}, 0, 0, 0, "", AERO_OK},
		{AERO_BATCH_FULL, {"+{\"_id\":2,\"a\":1}", "+{\"_id\":1,\"a\":1}", NULL},
			2, 0, 0,
			"{ \"_id\" : 1, \"a\" : 1 }\n{ \"_id\" : 2, \"a\" : 1 }\n",
			AERO_OK},
		{AERO_BATCH_FULL, {"+{\"_id\":2,\"a\":1}", "+{\"_id\":1,\"a\":1}", NULL},
			0, 0, 0,
			"{ \"_id\" : 1, \"a\" : 1 }\n{ \"_id\" : 2, \"a\" : 1 }\n",
			AERO_OK},
		{AERO_BATCH_POLL, {"+{\"_id\":3,\"a\":1}", "+{\"_id\":1,\"a\":2}", NULL},
			1, 1, 1,
			"{ \"_id\" : 1, \"a\" : 2 }\n{ \"_id\" : 3, \"a\" : 1 }\n",
			AERO_OK},
		{AERO_BATCH_DELTA,
			{"~{\"_id\":1,\"b\":5}", "-{\"_id\":3}", "+{\"_id\":\"x\"}",
				NULL},
			1, 1, 1,
			"{ \"_id\" : \"x\" }\n{ \"_id\" : 1, \"a\" : 2, \"b\" : 5 }\n",
			AERO_OK},
		{AERO_BATCH_DELTA,
			{"+{\"_id\":7}", "~{\"_id\":7,\"c\":1}", "-{\"_id\":7}", NULL}, 1,
			1, 1,
			"{ \"_id\" : \"x\" }\n{ \"_id\" : 1, \"a\" : 2, \"b\" : 5 }\n",
			AERO_OK},
		{AERO_BATCH_DELTA, {"-{\"_id\":99}", "+{\"_id\":\"x\"}", NULL}, 0, 0, 0,
			"{ \"_id\" : \"x\" }\n{ \"_id\" : 1, \"a\" : 2, \"b\" : 5 }\n",
			AERO_OK},
		/* a change of what is not here: nothing of the batch is applied */
		{AERO_BATCH_DELTA, {"-{\"_id\":1}", "~{\"_id\":98,\"a\":1}", NULL}, 0, 0,
			0, "{ \"_id\" : \"x\" }\n{ \"_id\" : 1, \"a\" : 2, \"b\" : 5 }\n",
			AERO_LOST},
		{AERO_BATCH_FULL, {"+{\"_id\":1,\"a\":1}", "+{\"_id\":1,\"a\":2}", NULL},
			0, 1, 1, "{ \"_id\" : 1, \"a\" : 2 }\n", AERO_OK},
		{AERO_BATCH_FULL, {NULL}, 0, 1, 0, "", AERO_OK},
	};
	struct aero_state *state;
	unsigned at = 0;

	(void)unused;
	fresh();
	for (unsigned i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_batch batch = batch_of(rows[i].kind, i + 1, rows[i].changes);
		struct aero_state_diff diff = {0};
		int counts[2] = {0};

		state = open_state("s");
		assert_string_equal(warning.msg, "");
		assert_int_equal(aero_state_meta(state)->synced, i > 0);
		assert_int_equal(position(state), at);
		assert_int_equal(aero_state_apply(state, &batch, i + 10, i + 20, true,
					 count_each, counts, &diff, &err),
			rows[i].rc);
		if (rows[i].rc == AERO_OK) {
			at = i + 1;
			assert_int_equal(aero_state_meta(state)->generation, i + 10);
			assert_int_equal(aero_state_meta(state)->full_at, i + 20);
		}
		assert_int_equal(diff.added, rows[i].added);
		assert_int_equal(diff.removed, rows[i].removed);
		assert_int_equal(diff.changed, rows[i].changed);
		assert_int_equal(counts[0], rows[i].added + rows[i].changed);
		assert_int_equal(counts[1], rows[i].removed);
		expect(state, rows[i].want);
		aero_state_close(state);
		state = open_state("s");
		expect(state, rows[i].want);
		assert_int_equal(position(state), at);
		aero_state_close(state);
		aero_batch_clear(&batch);
	}
}

static void an_equal_poll_writes_nothing(void **unused)
{
	static const char *const docs[] = {"+{\"_id\":1}", NULL};
	struct aero_batch first = batch_of(AERO_BATCH_POLL, 1, docs);
	struct aero_batch second = batch_of(AERO_BATCH_POLL, 2, docs);
	struct aero_state_diff diff;
	struct aero_state *state;
	int counts[2] = {0};

	(void)unused;
	fresh();
	state = open_state("s");
	assert_int_equal(aero_state_apply(state, &first, 1, 0, false, count_each, counts,
				 &diff, &err),
		AERO_OK);
	assert_int_equal(position(state), 1);
	assert_int_equal(aero_state_apply(state, &second, 2, 0, false, count_each, counts,
				 &diff, &err),
		AERO_OK);
	assert_int_equal(position(state), 1);
	assert_int_equal(aero_state_save(state, &second.position, 5, 6, &err), AERO_OK);
	assert_int_equal(position(state), 2);
	aero_state_close(state);
	state = open_state("s");
	assert_int_equal(position(state), 2);
	assert_int_equal(aero_state_meta(state)->generation, 5);
	assert_int_equal(aero_state_meta(state)->full_at, 6);
	aero_state_close(state);
	aero_batch_clear(&first);
	aero_batch_clear(&second);
}

static void what_cannot_be_gone_on_from_is_given_up(void **unused)
{
	static const char *const docs[] = {"+{\"_id\":1}", NULL};
	static const struct {
		const char *what, *warn;
		off_t cut; /* to so many bytes */
		const char *noise, *source;
	} rows[] = {
		{"another store", "another store", -1, NULL, "other"},
		{"noise", "damaged", -1, "this is no database at all", "s"},
		{"empty", "", 0, NULL, "s"},
		{"a few bytes", "damaged", 100, NULL, "s"},
		{"its end is gone", "damaged", 8192, NULL, "s"},
	};
	struct aero_state_diff diff;
	struct aero_state *state;
	int counts[2] = {0};

	(void)unused;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_batch batch = {.kind = AERO_BATCH_FULL};
		char doc[300];

		fresh();
		for (int n = 0; n < 1000; n++) {
			(void)snprintf(
				doc, sizeof(doc), "+{\"_id\":%d,\"x\":\"%0200d\"}", n, n);
			add(&batch, doc);
		}
		assert_true(aero_position_set(&batch.position, "x", 1, 3));
		state = open_state("s");
		assert_int_equal(aero_state_apply(state, &batch, 7, 0, true, count_each,
					 counts, &diff, &err),
			AERO_OK);
		aero_state_close(state);
		aero_batch_clear(&batch);
		if (rows[i].noise != NULL)
			test_write(test_path("state.mdb"), rows[i].noise);
		if (rows[i].cut >= 0)
			assert_int_equal(
				truncate(test_path("state.mdb"), rows[i].cut), 0);
		state = open_state(rows[i].source);
		if (*rows[i].warn == '\0' ? *warning.msg != '\0'
					  : strstr(warning.msg, rows[i].warn) == NULL)
			fail_msg("%s: '%s'", rows[i].what, warning.msg);
		assert_false(aero_state_meta(state)->synced);
		assert_int_equal(aero_state_meta(state)->position.token_len, 0);
		expect(state, "");
		/* and it works again */
		batch = batch_of(AERO_BATCH_FULL, 2, docs);
		assert_int_equal(aero_state_apply(state, &batch, 8, 0, true, count_each,
					 counts, &diff, &err),
			AERO_OK);
		aero_state_close(state);
		state = open_state(rows[i].source);
		assert_string_equal(warning.msg, "");
		assert_true(aero_state_meta(state)->synced);
		expect(state, "{ \"_id\" : 1 }\n");
		aero_state_close(state);
		aero_batch_clear(&batch);
	}
}

/* n documents of 2,000 bytes, named by turn. */
static struct aero_batch large(unsigned n, unsigned turn)
{
	struct aero_batch batch = {.kind = AERO_BATCH_FULL};
	char doc[2100];

	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(
			doc, sizeof(doc), "+{\"_id\":%u,\"x\":\"%01950u\"}", i, turn);
		add(&batch, doc);
	}
	assert_true(aero_position_set(&batch.position, &turn, sizeof(turn), turn));
	return batch;
}

static size_t n_documents(struct aero_state *state)
{
	int counts[2] = {0};

	assert_int_equal(aero_state_load(state, count_each, counts, &err), AERO_OK);
	return (size_t)counts[0];
}

/* It is written in pieces; one that cannot be leaves those before it. */
static void half_a_first_collection_is_none(void **unused)
{
	const struct rlimit limit = {6 << 20, RLIM_INFINITY};
	struct aero_batch batch = large(5000, 1), other = large(4000, 2);
	struct aero_state_diff diff;
	struct aero_state *state;
	struct rlimit old;
	size_t n;

	(void)unused;
	fresh();
	state = open_state("s");
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(
		aero_state_apply(state, &batch, 7, 0, true, NULL, NULL, &diff, &err),
		AERO_IO);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	for (int turn = 0; turn < 2; turn++) {
		n = n_documents(state);
		assert_true(n > 0 && n < 5000);
		assert_false(aero_state_meta(state)->synced);
		assert_int_equal(aero_state_meta(state)->generation, 0);
		assert_int_equal(aero_state_meta(state)->position.token_len, 0);
		aero_state_close(state);
		state = open_state("s");
	}
	assert_int_equal(
		aero_state_apply(state, &other, 8, 0, true, NULL, NULL, &diff, &err),
		AERO_OK);
	assert_true(aero_state_meta(state)->synced);
	assert_int_equal(n_documents(state), 4000);
	assert_int_equal(diff.added + diff.changed, 4000);
	/* what is whole is followed by what is whole */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(
		aero_state_apply(state, &batch, 9, 0, true, NULL, NULL, &diff, &err),
		AERO_IO);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(n_documents(state), 4000);
	assert_true(aero_state_meta(state)->synced);
	assert_int_equal(aero_state_meta(state)->generation, 8);
	aero_state_close(state);
	aero_batch_clear(&batch);
	aero_batch_clear(&other);
}

static void nobody_else_may_read_it(void **unused)
{
	struct aero_state *state;
	struct stat st;

	(void)unused;
	fresh();
	(void)umask(0);
	state = open_state("s");
	assert_int_equal(stat(test_path("state.mdb"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	aero_state_close(state);
	(void)umask(022);
}

/* ---- crashes ---- */

#define IDS 40

static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

/* The documents after so many batches; and the batch that leads there. */
static void model_step(unsigned number, char docs[IDS][80], struct aero_batch *ret)
{
	uint64_t seed = number;
	char change[100];

	if (ret != NULL)
		ret->kind = AERO_BATCH_DELTA;

	for (uint64_t n = next_random(&seed) % 5; n < 6; n++) {
		unsigned id = (unsigned)(next_random(&seed) % IDS);

		if (docs[id][0] != '\0' && next_random(&seed) % 3 == 0) {
			docs[id][0] = '\0';
			(void)snprintf(change, sizeof(change), "-{\"_id\":%u}", id);
		} else {
			(void)snprintf(docs[id], sizeof(docs[id]),
				"{\"_id\":%u,\"n\":%u,\"pad\":\"%0*u\"}", id, number,
				(int)(next_random(&seed) % 20 + 1), id);
			(void)snprintf(change, sizeof(change), "+%s", docs[id]);
		}
		if (ret != NULL)
			add(ret, change);
	}
	if (ret == NULL)
		return;
	/* sometimes it comes as a snapshot */
	if (number % 7 == 0) {
		aero_batch_clear(ret);
		ret->kind = AERO_BATCH_FULL;
		for (unsigned id = 0; id < IDS; id++) {
			(void)snprintf(change, sizeof(change), "+%.97s", docs[id]);
			if (docs[id][0] != '\0')
				add(ret, change);
		}
	}
	assert_true(aero_position_set(&ret->position, &number, sizeof(number), number));
}

static void apply_for_ever(struct aero_state *state, unsigned number, char docs[IDS][80])
{
	struct aero_batch batch = {0};
	struct aero_state_diff diff;
	int counts[2] = {0};

	for (;;) {
		model_step(++number, docs, &batch);
		if (aero_state_apply(state, &batch, number, 0, true, count_each, counts,
			    &diff, &err) != AERO_OK)
			_exit(1);
		aero_batch_clear(&batch);
	}
}

static void after_a_kill_it_is_exactly_at_a_batch(void **unused)
{
	static char docs[IDS][80];
	unsigned at = 0;
	uint64_t seed = (uint64_t)time(NULL);

	(void)unused;
	fresh();
	/* On a slow disk it takes longer turns to get anywhere. */
	for (int turn = 0; turn < 25 || (at <= 25 && turn < 2000); turn++) {
		struct timespec pause = {
			.tv_nsec = (long)(next_random(&seed) % 40000000 + 5000000)};
		struct aero_state *state;
		char *text, *line, *save = NULL;
		unsigned now;
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			apply_for_ever(open_state("s"), at, docs);
		(void)nanosleep(&pause, NULL);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		state = open_state("s");
		assert_string_equal(warning.msg, "");
		now = position(state);
		assert_true(now >= at);
		while (at < now)
			model_step(++at, docs, NULL);
		assert_int_equal(aero_state_meta(state)->generation, at);
		text = text_of(state);
		line = strtok_r(text, "\n", &save);
		for (unsigned id = 0; id < IDS; id++) {
			bson_t *want;
			char *want_text;

			if (docs[id][0] == '\0')
				continue;
			want = json(docs[id]);
			want_text = bson_as_relaxed_extended_json(want, NULL);
			assert_non_null(line);
			assert_string_equal(line, want_text);
			bson_free(want_text);
			bson_destroy(want);
			line = strtok_r(NULL, "\n", &save);
		}
		assert_null(line);
		free(text);
		aero_state_close(state);
	}
	print_message("%u batches\n", at);
	assert_true(at > 25);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batches_are_applied_and_said_how),
		cmocka_unit_test(an_equal_poll_writes_nothing),
		cmocka_unit_test(what_cannot_be_gone_on_from_is_given_up),
		cmocka_unit_test(half_a_first_collection_is_none),
		cmocka_unit_test(nobody_else_may_read_it),
		cmocka_unit_test(after_a_kill_it_is_exactly_at_a_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
