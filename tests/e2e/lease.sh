#!/bin/bash
# SPDX-License-Identifier: MIT
# cloud: lease: who is silent for longer than the lease loses the name, and nobody else:
# not by an outage, nor by a store that takes no writes, nor who never sent a heartbeat.
# shellcheck disable=SC2086 # $server is several words
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/stores.sh
. "${0%/*}/stores.sh"
store_kinds=${store_kinds:-lmdb set}
each_store "$@"
private_ns net
open_store

lease=6 # heartbeats each 2 s
server="aerostatd --server=$uri --root=$test_dir/server --cloud=lease --lease=$lease --poll=1
	--absent-passes=1 --grace=0"

# boot NODE ADDRESS: registered as i-NODE, with a daemon that sends heartbeats.
boot()
{
	node_new "$1" "$2"
	node "$1" chmod 644 /etc/hosts
	printf 'server: "%s"\ncloud: lease\nlease: %s\npoll_interval: 1\n' "$uri" "$lease" |
		node "$1" sh -c 'cat >/etc/aerostat.conf'
	node "$1" aerostat-register --loglevel=ERROR --service=web --instance-id="i-$1" --ip="$2"
	start "$1"
}

start()
{
	node_spawn "$1" "syncd-$1" aerostat-syncd
	# nsenter is in between
	wait_until 20 "the daemon of $1" node "$1" test -e /var/lib/aerostat/status.json
}

# names: who is called what
names()
{
	aerostat list --server="$uri" --format=hosts | awk '/^10/ {print $2 "=" $1}' | sort | xargs
}

# why NAME: what people are told of its heartbeat
why()
{
	aerostat why "$1" --server="$uri" --cloud=lease --root="$test_dir/server" |
		sed -n 's/^ *heartbeat *//p'
}

seen()
{
	[[ "$(why "$1")" =~ ^last\ seen\ [0-3]\ s\ ago$ ]]
}

is_free()
{
	aerostat why "$1" --server="$uri" | grep "^$1: a gap" >/dev/null
}

holds()
{
	aerostat why "$1" --server="$uri" | grep -x "$1: $2" >/dev/null
}

# passes NUMBER: so many more, each of which counts
passes()
{
	local count
	count=$(counted)
	wait_until 40 "$1 passes" more_than $((count + $1))
}

counted()
{
	grep -c 'pass: done slots=[1-9]' "$test_dir/aerostatd.log" || :
}

more_than()
{
	[ "$(counted)" -gt "$1" ]
}

quiet()
{
	grep -c 'nobody is judged dead' "$test_dir/aerostatd.log" || :
}

# judged: the last pass judged somebody
judged()
{
	[ "$(grep -E 'pass: done|nobody is judged' "$test_dir/aerostatd.log" | tail -n 2 |
		grep -c 'pass: done slots=[1-9]')" = 2 ]
}

reaped()
{
	grep -c 'is free:' "$test_dir/aerostatd.log" || :
}

more_quiet()
{
	[ "$(quiet)" -gt "$was_quiet" ]
}

# trouble begins here; kept WHAT: after it, a quiet time and some passes all is as it was
trouble()
{
	before=$(names)
	gone=$(reaped)
	was_quiet=$(quiet)
}

kept()
{
	wait_until 60 "a quiet time after $1" more_quiet
	wait_until 60 "passes that judge again after $1" judged
	passes 4
	equal "after $1" "$before" "$(names)"
	equal "reaped by $1" "$gone" "$(reaped)"
}

for n in a b c d; do boot "$n" "10.78.0.$(printf %d "'$n")"; done >"$test_dir/booted"
aerostat-register --server="$uri" --root="$test_dir/mute" --loglevel=ERROR --service=web \
	--instance-id=i-mute --ip=10.78.0.9 >/dev/null
all="web-0=10.78.0.97 web-1=10.78.0.98 web-2=10.78.0.99 web-3=10.78.0.100 web-4=10.78.0.9"
equal "five names" "$all" "$(names)"
for n in 0 1 2 3; do wait_until 20 "a heartbeat of web-$n" seen "web-$n"; done
equal "one that sends none" "never seen" "$(why web-4)"
node c aerostat status | grep '^heartbeat [0-9]* s ago$' >/dev/null ||
	fail "$(node c aerostat status)"

