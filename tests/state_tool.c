/* SPDX-License-Identifier: MIT */
/* state_tool [--hex] FILE SOURCE: print the documents of a state.mdb as syncd reads it,
 * one a line in no order, or why they were given up (exit 1). --hex: their bytes, to
 * compare with the collection's. Opening mends the file: give it a copy that nobody
 * writes. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "syncd/state.h"

static int print(
	void *arg, const void *id, size_t id_len, const bson_t *doc, struct aero_err *err)
{
	const bool *hex = arg;
	const uint8_t *data = bson_get_data(doc);
	char *json = *hex ? NULL : bson_as_relaxed_extended_json(doc, NULL);

	(void)id;
	(void)id_len;
	(void)err;
	for (uint32_t i = 0; *hex && i < doc->len; i++)
		(void)printf("%02x", data[i]);
	(void)puts(json != NULL ? json : "");
	bson_free(json);
	return AERO_OK;
}

int main(int argc, char *argv[])
{
	struct aero_err err = {""}, warning = {""};
	struct aero_state *state = NULL;
	bool hex = argc > 1 && strcmp(argv[1], "--hex") == 0;
	int rc;

	argv += hex;
	if (argc - hex != 3)
		return 64;
	rc = aero_state_open(argv[1], argv[2], &state, &warning, &err);
	if (rc == AERO_OK)
		rc = aero_state_load(state, print, &hex, &err);
	(void)fprintf(stderr, "%s%s\n", warning.msg, err.msg);
	aero_state_close(state);
	return rc != AERO_OK || warning.msg[0] != '\0' ? 1 : 0;
}
