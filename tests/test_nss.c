/* SPDX-License-Identifier: MIT */
/* The module as glibc sees it: loaded with dlopen, called through its entry points. */
#include "config.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <nss.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/mirror_set.h"
#include "tests/support.h"

#if defined(__SANITIZE_ADDRESS__)
#define OWN_STACK 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OWN_STACK 0
#endif
#endif
#ifndef OWN_STACK
#define OWN_STACK 1
#endif

#define STALE 4242 /* what errno and h_errno hold before each call */

static struct {
	nss_gethostbyname_r *byname;
	nss_gethostbyname2_r *byname2;
	nss_gethostbyname3_r *byname3;
	nss_gethostbyname4_r *byname4;
	nss_gethostbyaddr_r *byaddr;
	nss_gethostbyaddr2_r *byaddr2;
	nss_sethostent *set;
	nss_gethostent_r *get;
	nss_endhostent *end;
	const char **path;
} module;

static char good[512], bad[512];

/* One call and all that it said, as text. */
struct result {
	enum nss_status status;
	int err, herr;
	char text[1024];
};

enum entry { BYNAME, BYNAME2, BYNAME3, BYNAME4, BYNAME4_PRESET, BYADDR, BYADDR2, GETENT };

static void say(struct result *r, const char *what)
{
	size_t len = strlen(r->text);

	(void)snprintf(r->text + len, sizeof(r->text) - len, "%s ", what);
}

static void say_address(struct result *r, int af, const void *addr)
{
	char text[INET6_ADDRSTRLEN];

	assert_non_null(inet_ntop(af, addr, text, sizeof(text)));
	say(r, text);
}

static void inside(const void *p, size_t align, const char *buf, size_t len)
{
	assert_true((const char *)p >= buf && (const char *)p < buf + len);
	assert_int_equal((uintptr_t)p % align, 0);
}

static void say_host(
	struct result *r, const struct hostent *h, const char *buf, size_t len)
{
	char **p;

	inside(h->h_name, 1, buf, len);
	inside(h->h_aliases, sizeof(char *), buf, len);
	inside(h->h_addr_list, sizeof(char *), buf, len);
	say(r, h->h_name);
	for (p = h->h_aliases; *p != NULL; p++) {
		inside(*p, 1, buf, len);
		say(r, *p);
	}
	for (p = h->h_addr_list; *p != NULL; p++) {
		inside(*p, 4, buf, len);
		inside(*p + h->h_length - 1, 1, buf, len);
		assert_int_equal(h->h_length, h->h_addrtype == AF_INET ? 4 : 16);
		say_address(r, h->h_addrtype, *p);
	}
}

static void call(enum entry entry, const char *arg, int af, char *buf, size_t len,
	struct result *r)
{
	struct gaih_addrtuple preset = {0}, *pat = NULL, *t;
	int saved = errno, *herr = &r->herr, size = af == AF_INET ? 4 : 16;
	unsigned char addr[16] = {0};
	char *canon = NULL;
	int32_t ttl = 77;
	struct hostent h;

	r->text[0] = '\0';
	r->herr = STALE;
	if (entry == BYADDR || entry == BYADDR2) {
		if (strchr(arg, '/') != NULL) /* a wrong length */
			size = (int)strtol(strchr(arg, '/') + 1, NULL, 10);
		else if (af == AF_INET || af == AF_INET6)
			assert_int_equal(inet_pton(af, arg, addr), 1);
	}
	errno = STALE;
	switch (entry) {
	case BYNAME:
		r->status = module.byname(arg, &h, buf, len, &errno, herr);
		break;
	case BYNAME2:
		r->status = module.byname2(arg, af, &h, buf, len, &errno, herr);
		break;
	case BYNAME3:
		r->status =
			module.byname3(arg, af, &h, buf, len, &errno, herr, &ttl, &canon);
		break;
	case BYNAME4:
	case BYNAME4_PRESET:
		pat = entry == BYNAME4 ? NULL : &preset;
		r->status = module.byname4(arg, &pat, buf, len, &errno, herr, &ttl);
		break;
	case BYADDR:
		r->status = module.byaddr(
			addr, (socklen_t)size, af, &h, buf, len, &errno, herr);
		break;
	case BYADDR2:
		r->status = module.byaddr2(
			addr, (socklen_t)size, af, &h, buf, len, &errno, herr, &ttl);
		break;
	case GETENT:
	default:
		r->status = module.get(&h, buf, len, &errno, herr);
		break;
	}
	r->err = errno;
	errno = saved;
	if (r->status != NSS_STATUS_SUCCESS) {
		assert_int_equal(ttl, 77);
		assert_null(canon);
		return;
	}
	if (entry == BYNAME3 || entry == BYNAME4 || entry == BYADDR2)
		assert_int_equal(ttl, 0);
	if (entry == BYNAME3)
		assert_string_equal(canon, h.h_name);
	if (pat == NULL) {
		say_host(r, &h, buf, len);
		return;
	}
	assert_true((pat == &preset) == (entry == BYNAME4_PRESET));
	for (t = pat; t != NULL; t = t->next) {
		if (t != &preset)
			inside(t, _Alignof(struct gaih_addrtuple), buf, len);
		inside(t->name, 1, buf, len);
		if (t == pat)
			say(r, t->name);
		assert_string_equal(t->name, pat->name);
		assert_int_equal(t->scopeid, 0);
		say_address(r, t->family, t->addr);
	}
}

