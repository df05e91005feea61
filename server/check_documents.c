/* SPDX-License-Identifier: MIT */
/* Findings about one document: as a whole, and what its own fields say. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/names.h"
#include "lib/store_doc.h"
#include "register/pick.h"
#include "server/check.h"

/* ---- the document as a whole ---- */

/* Its tenure has ended: no newcomer is to be made of it. */
static bool ended(const struct aero_check *check, const struct aero_check_doc *d)
{
	struct aero_node node = aero_view_node(&check->view, d->slot.who.instance_id);

	return node.dead || node.left;
}

/* Without a hostname of its own, and with nobody in it who needs one. */
static bool useless(const struct aero_check *check, const struct aero_check_doc *d)
{
	return aero_slot_blank(&d->slot) || d->instance_of != NULL || ended(check, d);
}

static bool can_register(const struct aero_check_doc *d)
{
	return !d->slot.odd && aero_pick_service_refuse(d->slot.service) == NULL;
}

static void set_text(struct aero_finding *finding, const char *key, const char *text)
{
	if (finding->set == NULL)
		finding->set = bson_new();
	BSON_APPEND_UTF8(finding->set, key, text);
}

static void mend(
	struct aero_check_doc *d, struct aero_finding *finding, enum aero_mend how)
{
	if (finding == NULL)
		return;
	finding->mend = how;
	d->mend = how;
	if (how == AERO_MEND_UNNAME) {
		set_text(finding, "hostname", "");
	} else if (how == AERO_MEND_BLANK) {
		set_text(finding, "instance_id", "");
		set_text(finding, "ip", "");
		set_text(finding, "ip6", "");
	}
}

static void check_twin(struct aero_check *check, struct aero_check_doc *d)
{
	const struct aero_check_doc *other = d->name_of;
	char id[100];
	struct aero_finding *f = aero_check_add(check, AERO_FOUND_TWIN, d, NULL,
		"%s has it too, and %s", aero_show(other->id, id, sizeof(id)),
		other->answers ? "answers" : "keeps it");

	if (useless(check, d) && !d->foreign)
		mend(d, f, AERO_MEND_DELETE);
	else if (!useless(check, d) && can_register(d))
		mend(d, f, AERO_MEND_UNNAME);
}

static void check_nameless(struct aero_check *check, struct aero_check_doc *d)
{
	char instance[200];
	bool gap = aero_slot_blank(&d->slot);
	struct aero_finding *f = aero_check_add(check,
		gap ? AERO_FOUND_NAMELESS_GAP : AERO_FOUND_NAMELESS, d, NULL,
		gap ? "a gap without a hostname hides the others from the original"
		    : "no hostname for %s",
		aero_show(d->slot.who.instance_id, instance, sizeof(instance)));

	if (useless(check, d) && !d->foreign)
		mend(d, f, AERO_MEND_DELETE);
	else if (!useless(check, d) && can_register(d))
		mend(d, f, AERO_MEND_REGISTER);
}

static void check_twice(struct aero_check *check, struct aero_check_doc *d)
{
	char instance[200], other[200];

	mend(d,
		aero_check_add(check, AERO_FOUND_TWICE, d, NULL, "%s is in %s, too",
			aero_show(d->slot.who.instance_id, instance, sizeof(instance)),
			aero_show(d->instance_of->slot.hostname, other, sizeof(other))),
		AERO_MEND_BLANK);
}

/* ---- its fields ---- */

static bool odd_number(const bson_t *doc, const char *key)
{
	bson_iter_t it;

	return bson_iter_init_find(&it, doc, key) && aero_number_odd(&it);
}

static const struct aero_check_control *control_of(
	const struct aero_check *check, const char *service)
{
	for (size_t i = 0; i < check->n_controls; i++)
		if (strcmp(check->controls[i].service, service) == 0)
			return &check->controls[i];
	return NULL;
}

/* A change-over writes a greater epoch than control's: one that is greater already would
 * keep it from ever being done. It may be set back only while nobody changes. */
