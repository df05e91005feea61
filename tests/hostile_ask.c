/* SPDX-License-Identifier: MIT */
/* Look-ups that know their answer. No stdio and no allocation on the way of a good one:
 * signal handlers ask too. */
#include "config.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "tests/hostile.h"

#define STALE 4242 /* what errno and h_errno hold before each call */

enum kind { V4, V6, BOTH, ALIAS, REVERSE4, REVERSE6, MISS, OUTSIDE, KINDS };

static struct {
	void *so;
	nss_gethostbyname_r *byname;
	nss_gethostbyname2_r *byname2;
	nss_gethostbyname3_r *byname3;
	nss_gethostbyname4_r *byname4;
	nss_gethostbyaddr_r *byaddr;
	nss_gethostbyaddr2_r *byaddr2;
	nss_sethostent *set;
	nss_gethostent_r *get;
	nss_endhostent *end;
} module;

static struct host {
	char name[16], alias[16], miss[16], outside[32];
	unsigned char v4[4], v6[16];
} hosts[HOSTS];

const struct ending *ask_ending;
const struct ending ask_absent = {NSS_STATUS_UNAVAIL, ENOENT, NO_RECOVERY};
const struct ending ask_busy = {NSS_STATUS_TRYAGAIN, EAGAIN, TRY_AGAIN};
static const struct ending missed = {NSS_STATUS_NOTFOUND, ENOENT, HOST_NOT_FOUND};
static const struct ending outside = {NSS_STATUS_UNAVAIL, ENOENT, NO_RECOVERY};
bool ask_errno = true, ask_clock = true;

static void fill(int octet)
{
	unsigned i;

	for (i = 0; i < HOSTS; i++) {
		struct host *h = &hosts[i];

		(void)snprintf(h->name, sizeof(h->name), "web-%u", i);
		(void)snprintf(h->alias, sizeof(h->alias), "www-%u", i);
		(void)snprintf(h->miss, sizeof(h->miss), "no-%u", i);
		(void)snprintf(h->outside, sizeof(h->outside), "web-%u.example.com", i);
		h->v4[0] = 10;
		h->v6[0] = 0xfd;
		h->v4[1] = h->v6[3] = (unsigned char)octet;
		h->v4[2] = h->v6[13] = (unsigned char)(i >> 8);
		h->v4[3] = h->v6[15] = (unsigned char)i;
	}
}

bool ask_load(int octet)
{
	if (octet >= 0)
		fill(octet);
	module.so = dlopen("libnss_aerostat.so.2", RTLD_NOW | RTLD_LOCAL);
	if (module.so == NULL)
		return wrong("%s", dlerror());
#define LOAD(field, name) \
	*(void **)&module.field = dlsym(module.so, "_nss_aerostat_" name); \
	if (module.field == NULL) \
	return wrong("%s", dlerror())
	LOAD(byname, "gethostbyname_r");
	LOAD(byname2, "gethostbyname2_r");
	LOAD(byname3, "gethostbyname3_r");
	LOAD(byname4, "gethostbyname4_r");
	LOAD(byaddr, "gethostbyaddr_r");
	LOAD(byaddr2, "gethostbyaddr2_r");
	LOAD(set, "sethostent");
	LOAD(get, "gethostent_r");
	LOAD(end, "endhostent");
	return true;
}

void ask_unload(void)
{
	(void)dlclose(module.so);
	module.so = NULL;
}

