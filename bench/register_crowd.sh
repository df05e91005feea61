#!/bin/bash
# SPDX-License-Identifier: MIT
# N nodes of one new service register at once, over a replica set of three: needs root
# (private namespaces) and mongod (scripts/mongod).
# bench/register_crowd.sh [N...]; default 10 100 1000. Up to 100 nodes also with one slot at
# a time.
# shellcheck source-path=SCRIPTDIR/../tests/e2e
. "${0%/*}/../tests/e2e/lib.sh"

[ $# -gt 0 ] || set -- 10 100 1000
ulimit -n "$(ulimit -Hn)"
private_ns net
start_replica_set >/dev/null
for n; do
	[ "$n" -gt 100 ] || "$top_builddir/bench/register_crowd" "$mongo_uri" crowd 1 "$n"
	"$top_builddir/bench/register_crowd" "$mongo_uri" crowd 0 "$n"
done
pass
