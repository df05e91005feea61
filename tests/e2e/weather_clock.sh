#!/bin/bash
# SPDX-License-Identifier: MIT
# Clocks that step: the daemon's, by a day and by 300, forward and back (libfaketime on the
# wall clock; the steady one is left alone; a mongod under it takes seconds to answer), and
# the set's own time, forward. No change is lost, no name goes, nothing spins.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
private_ns
# shellcheck source=tests/e2e/syncd_lib.sh
. "$e2e_dir/syncd_lib.sh"
# shellcheck source=tests/e2e/weather_lib.sh
. "$e2e_dir/weather_lib.sh"

faketime=$(find /usr/lib -name libfaketimeMT.so.1 2>/dev/null | head -n 1)
[ -n "$faketime" ] || skip "no libfaketime: apt-get install faketime"

# clock OFFSET: what the daemon's wall clock is ahead from now on
clock()
{
	echo "$1" >"$test_dir/clock.new"
	mv "$test_dir/clock.new" "$test_dir/clock"
}

turn=0
# step OFFSET: and a change after it, seen; the CPU time of the 2 s around.
step()
{
	local ticks offset=$1
	ticks=$(cpu_ticks syncd)
	clock "$offset"
	sleep 1
	turn=$((turn + 1))
	insert "turn-$turn" "10.7.0.$turn"
	within 30000 resolves "turn-$turn" "10.7.0.$turn"
	sleep 1
	ticks=$(($(cpu_ticks syncd) - ticks))
	[ "$ticks" -lt 100 ] || fail "$ticks ticks of CPU after a step of $offset"
	resolves first-0 10.7.1.0 || fail "first-0 went with a step of $offset"
	note "the daemon's clock $offset: a name resolves after $took ms, $((ticks * 10)) ms of CPU," \
		"mode $(status_of mode), $(status_of reconnects) reconnects"
}

clock +0
start_replica_set
server=$mongo_uri
insert first-0 10.7.1.0
spawn syncd env FAKETIME_TIMESTAMP_FILE="$test_dir/clock" FAKETIME_NO_CACHE=1 \
	FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1 FAKETIME_DISABLE_SHM=1 \
	LD_PRELOAD="$faketime" aerostat-syncd --server="$server" --hosts-file=off --loglevel=DEBUG \
	--shrink-grace=30
wait_until 30 "the stream" status_is mode stream
wait_until 10 "a name" resolves first-0 10.7.1.0

# Is the clock of the daemon the one that we set?
clock +1d
wait_until 30 "a status of tomorrow" status_over updated "$(((${EPOCHREALTIME%[.,]*} + 80000) * 1000))"
before=$(status_of sync_count)
for offset in +1d -1d +0 +300d -300d +0; do
	step "$offset"
done
equal "snapshots by steps of the daemon's clock" "$before" "$(status_of sync_count)"

# A member whose clock was ahead leaves the set's time there: it never goes back, and what
# is written then has times ahead of everybody's clock.
for days in 1 30 300; do
	ticks=$(cpu_ticks syncd)
	weather ahead "$mongo_uri" $((days * 86400))
	within 30000 resolves "ahead-$((days * 86400))" 10.7.3.1
	sleep 1
	ticks=$(($(cpu_ticks syncd) - ticks))
	[ "$ticks" -lt 100 ] || fail "$ticks ticks of CPU with the set $days days ahead"
	note "the set's time $days days ahead: a name resolves after $took ms, $((ticks * 10))" \
		"ms of CPU, mode $(status_of mode), $(status_of reconnects) reconnects"
done
step +0
equal "snapshots by steps of clocks" "$before" "$(status_of sync_count)"

# The back-off is steady: away while the clock is put back by a day.
for i in 0 1 2; do
	kill_member "$i" 2>/dev/null
done
wait_until 30 back-off status_is mode backoff
clock -1d
ticks=$(cpu_ticks syncd)
sleep 3
clock +1d
sleep 3
ticks=$(($(cpu_ticks syncd) - ticks))
[ "$ticks" -lt 100 ] || fail "$ticks ticks of CPU while the store is away"
for i in 0 1 2; do
	start_member "$i"
done
primary_member >/dev/null
insert last-0 10.7.2.0
within 60000 resolves last-0 10.7.2.0
note "back after steps while the store was away: $took ms"
clock +0
stop syncd
exact
pass
