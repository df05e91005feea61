/* SPDX-License-Identifier: MIT */
/* The entry points that glibc calls. One call opens the mirror, reads, packs and closes;
 * nothing is kept but where an enumeration stands. */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include "mirror/reader.h"
#include "nss/answer.h"

#pragma GCC visibility push(default)
NSS_DECLARE_MODULE_FUNCTIONS(aerostat)
#pragma GCC visibility pop

/* How a call ends: enum aero_read goes on. */
enum { OTHER_FAMILY = AERO_READ_FAILED + 1, BAD_FAMILY, BAD_LENGTH, OUTSIDE, TOO_SMALL };

static const struct {
	enum nss_status status;
	int err, herr; /* err 0: what the system call said */
} ends[] = {
	[AERO_READ_OK] = {NSS_STATUS_SUCCESS, 0, NETDB_SUCCESS},
	[AERO_READ_MISS] = {NSS_STATUS_NOTFOUND, ENOENT, HOST_NOT_FOUND},
	[AERO_READ_ABSENT] = {NSS_STATUS_UNAVAIL, ENOENT, NO_RECOVERY},
	[AERO_READ_DENIED] = {NSS_STATUS_UNAVAIL, EACCES, NO_RECOVERY},
	[AERO_READ_DAMAGED] = {NSS_STATUS_UNAVAIL, EBADMSG, NO_RECOVERY},
	[AERO_READ_BUSY] = {NSS_STATUS_TRYAGAIN, EAGAIN, TRY_AGAIN},
	[AERO_READ_FAILED] = {NSS_STATUS_UNAVAIL, 0, NO_RECOVERY},
	[OTHER_FAMILY] = {NSS_STATUS_NOTFOUND, ENOENT, NO_DATA},
	[BAD_FAMILY] = {NSS_STATUS_UNAVAIL, EAFNOSUPPORT, NO_DATA},
	[BAD_LENGTH] = {NSS_STATUS_UNAVAIL, EINVAL, NO_RECOVERY},
	[OUTSIDE] = {NSS_STATUS_UNAVAIL, ENOENT, NO_RECOVERY},
	[TOO_SMALL] = {NSS_STATUS_TRYAGAIN, ERANGE, NETDB_INTERNAL},
};

/* One call: by name, by address (only), or the next of the list; to host or to pat. */
struct query {
	const char *name;
	const void *only;
	int af; /* of host; AF_UNSPEC with pat */
	struct hostent *host;
	struct gaih_addrtuple **pat;
	char *buf;
	size_t len;
	int rc; /* set: the call ends so at once */
	unsigned char key[AERO_KEY_MAX];
	size_t keylen;
};

static int pack(const struct query *q, const struct aero_rec *rec)
{
	bool v4 = q->af != AF_INET6 && rec->n4 > 0, v6 = q->af != AF_INET && rec->n6 > 0;
	bool packed;

	if (!v4 && !v6 && q->only == NULL)
		return OTHER_FAMILY;
	if (q->pat != NULL)
		packed = aero_answer_tuples(rec, q->pat, q->buf, q->len);
	else
		packed = aero_answer_host(rec, q->af, q->only, q->host, q->buf, q->len);
	return packed ? AERO_READ_OK : TOO_SMALL;
}

/* Is a dotted name that is not there ours to deny? */
static int zone_miss(const struct query *q, struct aero_reader *r)
{
	unsigned char *zone = r->low.key; /* done with, and the stack is small */
	struct aero_meta meta;
	int rc = (int)aero_reader_meta(r, &meta);
	size_t at, len;
	unsigned i;

	if (rc != AERO_READ_OK)
		return rc;
	for (i = 0; i < meta.n_zones; i++, meta.zones += strlen(meta.zones) + 1) {
		while (*meta.zones == '.')
			meta.zones++;
		len = aero_name_key(meta.zones, zone) - 1;
		if (*meta.zones == '\0')
			return AERO_READ_MISS; /* `.`: all names are ours */
		at = q->keylen - len;
		if (len < q->keylen && memcmp(q->key + at, zone + 1, len) == 0 &&
			(at == 1 || q->key[at - 1] == '.'))
			return AERO_READ_MISS;
	}
	return OUTSIDE;
}

static int read_one(struct query *q, struct aero_reader *r)
{
	struct aero_rec rec;
	int rc = (int)aero_reader_get(r, q->key, q->keylen, &rec);

	if (rc == AERO_READ_OK)
		rc = pack(q, &rec);
	else if (rc == AERO_READ_MISS && q->key[0] == AERO_KEY_NAME &&
		 memchr(q->key, '.', q->keylen) != NULL)
		rc = zone_miss(q, r);
	return rc;
}

/* Where the enumeration stands: the last key given, and whether its host's IPv6
 * addresses are still to come. A key and no descriptor, so that it goes on over a new
 * generation; not thread-local, which would allocate: glibc serialises these calls. */
static struct {
	unsigned char key[AERO_KEY_MAX];
	uint16_t len, second;
} list;

