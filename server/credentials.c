/* SPDX-License-Identifier: MIT */
/* Where credentials are looked for. */
#include "config.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "server/credentials.h"

#define FILE_MAX (64 * 1024)
#define ANSWER_MAX (64 * 1024)
#define MINUTE_MS ((int64_t)60 * 1000)
#define ROLES "/latest/meta-data/iam/security-credentials/"

static void wipe(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

void aero_credentials_clear(struct aero_credentials *c)
{
	wipe(c->key_id);
	wipe(c->secret);
	wipe(c->token);
	*c = (struct aero_credentials){0};
}

int64_t aero_credentials_due_ms(const struct aero_credentials *c, uint64_t rnd)
{
	if (c->expires_ms == 0)
		return INT64_MAX;
	return c->expires_ms - 10 * MINUTE_MS -
	       (int64_t)(rnd % (uint64_t)(5 * MINUTE_MS + 1));
}

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? value : NULL;
}

static void free_text(char *text, size_t len)
{
	if (text != NULL)
		explicit_bzero(text, len);
	free(text);
}

static int from_file(const struct aero_credentials_opts *opts,
	struct aero_credentials *ret, struct aero_err *err)
{
	struct stat st;
	char *text = NULL;
	size_t len = 0;
	int rc;

	if (stat(opts->file, &st) != 0) {
		if (!opts->file_asked &&
			(errno == ENOENT || errno == EACCES || errno == ENOTDIR))
			return AERO_MISS;
		return aero_err_set(err, errno == EACCES ? AERO_PERM : AERO_CONFIG,
			"credentials_file '%.200s': %s", opts->file, strerror(errno));
	}
	if (S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
		return aero_err_set(err, AERO_CONFIG,
			"credentials_file '%.200s': others than its owner may use it "
			"(mode %04o); chmod 600 it, and make new keys if anybody could "
			"have read them",
			opts->file, st.st_mode & 07777);
	rc = aero_file_read(opts->file, FILE_MAX, &text, &len, err);
	if (rc != AERO_OK)
		return rc == AERO_PERM || rc == AERO_NOMEM ? rc : AERO_CONFIG;
	rc = aero_credentials_of_file(text, len, ret, err);
	if (rc == AERO_CONFIG)
		rc = aero_err_prefix(err, rc,
			"credentials_file '%.200s': it must hold a key id and a secret "
			"key",
			opts->file);
	if (rc == AERO_OK)
		(void)snprintf(
			ret->source, sizeof(ret->source), "file '%.100s'", opts->file);
	free_text(text, len);
	return rc;
}

static int from_environment(struct aero_credentials *ret, struct aero_err *err)
{
	const char *id = variable("AWS_ACCESS_KEY_ID");
	const char *secret = variable("AWS_SECRET_ACCESS_KEY");
	const char *token = variable("AWS_SESSION_TOKEN");
	char *text = NULL;
	int n, rc;

	if (id == NULL && secret == NULL)
		return AERO_MISS;
	if (id == NULL || secret == NULL)
		return aero_err_set(err, AERO_CONFIG,
			"environment: AWS_%s is set, AWS_%s is not",
			id != NULL ? "ACCESS_KEY_ID" : "SECRET_ACCESS_KEY",
			id != NULL ? "SECRET_ACCESS_KEY" : "ACCESS_KEY_ID");
	n = asprintf(&text,
		"[x]\naws_access_key_id=%s\naws_secret_access_key=%s\naws_session_token=%"
		"s\n",
		id, secret, token != NULL ? token : "");
	if (n < 0)
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	/* A line break in a value would be a line of its own there. */
	if (strpbrk(id, "\r\n") != NULL || strpbrk(secret, "\r\n") != NULL ||
		(token != NULL && strpbrk(token, "\r\n") != NULL))
		rc = aero_err_set(err, AERO_CONFIG, "a line break in a key");
	else
		rc = aero_credentials_of_profile(text, (size_t)n, "x", ret, err);
	if (rc == AERO_OK)
		(void)snprintf(ret->source, sizeof(ret->source), "%s", "the environment");
	else
		rc = aero_err_prefix(
			err, rc, "environment: AWS_ACCESS_KEY_ID and its like");
	free_text(text, (size_t)n);
	return rc;
}

static int from_profile(struct aero_credentials *ret, struct aero_err *err)
{
	const char *named = variable("AWS_SHARED_CREDENTIALS_FILE");
	const char *profile = variable("AWS_PROFILE"), *home = variable("HOME");
	bool asked = named != NULL || profile != NULL;
	char *path = NULL, *text = NULL;
	size_t len = 0;
	int rc;

	if (profile == NULL)
		profile = "default";
	if (home == NULL && geteuid() == 0)
		home = "/root"; /* as a unit of systemd may have it */
	if (named == NULL && home == NULL)
		return AERO_MISS;
	if (asprintf(&path, "%s%s", named != NULL ? named : home,
		    named != NULL ? "" : "/.aws/credentials") < 0)
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	rc = aero_file_read(path, FILE_MAX, &text, &len, err);
	if (rc == AERO_MISS && asked)
		rc = aero_err_set(err, AERO_CONFIG, "'%.200s': no such file", path);
	else if (rc == AERO_OK)
		rc = aero_credentials_of_profile(text, len, profile, ret, err);
	if (rc == AERO_MISS && variable("AWS_PROFILE") != NULL)
		rc = AERO_CONFIG;
	if (rc == AERO_OK)
		(void)snprintf(
			ret->source, sizeof(ret->source), "profile '%.100s'", profile);
	else if (rc != AERO_MISS && rc != AERO_NOMEM)
		rc = aero_err_prefix(err, rc == AERO_PERM ? rc : AERO_CONFIG,
			"profile '%.64s' of '%.200s' (static keys only)", profile, path);
	free_text(text, len);
	free(path);
	return rc;
}

bool aero_credentials_url_allowed(const char *url)
{
	static const char *const hosts[] = {"localhost", "[::1]", "169.254.170.2",
		"169.254.170.23", "[fd00:ec2::23]"};
	const char *host = url + strlen("http://");
	struct in_addr address;
	char text[64];
	size_t len;

	if (strpbrk(url, "@\\ \t\r\n") != NULL)
		return false;
	if (strncmp(url, "https://", strlen("https://")) == 0)
		return url[strlen("https://")] != '\0';
	if (strncmp(url, "http://", strlen("http://")) != 0)
		return false;
	len = *host == '[' ? strcspn(host, "]/?#") + (strchr(host, ']') != NULL)
			   : strcspn(host, ":/?#");
	if (len >= sizeof(text))
		return false;
	memcpy(text, host, len);
	text[len] = '\0';
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		if (strcmp(text, hosts[i]) == 0)
			return true;
	return inet_pton(AF_INET, text, &address) == 1 &&
	       ntohl(address.s_addr) >> 24 == 127;
}

struct body {
	size_t len;
	char text[ANSWER_MAX];
};

static size_t take_body(char *data, size_t size, size_t n, void *arg)
{
	struct body *body = arg;
	size_t len = size * n;

	if (len > sizeof(body->text) - body->len)
		return 0;
	memcpy(body->text + body->len, data, len);
	body->len += len;
	return len;
}

/* The header that the container's service wants, or NULL; the file is read each time, for
 * its content changes. */
static int authorization(char **ret, struct aero_err *err)
{
	const char *path = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *token = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	char *text = NULL;
	size_t len = 0;
	int rc = AERO_OK, n;

	*ret = NULL;
	if (path != NULL) {
		rc = aero_file_read(path, FILE_MAX, &text, &len, err);
		if (rc != AERO_OK)
			return aero_err_prefix(err, rc == AERO_PERM ? rc : AERO_CONFIG,
				"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
		while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
			text[--len] = '\0';
		token = text;
	}
	if (token != NULL) {
		if (strpbrk(token, "\r\n") != NULL)
			rc = aero_err_set(err, AERO_CONFIG,
				"AWS_CONTAINER_AUTHORIZATION_TOKEN: a line break");
		n = rc != AERO_OK ? 0 : asprintf(ret, "Authorization: %s", token);
		if (n < 0)
			rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	}
	free_text(text, len);
	return rc;
}

static int ask_container(
	const char *url, const char *header, struct body *body, struct aero_err *err)
{
	CURL *curl = NULL;
	struct curl_slist *headers =
		header == NULL ? NULL : curl_slist_append(NULL, header);
	CURLcode code;
	long status = 0;
	int rc = AERO_OK;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		curl = curl_easy_init();
	if (curl == NULL || (header != NULL && headers == NULL)) {
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
		goto out;
	}
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, 1000L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 3000L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "aerostat/" PACKAGE_VERSION);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK)
		rc = aero_err_set(err, AERO_NET, "%s", curl_easy_strerror(code));
	else if (status != 200)
		rc = aero_err_set(err, AERO_NET, "it answered %ld", status);
out:
	curl_easy_cleanup(curl);
	for (struct curl_slist *at = headers; at != NULL; at = at->next)
		explicit_bzero(at->data, strlen(at->data));
	curl_slist_free_all(headers);
	return rc;
}

