/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mirror/pages.h"
#include "mirror/reader.h"

#define SHA_PIECE 16384

static const struct {
	int code;
	const char *words;
} code_words[] = {
	{AERO_CODE_DAMAGED, "what was written does not read back"},
	{AERO_CODE_TOO_LONG, "a record is too long or has too many addresses or aliases"},
	{AERO_CODE_BAD_KEY, "a key is not a name or an address"},
	{AERO_CODE_CRYPTO, "libcrypto cannot compute SHA-256"},
	{AERO_CODE_BASE, "the file published last is not what it was"},
};

const char *aero_publish_strerror(int code)
{
	size_t i;

	for (i = 0; i < sizeof(code_words) / sizeof(code_words[0]); i++)
		if (code_words[i].code == code)
			return code_words[i].words;
	return mdb_strerror(code); /* which falls back on strerror */
}

static int fail(struct aero_publish_error *err, const char *step, int code)
{
	err->step = step;
	err->code = code;
	return -1;
}

/* ---- the digest ---- */

bool aero_sha_begin(struct aero_sha *sha)
{
	sha->n = 0;
	sha->failed = false;
	sha->ctx = EVP_MD_CTX_new();
	sha->bytes = malloc(SHA_PIECE);
	return sha->ctx != NULL && sha->bytes != NULL &&
	       EVP_DigestInit_ex(sha->ctx, EVP_sha256(), NULL) == 1;
}

static unsigned char *sha_room(struct aero_sha *sha, size_t len)
{
	unsigned char *at;

	if (sha->n + len > SHA_PIECE) {
		sha->failed |= EVP_DigestUpdate(sha->ctx, sha->bytes, sha->n) != 1;
		sha->n = 0;
	}
	at = sha->bytes + sha->n;
	sha->n += len;
	return at;
}

void aero_sha_entry(struct aero_sha *sha, const unsigned char *key, size_t keylen,
	const unsigned char *val, size_t len)
{
	unsigned char *at = sha_room(sha, 2 + keylen + 2 + len);

	at[0] = (unsigned char)keylen;
	at[1] = (unsigned char)(keylen >> 8);
	memcpy(at + 2, key, keylen);
	at += 2 + keylen;
	at[0] = (unsigned char)len;
	at[1] = (unsigned char)(len >> 8);
	memcpy(at + 2, val, len);
}

bool aero_sha_end(struct aero_sha *sha, unsigned char digest[static AERO_DIGEST_SIZE])
{
	return EVP_DigestUpdate(sha->ctx, sha->bytes, sha->n) == 1 && !sha->failed &&
	       EVP_DigestFinal_ex(sha->ctx, digest, NULL) == 1;
}

void aero_sha_clear(struct aero_sha *sha)
{
	EVP_MD_CTX_free(sha->ctx);
	free(sha->bytes);
	sha->ctx = NULL;
	sha->bytes = NULL;
}

void aero_meta_count(struct aero_meta *meta, unsigned char kind, bool is_alias, int by)
{
	if (kind == AERO_KEY_ADDRESS)
		meta->addresses += (uint32_t)by;
	else if (is_alias)
		meta->aliases += (uint32_t)by;
	else
		meta->names += (uint32_t)by;
}

/* ---- reading back ---- */

/* A walk over the whole file by the reader that everybody has. What it meets goes into
 * the digest; with built, the file just written, each leaf is compared with the sum that
 * it had in memory instead, at a tenth of the cost. */
struct verify {
	struct aero_reader r;
	struct aero_meta seen;
	struct aero_sha sha;
	const struct aero_base *built;
	size_t leaf;   /* the next one */
	uint64_t pgno; /* of the one before */
};

static bool leaf_as_built(struct verify *v)
{
	if (v->r.pgno == v->pgno)
		return true;
	v->pgno = v->r.pgno;
	return v->leaf < v->built->n_leaves &&
	       aero_mark_of(v->r.page) == v->built->marks[v->leaf++];
}

