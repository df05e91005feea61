/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/identity.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/metadata.h"
#include "lib/names.h"

#define ID_MAX 255
#define COMMAND_MS 30000

static int no_memory(struct aero_err *err)
{
	return aero_err_set(err, AERO_NOMEM, "out of memory");
}

static bool set(char **text, const char *to)
{
	char *copy = strdup(to);

	if (copy == NULL)
		return false;
	free(*text);
	*text = copy;
	return true;
}

/* An id goes into logs, lines and queries: printable, without blanks. */
static bool id_good(const char *id)
{
	size_t len = strlen(id);

	for (size_t i = 0; i < len; i++)
		if (id[i] <= ' ' || id[i] > '~')
			return false;
	return len > 0 && len <= ID_MAX;
}

/* Check an address and write it as everybody would; from is the flag or source. */
static int take_address(const char *text, const char *from, bool offline, int family,
	char **ret, struct aero_err *err)
{
	char canonical[INET6_ADDRSTRLEN];
	struct aero_addr addr;
	const char *why = aero_addr_refuse(text, offline, &addr);

	if (why == NULL && family != AF_UNSPEC && addr.family != family)
		why = "not an IPv6 address";
	if (why != NULL)
		return aero_err_set(err, AERO_BAD, "%s '%.64s': %s", from, text, why);
	if (inet_ntop(addr.family, addr.bytes, canonical, sizeof(canonical)) == NULL ||
		!set(ret, canonical))
		return no_memory(err);
	return AERO_OK;
}

/* The first usable address of each family that an interface has; those that are already
 * known stay. */
static int of_interface(const char *interface, struct aero_occupant *who, bool offline,
	struct aero_err *err)
{
	struct ifaddrs *all = NULL;
	char text[INET6_ADDRSTRLEN];
	struct aero_addr addr;
	int rc = AERO_OK;

	if (getifaddrs(&all) != 0)
		return aero_err_set(err, AERO_IO, "interfaces: %s", strerror(errno));
	for (struct ifaddrs *one = all; one != NULL && rc == AERO_OK;
		one = one->ifa_next) {
		const void *bytes = NULL;
		char **to = &who->ip;

		if (one->ifa_addr == NULL || strcmp(one->ifa_name, interface) != 0)
			continue;
		if (one->ifa_addr->sa_family == AF_INET) {
			bytes = &((struct sockaddr_in *)(void *)one->ifa_addr)->sin_addr;
		} else if (one->ifa_addr->sa_family == AF_INET6) {
			bytes = &((struct sockaddr_in6 *)(void *)one->ifa_addr)
					 ->sin6_addr;
			to = &who->ip6;
		}
		if (bytes == NULL || **to != '\0' ||
			inet_ntop(one->ifa_addr->sa_family, bytes, text, sizeof(text)) ==
				NULL ||
			aero_addr_refuse(text, offline, &addr) != NULL)
			continue;
		if (!set(to, text))
			rc = no_memory(err);
	}
	freeifaddrs(all);
	if (rc == AERO_OK && *who->ip == '\0' && *who->ip6 == '\0')
		rc = aero_err_set(err, AERO_BAD,
			"--interface '%.32s': no such interface, or it has no usable "
			"address",
			interface);
	return rc;
}

/* The address from which the default route would leave; no packet is sent. */
static bool of_default_route(char *text, size_t size)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
	struct sockaddr_in from = {0};
	struct aero_addr addr;
	socklen_t len = sizeof(from);
	bool found = false;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	/* TEST-NET-3: nobody's, so no route but the default one leads there. */
	if (fd >= 0 && inet_pton(AF_INET, "203.0.113.1", &to.sin_addr) == 1 &&
		connect(fd, (const struct sockaddr *)(const void *)&to, sizeof(to)) ==
			0 &&
		getsockname(fd, (struct sockaddr *)(void *)&from, &len) == 0 &&
		inet_ntop(AF_INET, &from.sin_addr, text, (socklen_t)size) != NULL)
		found = aero_addr_refuse(text, true, &addr) == NULL;
	if (fd >= 0)
		(void)close(fd);
	return found;
}

static int of_flags(
	const struct aero_conf *conf, struct aero_occupant *who, struct aero_err *err)
{
	int rc = AERO_OK;

	if (*conf->instance_id != '\0' && !id_good(conf->instance_id))
		return aero_err_set(err, AERO_BAD,
			"--instance-id '%.64s': not 1 to 255 printable characters "
			"without blanks",
			conf->instance_id);
	if (!set(&who->instance_id, conf->instance_id))
		return no_memory(err);
	if (*conf->ip != '\0')
		rc = take_address(
			conf->ip, "--ip", conf->offline, AF_UNSPEC, &who->ip, err);
	if (rc == AERO_OK && *conf->ip6 != '\0')
		rc = take_address(
			conf->ip6, "--ip6", conf->offline, AF_INET6, &who->ip6, err);
	if (rc == AERO_OK && *who->ip6 != '\0' && strchr(who->ip, ':') != NULL)
		rc = aero_err_set(err, AERO_BAD, "--ip and --ip6 are both IPv6");
	if (rc == AERO_OK && *conf->interface != '\0')
		rc = of_interface(conf->interface, who, conf->offline, err);
	return rc;
}

