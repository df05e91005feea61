/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/server.h"

#define LMDB_PREFIX "lmdb:"
#define HOST_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

static const char *const schemes[] = {"mongodb://", "mongodb+srv://"};

static char *format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static char *format(const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	return text;
}

/* Scheme, hosts and database of a URI. A password must be %-escaped, so an '@' behind the
 * hosts may end one that is not: then nothing of it can be shown. */
static char *shown(const char *uri, size_t scheme_len)
{
	const char *hosts = uri + scheme_len, *end = hosts + strcspn(hosts, "/?#"), *at;

	if (strchr(end, '@') != NULL)
		return format("%.*s(hidden)", (int)scheme_len, uri);
	at = memrchr(hosts, '@', (size_t)(end - hosts));
	if (at != NULL)
		hosts = at + 1;
	return format("%.*s%.*s", (int)scheme_len, uri, (int)strcspn(hosts, "?#"), hosts);
}

static bool is_v6(const char *text, size_t len)
{
	char copy[INET6_ADDRSTRLEN];
	struct in6_addr addr;

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return inet_pton(AF_INET6, copy, &addr) == 1;
}

/* The host at the start of text; its length, or 0 if there is none. *ret_v6 says that it
 * has to be put into brackets. */
static size_t host_len(const char *text, const char **ret_host, bool *ret_v6)
{
	size_t len;

	*ret_host = text;
	*ret_v6 = true;
	if (*text == '[') {
		*ret_host = text + 1;
		len = strcspn(text + 1, "]");
		return text[1 + len] == ']' && is_v6(text + 1, len) ? len : 0;
	}
	len = strlen(text);
	if (is_v6(text, len))
		return len;
	*ret_v6 = false;
	return strspn(text, HOST_CHARS);
}

/* ":PORT" or nothing; -1 for anything else. */
static int port_of(const char *text, int port)
{
	char *end;
	long n;

	if (*text == '\0')
		return port;
	if (text[0] != ':' || text[1] < '0' || text[1] > '9')
		return -1;
	n = strtol(text + 1, &end, 10);
	return *end == '\0' && n > 0 && n <= 65535 ? (int)n : -1;
}

static int parse_host(
	const char *server, int port, struct aero_server *ret, struct aero_err *err)
{
	const char *host, *rest;
	bool v6;
	size_t len = host_len(server, &host, &v6);

	rest = host + len;
	if (v6 && *server == '[' && len > 0)
		rest++;
	if (len > 0)
		port = port_of(rest, port);
	if (len == 0 || port <= 0)
		/* What holds an '@' may hold a password. */
		return aero_err_set(err, AERO_CONFIG,
			"server '%.200s': not host[:port], [IPv6]:port, mongodb://, "
			"mongodb+srv:// or lmdb:PATH",
			strchr(server, '@') == NULL ? server : "(hidden)");
	ret->kind = AERO_SERVER_MONGO;
	ret->name = format("mongodb://%s%.*s%s:%d", v6 ? "[" : "", (int)len, host,
		v6 ? "]" : "", port);
	if (ret->name != NULL)
		ret->uri = format("%s/?directConnection=false", ret->name);
	return AERO_OK;
}

int aero_server_parse(
	const char *server, int port, struct aero_server *ret, struct aero_err *err)
{
	struct aero_server parsed = {0};
	size_t n = sizeof(schemes) / sizeof(schemes[0]), i = 0, len = 0;
	int rc = AERO_OK;

	while (i < n && strncmp(server, schemes[i], strlen(schemes[i])) != 0)
		i++;
	if (i < n)
		len = strlen(schemes[i]);
	if (i < n && server[len] == '\0') {
		rc = aero_err_set(err, AERO_CONFIG, "server '%s': no host", server);
	} else if (i < n) {
		parsed.kind = AERO_SERVER_MONGO;
		parsed.uri = strdup(server);
		parsed.name = shown(server, len);
	} else if (strncmp(server, LMDB_PREFIX, strlen(LMDB_PREFIX)) == 0) {
		parsed.kind = AERO_SERVER_LMDB;
		parsed.uri = strdup(server + strlen(LMDB_PREFIX));
		parsed.name = strdup(server);
		if (server[strlen(LMDB_PREFIX)] == '\0')
			rc = aero_err_set(err, AERO_CONFIG,
				"server 'lmdb:': no path; write lmdb:/path/to/file");
	} else {
		rc = parse_host(server, port, &parsed, err);
	}
	if (rc == AERO_OK && (parsed.uri == NULL || parsed.name == NULL))
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	if (rc == AERO_OK)
		*ret = parsed;
	else
		aero_server_clear(&parsed);
	return rc;
}

void aero_server_clear(struct aero_server *server)
{
	free(server->uri);
	free(server->name);
	*server = (struct aero_server){0};
}
