#!/bin/bash
# From an acknowledged write to a look-up that sees it, the first synchronisation and the
# memory of the daemon, over an LMDB store and over a replica set of three: needs root
# (private namespaces) and, for the latter, mongod (scripts/mongod).
# bench/propagation.sh [CHANGES [SIZE...]]; default 40 1000 10000 100000
# shellcheck source-path=SCRIPTDIR/../tests/e2e
. "${0%/*}/../tests/e2e/lib.sh"

changes=${1:-40}
shift || :
[ $# -gt 0 ] || set -- 1000 10000 100000

private_ns net
measure() { # LABEL SERVER DATABASE SIZE
	rm -rf /var/lib/aerostat/*
	"$top_builddir/bench/propagation" "$2" "$3" "$4" "$changes" "$1"
}
for size; do
	measure "lmdb:" "lmdb:$test_dir/store-$size" aerostat "$size"
	rm -f "$test_dir/store-$size"*
done
start_replica_set >/dev/null
for size; do
	measure "three mongods" "$mongo_uri" "bench$size" "$size"
done
pass
