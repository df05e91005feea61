/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "legacy/writer.h"
#include "lib/file.h"
#include "lib/identity.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "mirror/reader.h"
#include "syncd/guard.h"
#include "syncd/mirror.h"
#include "syncd/report.h"
#include "syncd/rows.h"

#define LIB_DIR "/var/lib/aerostat"
#define LONG_AGO (INT64_MIN / 2)

/* ---- opening ---- */

static int new_answers(
	const struct aero_conf *conf, struct aero_answers **ret, struct aero_err *err)
{
	const struct aero_answers_opts opts = {.domain = conf->domain,
		.zones = &conf->zones,
		.service_names = conf->service_names,
		.loopback = conf->offline};

	return aero_answers_new(&opts, ret, err);
}

static int put(
	void *arg, const void *id, size_t id_len, const bson_t *doc, struct aero_err *err)
{
	struct aero_mirror *m = arg;

	m->set_made = false; /* it points into what changes now */
	return aero_answers_put(m->answers, id, id_len, doc, err);
}

/* Read all documents under the options of conf; on failure nothing has changed. */
static int load(struct aero_mirror *m, const struct aero_conf *conf, struct aero_err *err)
{
	struct aero_answers *old = m->answers, *new = NULL;
	int rc = new_answers(conf, &new, err);

	if (rc != AERO_OK)
		return rc;
	m->answers = new;
	m->set_made = false;
	rc = aero_state_load(m->state, put, m, err);
	if (rc != AERO_OK) {
		m->answers = old;
		aero_answers_free(new);
		return rc;
	}
	aero_answers_free(old);
	return AERO_OK;
}

/* What an earlier process published. */
static void read_published(struct aero_mirror *m)
{
	struct aero_reader r;
	struct aero_meta meta;

	if (aero_reader_open(&r, m->hosts_path) != AERO_READ_OK)
		return;
	if (aero_reader_meta(&r, &meta) == AERO_READ_OK) {
		m->published = true;
		m->n_published = meta.names;
		m->generation = meta.generation;
		m->status.generation = (int64_t)meta.generation;
		m->status.names = meta.names;
		m->status.aliases = meta.aliases;
		m->status.addresses = meta.addresses;
		m->status.published = (int64_t)meta.published;
		m->status.source_time = (int64_t)meta.source_time;
	}
	aero_reader_close(&r);
}

/* Read what is there; damage that opening did not meet costs a snapshot, no more. */
static int load_state(struct aero_mirror *m, struct aero_err *err)
{
	struct aero_err warning;
	int rc = load(m, m->conf, err);

	if (rc != AERO_DB)
		return rc;
	rc = aero_state_reset(m->state, &warning, err);
	if (rc != AERO_OK)
		return rc;
	aero_log(AERO_ERROR, "state: %s", warning.msg);
	return load(m, m->conf, err);
}

static int open_state(struct aero_mirror *m, struct aero_err *err)
{
	struct aero_err warning;
	char *dir = aero_conf_path(m->conf, LIB_DIR);
	int rc = dir == NULL ? aero_err_set(err, AERO_NOMEM, "out of memory")
			     : aero_dir_make(dir, err);

	free(dir);
	if (rc == AERO_OK)
		rc = aero_state_open(m->state_path, m->source, &m->state, &warning, err);
	if (rc == AERO_OK && warning.msg[0] != '\0')
		aero_log(AERO_ERROR, "state: %s", warning.msg);
	return rc;
}

int aero_mirror_new(const struct aero_conf *conf, const char *source,
	struct aero_mirror **ret, struct aero_err *err)
{
	struct aero_mirror *m = calloc(1, sizeof(*m));
	int rc;

