/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/resolve.h"

#define NAMES_MAX 32
#define ADDRESSES_MAX 8

typedef int resolver(
	const char *, const char *, const struct addrinfo *, struct addrinfo **);

/* Not a C library's header has it under this name for us to define. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
	struct addrinfo **ret) __attribute__((visibility("default")));

struct addresses {
	size_t n;
	char v[ADDRESSES_MAX][INET6_ADDRSTRLEN];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bson_t *pinned;
static struct {
	char name[NI_MAXHOST];
	struct addresses at;
} noted[NAMES_MAX];
static size_t next; /* the oldest note */

void aero_resolve_pin(const bson_t *hosts)
{
	bson_t *copy = hosts != NULL ? bson_copy(hosts) : NULL, *old;

	(void)pthread_mutex_lock(&lock);
	old = pinned;
	pinned = copy;
	(void)pthread_mutex_unlock(&lock);
	bson_destroy(old);
}

static void add(struct addresses *to, const char *address)
{
	for (size_t i = 0; i < to->n; i++)
		if (strcmp(to->v[i], address) == 0)
			return;
	if (to->n < ADDRESSES_MAX)
		(void)snprintf(to->v[to->n++], sizeof(to->v[0]), "%s", address);
}

static void pinned_of(const char *name, struct addresses *ret)
{
	bson_iter_t it, each;

	(void)pthread_mutex_lock(&lock);
	if (pinned != NULL && bson_iter_init_find_case(&it, pinned, name) &&
		BSON_ITER_HOLDS_ARRAY(&it) && bson_iter_recurse(&it, &each))
		while (bson_iter_next(&each))
			if (BSON_ITER_HOLDS_UTF8(&each))
				add(ret, bson_iter_utf8(&each, NULL));
	(void)pthread_mutex_unlock(&lock);
}

static void note(const char *name, const struct addrinfo *answer)
{
	struct addresses at = {0};
	char text[INET6_ADDRSTRLEN];
	size_t i = 0;

	for (; answer != NULL; answer = answer->ai_next)
		if (getnameinfo(answer->ai_addr, answer->ai_addrlen, text, sizeof(text),
			    NULL, 0, NI_NUMERICHOST) == 0)
			add(&at, text);
	if (at.n == 0 || strcasecmp(name, at.v[0]) == 0 ||
		strlen(name) >= sizeof(noted[0].name))
		return;
	(void)pthread_mutex_lock(&lock);
	while (i < NAMES_MAX && strcasecmp(noted[i].name, name) != 0)
		i++;
	if (i == NAMES_MAX) {
		i = next;
		next = (next + 1) % NAMES_MAX;
	}
	(void)snprintf(noted[i].name, sizeof(noted[i].name), "%s", name);
	noted[i].at = at;
	(void)pthread_mutex_unlock(&lock);
}

bool aero_resolve_noted(const char *name, const char *key, bson_t *ret)
{
	bool found = false;
	char index[24];
	bson_t array;

	(void)pthread_mutex_lock(&lock);
	for (size_t i = 0; i < NAMES_MAX && !found; i++) {
		found = strcasecmp(noted[i].name, name) == 0;
		if (!found)
			continue;
		BSON_APPEND_ARRAY_BEGIN(ret, key, &array);
		for (size_t j = 0; j < noted[i].at.n; j++) {
			(void)snprintf(index, sizeof(index), "%zu", j);
			BSON_APPEND_UTF8(&array, index, noted[i].at.v[j]);
		}
		bson_append_array_end(ret, &array);
	}
	(void)pthread_mutex_unlock(&lock);
	return found;
}

static int from_memory(resolver *real, const struct addresses *at, const char *service,
	const struct addrinfo *hints, struct addrinfo **ret)
{
	struct addrinfo numeric = {0}, *first = NULL, **last = &first;
	int rc, all = EAI_NONAME;

	if (hints != NULL)
		numeric = *hints;
	numeric.ai_flags |= AI_NUMERICHOST;
	for (size_t i = 0; i < at->n; i++) {
		rc = real(at->v[i], service, &numeric, last);
		if (rc == 0)
			all = 0;
		while (*last != NULL)
			last = &(*last)->ai_next;
	}
	*ret = first;
	return all;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
	struct addrinfo **ret)
{
	/* POSIX has it so: a pointer to a function out of one to an object. */
	union {
		void *object;
		resolver *function;
	} real = {dlsym(RTLD_NEXT, "getaddrinfo")};
	struct addresses at = {0};
	int rc;

	if (real.object == NULL)
		return EAI_FAIL;
	if (node != NULL)
		pinned_of(node, &at);
	if (at.n > 0 && from_memory(real.function, &at, service, hints, ret) == 0)
		return 0;
	rc = real.function(node, service, hints, ret);
	if (rc == 0 && node != NULL)
		note(node, *ret);
	return rc;
}
