#!/bin/bash
# A large fleet: the first synchronisation, what the daemon keeps in memory, a change, and
# that look-ups through the real module and the command line are right and no slower than
# they may be. Quick: 2*10^4 documents; long: 10^5 and 10^6.
. "${0%/*}/lib.sh"

private_ns net

mirror=/var/lib/aerostat/hosts.mdb
sample=$(by_length 300 3000)

# fill SIZE: documents of slots as a registrar writes them, two aliases each.
fill()
{
	/usr/bin/python3 - "$mongo_uri" "size$1" "$1" <<'PY'
import sys
from pymongo import MongoClient, WriteConcern
uri, name, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
servers = MongoClient(uri)[name].get_collection("servers", write_concern=WriteConcern(w="majority"))
for at in range(0, n, 10000):
    servers.insert_many([dict(hostname="web-%d" % i, service="web", service_type="iterative",
        instance_id="i-%017x" % i, ip="10.%d.%d.%d" % (i >> 16, i >> 8 & 255, i & 255), ip6="",
        aliases=["www%d" % i, "app%d" % i], reg=i) for i in range(at, min(n, at + 10000))],
        ordered=False)
PY
}

# look SIZE CHANGED: names, aliases, addresses and misses in one process, by the module.
look()
{
	/usr/bin/python3 - "$1" "$2" "$sample" <<'PY'
import random, socket, sys, time
n, changed, sample = map(int, sys.argv[1:])
random.seed(n)
def ip(i):
    return "%d.%d.%d.%d" % (11 if i == changed else 10, i >> 16, i >> 8 & 255, i & 255)
began = time.time()
for i in [changed, 0, n - 1] + [random.randrange(n) for _ in range(sample)]:
    if i < 0:
        continue
    for name in ("web-%d" % i, "WWW%d" % i, "app%d" % i):
        host, aliases, found = socket.gethostbyname_ex(name)
        assert (host, sorted(aliases), found) == ("web-%d" % i, ["app%d" % i, "www%d" % i], [ip(i)]), (name, host, aliases, found)
    assert socket.gethostbyaddr(ip(i))[0] == "web-%d" % i, ip(i)
    for name in ("web-%d" % (n + i), "ww%d" % i):
        try:
            raise SystemExit("%s is there" % socket.gethostbyname(name))
        except socket.gaierror:
            pass
print("%.0f" % ((time.time() - began) * 1e6 / (sample + 3) / 6))
PY
}

memory() # WHAT
{
	awk -v what="$1:" '$1 == what { print $2 }' "/proc/$(pid_of syncd)/status"
}

# Room for the programs and libraries, and for each document; in kB.
check_memory() # WHEN SIZE
{
	local anon
	anon=$(memory RssAnon)
	note "$1: $(($(memory VmRSS) / 1024)) MB resident, $((anon / 1024)) MB of it" \
		"anonymous; at most $(($(memory VmHWM) / 1024)) MB"
	((anon <= 16000 + $2 * 600 / 1024)) ||
		fail "$1: $anon kB for $2 documents"
}

# What the documents pass through on their way, in the end all given back.
check_peak() # SIZE BYTES
{
	local over
	over=$(($(memory VmHWM) - $(memory VmRSS)))
	((over <= 4000 + $1 * $2 / 1024)) || fail "$over kB more than stays, for $1 documents"
}

moved() # NAME
{
	[[ $(getent hosts "$1") == 11.* ]]
}

started() # TIMES
{
	[ "$(grep -c 'started: server=' "$test_dir/syncd.log")" = "$1" ]
}

start_syncd()
{
	spawn syncd aerostat-syncd --server="$mongo_uri" --database="size$1" \
		--hosts-file=self --loglevel=DEBUG
}

ms()
{
	echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

check_size()
{
	local n=$1 began encoded
	fill "$n"
	began=$(ms)
	start_syncd "$n"
	wait_until 300 "the mirror of $n" test -e "$mirror"
	note "$n documents: first synchronisation $(($(ms) - began)) ms," \
		"file $(($(stat -c %s $mirror) / 1000000)) MB"
	wait_until 60 "the status" grep -q "\"names\" *: *$n" /var/lib/aerostat/status.json
	sleep 2
	check_memory "first synchronisation" "$n"
	check_peak "$n" 150
	note "$(look "$n" -1) us a look-up, Python's share included"

	began=$(ms)
	/usr/bin/python3 - "$mongo_uri" "size$n" "$((n / 2))" <<'PY'
import sys
from pymongo import MongoClient, WriteConcern
uri, name, i = sys.argv[1], sys.argv[2], int(sys.argv[3])
MongoClient(uri)[name].get_collection("servers", write_concern=WriteConcern(w="majority")).update_one(
    {"hostname": "web-%d" % i}, {"$set": {"ip": "11.%d.%d.%d" % (i >> 16, i >> 8 & 255, i & 255)}})
PY
	wait_until 120 "the change" moved "web-$((n / 2))"
	note "a change: $(($(ms) - began)) ms with the client's start"
	encoded=$(sed -n 's/.*mirror: \([0-9]*\) records encoded.*/\1/p' "$test_dir/syncd.log" | tail -n 1)
	((encoded <= 5)) || fail "a change of one document: $encoded records encoded of $((4 * n))"
	look "$n" "$((n / 2))" >/dev/null

	began=$(ms)
	equal "lines of the list" "$n" "$(aerostat list --format=hosts | grep -c '^1[01][.]')"
	note "aerostat list: $(($(ms) - began)) ms"
	began=$(ms)
	aerostat lookup "www$((n - 1))" | grep "web-$((n - 1))" >/dev/null || fail "aerostat lookup"
	aerostat status >/dev/null || fail "aerostat status"
	(($(ms) - began < 5000)) || fail "lookup and status took $(($(ms) - began)) ms"

	# the same again from state.mdb, and a snapshot in which nothing is new
	stop syncd
	start_syncd "$n"
	wait_until 120 "the second start" started 2
	sleep 2
	check_memory "second start" "$n"
	signal syncd USR1
	wait_until 120 "the resync" grep -q '"sync_count" *: *[1-9]' /var/lib/aerostat/status.json
	sleep 2
	check_memory "resync" "$n"
	# the old answers stay until the new ones are there
	check_peak "$n" 350
	look "$n" "$((n / 2))" >/dev/null
	stop syncd
	: >"$test_dir/syncd.log"
	rm -rf /var/lib/aerostat/*
}

start_replica_set >/dev/null
for size in $(by_length 20000 "100000 1000000"); do
	check_size "$size"
done
pass
