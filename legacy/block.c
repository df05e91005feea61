/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "legacy/block.h"
#include "lib/array.h"
#include "lib/names.h"

/* A name of an outside line: where it stands first, and its families. */
struct word {
	const char *name;
	size_t len;
	int line;
	bool v4, v6;
};

struct aero_outside {
	struct word *v;
	size_t n, size;
	int lines;
	bool sorted; /* by name, each once */
};

bool aero_text_add(struct aero_text *text, const void *data, size_t len)
{
	size_t size = text->size > 0 ? text->size : 256;
	char *grown;

	while (size - text->len < len + 1)
		size *= 2;
	if (size != text->size) {
		grown = realloc(text->data, size);
		if (grown == NULL)
			return false;
		text->data = grown;
		text->size = size;
	}
	if (len > 0)
		memcpy(text->data + text->len, data, len);
	text->len += len;
	text->data[text->len] = '\0';
	return true;
}

static bool add_str(struct aero_text *text, const char *str)
{
	return aero_text_add(text, str, strlen(str));
}

void aero_shadows_clear(struct aero_shadows *shadows)
{
	for (size_t i = 0; i < shadows->n; i++)
		free(shadows->v[i].name);
	free(shadows->v);
	*shadows = (struct aero_shadows){0};
}

/* ---- outside ---- */

int aero_outside_new(struct aero_outside **ret, struct aero_err *err)
{
	struct aero_outside *outside = calloc(1, sizeof(*outside));

	if (outside == NULL)
		return aero_err_set(err, AERO_NOMEM, "hosts file: out of memory");
	*ret = outside;
	return AERO_OK;
}

void aero_outside_free(struct aero_outside *outside)
{
	if (outside == NULL)
		return;
	free(outside->v);
	free(outside);
}

int aero_outside_lines(const struct aero_outside *outside)
{
	return outside->lines;
}

static bool blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next word of a line, or an empty one at its end. */
static struct word next_word(const char **at, const char *end)
{
	struct word word = {0};

	while (*at < end && blank(**at))
		(*at)++;
	word.name = *at;
	while (*at < end && !blank(**at))
		(*at)++;
	word.len = (size_t)(*at - word.name);
	return word;
}

/* The family of an address that glibc, or another resolver (`%scope`), takes; or 0. */
static int family_of(const struct word *word)
{
	char text[INET6_ADDRSTRLEN];
	const char *scope = memchr(word->name, '%', word->len);
	size_t len = scope != NULL ? (size_t)(scope - word->name) : word->len;
	unsigned char addr[16];

	if (len >= sizeof(text))
		return 0;
	memcpy(text, word->name, len);
	text[len] = '\0';
	if (scope == NULL && inet_pton(AF_INET, text, addr) == 1)
		return AF_INET;
	return inet_pton(AF_INET6, text, addr) == 1 ? AF_INET6 : 0;
}

static bool add_word(struct aero_outside *outside, const struct word *word)
{
	size_t size = outside->size * 2 + 64;
	struct word *grown;

	if (outside->n == outside->size) {
		grown = realloc(outside->v, size * sizeof(*grown));
		if (grown == NULL)
			return false;
		outside->v = grown;
		outside->size = size;
	}
	outside->v[outside->n++] = *word;
	outside->sorted = false;
	return true;
}

static bool add_line(struct aero_outside *outside, const char *line, size_t len)
{
	/* a NUL ends the line for readers in C, as `#` does */
	const char *hash = memchr(line, '#', len), *nul = memchr(line, '\0', len);
	const char *end = line + len;
	struct word word;
	int family;

	if (hash != NULL)
		end = hash;
	if (nul != NULL && nul < end)
		end = nul;
	word = next_word(&line, end);
	family = family_of(&word);
	if (family == 0)
		return true;
	for (;;) {
		word = next_word(&line, end);
		if (word.len == 0)
			return true;
		word.line = outside->lines;
		word.v4 = family == AF_INET;
		word.v6 = family == AF_INET6;
		if (!add_word(outside, &word))
			return false;
	}
}

int aero_outside_add(
	struct aero_outside *outside, const char *text, size_t len, struct aero_err *err)
{
	const char *end = len > 0 ? text + len : text; /* text may be NULL */

	while (text < end) {
		const char *lf = memchr(text, '\n', (size_t)(end - text));
		const char *stop = lf != NULL ? lf : end;

		outside->lines++;
		if (!add_line(outside, text, (size_t)(stop - text)))
			return aero_err_set(err, AERO_NOMEM, "hosts file: out of memory");
		text = lf != NULL ? lf + 1 : end;
	}
	return AERO_OK;
}

static int by_name(const void *left, const void *right)
{
	const struct word *a = left, *b = right;
	int cmp = strncasecmp(a->name, b->name, a->len < b->len ? a->len : b->len);

	if (cmp != 0)
		return cmp;
	return (a->len > b->len) - (a->len < b->len);
}

static int by_name_and_line(const void *left, const void *right)
{
	const struct word *a = left, *b = right;
	int cmp = by_name(left, right);

	return cmp != 0 ? cmp : (a->line > b->line) - (a->line < b->line);
}

