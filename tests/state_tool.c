/* SPDX-License-Identifier: MIT */
/* state_tool FILE SOURCE: print the documents of a state.mdb as syncd reads it, one a
 * line, or why they were given up (exit 1). Opening mends the file: give it a copy. */
#include "config.h"

#include <stdio.h>

#include "syncd/state.h"

static int print(
	void *arg, const void *id, size_t id_len, const bson_t *doc, struct aero_err *err)
{
	char *json = bson_as_relaxed_extended_json(doc, NULL);

	(void)arg;
	(void)id;
	(void)id_len;
	(void)err;
	puts(json);
	bson_free(json);
	return AERO_OK;
}

int main(int argc, char *argv[])
{
	struct aero_err err = {""}, warning = {""};
	struct aero_state *state = NULL;
	int rc;

	if (argc != 3)
		return 64;
	rc = aero_state_open(argv[1], argv[2], &state, &warning, &err);
	if (rc == AERO_OK)
		rc = aero_state_load(state, print, NULL, &err);
	(void)fprintf(stderr, "%s%s\n", warning.msg, err.msg);
	aero_state_close(state);
	return rc != AERO_OK || warning.msg[0] != '\0' ? 1 : 0;
}