static void publish(const char *path, const char *const *lines)
{
	struct mirror_set set = {0};
	struct aero_publish_error err;

	for (; *lines != NULL; lines++)
		assert_null(mirror_set_add(&set, *lines));
	assert_int_equal(
		mirror_set_publish(&set, path, 1, 2, ".Cluster.Internal\0zone.two", &err),
		0);
	mirror_set_clear(&set);
}

static int start(void **state)
{
	static const char *const lines[] = {
		"web-0 10.0.0.1,10.0.0.2,fd00::1,fd00::2 www api.cluster.internal",
		"web-1 10.0.0.3",
		"six fd00::6 sechs",
		"many "
		"10.1.0.1,10.1.0.2,10.1.0.3,10.1.0.4,10.1.0.5,10.1.0.6,10.1.0.7,10.1.0.8"
		" m1 m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m12 m13 m14 m15 m16",
		NULL,
	};

	(void)state;
	(void)snprintf(good, sizeof(good), "%s/hosts.mdb", test_dir());
	(void)snprintf(bad, sizeof(bad), "%s/bad", test_dir());
	publish(good, lines);
	*module.path = good;
	(void)module.set(0);
	return 0;
}

static const struct hit {
	enum entry entry;
	const char *arg;
	int af;
	const char *want;
} hits[] = {
	{BYNAME, "web-0", AF_INET, "web-0 www api.cluster.internal 10.0.0.1 10.0.0.2 "},
	{BYNAME, "WEB-0.", AF_INET, "web-0 www api.cluster.internal 10.0.0.1 10.0.0.2 "},
	{BYNAME, "www", AF_INET, "web-0 www api.cluster.internal 10.0.0.1 10.0.0.2 "},
	{BYNAME, "api.cluster.internal", AF_INET,
		"web-0 www api.cluster.internal 10.0.0.1 10.0.0.2 "},
	{BYNAME2, "web-0", AF_INET6, "web-0 www api.cluster.internal fd00::1 fd00::2 "},
	{BYNAME2, "sechs", AF_INET6, "six sechs fd00::6 "},
	{BYNAME3, "web-1", AF_INET, "web-1 10.0.0.3 "},
	{BYNAME3, "Many", AF_INET,
		"many m1 m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m12 m13 m14 m15 m16 10.1.0.1 "
		"10.1.0.2 10.1.0.3 10.1.0.4 10.1.0.5 10.1.0.6 10.1.0.7 10.1.0.8 "},
	{BYNAME4, "www", AF_UNSPEC, "web-0 10.0.0.1 10.0.0.2 fd00::1 fd00::2 "},
	{BYNAME4, "web-1.", AF_UNSPEC, "web-1 10.0.0.3 "},
	{BYNAME4, "six", AF_UNSPEC, "six fd00::6 "},
	{BYNAME4_PRESET, "www", AF_UNSPEC, "web-0 10.0.0.1 10.0.0.2 fd00::1 fd00::2 "},
	{BYNAME4_PRESET, "web-1", AF_UNSPEC, "web-1 10.0.0.3 "},
	{BYADDR, "10.0.0.2", AF_INET, "web-0 www api.cluster.internal 10.0.0.2 "},
	{BYADDR, "fd00::6", AF_INET6, "six sechs fd00::6 "},
	{BYADDR, "::ffff:10.0.0.3", AF_INET6, "web-1 10.0.0.3 "},
	{BYADDR2, "fd00::2", AF_INET6, "web-0 www api.cluster.internal fd00::2 "},
	{GETENT, "", AF_INET,
		"many m1 m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m12 m13 m14 m15 m16 10.1.0.1 "
		"10.1.0.2 10.1.0.3 10.1.0.4 10.1.0.5 10.1.0.6 10.1.0.7 10.1.0.8 "},
};

