#!/bin/bash
# SPDX-License-Identifier: MIT
# What ends a stream: the collection dropped, renamed, replaced, restored from a dump; the
# end of the oplog lost. Old names go when they must, new ones come, and the mirror is
# the collection.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
private_ns
# shellcheck source=tests/e2e/syncd_lib.sh
. "$e2e_dir/syncd_lib.sh"
# shellcheck source=tests/e2e/weather_lib.sh
. "$e2e_dir/weather_lib.sh"

start_replica_set
server=$mongo_uri
insert old-0 10.0.0.1
daemon --hosts-file=off
becomes "a first name" 20 old-0 10.0.0.1

# --- the collection --------------------------------------------------------------------

mongo drop servers
insert old-1 10.0.0.2
becomes "dropped and made again" 15 old-1 10.0.0.2 old-0
admin '{"renameCollection": "aerostat.servers", "to": "aerostat.aside"}'
insert old-2 10.0.0.3
becomes "renamed away" 15 old-2 10.0.0.3 old-1
MONGO_DB=aerostat mongo insert other '{"hostname": "old-3", "ip": "10.0.0.4"}'
admin '{"renameCollection": "aerostat.other", "to": "aerostat.servers", "dropTarget": true}'
becomes "another renamed over it" 15 old-3 10.0.0.4 old-2
mongo drop
insert old-4 10.0.0.5
becomes "the database dropped" 15 old-4 10.0.0.5 old-3
mongo drop servers
wait_until 15 "dropped for good" unknown old-4
wait_until 15 "a stream on what is not there" status_is mode stream
# an old dump: the same _ids with other contents, by delete and insert, and by drop
mongo insert servers '{"_id": 1, "hostname": "old-5", "ip": "10.0.0.6"}' \
	'{"_id": 2, "hostname": "old-6", "ip": "10.0.0.7"}'
becomes "two to dump" 15 old-6 10.0.0.7
mongo delete servers '{}' >/dev/null
mongo insert servers '{"_id": 1, "hostname": "old-6", "ip": "10.0.0.8"}'
becomes "restored by delete and insert" 15 old-6 10.0.0.8 old-5
mongo drop servers
mongo insert servers '{"_id": 1, "hostname": "old-6", "ip": "10.0.0.9"}'
becomes "restored by drop and insert" 15 old-6 10.0.0.9
agree || fail "$(cat "$test_dir/dry")"

# --- the stream's history --------------------------------------------------------------

# What fails soon again waits longer each time; not after ten good seconds.
sleep 10
# As fail points tell it; tests/test_watch_mongo.c has all the codes.
for error in '"errorCode": 286, "errorLabels": ["NonResumableChangeStreamError"]' \
	'"errorCode": 280' '"errorCode": 50811'; do
	before=$(status_of sync_count)
	admin "{\"configureFailPoint\": \"failCommand\", \"mode\": {\"times\": 1}, \"data\": {\"failCommands\": [\"getMore\"], \"appName\": \"aerostat-syncd\", $error}}"
	start=$EPOCHREALTIME
	wait_until 30 "a resync after $error" status_over sync_count "$before"
	note "$error: read again after $(since "$start") ms"
done
agree || fail "$(cat "$test_dir/dry")"
stop syncd

# For real: more was written than the oplog holds, while nobody listened.
if [ "$(by_length quick long)" = long ]; then
	insert before-0 10.5.0.1
	weather flood "$mongo_uri" 1500
	insert after-0 10.5.0.2
	daemon --hosts-file=off
	becomes "behind the oplog's end" 30 after-0 10.5.0.2
	resolves before-0 10.5.0.1 || fail "what came before the end"
	grep -q '(286: .*Resume of change stream' "$test_dir/syncd.log" || fail "the oplog was not lost"
	equal "snapshots" 1 "$(status_of sync_count)"
	agree || fail "$(cat "$test_dir/dry")"
	stop syncd
fi
exact
pass
