#!/bin/bash
# SPDX-License-Identifier: MIT
# A set that was made anew, or put back from a copy, under the same URI; members that are
# started again, together and one by one; and a store that is away for long: names go when
# they must, and not before.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
private_ns
# shellcheck source=tests/e2e/syncd_lib.sh
. "$e2e_dir/syncd_lib.sh"
# shellcheck source=tests/e2e/weather_lib.sh
. "$e2e_dir/weather_lib.sh"

# Idle for long enough that the token is that of an empty batch, and saved.
idle()
{
	sleep 2
	stop syncd
	daemon --hosts-file=off
	wait_until 20 "the stream" status_is mode stream
	sleep 2
}

start_replica_set
# The driver looks each 10 s for members that come back; a rolling restart takes longer.
server="$mongo_uri&heartbeatFrequencyMS=1000"
insert old-6 10.0.0.9
daemon --hosts-file=off
becomes "a first name" 20 old-6 10.0.0.9

# --- a set made anew -------------------------------------------------------------------

wipe()
{
	mkdir "$test_dir/keep-$1"
	mv "$test_dir/mongod-$1"/* "$test_dir/keep-$1"
}

put_back()
{
	rm -rf "$test_dir/mongod-$1"
	mv "$test_dir/keep-$1" "$test_dir/mongod-$1"
}

idle
seen=$(status_of sync_count)
members kill_member
members wipe
sleep 1
resolves old-6 10.0.0.9 || fail "while the store is away"
members start_member
ports=$(head -qn 1 "$test_dir"/mongod-[012].args | tr '\n' ' ')
# shellcheck disable=SC2086 # three words
mongo_at="mongodb://127.0.0.1:${ports%% *}/?directConnection=true" \
	mongo init aero $ports >/dev/null
insert new-0 10.1.0.1
becomes "a set made anew" 60 new-0 10.1.0.1 old-6
[ "$(status_of sync_count)" -gt "$seen" ] || fail "no snapshot behind a set made anew"
agree || fail "$(cat "$test_dir/dry")"

# The files of before, whose time is behind the token's.
idle
members kill_member
members put_back
members start_member
primary_member >/dev/null
becomes "files put back from a copy" 60 old-6 10.0.0.9 new-0
insert back-0 10.2.0.1
becomes "a name after that" 15 back-0 10.2.0.1
agree || fail "$(cat "$test_dir/dry")"

# A restart of all members is none of that: nothing is seen of it.
idle
members kill_member
members start_member
primary_member >/dev/null
insert back-1 10.2.0.2
becomes "all members started again" 60 back-1 10.2.0.2
resolves old-6 10.0.0.9 || fail "a restart took a name"
# and one at a time costs no snapshot
greeted()
{
	tail -n "+$2" "$test_dir/mongod-$1.log" | grep aerostat-syncd >/dev/null
}
sleep 4
seen=$(status_of sync_count)
for i in 0 1 2; do
	kill_member "$i" 2>/dev/null
	lines=$(wc -l <"$test_dir/mongod-$i.log")
	start_member "$i"
	primary_member >/dev/null
	wait_until 30 "the daemon to greet member $i" greeted "$i" "$lines"
	insert "roll-$i" "10.3.0.$i"
	becomes "member $i started again" 60 "roll-$i" "10.3.0.$i"
	sleep 4
done
equal "snapshots for a rolling restart" "$seen" "$(status_of sync_count)"

# --- away for long ---------------------------------------------------------------------

away=$(by_length 15 900)
members kill_member
lines=$(wc -l <"$test_dir/syncd.log")
ticks=$(cpu_ticks syncd)
reconnects=$(status_of reconnects)
end=$((SECONDS + away))
while ((SECONDS < end)); do
	resolves old-6 10.0.0.9 || fail "a name went while the store is away"
	sleep 0.5
done
ticks=$(($(cpu_ticks syncd) - ticks))
lines=$(($(wc -l <"$test_dir/syncd.log") - lines))
reconnects=$(($(status_of reconnects) - reconnects))
note "away for $away s: $((ticks * 10)) ms of CPU, $lines lines of log, $reconnects attempts"
# at most one in half a second at first; later each 15 s on average
((reconnects <= 8 + away / 5)) || fail "$reconnects attempts"
((lines <= 20 + away / 5)) || fail "$lines lines of log"
((ticks <= 100 + away * 5)) || fail "$ticks ticks"
members start_member
primary_member >/dev/null
insert home-0 10.4.0.1
becomes "back" 90 home-0 10.4.0.1
stop syncd
exact
pass
