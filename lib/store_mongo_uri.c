/* SPDX-License-Identifier: MIT */
/*
 * How we connect to MongoDB: options, and always a pool, even for one thread. A client of
 * its own deadlocks on 1.23 when a known server breaks while its name does not resolve
 * (CDRIVER-4666), and it may be us who resolve it.
 */
#include "config.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/store_mongo.h"

/* A member that freezes costs an operation the socket's time-out and, for its second try,
 * at most the selection's: 11 s (lib/store.h). */
#define WTIMEOUT_MS 5000
#define PEM_MAX (4U << 20)

/* What the user's URI leaves open. The socket waits longer than the server may. */
static const struct {
	const char *key;
	int32_t value;
} numbers[] = {
	{MONGOC_URI_CONNECTTIMEOUTMS, 3000},
	{MONGOC_URI_SERVERSELECTIONTIMEOUTMS, 5000},
	{MONGOC_URI_SOCKETTIMEOUTMS, WTIMEOUT_MS + 1000},
};

/* How often the driver looks at each member. One that answers an operation with "I shut
 * down" (91, 11600) counts as gone until the next look, whether it shuts down or not: a
 * program that ends soon does not wait 10 s for that. A daemon, of which there are many
 * and for long, does. */
static int32_t heartbeat_ms(const char *role)
{
	return role == NULL || strcmp(role, "syncd") == 0 ? 10000 : 2000;
}

/* On noise in place of an answer, driver 1.23 does not fail but abort (an assertion about
 * the length of a message, in a thread of its own). Say what it means and end as for a
 * server that cannot be reached, late enough to count as started with a supervisor. What
 * the main thread aborts of is our own bug, and stays one. */
static void driver_aborts(int signal)
{
	static const char words[] = "CRITICAL store: a server sent what the MongoDB "
				    "driver cannot take: is it "
				    "MongoDB? Ending\n";
	const struct timespec pause = {.tv_sec = 2};

	(void)signal;
	if (gettid() == getpid())
		return;
	if (write(STDERR_FILENO, words, sizeof(words) - 1) < 0)
		_exit(AERO_EXIT_UNAVAILABLE);
	(void)nanosleep(&pause, NULL);
	_exit(AERO_EXIT_UNAVAILABLE);
}

bool aero_mongo_guest;

/* The driver's own log would go to stdout, and could show what is in a URI; what matters
 * comes back as errors. */
static void silence(void)
{
	const struct sigaction aborts = {.sa_handler = driver_aborts};

	mongoc_init();
	if (aero_mongo_guest)
		return;
	(void)sigaction(SIGABRT, &aborts, NULL);
	mongoc_log_set_handler(NULL, NULL);
}

static int set_concerns(mongoc_uri_t *uri, struct aero_err *err)
{
	mongoc_write_concern_t *w =
		mongoc_write_concern_copy(mongoc_uri_get_write_concern(uri));
	mongoc_read_concern_t *r =
		mongoc_read_concern_copy(mongoc_uri_get_read_concern(uri));
	int rc = AERO_OK;

	if (!mongoc_write_concern_is_acknowledged(w))
		rc = aero_err_set(err, AERO_CONFIG,
			"server: w=0 would lose registrations; leave it out");
	if (mongoc_write_concern_get_w(w) == MONGOC_WRITE_CONCERN_W_DEFAULT)
		mongoc_write_concern_set_w(w, MONGOC_WRITE_CONCERN_W_MAJORITY);
	if (!mongoc_write_concern_journal_is_set(w))
		mongoc_write_concern_set_journal(w, true);
	if (mongoc_write_concern_get_wtimeout_int64(w) == 0)
		mongoc_write_concern_set_wtimeout_int64(w, WTIMEOUT_MS);
	mongoc_uri_set_write_concern(uri, w);
	if (mongoc_read_concern_get_level(r) == NULL)
		(void)mongoc_read_concern_set_level(
			r, MONGOC_READ_CONCERN_LEVEL_MAJORITY);
	mongoc_uri_set_read_concern(uri, r);
	mongoc_write_concern_destroy(w);
	mongoc_read_concern_destroy(r);
	return rc;
}

static void set_defaults(mongoc_uri_t *uri, const char *role)
{
	char appname[64];

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (!mongoc_uri_has_option(uri, numbers[i].key))
			(void)mongoc_uri_set_option_as_int32(
				uri, numbers[i].key, numbers[i].value);
	if (!mongoc_uri_has_option(uri, MONGOC_URI_HEARTBEATFREQUENCYMS))
		(void)mongoc_uri_set_option_as_int32(
			uri, MONGOC_URI_HEARTBEATFREQUENCYMS, heartbeat_ms(role));
	if (!mongoc_uri_has_option(uri, MONGOC_URI_RETRYWRITES))
		(void)mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYWRITES, true);
	if (!mongoc_uri_has_option(uri, MONGOC_URI_APPNAME)) {
		(void)snprintf(appname, sizeof(appname), "aerostat-%s",
			role == NULL ? "program" : role);
		(void)mongoc_uri_set_appname(uri, appname);
	}
}

