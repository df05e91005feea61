/* SPDX-License-Identifier: MIT */
/* The listed hosts, from this node's mirror or from the naming store. */
#ifndef AERO_CLI_HOSTS_H
#define AERO_CLI_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/conf.h"
#include "lib/err.h"
#include "lib/list.h"
#include "lib/slot.h"

/* Strings are never NULL. The mirror knows no service, type and instance: they are ''. */
struct aero_cli_host {
	char *name, *service, *type, *instance_id;
	struct aero_list addresses, aliases;
	bool gap; /* of the store: neither occupant nor address */
};

struct aero_cli_hosts {
	struct aero_cli_host *v;
	size_t n;
	bool from_store;
};

/* Append the names of the mirror: all, or (service not NULL) `<service>-N`,
 * `<service>-master` and `<service>-slave-N`. */
int aero_cli_hosts_of_mirror(const struct aero_conf *conf, const char *service,
	struct aero_cli_hosts *ret, struct aero_err *err);
/* Append the slots of the configured store. */
int aero_cli_hosts_of_store(const struct aero_conf *conf, const char *service,
	struct aero_cli_hosts *ret, struct aero_err *err);

/* Append one slot; pure. False without memory. */
bool aero_cli_hosts_add_slot(struct aero_cli_hosts *hosts, const struct aero_slot *slot);

/* The first label of name is the name of a slot of this service. */
bool aero_cli_is_slot_of(const char *name, const char *service);

/* Sort by name, in natural order. */
void aero_cli_hosts_sort(struct aero_cli_hosts *hosts);

/* Keep what may answer (CONTRACTS 4): hosts with a valid name and an address, valid
 * addresses and aliases; with `domain`, hosts of the store get their full name, and the
 * short one as an alias. What is left needs no escaping in any file. */
int aero_cli_hosts_answering(
	const struct aero_conf *conf, struct aero_cli_hosts *hosts, struct aero_err *err);

void aero_cli_hosts_clear(struct aero_cli_hosts *hosts);

#endif
