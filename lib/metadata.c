/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <bson/bson.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "lib/loop.h"
#include "lib/metadata.h"

#define ANSWER_MAX 16384
#define WORD_MAX 255
#define CONNECT_MS 1000L
#define TOTAL_MS 2000L
#define TOKEN_TTL "21600"

#define HTTP_OK 200
#define HTTP_UNAUTHORIZED 401
#define HTTP_FORBIDDEN 403
#define HTTP_NOT_FOUND 404
#define HTTP_NOT_ALLOWED 405

struct client {
	CURL *curl;
	char endpoint[256];
	bool v1;
	char *token; /* NULL: none yet; '' = version 1, without one */
};

struct answer {
	long status; /* 0: none came */
	bool connected;
	size_t len;
	char text[ANSWER_MAX + 1];
};

/* What to do after a request. */
enum outcome {
	GOOD,
	ABSENT, /* 404 */
	AGAIN,  /* worth another try */
	FINAL,
};

static size_t take_body(char *data, size_t size, size_t n, void *arg)
{
	struct answer *answer = arg;
	size_t len = size * n;

	if (len > ANSWER_MAX - answer->len)
		return 0;
	memcpy(answer->text + answer->len, data, len);
	answer->len += len;
	answer->text[answer->len] = '\0';
	return len;
}

/* One request; answer->status 0 and words when there was no whole answer. */
static void request(struct client *client, const char *method, const char *path,
	const char *header, struct answer *answer, struct aero_err *err)
{
	struct curl_slist *headers =
		header == NULL ? NULL : curl_slist_append(NULL, header);
	char url[512], words[CURL_ERROR_SIZE] = "";
	curl_off_t connect_us = 0;
	CURL *curl = client->curl;
	CURLcode code;

	(void)snprintf(url, sizeof(url), "%s%s", client->endpoint, path);
	answer->status = 0;
	answer->len = 0;
	answer->text[0] = '\0';
	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, TOTAL_MS);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "aerostat/" PACKAGE_VERSION);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_CONNECT_TIME_T, &connect_us);
	answer->connected = connect_us > 0;
	if (code == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
	else
		aero_err_set(err, AERO_NET, "metadata service %.100s: %.200s",
			client->endpoint,
			*words != '\0' ? words : curl_easy_strerror(code));
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(headers);
}

/* path NULL: the request for a token. */
static enum outcome refused(
	const struct client *client, long status, const char *path, struct aero_err *err)
{
	const char *words = "try again later";

	if (status == HTTP_FORBIDDEN)
		words = "it is switched off for this instance (HttpEndpoint disabled); "
			"switch it on, or give --instance-id and --ip";
	else if (path != NULL && status == HTTP_NOT_FOUND)
		words = "is it the metadata service of an EC2 instance? Else give "
			"--instance-id and --ip";
	else if (status == HTTP_NOT_FOUND || status == HTTP_NOT_ALLOWED)
		words = "it knows version 1 only; allow that with metadata_v1: true, or "
			"give --instance-id and --ip";
	else if (status == HTTP_UNAUTHORIZED)
		words = "it asks for a version 2 token and takes none of ours";
	aero_err_set(err, AERO_NET, "metadata service %.100s answered %ld to %s: %s",
		client->endpoint, status, path == NULL ? "the request for a token" : path,
		words);
	return status == HTTP_FORBIDDEN || status == HTTP_NOT_FOUND ||
			       status == HTTP_NOT_ALLOWED
		       ? FINAL
		       : AGAIN;
}

static enum outcome get_token(
	struct client *client, struct answer *answer, struct aero_err *err)
{
	long status;

	free(client->token);
	client->token = NULL;
	request(client, "PUT", "/latest/api/token",
		"X-aws-ec2-metadata-token-ttl-seconds: " TOKEN_TTL, answer, err);
	status = answer->status;
	if (status == HTTP_OK) {
		client->token = aero_metadata_word(answer->text, answer->len);
		if (client->token != NULL)
			return GOOD;
		aero_err_set(err, AERO_NET, "metadata service %.100s: its token is none",
			client->endpoint);
		return AGAIN;
	}
	if (client->v1 &&
		(status == 0 || status == HTTP_FORBIDDEN || status == HTTP_NOT_FOUND ||
			status == HTTP_NOT_ALLOWED)) {
		client->token = strdup("");
		return client->token == NULL ? AGAIN : GOOD;
	}
	if (status != 0)
		return refused(client, status, NULL, err);
	if (answer->connected)
		aero_err_set(err, AERO_NET,
			"metadata service %.100s takes the request for a token but does "
			"not answer: its hop limit may be 1 behind a bridge or "
			"container; raise HttpPutResponseHopLimit, or give --instance-id "
			"and --ip",
			client->endpoint);
	return AGAIN;
}

