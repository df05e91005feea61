/* SPDX-License-Identifier: MIT */
/* The least that a module can be: it answers 10.0.0.1 at once. What glibc itself costs.
 */
#include "config.h"

#include <netdb.h>
#include <nss.h>
#include <stdint.h>
#include <string.h>

nss_gethostbyname2_r _nss_aeronull_gethostbyname2_r;
nss_gethostbyname_r _nss_aeronull_gethostbyname_r;
nss_gethostbyaddr_r _nss_aeronull_gethostbyaddr_r;

static enum nss_status answer(struct hostent *host, char *buf, size_t len)
{
	struct {
		char *none[1], *addrs[2];
		unsigned char addr[4];
		char name[8];
	} *a = (void *)(buf + (-(uintptr_t)buf & 7));

	if (len < sizeof(*a) + 8)
		return NSS_STATUS_UNAVAIL;
	a->none[0] = a->addrs[1] = NULL;
	a->addrs[0] = (char *)a->addr;
	memcpy(a->addr, "\12\0\0\1", 4);
	memcpy(a->name, "null", 5);
	*host = (struct hostent){a->name, a->none, AF_INET, 4, a->addrs};
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_aeronull_gethostbyname2_r(const char *name, int af,
	struct hostent *host, char *buf, size_t len, int *errnop, int *h_errnop)
{
	(void)name;
	(void)af;
	(void)errnop;
	(void)h_errnop;
	return answer(host, buf, len);
}

enum nss_status _nss_aeronull_gethostbyname_r(const char *name, struct hostent *host,
	char *buf, size_t len, int *errnop, int *h_errnop)
{
	return _nss_aeronull_gethostbyname2_r(
		name, AF_INET, host, buf, len, errnop, h_errnop);
}

enum nss_status _nss_aeronull_gethostbyaddr_r(const void *addr, socklen_t size, int af,
	struct hostent *host, char *buf, size_t len, int *errnop, int *h_errnop)
{
	(void)addr;
	(void)size;
	(void)af;
	(void)errnop;
	(void)h_errnop;
	return answer(host, buf, len);
}
