/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "legacy/block.h"
#include "legacy/diff.h"

#define AROUND 3  /* equal lines shown around a change */
#define WINDOW 64 /* how far a common line is looked for */

struct line {
	const char *at;
	size_t len; /* with its LF, which the last may lack */
	uint64_t hash;
};

struct lines {
	struct line *v;
	size_t n;
};

/* One step per line: ' ' in both, '-' only in the old, '+' only in the new. */
struct script {
	char *v;
	size_t n;
};

static bool split(const char *text, size_t len, struct lines *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n' || i + 1 == len;
	ret->v = malloc((n + 1) * sizeof(*ret->v));
	if (ret->v == NULL)
		return false;
	for (size_t at = 0; at < len; ret->n++) {
		const char *lf = memchr(text + at, '\n', len - at);
		struct line line = {.at = text + at, .hash = 14695981039346656037u};

		line.len = lf != NULL ? (size_t)(lf - line.at) + 1 : len - at;
		for (size_t i = 0; i < line.len; i++)
			line.hash =
				(line.hash ^ (unsigned char)line.at[i]) * 1099511628211u;
		ret->v[ret->n] = line;
		at += line.len;
	}
	return true;
}

static bool same(const struct line *a, const struct line *b)
{
	return a->hash == b->hash && a->len == b->len &&
	       memcmp(a->at, b->at, a->len) == 0;
}

static void step(struct script *script, char kind, size_t times)
{
	memset(script->v + script->n, kind, times);
	script->n += times;
}

/* The nearest lines from (i, j) on that are the same: how far on in the old and the new.
 * None within WINDOW: one line of each differs. */
static void resync(const struct lines *a, size_t i, size_t n, const struct lines *b,
	size_t j, size_t m, size_t *ret_a, size_t *ret_b)
{
	for (size_t d = 1; d <= WINDOW; d++) {
		for (size_t x = 0; x <= d; x++) {
			if (i + x >= n || j + d - x >= m)
				continue;
			if (same(&a->v[i + x], &b->v[j + d - x])) {
				*ret_a = x;
				*ret_b = d - x;
				return;
			}
		}
	}
	*ret_a = *ret_b = 1;
}

/* A script from a to b: not the shortest, but right: common ends are cut off, then the
 * rest is matched greedily. Room in script is for all lines of both. */
static void compare(const struct lines *a, const struct lines *b, struct script *script)
{
	size_t i = 0, j = 0, n = a->n, m = b->n, x, y;

	while (n > 0 && m > 0 && same(&a->v[n - 1], &b->v[m - 1])) {
		n--;
		m--;
	}
	while (i < n && j < m) {
		if (same(&a->v[i], &b->v[j])) {
			step(script, ' ', 1);
			i++;
			j++;
			continue;
		}
		resync(a, i, n, b, j, m, &x, &y);
		step(script, '-', x);
		step(script, '+', y);
		i += x;
		j += y;
	}
	step(script, '-', n - i);
	step(script, '+', m - j);
	step(script, ' ', a->n - n);
}

static bool add_line(struct aero_text *text, char kind, const struct line *line)
{
	static const char none[] = "\n\\ No newline at end of file\n";

	if (!aero_text_add(text, &kind, 1) || !aero_text_add(text, line->at, line->len))
		return false;
	return line->at[line->len - 1] == '\n' ||
	       aero_text_add(text, none, sizeof(none) - 1);
}

/* Where the hunk that begins at a step ends: before AROUND * 2 + 1 equal lines. */
static size_t hunk_end(const struct script *script, size_t at)
{
	size_t last = at;

	for (; at < script->n && at - last <= AROUND * 2; at++)
		if (script->v[at] != ' ')
			last = at;
	at = last + 1 + AROUND;
	return at < script->n ? at : script->n;
}

/* The lines of a hunk; within a run of changes what goes stands before what comes. */
static bool add_hunk(struct aero_text *text, const struct script *script, size_t at,
	size_t end, const struct line *a, const struct line *b)
{
	while (at < end) {
		size_t stop = at;

		if (script->v[at] == ' ') {
			if (!add_line(text, ' ', a++))
				return false;
			b++;
			at++;
			continue;
		}
		while (stop < end && script->v[stop] != ' ')
			stop++;
		for (size_t i = at; i < stop; i++)
			if (script->v[i] == '-' && !add_line(text, '-', a++))
				return false;
		for (size_t i = at; i < stop; i++)
			if (script->v[i] == '+' && !add_line(text, '+', b++))
				return false;
		at = stop;
	}
	return true;
}

static bool add_hunks(struct aero_text *text, const struct script *script,
	const struct lines *a, const struct lines *b)
{
	size_t i = 0, j = 0, at = 0, begin, end, n, m;
	char head[128];

	while (at < script->n) {
		size_t equal = at;

		while (equal < script->n && script->v[equal] == ' ')
			equal++;
		if (equal == script->n)
			break;
		begin = equal - at > AROUND ? equal - AROUND : at;
		i += begin - at;
		j += begin - at;
		end = hunk_end(script, equal);
		n = m = 0;
		for (size_t s = begin; s < end; s++) {
			n += script->v[s] != '+';
			m += script->v[s] != '-';
		}
		/* of no lines, the number is that of the line before */
		(void)snprintf(head, sizeof(head), "@@ -%zu,%zu +%zu,%zu @@\n",
			i + (n > 0), n, j + (m > 0), m);
		if (!aero_text_add(text, head, strlen(head)) ||
			!add_hunk(text, script, begin, end, a->v + i, b->v + j))
			return false;
		i += n;
		j += m;
		at = end;
	}
	return true;
}

int aero_diff(const char *old_name, const char *old_text, size_t old_len,
	const char *new_name, const char *new_text, size_t new_len, char **ret,
	size_t *ret_len, struct aero_err *err)
{
	struct lines a = {0}, b = {0};
	struct script script = {0};
	struct aero_text text = {0};
	bool differ = old_len != new_len ||
		      (old_len > 0 && memcmp(old_text, new_text, old_len) != 0);
	char *head = NULL;
	int rc = AERO_NOMEM;

	if (!aero_text_add(&text, "", 0))
		goto out;
	if (differ) {
		if (asprintf(&head, "--- %s\n+++ %s\n", old_name, new_name) < 0) {
			head = NULL;
			goto out;
		}
		if (!aero_text_add(&text, head, strlen(head)) ||
			!split(old_text, old_len, &a) || !split(new_text, new_len, &b))
			goto out;
		script.v = malloc(a.n + b.n + 1);
		if (script.v == NULL)
			goto out;
		compare(&a, &b, &script);
		if (!add_hunks(&text, &script, &a, &b))
			goto out;
	}
	*ret = text.data;
	*ret_len = text.len;
	text.data = NULL; /* now the caller's */
	rc = AERO_OK;
out:
	free(head);
	free(a.v);
	free(b.v);
	free(script.v);
	free(text.data);
	return rc == AERO_OK ? rc : aero_err_set(err, rc, "difference: out of memory");
}
