/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mirror/encode.h"
#include "mirror/publish.h"
#include "mirror/reader.h"

/* Beside errno (positive) and MDB_* (down from -30799). */
#define CODE_DAMAGED AERO_PUBLISH_DAMAGED
enum { CODE_TOO_LONG = -2, CODE_BAD_KEY = -3, CODE_CRYPTO = -4 };

static const struct {
	int code;
	const char *words;
} code_words[] = {
	{CODE_DAMAGED, "what was written does not read back"},
	{CODE_TOO_LONG, "a record is too long or has too many addresses or aliases"},
	{CODE_BAD_KEY, "a key is not a name or an address"},
	{CODE_CRYPTO, "libcrypto cannot compute SHA-256"},
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

/* One entry as the digest sees it: u16 keylen, key, u16 vallen, value. The value is
 * encoded in its place. */
struct image {
	unsigned char bytes[2 + AERO_KEY_MAX + 2 + AERO_REC_MAX];
	unsigned char *val;
	size_t len;
};

static void put16(unsigned char *p, size_t v)
{
	p[0] = (unsigned char)v;
	p[1] = (unsigned char)(v >> 8);
}

static void image_key(struct image *im, const unsigned char *key, size_t keylen)
{
	put16(im->bytes, keylen);
	memcpy(im->bytes + 2, key, keylen);
	im->val = im->bytes + 2 + keylen + 2;
}

static bool image_make(struct image *im, const unsigned char *key, size_t keylen,
	const struct aero_rec *rec)
{
	image_key(im, key, keylen);
	im->len = aero_rec_encode(key, keylen, rec, im->val);
	put16(im->val - 2, im->len);
	return im->len > 0;
}

static void image_take(struct image *im, const unsigned char *key, size_t keylen,
	const unsigned char *val, size_t len)
{
	image_key(im, key, keylen);
	im->len = len;
	put16(im->val - 2, len);
	memcpy(im->val, val, len);
}

static bool image_digest(const struct image *im, EVP_MD_CTX *sha)
{
	return EVP_DigestUpdate(
		       sha, im->bytes, (size_t)(im->val - im->bytes) + im->len) == 1;
}

/* The counts of meta, one entry more. */
static void count(struct aero_meta *meta, unsigned char kind, bool is_alias)
{
	if (kind == AERO_KEY_ADDRESS)
		meta->addresses++;
	else if (is_alias)
		meta->aliases++;
	else
		meta->names++;
}

static EVP_MD_CTX *sha_new(void)
{
	EVP_MD_CTX *sha = EVP_MD_CTX_new();

	if (sha != NULL && EVP_DigestInit_ex(sha, EVP_sha256(), NULL) != 1) {
		EVP_MD_CTX_free(sha);
		sha = NULL;
	}
	return sha;
}

static int verify_kind(struct aero_reader *r, unsigned char kind, struct aero_meta *seen,
	EVP_MD_CTX *sha)
{
	unsigned char key[AERO_KEY_MAX];
	const unsigned char *val;
	struct aero_rec rec;
	struct image im;
	enum aero_read rc;
	size_t keylen = 0;

	for (;;) {
		rc = aero_reader_next(r, kind, key, &keylen, &rec);
		if (rc != AERO_READ_OK)
			return rc == AERO_READ_MISS ? 0 : CODE_DAMAGED;
		/* The value as it stands in the page: the addresses follow its header. */
		val = rec.addr4 - AERO_REC_HEADER;
		image_take(&im, key, keylen, val, (size_t)aero_le(val + 10, 2));
		if (!image_digest(&im, sha))
			return CODE_CRYPTO;
		count(seen, kind, rec.is_alias);
	}
}

int aero_publish_verify(const char *path, struct aero_publish_error *err)
{
	unsigned char digest[AERO_DIGEST_SIZE];
	struct aero_meta meta, seen = {0};
	EVP_MD_CTX *sha = sha_new();
	struct aero_reader r = {.fd = -1};
	int code = CODE_CRYPTO;

	if (sha == NULL)
		goto out;
	code = CODE_DAMAGED;
	switch (aero_reader_open(&r, path)) {
	case AERO_READ_OK:
		break;
	case AERO_READ_ABSENT:
	case AERO_READ_DENIED:
	case AERO_READ_BUSY:
	case AERO_READ_FAILED:
		code = r.err != 0 ? r.err : EACCES; /* no errno: others may write it */
		goto out;
	case AERO_READ_MISS:
	case AERO_READ_DAMAGED:
	default:
		goto out;
	}
	code = verify_kind(&r, AERO_KEY_ADDRESS, &seen, sha);
	if (code == 0)
		code = verify_kind(&r, AERO_KEY_NAME, &seen, sha);
	if (code != 0)
		goto out;
	if (EVP_DigestFinal_ex(sha, digest, NULL) != 1) {
		code = CODE_CRYPTO;
		goto out;
	}
	if (aero_reader_meta(&r, &meta) != AERO_READ_OK || meta.names != seen.names ||
		meta.aliases != seen.aliases || meta.addresses != seen.addresses ||
		memcmp(meta.digest, digest, sizeof(digest)) != 0)
		code = CODE_DAMAGED;
out:
	aero_reader_close(&r);
	EVP_MD_CTX_free(sha);
	return code == 0 ? 0 : fail(err, "verify", code);
}

/* How many of its aliases an entry's record can hold, and the length that it then has. */
static unsigned fitting(const struct aero_rec *rec, size_t *ret_len)
{
	size_t len = AERO_REC_HEADER + (size_t)4 * rec->n4 + (size_t)16 * rec->n6 +
		     strlen(rec->canon) + 1,
	       one;
	const char *p = rec->aliases;
	unsigned n;

	for (n = 0; n < rec->n_alias && n < AERO_ALIAS_MAX; n++) {
		one = strlen(p) + 1;
		if (len + one > AERO_REC_MAX)
			break;
		len += one;
		p += one;
	}
	*ret_len = len;
	return n;
}

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

/* Sort and check the entries; count the aliases cut and the bytes of all nodes. */
static int prepare(struct aero_generation *gen, size_t *ret_cut, size_t *ret_bytes)
{
	size_t i, len, cut = 0, bytes = 0;
	const struct aero_entry *e;

	if (!sorted(gen))
		qsort(gen->entries, gen->n_entries, sizeof(*gen->entries), compare);
	for (i = 0; i < gen->n_entries; i++) {
		e = &gen->entries[i];
		if (!key_ok(e))
			return CODE_BAD_KEY;
		if (i > 0 && compare(e - 1, e) == 0)
			return MDB_KEYEXIST;
		cut += e->rec->n_alias - fitting(e->rec, &len);
		bytes += 10 + e->keylen + len + 1;
	}
	*ret_cut = cut;
	*ret_bytes = bytes;
	return 0;
}

/* The description. It lies between addresses and names and is known last: appended in
 * its place, later written over, which moves nothing (the reader needs the order). */
static int put_meta(MDB_cursor *cursor, const struct aero_meta *meta, unsigned flags)
{
	unsigned char kind = AERO_KEY_META, bytes[AERO_REC_MAX];
	MDB_val key = {.mv_size = 1, .mv_data = &kind};
	MDB_val val = {.mv_size = aero_meta_encode(meta, bytes), .mv_data = bytes};

	return val.mv_size == 0 ? CODE_TOO_LONG
				: mdb_cursor_put(cursor, &key, &val, flags);
}

/* Append every entry in order. */
static int fill(MDB_cursor *cursor, struct aero_generation *gen)
{
	EVP_MD_CTX *sha = sha_new();
	struct aero_meta meta = gen->meta;
	bool described = false;
	MDB_val key, val;
	struct image im;
	struct aero_rec rec;
	size_t i, len;
	int code = CODE_CRYPTO;

	if (sha == NULL)
		goto out;
	meta.names = meta.aliases = meta.addresses = 0;
	meta.digest = gen->digest;
	for (i = 0; i < gen->n_entries; i++) {
		const struct aero_entry *e = &gen->entries[i];

		if (!described && e->key[0] > AERO_KEY_META) {
			code = put_meta(cursor, &meta, MDB_APPEND);
			if (code != 0)
				goto out;
			described = true;
		}
		rec = *e->rec;
		rec.is_alias = e->is_alias;
		rec.n_alias = (uint8_t)fitting(e->rec, &len);
		code = CODE_TOO_LONG;
		if (!image_make(&im, e->key, e->keylen, &rec))
			goto out;
		code = CODE_CRYPTO;
		if (!image_digest(&im, sha))
			goto out;
		count(&meta, e->key[0], e->is_alias);
		key = (MDB_val){.mv_size = e->keylen, .mv_data = im.bytes + 2};
		val = (MDB_val){.mv_size = im.len, .mv_data = im.val};
		code = mdb_cursor_put(cursor, &key, &val, MDB_APPEND);
		if (code != 0)
			goto out;
	}
	code = CODE_CRYPTO;
	if (EVP_DigestFinal_ex(sha, gen->digest, NULL) != 1)
		goto out;
	code = put_meta(cursor, &meta, described ? 0 : MDB_APPEND);
	if (code == 0)
		gen->meta = meta;
out:
	EVP_MD_CTX_free(sha);
	return code;
}

/* Mark every page as this generation's, where LMDB has two bytes to spare. */
static int tag_pages(int fd, uint64_t generation)
{
	const unsigned char tag[2] = {generation & 0xff, generation >> 8 & 0xff};
	struct stat st;
	off_t at;

	if (fstat(fd, &st) < 0)
		return errno;
	for (at = 8; at < st.st_size; at += AERO_PAGE_SIZE)
		if (pwrite(fd, tag, sizeof(tag), at) != (ssize_t)sizeof(tag))
			return errno != 0 ? errno : EIO;
	return 0;
}

/* Build the file at tmp and bring it to the disk. */
static int build(const char *tmp, struct aero_generation *gen, size_t bytes,
	struct aero_publish_error *err)
{
	/* A page may end up a little over half full, and a branch page stands for at
	 * least eight others. */
	size_t pages = bytes / (AERO_PAGE_SIZE / 2) * 9 / 8 + 64;
	const char *step = "build";
	MDB_env *env = NULL;
	MDB_txn *txn = NULL;
	MDB_cursor *cursor = NULL;
	MDB_dbi dbi;
	int fd, code = mdb_env_create(&env);

	if (code == 0)
		code = mdb_env_set_mapsize(env, pages * AERO_PAGE_SIZE);
	/* One fsync of our own, after the mode is right, does for all. */
	if (code == 0)
		code = mdb_env_open(
			env, tmp, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC, 0644);
	if (code == 0)
		code = mdb_txn_begin(env, NULL, 0, &txn);
	if (code == 0)
		code = mdb_dbi_open(txn, NULL, 0, &dbi);
	if (code == 0)
		code = mdb_cursor_open(txn, dbi, &cursor);
	if (code == 0)
		code = fill(cursor, gen);
	mdb_cursor_close(cursor);
	if (code == 0) {
		code = mdb_txn_commit(txn);
		txn = NULL; /* freed by commit */
	}
	mdb_txn_abort(txn);
	if (code != 0)
		goto out;
	code = mdb_env_get_fd(env, &fd);
	if (code != 0 || (code = tag_pages(fd, gen->meta.generation)) != 0)
		goto out;
	step = "fsync";
	if (fchmod(fd, 0644) < 0 || fsync(fd) < 0)
		code = errno;
out:
	mdb_env_close(env);
	return code == 0 ? 0 : fail(err, step, code);
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
	aero_published_close(keep);
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

int aero_publish(const char *path, struct aero_generation *gen,
	struct aero_published *keep, size_t *ret_cut, struct aero_publish_error *err)
{
	size_t cut = 0, bytes = 0;
	char *tmp = NULL;
	int code, rc = -1;

	if (asprintf(&tmp, "%s.tmp", path) < 0)
		return fail(err, "prepare", ENOMEM);
	code = prepare(gen, &cut, &bytes);
	if (code != 0) {
		(void)fail(err, "prepare", code);
		goto out;
	}
	/* What a crash left. */
	if (unlink(tmp) < 0 && errno != ENOENT) {
		(void)fail(err, "remove the old temporary file", errno);
		goto out;
	}
	if (build(tmp, gen, bytes, err) < 0 || aero_publish_verify(tmp, err) < 0 ||
		replace(tmp, path, keep, err) < 0) {
		(void)unlink(tmp);
		goto out;
	}
	*ret_cut = cut;
	rc = 0;
out:
	free(tmp);
	return rc;
}

void aero_published_close(struct aero_published *keep)
{
	if (keep->old_fd >= 0)
		(void)close(keep->old_fd);
	keep->old_fd = -1;
}
