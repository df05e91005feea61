#!/bin/bash
# SPDX-License-Identifier: MIT
# A set of three under writers loses its primary in each way there is, while the daemon
# mirrors: nothing that was acknowledged is lost, nothing that was rolled back is ever
# seen, no name goes back or is seen half changed over, and the mirror is the collection.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
private_ns
# shellcheck source=tests/e2e/syncd_lib.sh
. "$e2e_dir/syncd_lib.sh"
# shellcheck source=tests/e2e/weather_lib.sh
. "$e2e_dir/weather_lib.sh"

ghosts="ghost-0 ghost-1 ghost-2 victim=10.66.6.6"

# under KIND: one fault under the writers; prints the longest gaps, as the writer of the
# beat saw it and as a look-up did.
under()
{
	local victim start=$EPOCHREALTIME
	victim=$(primary_member)
	case $1 in
	kill)
		kill_member "$victim" 2>/dev/null
		sleep 5
		start_member "$victim"
		;;
	freeze)
		signal "mongod-$victim" STOP
		sleep 8
		signal "mongod-$victim" CONT
		;;
	blink)
		signal "mongod-$victim" STOP
		sleep 1
		signal "mongod-$victim" CONT
		;;
	stepdown)
		mongo command '{"replSetStepDown": 3, "secondaryCatchUpPeriodSecs": 3}' \
			>/dev/null 2>&1 || :
		;;
	secondary)
		kill_member $(((victim + 1) % 3)) 2>/dev/null
		sleep 2
		start_member $(((victim + 1) % 3))
		;;
	esac
	primary_member >/dev/null
	wait_until 60 "an acknowledged write after $1" newer acks "$EPOCHREALTIME"
	wait_until 60 "a change seen after $1" newer seen "$EPOCHREALTIME"
	alive observer || fail "$(tail -n 1 "$test_dir/observer.log")"
	note "$1: longest gap, writer $(weather gap "$test_dir/acks" "$start" "$EPOCHREALTIME") ms," \
		"look-ups $(weather gap "$test_dir/seen" "$start" "$EPOCHREALTIME") ms"
}

# newer FILE TIME: is its last line later?
newer()
{
	tail -n 1 "$test_dir/$1" | awk -v time="$2" '{exit !($1 > time)}'
}

start_replica_set
server=$mongo_uri
insert victim 10.0.0.1
insert beat 10.0.0.0
daemon --hosts-file=off
wait_until 20 "the stream" status_is mode stream
: >"$test_dir/acks"
: >"$test_dir/seen"
spawn writers /usr/bin/python3 "$e2e_dir/weather.py" writers "$mongo_uri" "$test_dir"
# shellcheck disable=SC2086 # several words
spawn observer /usr/bin/python3 "$e2e_dir/weather.py" observe "$test_dir" $ghosts
wait_until 20 "writes" newer acks 0
wait_until 20 "changes seen" newer seen 0

kinds=(kill freeze stepdown)
for ((i = 0; i < $(by_length 0 20); i++)); do
	all=(kill freeze blink stepdown secondary)
	kinds+=("${all[RANDOM % 5]}")
done
for kind in "${kinds[@]}"; do
	under "$kind"
done

stop writers
equal "the writers" 0 "$exit_code"
note "$(cat "$test_dir/writers.log")"
note "$(weather check "$mongo_uri" "$test_dir")"
agree_within 20
note "after the last write the mirror agrees in $took ms (a dry run each time)"

# --- a rollback ------------------------------------------------------------------------

# The secondaries fetch no more: what the primary acknowledges with w:1 is its alone.
old=$(primary_member)
for i in 0 1 2; do
	[ "$i" = "$old" ] || fail_point "$i" stopReplProducer '"alwaysOn"'
done
/usr/bin/python3 - "$mongo_uri" <<'PY'
import sys
import pymongo
coll = pymongo.MongoClient(sys.argv[1]).aerostat.get_collection(
    "servers", write_concern=pymongo.WriteConcern(w=1, j=True))
for i in range(3):
    coll.insert_one({"hostname": "ghost-%d" % i, "ip": "10.66.6.%d" % i})
assert coll.update_one({"hostname": "victim"}, {"$set": {"ip": "10.66.6.6"}}).modified_count
PY
# They are there for who asks at w:1, and a snapshot taken now must not have them.
equal "written at the old primary" 3 "$(mongo count servers '{"hostname": {"$regex": "^ghost"}}')"
signal syncd USR1
wait_until 40 "a resync that no majority stands behind to be given up" status_is mode backoff
alive observer || fail "$(tail -n 1 "$test_dir/observer.log")"
start=$EPOCHREALTIME
kill_member "$old" 2>/dev/null
for i in 0 1 2; do
	[ "$i" = "$old" ] || fail_point "$i" stopReplProducer '"off"'
done
new=$(primary_member)
[ "$new" != "$old" ] || fail "the same primary"
insert after-0 10.0.9.9
wait_until 60 "a name after that" resolves after-0 10.0.9.9
note "a primary isolated and killed: a new name resolves after $(since "$start") ms"
start_member "$old"
rolled_back()
{
	grep -qE '"(Rollback summary|transition to SECONDARY; our rollback|Finished rollback|Rollback complete).*' "$test_dir/mongod-$old.log"
}
wait_until 60 "the rollback" rolled_back
wait_until 60 "the old one back" mongo_at_secondary "$old"
insert after-1 10.0.9.8
wait_until 20 "a name after the rollback" resolves after-1 10.0.9.8
equal "rolled back" 0 "$(mongo count servers '{"hostname": {"$regex": "^ghost"}}')"
resolves victim 10.0.0.1 || fail "victim is $(address_of victim)"
stop observer
equal "the observer" 0 "$exit_code"
note "$(cat "$test_dir/observer.log")"
agree_within 20
stop syncd
exact
pass
