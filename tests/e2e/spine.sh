#!/bin/bash
# SPDX-License-Identifier: MIT
# The main job from end to end: nodes register, every program on every node resolves
# their names, whatever becomes of the store and of the daemon.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/stores.sh
. "${0%/*}/stores.sh"
each_store "$@"
private_ns net
open_store

# --- nodes -----------------------------------------------------------------------------

boot()
{
	node_new "$1" "$2"
	node "$1" chmod 644 /etc/hosts
	printf 'server: "%s"\npoll_interval: 1\n' "$uri" | node "$1" sh -c 'cat >/etc/aerostat.conf'
}

# It has the name in its mirror, with that address first.
resolves()
{
	[ "$(node "$1" getent -s hosts:aerostat hosts "$2" | awk '{ print $1 }')" = "$3" ]
}

unknown()
{
	local code=0
	node "$1" getent -s hosts:aerostat hosts "$2" >"$test_dir/unknown" || code=$?
	[ "$code" = 2 ]
}

boot n11 10.77.0.11
boot n12 10.77.0.12
boot n21 10.77.0.21
boot n22 10.77.0.22

id="i-0000000000000a0"
prints "dry run: would register web-0 (new) ${id}11 10.77.0.11 aliases www,static" \
	node n11 sh -c "aerostat-register --dryrun --service web --alias www --alias static \
	--instance-id ${id}11 --ip 10.77.0.11 | grep -v '^would create the indexes$'"
prints "web-0 (new) ${id}11 10.77.0.11" node n11 aerostat-register --service web \
	--alias www --alias static --instance-id "${id}11" --ip 10.77.0.11
# aerostat_info instead of flags; the documented spelling of the command.
node n12 sh -c 'printf "# what runs here\n\n  Web \n" >/etc/aerostat_info'
prints "web-1 (new) ${id}12 10.77.0.12" node n12 aerostat --register \
	--instance-id "${id}12" --ip 10.77.0.12
prints "db-master (new) ${id}21 10.77.0.21" node n21 aerostat-register --service db \
	--type masterful --instance-id "${id}21" --ip 10.77.0.21
node n22 sh -c 'printf "db\tmasterful replica\n" >/etc/aerostat_info'
prints "db-slave-1 (new) ${id}22 10.77.0.22" node n22 aerostat --register \
	--instance-id="${id}22" --ip=10.77.0.22
prints "db-slave-1 (held) ${id}22 10.77.0.22" node n22 aerostat --register \
	--instance-id="${id}22" --ip=10.77.0.22

# The system's own name follows; what says that this node is registered is there.
prints db-slave-1 node n22 hostname
prints db-slave-1 node n22 cat /etc/hostname
node n22 /usr/bin/python3 - "$id" <<'PY'
import json, sys
identity = json.load(open("/var/lib/aerostat/identity.json"))
wanted = {"instance_id": sys.argv[1] + "22", "service": "db", "type": "masterful",
          "aliases": ["replica"], "ip": "10.77.0.22"}
wrong = {k: identity.get(k) for k in wanted if identity.get(k) != wanted[k]}
sys.exit("identity.json: %s" % wrong if wrong else 0)
PY
# Another service than the slot held is refused.
refuses 1 node n22 aerostat-register --service web --instance-id "${id}22" --ip 10.77.0.22
says 'this node is db-slave-1; release it first'
prints db-slave-1 node n22 hostname

# --- the mirror ------------------------------------------------------------------------

node n21 sh -c 'printf "127.0.0.1 localhost\n10.9.9.9\tWEB-1 # mine" >/etc/hosts'
for node in n11 n12 n21 n22; do
	node_spawn "$node" "syncd-$node" aerostat-syncd
done
for node in n11 n12 n21 n22; do
	wait_until 20 "db-slave-1 on $node" resolves "$node" db-slave-1 10.77.0.22
done

lookups()
{
	prints "10.77.0.11      web-0 www static" node n12 getent -s hosts:aerostat hosts web-0
	prints "10.77.0.11      web-0 www static" node n12 getent -s hosts:aerostat hosts static
	prints "10.77.0.11      web-0 www static" node n12 getent -s hosts:aerostat hosts 10.77.0.11
	prints "10.77.0.21      db-master" node n12 getent -s hosts:aerostat hosts DB-master.
	prints "10.77.0.22      db-slave-1 replica" node n12 getent -s hosts:aerostat hosts replica
	node n12 ping -c 1 -W 2 db-slave-1 | grep -F 'PING db-slave-1 (10.77.0.22)' >/dev/null || fail "no ping"
	prints "10.77.0.21 ('web-0', ['www', 'static'], ['10.77.0.11'])" node n12 /usr/bin/python3 \
		-c 'import socket as s; print(s.gethostbyname("db-master"), s.gethostbyaddr("10.77.0.11"))'
}