static int of_offline(struct aero_occupant *who, struct aero_err *err)
{
	char text[INET6_ADDRSTRLEN] = "127.0.0.1";

	if (*who->instance_id == '\0' && !set(&who->instance_id, AERO_TEST_INSTANCE))
		return no_memory(err);
	if (*who->ip != '\0' || *who->ip6 != '\0')
		return AERO_OK;
	if (!of_default_route(text, sizeof(text)))
		memcpy(text, "127.0.0.1", sizeof("127.0.0.1"));
	return set(&who->ip, text) ? AERO_OK : no_memory(err);
}

static int of_metadata(const struct aero_conf *conf, const struct aero_asked *asked,
	struct aero_occupant *who, struct aero_err *err)
{
	struct aero_metadata metadata = {0};
	struct aero_metadata_opts opts = {
		.endpoint = conf->metadata_endpoint,
		.v1 = conf->metadata_v1,
		.deadline_ms = asked->deadline_ms,
	};
	int rc = aero_metadata_fetch(&opts, &metadata, err);

	if (rc == AERO_OK && *who->instance_id == '\0' &&
		!set(&who->instance_id, metadata.instance_id))
		rc = no_memory(err);
	if (rc == AERO_OK && *who->ip == '\0' && *who->ip6 == '\0') {
		rc = take_address(metadata.ip, "metadata service: address", false,
			AF_UNSPEC, &who->ip, err);
		if (rc == AERO_BAD)
			rc = AERO_NET; /* not the user's record */
	}
	aero_metadata_clear(&metadata);
	return rc;
}

int aero_identity_ask(
	const struct aero_conf *conf, struct aero_asked *asked, struct aero_err *err)
{
	int64_t left = asked->deadline_ms - aero_clock_ms();
	int rc;

	if (*conf->identity_command == '\0' || conf->offline)
		return AERO_MISS;
	if (asked->command)
		return AERO_OK;
	rc = aero_identity_command_run(conf->identity_command,
		left > 0 && left < COMMAND_MS ? left : COMMAND_MS, &asked->said, err);
	asked->command = rc == AERO_OK;
	if (rc == AERO_OK && *asked->said.unknown != '\0')
		aero_log(AERO_WARNING, "identity_command: unknown key '%s'",
			asked->said.unknown);
	return rc;
}

void aero_asked_clear(struct aero_asked *asked)
{
	aero_identity_said_clear(&asked->said);
	*asked = (struct aero_asked){0};
}

/* What the flags left open. */
static int of_command(const struct aero_identity_said *said, struct aero_occupant *who,
	struct aero_err *err)
{
	int rc = AERO_OK;

	if (*who->instance_id == '\0' && !id_good(said->instance_id))
		rc = aero_err_set(err, AERO_CONFIG,
			"identity_command: instance_id '%.64s': not 1 to 255 printable "
			"characters without blanks",
			said->instance_id);
	else if (*who->instance_id == '\0' && !set(&who->instance_id, said->instance_id))
		rc = no_memory(err);
	if (rc == AERO_OK && *who->ip == '\0' && *who->ip6 == '\0') {
		if (*said->ip != '\0')
			rc = take_address(said->ip, "identity_command: ip", false,
				AF_UNSPEC, &who->ip, err);
		if (rc == AERO_OK && *said->ip6 != '\0')
			rc = take_address(said->ip6, "identity_command: ip6", false,
				AF_INET6, &who->ip6, err);
		if (rc == AERO_OK && *who->ip6 != '\0' && strchr(who->ip, ':') != NULL)
			rc = aero_err_set(err, AERO_CONFIG,
				"identity_command: ip and ip6 are both IPv6");
		if (rc == AERO_BAD)
			rc = AERO_CONFIG; /* not the user's record */
	}
	return rc;
}

int aero_identity_find(const struct aero_conf *conf, struct aero_asked *asked,
	struct aero_occupant *ret, struct aero_err *err)
{
	struct aero_occupant who = {
		.instance_id = strdup(""), .ip = strdup(""), .ip6 = strdup("")};
	int rc;

	if (who.instance_id == NULL || who.ip == NULL || who.ip6 == NULL)
		rc = no_memory(err);
	else
		rc = of_flags(conf, &who, err);
	if (rc == AERO_OK && conf->offline)
		rc = of_offline(&who, err);
	else if (rc == AERO_OK &&
		 (*who.instance_id == '\0' || (*who.ip == '\0' && *who.ip6 == '\0'))) {
		rc = aero_identity_ask(conf, asked, err);
		if (rc == AERO_OK)
			rc = of_command(&asked->said, &who, err);
		else if (rc == AERO_MISS)
			rc = of_metadata(conf, asked, &who, err);
	}
	if (rc == AERO_OK)
		*ret = who;
	else
		aero_occupant_clear(&who);
	return rc;
}
