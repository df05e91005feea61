/* SPDX-License-Identifier: MIT */
/* aerostat why: all that the store, and on its machine the server, knows of a name. */
#include "config.h"

#include <string.h>

#include "cli/cli.h"
#include "cli/history.h"
#include "cli/json.h"
#include "lib/log.h"
#include "server/tenure.h"

#define EVENTS 5

struct known {
	struct aero_slot slot;
	struct aero_node node; /* of who is in it */
	int64_t store_ms;      /* the store's clock, where heartbeats matter; else 0 */
	struct aero_control control;
	struct aero_cli_events events;
	struct aero_tenures tenures;
	const struct aero_tenure *tenure; /* of the slot; NULL: not known here */
};

static void known_clear(struct known *known)
{
	aero_slot_clear(&known->slot);
	aero_control_clear(&known->control);
	aero_cli_events_clear(&known->events);
	aero_tenures_clear(&known->tenures);
}

/* By hostname, else by instance. */
static int find(struct aero_store *store, const char *name, struct aero_slot *ret,
	struct aero_err *err)
{
	char shown[300];
	int rc = aero_store_by_hostname(store, name, ret, err);

	if (rc == AERO_MISS)
		rc = aero_store_by_instance(store, name, ret, err);
	if (rc == AERO_MISS)
		rc = aero_err_set(err, rc,
			"the store has no slot %s, and no instance of that id is in one",
			aero_quote(name, shown, sizeof(shown)));
	return rc;
}

static int read_all(const struct aero_conf *conf, struct aero_store *store,
	const char *name, struct known *known, struct aero_err *err)
{
	const char *id;
	int rc = find(store, name, &known->slot, err);

	if (rc != AERO_OK)
		return rc;
	id = known->slot.who.instance_id;
	if (!aero_slot_blank(&known->slot))
		rc = aero_store_node(store, id, &known->node, err);
	if (rc == AERO_OK &&
		(known->node.seen_at != 0 || conf->cloud == AERO_CLOUD_LEASE))
		rc = aero_store_clock(store, &known->store_ms, err);
	if (rc == AERO_OK && aero_slot_masterful(&known->slot))
		rc = aero_store_control(store, known->slot.service, &known->control, err);
	/* A user who may not read it, or a file of another's, costs no more than itself.
	 */
	if (rc == AERO_OK)
		(void)aero_cli_events_read(
			store, known->slot.hostname, &known->events, NULL);
	if (rc == AERO_OK &&
		aero_tenures_load(conf, aero_boot_ms(), &known->tenures, NULL) == AERO_OK)
		known->tenure = aero_tenures_find(&known->tenures, known->slot.hostname);
	if (known->tenure != NULL && (known->tenure->reg != known->slot.reg ||
					     strcmp(known->tenure->instance_id, id) != 0))
		known->tenure = NULL;
	return rc;
}

/* ---- for people ---- */

static void print_slot(FILE *out, const struct aero_slot *slot)
{
	char name[300], id[300], text[300], when[32];

	(void)fprintf(out, "%s: ", aero_show(slot->hostname, name, sizeof(name)));
	if (aero_slot_blank(slot))
		(void)fprintf(out, "a gap, for the next new node of service %s\n",
			aero_show(slot->service, text, sizeof(text)));
	else
		(void)fprintf(
			out, "%s\n", aero_show(slot->who.instance_id, id, sizeof(id)));
	(void)fprintf(out, "  answers      %s%s%s\n",
		*slot->who.ip == '\0' && *slot->who.ip6 == '\0'
			? "not: it has no address"
			: aero_show(slot->who.ip, text, sizeof(text)),
		*slot->who.ip6 != '\0' ? " " : "",
		aero_show(slot->who.ip6, name, sizeof(name)));
	if (slot->registered_at != 0)
		(void)fprintf(out, "  registered   %s\n",
			aero_cli_time(slot->registered_at, when));
	if (slot->epoch != 0)
		(void)fprintf(out, "  epoch        %lld\n", (long long)slot->epoch);
}