/* GET a path into answer; a token that expired is renewed once. */
static enum outcome get(struct client *client, const char *path, struct answer *answer,
	struct aero_err *err)
{
	char header[WORD_MAX + 64];
	enum outcome outcome;

	for (int turn = 0; turn < 2; turn++) {
		if (client->token == NULL) {
			outcome = get_token(client, answer, err);
			if (outcome != GOOD)
				return outcome;
		}
		(void)snprintf(header, sizeof(header), "X-aws-ec2-metadata-token: %s",
			client->token);
		request(client, "GET", path, *client->token != '\0' ? header : NULL,
			answer, err);
		if (answer->status != HTTP_UNAUTHORIZED)
			break;
		free(client->token);
		client->token = NULL;
	}
	if (answer->status == HTTP_OK)
		return GOOD;
	if (answer->status == 0)
		return AGAIN;
	outcome = refused(client, answer->status, path, err);
	return answer->status == HTTP_NOT_FOUND ? ABSENT : outcome;
}

/* A path that answers with one word. */
static enum outcome get_word(struct client *client, const char *path,
	struct answer *answer, char **ret, struct aero_err *err)
{
	enum outcome outcome = get(client, path, answer, err);

	if (outcome != GOOD)
		return outcome;
	*ret = aero_metadata_word(answer->text, answer->len);
	if (*ret != NULL)
		return GOOD;
	aero_err_set(err, AERO_NET, "metadata service %.100s: no usable answer to %s",
		client->endpoint, path);
	return AGAIN;
}

static enum outcome ask(struct client *client, struct answer *answer,
	struct aero_metadata *metadata, struct aero_err *err)
{
	enum outcome outcome =
		get(client, "/latest/dynamic/instance-identity/document", answer, err);

	if (outcome == GOOD &&
		aero_metadata_document(answer->text, answer->len, metadata, err) ==
			AERO_OK &&
		*metadata->ip != '\0')
		return GOOD;
	if (outcome == AGAIN || outcome == FINAL)
		return outcome;
	/* The paths that the original asks. */
	aero_metadata_clear(metadata);
	outcome = get_word(client, "/latest/meta-data/instance-id", answer,
		&metadata->instance_id, err);
	if (outcome != GOOD)
		return outcome;
	outcome = get_word(
		client, "/latest/meta-data/local-ipv4", answer, &metadata->ip, err);
	if (outcome == ABSENT)
		outcome = get_word(
			client, "/latest/meta-data/ipv6", answer, &metadata->ip, err);
	return outcome;
}

static int endpoint_of(const struct aero_metadata_opts *opts, struct client *client,
	struct aero_err *err)
{
	const char *disabled = getenv("AWS_EC2_METADATA_DISABLED");
	const char *mode = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
	const char *endpoint = opts->endpoint;
	size_t len;

	if (disabled != NULL && strcasecmp(disabled, "true") == 0)
		return aero_err_set(err, AERO_CONFIG,
			"AWS_EC2_METADATA_DISABLED switches the metadata service off: "
			"give --instance-id and --ip, or --offline");
	if (*endpoint == '\0')
		endpoint = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	if (endpoint == NULL || *endpoint == '\0')
		endpoint = mode != NULL && strcasecmp(mode, "IPv6") == 0
				   ? "http://[fd00:ec2::254]"
				   : "http://169.254.169.254";
	len = strlen(endpoint);
	while (len > 0 && endpoint[len - 1] == '/')
		len--;
	if (len >= sizeof(client->endpoint) ||
		(strncasecmp(endpoint, "http://", strlen("http://")) != 0 &&
			strncasecmp(endpoint, "https://", strlen("https://")) != 0))
		return aero_err_set(err, AERO_CONFIG,
			"metadata_endpoint '%.200s' is no http:// address", endpoint);
	memcpy(client->endpoint, endpoint, len);
	client->endpoint[len] = '\0';
	return AERO_OK;
}

static void pause_ms(int64_t ms)
{
	struct timespec time = {ms / 1000, (ms % 1000) * 1000000};

	(void)nanosleep(&time, NULL);
}

/* Ask until there is an answer, a final refusal, or the deadline. */
static int ask_until(struct client *client, const struct aero_metadata_opts *opts,
	struct answer *answer, struct aero_metadata *ret, struct aero_err *err)
{
	enum outcome outcome;
	int64_t left, wait;