	if (m == NULL)
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	m->conf = conf;
	m->keep.old_fd = -1;
	m->pace = (struct aero_pace){.quiet_ms = conf->publish_quiet_ms,
		.max_ms = conf->publish_max_ms,
		.last = LONG_AGO};
	m->accept_shrink = conf->accept_shrink;
	m->state_path = aero_conf_path(conf, LIB_DIR "/state.mdb");
	m->hosts_path = aero_conf_path(conf, LIB_DIR "/hosts.mdb");
	m->source = strdup(source);
	if (m->state_path == NULL || m->hosts_path == NULL || m->source == NULL)
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	else
		rc = aero_hosts_paths_make(conf->root, &m->paths, err);
	if (rc == AERO_OK)
		rc = aero_report_init(&m->status, source, err);
	if (rc == AERO_OK)
		rc = open_state(m, err);
	if (rc == AERO_OK)
		rc = load_state(m, err);
	if (rc != AERO_OK) {
		aero_mirror_free(m);
		return rc;
	}
	read_published(m);
	if (aero_state_meta(m->state)->generation > m->generation) {
		/* what a crash left unpublished, which the guard may have held */
		aero_guard_resume(m, aero_state_meta(m->state)->full_at);
		m->generation = aero_state_meta(m->state)->generation;
	}
	*ret = m;
	return AERO_OK;
}

void aero_mirror_free(struct aero_mirror *m)
{
	if (m == NULL)
		return;
	aero_answers_free(m->answers);
	aero_state_close(m->state);
	aero_published_close(&m->keep);
	aero_hosts_paths_clear(&m->paths);
	aero_status_clear(&m->status);
	free(m->state_path);
	free(m->hosts_path);
	free(m->source);
	free(m);
}

int aero_mirror_configure(
	struct aero_mirror *m, const struct aero_conf *conf, struct aero_err *err)
{
	int rc = load(m, conf, err);

	if (rc != AERO_OK)
		return rc;
	m->conf = conf;
	m->pace.quiet_ms = conf->publish_quiet_ms;
	m->pace.max_ms = conf->publish_max_ms;
	if (aero_state_meta(m->state)->synced)
		aero_pace_change(&m->pace, aero_clock_ms());
	return AERO_OK;
}

/* ---- a batch ---- */

int aero_mirror_apply(struct aero_mirror *m, struct aero_batch *batch, int64_t arrived_ns,
	struct aero_err *err)
{
	bool whole = batch->kind == AERO_BATCH_FULL || batch->kind == AERO_BATCH_POLL;
	bool first = !aero_state_meta(m->state)->synced;
	int64_t full_at = m->full_at;
	struct aero_state_diff diff = {0};
	struct aero_err again;
	int rc;

	if (batch->kind == AERO_BATCH_DELTA)
		aero_guard_count(m);
	if (batch->kind == AERO_BATCH_NONE)
		return aero_state_save(m->state, &batch->position,
			aero_state_meta(m->state)->generation, full_at, err);
	if (whole && full_at == 0)
		full_at = aero_unix_ms();
	rc = aero_state_apply(m->state, batch, m->generation + 1, full_at,
		batch->kind != AERO_BATCH_POLL || first, first ? NULL : put, m, &diff,
		err);
	if (rc == AERO_OK && first) {
		/* not both in memory: what came and what it answers */
		aero_docs_clear(&batch->docs);
		rc = load(m, m->conf, err);
	}
	if (rc != AERO_OK && rc != AERO_LOST) {
		if (load_state(m, &again) != AERO_OK)
			aero_log(AERO_ERROR, "state: %s", again.msg);
		return rc;
	}
	if (rc != AERO_OK)
		return rc;
	if (diff.added + diff.removed + diff.changed > 0 || first) {
		if (whole)
			aero_guard_take(m, full_at);
		if (m->changed_ns == 0)
			m->changed_ns = arrived_ns;
		aero_pace_change(&m->pace, aero_clock_ms());
	} else if (m->set_made) {
		aero_guard_take(m, 0); /* the same as what is out there */
		if (whole)
			m->accept_shrink = false; /* there was nothing to accept */
		/* nor may a later process take this time for that of its own result */
		if (aero_state_meta(m->state)->full_at != 0)
			rc = aero_state_save(m->state, NULL, m->generation, 0, err);
	} else if (whole) {
		/* held so far, or loaded again after a failure */
		aero_pace_change(&m->pace, aero_clock_ms());
	}
	aero_log(whole && (diff.added + diff.removed + diff.changed > 0 || first)
			 ? AERO_INFO
			 : AERO_DEBUG,
		"%s: %zu documents +%zu -%zu ~%zu", whole ? "synchronised" : "changed",
		batch->n, diff.added, diff.removed, diff.changed);
	return rc;
}

/* ---- publishing ---- */

