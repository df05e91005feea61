/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/slot.h"

#define NO_TEXT " is no string of clean UTF-8"
#define NO_NUMBER " is no number"

/* The text fields of a document, in the order in which the original writes them. */
static const struct field {
	const char *key;
	size_t offset;
	bool always; /* written even when '' */
	const char *odd;
} fields[] = {
	{"hostname", offsetof(struct aero_slot, hostname), true, "hostname" NO_TEXT},
	{"service", offsetof(struct aero_slot, service), true, "service" NO_TEXT},
	{"service_type", offsetof(struct aero_slot, service_type), true,
		"service_type" NO_TEXT},
	{"instance_id", offsetof(struct aero_slot, who.instance_id), true,
		"instance_id" NO_TEXT},
	{"ip", offsetof(struct aero_slot, who.ip), true, "ip" NO_TEXT},
	{"ip6", offsetof(struct aero_slot, who.ip6), false, "ip6" NO_TEXT},
};

static const struct {
	const char *key;
	size_t offset;
	const char *odd;
} numbers[] = {
	{"reg", offsetof(struct aero_slot, reg), "reg" NO_NUMBER},
	{"epoch", offsetof(struct aero_slot, epoch), "epoch" NO_NUMBER},
	{"registered_at", offsetof(struct aero_slot, registered_at),
		"registered_at" NO_NUMBER},
};

/* Whose address ip6 is. The original changes occupants and leaves ip6, which it does not
 * know, behind. */
#define IP6_OF "ip6_of"

#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))
#define N_NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

static char **text_of(struct aero_slot *slot, const struct field *field)
{
	return (char **)(void *)((char *)slot + field->offset);
}

static const char *text_in(const struct aero_slot *slot, const struct field *field)
{
	const char *text =
		*(char *const *)(const void *)((const char *)slot + field->offset);

	return text == NULL ? "" : text;
}

enum took {
	TOOK,
	ODD,
	FAILED, /* out of memory */
};

/* The text at it, or NULL if it is no clean string. */
static const char *clean_text(const bson_iter_t *it, size_t *ret_len)
{
	uint32_t len;
	const char *text;

	if (!BSON_ITER_HOLDS_UTF8(it))
		return NULL;
	text = bson_iter_utf8(it, &len);
	*ret_len = len;
	return bson_utf8_validate(text, len, false) ? text : NULL;
}

static enum took read_text(const bson_iter_t *it, char **ret)
{
	const char *text;
	size_t len;
	char *copy;

	if (BSON_ITER_HOLDS_NULL(it))
		return TOOK;
	text = clean_text(it, &len);
	if (text == NULL)
		return ODD;
	copy = strndup(text, len);
	if (copy == NULL)
		return FAILED;
	free(*ret);
	*ret = copy;
	return TOOK;
}

static enum took read_aliases(const bson_iter_t *it, struct aero_list *list)
{
	enum took took = TOOK;
	bson_iter_t item;
	const char *text;
	size_t len;

	if (BSON_ITER_HOLDS_NULL(it))
		return TOOK;
	if (!BSON_ITER_HOLDS_ARRAY(it) || !bson_iter_recurse(it, &item))
		return ODD;
	aero_list_clear(list); /* a field given twice: the last counts, as for texts */
	while (bson_iter_next(&item)) {
		text = clean_text(&item, &len);
		if (text == NULL)
			took = ODD;
		else if (!aero_list_addn(list, text, len))
			return FAILED;
	}
	return took;
}

bool aero_number_of_bson(const bson_iter_t *it, int64_t *ret)
{
	const double limit = 9223372036854775808.0; /* 2^63: none of ours beyond it */
	double number;

	if (BSON_ITER_HOLDS_DATE_TIME(it)) {
		*ret = bson_iter_date_time(it);
	} else if (BSON_ITER_HOLDS_INT(it)) {
		*ret = bson_iter_as_int64(it);
	} else if (BSON_ITER_HOLDS_DOUBLE(it)) {
		number = bson_iter_double(it);
		if (!(number >= -limit && number < limit)) /* also NaN */
			return false;
		*ret = (int64_t)number;
	} else {
		return false;
	}
	return true;
}

bool aero_number_odd(const bson_iter_t *it)
{
	int64_t whole = 0;

	if (BSON_ITER_HOLDS_DOUBLE(it))
		return !aero_number_of_bson(it, &whole) ||
		       (double)whole != bson_iter_double(it);
	return BSON_ITER_HOLDS_ARRAY(it) || BSON_ITER_HOLDS_DECIMAL128(it) ||
	       BSON_ITER_HOLDS_DATE_TIME(it);
}

