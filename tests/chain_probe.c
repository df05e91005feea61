/* SPDX-License-Identifier: MIT */
/* One look-up through the real glibc chain, told in one line, with a stale errno and
 * h_errno first.
 *
 * chain_probe [-l] gai 0|4|6 NAME      getaddrinfo with AI_CANONNAME
 * chain_probe [-l] plain 0|4|6 NAME    getaddrinfo without
 * chain_probe [-l] byname NAME         gethostbyname
 * chain_probe [-l] byname_r NAME       gethostbyname_r
 * chain_probe [-l] byname2 4|6 NAME    gethostbyname2_r
 * chain_probe [-l] byaddr ADDRESS      gethostbyaddr_r
 * chain_probe [-l] nameinfo ADDRESS    getnameinfo, a name required
 * chain_probe ents [N COMMAND]         gethostent to its end; COMMAND after N of them
 *
 * -l: after one look-up that loads the module, no descriptor is left. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct {
	int code;
	const char *name;
} gai_names[] = {{EAI_NONAME, "EAI_NONAME"}, {EAI_NODATA, "EAI_NODATA"},
	{EAI_AGAIN, "EAI_AGAIN"}, {EAI_FAIL, "EAI_FAIL"}, {EAI_SYSTEM, "EAI_SYSTEM"},
	{EAI_FAMILY, "EAI_FAMILY"}, {EAI_ADDRFAMILY, "EAI_ADDRFAMILY"}},
  h_names[] = {{NETDB_INTERNAL, "NETDB_INTERNAL"}, {NETDB_SUCCESS, "NETDB_SUCCESS"},
	  {HOST_NOT_FOUND, "HOST_NOT_FOUND"}, {TRY_AGAIN, "TRY_AGAIN"},
	  {NO_RECOVERY, "NO_RECOVERY"}, {NO_DATA, "NO_DATA"}};

static void stale(void)
{
	errno = ERANGE;
	h_errno = NETDB_INTERNAL;
}

static int family(const char *word)
{
	return *word == '4' ? AF_INET : *word == '6' ? AF_INET6 : AF_UNSPEC;
}

static int gai_failed(int rc)
{
	size_t i;

	for (i = 0; i < sizeof(gai_names) / sizeof(gai_names[0]); i++)
		if (gai_names[i].code == rc)
			(void)printf("%s\n", gai_names[i].name);
	return 2;
}

static int gai(int af, const char *name, int flags)
{
	struct addrinfo hints = {.ai_family = af,
				.ai_socktype = SOCK_STREAM,
				.ai_flags = flags},
			*list, *p;
	char text[INET6_ADDRSTRLEN];
	int rc;

	stale();
	rc = getaddrinfo(name, NULL, &hints, &list);
	if (rc != 0)
		return gai_failed(rc);
	if (flags != 0)
		(void)printf("%s ", list->ai_canonname);
	for (p = list; p != NULL; p = p->ai_next) {
		rc = getnameinfo(p->ai_addr, p->ai_addrlen, text, sizeof(text), NULL, 0,
			NI_NUMERICHOST);
		(void)printf("%s%s", rc == 0 ? text : "?", p->ai_next != NULL ? " " : "");
	}
	(void)printf("\n");
	freeaddrinfo(list);
	return 0;
}

static void print_host(const struct hostent *h)
{
	char text[INET6_ADDRSTRLEN], **p;

	(void)printf("%s", h->h_name);
	for (p = h->h_aliases; *p != NULL; p++)
		(void)printf(" %s", *p);
	for (p = h->h_addr_list; *p != NULL; p++)
		(void)printf(" %s", inet_ntop(h->h_addrtype, *p, text, sizeof(text)));
	(void)printf("\n");
}

static int tell(int rc, const struct hostent *h, int herr)
{
	size_t i;

	if (rc == 0 && h != NULL) {
		print_host(h);
		return 0;
	}
	for (i = 0; i < sizeof(h_names) / sizeof(h_names[0]); i++)
		if (h_names[i].code == herr)
			(void)printf("%s\n", h_names[i].name);
	return 2;
}

static int byname(const char *name)
{
	const struct hostent *h;

	stale();
	h = gethostbyname(name);
	return tell(0, h, h_errno);
}

static int byname_r(const char *name)
{
	struct hostent host, *h = NULL;
	char buf[4096];
	int herr = NETDB_INTERNAL, rc;

	stale();
	rc = gethostbyname_r(name, &host, buf, sizeof(buf), &h, &herr);
	return tell(rc, h, herr);
}

static int byname2(int af, const char *name)
{
	struct hostent host, *h = NULL;
	char buf[4096];
	int herr = NETDB_INTERNAL, rc;

	stale();
	rc = gethostbyname2_r(name, af, &host, buf, sizeof(buf), &h, &herr);
	return tell(rc, h, herr);
}

static int byaddr(const char *text)
{
	struct hostent host, *h = NULL;
	unsigned char addr[16];
	char buf[4096];
	int af = strchr(text, ':') != NULL ? AF_INET6 : AF_INET, herr = NETDB_INTERNAL,
	    rc;

	if (inet_pton(af, text, addr) != 1)
		return 64;
	stale();
	rc = gethostbyaddr_r(
		addr, af == AF_INET ? 4 : 16, af, &host, buf, sizeof(buf), &h, &herr);
	return tell(rc, h, herr);
}

static int nameinfo(const char *text)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST}, *at;
	char name[NI_MAXHOST];
	int rc;

	if (getaddrinfo(text, NULL, &hints, &at) != 0)
		return 64;
	stale();
	rc = getnameinfo(
		at->ai_addr, at->ai_addrlen, name, sizeof(name), NULL, 0, NI_NAMEREQD);
	freeaddrinfo(at);
	if (rc != 0)
		return gai_failed(rc);
	(void)printf("%s\n", name);
	return 0;
}

static int ents(long n, const char *command)
{
	const struct hostent *h;

	sethostent(1);
	for (;;) {
		stale();
		h = gethostent();
		if (h == NULL)
			break;
		print_host(h);
		(void)fflush(stdout);
		if (--n == 0 && system(command) != 0)
			return 70;
	}
	endhostent();
	return 0;
}

int main(int argc, char **argv)
{
	const struct rlimit none = {0, 0};
	const char *what;

	if (argc > 1 && strcmp(argv[1], "-l") == 0) {
		(void)gethostbyname("web-0");
		if (setrlimit(RLIMIT_NOFILE, &none) < 0)
			return 70;
		argv++;
		argc--;
	}
	what = argc > 1 ? argv[1] : "";
	if (strcmp(what, "gai") == 0 && argc == 4)
		return gai(family(argv[2]), argv[3], AI_CANONNAME);
	if (strcmp(what, "plain") == 0 && argc == 4)
		return gai(family(argv[2]), argv[3], 0);
	if (strcmp(what, "byname") == 0 && argc == 3)
		return byname(argv[2]);
	if (strcmp(what, "byname_r") == 0 && argc == 3)
		return byname_r(argv[2]);
	if (strcmp(what, "byname2") == 0 && argc == 4)
		return byname2(family(argv[2]), argv[3]);
	if (strcmp(what, "byaddr") == 0 && argc == 3)
		return byaddr(argv[2]);
	if (strcmp(what, "nameinfo") == 0 && argc == 3)
		return nameinfo(argv[2]);
	if (strcmp(what, "ents") == 0 && (argc == 2 || argc == 4))
		return ents(argc == 4 ? strtol(argv[2], NULL, 10) : 0, argv[argc - 1]);
	return 64;
}