static void check_epoch(struct aero_check *check, const struct aero_check_doc *d)
{
	const struct aero_check_control *control = control_of(check, d->slot.service);
	int64_t now = control != NULL ? control->epoch : 0;
	bool odd = odd_number(d->doc, "epoch");
	struct aero_finding *f;

	if (!odd && !(aero_check_master(d) && d->slot.epoch > now))
		return;
	f = odd ? aero_check_add(check, AERO_FOUND_EPOCH, d, NULL, "no whole number")
		: aero_check_add(check, AERO_FOUND_EPOCH, d, NULL,
			  "%lld, and the service's change-overs have come to %lld only",
			  (long long)d->slot.epoch, (long long)now);
	if (f == NULL || (control != NULL && (control->open || control->odd)))
		return;
	f->mend = AERO_MEND_SET;
	f->set = bson_new();
	BSON_APPEND_INT64(f->set, "epoch", now);
}

/* Any number that nobody has read serves: removals that name an older one miss. */
static void check_reg(struct aero_check *check, const struct aero_check_doc *d)
{
	struct aero_finding *f;

	if (!odd_number(d->doc, "reg"))
		return;
	f = aero_check_add(check, AERO_FOUND_DAMAGED, d, NULL,
		"no whole number: no write could name this tenure");
	if (f == NULL)
		return;
	f->field = "reg";
	f->mend = AERO_MEND_SET;
	f->set = bson_new();
	BSON_APPEND_INT64(f->set, "reg", check->reg);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool list_services(struct aero_check *check)
{
	check->services = calloc(check->n_docs + 1, sizeof(*check->services));
	if (check->services == NULL)
		return false;
	for (size_t i = 0; i < check->n_docs; i++)
		if (*check->docs[i].slot.service != '\0')
			check->services[check->n_services++] =
				check->docs[i].slot.service;
	qsort(check->services, check->n_services, sizeof(*check->services), by_text);
	return true;
}

/* Its hostname without the number, if that is a service of the collection. */
static bool service_of(const struct aero_check *check, const struct aero_check_doc *d,
	char ret[static AERO_HOSTNAME_SIZE])
{
	static const char *const tails[] = {"-master", "-slave-", "-"};
	const char *hostname = d->slot.hostname;
	size_t len = strlen(hostname), found = 0;
	char service[AERO_HOSTNAME_SIZE];
	const char *key = service;

	while (len > 0 && hostname[len - 1] >= '0' && hostname[len - 1] <= '9')
		len--;
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		size_t tail = strlen(tails[i]);

		if (len <= tail || len - tail >= sizeof(service) ||
			strncmp(hostname + len - tail, tails[i], tail) != 0)
			continue;
		(void)snprintf(
			service, sizeof(service), "%.*s", (int)(len - tail), hostname);
		if (!aero_slot_name_fits(hostname, service) ||
			bsearch(&key, check->services, check->n_services,
				sizeof(*check->services), by_text) == NULL)
			continue;
		memcpy(ret, service, sizeof(service));
		found++;
	}
	return found == 1;
}

static void check_service(struct aero_check *check, const struct aero_check_doc *d)
{
	char service[AERO_HOSTNAME_SIZE];
	struct aero_finding *f;

	if (*d->slot.service != '\0') {
		if (aero_slot_blank(&d->slot) && !d->answers &&
			!aero_slot_name_fits(d->slot.hostname, d->slot.service))
			(void)aero_check_add(check, AERO_FOUND_MISFIT, d, NULL,
				"a gap, but no name of a slot of its service");
		return;
	}
	f = aero_check_add(check, AERO_FOUND_NO_SERVICE, d, NULL, "none");
	if (f == NULL || !service_of(check, d, service))
		return;
	f->mend = AERO_MEND_SET;
	set_text(f, "service", service);
}