static int from_container(struct aero_credentials *ret, struct aero_err *err)
{
	const char *path = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	struct body *body = NULL;
	char *url = NULL, *header = NULL;
	int rc;

	if (path == NULL && full == NULL)
		return AERO_MISS;
	if (asprintf(&url, "%s%s", path != NULL ? "http://169.254.170.2" : "",
		    path != NULL ? path : full) < 0)
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	if ((path != NULL && *path != '/') || !aero_credentials_url_allowed(url)) {
		rc = aero_err_set(err, AERO_CONFIG,
			"AWS_CONTAINER_CREDENTIALS_%s: only https, this machine, "
			"169.254.170.2, 169.254.170.23 and fd00:ec2::23 are asked",
			path != NULL ? "RELATIVE_URI" : "FULL_URI");
		goto out;
	}
	rc = authorization(&header, err);
	if (rc != AERO_OK)
		goto out;
	body = calloc(1, sizeof(*body));
	rc = body == NULL ? aero_err_set(err, AERO_NOMEM, "out of memory")
			  : ask_container(url, header, body, err);
	if (rc == AERO_OK)
		rc = aero_credentials_of_json(body->text, body->len, ret, err);
	if (rc == AERO_OK)
		(void)snprintf(ret->source, sizeof(ret->source), "%s",
			"the container's service");
	else
		rc = aero_err_prefix(err, rc, "the container's service of credentials");
out:
	if (body != NULL)
		explicit_bzero(body, sizeof(*body));
	free(body);
	wipe(header);
	free(url);
	return rc;
}

