/* SPDX-License-Identifier: MIT */
/* The masters among the documents, for status.json and the operator's programs. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "syncd/mirror.h"

#define MASTER "-master"

/* A service's master is who is in its slot of that name, whatever its address. */
static bool is_master(const struct aero_document *doc)
{
	size_t len = strlen(doc->name.text);

	return len > strlen(MASTER) &&
	       strcmp(doc->name.text + len - strlen(MASTER), MASTER) == 0 &&
	       *doc->instance_id != '\0' && doc->name.won;
}

void aero_mirror_masters(const struct aero_mirror *m, struct aero_masters *ret)
{
	const struct aero_document *doc;

	aero_masters_clear(ret);
	for (size_t i = 0; (doc = aero_answers_at(m->answers, i)) != NULL; i++) {
		union {
			const char *in;
			char *out;
		} name = {.in = doc->name.text}, id = {.in = doc->instance_id};
		char service[256];

		if (!is_master(doc))
			continue;
		(void)snprintf(service, sizeof(service), "%.*s",
			(int)(strlen(name.in) - strlen(MASTER)), name.in);
		/* What there is no memory for is not shown. */
		(void)aero_masters_add(ret, &(struct aero_master){.hostname = name.out,
						    .service = service,
						    .instance_id = id.out,
						    .epoch = doc->epoch});
	}
}
