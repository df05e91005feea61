/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cli/json.h"

int aero_cli_print_json(FILE *out, const bson_t *doc, struct aero_err *err)
{
	char *json = bson_as_relaxed_extended_json(doc, NULL);

	if (json == NULL)
		return aero_err_set(err, AERO_NOMEM, "JSON: out of memory");
	(void)fputs(json, out);
	bson_free(json);
	return AERO_OK;
}
