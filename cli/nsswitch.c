/* SPDX-License-Identifier: MIT */
/* The lines are read as glibc reads them: `#` begins a comment wherever it stands, blanks
 * separate items, [...] is an action of the item before it, there is no continuation. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/nsswitch.h"

#define MODULE "aerostat"
/* Known again by its comment, so that disabling takes the whole line away. */
#define ADDED "hosts: files " MODULE " dns # added by aerostat nsswitch --enable"

struct line {
	const char *at; /* its first byte */
	size_t len;     /* with its LF, which the last may lack */
	size_t body;    /* of a `hosts` line: behind "hosts:" */
	size_t stop;    /* where its comment begins, or its end */
	bool hosts;
};

struct item {
	size_t start, end; /* the word */
	size_t actions;    /* behind its last action; `end` when it has none */
};

static bool blank(char c)
{
	return c != '\0' && strchr(" \t\r\v\f", c) != NULL;
}

static size_t skip_blanks(const struct line *line, size_t at)
{
	while (at < line->stop && blank(line->at[at]))
		at++;
	return at;
}

static void read_line(const char *at, size_t len, struct line *ret)
{
	const char *lf = memchr(at, '\n', len), *comment;
	struct line line = {.at = at, .len = lf != NULL ? (size_t)(lf - at) + 1 : len};
	size_t name, end;

	line.stop = lf != NULL ? line.len - 1 : line.len;
	comment = memchr(at, '#', line.stop);
	if (comment != NULL)
		line.stop = (size_t)(comment - at);
	name = skip_blanks(&line, 0);
	end = name;
	while (end < line.stop && at[end] != ':' && !blank(at[end]))
		end++;
	line.hosts =
		end < line.stop && end - name == 5 && memcmp(at + name, "hosts", 5) == 0;
	line.body = end + 1;
	*ret = line;
}

static bool is(const struct line *line, const struct item *item, const char *word)
{
	size_t len = strlen(word);

	return item->end - item->start == len &&
	       memcmp(line->at + item->start, word, len) == 0;
}

/* The item at or behind *at, which moves on; *ret_more false when there is none. */
static int next_item(const struct line *line, size_t *at, struct item *ret,
	bool *ret_more, struct aero_err *err)
{
	struct item item = {.start = skip_blanks(line, *at)};
	size_t next;

	*ret_more = item.start < line->stop;
	if (!*ret_more)
		return AERO_OK;
	item.end = item.start;
	while (item.end < line->stop && line->at[item.end] != '[' &&
		!blank(line->at[item.end]))
		item.end++;
	if (item.end == item.start)
		return aero_err_set(
			err, AERO_CONFIG, "an action in brackets behind no service");
	item.actions = item.end;
	for (next = skip_blanks(line, item.end);
		next < line->stop && line->at[next] == '[';
		next = skip_blanks(line, item.actions)) {
		const char *close = memchr(line->at + next, ']', line->stop - next);

		if (close == NULL)
			return aero_err_set(err, AERO_CONFIG, "a [ without its ]");
		item.actions = (size_t)(close - line->at) + 1;
	}
	*ret = item;
	*at = item.actions;
	return AERO_OK;
}

/* Behind `files`, but not behind an action: what it ends with would hide us. */
static int enable_line(const struct line *line, FILE *out, struct aero_err *err)
{
	size_t at = line->body, before, pos = 0;
	struct item item = {0};
	bool more = true, have = false, glued;
	int rc;

	for (;;) {
		before = at;
		rc = next_item(line, &at, &item, &more, err);
		if (rc != AERO_OK)
			return rc;
		if (!more)
			break;
		have = have || is(line, &item, MODULE);
		if (pos == 0 && item.actions != item.end)
			pos = before;
		if (pos == 0 && is(line, &item, "files"))
			pos = item.end;
	}
	if (pos == 0)
		pos = line->body;
	if (have)
		pos = line->len;
	/* `hosts:dns`: disabling has to find the line so again. */
	glued = pos < line->stop && !blank(line->at[pos]);
	(void)fwrite(line->at, 1, pos, out);
	if (!have)
		(void)fputs(glued ? MODULE " " : " " MODULE, out);
	(void)fwrite(line->at + pos, 1, line->len - pos, out);
	return AERO_OK;
}

static int disable_line(const struct line *line, FILE *out, struct aero_err *err)
{
	size_t at = line->body, from = 0, cut, end;
	struct item item = {0};
	bool more = true, before, behind;
	int rc;

	for (;;) {
		rc = next_item(line, &at, &item, &more, err);
		if (rc != AERO_OK)
			return rc;
		if (!more)
			break;
		if (!is(line, &item, MODULE))
			continue;
		/* The blank that enabling put there, and none that still separates. */
		cut = item.start;
		end = item.actions;
		before = cut > line->body && blank(line->at[cut - 1]);
		behind = end < line->stop && blank(line->at[end]);
		if (before && cut > from && (behind || end == line->stop))
			cut--;
		else if (!before && behind)
			end++;
		(void)fwrite(line->at + from, 1, cut - from, out);
		from = end;
	}
	(void)fwrite(line->at + from, 1, line->len - from, out);
	return AERO_OK;
}

static bool added_by_us(const struct line *line)
{
	size_t len = sizeof(ADDED) - 1;

	return line->len >= len && memcmp(line->at, ADDED, len) == 0 &&
	       (line->len == len || line->at[len] == '\n');
}

/* ret_cut: the LF at the end of out is to go too. */
static int edit(const char *text, size_t len, bool enable, FILE *out, bool *ret_cut,
	struct aero_err *err)
{
	struct line line = {0};
	bool any = false;
	int rc = AERO_OK;
	unsigned n = 0;

	for (size_t at = 0; rc == AERO_OK && at < len; at += line.len) {
		read_line(text + at, len - at, &line);
		n++;
		any = any || line.hosts;
		if (!line.hosts)
			(void)fwrite(line.at, 1, line.len, out);
		else if (enable)
			rc = enable_line(&line, out, err);
		else if (!added_by_us(&line))
			rc = disable_line(&line, out, err);
		else /* a text without an LF at its end had none before either */
			*ret_cut = line.at[line.len - 1] != '\n';
		if (rc != AERO_OK)
			return aero_err_prefix(err, rc, "line %u", n);
	}
	if (enable && !any && (len == 0 || text[len - 1] == '\n'))
		(void)fputs(ADDED "\n", out);
	else if (enable && !any)
		(void)fputs("\n" ADDED, out);
	return AERO_OK;
}

int aero_nsswitch_edit(const char *text, size_t len, bool enable, char **ret,
	size_t *ret_len, struct aero_err *err)
{
	size_t made_len = 0;
	char *made = NULL;
	FILE *out;
	bool cut = false, full;
	int rc;

	if (memchr(text, '\0', len) != NULL)
		return aero_err_set(err, AERO_CONFIG, "a NUL byte");
	out = open_memstream(&made, &made_len);
	if (out == NULL)
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	rc = edit(text, len, enable, out, &cut, err);
	full = ferror(out) != 0;
	full = fclose(out) != 0 || full;
	if (rc == AERO_OK && full)
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	if (rc != AERO_OK) {
		free(made);
		return rc;
	}
	if (cut && made_len > 0)
		made[--made_len] = '\0';
	*ret = made;
	*ret_len = made_len;
	return AERO_OK;
}