static void every_entry_point_answers(void **state)
{
	_Alignas(8) char buf[2048];
	struct result r;
	size_t i;

	(void)state;
	for (i = 0; i < AERO_COUNT(hits); i++) {
		call(hits[i].entry, hits[i].arg, hits[i].af, buf, sizeof(buf), &r);
		assert_int_equal(r.status, NSS_STATUS_SUCCESS);
		assert_int_equal(r.err, STALE);
		assert_int_equal(r.herr, NETDB_SUCCESS);
		assert_string_equal(r.text, hits[i].want);
	}
}

/* From no byte up until it fits, at every alignment, with untouched bytes around. */
static void every_buffer_length_is_safe(void **state)
{
	char all[2048];
	struct result r;
	size_t i, at, len, k, fits;

	(void)state;
	for (i = 0; i < AERO_COUNT(hits); i++) {
		for (at = 8; at < 16; at++) {
			for (len = 0, fits = 0; fits < 3; len++) {
				assert_true(len < 1500);
				memset(all, 0xa5, sizeof(all));
				call(hits[i].entry, hits[i].arg, hits[i].af, all + at,
					len, &r);
				for (k = 0; k < sizeof(all); k++)
					if (k < at || k >= at + len)
						assert_int_equal(
							(unsigned char)all[k], 0xa5);
				if (fits == 0 && r.status != NSS_STATUS_SUCCESS) {
					assert_int_equal(r.status, NSS_STATUS_TRYAGAIN);
					assert_int_equal(r.err, ERANGE);
					assert_int_equal(r.herr, NETDB_INTERNAL);
					continue;
				}
				assert_int_equal(r.status, NSS_STATUS_SUCCESS);
				assert_string_equal(r.text, hits[i].want);
				fits++;
				(void)module.set(0); /* the list's first again */
			}
		}
	}
}