static void print_node(FILE *out, const struct known *known)
{
	const struct aero_node *node = &known->node;
	char why[100];

	if (node->dead)
		(void)fprintf(out,
			"  certificate  declared dead: %s; the next pass of aerostatd "
			"frees "
			"the name\n",
			aero_show(node->why, why, sizeof(why)));
	if (node->left)
		(void)fprintf(out,
			"  certificate  it gave its name back; the next pass of "
			"aerostatd frees it\n");
	if (!node->dead && !node->left && !aero_slot_blank(&known->slot))
		(void)fprintf(out, "  certificate  none: it counts as alive\n");
	if (known->store_ms != 0 && !aero_slot_blank(&known->slot))
		(void)fprintf(out, "  heartbeat    %s\n",
			aero_lease_words(known->store_ms, node->seen_at, why));
	if (known->tenure != NULL)
		(void)fprintf(out,
			"  server       absent in %u passes, called dead in %u; known "
			"for "
			"%lld s\n",
			known->tenure->tally.absent, known->tenure->tally.dead,
			(long long)((aero_boot_ms() - known->tenure->tally.since_ms) /
				    1000));
	if (known->control.open)
		(void)fprintf(out, "  change-over  open, epoch %lld, to %s\n",
			(long long)known->control.epoch,
			aero_show(known->control.promote.instance_id, why, sizeof(why)));
}

/* ---- for programs ---- */

static bool append(bson_t *doc, const struct known *known)
{
	const struct aero_slot *slot = &known->slot;
	bool ok = BSON_APPEND_UTF8(doc, "hostname", slot->hostname) &&
		  BSON_APPEND_UTF8(doc, "service", slot->service) &&
		  BSON_APPEND_UTF8(doc, "instance_id", slot->who.instance_id) &&
		  BSON_APPEND_UTF8(doc, "ip", slot->who.ip) &&
		  BSON_APPEND_UTF8(doc, "ip6", slot->who.ip6) &&
		  BSON_APPEND_INT64(doc, "reg", slot->reg) &&
		  BSON_APPEND_INT64(doc, "epoch", slot->epoch) &&
		  BSON_APPEND_INT64(doc, "registered_at", slot->registered_at) &&
		  BSON_APPEND_BOOL(doc, "left", known->node.left) &&
		  BSON_APPEND_BOOL(doc, "dead", known->node.dead) &&
		  BSON_APPEND_UTF8(doc, "dead_why", known->node.why) &&
		  BSON_APPEND_INT64(doc, "seen_at", known->node.seen_at) &&
		  BSON_APPEND_BOOL(doc, "change_over_open", known->control.open);

	if (ok && known->tenure != NULL)
		ok = BSON_APPEND_INT64(
			     doc, "absent_passes", known->tenure->tally.absent) &&
		     BSON_APPEND_INT64(doc, "dead_passes", known->tenure->tally.dead);
	return ok && aero_cli_events_append(doc, "events", &known->events, EVENTS);
}

static int print(
	const struct aero_cli *cli, const struct known *known, struct aero_err *err)
{
	bson_t doc = BSON_INITIALIZER;
	int rc = AERO_OK;

	if (!cli->conf->json) {
		print_slot(cli->out, &known->slot);
		print_node(cli->out, known);
		if (known->events.n > 0)
			(void)fprintf(cli->out, "  history\n");
		aero_cli_events_print(cli->out, &known->events, EVENTS, "    ");
	} else if (!append(&doc, known)) {
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	} else {
		rc = aero_cli_print_json_line(cli->out, &doc, err);
	}
	bson_destroy(&doc);
	return rc;
}

int aero_cli_why(const struct aero_cli *cli, struct aero_err *err)
{
	struct aero_store *store = NULL;
	struct known known = {0};
	int rc = aero_store_open_conf(cli->conf, "why", true, &store, err);

	if (rc == AERO_OK)
		rc = read_all(cli->conf, store, cli->words[0], &known, err);
	if (rc == AERO_OK)
		rc = print(cli, &known, err);
	known_clear(&known);
	aero_store_close(store);
	return rc;
}