/* The driver takes what stands before the first '@' for user and password; were there
 * another, its words about the host would show the rest of the password. */
static bool at_signs_fit(const char *uri)
{
	const char *hosts = strstr(uri, "://") + strlen("://");
	const char *at = strchr(hosts, '@');

	return at == NULL ||
	       (strchr(at + 1, '@') == NULL && at < hosts + strcspn(hosts, "/?#"));
}

/* The driver would only say "Failed initialize TLS state", and of a server at that. */
static int check_files(const mongoc_uri_t *uri, struct aero_err *err)
{
	static const struct {
		const char *key, *name, *parts[2];
	} files[] = {
		{MONGOC_URI_TLSCAFILE, "tlsCAFile", {"CERTIFICATE-----", ""}},
		{MONGOC_URI_TLSCERTIFICATEKEYFILE, "tlsCertificateKeyFile",
			{"CERTIFICATE-----", "PRIVATE KEY-----"}},
	};
	const char *path;
	char *text = NULL;
	size_t len;
	int rc = AERO_OK;

	for (size_t i = 0; rc == AERO_OK && i < sizeof(files) / sizeof(files[0]); i++) {
		path = mongoc_uri_get_option_as_utf8(uri, files[i].key, NULL);
		if (path == NULL)
			continue;
		rc = aero_file_read(path, PEM_MAX, &text, &len, err);
		if (rc != AERO_OK)
			rc = aero_err_prefix(
				err, AERO_CONFIG, "server: %s", files[i].name);
		else if (strstr(text, files[i].parts[0]) == NULL ||
			 strstr(text, files[i].parts[1]) == NULL)
			rc = aero_err_set(err, AERO_CONFIG,
				"server: %s '%s': no PEM file with a certificate%s",
				files[i].name, path, i == 0 ? "" : " and its key");
		if (text != NULL)
			explicit_bzero(text, len);
		free(text);
		text = NULL;
	}
	return rc;
}

int aero_mongo_uri(const struct aero_server *server, const char *role, mongoc_uri_t **ret,
	struct aero_err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	bson_error_t error = {0};
	mongoc_uri_t *uri;
	int rc;

	(void)pthread_once(&once, silence);
	if (!at_signs_fit(server->uri))
		return aero_err_set(err, AERO_CONFIG,
			"server '%.200s': write @ as %%40, / as %%2F in user, password "
			"and options",
			server->name);
	uri = mongoc_uri_new_with_error(server->uri, &error);
	if (uri == NULL)
		/* The driver's words may quote a part of the URI. */
		return aero_err_set(err, AERO_CONFIG,
			"server '%.200s': not a MongoDB URI: %s", server->name,
			strchr(server->uri, '@') == NULL
				? error.message
				: "are user and password %-escaped, the options right?");
	set_defaults(uri, role);
	rc = set_concerns(uri, err);
	if (rc == AERO_OK)
		rc = check_files(uri, err);
	if (rc == AERO_OK)
		*ret = uri;
	else
		mongoc_uri_destroy(uri);
	return rc;
}

/* Told of each command just before it is sent, on a connection that is up. */
static void count_writes(const mongoc_apm_command_started_t *event)
{
	static const char *const writes[] = {"update", "insert", "findAndModify"};
	unsigned *sent = mongoc_apm_command_started_get_context(event);
	const char *name = mongoc_apm_command_started_get_command_name(event);

	for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
		if (strcmp(name, writes[i]) == 0)
			++*sent;
}

int aero_mongo_pool(const mongoc_uri_t *uri, unsigned *sent, mongoc_client_pool_t **ret,
	struct aero_err *err)
{
	mongoc_apm_callbacks_t *callbacks = NULL;
	bson_error_t error = {0};
	mongoc_client_pool_t *pool = mongoc_client_pool_new_with_error(uri, &error);

	if (pool == NULL)
		return aero_err_set(err, AERO_CONFIG, "server: %s", error.message);
	(void)mongoc_client_pool_set_error_api(pool, MONGOC_ERROR_API_VERSION_2);
	if (sent != NULL) {
		callbacks = mongoc_apm_callbacks_new();
		mongoc_apm_set_command_started_cb(callbacks, count_writes);
		(void)mongoc_client_pool_set_apm_callbacks(pool, callbacks, sent);
		mongoc_apm_callbacks_destroy(callbacks);
	}
	*ret = pool;
	return AERO_OK;
}