#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void what_a_readable_mirror_denies(void **state)
{
	static const char longest[] = L63 "." L63 "." L63 "." L63;
	static const struct {
		enum entry entry;
		const char *arg;
		int af;
		enum nss_status status;
		int err, herr;
	} rows[] = {
		{BYNAME, "nope", AF_INET, NSS_STATUS_NOTFOUND, ENOENT, HOST_NOT_FOUND},
		{BYNAME4, "nope.", 0, NSS_STATUS_NOTFOUND, ENOENT, HOST_NOT_FOUND},
		{BYADDR, "10.9.9.9", AF_INET, NSS_STATUS_NOTFOUND, ENOENT,
			HOST_NOT_FOUND},
		{BYADDR2, "fd00::9", AF_INET6, NSS_STATUS_NOTFOUND, ENOENT,
			HOST_NOT_FOUND},
		/* `.` is 46: an address is never taken for a dotted name. */
		{BYADDR, "46.46.46.46", AF_INET, NSS_STATUS_NOTFOUND, ENOENT,
			HOST_NOT_FOUND},
		{BYNAME, "six", AF_INET, NSS_STATUS_NOTFOUND, ENOENT, NO_DATA},
		{BYNAME2, "web-1", AF_INET6, NSS_STATUS_NOTFOUND, ENOENT, NO_DATA},
		{BYNAME3, "web-1", AF_INET6, NSS_STATUS_NOTFOUND, ENOENT, NO_DATA},
		{BYNAME2, "web-0", AF_UNIX, NSS_STATUS_UNAVAIL, EAFNOSUPPORT, NO_DATA},
		{BYNAME2, "nope", AF_UNSPEC, NSS_STATUS_UNAVAIL, EAFNOSUPPORT, NO_DATA},
		{BYNAME3, "web-0", 99, NSS_STATUS_UNAVAIL, EAFNOSUPPORT, NO_DATA},
		{BYADDR, "", AF_UNIX, NSS_STATUS_UNAVAIL, EAFNOSUPPORT, NO_DATA},
		{BYADDR2, "", AF_UNSPEC, NSS_STATUS_UNAVAIL, EAFNOSUPPORT, NO_DATA},
		{BYADDR, "/3", AF_INET, NSS_STATUS_UNAVAIL, EINVAL, NO_RECOVERY},
		{BYADDR, "/16", AF_INET, NSS_STATUS_UNAVAIL, EINVAL, NO_RECOVERY},
		{BYADDR2, "/4", AF_INET6, NSS_STATUS_UNAVAIL, EINVAL, NO_RECOVERY},
		{BYNAME, "", AF_INET, NSS_STATUS_NOTFOUND, ENOENT, HOST_NOT_FOUND},
		{BYNAME4, ".", 0, NSS_STATUS_NOTFOUND, ENOENT, HOST_NOT_FOUND},
		{BYNAME, "web-0..", AF_INET, NSS_STATUS_NOTFOUND, ENOENT, HOST_NOT_FOUND},
		{BYNAME2, ".web-0", AF_INET, NSS_STATUS_NOTFOUND, ENOENT, HOST_NOT_FOUND},
		{BYNAME3, "a..b", AF_INET, NSS_STATUS_NOTFOUND, ENOENT, HOST_NOT_FOUND},
		{BYNAME4, L63 "a", 0, NSS_STATUS_NOTFOUND, ENOENT, HOST_NOT_FOUND},
		{BYNAME4, longest, 0, NSS_STATUS_NOTFOUND, ENOENT, HOST_NOT_FOUND},
		{BYNAME4, longest + 2, 0, NSS_STATUS_UNAVAIL, ENOENT, NO_RECOVERY},
		{BYNAME4, "example.com", 0, NSS_STATUS_UNAVAIL, ENOENT, NO_RECOVERY},
		{BYNAME, "web-0.example.com.", 0, NSS_STATUS_UNAVAIL, ENOENT,
			NO_RECOVERY},
		{BYNAME, "xcluster.internal", 0, NSS_STATUS_UNAVAIL, ENOENT, NO_RECOVERY},
		{BYNAME, "internal", 0, NSS_STATUS_NOTFOUND, ENOENT, HOST_NOT_FOUND},
		{BYNAME, "x.cluster.internal", 0, NSS_STATUS_NOTFOUND, ENOENT,
			HOST_NOT_FOUND},
		{BYNAME, "x.CLUSTER.internal.", 0, NSS_STATUS_NOTFOUND, ENOENT,
			HOST_NOT_FOUND},
		{BYNAME, "cluster.internal", 0, NSS_STATUS_NOTFOUND, ENOENT,
			HOST_NOT_FOUND},
		{BYNAME2, "a.b.zone.two", AF_INET, NSS_STATUS_NOTFOUND, ENOENT,
			HOST_NOT_FOUND},
	};
	_Alignas(8) char buf[2048];
	struct result r;
	size_t i;

	(void)state;
	for (i = 0; i < AERO_COUNT(rows); i++) {
		call(rows[i].entry, rows[i].arg, rows[i].af, buf, sizeof(buf), &r);
		if (r.status != rows[i].status || r.err != rows[i].err ||
			r.herr != rows[i].herr)
			fail_msg("row %zu '%s': status %d errno %d h_errno %d", i,
				rows[i].arg, r.status, r.err, r.herr);
	}
}

/* All entry points that read, on a mirror that cannot be read. */
static void all_say(enum nss_status status, int err, int herr, const char *what)
{
	static const struct hit calls[] = {
		{BYNAME, "web-0", AF_INET, NULL},
		{BYNAME2, "web-0", AF_INET6, NULL},
		{BYNAME3, "web-0", AF_INET, NULL},
		{BYNAME4, "web-0", 0, NULL},
		{BYNAME4_PRESET, "nope.example.com", 0, NULL},
		{BYADDR, "10.0.0.1", AF_INET, NULL},
		{BYADDR2, "fd00::1", AF_INET6, NULL},
		{GETENT, "", AF_INET, NULL},
	};
	_Alignas(8) char buf[2048];
	struct result r;
	size_t i;

	for (i = 0; i < AERO_COUNT(calls); i++) {
		call(calls[i].entry, calls[i].arg, calls[i].af, buf, sizeof(buf), &r);
		if (r.status != status || r.err != err || r.herr != herr)
			fail_msg("%s, call %zu: status %d errno %d h_errno %d", what, i,
				r.status, r.err, r.herr);
	}
}

