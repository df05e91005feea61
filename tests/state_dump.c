/* SPDX-License-Identifier: MIT */
/* What a state.mdb holds, for tests that compare it with the collection:
 *	state_dump COPY SERVER [DATABASE]
 * prints each document's bytes in hex, one a line, in no order. COPY must be a copy of a
 * file that nobody writes. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/store.h"
#include "syncd/state.h"

static int print(
	void *arg, const void *id, size_t id_len, const bson_t *doc, struct aero_err *err)
{
	const uint8_t *data = bson_get_data(doc);

	(void)arg;
	(void)id;
	(void)id_len;
	(void)err;
	for (uint32_t i = 0; i < doc->len; i++)
		(void)printf("%02x", data[i]);
	(void)putchar('\n');
	return AERO_OK;
}

int main(int argc, char **argv)
{
	struct aero_store_opts opts = {.port = 27017, .role = "test", .read_only = true};
	struct aero_store *store = NULL;
	struct aero_state *state = NULL;
	struct aero_err err = {{0}}, warning = {{0}};
	char *source = NULL;
	int rc;

	if (argc < 3)
		return 64;
	opts.server = argv[2];
	rc = aero_store_open(&opts, &store, &err);
	if (rc == AERO_OK && asprintf(&source, "%s %s", aero_store_name(store),
				     argc > 3 ? argv[3] : "aerostat") < 0)
		rc = AERO_NOMEM;
	if (rc == AERO_OK)
		rc = aero_state_open(argv[1], source, &state, &warning, &err);
	if (rc == AERO_OK)
		rc = aero_state_load(state, print, NULL, &err);
	if (rc != AERO_OK || warning.msg[0] != '\0')
		(void)fprintf(stderr, "state_dump: %s%s\n", err.msg, warning.msg);
	aero_state_close(state);
	aero_store_close(store);
	free(source);
	return rc != AERO_OK || warning.msg[0] != '\0';
}
