/* SPDX-License-Identifier: MIT */
/* Options: the order of the sources, and what is derived from the values. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf_parse.h"
#include "lib/file.h"

#define HEARTBEAT_MS 30000

#define CONF_FILE "/etc/aerostat.conf"
#define SERVER_FILE "/etc/aerostatd.conf"
#define SERVER_FILE_ENV "AEROSTATD_CONF"
#define CONF_MAX (1024 * 1024)
#define SERVER_MAX (64 * 1024)

static int set_defaults(struct aero_conf *conf, struct aero_err *err)
{
	static const struct aero_opt_source source = {
		AERO_FROM_DEFAULT, "table of options"};

	*conf = (struct aero_conf){0};
	conf->from = calloc(aero_n_options, sizeof(*conf->from));
	if (conf->from == NULL)
		return aero_err_set(err, AERO_NOMEM, "options: out of memory");
	for (size_t i = 0; i < aero_n_options; i++) {
		int rc = aero_opt_set(conf, i, &source, aero_options[i].def, err);

		if (rc != AERO_OK)
			return rc;
	}
	return AERO_OK;
}

static int load_file(
	struct aero_conf *conf, struct aero_conf_file *file, struct aero_err *err)
{
	char *text = NULL;
	size_t len = 0;
	int rc = aero_file_read(file->name, CONF_MAX, &text, &len, err);

	if (rc == AERO_OK)
		rc = aero_conf_yaml(conf, file, text, len, err);
	else if (rc == AERO_MISS)
		rc = AERO_OK;
	else if (rc == AERO_PERM)
		rc = aero_err_prefix(err, rc,
			"the configuration must be readable (chmod 644; a URI with a "
			"password belongs into a server_file)");
	else if (rc != AERO_NOMEM)
		rc = aero_err_prefix(err, AERO_CONFIG, "the configuration");
	free(text);
	return rc;
}

/* A file that the user names and that is not there is worth a word. */
static int warn_of_missing(struct aero_conf *conf, const char *path, struct aero_err *err)
{
	char *words;
	bool added;

	if (access(path, F_OK) == 0 || errno != ENOENT)
		return AERO_OK;
	if (conf->check_config)
		return aero_err_set(err, AERO_CONFIG,
			"environment %s: '%s': no such file", SERVER_FILE_ENV, path);
	if (asprintf(&words, "environment %s: '%s': no such file", SERVER_FILE_ENV,
		    path) < 0)
		return aero_err_set(err, AERO_NOMEM, "options: out of memory");
	added = aero_list_add(&conf->warnings, words);
	free(words);
	return added ? AERO_OK : aero_err_set(err, AERO_NOMEM, "options: out of memory");
}

/* The file of all programs, then aerostatd's own. */
static int load_files(
	struct aero_conf *conf, enum aero_program program, struct aero_err *err)
{
	const char *named = getenv(SERVER_FILE_ENV);
	char *path = aero_conf_path(conf, CONF_FILE), *own = NULL;
	struct aero_conf_file file = {AERO_FROM_FILE, path, false};
	int rc;

	if (named != NULL && *named != '\0')
		own = strdup(named);
	else
		own = aero_conf_path(conf, SERVER_FILE);
	if (path == NULL || own == NULL)
		rc = aero_err_set(err, AERO_NOMEM, "options: out of memory");
	else
		rc = load_file(conf, &file, err);
	if (rc == AERO_OK && program == AERO_PROG_SERVER) {
		file = (struct aero_conf_file){
			AERO_FROM_SERVER_FILE, own, !conf->check_config};
		if (named != NULL && *named != '\0')
			rc = warn_of_missing(conf, own, err);
		if (rc == AERO_OK)
			rc = load_file(conf, &file, err);
	}
	free(path);
	free(own);
	return rc;
}

/* A relative root names another place once the working directory is another. */
static int make_root_absolute(struct aero_conf *conf, struct aero_err *err)
{
	char *cwd, *root;
	int n;

	if (*conf->root == '/')
		return AERO_OK;
	cwd = get_current_dir_name();
	if (cwd == NULL)
		return aero_err_set(err, AERO_CONFIG,
			"--root '%s' is relative and the working directory is not known: "
			"%s",
			conf->root, strerror(errno));
	n = asprintf(&root, "%s/%s", cwd, conf->root);
	free(cwd);
	if (n < 0)
		return aero_err_set(err, AERO_NOMEM, "options: out of memory");
	free(conf->root);
	conf->root = root;
	return AERO_OK;
}

int aero_conf_load(enum aero_program program, int argc, char *const argv[],
	struct aero_conf *ret, struct aero_err *err)
{
	int rc = set_defaults(ret, err);

	if (rc == AERO_OK)
		rc = aero_conf_args(ret, program, argc, argv, err);
	if (rc != AERO_OK || ret->help || ret->version)
		return rc;
	rc = aero_conf_env(ret, program, err);
	if (rc == AERO_OK)
		rc = make_root_absolute(ret, err);
	if (rc == AERO_OK) /* below the root that flag or environment names */
		rc = load_files(ret, program, err);
	return rc;
}

