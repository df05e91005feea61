/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "legacy/hosts.h"

/* What stands before and behind the (first) block. */
struct split {
	struct aero_text before, after;
};

/* The bytes of the line at text, its LF included. */
static size_t line_len(const char *text, size_t len)
{
	const char *lf = memchr(text, '\n', len);

	return lf != NULL ? (size_t)(lf - text) + 1 : len;
}

/* The line is this marker: alone, but for blanks behind it. */
static bool is_marker(const char *line, size_t len, const char *marker)
{
	size_t at = strlen(marker);

	if (len < at || memcmp(line, marker, at) != 0)
		return false;
	while (at < len && memchr(" \t\r\n", line[at], 4) != NULL)
		at++;
	return at == len;
}

static int no_memory(struct aero_err *err)
{
	return aero_err_set(err, AERO_NOMEM, "hosts file: out of memory");
}

static int no_end(int line, struct aero_err *err)
{
	return aero_err_set(err, AERO_CONFIG,
		"line %d: '" AERO_HOSTS_BEGIN "' has no '" AERO_HOSTS_END
		"': put it where the block ends, or use --repair-hosts, which takes all "
		"lines down to the end of the file for the block",
		line);
}

/* Everything outside of blocks is kept, byte for byte; the first block marks the place.
 */
static int split(const struct aero_hosts_in *in, struct split *ret, struct aero_err *err)
{
	struct aero_text *to = &ret->before;
	int number = 0, begin = 0; /* line of the open begin; 0 = outside */
	size_t len;

	for (size_t at = 0; at < in->old_len; at += len) {
		const char *line = in->old + at;

		len = line_len(line, in->old_len - at);
		number++;
		if (is_marker(line, len, AERO_HOSTS_BEGIN)) {
			/* a begin within a block: the first one lost its end */
			if (begin > 0 && !in->repair)
				return no_end(begin, err);
			begin = number;
			to = &ret->after;
		} else if (begin > 0) {
			if (is_marker(line, len, AERO_HOSTS_END))
				begin = 0;
		} else if (!aero_text_add(to, line, len)) {
			return no_memory(err);
		}
	}
	return begin > 0 && !in->repair ? no_end(begin, err) : AERO_OK;
}

/* The legacy updater's text, up to a block that it may have copied from us. */
static int split_legacy(
	const struct aero_hosts_in *in, struct split *ret, struct aero_err *err)
{
	size_t at = 0;

	while (at < in->legacy_len) {
		size_t len = line_len(in->legacy + at, in->legacy_len - at);

		if (is_marker(in->legacy + at, len, AERO_HOSTS_BEGIN))
			break;
		at += len;
	}
	return aero_text_add(&ret->before, in->legacy, at) ? AERO_OK : no_memory(err);
}

static int count_lines(const char *text, size_t len)
{
	int n = 0;

	for (size_t at = 0; at < len; at += line_len(text + at, len - at))
		n++;
	return n;
}

/* before + block + after into out, with the shadowed names' lines in the whole. */
static int join(const struct aero_hosts_in *in, const struct split *parts,
	struct aero_hosts_out *out, struct aero_err *err)
{
	struct aero_text text = {0};
	struct aero_outside *outside = NULL;
	size_t len = parts->before.len, block;
	int rc, above, height;

	rc = aero_outside_new(&outside, err);
	if (rc == AERO_OK)
		rc = aero_outside_add(outside, parts->before.data, len, err);
	if (rc != AERO_OK)
		goto out;
	above = aero_outside_lines(outside);
	rc = aero_outside_add(outside, parts->after.data, parts->after.len, err);
	if (rc != AERO_OK)
		goto out;
	if (!aero_text_add(&text, parts->before.data, len) ||
		(len > 0 && text.data[len - 1] != '\n' &&
			!aero_text_add(&text, "\n", 1))) {
		rc = no_memory(err);
		goto out;
	}
	block = text.len;
	rc = aero_block_render(outside, in->rows, in->n_rows, &text, &out->shadows, err);
	if (rc != AERO_OK)
		goto out;
	height = count_lines(text.data + block, text.len - block);
	for (size_t i = 0; i < out->shadows.n; i++)
		if (out->shadows.v[i].line > above)
			out->shadows.v[i].line += height;
	if (!aero_text_add(&text, parts->after.data, parts->after.len)) {
		rc = no_memory(err);
		goto out;
	}
	out->text = text.data;
	out->len = text.len;
	text.data = NULL; /* now out's */
out:
	aero_outside_free(outside);
	free(text.data);
	return rc;
}

int aero_hosts_merge(
	const struct aero_hosts_in *in, struct aero_hosts_out *ret, struct aero_err *err)
{
	struct aero_hosts_out out = {0};
	struct split parts = {0};
	int rc;

	rc = in->legacy != NULL ? split_legacy(in, &parts, err) : split(in, &parts, err);
	if (rc == AERO_OK)
		rc = join(in, &parts, &out, err);
	if (rc == AERO_OK)
		*ret = out;
	else
		aero_hosts_out_clear(&out);
	free(parts.before.data);
	free(parts.after.data);
	return rc;
}

void aero_hosts_out_clear(struct aero_hosts_out *out)
{
	aero_shadows_clear(&out->shadows);
	free(out->text);
	*out = (struct aero_hosts_out){0};
}
