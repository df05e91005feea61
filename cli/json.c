/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>

#include "cli/json.h"
#include "lib/json.h"

int aero_cli_print_json(FILE *out, const bson_t *doc, struct aero_err *err)
{
	char *json = aero_json_of_bson(doc, NULL);

	if (json == NULL)
		return aero_err_set(err, AERO_NOMEM, "JSON: out of memory");
	(void)fputs(json, out);
	free(json);
	return AERO_OK;
}

int aero_cli_print_json_line(FILE *out, const bson_t *doc, struct aero_err *err)
{
	int rc = aero_cli_print_json(out, doc, err);

	if (rc == AERO_OK)
		(void)fputc('\n', out);
	return rc;
}
