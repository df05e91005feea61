/* SPDX-License-Identifier: MIT */
/* What the rows of tests/hostile share: look-ups by two roads, each answer checked to the
 * byte, and a picture of everything that a look-up may not change. */
#ifndef AERO_TESTS_HOSTILE_H
#define AERO_TESTS_HOSTILE_H

#include <nss.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* The mirror of all rows holds web-0 .. web-999, alias www-N, at 10.OCTET.x.y and
 * fd00:OCTET::x.y, and the zone cluster.internal. */
enum { HOSTS = 1000 };

/* Shared by all processes of a run; of one row. */
struct board {
	atomic_ulong lookups, worst_ns, wrong;
	char why[512];  /* the first thing that was wrong */
	char note[256]; /* what the row has to tell */
};

extern struct board *board;
extern const char *hostile_self; /* this program's path */

/* Something is not as it must be; false. */
bool wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --- look-ups (hostile_ask.c) */

/* Load the module itself; octet tells the generation (-1: as before). False: board->why.
 */
bool ask_load(int octet);
void ask_unload(void);

/* How every look-up must end from now on instead of with its answer; NULL: with it. */
struct ending {
	enum nss_status status;
	int err, herr;
};
extern const struct ending *ask_ending, ask_absent, ask_busy;
/* Off: where others change errno, or the clock may not be read. */
extern bool ask_errno, ask_clock;

/* Look-up number x of the mix, by the module's entry points; by glibc's. False: wrong. */
bool ask_module(unsigned x);
bool ask_glibc(unsigned x);
/* Look-ups 0 .. n-1 by both roads. */
bool ask_both(unsigned n);
/* The whole list by the module's entry points. */
bool ask_list(void);
/* The calls that fail for reasons of their own: short buffers, families, lengths. */
bool ask_refused(void);

/* --- what must not change (hostile_globals.c) */

struct globals;
enum picture { START, BEFORE, AFTER };
/* A picture of this process as it is now; static, one of each. */
const struct globals *globals_take(enum picture which);
/* Is all as it was? With spare, there may be so many more maps, and heap and storage may
 * have changed: glibc and threads keep some, and the list its place. */
bool globals_same(const struct globals *was, const struct globals *now, int spare);
/* How many descriptors are open; of files with this name, unless it is NULL. */
int globals_fds(const char *name);

/* --- rows */

/* Fork, run it there, and wait: did it end well? A signal is told. */
bool in_child(bool (*run)(unsigned n), unsigned n);

bool row_plain(unsigned n);
bool row_globals(unsigned n);
bool row_secure(unsigned n);
/* hostile_limits.c */
bool row_chroot(unsigned n);
bool row_nofile(unsigned n);
bool row_limits(unsigned n);
bool row_least_stack(unsigned n);
bool row_small_stacks(unsigned n);
bool row_seccomp(unsigned n);
/* hostile_async.c */
bool row_closefrom(unsigned n);
bool row_no_stdio(unsigned n);
bool row_fork(unsigned n);
bool row_storm(unsigned n);
bool row_cancel(unsigned n);
bool row_dlopen(unsigned n);

#endif