static enum took read_number(const bson_iter_t *it, int64_t *ret)
{
	return BSON_ITER_HOLDS_NULL(it) || aero_number_of_bson(it, ret) ? TOOK : ODD;
}

/* Words about a field that cost the document its answer go before those of any other. */
static bool graver(const char *odd, const char *than)
{
	return than == NULL || (aero_slot_odd_costs(odd) && !aero_slot_odd_costs(than));
}

/* Read one field; *odd is moved to the words for it if it is odd. */
static enum took read_field(
	const bson_iter_t *it, struct aero_slot *slot, const char **odd)
{
	const char *key = bson_iter_key(it), *words = NULL;
	enum took took = TOOK;

	for (size_t i = 0; i < N_FIELDS; i++) {
		if (strcmp(key, fields[i].key) == 0) {
			took = read_text(it, text_of(slot, &fields[i]));
			words = fields[i].odd;
		}
	}
	for (size_t i = 0; i < N_NUMBERS; i++) {
		if (strcmp(key, numbers[i].key) == 0) {
			void *at = (char *)slot + numbers[i].offset;

			took = read_number(it, at);
			words = numbers[i].odd;
		}
	}
	if (strcmp(key, "aliases") == 0) {
		took = read_aliases(it, &slot->who.aliases);
		words = "aliases is neither null nor an array of strings";
	}
	if (took == ODD && graver(words, *odd))
		*odd = words;
	if (took == ODD && strcmp(key, "instance_id") == 0)
		slot->odd_id = slot->odd = true;
	if (took == ODD && strcmp(key, "hostname") == 0)
		slot->odd = true;
	if ((strcmp(key, "reg") == 0 || strcmp(key, "epoch") == 0) && aero_number_odd(it))
		slot->odd = true;
	return took;
}

bool aero_slot_field(const char *key)
{
	for (size_t i = 0; i < N_FIELDS; i++)
		if (strcmp(key, fields[i].key) == 0)
			return true;
	for (size_t i = 0; i < N_NUMBERS; i++)
		if (strcmp(key, numbers[i].key) == 0)
			return true;
	return strcmp(key, "aliases") == 0 || strcmp(key, IP6_OF) == 0;
}

bool aero_slot_odd_costs(const char *odd)
{
	return strncmp(odd, "hostname ", 9) == 0 || strncmp(odd, "ip ", 3) == 0 ||
	       strncmp(odd, "ip6 ", 4) == 0;
}

/* A document without the mark, or with an odd one, was written by hand. */
static bool ip6_left_behind(const bson_t *doc, const struct aero_slot *slot)
{
	const char *of = NULL;
	bson_iter_t it;
	size_t len = 0;

	if (bson_iter_init_find(&it, doc, IP6_OF))
		of = clean_text(&it, &len);
	return of != NULL && (strlen(slot->who.instance_id) != len ||
				     memcmp(slot->who.instance_id, of, len) != 0);
}

bool aero_slot_of_bson(const bson_t *doc, struct aero_slot *ret, const char **ret_odd)
{
	struct aero_slot slot = {0};
	const char *odd = NULL, *failed = NULL;
	bson_iter_t it;

	if (!bson_iter_init(&it, doc))
		failed = "damaged BSON";
	while (failed == NULL && bson_iter_next(&it))
		if (read_field(&it, &slot, &odd) == FAILED)
			failed = "out of memory";
	if (failed == NULL && it.err_off != 0)
		failed = "damaged BSON";
	for (size_t i = 0; failed == NULL && i < N_FIELDS; i++) {
		char **text = text_of(&slot, &fields[i]);

		if (*text == NULL && (*text = strdup("")) == NULL)
			failed = "out of memory";
	}
	if (failed == NULL && *slot.who.ip6 != '\0' && ip6_left_behind(doc, &slot))
		*slot.who.ip6 = '\0';
	if (failed == NULL)
		*ret = slot;
	else
		aero_slot_clear(&slot);
	if (ret_odd != NULL)
		*ret_odd = failed != NULL ? failed : odd;
	return failed == NULL;
}

void aero_list_to_bson(const struct aero_list *list, bson_t *doc, const char *key)
{
	bson_t array;
	char index[16];
	const char *at;

	BSON_APPEND_ARRAY_BEGIN(doc, key, &array);
	for (size_t i = 0; i < list->n; i++) {
		bson_uint32_to_string((uint32_t)i, &at, index, sizeof(index));
		BSON_APPEND_UTF8(&array, at, list->v[i]);
	}
	bson_append_array_end(doc, &array);
}

