/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "syncd/rows.h"

static void add(struct aero_rows *rows, const struct aero_host *host, char **text)
{
	const struct aero_document *doc = host->doc;
	struct aero_hosts_row *row = &rows->v[rows->n++];

	*row = (struct aero_hosts_row){.host = doc->name.text,
		.fqdn = doc->fqdn,
		.aliases = host->aliases,
		.n_aliases = host->n_aliases};
	for (size_t i = 0; i < (size_t)doc->n4 + doc->n6; i++) {
		bool v4 = i < doc->n4;
		const void *from = v4 ? doc->addr4[i] : doc->addr6[i - doc->n4];

		row->addrs[row->n_addrs++] = *text;
		(void)inet_ntop(v4 ? AF_INET : AF_INET6, from, *text, INET6_ADDRSTRLEN);
		*text += strlen(*text) + 1;
	}
}

int aero_rows_make(const struct aero_answer_set *set, enum aero_hosts_file which,
	const char *instance_id, struct aero_rows *ret, struct aero_err *err)
{
	const struct aero_host *self = aero_answer_of_instance(set, instance_id);
	size_t n = which == AERO_HOSTS_FULL                   ? set->n_hosts
		   : which == AERO_HOSTS_SELF && self != NULL ? 1
							      : 0;
	struct aero_rows rows = {0};
	char *text;

	rows.v = calloc(n + 1, sizeof(*rows.v));
	rows.texts = calloc(n * AERO_DOCUMENT_ADDRS + 1, INET6_ADDRSTRLEN);
	if (rows.v == NULL || rows.texts == NULL) {
		aero_rows_clear(&rows);
		return aero_err_set(err, AERO_NOMEM, "hosts file: out of memory");
	}
	text = rows.texts;
	if (which == AERO_HOSTS_FULL)
		for (size_t i = 0; i < n; i++)
			add(&rows, &set->hosts[i], &text);
	else if (n == 1)
		add(&rows, self, &text);
	*ret = rows;
	return AERO_OK;
}

void aero_rows_clear(struct aero_rows *rows)
{
	free(rows->v);
	free(rows->texts);
	*rows = (struct aero_rows){0};
}
