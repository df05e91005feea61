/* SPDX-License-Identifier: MIT */
/*
 * The published mirror file, hosts.mdb: what its writer and every reader agree on.
 *
 * It is an LMDB 0.9 environment in one file (MDB_NOSUBDIR), data version 1, page size
 * 4,096, little-endian, 64-bit page numbers; main DB only, no duplicates, no overflow
 * pages. It is built aside, verified, renamed into place and never written again, so a
 * reader needs neither a lock nor a mapping. Leaves lie in the order of their keys, each
 * filled from its end down; a branch has the first key of each page below; the root comes
 * last: what is not there can be proved by what lies beside it (reader.c). Bytes 8 and 9
 * of every page, which LMDB does not use, are the generation's lowest 16 bits: a page
 * that an older file left in the same place is told apart.
 *
 * Keys (bytes compare as memcmp, shorter first):
 *   'a' + 4 or 16 bytes    an address, network order    -> record
 *   'm'                    the description of the file  -> meta
 *   'n' + 1..253 bytes     a name, lower case           -> record
 *
 * Record (integers little-endian, no padding):
 *   0  u32 crc32c over key, then value[4..]
 *   4  u8  version = 1
 *   5  u8  flags (bit 0: the key is an alias, enumeration skips it)
 *   6  u8  n4        7  u8 n6        8  u8 n_alias      9  u8 canon_len
 *   10 u16 total: length of the whole value
 *   12 4*n4 bytes, 16*n6 bytes, canonical name NUL, n_alias aliases each NUL-ended
 *
 * Meta:
 *   0  u32 crc32c over key, then value[4..]
 *   4  u8 version = 1   5 u8 flags = 0   6 u16 total
 *   8  u64 generation   16 u64 source_time   24 u64 published (unix ns)
 *   32 u32 names   36 u32 aliases   40 u32 addresses   44 u16 n_zones
 *   46 n_zones zones, each NUL-ended, then 32 bytes SHA-256 over
 *      (u16 keylen, key, u16 vallen, value) of all other entries in key order
 */
#ifndef AERO_MIRROR_LAYOUT_H
#define AERO_MIRROR_LAYOUT_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define AERO_PAGE_SIZE 4096
#define AERO_FORMAT_VERSION 1

#define AERO_KEY_ADDRESS 'a'
#define AERO_KEY_META 'm'
#define AERO_KEY_NAME 'n'
#define AERO_NAME_MAX 253 /* bytes of a name, without NUL (RFC 1034 3.1) */
#define AERO_LABEL_MAX 63
#define AERO_KEY_MAX (1 + AERO_NAME_MAX)

#define AERO_REC_HEADER 12
#define AERO_REC_MAX 1536 /* a node of key and value never leaves its leaf page */
#define AERO_REC_ALIAS 0x01
#define AERO_ADDR_MAX 8   /* addresses per family */
#define AERO_ALIAS_MAX 32 /* aliases of a host */

#define AERO_META_HEADER 46
#define AERO_DIGEST_SIZE 32

/* An integer of the file, at any alignment. */
static inline uint64_t aero_le(const unsigned char *p, size_t bytes)
{
	uint64_t v = 0;

	memcpy(&v, p, bytes);
	return le64toh(v);
}

#endif
