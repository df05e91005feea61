/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "lib/names.h"

#define NAME_MAX_BYTES 253
#define LABEL_MAX_BYTES 63

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static const char *label_refuse(const char *label, size_t len, bool underscore)
{
	if (len == 0)
		return "empty label";
	if (len > LABEL_MAX_BYTES)
		return "label over 63 bytes";
	if (label[0] == '-' || label[len - 1] == '-')
		return "label begins or ends with a hyphen";
	for (size_t i = 0; i < len; i++)
		if (!is_alnum(label[i]) && label[i] != '-' &&
			!(underscore && label[i] == '_'))
			return "character that is no letter, digit or hyphen";
	return NULL;
}

/* True if name lies strictly below suffix. */
static bool below(const char *name, const char *suffix)
{
	size_t n = strlen(name), s;

	while (*suffix == '.')
		suffix++;
	s = strlen(suffix);
	return s > 0 && n > s + 1 && name[n - s - 1] == '.' &&
	       strcasecmp(name + n - s, suffix) == 0;
}

static bool in_zones(const char *name, const char *domain, const struct aero_list *zones)
{
	if (domain != NULL && below(name, domain))
		return true;
	for (size_t i = 0; zones != NULL && i < zones->n; i++)
		if (strcmp(zones->v[i], ".") == 0 || below(name, zones->v[i]))
			return true;
	return false;
}

const char *aero_name_refuse(const char *name, bool underscore, const char *domain,
	const struct aero_list *zones)
{
	struct in_addr number;
	const char *label = name, *end, *why;

	if (*name == '\0')
		return "empty name";
	if (strlen(name) > NAME_MAX_BYTES)
		return "name over 253 bytes";
	do {
		end = strchrnul(label, '.');
		why = label_refuse(label, (size_t)(end - label), underscore);
		if (why != NULL)
			return why;
		label = end + 1;
	} while (*end == '.');
	if (inet_aton(name, &number) != 0)
		return "name that reads as an address";
	if (strncasecmp(name, "localhost", strlen("localhost")) == 0 ||
		strncasecmp(name, "ip6-", strlen("ip6-")) == 0 ||
		strcasecmp(name, "_gateway") == 0)
		return "reserved name";
	if (strchr(name, '.') != NULL && !in_zones(name, domain, zones))
		return "dotted name outside domain and zones";
	return NULL;
}

const char *aero_zone_refuse(const char *zone)
{
	char dot[] = ".", *dots[] = {dot};
	const struct aero_list all = {.v = dots, .n = 1};
	const char *name = zone + strspn(zone, ".");

	if (strcmp(zone, ".") == 0)
		return NULL;
	return aero_name_refuse(name, true, NULL, &all);
}

char *aero_domain_trim(const char *domain)
{
	size_t len;

	domain += strspn(domain, ".");
	len = strlen(domain);
	while (len > 0 && domain[len - 1] == '.')
		len--;
	return strndup(domain, len);
}

/* Compare the runs of digits that begin at *a and *b by value, and step over them. */
static int number_cmp(const char **a, const char **b)
{
	const char *p = *a, *q = *b;
	size_t m = 0, n = 0;

	while (*p == '0')
		p++;
	while (*q == '0')
		q++;
	while (is_digit(p[m]))
		m++;
	while (is_digit(q[n]))
		n++;
	*a = p + m;
	*b = q + n;
	if (m != n)
		return m < n ? -1 : 1;
	return strncmp(p, q, m);
}

static unsigned char fold(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

int aero_natural_cmp(const char *a, const char *b)
{
	const char *whole_a = a, *whole_b = b;
	int order;

	while (*a != '\0' && *b != '\0') {
		if (is_digit(*a) && is_digit(*b)) {
			order = number_cmp(&a, &b);
			if (order != 0)
				return order;
		} else if (fold(*a) != fold(*b)) {
			return fold(*a) < fold(*b) ? -1 : 1;
		} else {
			a++;
			b++;
		}
	}
	if (*a != '\0' || *b != '\0')
		return *a == '\0' ? -1 : 1;
	return strcmp(whole_a, whole_b);
}

static const char *refuse4(const unsigned char b[static 4], bool loopback)
{
	static const unsigned char unspecified[4], broadcast[4] = {255, 255, 255, 255};

	if (memcmp(b, unspecified, sizeof(unspecified)) == 0)
		return "unspecified address";
	if (memcmp(b, broadcast, sizeof(broadcast)) == 0)
		return "broadcast address";
	if (b[0] == 127 && !loopback)
		return "loopback address";
	if (b[0] == 169 && b[1] == 254)
		return "link-local address";
	return (b[0] & 0xf0) == 0xe0 ? "multicast address" : NULL;
}

static const char *refuse6(const struct in6_addr *a, bool loopback)
{
	if (IN6_IS_ADDR_UNSPECIFIED(a))
		return "unspecified address";
	if (IN6_IS_ADDR_LOOPBACK(a) && !loopback)
		return "loopback address";
	if (IN6_IS_ADDR_LINKLOCAL(a))
		return "link-local address";
	return IN6_IS_ADDR_MULTICAST(a) ? "multicast address" : NULL;
}

const char *aero_addr_refuse(const char *text, bool loopback, struct aero_addr *ret)
{
	struct aero_addr addr = {0};
	struct in6_addr v6;
	const char *why;

	if (inet_pton(AF_INET, text, addr.bytes) == 1) {
		addr.family = AF_INET;
		why = refuse4(addr.bytes, loopback);
	} else if (inet_pton(AF_INET6, text, &v6) == 1 && IN6_IS_ADDR_V4MAPPED(&v6)) {
		addr.family = AF_INET;
		memcpy(addr.bytes, &v6.s6_addr[12], 4);
		why = refuse4(addr.bytes, loopback);
	} else if (inet_pton(AF_INET6, text, &v6) == 1) {
		addr.family = AF_INET6;
		memcpy(addr.bytes, &v6, sizeof(v6));
		why = refuse6(&v6, loopback);
	} else {
		why = *text == '\0' ? "no address" : "not an address";
	}
	if (why == NULL)
		*ret = addr;
	return why;
}

size_t aero_addr_len(const struct aero_addr *addr)
{
	switch (addr->family) {
	case AF_INET:
		return 4;
	case AF_INET6:
		return 16;
	default:
		return 0;
	}
}