/* Write all of it, or what changed since the file that we wrote last. */
static int write_mirror(struct aero_mirror *m, const struct aero_answer_set *set,
	bool delta, uint64_t generation, struct aero_err *err)
{
	struct aero_publish_error failure;
	struct aero_answers_walk walk;
	struct aero_generation gen = {.next = aero_answers_next,
		.arg = &walk,
		.delta = delta,
		.meta = {.generation = generation,
			.source_time = aero_state_meta(m->state)->position.source_time,
			.published = (uint64_t)aero_unix_ns(),
			.n_zones = set->n_zones,
			.zones = set->zones}};
	size_t cut; /* is in the set already */

	aero_answers_walk(m->answers, delta, &walk);
	if (aero_publish(m->hosts_path, &gen, &m->keep, &cut, &failure) < 0) {
		aero_answers_forget(m->answers);
		return aero_err_set(err,
			failure.code > 0 ? aero_rc_of_errno(failure.code) : AERO_IO,
			"publish '%s': %s: %s%s", m->hosts_path, failure.step,
			aero_publish_strerror(failure.code), aero_remedy(failure.code));
	}
	aero_answers_published(m->answers);
	aero_log(AERO_DEBUG, "mirror: %zu records encoded", gen.encoded);
	m->status.published = (int64_t)gen.meta.published;
	m->status.source_time = (int64_t)gen.meta.source_time;
	m->status.names = gen.meta.names;
	m->status.aliases = gen.meta.aliases;
	m->status.addresses = gen.meta.addresses;
	m->n_published = gen.meta.names;
	return AERO_OK;
}

static int write_changes(struct aero_mirror *m, const struct aero_answer_set *set,
	uint64_t generation, struct aero_err *err)
{
	bool delta =
		aero_published_base(&m->keep) && !aero_answers_all_changed(m->answers);
	int rc = write_mirror(m, set, delta, generation, err);

	if (rc != AERO_IO || !delta)
		return rc;
	/* it may be the old file that is at fault */
	aero_log(AERO_WARNING, "%s: writing it whole", err->msg);
	return write_mirror(m, set, false, generation, err);
}

int aero_mirror_publish(struct aero_mirror *m, int64_t *ret_wait_ms, struct aero_err *err)
{
	uint64_t generation = m->generation + 1;
	int64_t began = aero_unix_ns();
	struct aero_answer_set set = {0};
	int rc = aero_answers_make(m->answers, &set, err);

	if (rc == AERO_OK && aero_guard_holds(m, set.n_hosts, ret_wait_ms))
		rc = aero_err_set(err, AERO_REFUSED,
			"shrink guard: the store has %zu names, %zu are published; "
			"--accept-shrink takes them",
			set.n_hosts, m->n_published);
	if (rc == AERO_OK && aero_state_meta(m->state)->generation != generation)
		rc = aero_state_save(m->state, NULL, generation, m->full_at, err);
	if (rc == AERO_OK)
		rc = write_changes(m, &set, generation, err);
	aero_pace_published(&m->pace, aero_clock_ms());
	if (rc != AERO_OK)
		return rc;
	m->set = set;
	m->set_made = m->published = m->hosts_due = true;
	m->generation = generation;
	aero_guard_take(m, 0);
	m->accept_shrink = false;
	m->status.generation = (int64_t)generation;
	m->status.publishes++;
	m->status.publish_us = (aero_unix_ns() - began) / 1000;
	m->status.propagation_us =
		m->changed_ns == 0 ? 0 : (aero_unix_ns() - m->changed_ns) / 1000;
	m->changed_ns = 0;
	m->status.shrink_held_since = 0;
	aero_report_set(&m->status, &m->set);
	aero_log(AERO_DEBUG, "published: generation=%llu names=%zu us=%lld",
		(unsigned long long)generation, set.n_hosts,
		(long long)m->status.publish_us);
	return AERO_OK;
}

int aero_mirror_start(struct aero_mirror *m, int64_t *ret_wait_ms, struct aero_err *err)
{
	if (!aero_state_meta(m->state)->synced)
		return aero_err_set(err, AERO_MISS, "no collection yet");
	return aero_mirror_publish(m, ret_wait_ms, err);
}

/* ---- /etc/hosts ---- */

