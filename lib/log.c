/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"

static const struct {
	const char *name;
	int priority; /* of syslog, for journald */
} levels[] = {
	[AERO_DEBUG] = {"DEBUG", 7},
	[AERO_INFO] = {"INFO", 6},
	[AERO_WARNING] = {"WARNING", 4},
	[AERO_ERROR] = {"ERROR", 3},
	[AERO_CRITICAL] = {"CRITICAL", 2},
};

static atomic_int least_level = AERO_INFO;

bool aero_level_parse(const char *text, enum aero_level *ret)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcasecmp(text, levels[i].name) == 0) {
			*ret = (enum aero_level)i;
			return true;
		}
	}
	return false;
}

void aero_log_level(enum aero_level least)
{
	atomic_store(&least_level, (int)least);
}

/* Append one character as it may stand in a line, keeping room for a NUL. False when it
 * does not fit. Control characters (C1 as well, as UTF-8 writes them: 0xc2 before) are
 * escaped: they could break the line or drive a terminal. */
static bool put(char *buf, size_t size, size_t *len, unsigned char c, bool quoted)
{
	static const char plain[] = "\n\t\r\"\\", names[] = "ntr\"\\";
	const char *at = c == '\0' ? NULL : memchr(plain, c, quoted ? 5 : 3);
	bool c1 = c >= 0x80 && c <= 0x9f && *len > 0 &&
		  (unsigned char)buf[*len - 1] == 0xc2;
	char text[5] = {(char)c};

	if (at != NULL) {
		text[0] = '\\';
		text[1] = names[at - plain];
	} else if (c < 0x20 || c == 0x7f || c1) {
		(void)snprintf(text, sizeof(text), "\\x%02x", c);
	}
	if (*len + strlen(text) >= size)
		return false;
	memcpy(buf + *len, text, strlen(text));
	*len += strlen(text);
	buf[*len] = '\0';
	return true;
}

/* stderr is the journal: systemd says which device and inode that has, so that a child
 * with its stderr elsewhere is not fooled by the inherited variable. */
static bool to_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;

	if (stream == NULL || fstat(STDERR_FILENO, &st) != 0)
		return false;
	(void)snprintf(
		own, sizeof(own), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, own) == 0;
}

static size_t put_head(char *line, size_t size, enum aero_level level)
{
	struct timespec now;
	struct tm tm;
	size_t len;

	if (to_journal())
		return (size_t)snprintf(line, size, "<%d>", levels[level].priority);
	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &tm) == NULL)
		memset(&tm, 0, sizeof(tm));
	len = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &tm);
	return len + (size_t)snprintf(line + len, size - len, ".%03dZ %s ",
			     (int)(now.tv_nsec / 1000000), levels[level].name);
}

void aero_log(enum aero_level level, const char *fmt, ...)
{
	char text[2048], line[2560];
	int saved = errno;
	size_t len, done = 0;
	va_list ap;

	if ((int)level < atomic_load(&least_level) || level > AERO_CRITICAL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	len = put_head(line, sizeof(line), level);
	for (const char *p = text; *p != '\0'; p++)
		if (!put(line, sizeof(line) - 1, &len, (unsigned char)*p, false))
			break;
	line[len++] = '\n';
	while (done < len) {
		ssize_t n = write(STDERR_FILENO, line + done, len - done);

		if (n < 0 && errno != EINTR)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	errno = saved;
}

const char *aero_quote(const char *text, char *buf, size_t size)
{
	size_t len = 0;

	if (size == 0)
		return "";
	buf[0] = '\0';
	if (size < 3)
		return buf;
	buf[len++] = '"';
	/* Keep one byte for the closing quote. */
	for (const char *p = text; *p != '\0'; p++)
		if (!put(buf, size - 1, &len, (unsigned char)*p, true))
			break;
	buf[len++] = '"';
	buf[len] = '\0';
	return buf;
}
