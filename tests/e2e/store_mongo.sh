#!/bin/bash
# SPDX-License-Identifier: MIT
# The MongoDB store on a standalone and on a set of three: tests/test_store_mongo.c.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

need_mongod
port=$(free_ports 1)
start_mongod mongod-alone "$port" --quiet
wait_until 30 "mongod on port $port" mongod_up mongod-alone "$port"
start_replica_set --quiet >/dev/null
export AEROSTAT_TEST_ALONE="mongodb://127.0.0.1:$port/" AEROSTAT_TEST_SET=$mongo_uri
"$top_builddir/tests/test_store_mongo"
pass
