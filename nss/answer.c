/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>

#include "nss/answer.h"

/* What brings p to the alignment that pointers need, which is enough for all we put. */
static size_t padding(const char *p)
{
	return -(uintptr_t)p & (_Alignof(char *) - 1);
}

/* The length of n strings back to back. */
static size_t text_len(const char *p, unsigned n)
{
	size_t len = 0;

	while (n-- > 0)
		len += strlen(p + len) + 1;
	return len;
}

bool aero_answer_host(const struct aero_rec *rec, int af, const void *only,
	struct hostent *ret, char *buf, size_t len)
{
	size_t canon = text_len(rec->canon, 1);
	size_t aliases = text_len(rec->aliases, rec->n_alias);
	size_t one = af == AF_INET ? 4 : 16, n = af == AF_INET ? rec->n4 : rec->n6, i;
	const void *from = af == AF_INET ? rec->addr4 : rec->addr6;
	size_t ptrs, pad = padding(buf);
	char **ptr, *addr, *text;

	if (only != NULL) {
		from = only;
		n = 1;
	}
	ptrs = (rec->n_alias + 1 + n + 1) * sizeof(*ptr);
	if (len < pad + ptrs + n * one + canon + aliases)
		return false;
	ptr = (void *)(buf + pad);
	addr = buf + pad + ptrs;
	text = addr + n * one;
	memcpy(addr, from, n * one);
	memcpy(text, rec->canon, canon);
	memcpy(text + canon, rec->aliases, aliases);
	ret->h_name = text;
	ret->h_aliases = ptr;
	ret->h_addrtype = af;
	ret->h_length = (int)one;
	for (i = 0, text += canon; i < rec->n_alias; i++, text += text_len(text, 1))
		*ptr++ = text;
	*ptr++ = NULL;
	ret->h_addr_list = ptr;
	for (i = 0; i < n; i++)
		*ptr++ = addr + i * one;
	*ptr = NULL;
	return true;
}

bool aero_answer_tuples(
	const struct aero_rec *rec, struct gaih_addrtuple **pat, char *buf, size_t len)
{
	unsigned n = (unsigned)rec->n4 + rec->n6, i;
	struct gaih_addrtuple *tuple = *pat, *rest;
	size_t pad = padding(buf), tuples = (n - (tuple != NULL)) * sizeof(*rest);
	size_t canon = text_len(rec->canon, 1);
	char *name = buf + pad + tuples;

	if (len < pad + tuples + canon)
		return false;
	rest = (void *)(buf + pad);
	memcpy(name, rec->canon, canon);
	if (tuple == NULL)
		*pat = tuple = rest++;
	for (i = 0; i < n; i++, tuple = tuple->next) {
		*tuple = (struct gaih_addrtuple){.name = name,
			.family = i < rec->n4 ? AF_INET : AF_INET6,
			.next = i + 1 < n ? rest++ : NULL};
		if (i < rec->n4)
			memcpy(tuple->addr, rec->addr4 + (size_t)4 * i, 4);
		else
			memcpy(tuple->addr, rec->addr6 + (size_t)16 * (i - rec->n4), 16);
	}
	return true;
}