static int read_list(struct query *q, struct aero_reader *r)
{
	struct aero_rec rec = {.n4 = 0};
	int rc = AERO_READ_MISS;

	q->keylen = list.len;
	memcpy(q->key, list.key, list.len);
	q->af = AF_INET6;
	if (list.second != 0)
		rc = (int)aero_reader_get(r, q->key, q->keylen, &rec);
	if (rc == AERO_READ_MISS || (rc == AERO_READ_OK && rec.n6 == 0)) {
		do
			rc = (int)aero_reader_next(
				r, AERO_KEY_NAME, q->key, &q->keylen, &rec);
		while (rc == AERO_READ_OK && (rec.is_alias || rec.n4 + rec.n6 == 0));
		q->af = rc == AERO_READ_OK && rec.n4 > 0 ? AF_INET : AF_INET6;
	}
	if (rc == AERO_READ_OK)
		rc = pack(q, &rec);
	if (rc == AERO_READ_OK) {
		memcpy(list.key, q->key, q->keylen);
		list.len = (uint16_t)q->keylen;
		list.second = q->af == AF_INET && rec.n6 > 0;
	}
	return rc;
}

static int read_mirror(struct query *q, int *err)
{
	/* 4 kB that the compiler would clear on each call. */
	__attribute__((uninitialized)) struct aero_reader r;
	int rc = (int)aero_reader_open(&r, aero_hosts_path());

	*err = r.err;
	if (rc != AERO_READ_OK)
		return rc;
	rc = q->name == NULL && q->only == NULL ? read_list(q, &r) : read_one(q, &r);
	*err = r.err;
	aero_reader_close(&r);
	return rc;
}

static enum nss_status answer(struct query *q, int *errnop, int *h_errnop, int32_t *ttlp)
{
	int saved = errno, err = 0, cancel;

	if (q->name != NULL)
		q->keylen = aero_name_key(q->name, q->key);
	if (q->host != NULL && q->af != AF_INET && q->af != AF_INET6)
		q->rc = BAD_FAMILY;
	else if (q->name != NULL && q->keylen == 0)
		q->rc = AERO_READ_MISS;
	if (q->rc == AERO_READ_OK) {
		/* open and pread are cancellation points, and may leave nothing open. */
		(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
		q->rc = read_mirror(q, &err);
		(void)pthread_setcancelstate(cancel, NULL);
	}
	errno = saved;
	if (q->rc != AERO_READ_OK)
		*errnop = ends[q->rc].err != 0 ? ends[q->rc].err : err;
	else if (ttlp != NULL)
		*ttlp = 0; /* nscd: do not cache */
	*h_errnop = ends[q->rc].herr;
	return ends[q->rc].status;
}

enum nss_status _nss_aerostat_gethostbyname4_r(const char *name,
	struct gaih_addrtuple **pat, char *buf, size_t len, int *errnop, int *h_errnop,
	int32_t *ttlp)
{
	struct query q = {.name = name, .pat = pat, .buf = buf, .len = len};

	return answer(&q, errnop, h_errnop, ttlp);
}

enum nss_status _nss_aerostat_gethostbyname3_r(const char *name, int af,
	struct hostent *host, char *buf, size_t len, int *errnop, int *h_errnop,
	int32_t *ttlp, char **canonp)
{
	struct query q = {.name = name, .af = af, .host = host, .buf = buf, .len = len};
	enum nss_status status = answer(&q, errnop, h_errnop, ttlp);

	if (status == NSS_STATUS_SUCCESS && canonp != NULL)
		*canonp = host->h_name;
	return status;
}

enum nss_status _nss_aerostat_gethostbyname2_r(const char *name, int af,
	struct hostent *host, char *buf, size_t len, int *errnop, int *h_errnop)
{
	return _nss_aerostat_gethostbyname3_r(
		name, af, host, buf, len, errnop, h_errnop, NULL, NULL);
}

enum nss_status _nss_aerostat_gethostbyname_r(const char *name, struct hostent *host,
	char *buf, size_t len, int *errnop, int *h_errnop)
{
	return _nss_aerostat_gethostbyname3_r(
		name, AF_INET, host, buf, len, errnop, h_errnop, NULL, NULL);
}

enum nss_status _nss_aerostat_gethostbyaddr2_r(const void *addr, socklen_t size, int af,
	struct hostent *host, char *buf, size_t len, int *errnop, int *h_errnop,
	int32_t *ttlp)
{
	static const unsigned char v4_mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct query q = {.only = addr, .af = af, .host = host, .buf = buf, .len = len};

	if ((af == AF_INET && size != 4) || (af == AF_INET6 && size != 16)) {
		q.rc = BAD_LENGTH;
	} else if (af == AF_INET || af == AF_INET6) {
		if (size == 16 && memcmp(addr, v4_mapped, sizeof(v4_mapped)) == 0) {
			q.only = (const unsigned char *)addr + sizeof(v4_mapped);
			q.af = AF_INET;
			size = 4;
		}
		q.key[0] = AERO_KEY_ADDRESS;
		memcpy(q.key + 1, q.only, size);
		q.keylen = 1 + (size_t)size;
	}
	return answer(&q, errnop, h_errnop, ttlp);
}

enum nss_status _nss_aerostat_gethostbyaddr_r(const void *addr, socklen_t size, int af,
	struct hostent *host, char *buf, size_t len, int *errnop, int *h_errnop)
{
	return _nss_aerostat_gethostbyaddr2_r(
		addr, size, af, host, buf, len, errnop, h_errnop, NULL);
}

enum nss_status _nss_aerostat_gethostent_r(
	struct hostent *host, char *buf, size_t len, int *errnop, int *h_errnop)
{
	struct query q = {.af = AF_INET, .host = host, .buf = buf, .len = len};

	return answer(&q, errnop, h_errnop, NULL);
}

enum nss_status _nss_aerostat_sethostent(int stayopen)
{
	(void)stayopen;
	list.len = list.second = 0;
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_aerostat_endhostent(void)
{
	return _nss_aerostat_sethostent(0);
}
