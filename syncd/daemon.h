/* SPDX-License-Identifier: MIT */
/* What the loop of daemon.c keeps; for it, the other daemon_*.c and reload.c. Times in ms
 * of aero_clock_ms. */
#ifndef AERO_SYNCD_DAEMON_H
#define AERO_SYNCD_DAEMON_H

#include "legacy/updater.h"
#include "syncd/beater.h"
#include "syncd/healer.h"
#include "syncd/hooks.h"
#include "syncd/mirror.h"
#include "syncd/nscd.h"
#include "syncd/parts.h"
#include "syncd/scrub.h"
#include "syncd/watcher.h"

/* What the documents hold for the node of identity.json. */
struct aero_held {
	char id[256]; /* '' = it is not ours to heal */
	char name[256];
	unsigned char addrs[AERO_DOCUMENT_ADDRS * 16];
	bool masterful, found;
	uint8_t n4;
};

struct aero_daemon_heal {
	struct aero_healer *healer;
	struct aero_held held; /* at the last look */
	bool look;             /* names were published since */
	int64_t at;            /* of the next run; 0 = not planned */
	unsigned attempt;
	char told[512];
};

struct aero_daemon_beat {
	struct aero_beater *beater;
	int64_t at; /* of the next heartbeat; 0 = none is sent */
	int failed; /* what the last one came to, as it was logged */
};

struct aero_daemon {
	const struct aero_conf *conf;
	struct aero_conf *loaded; /* conf, once it was read again */
	int signals;
	struct aero_store *store; /* opened, not yet the watcher's */
	struct aero_mirror *mirror;
	struct aero_watcher *watcher;
	struct aero_updater *updater; /* runs; or NULL */
	char *legacy;                 /* text of the legacy updater; NULL = none yet */
	size_t legacy_len;
	struct aero_nscd_call nscd;
	struct aero_scrub scrub;
	struct aero_daemon_heal heal;
	struct aero_daemon_beat beat;
	struct aero_hooks *hooks;
	struct aero_told told;
	bool stop, ready, status_due;
	bool need_full; /* changes are of no use until a snapshot comes */
	int rc;         /* with stop: */
	struct aero_err err;
	int64_t sync_began;            /* unix ms, of a snapshot that is in; 0 = none */
	int64_t resync_at, publish_at; /* 0 = not planned */
	int64_t hosts_at, legacy_at, status_at, watchdog_at;
	int64_t watchdog_ms; /* 0 = nobody looks on */
	int64_t alive;       /* see struct aero_watcher_state */
};

/* daemon_legacy.c: run the legacy updater, where there is one and none runs; take what it
 * left when it is over. A new text makes /etc/hosts due. */
void aero_daemon_updater_start(struct aero_daemon *daemon);
void aero_daemon_updater_step(struct aero_daemon *daemon);

/* daemon_hooks.c: begin (false: no memory), read the options again, go on; done: what was
 * published is in /etc/hosts and the host name too. */
bool aero_daemon_hooks_start(struct aero_daemon *daemon);
void aero_daemon_hooks_again(struct aero_daemon *daemon);
void aero_daemon_hooks_step(struct aero_daemon *daemon, bool done);

/* daemon_heal.c: look at what was published of this node's slot (again: as at a start);
 * begin the run that is due, and take what one came to; ms until then. */
void aero_daemon_heal_look(struct aero_daemon *daemon);
void aero_daemon_heal_again(struct aero_daemon *daemon);
void aero_daemon_heal_step(struct aero_daemon *daemon);
int64_t aero_daemon_heal_wait(const struct aero_daemon *daemon, int64_t now);

/* daemon_beat.c: begin, or go on under other options; send what is due and take what one
 * came to; ms until then. */
void aero_daemon_beat_again(struct aero_daemon *daemon);
void aero_daemon_beat_step(struct aero_daemon *daemon);
int64_t aero_daemon_beat_wait(const struct aero_daemon *daemon, int64_t now);

#endif