/* The only role of this instance: the first line of the list. */
static int from_role(const struct aero_credentials_opts *opts,
	struct aero_credentials *ret, struct aero_err *err)
{
	char *role = NULL, *text = NULL, path[256];
	size_t len = 0;
	int rc = aero_metadata_get(&opts->metadata, ROLES, &role, &len, err);

	if (rc != AERO_OK)
		return rc;
	role[strcspn(role, "\r\n")] = '\0';
	len = strlen(role);
	if (len == 0 || len > 64 ||
		strspn(role, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "0123456789+=,.@_-") != len) {
		rc = aero_err_set(err, AERO_NET,
			"the metadata service names a role that cannot be one");
		goto out;
	}
	(void)snprintf(path, sizeof(path), ROLES "%s", role);
	rc = aero_metadata_get(&opts->metadata, path, &text, &len, err);
	if (rc == AERO_OK)
		rc = aero_credentials_of_json(text, len, ret, err);
	if (rc == AERO_OK)
		(void)snprintf(ret->source, sizeof(ret->source), "role '%.64s'", role);
	else
		rc = aero_err_prefix(err, rc == AERO_MISS ? AERO_NET : rc,
			"keys of the role '%s'", role);
out:
	free_text(text, len);
	free(role);
	return rc;
}

int aero_credentials_load(const struct aero_credentials_opts *opts,
	struct aero_credentials *ret, struct aero_err *err)
{
	int rc = from_file(opts, ret, err);

	if (rc == AERO_MISS)
		rc = from_environment(ret, err);
	if (rc == AERO_MISS)
		rc = from_profile(ret, err);
	if (rc == AERO_MISS)
		rc = from_container(ret, err);
	if (rc == AERO_MISS) {
		rc = from_role(opts, ret, err);
		if (rc == AERO_MISS)
			rc = aero_err_set(err, AERO_CONFIG, "this instance has no role");
		if (rc != AERO_OK)
			rc = aero_err_prefix(err, rc,
				"no keys: no '%.100s', none in the environment, no "
				"profile, no container; put a key id and a secret key "
				"into credentials_file (mode 600)",
				opts->file);
	}
	if (rc == AERO_OK)
		(void)prctl(PR_SET_DUMPABLE, 0);
	return rc;
}
