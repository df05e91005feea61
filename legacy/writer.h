/* SPDX-License-Identifier: MIT */
/*
 * Writing /etc/hosts: read, merge (legacy/hosts.h), replace. The file is replaced by
 * rename; where it is a mount of its own (EBUSY, EXDEV: containers) it is written in
 * place, with `<target>.tmp` kept as the recovery copy until that is on the disk. A
 * recovery copy is known by its sticky bit, set when it is complete and synced: the next
 * update finishes what a crash left half written.
 */
#ifndef AERO_LEGACY_WRITER_H
#define AERO_LEGACY_WRITER_H

#include <stdbool.h>
#include <stddef.h>

#include "legacy/hosts.h"
#include "legacy/paths.h"
#include "legacy/recover.h"
#include "lib/err.h"

struct aero_hosts_job {
	const struct aero_hosts_paths *paths;
	const struct aero_hosts_row *rows; /* see legacy/block.h */
	size_t n_rows;
	const char *legacy; /* legacy/updater.h; NULL: there is no legacy updater */
	size_t legacy_len;
	bool repair; /* --repair-hosts */
	bool dryrun; /* touch nothing, take no lock */
};

enum aero_hosts_how {
	AERO_HOSTS_SAME,     /* equal content: nothing was written */
	AERO_HOSTS_DRY,      /* differs, dry run */
	AERO_HOSTS_RENAMED,  /* replaced */
	AERO_HOSTS_IN_PLACE, /* a mount of its own: written in place */
};

struct aero_hosts_result {
	enum aero_hosts_how how;
	enum aero_recovered recovered; /* what was half done, see legacy/recover.h */
	char *old;                     /* what the file held; "" when there was none */
	size_t old_len;
	struct aero_hosts_out
		now; /* what it holds now (or would), and what is shadowed */
};

/* Bring /etc/hosts up to date. AERO_CONFIG (block without an end, not a regular file, a
 * link that leaves the root prefix), AERO_AGAIN (another process is writing), AERO_PERM
 * (also: a read-only file system), AERO_IO, AERO_BAD, AERO_NOMEM; the file is then as
 * before, but for a failed write in place, which the next update finishes. On success
 * *ret must be cleared. The diff for a dry run: legacy/diff.h. */
int aero_hosts_update(const struct aero_hosts_job *job, struct aero_hosts_result *ret,
	struct aero_err *err);
void aero_hosts_result_clear(struct aero_hosts_result *result);

#endif
