/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/identity.h"
#include "register/hostname.h"
#include "register/mark.h"

int aero_mark_registered(
	const struct aero_session *session, const char *hostname, struct aero_err *err)
{
	const struct aero_info *info = &session->info;
	struct aero_identity identity = {.who = session->me}; /* lent */
	char name[AERO_HOSTNAME_SIZE], type[16], from[sizeof(info->from)];
	int rc;

	(void)snprintf(name, sizeof(name), "%s", hostname);
	(void)snprintf(type, sizeof(type), "%s", aero_info_type(info));
	identity.hostname = name;
	identity.service = info->service;
	identity.type = type;
	memcpy(from, info->from, sizeof(from));
	identity.service_from = from;
	rc = aero_identity_save(session->conf, &identity, err);
	if (rc == AERO_OK && aero_hostname_allowed(session->conf))
		rc = aero_hostname_set(session->conf, hostname, err);
	if (rc != AERO_OK)
		aero_err_prefix(err, rc, "registered as %s, but", hostname);
	return rc;
}

int aero_mark_master(const struct aero_session *session, const char *hostname, bool here,
	struct aero_err *err)
{
	struct aero_identity identity = {0};
	bool foreign = false;
	int rc = AERO_MISS;

	if (here)
		rc = aero_identity_load(session->conf, &identity, &foreign, err);
	if (rc == AERO_OK && !foreign &&
		strcmp(identity.who.instance_id, session->me.instance_id) == 0) {
		free(identity.hostname);
		identity.hostname = strdup(hostname);
		rc = identity.hostname == NULL
			     ? aero_err_set(err, AERO_NOMEM, "out of memory")
			     : aero_identity_save(session->conf, &identity, err);
	} else if (rc == AERO_MISS || rc == AERO_BAD) {
		rc = AERO_OK;
	}
	aero_identity_clear(&identity);
	if (rc == AERO_OK && here && aero_hostname_allowed(session->conf))
		rc = aero_hostname_set(session->conf, hostname, err);
	if (rc != AERO_OK)
		aero_err_prefix(err, rc, "made %s, but", hostname);
	return rc;
}