static unsigned long clock_ns(void)
{
	struct timespec t = {0};

	if (ask_clock)
		(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (unsigned long)t.tv_sec * 1000000000UL + (unsigned long)t.tv_nsec;
}

static void count(unsigned long since)
{
	unsigned long took = clock_ns() - since, worst = atomic_load(&board->worst_ns);

	while (took > worst &&
		!atomic_compare_exchange_weak(&board->worst_ns, &worst, took))
		;
	(void)atomic_fetch_add(&board->lookups, 1);
}

/* The one address of its family, the canonical name and the alias. */
static bool is_host(const struct hostent *h, const struct host *want)
{
	bool v6 = h->h_addrtype == AF_INET6;

	return strcmp(h->h_name, want->name) == 0 && h->h_aliases[0] != NULL &&
	       strcmp(h->h_aliases[0], want->alias) == 0 && h->h_aliases[1] == NULL &&
	       h->h_addr_list[0] != NULL && h->h_addr_list[1] == NULL &&
	       h->h_length == (v6 ? 16 : 4) &&
	       memcmp(h->h_addr_list[0], v6 ? want->v6 : want->v4, v6 ? 16 : 4) == 0;
}

static bool is_both(const struct gaih_addrtuple *t, const struct host *want)
{
	return t != NULL && t->family == AF_INET && memcmp(t->addr, want->v4, 4) == 0 &&
	       strcmp(t->name, want->name) == 0 && t->next != NULL &&
	       t->next->family == AF_INET6 && memcmp(t->next->addr, want->v6, 16) == 0 &&
	       t->next->next == NULL;
}

static const struct ending *ending_of(enum kind kind)
{
	if (ask_ending != NULL)
		return ask_ending;
	return kind == MISS ? &missed : kind == OUTSIDE ? &outside : NULL;
}

bool ask_module(unsigned x)
{
	enum kind kind = (enum kind)(x % KINDS);
	const struct host *want = &hosts[x * 7919 % HOSTS];
	const struct ending *end = ending_of(kind);
	_Alignas(8) char buf[512];
	struct gaih_addrtuple *pat = NULL;
	enum nss_status status = NSS_STATUS_UNAVAIL;
	int err = STALE, herr = STALE, ttl = STALE;
	struct hostent h = {0};
	unsigned long since = clock_ns();
	char *canon = NULL;
	bool right;

	errno = STALE;
	h_errno = NETDB_INTERNAL;
	switch (kind) {
	case V4:
	case MISS:
	case OUTSIDE:
		status = module.byname(kind == V4     ? want->name
				       : kind == MISS ? want->miss
						      : want->outside,
			&h, buf, sizeof(buf), &err, &herr);
		break;
	case V6:
		status = module.byname2(
			want->name, AF_INET6, &h, buf, sizeof(buf), &err, &herr);
		break;
	case BOTH:
		status = module.byname4(
			want->name, &pat, buf, sizeof(buf), &err, &herr, &ttl);
		break;
	case ALIAS:
		status = module.byname3(want->alias, AF_INET, &h, buf, sizeof(buf), &err,
			&herr, &ttl, &canon);
		break;
	case REVERSE4:
		status = module.byaddr(
			want->v4, 4, AF_INET, &h, buf, sizeof(buf), &err, &herr);
		break;
	case REVERSE6:
	case KINDS:
		status = module.byaddr2(
			want->v6, 16, AF_INET6, &h, buf, sizeof(buf), &err, &herr, &ttl);
		break;
	}
	count(since);
	if (ask_errno && (errno != STALE || h_errno != NETDB_INTERNAL))
		return wrong("module, kind %d: errno %d h_errno %d", (int)kind, errno,
			h_errno);
	if (end != NULL)
		right = status == end->status && err == end->err && herr == end->herr;
	else
		right = status == NSS_STATUS_SUCCESS && err == STALE &&
			herr == NETDB_SUCCESS &&
			(kind == BOTH ? is_both(pat, want) : is_host(&h, want));
	return right || wrong("module, kind %d of %s: status %d errno %d h_errno %d",
				(int)kind, want->name, (int)status, err, herr);
}

static bool ask_addrinfo(const struct host *want, const struct ending *end)
{
	const struct addrinfo hints = {.ai_family = AF_INET,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_CANONNAME};
	struct addrinfo *list = NULL;
	int rc = getaddrinfo(want->name, NULL, &hints, &list);
	bool right;

	if (end != NULL)
		return rc == (end->herr == TRY_AGAIN ? EAI_AGAIN : EAI_NONAME);
	right = rc == 0 && list->ai_next == NULL &&
		strcmp(list->ai_canonname, want->name) == 0 &&
		memcmp(&((const struct sockaddr_in *)(void *)list->ai_addr)->sin_addr,
			want->v4, 4) == 0;
	if (rc == 0)
		freeaddrinfo(list);
	return right;
}

bool ask_glibc(unsigned x)
{
	enum kind kind = (enum kind)(x % KINDS);
	const struct host *want = &hosts[x * 7919 % HOSTS];
	const struct ending *end = ending_of(kind);
	struct hostent host, *h = NULL;
	char buf[1024];
	int herr = STALE;
	unsigned long since = clock_ns();
	bool right;

	errno = ERANGE;
	h_errno = NETDB_INTERNAL;
	if (kind == BOTH) {
		right = ask_addrinfo(want, end);
		count(since);
		return right || wrong("glibc: getaddrinfo of %s", want->name);
	}
	if (kind == REVERSE4 || kind == REVERSE6)
		(void)gethostbyaddr_r(kind == REVERSE4 ? want->v4 : want->v6,
			kind == REVERSE4 ? 4 : 16, kind == REVERSE4 ? AF_INET : AF_INET6,
			&host, buf, sizeof(buf), &h, &herr);
	else
		(void)gethostbyname2_r(kind == ALIAS     ? want->alias
				       : kind == MISS    ? want->miss
				       : kind == OUTSIDE ? want->outside
							 : want->name,
			kind == V6 ? AF_INET6 : AF_INET, &host, buf, sizeof(buf), &h,
			&herr);
	count(since);
	right = end != NULL ? h == NULL && herr == end->herr
			    : h != NULL && is_host(h, want);
	return right || wrong("glibc, kind %d of %s: %sfound, h_errno %d", (int)kind,
				want->name, h == NULL ? "not " : "", herr);
}

bool ask_both(unsigned n)
{
	unsigned x;

	for (x = 0; x < n; x++)
		if (!ask_module(x) || !ask_glibc(x))
			return false;
	return true;
}

bool ask_list(void)
{
	_Alignas(8) char buf[512];
	unsigned entries = 0;
	struct hostent h;
	int err, herr;

	(void)module.set(0);
	while (module.get(&h, buf, sizeof(buf), &err, &herr) == NSS_STATUS_SUCCESS)
		entries++;
	(void)module.end();
	return entries == 2 * HOSTS || wrong("the list has %u entries", entries);
}

bool ask_refused(void)
{
	const struct host *want = &hosts[0];
	enum nss_status got[4];
	_Alignas(8) char buf[512];
	struct hostent h;
	int err, herr;

	got[0] = module.byname(want->name, &h, buf, 16, &err, &herr);
	got[1] = module.byname2(want->name, AF_UNIX, &h, buf, sizeof(buf), &err, &herr);
	got[2] = module.byaddr(want->v4, 3, AF_INET, &h, buf, sizeof(buf), &err, &herr);
	got[3] = module.byname("..", &h, buf, sizeof(buf), &err, &herr);
	return (got[0] == NSS_STATUS_TRYAGAIN && got[1] == NSS_STATUS_UNAVAIL &&
		       got[2] == NSS_STATUS_UNAVAIL && got[3] == NSS_STATUS_NOTFOUND) ||
	       wrong("refused calls: %d %d %d %d", (int)got[0], (int)got[1], (int)got[2],
		       (int)got[3]);
}
