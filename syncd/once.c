/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>

#include "legacy/updater.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "syncd/mirror.h"
#include "syncd/nscd.h"
#include "syncd/parts.h"
#include "syncd/report.h"

/* The legacy updater goes first: if it fails, nothing at all is written. */
static int run_updater(const struct aero_conf *conf, struct aero_updater_result *ret,
	struct aero_err *err)
{
	struct aero_hosts_paths paths = {0};
	int rc;

	if (*conf->legacy_updater == '\0' || conf->hosts_file == AERO_HOSTS_OFF)
		return AERO_OK;
	rc = aero_hosts_paths_make(conf->root, &paths, err);
	if (rc == AERO_OK)
		rc = aero_updater_run(conf->legacy_updater, &paths,
			(int64_t)conf->legacy_timeout * 1000, ret, err);
	aero_report_updater(ret);
	aero_hosts_paths_clear(&paths);
	return rc;
}

static int update(struct aero_mirror *m, struct aero_batch *batch, int64_t began,
	const struct aero_updater_result *legacy, struct aero_err *err)
{
	int64_t wait_ms;
	int rc = aero_mirror_apply(m, batch, aero_unix_ns(), err);

	m->status.last_contact = aero_unix_ms();
	m->status.sync_started = began;
	aero_report_text(&m->status.mode, "once");
	if (rc == AERO_OK)
		rc = aero_mirror_publish(m, &wait_ms, err);
	if (rc == AERO_OK)
		rc = aero_mirror_hosts(m, legacy->legacy, legacy->legacy_len, err);
	m->status.sync_count++;
	if (rc != AERO_OK)
		aero_report_text(&m->status.error, err->msg);
	aero_mirror_status(m);
	return rc;
}

int aero_syncd_once(const struct aero_conf *conf, struct aero_err *err)
{
	struct aero_updater_result legacy = {0};
	struct aero_store *store = NULL;
	struct aero_batch batch = {0};
	struct aero_mirror *m = NULL;
	int64_t began = aero_unix_ms();
	struct aero_told told = {0};
	char *source = NULL;
	int rc = aero_syncd_store(conf, &store, err);

	if (rc == AERO_OK)
		rc = run_updater(conf, &legacy, err);
	if (rc == AERO_OK)
		rc = aero_syncd_fetch(conf, store, &batch, err);
	if (rc != AERO_OK)
		goto out;
	source = aero_syncd_source(conf, store);
	if (source == NULL)
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	else
		rc = aero_mirror_new(conf, source, &m, err);
	if (rc == AERO_OK)
		aero_report_text(&m->status.server, aero_store_name(store));
	if (rc == AERO_OK) {
		aero_told_load(conf, m->generation, &told);
		rc = update(m, &batch, began, &legacy, err);
	}
	if (rc == AERO_OK) {
		aero_nscd_once(conf);
		aero_hooks_once(conf, m, &told);
		aero_log(AERO_INFO, "update: done names=%zu generation=%llu",
			m->set.n_hosts, (unsigned long long)m->generation);
	}
out:
	aero_told_clear(&told);
	aero_mirror_free(m);
	free(source);
	aero_batch_clear(&batch);
	aero_store_close(store);
	aero_updater_result_clear(&legacy);
	return rc;
}
