/* SPDX-License-Identifier: MIT */
/* Credentials that a service gives for a while: the container's, or the role's. */
#include "config.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/file.h"
#include "lib/loop.h"
#include "server/credentials_parts.h"

#define ANSWER_MAX (64 * 1024)
#define ROLES "/latest/meta-data/iam/security-credentials/"

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
	const char *path =
		aero_credentials_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *token =
		aero_credentials_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	char *text = NULL;
	size_t len = 0;
	int rc = AERO_OK, n;

	*ret = NULL;
	if (path != NULL) {
		rc = aero_file_read(path, AERO_CREDENTIALS_FILE_MAX, &text, &len, err);
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
	aero_credentials_wipe(text, len);
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
	const char *path =
		aero_credentials_variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full =
		aero_credentials_variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
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
	aero_credentials_wipe(header, header != NULL ? strlen(header) : 0);
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
	aero_credentials_wipe(text, len);
	free(role);
	return rc;
}

/* The container's service, or the role. */
static int from_service(const struct aero_credentials_opts *opts,
	struct aero_credentials *ret, struct aero_err *err)
{
	int rc = from_container(ret, err);

	if (rc != AERO_MISS)
		return rc;
	rc = from_role(opts, ret, err);
	if (rc == AERO_MISS)
		rc = aero_err_set(err, AERO_CONFIG, "this instance has no role");
	if (rc != AERO_OK)
		rc = aero_err_prefix(err, rc,
			"no keys: no '%.100s', none in the environment, no profile, no "
			"container; put a key id and a secret key into credentials_file "
			"(mode 600)",
			opts->file);
	return rc;
}

static int copy(const struct aero_credentials *from, struct aero_credentials *ret,
	struct aero_err *err)
{
	struct aero_credentials c = *from;

	c.key_id = strdup(from->key_id);
	c.secret = strdup(from->secret);
	c.token = strdup(from->token);
	if (c.key_id == NULL || c.secret == NULL || c.token == NULL) {
		aero_credentials_clear(&c);
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	}
	*ret = c;
	return AERO_OK;
}

int aero_credentials_service(const struct aero_credentials_opts *opts,
	struct aero_credentials *ret, struct aero_err *err)
{
	struct aero_credentials none = {0},
				*kept = opts->kept != NULL ? opts->kept : &none;
	int64_t now = aero_unix_ms();
	bool good = kept->key_id != NULL && now < kept->expires_ms && !opts->refused;
	int rc;

	if (good && now < kept->due_ms)
		return copy(kept, ret, err);
	rc = from_service(opts, ret, err);
	if (rc == AERO_OK) {
		ret->due_ms = aero_credentials_due_ms(ret, now, opts->rnd);
		aero_credentials_clear(kept);
		return ret->expires_ms == 0 || kept == &none ? rc : copy(ret, kept, err);
	}
	if (!good)
		return rc;
	kept->due_ms = aero_credentials_due_ms(kept, now, opts->rnd);
	return copy(kept, ret, err);
}