static int verify_kind(struct verify *v, unsigned char kind)
{
	unsigned char key[AERO_KEY_MAX];
	const unsigned char *val;
	struct aero_rec rec;
	enum aero_read rc;
	size_t keylen = 0;

	for (;;) {
		rc = aero_reader_next(&v->r, kind, key, &keylen, &rec);
		if (rc != AERO_READ_OK)
			return rc == AERO_READ_MISS ? 0 : AERO_CODE_DAMAGED;
		aero_meta_count(&v->seen, kind, rec.is_alias, 1);
		if (v->built != NULL) {
			if (!leaf_as_built(v))
				return AERO_CODE_DAMAGED;
			continue;
		}
		/* The value as it stands in the page: the addresses follow its header. */
		val = rec.addr4 - AERO_REC_HEADER;
		aero_sha_entry(&v->sha, key, keylen, val, (size_t)aero_le(val + 10, 2));
	}
}

/* The two kinds, with the leaf of the description between them. */
static int verify_all(struct verify *v)
{
	int code = verify_kind(v, AERO_KEY_ADDRESS);

	if (code != 0 || v->built == NULL)
		return code != 0 ? code : verify_kind(v, AERO_KEY_NAME);
	if (v->leaf++ != v->built->meta_leaf)
		return AERO_CODE_DAMAGED;
	code = verify_kind(v, AERO_KEY_NAME);
	return code == 0 && v->leaf != v->built->n_leaves ? AERO_CODE_DAMAGED : code;
}

static int verify_open(struct verify *v, const char *path)
{
	switch (aero_reader_open(&v->r, path)) {
	case AERO_READ_OK:
		(void)fcntl(v->r.fd, F_SETFL, O_NOATIME); /* a tenth of each read */
		return 0;
	case AERO_READ_ABSENT:
	case AERO_READ_DENIED:
	case AERO_READ_BUSY:
	case AERO_READ_FAILED:
		/* no errno: others may write it */
		return v->r.err != 0 ? v->r.err : EACCES;
	case AERO_READ_MISS:
	case AERO_READ_DAMAGED:
	default:
		return AERO_CODE_DAMAGED;
	}
}

/* built: what was written just now, with its digest; or NULL. */
static int verify(const char *path, const struct aero_base *built,
	const unsigned char *digest, struct aero_publish_error *err)
{
	struct verify v = {.r = {.fd = -1}, .built = built};
	unsigned char made[AERO_DIGEST_SIZE];
	struct aero_meta meta;
	int code = AERO_CODE_CRYPTO;

	if (built == NULL && !aero_sha_begin(&v.sha))
		goto out;
	code = verify_open(&v, path);
	if (code == 0)
		code = verify_all(&v);
	if (code != 0)
		goto out;
	if (built == NULL && !aero_sha_end(&v.sha, made)) {
		code = AERO_CODE_CRYPTO;
		goto out;
	}
	if (aero_reader_meta(&v.r, &meta) != AERO_READ_OK || meta.names != v.seen.names ||
		meta.aliases != v.seen.aliases || meta.addresses != v.seen.addresses ||
		memcmp(meta.digest, built == NULL ? made : digest, AERO_DIGEST_SIZE) != 0)
		code = AERO_CODE_DAMAGED;
out:
	aero_reader_close(&v.r);
	aero_sha_clear(&v.sha);
	return code == 0 ? 0 : fail(err, "verify", code);
}

int aero_publish_verify(const char *path, struct aero_publish_error *err)
{
	return verify(path, NULL, NULL, err);
}

/* ---- writing ---- */

static int compare(const void *left, const void *right)
{
	const struct aero_entry *a = left, *b = right;
	size_t len = a->keylen < b->keylen ? a->keylen : b->keylen;
	int diff = memcmp(a->key, b->key, len);

	return diff != 0 ? diff : (a->keylen > b->keylen) - (a->keylen < b->keylen);
}

static bool key_ok(const struct aero_entry *e)
{
	if (e->keylen < 2 || e->keylen > AERO_KEY_MAX)
		return false;
	if (e->key[0] == AERO_KEY_ADDRESS)
		return e->keylen == 1 + 4 || e->keylen == 1 + 16;
	return e->key[0] == AERO_KEY_NAME;
}

/* A caller that keeps its entries in order saves the sort, a fourth of a publish. */
static bool sorted(const struct aero_generation *gen)
{
	for (size_t i = 1; i < gen->n_entries; i++)
		if (compare(&gen->entries[i - 1], &gen->entries[i]) > 0)
			return false;
	return true;
}

