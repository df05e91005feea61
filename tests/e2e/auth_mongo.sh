#!/bin/bash
# SPDX-License-Identifier: MIT
# Users with few rights, on a set with access control: tests/test_auth_mongo.c.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

need_mongod
(
	umask 077
	head -c 48 /dev/urandom | base64 -w 0 >"$test_dir/key"
)
port=$(free_ports 1)
start_mongod mongod-0 "$port" --quiet --replSet auth --keyFile "$test_dir/key"
wait_until 30 "mongod on port $port" mongod_up mongod-0 "$port"
mongo_uri="mongodb://127.0.0.1:$port/?directConnection=true"
mongo init auth "$port"
# The first user may be made from this machine without one.
mongo command '{"createUser": "root", "pwd": "secret", "roles": ["root"]}' >/dev/null
export AEROSTAT_TEST_AUTH="mongodb://root:secret@127.0.0.1:$port/?replicaSet=auth"
"$top_builddir/tests/test_auth_mongo"
pass