/* Sort, and make one of the words of one name. */
static void sort(struct aero_outside *outside)
{
	size_t kept = 0;

	if (outside->n > 0)
		qsort(outside->v, outside->n, sizeof(*outside->v), by_name_and_line);
	for (size_t i = 0; i < outside->n; i++) {
		struct word *last = &outside->v[kept > 0 ? kept - 1 : 0];

		if (kept > 0 && by_name(last, &outside->v[i]) == 0) {
			last->v4 |= outside->v[i].v4;
			last->v6 |= outside->v[i].v6;
		} else {
			outside->v[kept++] = outside->v[i];
		}
	}
	outside->n = kept;
	outside->sorted = true;
}

static const struct word *find(struct aero_outside *outside, const char *name)
{
	const struct word key = {.name = name, .len = strlen(name)};

	if (!outside->sorted)
		sort(outside);
	if (outside->n == 0)
		return NULL;
	return bsearch(&key, outside->v, outside->n, sizeof(key), by_name);
}

/* ---- the block ---- */

static bool add_shadow(struct aero_shadows *shadows, const char *name, int line)
{
	struct aero_shadow *grown =
		aero_array_room(shadows->v, shadows->n, sizeof(*grown));
	char *copy = strdup(name);

	if (grown != NULL)
		shadows->v = grown;
	if (copy == NULL || grown == NULL) {
		free(copy);
		return false;
	}
	shadows->v[shadows->n++] = (struct aero_shadow){.name = copy, .line = line};
	return true;
}

struct render {
	struct aero_outside *outside;
	struct aero_text *text;
	struct aero_shadows *shadows;
	struct aero_text names; /* " name name" of the row at hand */
	struct aero_err *err;
};

static int no_memory(const struct render *r)
{
	return aero_err_set(r->err, AERO_NOMEM, "hosts file: out of memory");
}

/* One more name of the row at hand, unless an outside line defines it. */
static int add_name(struct render *r, const char *name)
{
	static char all[] = ".";
	static char *zone[] = {all};
	static const struct aero_list zones = {zone, 1};
	const char *why = aero_name_refuse(name, true, NULL, &zones);
	const struct word *word;
	bool added;

	if (why != NULL)
		return aero_err_set(
			r->err, AERO_BAD, "hosts file: name '%.300s': %s", name, why);
	word = find(r->outside, name);
	if (word != NULL)
		added = add_shadow(r->shadows, name, word->line);
	else
		added = add_str(&r->names, " ") && add_str(&r->names, name);
	return added ? AERO_OK : no_memory(r);
}

static int add_row(struct render *r, const struct aero_hosts_row *row)
{
	struct aero_addr addr;
	int rc = AERO_OK;

	if (row->n_addrs == 0)
		return AERO_OK;
	r->names.len = 0;
	if (row->fqdn != NULL)
		rc = add_name(r, row->fqdn);
	if (rc == AERO_OK)
		rc = add_name(r, row->host);
	for (size_t i = 0; rc == AERO_OK && i < row->n_aliases; i++)
		rc = add_name(r, row->aliases[i]);
	if (rc != AERO_OK)
		return rc;
	for (size_t i = 0; i < row->n_addrs; i++) {
		const char *why = aero_addr_refuse(row->addrs[i], true, &addr);

		if (why != NULL)
			return aero_err_set(r->err, AERO_BAD,
				"hosts file: address '%.100s' of '%s': %s", row->addrs[i],
				row->host, why);
		if (r->names.len == 0) /* all shadowed */
			continue;
		if (!add_str(r->text, row->addrs[i]) ||
			!aero_text_add(r->text, r->names.data, r->names.len) ||
			!add_str(r->text, "\n"))
			return no_memory(r);
	}
	return AERO_OK;
}

/* Every file needs localhost; where outside has it, it is not ours to say. */
static bool add_localhost(const struct render *r)
{
	const struct word *localhost = find(r->outside, "localhost");
	const struct word *ip6 = find(r->outside, "ip6-localhost");

	if (localhost == NULL || !localhost->v4)
		if (!add_str(r->text, "127.0.0.1 localhost\n"))
			return false;
	if (localhost == NULL || !localhost->v6) {
		if (!add_str(r->text, ip6 != NULL && ip6->v6
					      ? "::1 localhost\n"
					      : "::1 localhost ip6-localhost\n"))
			return false;
	}
	return true;
}

int aero_block_render(struct aero_outside *outside, const struct aero_hosts_row *rows,
	size_t n_rows, struct aero_text *text, struct aero_shadows *shadows,
	struct aero_err *err)
{
	struct render r = {
		.outside = outside, .text = text, .shadows = shadows, .err = err};
	int rc = AERO_OK;

	if (!add_str(text, AERO_HOSTS_BEGIN "\n") || !add_localhost(&r))
		rc = no_memory(&r);
	for (size_t i = 0; rc == AERO_OK && i < n_rows; i++)
		rc = add_row(&r, &rows[i]);
	if (rc == AERO_OK && !add_str(text, AERO_HOSTS_END "\n"))
		rc = no_memory(&r);
	free(r.names.data);
	return rc;
}