void aero_ip6_of_to_bson(const struct aero_occupant *who, bson_t *doc)
{
	if (who->ip6 != NULL && *who->ip6 != '\0')
		BSON_APPEND_UTF8(
			doc, IP6_OF, who->instance_id == NULL ? "" : who->instance_id);
}

void aero_slot_to_bson(const struct aero_slot *slot, bson_t *doc)
{
	for (size_t i = 0; i < N_FIELDS; i++) {
		const char *text = text_in(slot, &fields[i]);

		if (fields[i].always || *text != '\0')
			BSON_APPEND_UTF8(doc, fields[i].key, text);
	}
	aero_ip6_of_to_bson(&slot->who, doc);
	aero_list_to_bson(&slot->who.aliases, doc, "aliases");
	if (slot->reg != 0)
		BSON_APPEND_INT64(doc, "reg", slot->reg);
	if (slot->epoch != 0)
		BSON_APPEND_INT64(doc, "epoch", slot->epoch);
	if (slot->registered_at != 0)
		BSON_APPEND_DATE_TIME(doc, "registered_at", slot->registered_at);
}

bool aero_slot_masterful(const struct aero_slot *slot)
{
	return slot->service_type != NULL && strcmp(slot->service_type, "masterful") == 0;
}

bool aero_slot_name_fits(const char *hostname, const char *service)
{
	size_t len = strlen(service), digits;

	if (strncmp(hostname, service, len) != 0 || hostname[len] != '-')
		return false;
	hostname += len + 1;
	if (strcmp(hostname, "master") == 0)
		return true;
	if (strncmp(hostname, "slave-", 6) == 0)
		hostname += 6;
	digits = strspn(hostname, "0123456789");
	return digits > 0 && digits <= AERO_SLOT_DIGITS && hostname[digits] == '\0' &&
	       (hostname[0] != '0' || digits == 1);
}

bool aero_slot_blank(const struct aero_slot *slot)
{
	return !slot->odd_id &&
	       (slot->who.instance_id == NULL || *slot->who.instance_id == '\0');
}

static char *copy_text(const char *text)
{
	return strdup(text == NULL ? "" : text);
}

bool aero_occupant_copy(const struct aero_occupant *who, struct aero_occupant *ret)
{
	*ret = (struct aero_occupant){
		.instance_id = copy_text(who->instance_id),
		.ip = copy_text(who->ip),
		.ip6 = copy_text(who->ip6),
	};
	if (ret->instance_id != NULL && ret->ip != NULL && ret->ip6 != NULL &&
		aero_list_copy(&who->aliases, &ret->aliases))
		return true;
	aero_occupant_clear(ret);
	return false;
}

bool aero_slot_copy(const struct aero_slot *slot, struct aero_slot *ret)
{
	*ret = *slot;
	ret->who = (struct aero_occupant){0};
	ret->hostname = copy_text(slot->hostname);
	ret->service = copy_text(slot->service);
	ret->service_type = copy_text(slot->service_type);
	if (ret->hostname != NULL && ret->service != NULL && ret->service_type != NULL &&
		aero_occupant_copy(&slot->who, &ret->who))
		return true;
	aero_slot_clear(ret);
	return false;
}

bool aero_slots_add(struct aero_slots *slots, struct aero_slot *slot)
{
	struct aero_slot *grown = aero_array_room(slots->v, slots->n, sizeof(*grown));

	if (grown == NULL)
		return false;
	grown[slots->n++] = *slot;
	slots->v = grown;
	*slot = (struct aero_slot){0}; /* now owned by slots */
	return true;
}

void aero_occupant_clear(struct aero_occupant *who)
{
	free(who->instance_id);
	free(who->ip);
	free(who->ip6);
	aero_list_clear(&who->aliases);
	*who = (struct aero_occupant){0};
}

void aero_slot_clear(struct aero_slot *slot)
{
	free(slot->hostname);
	free(slot->service);
	free(slot->service_type);
	aero_occupant_clear(&slot->who);
	*slot = (struct aero_slot){0};
}

void aero_slots_clear(struct aero_slots *slots)
{
	for (size_t i = 0; i < slots->n; i++)
		aero_slot_clear(&slots->v[i]);
	free(slots->v);
	*slots = (struct aero_slots){0};
}
