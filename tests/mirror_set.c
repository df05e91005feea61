/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/mirror_set.h"

/* One key; host is shared by all items of a line and owned by the first. */
struct mirror_item {
	struct aero_entry entry;
	size_t order; /* names before aliases, then as they came */
	struct host *owned;
	unsigned char key[AERO_KEY_MAX];
};

struct host {
	struct aero_rec rec;
	unsigned char addr4[AERO_ADDR_MAX][4], addr6[AERO_ADDR_MAX][16];
	char canon[AERO_NAME_MAX + 1], aliases[8192];
};

static void *must(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

static struct mirror_item *add(struct mirror_set *set, struct host *h, bool is_alias)
{
	struct mirror_item *it = must(calloc(1, sizeof(*it)));

	set->items = must(realloc(set->items, (set->n + 1) * sizeof(*set->items)));
	set->items[set->n++] = it;
	it->order = set->lines + (is_alias ? SIZE_MAX / 2 : 0);
	it->entry =
		(struct aero_entry){.key = it->key, .rec = &h->rec, .is_alias = is_alias};
	return it;
}

static void add_address(
	struct mirror_set *set, struct host *h, const void *addr, size_t len)
{
	struct mirror_item *it = add(set, h, false);

	it->key[0] = AERO_KEY_ADDRESS;
	memcpy(it->key + 1, addr, len);
	it->entry.keylen = 1 + len;
}

static const char *read_addresses(struct host *h, char *text)
{
	char *save, *word;

	for (word = strtok_r(text, ",", &save); word != NULL;
		word = strtok_r(NULL, ",", &save)) {
		if (h->rec.n4 < AERO_ADDR_MAX &&
			inet_pton(AF_INET, word, h->addr4[h->rec.n4]) == 1)
			h->rec.n4++;
		else if (h->rec.n6 < AERO_ADDR_MAX &&
			 inet_pton(AF_INET6, word, h->addr6[h->rec.n6]) == 1)
			h->rec.n6++;
		else
			return "bad address, or too many";
	}
	return NULL;
}

static const char *add_words(struct mirror_set *set, struct host *h, char *line)
{
	char *save, *word = strtok_r(line, " \t\n", &save);
	char *addresses = strtok_r(NULL, " \t\n", &save);
	struct mirror_item *it;
	const char *why;
	size_t len = 0;
	unsigned i;

	if (word == NULL || addresses == NULL || strlen(word) > AERO_NAME_MAX)
		return "no address";
	memcpy(h->canon, word, strlen(word) + 1);
	why = read_addresses(h, addresses);
	if (why != NULL)
		return why;
	it = add(set, h, false);
	it->owned = h;
	it->entry.keylen = aero_name_key(h->canon, it->key);
	if (it->entry.keylen == 0)
		return "bad name";
	for (; (word = strtok_r(NULL, " \t\n", &save)) != NULL; h->rec.n_alias++) {
		if (len + strlen(word) >= sizeof(h->aliases))
			return "too many aliases";
		memcpy(h->aliases + len, word, strlen(word) + 1);
		len += strlen(word) + 1;
		it = add(set, h, true);
		it->entry.keylen = aero_name_key(word, it->key);
		if (it->entry.keylen == 0)
			return "bad alias";
	}
	for (i = 0; i < h->rec.n4; i++)
		add_address(set, h, h->addr4[i], 4);
	for (i = 0; i < h->rec.n6; i++)
		add_address(set, h, h->addr6[i], 16);
	return NULL;
}

const char *mirror_set_add(struct mirror_set *set, const char *line)
{
	size_t before = set->n;
	const char *why;
	struct host *h;
	char *copy;

	line += strspn(line, " \t\n");
	if (*line == '\0' || *line == '#')
		return NULL;
	h = must(calloc(1, sizeof(*h)));
	copy = must(strdup(line));
	h->rec.canon = h->canon;
	h->rec.aliases = h->aliases;
	h->rec.addr4 = h->addr4[0];
	h->rec.addr6 = h->addr6[0];
	why = add_words(set, h, copy);
	free(copy);
	if (why != NULL) {
		while (set->n > before)
			free(set->items[--set->n]);
		free(h);
	}
	set->lines++;
	return why;
}

static int compare_keys(const struct mirror_item *a, const struct mirror_item *b)
{
	size_t x = a->entry.keylen, y = b->entry.keylen;
	int diff = memcmp(a->key, b->key, x < y ? x : y);

	return diff != 0 ? diff : (x > y) - (x < y);
}

static int compare(const void *left, const void *right)
{
	const struct mirror_item *a = *(struct mirror_item *const *)left;
	const struct mirror_item *b = *(struct mirror_item *const *)right;
	int diff = compare_keys(a, b);

	return diff != 0 ? diff : (a->order > b->order) - (a->order < b->order);
}

int mirror_set_publish(struct mirror_set *set, const char *path, uint64_t generation,
	unsigned n_zones, const char *zones, struct aero_publish_error *err)
{
	struct aero_published keep = {.old_fd = -1};
	struct aero_generation gen = {0};
	struct timespec now;
	size_t i, cut;
	int rc;

	if (set->n > 0)
		qsort(set->items, set->n, sizeof(*set->items), compare);
	free(set->entries);
	set->entries = must(calloc(set->n + 1, sizeof(*set->entries)));
	set->n_entries = 0;
	for (i = 0; i < set->n; i++)
		if (i == 0 || compare_keys(set->items[i - 1], set->items[i]) != 0)
			set->entries[set->n_entries++] = set->items[i]->entry;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	gen.entries = set->entries;
	gen.n_entries = set->n_entries;
	gen.meta.generation = generation;
	gen.meta.source_time = (uint64_t)now.tv_sec << 32;
	gen.meta.published = (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
	gen.meta.n_zones = (uint16_t)n_zones;
	gen.meta.zones = zones;
	rc = aero_publish(path, &gen, &keep, &cut, err);
	aero_published_close(&keep);
	return rc;
}

void mirror_set_clear(struct mirror_set *set)
{
	size_t i;

	for (i = 0; i < set->n; i++) {
		free(set->items[i]->owned);
		free(set->items[i]);
	}
	free(set->items);
	free(set->entries);
	*set = (struct mirror_set){0};
}