static void make_noise(const char *path, size_t len)
{
	FILE *f = fopen(path, "we");
	size_t i;

	assert_non_null(f);
	for (i = 0; i < len; i++)
		(void)fputc((int)(i * 7919 >> 3 & 255), f);
	(void)fclose(f);
	assert_int_equal(chmod(path, 0644), 0);
}

static void a_mirror_that_cannot_be_read_is_unavailable(void **state)
{
	static const size_t lengths[] = {0, 1, 4095, 4096, 8192, 100000};
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct rlimit was, none;
	int fd, fds[64];
	size_t i;

	(void)state;
	*module.path = bad;
	(void)unlink(bad);
	all_say(NSS_STATUS_UNAVAIL, ENOENT, NO_RECOVERY, "absent");
	for (i = 0; i < AERO_COUNT(lengths); i++) {
		make_noise(bad, lengths[i]);
		all_say(NSS_STATUS_UNAVAIL, EBADMSG, NO_RECOVERY, "noise");
	}
	(void)unlink(bad);
	assert_int_equal(mkdir(bad, 0755), 0);
	all_say(NSS_STATUS_UNAVAIL, EBADMSG, NO_RECOVERY, "a directory");
	assert_int_equal(rmdir(bad), 0);
	assert_int_equal(mkfifo(bad, 0644), 0);
	all_say(NSS_STATUS_UNAVAIL, EBADMSG, NO_RECOVERY, "a fifo");
	(void)unlink(bad);
	assert_int_equal(symlink("bad", bad), 0);
	all_say(NSS_STATUS_UNAVAIL, ELOOP, NO_RECOVERY, "a link to itself");
	(void)unlink(bad);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	memcpy(sun.sun_path, bad, strlen(bad) + 1);
	assert_int_equal(bind(fd, (const void *)&sun, sizeof(sun)), 0);
	all_say(NSS_STATUS_UNAVAIL, ENXIO, NO_RECOVERY, "a socket");
	(void)close(fd);
	(void)unlink(bad);

	*module.path = good;
	assert_int_equal(chmod(good, 0664), 0);
	all_say(NSS_STATUS_UNAVAIL, EACCES, NO_RECOVERY, "writable by its group");
	assert_int_equal(chmod(good, 0646), 0);
	all_say(NSS_STATUS_UNAVAIL, EACCES, NO_RECOVERY, "writable by others");
	if (geteuid() == 0) {
		assert_int_equal(chmod(good, 0600), 0);
		assert_int_equal(seteuid(65534), 0);
		all_say(NSS_STATUS_UNAVAIL, EACCES, NO_RECOVERY, "not readable");
		assert_int_equal(seteuid(0), 0);
	}
	assert_int_equal(chmod(good, 0644), 0);
	assert_int_equal(truncate(good, 8192 + 4000), 0);
	all_say(NSS_STATUS_UNAVAIL, EBADMSG, NO_RECOVERY, "cut short");

	(void)start(NULL);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = was;
	none.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (i = 0; i < 64; i++)
		fds[i] = dup(0);
	all_say(NSS_STATUS_TRYAGAIN, EAGAIN, TRY_AGAIN, "no descriptor left");
	for (i = 0; i < 64; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	every_entry_point_answers(NULL);
}

/* A static program has an errno of its own: the module writes through the pointers. */
static void errno_itself_is_not_touched(void **state)
{
	struct hostent h;
	char buf[512];
	int err = STALE, herr = STALE;

	(void)state;
	(void)unlink(bad);
	errno = STALE;
	*module.path = bad;
	assert_int_equal(module.byname("web-0", &h, buf, sizeof(buf), &err, &herr),
		NSS_STATUS_UNAVAIL);
	assert_int_equal(err, ENOENT);
	assert_int_equal(herr, NO_RECOVERY);
	assert_int_equal(errno, STALE);
}

static void list_is(const char *want, size_t at_most)
{
	_Alignas(8) char buf[2048];
	char all[1024] = "";
	struct result r;
	size_t len = 0;

	for (; at_most > 0; at_most--) {
		call(GETENT, "", AF_INET, buf, 16, &r); /* does not go on */
		if (r.status == NSS_STATUS_NOTFOUND)
			break;
		assert_int_equal(r.err, ERANGE);
		call(GETENT, "", AF_INET, buf, sizeof(buf), &r);
		assert_int_equal(r.status, NSS_STATUS_SUCCESS);
		len += (size_t)snprintf(all + len, sizeof(all) - len, "%s/ ", r.text);
	}
	assert_string_equal(all, want);
	if (at_most > 0) {
		assert_int_equal(r.err, ENOENT);
		assert_int_equal(r.herr, HOST_NOT_FOUND);
	}
}

static void the_list_has_each_host_once_in_each_family(void **state)
{
	static const char *const before[] = {"b 10.0.0.2,fd00::2 bb", "d 10.0.0.4 dd",
		"a fd00::1", "c 10.0.0.3", NULL};
	static const char *const after[] = {
		"b 10.0.0.9", "bc 10.0.0.7", "d 10.0.0.8", NULL};
	static const char all[] = "a fd00::1 / b bb 10.0.0.2 / b bb fd00::2 / "
				  "c 10.0.0.3 / d dd 10.0.0.4 / ";

	(void)state;
	publish(good, before);
	list_is(all, 99);
	list_is("", 99); /* the end stays the end */
	assert_int_equal(module.end(), NSS_STATUS_SUCCESS);
	list_is(all, 99);
	assert_int_equal(module.set(1), NSS_STATUS_SUCCESS);
	list_is("a fd00::1 / b bb 10.0.0.2 / ", 2);
	/* A new generation in the middle: b lost its IPv6, c is gone, bc is new. */
	publish(good, after);
	list_is("bc 10.0.0.7 / d 10.0.0.8 / ", 99);
	(void)module.set(0);
	list_is("b 10.0.0.9 / bc 10.0.0.7 / d 10.0.0.8 / ", 99);
}

static void an_empty_mirror_denies_everything(void **state)
{
	static const char *const none[] = {NULL};
	_Alignas(8) char buf[2048];
	struct result r;

	(void)state;
	publish(good, none);
	call(BYNAME, "web-0", AF_INET, buf, sizeof(buf), &r);
	assert_int_equal(r.status, NSS_STATUS_NOTFOUND);
	list_is("", 9);
}

#if OWN_STACK
static bool came_back;

static void *cancelled(void *arg)
{
	_Alignas(8) char buf[2048];
	struct result r;

	(void)pthread_cancel(pthread_self());
	call(BYNAME4, "web-0", AF_UNSPEC, buf, sizeof(buf), &r);
	came_back = r.status == NSS_STATUS_SUCCESS;
	pthread_testcancel();
	return arg;
}
#endif

static void a_cancelled_thread_leaves_nothing_open(void **state)
{
#if OWN_STACK /* the address sanitizer takes a cancelled thread amiss */
	int before = dup(0), after;
	pthread_t thread;
	void *end;

	(void)state;
	(void)close(before);
	assert_int_equal(pthread_create(&thread, NULL, cancelled, NULL), 0);
	assert_int_equal(pthread_join(thread, &end), 0);
	assert_ptr_equal(end, PTHREAD_CANCELED);
	assert_true(came_back);
	after = dup(0);
	(void)close(after);
	assert_int_equal(after, before);
#else
	(void)state;
	skip();
#endif
}

#if OWN_STACK
static ucontext_t here, there;

static void on_small_stack(void)
{
	static char buf[2048];
	struct gaih_addrtuple *pat = NULL;
	struct hostent h;
	unsigned char addr[4] = {10, 0, 0, 1};
	int err, herr;

	(void)module.byname4("web-0", &pat, buf, sizeof(buf), &err, &herr, NULL);
	(void)module.byname("x.cluster.internal", &h, buf, sizeof(buf), &err, &herr);
	(void)module.byaddr(addr, 4, AF_INET, &h, buf, sizeof(buf), &err, &herr);
	(void)module.get(&h, buf, sizeof(buf), &err, &herr);
}
#endif

static void the_stack_stays_below_6_kib(void **state)
{
#if OWN_STACK
	static _Alignas(64) unsigned char stack[65536];
	const unsigned char *used = stack;

	(void)state;
	if (getenv("AERO_VALGRIND") != NULL)
		skip();
	memset(stack, 0xc3, sizeof(stack));
	assert_int_equal(getcontext(&there), 0);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = sizeof(stack);
	there.uc_link = &here;
	makecontext(&there, on_small_stack, 0);
	assert_int_equal(swapcontext(&here, &there), 0);
	while (*used == 0xc3)
		used++;
	print_message("stack used: %td bytes\n", stack + sizeof(stack) - used);
#ifdef __OPTIMIZE__
	assert_true(stack + sizeof(stack) - used < 6144);
#endif
#else
	(void)state;
	skip();
#endif
}

/* open, fstat, pread and close, and nothing else: any other call would kill the child. */
static void it_makes_four_system_calls(void **state)
{
#if OWN_STACK && defined(__x86_64__)
#define ALLOW(nr) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##nr, 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(openat), ALLOW(fstat), ALLOW(newfstatat), ALLOW(pread64),
		ALLOW(close), ALLOW(exit_group),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)};
	struct sock_fprog filter = {sizeof(code) / sizeof(code[0]), code};
	static char buf[2048];
	static struct result r;
	int status, wrong = 0;
	pid_t pid;
	size_t i;

	(void)state;
	if (getenv("AERO_VALGRIND") != NULL)
		skip(); /* it makes calls of its own */
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
			prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
			_exit(77);
		for (i = 0; i < AERO_COUNT(hits); i++) {
			call(hits[i].entry, hits[i].arg, hits[i].af, buf, sizeof(buf),
				&r);
			wrong += r.status != NSS_STATUS_SUCCESS;
		}
		call(BYNAME, "nope.example.com", 0, buf, sizeof(buf), &r);
		wrong += r.status != NSS_STATUS_UNAVAIL;
		*module.path = "/nonexistent/hosts.mdb";
		call(BYNAME, "web-0", 0, buf, sizeof(buf), &r);
		wrong += r.err != ENOENT;
		_exit(wrong);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