note "a heartbeat is no change to anybody's mirror"
# state c: generations, commits of state.mdb
state()
{
	node "$1" aerostat status | grep '^mirror' | sed 's/, published.*//'
	node "$1" sh -c 'for page in 0 4096; do
		od -An -t u8 -j $((page + 144)) -N 8 /var/lib/aerostat/state.mdb; done' | sort -n | tail -n 1
}
was=$(state c)
before=$(why web-0)
sleep 8 # some 16 heartbeats
seen web-0 || fail "no heartbeats: $before, $(why web-0)"
equal "c's mirror and its commits" "$was" "$(state c)"

note "nobody is judged at the start; then the plan says when each was seen"
spawn aerostatd $server
wait_until 10 "the first pass" more_than 0
[ "$(quiet)" -ge 1 ] || fail "it judged at once"
wait_until 30 "a pass that judges" judged
$server --once --dryrun >"$test_dir/plan" 2>/dev/null || fail "a dry run: $?"
equal "the plan" "keep web-4 i-mute: an id that this cloud cannot know
dry run: 5 names, 0 would go, 0 held, nothing written" "$(cat "$test_dir/plan")"

note "who is killed loses the name after the lease, and it is filled again"
stop syncd-a KILL
began=$EPOCHREALTIME
wait_until 40 "web-0 to be free" is_free web-0
took=$(((${EPOCHREALTIME/[.,]/} - ${began/[.,]/}) / 1000))
note "web-0 was free $took ms after its last sign of life"
[ "$took" -gt $((lease * 1000 - 2400)) ] || fail "too soon: $took ms"
[ "$took" -lt $((lease * 1000 + 8000)) ] || fail "too late: $took ms"
equal "the others" "${all#* }" "$(names)"
aerostat why web-0 --server="$uri" | grep 'i-a was found dead: .*(last seen [0-9]* s ago)' >/dev/null ||
	fail "$(aerostat why web-0 --server="$uri")"
boot f 10.78.0.102 >/dev/null
wait_until 20 "f's name" holds web-0 i-f
wait_until 20 "f's heartbeat" seen web-0
code=0
node a aerostat-register --loglevel=CRITICAL --service=web --instance-id=i-a --ip=10.78.0.97 || code=$?
equal "who is declared dead waits" 75 "$code"
again()
{
	node a aerostat-register --loglevel=CRITICAL --service=web --instance-id=i-a --ip=10.78.0.97
}
# The attempt itself was a sign of life.
wait_until 20 "until it is seen" again
wait_until 10 "a under its new name" holds web-5 i-a
start a
wait_until 20 "a's heartbeat" seen web-5

note "a daemon that stands still for less keeps the name, for longer gets one again"
pid=$(pid_of syncd-b)
kill -STOP "$pid"
sleep 3
kill -CONT "$pid"
passes 6
holds web-1 i-b || fail "b lost its name in 3 s"
kill -STOP "$pid"
wait_until 40 "web-1 to be free" is_free web-1
kill -CONT "$pid"
wait_until 60 "b to be back" holds web-1 i-b
grep 'self-heal: done: this node is web-1' "$test_dir/syncd-b.log" >/dev/null || fail "it was not b itself"
wait_until 20 "b's heartbeat" seen web-1
passes 4
holds web-1 i-b || fail "b lost its name again"

trouble
note "aerostatd stands still, and all is well"
signal aerostatd STOP
sleep $((lease + 2))
signal aerostatd CONT
kept "a pause of aerostatd"

if [ "$kind" = set ]; then
	note "the store is away for longer than the lease"
	trouble
	take_store_away
	sleep $((lease + 4))
	bring_store_back
	kept "an outage"
	equal "warnings of c" 1 "$(grep -c 'WARNING heartbeat' "$test_dir/syncd-c.log")"
	grep -c 'heartbeat: the store takes them again' "$test_dir/syncd-c.log" >/dev/null ||
		fail "c does not say that it is over"

	note "it takes no writes for longer than the lease"
	trouble
	mongo command '{"fsync": 1, "lock": true}' >/dev/null
	sleep $((lease + 4))
	mongo command '{"fsyncUnlock": 1}' >/dev/null
	kept "a store that took no writes"
fi

note "one that is silent goes after all of it"
stop syncd-d KILL
wait_until 60 "web-3 to be free" is_free web-3
equal "one more" $((gone + 1)) "$(reaped)"

for n in a b c f; do stop "syncd-$n"; done
stop aerostatd
pass
