/* SPDX-License-Identifier: MIT */
/* The node that this daemon runs on. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "lib/identity.h"
#include "lib/log.h"
#include "register/hostname.h"
#include "syncd/mirror.h"

/* An update-only node keeps its name, and so does one that is an image of another. */
static bool registered_here(const struct aero_conf *conf, const char *instance_id)
{
	struct aero_identity identity = {0};
	bool here = aero_identity_own(conf, &identity, NULL) == AERO_OK &&
		    strcmp(identity.who.instance_id, instance_id) == 0;

	aero_identity_clear(&identity);
	return here;
}

/* Only when the slot's name is another than before: a registration that has just named
 * the system is ahead of the mirror. */
void aero_mirror_name_system(struct aero_mirror *m, const struct aero_document *self)
{
	const char *name = self->name.text;
	struct aero_err err;

	if (strcmp(m->named, name) == 0 || !aero_hostname_allowed(m->conf) ||
		!registered_here(m->conf, self->instance_id))
		return;
	if (aero_hostname_set(m->conf, name, &err) != AERO_OK) {
		/* tried again with each status, said once */
		if (strcmp(m->name_error, err.msg) != 0)
			aero_log(AERO_ERROR, "hostname: %s", err.msg);
		(void)snprintf(m->name_error, sizeof(m->name_error), "%s", err.msg);
		return;
	}
	m->name_error[0] = '\0';
	(void)snprintf(m->named, sizeof(m->named), "%s", name);
	aero_log(AERO_INFO, "hostname: this node is %s", name);
}
