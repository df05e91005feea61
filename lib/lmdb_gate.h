/* SPDX-License-Identifier: MIT */
/*
 * One writer at a time, as liblmdb's own mutex has it, but with an end to the waiting: a
 * process that was stopped (SIGSTOP, a debugger) while it writes would hold up all others
 * for as long. flock on a descriptor, whose end the kernel sees also when the holder
 * dies.
 */
#ifndef AERO_LIB_LMDB_GATE_H
#define AERO_LIB_LMDB_GATE_H

/* 0, or ETIMEDOUT after some 8 s, or another errno. */
int aero_gate_enter(int fd);
void aero_gate_leave(int fd);

#endif
