/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

void aero_log_level(enum aero_level least)
{
	atomic_store(&least_level, (int)least);
}

/* Characters beyond ASCII that no terminal should get from a stranger: the controls of
 * C1, and those that are not seen or turn what is seen around. */
static bool unseen(uint32_t c)
{
	static const struct {
		uint32_t from, to;
	} ranges[] = {{0x80, 0x9f}, {0xad, 0xad}, {0x61c, 0x61c}, {0x180e, 0x180e},
		{0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff},
		{0xfff9, 0xfffb}, {0xe0000, 0xe007f}};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (c >= ranges[i].from && c <= ranges[i].to)
			return true;
	return false;
}

/* Bytes at text that may stand as they are, as one character of UTF-8; 0: none. */
static size_t shown(const unsigned char *text)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = *text < 0x80   ? 1
		     : *text < 0xc2 ? 0
		     : *text < 0xe0 ? 2
		     : *text < 0xf0 ? 3
		     : *text < 0xf5 ? 4
				    : 0;
	uint32_t c = len < 2 ? *text : *text & (0x7fU >> len);

	for (size_t i = 1; i < len; i++) {
		if ((text[i] & 0xc0) != 0x80) /* the NUL at the end too */
			return 0;
		c = c << 6 | (text[i] & 0x3fU);
	}
	if (len == 1)
		return c >= 0x20 && c != 0x7f;
	return len > 0 && c >= least[len] && c <= 0x10ffff &&
			       !(c >= 0xd800 && c <= 0xdfff) && !unseen(c)
		       ? len
		       : 0;
}

/* Append the character at text as it may stand in a line, keeping room for a NUL, and
 * return its bytes; 0 when it does not fit. What could break the line, drive a terminal
 * or is no UTF-8 is escaped. */
static size_t put(char *buf, size_t size, size_t *len, const char *text, bool quoted)
{
	static const char plain[] = "\n\t\r\"\\", names[] = "ntr\"\\";
	const char *at = memchr(plain, *text, quoted ? 5 : 3);
	size_t n = at != NULL ? 0 : shown((const unsigned char *)text);
	char as[5] = {'\\'};

	if (at != NULL)
		as[1] = names[at - plain];
	else if (n > 0)
		memcpy(as, text, n);
	else
		(void)snprintf(as, sizeof(as), "\\x%02x", (unsigned char)*text);
	if (*len + strlen(as) >= size)
		return 0;
	memcpy(buf + *len, as, strlen(as) + 1);
	*len += strlen(as);
	return n > 0 ? n : 1;
}

/* All of text that fits. */
static void put_all(char *buf, size_t size, size_t *len, const char *text, bool quoted)
{
	size_t n;

	for (; *text != '\0'; text += n) {
		n = put(buf, size, len, text, quoted);
		if (n == 0)
			break;
	}
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
	put_all(line, sizeof(line) - 1, &len, text, false);
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
	put_all(buf, size - 1, &len, text, true);
	buf[len++] = '"';
	buf[len] = '\0';
	return buf;
}

const char *aero_show(const char *text, char *buf, size_t size)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_.: /(),=";

	return text[strspn(text, plain)] == '\0' ? text : aero_quote(text, buf, size);
}
