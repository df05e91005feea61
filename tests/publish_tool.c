/* SPDX-License-Identifier: MIT */
/* publish_tool FILE [-g GENERATION] [-z ZONE]...: publish a hosts.mdb from lines
 * `name addr[,addr] [alias...]` on stdin (`#` begins a comment). Of equal names the first
 * line counts, and a name beats an alias. -v only verifies FILE. */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mirror/publish.h"

struct item {
	struct aero_entry entry;
	size_t order; /* names before aliases, then as they came */
	unsigned char key[AERO_KEY_MAX];
	struct aero_rec rec;
};

struct host {
	struct aero_rec rec;
	unsigned char addr4[AERO_ADDR_MAX][4], addr6[AERO_ADDR_MAX][16];
	char *canon, *aliases;
};

static struct item **items;
static size_t n_items;

static void *must(void *p)
{
	if (p == NULL) {
		perror("publish_tool");
		exit(69);
	}
	return p;
}

static struct item *add(const struct host *h, size_t order)
{
	struct item *it = must(calloc(1, sizeof(*it)));

	items = must(realloc(items, (n_items + 1) * sizeof(struct item *)));
	items[n_items++] = it;
	it->order = order;
	it->rec = h->rec;
	return it;
}

static void add_address(const struct host *h, const void *addr, size_t len, size_t order)
{
	struct item *it = add(h, order);

	it->key[0] = AERO_KEY_ADDRESS;
	memcpy(it->key + 1, addr, len);
	it->entry.keylen = 1 + len;
}

static void add_name(const struct host *h, const char *name, size_t order, bool is_alias)
{
	struct item *it = add(h, order);

	it->entry.keylen = aero_name_key(name, it->key);
	it->entry.is_alias = is_alias;
	if (it->entry.keylen == 0) {
		(void)fprintf(stderr, "publish_tool: not a name: '%s'\n", name);
		exit(65);
	}
}

static void add_line(char *line, size_t order)
{
	struct host *h = must(calloc(1, sizeof(*h)));
	char *save, *more, *word = strtok_r(line, " \t\n", &save);
	char *addrs = strtok_r(NULL, " \t\n", &save);
	size_t len = 0;

	if (word == NULL || *word == '#' || addrs == NULL) {
		free(h);
		return;
	}
	h->rec.canon = h->canon = must(strdup(word));
	h->rec.addr4 = h->addr4[0];
	h->rec.addr6 = h->addr6[0];
	for (word = strtok_r(addrs, ",", &more); word != NULL;
		word = strtok_r(NULL, ",", &more)) {
		if (h->rec.n4 < AERO_ADDR_MAX &&
			inet_pton(AF_INET, word, h->addr4[h->rec.n4]) == 1) {
			h->rec.n4++;
		} else if (h->rec.n6 < AERO_ADDR_MAX &&
			   inet_pton(AF_INET6, word, h->addr6[h->rec.n6]) == 1) {
			h->rec.n6++;
		} else {
			(void)fprintf(stderr, "publish_tool: bad address '%s'\n", word);
			exit(65);
		}
	}
	while ((word = strtok_r(NULL, " \t\n", &save)) != NULL &&
		h->rec.n_alias < AERO_ALIAS_MAX) {
		h->aliases = must(realloc(h->aliases, len + strlen(word) + 1));
		memcpy(h->aliases + len, word, strlen(word) + 1);
		len += strlen(word) + 1;
		h->rec.n_alias++;
	}
	h->rec.aliases = h->aliases;
	add_name(h, h->canon, order, false);
	for (word = h->aliases, len = 0; len < h->rec.n_alias;
		len++, word += strlen(word) + 1)
		add_name(h, word, (SIZE_MAX >> 1) + order, true);
	for (len = 0; len < h->rec.n4; len++)
		add_address(h, h->addr4[len], 4, order);
	for (len = 0; len < h->rec.n6; len++)
		add_address(h, h->addr6[len], 16, order);
}

static int compare(const void *left, const void *right)
{
	const struct item *a = *(struct item *const *)left,
			  *b = *(struct item *const *)right;
	size_t len =
		a->entry.keylen < b->entry.keylen ? a->entry.keylen : b->entry.keylen;
	int diff = memcmp(a->key, b->key, len);

	if (diff == 0)
		diff = (a->entry.keylen > b->entry.keylen) -
		       (a->entry.keylen < b->entry.keylen);
	return diff != 0 ? diff : (a->order > b->order) - (a->order < b->order);
}

static bool same_key(const struct item *a, const struct item *b)
{
	return a->entry.keylen == b->entry.keylen &&
	       memcmp(a->key, b->key, a->entry.keylen) == 0;
}

int main(int argc, char **argv)
{
	struct aero_generation gen = {.meta = {.generation = 1, .zones = ""}};
	struct aero_published keep = {-1};
	struct aero_publish_error err;
	char *line = NULL, zones[1024];
	size_t size = 0, order = 0, i, zlen = 0, cut;
	struct timespec now;
	int opt, verify = 0;

	while ((opt = getopt(argc, argv, "g:z:v")) != -1) {
		if (opt == 'g') {
			gen.meta.generation = strtoull(optarg, NULL, 10);
		} else if (opt == 'v') {
			verify = 1;
		} else if (opt == 'z' && zlen + strlen(optarg) < sizeof(zones)) {
			memcpy(zones + zlen, optarg, strlen(optarg) + 1);
			zlen += strlen(optarg) + 1;
			gen.meta.n_zones++;
			gen.meta.zones = zones;
		} else {
			return 64;
		}
	}
	if (optind + 1 != argc)
		return 64;
	if (verify) {
		if (aero_publish_verify(argv[optind], &err) == 0)
			return 0;
		goto failed;
	}
	while (getline(&line, &size, stdin) >= 0)
		add_line(line, order++);
	if (n_items > 0)
		qsort(items, n_items, sizeof(struct item *), compare);
	gen.entries = must(calloc(n_items + 1, sizeof(struct aero_entry)));
	for (i = 0; i < n_items; i++) {
		if (i > 0 && same_key(items[i - 1], items[i]))
			continue;
		items[i]->entry.key = items[i]->key;
		items[i]->entry.rec = &items[i]->rec;
		gen.entries[gen.n_entries++] = items[i]->entry;
	}
	(void)clock_gettime(CLOCK_REALTIME, &now);
	gen.meta.published = (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
	gen.meta.source_time = (uint64_t)now.tv_sec << 32;
	if (aero_publish(argv[optind], &gen, &keep, &cut, &err) == 0)
		return 0; /* the kernel frees the rest */
failed:
	(void)fprintf(stderr, "publish_tool: %s: %s: %s\n", argv[optind], err.step,
		aero_publish_strerror(err.code));
	return 1;
}