/* Sort and check an array of entries. */
static int prepare(struct aero_generation *gen)
{
	if (!sorted(gen))
		qsort(gen->entries, gen->n_entries, sizeof(*gen->entries), compare);
	for (size_t i = 0; i < gen->n_entries; i++) {
		const struct aero_entry *e = &gen->entries[i];

		if (!key_ok(e))
			return AERO_CODE_BAD_KEY;
		if (i > 0 && compare(e - 1, e) == 0)
			return MDB_KEYEXIST;
	}
	return 0;
}

/* Build the file at tmp, read it back, and bring it to the disk, which has begun to write
 * meanwhile. */
static int build(const char *tmp, struct aero_generation *gen,
	const struct aero_base *base, struct aero_base *ret, size_t *ret_cut,
	struct aero_publish_error *err)
{
	int fd = open(tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	int code;

	if (fd < 0)
		return fail(err, "create", errno);
	code = aero_build(fd, gen, base, ret, ret_cut);
	if (code != 0) {
		(void)fail(err, "build", code);
		goto out;
	}
	ret->fd = fd; /* now the base's */
	fd = -1;
	if (fchmod(ret->fd, 0644) < 0)
		code = fail(err, "mode", errno);
	else if (verify(tmp, ret->n_leaves > 0 ? ret : NULL, gen->digest, err) < 0)
		code = -1;
	else if (fsync(ret->fd) < 0)
		code = fail(err, "fsync", errno);
out:
	if (fd >= 0)
		(void)close(fd);
	return code == 0 ? 0 : -1;
}

/* Put tmp in path's place and bring that to the disk. */
static int replace(const char *tmp, const char *path, struct aero_published *keep,
	struct aero_publish_error *err)
{
	const char *slash = strrchr(path, '/'), *step = "open directory";
	char *dir = slash == NULL   ? strdup(".")
		    : slash == path ? strdup("/")
				    : strndup(path, (size_t)(slash - path));
	int dir_fd = -1, old_fd = -1, rc = -1;

	if (dir != NULL)
		dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		goto out;
	step = "rename";
	old_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (rename(tmp, path) < 0)
		goto out;
	if (keep->old_fd >= 0)
		(void)close(keep->old_fd);
	keep->old_fd = old_fd;
	old_fd = -1; /* now owned by keep */
	step = "fsync directory";
	if (fsync(dir_fd) < 0)
		goto out;
	rc = 0;
out:
	if (rc < 0)
		(void)fail(err, step, errno);
	if (old_fd >= 0)
		(void)close(old_fd);
	if (dir_fd >= 0)
		(void)close(dir_fd);
	free(dir);
	return rc;
}

static void base_clear(struct aero_base *base)
{
	if (base->fd >= 0 && base->marks != NULL)
		(void)close(base->fd);
	free(base->marks);
	*base = (struct aero_base){.fd = -1};
}

int aero_publish(const char *path, struct aero_generation *gen,
	struct aero_published *keep, size_t *ret_cut, struct aero_publish_error *err)
{
	struct aero_base was = keep->base, now = {.fd = -1};
	char *tmp = NULL;
	int code, rc = -1;

	keep->base = (struct aero_base){.fd = -1};
	gen->at = gen->encoded = 0;
	if (asprintf(&tmp, "%s.tmp", path) < 0) {
		(void)fail(err, "prepare", ENOMEM);
		goto out;
	}
	code = gen->delta && was.n_leaves == 0 ? AERO_CODE_BASE : 0;
	if (gen->next == NULL)
		code = prepare(gen);
	if (code != 0) {
		(void)fail(err, "prepare", code);
		goto out;
	}
	/* What a crash left. */
	if (unlink(tmp) < 0 && errno != ENOENT) {
		(void)fail(err, "remove the old temporary file", errno);
		goto out;
	}
	if (build(tmp, gen, gen->delta ? &was : NULL, &now, ret_cut, err) < 0 ||
		replace(tmp, path, keep, err) < 0) {
		(void)unlink(tmp);
		goto out;
	}
	keep->base = now;
	now = (struct aero_base){.fd = -1}; /* now owned by keep */
	rc = 0;
out:
	base_clear(&was);
	base_clear(&now);
	free(tmp);
	return rc;
}

void aero_published_close(struct aero_published *keep)
{
	if (keep->old_fd >= 0)
		(void)close(keep->old_fd);
	keep->old_fd = -1;
	base_clear(&keep->base);
}
