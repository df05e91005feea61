/* SPDX-License-Identifier: MIT */
/* What a person reads: --help from the table, and the nearest word. */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "lib/conf_parse.h"

#define WIDTH 79
#define HELP_COLUMN 28
#define WORD_MAX 63

/* Print text with its first line at column at, wrapped, the others at HELP_COLUMN. */
static void print_wrapped(const char *text, size_t at)
{
	while (*text != '\0') {
		size_t len = strcspn(text, " ");

		if (at + len > WIDTH && at > HELP_COLUMN) {
			(void)printf("\n%*s", HELP_COLUMN, "");
			at = HELP_COLUMN;
		}
		(void)printf("%.*s", (int)len, text);
		at += len;
		text += len;
		if (*text == ' ') {
			text++;
			if (at + 1 + strcspn(text, " ") <= WIDTH) {
				(void)putchar(' ');
				at++;
			} else {
				at = WIDTH + 1;
			}
		}
	}
	(void)putchar('\n');
}

static void print_row(const struct aero_option *opt)
{
	char head[160], help[256], *p;
	int len = snprintf(head, sizeof(head), "  %s--%s",
		strcmp(opt->key, "help") == 0 ? "-h, " : "", opt->key);
	bool shown =
		*opt->def != '\0' && !opt->flag_only && strcmp(opt->def, "false") != 0;

	for (p = head + 4; *p != '\0'; p++)
		if (*p == '_')
			*p = '-';
	if (opt->metavar != NULL)
		(void)snprintf(
			head + len, sizeof(head) - (size_t)len, "=%s", opt->metavar);
	(void)snprintf(help, sizeof(help), shown ? "%s (default %s)" : "%s", opt->help,
		opt->def);
	len = printf("%s", head);
	if (len + 2 > HELP_COLUMN) {
		(void)putchar('\n');
		len = 0;
	}
	(void)printf("%*s", HELP_COLUMN - len, "");
	print_wrapped(help, HELP_COLUMN);
}

static bool is_last(const struct aero_option *opt)
{
	return strcmp(opt->key, "help") == 0 || strcmp(opt->key, "version") == 0;
}

void aero_conf_help(enum aero_program program, const char *usage)
{
	static const struct {
		const char *title;
		bool flag_only, last;
		unsigned programs;
	} groups[] = {
		{"Actions and switches:", true, false, AERO_PROG_ANY},
		{"Options, also `key: value` in /etc/aerostat.conf and AEROSTAT_<KEY> in "
		 "the\n"
		 "environment, with _ for - (a flag beats the environment, that the "
		 "file):",
			false, false, AERO_PROG_ANY & ~AERO_PROG_SERVER},
		{"Options, also `key: value` in /etc/aerostatd.conf, which beats\n"
		 "/etc/aerostat.conf, and AEROSTAT_<KEY> in the environment, with _ for "
		 "- (a\n"
		 "flag beats the environment, that the files):",
			false, false, AERO_PROG_SERVER},
		{"Help:", true, true, AERO_PROG_ANY},
	};

	(void)printf("Usage: %s\n", usage);
	for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
		if (!(groups[g].programs & (unsigned)program))
			continue;
		(void)printf("\n%s\n", groups[g].title);
		for (size_t i = 0; i < aero_n_options; i++) {
			const struct aero_option *opt = &aero_options[i];

			if ((opt->programs & (unsigned)program) &&
				opt->flag_only == groups[g].flag_only &&
				is_last(opt) == groups[g].last)
				print_row(opt);
		}
	}
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edits (insert, delete, replace, swap of neighbours) between two words, without case. */
static size_t distance(const char *a, size_t la, const char *b, size_t lb)
{
	unsigned char rows[3][WORD_MAX + 1];
	unsigned char *before = rows[0], *last = rows[1], *now = rows[2], *free_row;

	for (size_t j = 0; j <= lb; j++)
		last[j] = (unsigned char)j;
	memset(before, 0, WORD_MAX + 1);
	for (size_t i = 1; i <= la; i++) {
		int ca = tolower((unsigned char)a[i - 1]);

		now[0] = (unsigned char)i;
		for (size_t j = 1; j <= lb; j++) {
			int cb = tolower((unsigned char)b[j - 1]);
			size_t d = least((size_t)last[j] + 1, (size_t)now[j - 1] + 1);

			d = least(d, (size_t)last[j - 1] + (ca != cb));
			if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) &&
				cb == tolower((unsigned char)a[i - 2]))
				d = least(d, (size_t)before[j - 2] + 1);
			now[j] = (unsigned char)d;
		}
		free_row = before;
		before = last;
		last = now;
		now = free_row;
	}
	return last[lb];
}

const char *aero_nearest(const char *word, const char *const *candidates, size_t n)
{
	const char *nearest = NULL;
	size_t len = strlen(word), best = WORD_MAX;

	for (size_t i = 0; i < n && len <= WORD_MAX; i++) {
		size_t other = strlen(candidates[i]), d;

		if (other > WORD_MAX)
			continue;
		d = distance(word, len, candidates[i], other);
		if (d < best && d * 3 <= (len > other ? len : other)) {
			best = d;
			nearest = candidates[i];
		}
	}
	return nearest;
}

const char *aero_nearest_words(
	const char *prefix, const char *nearest, char buf[static 96])
{
	buf[0] = '\0';
	if (nearest != NULL)
		(void)snprintf(buf, 96, "; did you mean '%s%s'?", prefix, nearest);
	return buf;
}
