/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/file.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "syncd/parts.h"
#include "syncd/reload.h"

#define CMDLINE_MAX (4 << 20)
#define STOP_MS 1000

/* The words that this process was started with. */
static int read_args(
	char **ret_text, char ***ret_argv, int *ret_argc, struct aero_err *err)
{
	char *text = NULL, **argv = NULL;
	size_t len = 0, n = 0;
	int rc = aero_file_read("/proc/self/cmdline", CMDLINE_MAX, &text, &len, err);

	if (rc != AERO_OK)
		return rc;
	argv = calloc(len + 2, sizeof(*argv));
	if (argv == NULL) {
		free(text);
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	}
	for (size_t at = 0; at < len; at += strlen(text + at) + 1)
		argv[n++] = text + at;
	*ret_text = text;
	*ret_argv = argv;
	*ret_argc = (int)n;
	return AERO_OK;
}

static int read_conf(
	const struct aero_daemon *d, struct aero_conf **ret, struct aero_err *err)
{
	struct aero_conf *conf = calloc(1, sizeof(*conf));
	char *text = NULL, **argv = NULL;
	int argc = 0, rc;

	if (conf == NULL)
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	rc = read_args(&text, &argv, &argc, err);
	if (rc == AERO_OK) {
		rc = aero_conf_load(d->conf->do_update ? AERO_PROG_CLI : AERO_PROG_SYNCD,
			argc, argv, conf, err);
		for (size_t i = 0; i < conf->warnings.n; i++)
			aero_log(AERO_WARNING, "options: %s", conf->warnings.v[i]);
	}
	free(argv);
	free(text);
	if (rc == AERO_OK && strcmp(conf->root, d->conf->root) != 0)
		rc = aero_err_set(err, AERO_CONFIG, "root cannot change while we run");
	if (rc == AERO_OK) {
		*ret = conf;
	} else {
		aero_conf_clear(conf);
		free(conf);
	}
	return rc;
}

/* Is it another store? What server_file holds may have changed as well. */
static int same_store(const struct aero_daemon *d, const struct aero_conf *conf,
	struct aero_store **ret, char **ret_source, bool *ret_same, struct aero_err *err)
{
	char *old = NULL, *new = NULL;
	int rc = aero_syncd_store(conf, ret, err);

	if (rc != AERO_OK)
		return rc;
	*ret_source = aero_syncd_source(conf, *ret);
	if (*ret_source == NULL)
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	rc = aero_conf_server(conf, &new, err);
	if (rc == AERO_OK)
		rc = aero_conf_server(d->conf, &old, err);
	*ret_same = rc == AERO_OK && strcmp(old, new) == 0 &&
		    strcmp(*ret_source, d->mirror->source) == 0 &&
		    conf->poll_interval == d->conf->poll_interval &&
		    *conf->server_file == '\0';
	free(old);
	free(new);
	return rc;
}

static void adopt_conf(struct aero_daemon *d, struct aero_conf *conf)
{
	aero_daemon_conf_free(d);
	d->conf = d->loaded = conf;
	aero_log_level((enum aero_level)conf->loglevel);
}

/* Another mirror state for another store; what is published stays until that has been
 * read. */
static int change_store(struct aero_daemon *d, const struct aero_conf *conf,
	struct aero_store **store, const char *source, struct aero_err *err)
{
	struct aero_mirror *m = NULL;
	int rc;

	if (!aero_watcher_stop(d->watcher, STOP_MS))
		aero_log(AERO_WARNING, "reload: the driver was busy, its thread is left");
	d->watcher = NULL;
	aero_updater_free(d->updater); /* it uses the mirror's paths */
	d->updater = NULL;
	aero_state_close(d->mirror->state);
	d->mirror->state = NULL;
	rc = aero_mirror_new(conf, source, &m, err);
	if (rc != AERO_OK)
		return rc;
	aero_mirror_free(d->mirror);
	d->mirror = m;
	d->publish_at = 0; /* that was of the documents of the other one */
	/* The same documents after all (a server_file): under the new options. */
	if (aero_state_meta(m->state)->synced)
		aero_pace_change(&m->pace, aero_clock_ms());
	d->store = *store;
	*store = NULL; /* now the daemon's */
	return AERO_OK;
}

int aero_daemon_reload(struct aero_daemon *d, struct aero_err *err)
{
	struct aero_store *store = NULL;
	struct aero_conf *conf = NULL;
	char *source = NULL;
	bool same = false;
	int rc = read_conf(d, &conf, err);

	if (rc == AERO_OK)
		rc = same_store(d, conf, &store, &source, &same, err);
	if (rc == AERO_OK && same)
		rc = aero_mirror_configure(d->mirror, conf, err);
	else if (rc == AERO_OK)
		rc = change_store(d, conf, &store, source, err);
	if (rc == AERO_OK) {
		adopt_conf(d, conf);
		conf = NULL; /* now the daemon's */
	}
	if (conf != NULL)
		aero_conf_clear(conf);
	free(conf);
	free(source);
	aero_store_close(store);
	return rc;
}

void aero_daemon_conf_free(struct aero_daemon *d)
{
	if (d->loaded != NULL)
		aero_conf_clear(d->loaded);
	free(d->loaded);
	d->loaded = NULL;
}