bool aero_conf_copy(const struct aero_conf *conf, struct aero_conf *ret)
{
	struct aero_conf copy = *conf;
	bool ok = true;

	copy.words = copy.warnings = (struct aero_list){0};
	copy.from = calloc(aero_n_options, sizeof(*copy.from));
	if (copy.from == NULL)
		ok = false;
	else if (conf->from != NULL)
		memcpy(copy.from, conf->from, aero_n_options * sizeof(*copy.from));
	/* all of them, also once memory is short: clearing needs to find its own */
	for (size_t i = 0; i < aero_n_options; i++) {
		const void *from = (const char *)conf + aero_options[i].offset;
		void *to = (char *)&copy + aero_options[i].offset;

		if (aero_options[i].type == AERO_OPT_STR) {
			*(char **)to = strdup(*(char *const *)from);
			ok = ok && *(char **)to != NULL;
		} else if (aero_options[i].type == AERO_OPT_LIST) {
			*(struct aero_list *)to = (struct aero_list){0};
			ok = ok && aero_list_copy(from, to);
		}
	}
	ok = ok && aero_list_copy(&conf->words, &copy.words) &&
	     aero_list_copy(&conf->warnings, &copy.warnings);
	if (ok)
		*ret = copy;
	else
		aero_conf_clear(&copy);
	return ok;
}

void aero_conf_clear(struct aero_conf *conf)
{
	for (size_t i = 0; i < aero_n_options; i++) {
		void *at = (char *)conf + aero_options[i].offset;

		if (aero_options[i].type == AERO_OPT_STR)
			free(*(char **)at);
		else if (aero_options[i].type == AERO_OPT_LIST)
			aero_list_clear(at);
	}
	aero_list_clear(&conf->words);
	aero_list_clear(&conf->warnings);
	free(conf->from);
	*conf = (struct aero_conf){0};
}

enum aero_opt_from aero_conf_from(const struct aero_conf *conf, const char *key)
{
	int row = aero_opt_find(key, strlen(key), false);

	return row < 0 || conf->from == NULL ? AERO_FROM_DEFAULT : conf->from[row];
}

const char *aero_conf_from_words(const struct aero_conf *conf, const char *key)
{
	static const char *const words[] = {
		[AERO_FROM_DEFAULT] = "the default",
		[AERO_FROM_FILE] = "the configuration file",
		[AERO_FROM_SERVER_FILE] = "the configuration file of aerostatd",
		[AERO_FROM_ENV] = "the environment",
		[AERO_FROM_FLAG] = "the command line",
	};

	return words[aero_conf_from(conf, key)];
}

int64_t aero_conf_heartbeat_ms(const struct aero_conf *conf)
{
	int64_t third = (int64_t)conf->lease * 1000 / 3;

	if (!conf->heartbeat && conf->cloud != AERO_CLOUD_LEASE)
		return 0;
	return third < HEARTBEAT_MS ? third : HEARTBEAT_MS;
}

bool aero_conf_real_root(const struct aero_conf *conf)
{
	return conf->root[strspn(conf->root, "/")] == '\0';
}

char *aero_conf_path(const struct aero_conf *conf, const char *path)
{
	size_t len = strlen(conf->root);
	char *joined;

	while (len > 0 && conf->root[len - 1] == '/')
		len--;
	return asprintf(&joined, "%.*s%s", (int)len, conf->root, path) < 0 ? NULL
									   : joined;
}

/* The one line of text that is neither blank nor a comment, cut out in place; NULL if
 * there is none, or more than one. */
static char *only_line(char *text)
{
	char *found = NULL, *line;

	while ((line = strsep(&text, "\r\n")) != NULL) {
		size_t len;

		line += strspn(line, " \t");
		len = strlen(line);
		while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t'))
			line[--len] = '\0';
		if (len == 0 || *line == '#')
			continue;
		if (found != NULL)
			return NULL;
		found = line;
	}
	return found;
}

int aero_conf_server(const struct aero_conf *conf, char **ret, struct aero_err *err)
{
	enum aero_opt_from server = aero_conf_from(conf, "server");
	char *text = NULL, *copy = NULL;
	const char *value = conf->server;
	size_t len = 0;
	int rc = AERO_OK;

	if (*conf->server_file != '\0' && server != AERO_FROM_FLAG &&
		(server <= AERO_FROM_FILE ||
			aero_conf_from(conf, "server_file") >= server)) {
		rc = aero_file_read(conf->server_file, SERVER_MAX, &text, &len, err);
		if (rc == AERO_MISS)
			rc = aero_err_set(err, AERO_CONFIG, "'%s': no such file",
				conf->server_file);
		if (rc != AERO_OK) {
			rc = aero_err_prefix(err,
				rc == AERO_PERM || rc == AERO_NOMEM ? rc : AERO_CONFIG,
				"server_file");
			goto out;
		}
		value = strlen(text) == len ? only_line(text) : NULL;
		if (value == NULL) {
			rc = aero_err_set(err, AERO_CONFIG,
				"server_file '%s': it must hold one line, the server",
				conf->server_file);
			goto out;
		}
	}
	copy = strdup(value);
	if (copy == NULL)
		rc = aero_err_set(err, AERO_NOMEM, "server: out of memory");
	else
		*ret = copy;
out:
	free(text);
	return rc;
}
