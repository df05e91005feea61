#!/bin/bash
# SPDX-License-Identifier: MIT
# The sync daemon over a real MongoDB: documents that any client puts there resolve;
# the primary dies, the daemon dies, the collection goes, the set is a standalone.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
private_ns
# shellcheck source=tests/e2e/syncd_lib.sh
. "$e2e_dir/syncd_lib.sh"

insert()
{
	mongo insert servers "{\"hostname\": \"$1\", \"ip\": \"$2\"}"
}

# agree: what is published is what the collection holds, name by name.
agree()
{
	aerostat-syncd --server="$server" --dryrun --accept-shrink >"$test_dir/dry" 2>&1 || return 1
	grep -q '+0 -0 ~0' "$test_dir/dry"
}

start_replica_set
server=$mongo_uri
insert web-0 10.0.0.1
aerostat-syncd --server="$server" --once
resolves web-0 10.0.0.1 || fail "web-0 after --once"
daemon
wait_until 10 "the stream" status_is mode stream
equal "resyncs: it goes on from --once" 0 "$(status_of sync_count)"

# --- any client ------------------------------------------------------------------------

insert web-1 10.0.0.2
within 1000 resolves web-1 10.0.0.2
note "a document put by pymongo is seen $took ms after its write was acknowledged"
mongo update servers '{"hostname": "web-1"}' '{"$set": {"ip": "10.0.0.22"}}' >/dev/null
within 1000 resolves web-1 10.0.0.22
mongo update servers '{"hostname": "web-1"}' '{"$set": {"aliases": ["a", "b"]}}' >/dev/null
within 1000 resolves b 10.0.0.22
mongo update servers '{"hostname": "web-1"}' '{"$set": {"aliases.1": "c"}}' >/dev/null
within 1000 resolves c 10.0.0.22
unknown b || fail "the old alias"
mongo update servers '{"hostname": "web-1"}' '{"$unset": {"ip": 1}}' >/dev/null
within 1000 unknown web-1
mongo delete servers '{"hostname": "web-0"}' >/dev/null
within 1000 unknown web-0
# an _id that changes its type
mongo insert servers '{"_id": 1, "hostname": "web-5", "ip": "10.0.0.5"}'
within 1000 resolves web-5 10.0.0.5
mongo replace servers '{"_id": 1}' '{"_id": 1.0, "hostname": "web-5", "ip": "10.0.0.55"}' >/dev/null
within 2000 resolves web-5 10.0.0.55
mongo delete servers '{"_id": 1.0}' >/dev/null
within 2000 unknown web-5
insert 'bad name' 10.0.0.3
wait_until 5 "a refusal" status_is n_refused 1
register i-01 10.0.1.1
within 1000 resolves web-0 10.0.1.1
agree || fail "$(cat "$test_dir/dry")"

# --- the primary dies ------------------------------------------------------------------

first=$(primary_member)
kill_member "$first"
resolves web-0 10.0.1.1 || fail "while there is no primary"
insert web-10 10.0.0.10
within 10000 resolves web-10 10.0.0.10
note "the first change after a dead primary: $took ms"
start_member "$first"

# --- the daemon dies -------------------------------------------------------------------

stop syncd KILL
for i in 20 21 22; do
	insert "web-$i" "10.0.0.$i"
done
mongo delete servers '{"hostname": "web-10"}' >/dev/null
daemon
wait_until 10 "what came meanwhile" resolves web-22 10.0.0.22
unknown web-10 || fail "deleted meanwhile"
equal "resyncs: it went on from its token" 0 "$(status_of sync_count)"
agree || fail "$(cat "$test_dir/dry")"

# --- asked for, and the collection goes ------------------------------------------------

aerostat-syncd --server="$server" --once
equal "a resync" 1 "$(status_of sync_count)"
mongo drop
insert other-0 10.0.5.1
wait_until 15 "the new collection" resolves other-0 10.0.5.1
unknown web-22 || fail "of the dropped collection"

# --- all members away ------------------------------------------------------------------

for i in 0 1 2; do
	signal "mongod-$i" STOP
done
sleep 2
took=$(ms_of stop syncd)
[ "$took" -lt 2000 ] || fail "SIGTERM took $took ms"
note "SIGTERM while the servers are frozen: $took ms"
for i in 0 1 2; do
	signal "mongod-$i" CONT
done
daemon
wait_until 20 "the stream" status_is mode stream
for i in 0 1 2; do
	kill_member "$i"
done
wait_until 30 back-off status_is mode backoff
resolves other-0 10.0.5.1 || fail "while the store is away"
took=$(ms_of stop syncd)
[ "$took" -lt 2000 ] || fail "SIGTERM took $took ms"
note "SIGTERM while the store is away: $took ms"
refuses 69 aerostat-syncd --server="$server" --once
equal "lines about it" 1 "$(wc -l <"$test_dir/refused")"

# --- a standalone ----------------------------------------------------------------------

start_standalone
server=$mongo_uri
# it would register there as well
rm "$state_dir/identity.json"
insert solo-0 10.0.7.1
daemon --poll-interval=1
wait_until 20 "polling" status_is mode poll
wait_until 5 "solo-0" resolves solo-0 10.0.7.1
insert solo-1 10.0.7.2
within 3000 resolves solo-1 10.0.7.2
mongo delete servers '{"hostname": "solo-0"}' >/dev/null
within 3000 unknown solo-0
published=$(status_of publishes)
sleep 2.5
equal "publishes without a change" "$published" "$(status_of publishes)"
stop syncd
pass
