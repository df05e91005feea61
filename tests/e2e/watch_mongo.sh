#!/bin/bash
# SPDX-License-Identifier: MIT
# Following a set of three, under writers and faults: tests/test_watch_mongo.c.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

start_replica_set --quiet >/dev/null
export AEROSTAT_TEST_SET=$mongo_uri
"$top_builddir/tests/test_watch_mongo" "$@"
pass