	for (unsigned attempt = 0;; attempt++) {
		aero_metadata_clear(ret);
		outcome = ask(client, answer, ret, err);
		if (outcome == GOOD)
			return AERO_OK;
		left = opts->deadline_ms - aero_clock_ms();
		if (outcome != AGAIN || left <= 0)
			return AERO_NET;
		wait = 50 + aero_backoff_ms(
				    attempt < 8 ? attempt : 8, 200, 5000, aero_random());
		pause_ms(wait < left ? wait : left);
	}
}

static int begin(const struct aero_metadata_opts *opts, struct client *client,
	struct answer **ret, struct aero_err *err)
{
	int rc = endpoint_of(opts, client, err);

	if (rc != AERO_OK)
		return rc;
	client->v1 = opts->v1;
	*ret = malloc(sizeof(**ret));
	if (*ret != NULL && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		client->curl = curl_easy_init();
	if (client->curl == NULL)
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	return AERO_OK;
}

/* What was answered may be a secret. */
static void end(struct client *client, struct answer *answer)
{
	free(client->token);
	curl_easy_cleanup(client->curl);
	if (answer != NULL)
		explicit_bzero(answer, sizeof(*answer));
	free(answer);
}

int aero_metadata_get(const struct aero_metadata_opts *opts, const char *path, char **ret,
	size_t *ret_len, struct aero_err *err)
{
	struct client client = {0};
	struct answer *answer = NULL;
	enum outcome outcome;
	char *text;
	int rc = begin(opts, &client, &answer, err);

	if (rc != AERO_OK)
		goto out;
	outcome = get(&client, path, answer, err);
	if (outcome != GOOD) {
		rc = outcome == ABSENT ? AERO_MISS : AERO_NET;
		goto out;
	}
	text = malloc(answer->len + 1);
	if (text == NULL) {
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
		goto out;
	}
	memcpy(text, answer->text, answer->len + 1);
	*ret = text;
	*ret_len = answer->len;
out:
	end(&client, answer);
	return rc;
}

int aero_metadata_fetch(const struct aero_metadata_opts *opts, struct aero_metadata *ret,
	struct aero_err *err)
{
	struct aero_metadata metadata = {0};
	struct client client = {0};
	struct answer *answer = NULL;
	int rc = begin(opts, &client, &answer, err);

	if (rc != AERO_OK)
		goto out;
	rc = ask_until(&client, opts, answer, &metadata, err);
	if (rc == AERO_OK) {
		*ret = metadata;
		metadata = (struct aero_metadata){0}; /* now owned by the caller */
	}
out:
	aero_metadata_clear(&metadata);
	end(&client, answer);
	return rc;
}

void aero_metadata_clear(struct aero_metadata *metadata)
{
	free(metadata->instance_id);
	free(metadata->ip);
	*metadata = (struct aero_metadata){0};
}

char *aero_metadata_word(const char *text, size_t len)
{
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	if (len == 0 || len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return NULL;
	return strndup(text, len);
}

/* A member of the document that is a word; NULL if it is absent or none. */
static char *member(const bson_t *doc, const char *key)
{
	bson_iter_t it;
	uint32_t len;
	const char *text;

	if (!bson_iter_init_find(&it, doc, key) || !BSON_ITER_HOLDS_UTF8(&it))
		return NULL;
	text = bson_iter_utf8(&it, &len);
	return aero_metadata_word(text, len);
}

int aero_metadata_document(
	const char *text, size_t len, struct aero_metadata *ret, struct aero_err *err)
{
	struct aero_metadata metadata = {0};
	bson_error_t error = {0};
	bson_t *doc = NULL;
	int rc = AERO_OK;

	/* libbson would take a length of 0 for "up to the NUL". */
	if (len > 0 && len <= ANSWER_MAX)
		doc = bson_new_from_json((const uint8_t *)text, (ssize_t)len, &error);
	if (doc == NULL)
		return aero_err_set(err, AERO_NET, "instance identity document: %.200s",
			error.message);
	metadata.instance_id = member(doc, "instanceId");
	metadata.ip = member(doc, "privateIp");
	if (metadata.ip == NULL)
		metadata.ip = strdup("");
	if (metadata.instance_id == NULL || metadata.ip == NULL)
		rc = aero_err_set(err, AERO_NET,
			"instance identity document: it has no instanceId");
	bson_destroy(doc);
	if (rc == AERO_OK)
		*ret = metadata;
	else
		aero_metadata_clear(&metadata);
	return rc;
}
