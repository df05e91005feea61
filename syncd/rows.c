/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "syncd/rows.h"

/* Where the next texts go. */
struct room {
	char *text;
	const char **aliases;
};

static void add(
	struct aero_rows *rows, const struct aero_document *doc, struct room *room)
{
	struct aero_hosts_row *row = &rows->v[rows->n++];

	*row = (struct aero_hosts_row){
		.host = doc->name.text, .fqdn = doc->fqdn, .aliases = room->aliases};
	for (size_t i = 0; i < doc->n_aliases; i++)
		if (doc->aliases[i].won)
			room->aliases[row->n_aliases++] = doc->aliases[i].text;
	room->aliases += row->n_aliases;
	for (size_t i = 0; i < (size_t)doc->n4 + doc->n6; i++) {
		size_t len;
		const unsigned char *key = aero_document_addr_key(doc, i, &len);

		row->addrs[row->n_addrs++] = room->text;
		(void)inet_ntop(i < doc->n4 ? AF_INET : AF_INET6, key + 1, room->text,
			INET6_ADDRSTRLEN);
		room->text += strlen(room->text) + 1;
	}
}

int aero_rows_make(const struct aero_answer_set *set, enum aero_hosts_file which,
	const char *instance_id, struct aero_rows *ret, struct aero_err *err)
{
	const struct aero_document *doc, *self = NULL;
	size_t n = 0, n_aliases = 0, at = 0;
	struct aero_rows rows = {0};
	struct room room;

	if (which == AERO_HOSTS_SELF)
		self = aero_answer_of_instance(set, instance_id);
	if (which == AERO_HOSTS_FULL)
		for (; (doc = aero_answers_host(set->answers, &at)) != NULL; n++)
			n_aliases += doc->n_aliases;
	else if (self != NULL)
		n_aliases = self->n_aliases;
	n += self != NULL;
	rows.v = calloc(n + 1, sizeof(*rows.v));
	rows.texts = calloc(n * AERO_DOCUMENT_ADDRS + 1, INET6_ADDRSTRLEN);
	rows.aliases = calloc(n_aliases + 1, sizeof(*rows.aliases));
	if (rows.v == NULL || rows.texts == NULL || rows.aliases == NULL) {
		aero_rows_clear(&rows);
		return aero_err_set(err, AERO_NOMEM, "hosts file: out of memory");
	}
	room = (struct room){rows.texts, rows.aliases};
	if (self != NULL)
		add(&rows, self, &room);
	for (at = 0; self == NULL && rows.n < n;)
		add(&rows, aero_answers_host(set->answers, &at), &room);
	*ret = rows;
	return AERO_OK;
}

void aero_rows_clear(struct aero_rows *rows)
{
	free(rows->v);
	free(rows->texts);
	free(rows->aliases);
	*rows = (struct aero_rows){0};
}
