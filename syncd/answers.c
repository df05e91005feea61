/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/names.h"
#include "syncd/answers_parts.h"

/* ---- documents ---- */

/* Append domain or zone, which must be a name itself or, for a zone, `.`. */
static int add_zone(struct aero_answers *answers, const char *what, const char *zone,
	size_t *len, struct aero_err *err)
{
	const char *why = aero_zone_refuse(zone);

	if (why == NULL && *len + strlen(zone) + 1 > sizeof(answers->zones_text))
		why = "too many zones";
	if (why != NULL)
		return aero_err_set(err, AERO_CONFIG, "%s '%.100s': %s", what, zone, why);
	memcpy(answers->zones_text + *len, zone, strlen(zone) + 1);
	*len += strlen(zone) + 1;
	answers->n_zones++;
	return AERO_OK;
}

int aero_answers_new(const struct aero_answers_opts *opts, struct aero_answers **ret,
	struct aero_err *err)
{
	struct aero_answers *answers = calloc(1, sizeof(*answers));
	size_t len = 0;
	int rc = AERO_OK;

	if (answers == NULL)
		return aero_err_set(err, AERO_NOMEM, "names: out of memory");
	answers->domain = aero_domain_trim(opts->domain);
	if (answers->domain == NULL || !aero_list_copy(opts->zones, &answers->zones)) {
		rc = aero_err_set(err, AERO_NOMEM, "names: out of memory");
		goto out;
	}
	answers->opts = *opts;
	answers->all_changed = answers->list_due = true;
	aero_table_init(&answers->table);
	aero_order_init(&answers->order);
	answers->opts.domain = answers->domain;
	answers->opts.zones = &answers->zones;
	if (*answers->domain != '\0')
		rc = add_zone(answers, "domain", answers->domain, &len, err);
	for (size_t i = 0; rc == AERO_OK && i < answers->zones.n; i++)
		rc = add_zone(answers, "zone", answers->zones.v[i], &len, err);
	if (rc == AERO_OK) {
		*ret = answers;
		answers = NULL; /* now the caller's */
	}
out:
	aero_answers_free(answers);
	return rc;
}

void aero_answers_free(struct aero_answers *answers)
{
	if (answers == NULL)
		return;
	free(answers->order.v);
	aero_table_clear(&answers->table);
	free(answers->changed.bytes);
	free(answers->changed.at);
	aero_list_clear(&answers->zones);
	free(answers->domain);
	free(answers);
}

int aero_answers_put(struct aero_answers *answers, const void *id, size_t id_len,
	const bson_t *doc, struct aero_err *err)
{
	struct aero_document *read = NULL;

	if (doc != NULL) {
		read = aero_document_read(&answers->opts, id, id_len, doc);
		if (read == NULL)
			return aero_err_set(err, AERO_NOMEM, "names: out of memory");
	}
	if (!aero_table_put(&answers->table, id, id_len, read)) {
		free(read);
		return aero_err_set(err, AERO_NOMEM, "names: out of memory");
	}
	return AERO_OK;
}