/* Each failure is said once, not at each change. */
static int hosts_failed(struct aero_mirror *m, int rc, const struct aero_err *err)
{
	if (strcmp(m->hosts_error, err->msg) != 0)
		aero_log(AERO_ERROR, "hosts file: %s; look-ups through the module go on",
			err->msg);
	(void)snprintf(m->hosts_error, sizeof(m->hosts_error), "%s", err->msg);
	return rc;
}

int aero_mirror_hosts(struct aero_mirror *m, const char *legacy, size_t legacy_len,
	struct aero_err *err)
{
	struct aero_hosts_job job = {.paths = &m->paths,
		.legacy = legacy,
		.legacy_len = legacy_len,
		.repair = m->conf->repair_hosts};
	struct aero_hosts_result result = {0};
	struct aero_rows rows = {0};
	char self[256] = "";
	int rc = AERO_OK;

	if (m->conf->hosts_file == AERO_HOSTS_OFF || !m->set_made) {
		m->hosts_due = m->hosts_due && m->conf->hosts_file != AERO_HOSTS_OFF;
		return AERO_OK;
	}
	if (m->conf->hosts_file == AERO_HOSTS_SELF)
		rc = aero_mirror_self(m->conf, self, sizeof(self), err);
	if (rc == AERO_OK)
		rc = aero_rows_make(&m->set, (enum aero_hosts_file)m->conf->hosts_file,
			self, &rows, err);
	job.rows = rows.v;
	job.n_rows = rows.n;
	if (rc == AERO_OK)
		rc = aero_hosts_update(&job, &result, err);
	aero_rows_clear(&rows);
	if (rc != AERO_OK)
		return hosts_failed(m, rc, err);
	if (result.recovered == AERO_RECOVERED_WRITE)
		aero_log(AERO_WARNING,
			"hosts file: finished what an earlier process left half written");
	if (result.recovered == AERO_RECOVERED_EDIT)
		aero_log(AERO_WARNING,
			"hosts file: it was edited while half written, and counts as it "
			"is now; compare it with '%s'",
			m->paths.bak);
	if (m->hosts_error[0] != '\0')
		aero_log(AERO_INFO, "hosts file: can be written again");
	m->hosts_error[0] = '\0';
	m->hosts_due = false;
	m->status.hosts_generation = m->status.generation;
	aero_report_shadows(&m->status, &result.now.shadows);
	aero_hosts_result_clear(&result);
	return AERO_OK;
}

int aero_mirror_self(
	const struct aero_conf *conf, char *buf, size_t size, struct aero_err *err)
{
	struct aero_identity identity = {0};
	const char *id = "";
	bool foreign = false;
	int rc = AERO_MISS;

	if (*conf->instance_id != '\0')
		id = conf->instance_id;
	else
		rc = aero_identity_load(conf, &identity, &foreign, err);
	if (rc == AERO_OK && !foreign)
		id = identity.who.instance_id;
	else if (*id == '\0' && conf->offline)
		id = AERO_TEST_INSTANCE;
	(void)snprintf(buf, size, "%s", id);
	aero_identity_clear(&identity);
	return rc == AERO_MISS || rc == AERO_BAD ? AERO_OK : rc;
}

void aero_mirror_status(struct aero_mirror *m)
{
	const struct aero_document *self;
	struct aero_err err;
	char id[256];

	self = !m->set_made || aero_mirror_self(m->conf, id, sizeof(id), NULL) != AERO_OK
		       ? NULL
		       : aero_answer_of_instance(&m->set, id);
	if (m->set_made)
		aero_report_text(
			&m->status.hostname, self != NULL ? self->name.text : "");
	/* What a start finds in state.mdb may be old. */
	if (self != NULL && m->status.last_contact != 0)
		aero_mirror_name_system(m, self);
	if (m->set_made)
		aero_mirror_masters(m, &m->status.masters);
	m->status.updated = aero_unix_ms();
	if (aero_status_write(m->conf, &m->status, &err) != AERO_OK)
		aero_log(AERO_ERROR, "status: %s", err.msg);
	if (aero_status_write_prometheus(m->conf, &m->status, &err) != AERO_OK)
		aero_log(AERO_ERROR, "prometheus_file: %s", err.msg);
}