# Through /etc/hosts (`files` is asked first), then through the module alone, by anyone.
lookups
node n12 sed -i 's/^hosts:.*/hosts: aerostat/' /etc/nsswitch.conf
lookups
prints "10.77.0.12      web-1" node n12 setpriv --reuid 65534 --regid 65534 --clear-groups \
	getent hosts web-1
unknown n12 web-2 || fail "web-2 should be unknown"
prints "755 root" node n12 stat -c '%a %U' /var/lib/aerostat
prints "644 root" node n12 stat -c '%a %U' /var/lib/aerostat/hosts.mdb
prints "600 root" node n12 stat -c '%a %U' /var/lib/aerostat/state.mdb

# --- /etc/hosts ------------------------------------------------------------------------

hosts_has()
{
	node "$1" grep -qx "$2" /etc/hosts
}

wait_until 5 "the block" hosts_has n11 '10.77.0.22 db-slave-1 replica'
prints "127.0.0.1 localhost
# AEROSTAT
::1 localhost ip6-localhost
10.77.0.21 db-master
10.77.0.22 db-slave-1 replica
10.77.0.11 web-0 www static
10.77.0.12 web-1
# /AEROSTAT" node n11 cat /etc/hosts
prints "644 root" node n11 stat -c '%a %U' /etc/hosts
node n11 test ! -e /etc/hosts.tmp || fail "/etc/hosts.tmp is left"
wait_until 5 "the block beside a line of the user" hosts_has n21 '10.77.0.22 db-slave-1 replica'
prints $'127.0.0.1 localhost\n10.9.9.9\tWEB-1 # mine
# AEROSTAT
::1 localhost ip6-localhost
10.77.0.21 db-master
10.77.0.22 db-slave-1 replica
10.77.0.11 web-0 www static
# /AEROSTAT' node n21 cat /etc/hosts
node n21 aerostat status >"$test_dir/status"
grep -q shadowed "$test_dir/status" || fail "status names nothing shadowed"
grep -qiE '"?web-1"?: line 2' "$test_dir/status" || fail "status: $(cat "$test_dir/status")"

# What people ask.
prints "db-master db-slave-1 web-0 web-1" node n11 bash -c \
	'aerostat list --json | /usr/bin/python3 -c "import json, sys