static void check_ip6_left(struct aero_check *check, const struct aero_check_doc *d)
{
	bson_iter_t it;
	struct aero_finding *f;

	if (*d->slot.who.ip6 != '\0' || !bson_iter_init_find(&it, d->doc, "ip6") ||
		!BSON_ITER_HOLDS_UTF8(&it) || *bson_iter_utf8(&it, NULL) == '\0')
		return;
	f = aero_check_add(check, AERO_FOUND_IP6_LEFT, d, NULL,
		"of another occupant (ip6_of): it does not count");
	if (f == NULL)
		return;
	f->mend = AERO_MEND_SET;
	set_text(f, "ip6", "");
}

static void check_address(struct aero_check *check, const struct aero_check_doc *d)
{
	const struct aero_occupant *who = &d->slot.who;
	const char *const texts[] = {who->ip, who->ip6};
	const char *why = NULL, *bad = "";
	struct aero_addr addr;
	bool any = false;
	char shown[100];

	for (size_t i = 0; i < 2; i++) {
		const char *no = *texts[i] == '\0' ? NULL
						   : aero_addr_refuse(texts[i],
							     check->conf->offline, &addr);

		any = any || (*texts[i] != '\0' && no == NULL);
		if (no != NULL) {
			why = no;
			bad = texts[i];
		}
	}
	if (any && why == NULL) {
		if (aero_slot_blank(&d->slot) &&
			aero_slot_name_fits(d->slot.hostname, d->slot.service))
			(void)aero_check_add(check, AERO_FOUND_GAP_ANSWERS, d, NULL,
				"a gap that answers");
	} else if (why != NULL) {
		(void)aero_check_add(check,
			any ? AERO_FOUND_ADDRESS : AERO_FOUND_NO_ADDRESS, d, NULL,
			"%s: %s", aero_show(bad, shown, sizeof(shown)), why);
	} else if (!aero_slot_blank(&d->slot)) {
		(void)aero_check_add(check, AERO_FOUND_NO_ADDRESS, d, NULL,
			"%s: its name does not answer",
			d->odd != NULL && aero_slot_odd_costs(d->odd) ? d->odd : "none");
	}
}

static void check_name(struct aero_check *check, const struct aero_check_doc *d)
{
	const char *why = aero_name_refuse(
		d->slot.hostname, true, check->conf->domain, &check->conf->zones);

	if (why != NULL && !(aero_slot_blank(&d->slot) && *d->slot.who.ip == '\0' &&
				   *d->slot.who.ip6 == '\0'))
		(void)aero_check_add(
			check, AERO_FOUND_NAME, d, NULL, "it does not answer: %s", why);
}

static void check_fields(struct aero_check *check, const struct aero_check_doc *d)
{
	struct aero_node node = aero_view_node(&check->view, d->slot.who.instance_id);

	check_name(check, d);
	check_address(check, d);
	check_service(check, d);
	check_epoch(check, d);
	check_reg(check, d);
	check_ip6_left(check, d);
	if (d->odd != NULL && !aero_slot_odd_costs(d->odd))
		(void)aero_check_add(
			check, AERO_FOUND_TYPE, d, NULL, "%s: it does not count", d->odd);
	if (!aero_slot_blank(&d->slot) && (node.dead || node.left))
		(void)aero_check_add(check, AERO_FOUND_CERTIFIED, d, NULL,
			node.dead ? "declared dead" : "it gave its name back");
}

void aero_check_documents(struct aero_check *check)
{
	if (!aero_check_settle(check) || !list_services(check)) {
		check->no_memory = true;
		return;
	}
	for (size_t i = 0; i < check->n_docs; i++) {
		struct aero_check_doc *d = &check->docs[i];

		if (d->strange)
			(void)aero_check_add(check, AERO_FOUND_DAMAGED, d, NULL, "%s",
				d->odd != NULL ? d->odd : "a field twice");
		else if (*d->slot.hostname == '\0')
			check_nameless(check, d);
		else if (d->name_of != NULL)
			check_twin(check, d);
		else if (d->instance_of != NULL)
			check_twice(check, d);
		else
			check_fields(check, d);
	}
}