#else
	(void)state;
	skip();
#endif
}

static int load(void **state)
{
	const char *dir = getenv("top_builddir");
	char path[1024];
	void *so;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/tests/.libs/libnss_aerostat_test.so.2",
		dir != NULL ? dir : ".");
	so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (so == NULL)
		fail_msg("%s", dlerror());
#define LOAD(field, name) assert_non_null(*(void **)&module.field = dlsym(so, name))
	LOAD(byname, "_nss_aerostat_gethostbyname_r");
	LOAD(byname2, "_nss_aerostat_gethostbyname2_r");
	LOAD(byname3, "_nss_aerostat_gethostbyname3_r");
	LOAD(byname4, "_nss_aerostat_gethostbyname4_r");
	LOAD(byaddr, "_nss_aerostat_gethostbyaddr_r");
	LOAD(byaddr2, "_nss_aerostat_gethostbyaddr2_r");
	LOAD(set, "_nss_aerostat_sethostent");
	LOAD(get, "_nss_aerostat_gethostent_r");
	LOAD(end, "_nss_aerostat_endhostent");
	LOAD(path, "aero_test_hosts_path");
	assert_int_equal(chmod(test_dir(), 0755), 0);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_entry_point_answers, start),
		cmocka_unit_test_setup(every_buffer_length_is_safe, start),
		cmocka_unit_test_setup(what_a_readable_mirror_denies, start),
		cmocka_unit_test_setup(
			a_mirror_that_cannot_be_read_is_unavailable, start),
		cmocka_unit_test_setup(errno_itself_is_not_touched, start),
		cmocka_unit_test_setup(the_list_has_each_host_once_in_each_family, start),
		cmocka_unit_test_setup(an_empty_mirror_denies_everything, start),
		cmocka_unit_test_setup(a_cancelled_thread_leaves_nothing_open, start),
		cmocka_unit_test_setup(the_stack_stays_below_6_kib, start),
		cmocka_unit_test_setup(it_makes_four_system_calls, start),
	};

	return cmocka_run_group_tests(tests, load, NULL);
}