print(*sorted(h[\"name\"] for h in json.load(sys.stdin)))"'
node n11 aerostat lookup www >"$test_dir/lookup"
grep -q 10.77.0.11 "$test_dir/lookup" || fail "lookup: $(cat "$test_dir/lookup")"
node n11 aerostat lookup 10.77.0.21 | grep db-master >/dev/null || fail "lookup of an address"
refuses 1 node n11 aerostat lookup web-2

# --- a second daemon, an update beside it ----------------------------------------------

pid=$(pid_of syncd-n11)
refuses 75 node n11 aerostat-syncd
says "$pid"
count()
{
	node n11 /usr/bin/python3 -c 'import json
print(json.load(open("/var/lib/aerostat/status.json"))["sync_count"])'
}
before=$(count)
node n11 aerostat --update >"$test_dir/update" 2>&1 || fail "--update beside the daemon: \
$(cat "$test_dir/update")"
(($(count) > before)) || fail "--update beside the daemon made no resync"
alive syncd-n11 || fail "the daemon is gone"

# --- gaps ------------------------------------------------------------------------------

# small N: one more node of the service app, in a folder of its own.
small()
{
	mkdir -p "$test_dir/small/$1"
	aerostat-register --root="$test_dir/small/$1" --server="$uri" --service app \
		--instance-id "i-000000000000b$1" --ip "10.78.0.$((10#$1))" 2>>"$test_dir/small.log"
}

leave()
{
	aerostat --root="$test_dir/small/$1" --server="$uri" release >"$test_dir/leave" 2>&1 ||
		fail "release: $(cat "$test_dir/leave")"
	[ ! -e "$test_dir/small/$1/var/lib/aerostat/identity.json" ] || fail "identity.json is left"
}

for ((i = 0; i <= 11; i++)); do
	n=$(printf '%04d' "$((i + 1))")
	equal "node $n" "app-$i (new) i-000000000000b$n 10.78.0.$((i + 1))" "$(small "$n")"
done
equal "the system's name" private "$(hostname)"
wait_until 20 "app-11" resolves n12 app-11 10.78.0.12
leave 0011
leave 0003
wait_until 20 "the end of app-10" unknown n12 app-10
wait_until 20 "the end of app-2" unknown n12 app-2
equal "the lowest gap" "app-2 (gap) i-000000000000b0013 10.78.0.13" "$(small 0013)"
equal "the next gap" "app-10 (gap) i-000000000000b0014 10.78.0.14" "$(small 0014)"
equal "no gap" "app-12 (new) i-000000000000b0015 10.78.0.15" "$(small 0015)"
wait_until 20 "the new app-2" resolves n12 app-2 10.78.0.13
wait_until 20 "app-12" resolves n12 app-12 10.78.0.15
wait_until 5 "natural order" hosts_has n11 '10.78.0.15 app-12'
equal "natural order" "app-0 app-1 app-2 app-3 app-4 app-5 app-6 app-7 app-8 app-9 app-10 \
app-11 app-12" "$(node n11 awk '$2 ~ /^app-/ { print $2 }' /etc/hosts | xargs)"

# Many boot at once: each gets a name of its own, and no number is left out.
crowd()
{
	local i out=$test_dir/crowd
	mkdir -p "$out"
	for ((i = 1; i <= 8; i++)); do
		spawn "crowd-$i" aerostat-register --root="$out/$1-$i" --server="$uri" \
			--service="$1" --type="$2" --instance-id="i-crowd-$1-$i" --ip="10.79.0.$i"
	done
	for ((i = 1; i <= 8; i++)); do
		wait "$(pid_of "crowd-$i")" || fail "$1: $(tail -n 2 "$test_dir/crowd-$i.log")"
		grep "^$1-" "$test_dir/crowd-$i.log" >>"$out/$1"
		rm "$test_dir/crowd-$i.log" "$test_dir/.pids/crowd-$i"
	done
	awk '{ print $1 }' "$out/$1" | sort -V | xargs
}

equal "a crowd" "$(echo rush-{0..7})" "$(crowd rush iterative)"
equal "a crowd with a master" "$(echo gold-master gold-slave-{1..7})" "$(crowd gold masterful)"
wait_until 20 "the last of the crowd" node n12 getent -s hosts:aerostat hosts gold-slave-7

# Of a masterful service too: a slave's number, and the master's name itself.
prints "" node n22 sh -c 'aerostat release >/dev/null'
wait_until 20 "the end of db-slave-1" unknown n11 db-slave-1
boot n23 10.77.0.23
prints "db-slave-1 (gap) ${id}23 10.77.0.23" node n23 aerostat-register --service db \
	--type masterful --instance-id "${id}23" --ip 10.77.0.23
prints "" node n21 sh -c 'aerostat release >/dev/null'
wait_until 20 "the end of db-master" unknown n11 db-master
boot n24 10.77.0.24
prints "db-master (gap) ${id}24 10.77.0.24" node n24 aerostat-register --service db \
	--type masterful --instance-id "${id}24" --ip 10.77.0.24
wait_until 20 "the new db-master" resolves n11 db-master 10.77.0.24

# A change-over on one node names the other's system too.
named()
{
	[ "$(node "$1" hostname) $(node "$1" cat /etc/hostname)" = "$2 $2" ]
}

node_spawn n24 syncd-n24 aerostat-syncd
wait_until 20 "db-master on n24" resolves n24 db-master 10.77.0.24
prints "db-master ${id}23" node n23 aerostat --change-master --service db --type masterful
wait_until 10 "the new db-master" resolves n11 db-master 10.77.0.23
wait_until 10 "the old one, demoted" resolves n11 db-slave-1 10.77.0.24
named n23 db-master || fail "n23 is not named db-master"
wait_until 10 "the name of the old master's system" named n24 db-slave-1
prints "db-master ${id}24" node n24 aerostat --change-master --service db --type masterful
wait_until 10 "db-master again" resolves n11 db-master 10.77.0.24
sleep 0.3
named n24 db-master || fail "n24 is not named db-master"

# --- a change while a program runs -----------------------------------------------------

# Prints each answer of a name as it changes; never restarted.
cat >"$test_dir/watcher.py" <<'PY'
import socket, sys, time
last = None
while True:
    try:
        now = socket.getaddrinfo(sys.argv[1], None, socket.AF_INET, socket.SOCK_STREAM)[0][4][0]
    except socket.gaierror:
        now = "none"
    if now != last:
        print(now, time.clock_gettime_ns(time.CLOCK_MONOTONIC), flush=True)
        last = now
    time.sleep(0.002)
PY
node_spawn n12 watcher /usr/bin/python3 "$test_dir/watcher.py" cache-0

seen()
{
	tail -n 1 "$test_dir/watcher.log" | grep -q "^$1 "
}

wait_until 10 "the watching program" seen none
# change WHAT COMMAND...: WHAT is then seen; how long it took.
change()
{
	local what=$1 at end
	shift
	"$@"
	at=$(/usr/bin/python3 -c 'import time; print(time.clock_gettime_ns(time.CLOCK_MONOTONIC))')
	wait_until 20 "$what in the running program" seen "$what"
	end=$(tail -n 1 "$test_dir/watcher.log" | cut -d ' ' -f 2)
	note "$kind: cache-0 is $what $(((end - at) / 1000)) us after its writer's end (- before)"
	# 1 s is the poll interval of a standalone server, with its 10 %.
	((end - at < 3000000000)) || fail "$what took $(((end - at) / 1000000)) ms"
}

change 10.77.0.31 put_document "$(slot cache-0 i-0000000000000a031 10.77.0.31)"
change 10.77.0.32 put_document "$(slot cache-0 i-0000000000000a032 10.77.0.32)"
change none put_document "$(slot cache-0 '' '')"
if [ "$kind" != lmdb ]; then
	change 10.77.0.33 mongo update servers '{"hostname": "cache-0"}' \
		'{"$set": {"ip": "10.77.0.33", "instance_id": "i-0000000000000a033"}}' >/dev/null
	change none mongo delete servers '{"hostname": "cache-0"}' >/dev/null
	# What must not enter, whoever wrote it.
	mongo insert servers \
		'{"hostname": "www.example.com", "ip": "10.77.0.66", "service": "evil"}' \
		'{"hostname": "localhost", "ip": "10.77.0.66", "service": "evil"}' \
		'{"hostname": "evil-0", "ip": "127.0.0.1", "service": "evil"}' \
		'{"hostname": "evil-1 web-0", "ip": "10.77.0.66", "service": "evil"}'
	change 10.77.0.31 put_document "$(slot cache-0 i-0000000000000a031 10.77.0.31)"
	refused()
	{
		node n12 aerostat status | grep -F "$1" >/dev/null
	}
	for name in www.example.com localhost evil-0 'evil-1 web-0'; do
		wait_until 5 "$name is refused" refused "$name"
	done
	! node n12 grep -e example -e evil -e 10.77.0.66 /etc/hosts || fail "it is in /etc/hosts"
	wait_until 3 "the dotted name is unknown" unknown n12 www.example.com
fi
change 10.77.0.34 put_document "$(slot cache-0 i-0000000000000a034 10.77.0.34)"

# --- the store is taken away -----------------------------------------------------------

ticks()
{
	awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$(pid_of "$1")/stat"
}

take_store_away
lookups_away()
{
	prints "10.77.0.11      web-0 www static" node n12 getent -s hosts:aerostat hosts www
	prints "10.77.0.24      db-master" node n12 getent -s hosts:aerostat hosts db-master
	prints "10.77.0.34      cache-0" node n12 getent -s hosts:aerostat hosts cache-0
}
lookups_away
sleep 1
began=$(ticks syncd-n12)
sleep 2
spent=$(($(ticks syncd-n12) - began))
note "$kind: without the store syncd used $spent of 200 ticks"
((spent < 20)) || fail "without the store syncd spins: $spent of 200 ticks"
alive syncd-n12 || fail "without the store syncd ends"
lookups_away
# A daemon that starts without a store serves what it had, even with hosts.mdb lost.
stop syncd-n12
equal "SIGTERM" 0 "$exit_code"
lookups_away
equal "the running program" 10.77.0.34 "$(awk 'END { print $1 }' "$test_dir/watcher.log")"
node n12 rm /var/lib/aerostat/hosts.mdb
node_spawn n12 syncd-n12 aerostat-syncd
wait_until 10 "the names from state.mdb" resolves n12 cache-0 10.77.0.34
lookups_away
refuses 69 node n12 timeout 60 aerostat-register --service web --instance-id "${id}99" \
	--ip 10.77.0.99 --register-deadline=1

bring_store_back
put_document "$(slot cache-0 i-0000000000000a035 10.77.0.35)"
for node in n11 n12; do
	wait_until 45 "it goes on, on $node" resolves "$node" cache-0 10.77.0.35
done
wait_until 5 "it goes on in the running program" seen 10.77.0.35

# --- the daemon dies, ends -------------------------------------------------------------

stop syncd-n11 KILL
prints "10.77.0.12      web-1" node n11 getent -s hosts:aerostat hosts web-1
at=${EPOCHREALTIME/[.,]/}
stop syncd-n12
((${EPOCHREALTIME/[.,]/} - at < 2500000)) || fail "SIGTERM takes over 2 s"
equal "SIGTERM" 0 "$exit_code"
put_document "$(slot cache-0 i-0000000000000a036 10.77.0.36)"
node n12 aerostat --update 2>"$test_dir/once.log" || fail "--update: $(cat "$test_dir/once.log")"
resolves n12 cache-0 10.77.0.36 || fail "--update publishes"
pass "$test_name $kind"
