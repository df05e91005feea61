/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/names.h"
#include "register/pick.h"

#define MASTER "-master"
#define SLAVE "-slave"

const char *aero_pick_service_refuse(const char *service)
{
	char longest[128];
	const char *why;
	size_t len = strlen(service);

	for (const char *c = service; *c != '\0'; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '-'))
			return "character that is no letter a-z, digit or hyphen";
	if (len == 0)
		return "no service is named";
	/* db-slave-1 would be a name of the service db and of db-slave. */
	if (len >= strlen(SLAVE) && strcmp(service + len - strlen(SLAVE), SLAVE) == 0)
		return "ends in -slave, as the names of a masterful service's slaves do";
	if (len > AERO_HOSTNAME_SIZE)
		return "longer than 51 bytes";
	(void)snprintf(longest, sizeof(longest), "%s" SLAVE "-99999", service);
	why = aero_name_refuse(longest, false, NULL, NULL);
	if (why != NULL && strlen(longest) >= AERO_HOSTNAME_SIZE)
		why = "longer than 51 bytes";
	return why;
}

void aero_pick_master(const char *service, char ret[static AERO_HOSTNAME_SIZE])
{
	(void)snprintf(ret, AERO_HOSTNAME_SIZE, "%s" MASTER, service);
}

int64_t aero_pick_number(const char *hostname, const char *service, bool masterful)
{
	size_t len = strlen(service), digits;

	if (strncmp(hostname, service, len) != 0)
		return -1;
	hostname += len;
	if (masterful) {
		if (strncmp(hostname, SLAVE, strlen(SLAVE)) != 0)
			return -1;
		hostname += strlen(SLAVE);
	}
	if (*hostname++ != '-')
		return -1;
	digits = strspn(hostname, "0123456789");
	if (digits == 0 || digits > AERO_SLOT_DIGITS || hostname[digits] != '\0')
		return -1;
	if (hostname[0] == '0' && (digits > 1 || masterful))
		return -1;
	return (int64_t)strtoll(hostname, NULL, 10);
}

bool aero_pick_append(const struct aero_slots *slots, const char *service, bool masterful,
	char ret[static AERO_HOSTNAME_SIZE], bool *ret_hole)
{
	/* n slots leave one of the first n + 1 numbers free: larger ones need no mark. */
	int64_t first = masterful ? 1 : 0, free_one = 0, max = first - 1, number;
	bool *seen = calloc(slots->n + 1, sizeof(*seen));

	if (seen == NULL)
		return false;
	for (size_t i = 0; i < slots->n; i++) {
		number = aero_pick_number(slots->v[i].hostname, service, masterful);
		if (number > max)
			max = number;
		if (number >= first && number - first < (int64_t)slots->n)
			seen[number - first] = true;
	}
	while (seen[free_one])
		free_one++;
	free(seen);
	free_one += first;
	(void)snprintf(ret, AERO_HOSTNAME_SIZE, "%s%s-%" PRId64, service,
		masterful ? SLAVE : "", free_one);
	*ret_hole = free_one < max;
	return true;
}

const struct aero_slot *aero_pick_gap(
	const struct aero_slots *slots, const char *service, const char *vacated)
{
	const struct aero_slot *slot, *best = NULL;
	char master[AERO_HOSTNAME_SIZE];

	aero_pick_master(service, master);
	for (size_t i = 0; i < slots->n; i++) {
		slot = &slots->v[i];
		if (!aero_slot_name_fits(slot->hostname, service) ||
			strcmp(slot->hostname, master) == 0)
			continue;
		if (!aero_slot_blank(slot) &&
			(vacated == NULL || strcmp(slot->who.instance_id, vacated) != 0))
			continue;
		if (best == NULL || aero_natural_cmp(slot->hostname, best->hostname) < 0)
			best = slot;
	}
	return best;
}

const struct aero_slot *aero_pick_named(
	const struct aero_slots *slots, const char *hostname)
{
	for (size_t i = 0; i < slots->n; i++)
		if (strcmp(slots->v[i].hostname, hostname) == 0)
			return &slots->v[i];
	return NULL;
}

const struct aero_slot *aero_pick_held(
	const struct aero_slots *slots, const char *instance_id)
{
	for (size_t i = 0; i < slots->n; i++)
		if (strcmp(slots->v[i].who.instance_id, instance_id) == 0)
			return &slots->v[i];
	return NULL;
}
