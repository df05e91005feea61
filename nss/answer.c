/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>

#include "nss/answer.h"

/* What is left of the caller's buffer. */
struct room {
	char *at;
	size_t left;
};

static void *take(struct room *room, size_t size, size_t align)
{
	size_t pad = -(uintptr_t)room->at & (align - 1);
	char *p = room->at + pad;

	if (room->left < pad || room->left - pad < size)
		return NULL;
	room->at = p + size;
	room->left -= pad + size;
	return p;
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
	struct room room = {buf, len};
	char **ptr, *addr, *text;

	if (only != NULL) {
		from = only;
		n = 1;
	}
	ptr = take(&room, (rec->n_alias + 1 + n + 1) * sizeof(*ptr), _Alignof(char *));
	addr = ptr == NULL ? NULL : take(&room, n * one, _Alignof(uint32_t));
	text = addr == NULL ? NULL : take(&room, canon + aliases, 1);
	if (text == NULL)
		return false;
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
	struct room room = {buf, len};
	size_t canon = text_len(rec->canon, 1);
	char *name;

	rest = take(&room, (n - (tuple != NULL)) * sizeof(*rest),
		_Alignof(struct gaih_addrtuple));
	name = rest == NULL ? NULL : take(&room, canon, 1);
	if (name == NULL)
		return false;
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
