#!/bin/bash
# SPDX-License-Identifier: MIT
# Names of the server itself: a mirror with an old admin-master, a member that is gone for
# good, a name server that is late, dead or frozen.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/net_lib.sh
. "${0%/*}/net_lib.sh"
need_mongod
[ $# != 0 ] || in_parts alone set member dns
private_ns net
# shellcheck source=tests/e2e/syncd_lib.sh
. "$e2e_dir/syncd_lib.sh"

server=admin-master
doc()
{
	mongo replace servers "{\"hostname\": \"$1\"}" "{\"hostname\": \"$1\", \"ip\": \"$2\"}"
}
# The name as it is known on a fresh node, for the first update only.
first_update()
{
	echo "$1 admin-master" >>/etc/hosts
	aerostat-syncd --server="$server" --hosts-file=off --once 2>/dev/null
	sed -i '/admin-master/d' /etc/hosts
	equal "admin-master by the module alone" "$2" "$(address_of admin-master)"
}
start_daemon()
{
	daemon --hosts-file=off --poll-interval=1 "$@"
}
by_memory()
{
	grep -c 'reached by the address that last worked' "$test_dir/syncd.log" || :
}
# A change, and how long until it is seen; note WHAT.
seen_within()
{
	local ms=$1 what=$2
	doc seen-0 "$3"
	within "$ms" resolves seen-0 "$3"
	note "$what: $took ms"
}

# One mongod, met by its name: polling.
part_alone()
{
	addresses 10.66.0.2 10.66.0.3 10.66.0.99
	iptables -A INPUT -d 10.66.0.99 -j DROP
	mongo_uri=mongodb://10.66.0.2/
	db db 10.66.0.2
	doc admin-master 10.66.0.2
	first_update 10.66.0.2 10.66.0.2
	start_daemon
	wait_until 10 polling status_is mode poll
	# The mirror learns an address that leads nowhere; then both go.
	doc admin-master 10.66.0.99
	wait_until 10 "the wrong address" resolves admin-master 10.66.0.99
	stop syncd KILL
	start_daemon
	seen_within 90000 "a daemon with a wrong admin-master in its mirror (black hole), by memory" 10.1.0.1
	equal "it says so" 1 "$(by_memory)"
	# It is mended, and used again; then the server moves, and memory is what is old.
	doc admin-master 10.66.0.3
	wait_until 10 "the new address" resolves admin-master 10.66.0.3
	start=$EPOCHREALTIME
	stop db
	db db 10.66.0.3
	mongo_uri=mongodb://10.66.0.3/
	doc seen-0 10.1.0.2
	wait_until 60 "the moved server" resolves seen-0 10.1.0.2
	note "the server moved, the mirror is right, memory is old: $(ms_since "$start") ms, its start included"
	equal "not by memory" 1 "$(by_memory)"
}

# A set whose member is known by its address.
part_set()
{
	addresses 10.66.0.2 10.66.0.98 10.66.0.99
	db db 10.66.0.2 --replSet aero
	initiate aero 10.66.0.2 10.66.0.2
	mongo_uri='mongodb://10.66.0.2/?replicaSet=aero'
	server='mongodb://admin-master:27017/?serverSelectionTimeoutMS=1500'
	doc admin-master 10.66.0.2
	first_update 10.66.0.2 10.66.0.2
	start_daemon
	wait_until 10 "the stream" status_is mode stream
	doc admin-master 10.66.0.99
	wait_until 10 "the wrong address" resolves admin-master 10.66.0.99
	# another server of another set has it now
	db other 10.66.0.99 --replSet other
	initiate other 10.66.0.99 10.66.0.99
	iptables -A INPUT -d 10.66.0.99 -p tcp -j REJECT --reject-with tcp-reset
	stop syncd KILL
	start_daemon
	seen_within 60000 "a daemon with a wrong admin-master in its mirror (refused), by memory" 10.1.0.1
	equal "it says so" 1 "$(by_memory)"
	# Wrong in the mirror, and memory leads to another set: not to its data.
	stop syncd KILL
	stop db
	iptables -F INPUT
	iptables -t nat -A OUTPUT -d 10.66.0.2 -p tcp --dport 27017 -j DNAT --to 10.66.0.99
	iptables -t nat -A OUTPUT -d 10.66.0.99 -p tcp --dport 27017 -j DNAT --to 10.66.0.98
	mongo_at='mongodb://10.66.0.2/?directConnection=true' mongo ping
	start_daemon
	wait_until 60 "five attempts, one of them by memory" status_over reconnects 4
	resolves seen-0 10.1.0.1 || fail "another set's data"
	status_is mode backoff || fail "mode $(status_of mode)"
	equal "by memory" 1 "$(by_memory)"
}

# A set known by names, all in the mirror; the one that admin-master means burns down.
part_member()
{
	local i
	addresses 10.66.0.10 10.66.0.11 10.66.0.12
	node_new servers
	node servers sh -c 'printf "10.66.0.1%d db-%d\n" 0 0 1 1 2 2 >>/etc/hosts'
	printf '10.66.0.1%d db-%d\n' 0 0 1 1 2 2 >>/etc/hosts
	for i in 0 1 2; do
		db_on=servers db "db$i" "10.66.0.1$i" --replSet aero
	done
	initiate aero 10.66.0.10 db-0 db-1 db-2
	mongo_uri="mongodb://db-0,db-1,db-2/?replicaSet=aero"
	for i in 0 1 2; do
		doc "db-$i" "10.66.0.1$i"
	done
	doc admin-master 10.66.0.10
	first_update 10.66.0.10 10.66.0.10
	start_daemon
	wait_until 10 "the stream" status_is mode stream
	sleep 3.5 # by then it has looked at all members
	doc seen-0 10.1.0.0
	wait_until 10 "seen-0" resolves seen-0 10.1.0.0
	stop syncd KILL
	stop db0 KILL
	iptables -A INPUT -d 10.66.0.10 -j DROP
	sed -i '/ db-/d' /etc/hosts
	printf '10.66.0.1%d db-%d\n' 1 1 2 2 >>/etc/hosts
	mongo primary >/dev/null
	sed -i '/ db-/d' /etc/hosts
	start_daemon
	printf '10.66.0.1%d db-%d\n' 1 1 2 2 >"$test_dir/names"
	mongo_uri="mongodb://10.66.0.11/?directConnection=true"
	if [ "$(mongo command '{"hello": 1}' | grep -c '"isWritablePrimary": true')" = 0 ]; then
		mongo_uri="mongodb://10.66.0.12/?directConnection=true"
	fi
	seen_within 90000 "the member that admin-master means is gone; met by another" 10.1.0.1
	equal "it says so" 1 "$(by_memory)"
	equal "by names of the set" stream "$(status_of mode)"
}

# A name server: not there yet, there, frozen, dead.
part_dns()
{
	local before
	addresses 192.0.2.53
	sed -i 's/^hosts:.*/hosts: files aerostat dns/' /etc/nsswitch.conf
	printf 'nameserver 127.0.0.1\noptions timeout:1 attempts:2\n' >/etc/resolv.conf
	mongo_uri=mongodb://192.0.2.53/
	server=db.example.com
	db db 192.0.2.53 --replSet aero
	initiate aero 192.0.2.53 192.0.2.53
	doc web-0 10.1.0.1
	refuses 69 aerostat-syncd --server="$server" --once
	equal "lines about it" 1 "$(wc -l <"$test_dir/refused")"
	grep -q 'db.example.com' "$test_dir/refused" || fail "$(cat "$test_dir/refused")"
	spawn syncd aerostat-syncd --server="$server" --loglevel=DEBUG
	wait_until 20 back-off status_is mode backoff
	sleep 2
	spawn dns python3 "$e2e_dir/tiny_dns.py" 127.0.0.1 53 "$test_dir/dns.asked"
	within 40000 resolves web-0 10.1.0.1
	note "a server whose name came later: $took ms after it came"
	wait_until 10 "the stream" status_is mode stream
	# The name server freezes; the stream does not care.
	signal dns STOP
	seen_within 5000 "the name server is frozen, the stream is up" 10.1.0.2
	# The server goes and comes while no name can be asked.
	before=$(cpu_ticks syncd)
	start=$EPOCHREALTIME
	stop db KILL
	sleep 5
	resolves web-0 10.1.0.1 || fail "names while all is away"
	quiet_since syncd "$before" "server dead, name server frozen" 5
	db db 192.0.2.53 --replSet aero
	mongo primary >/dev/null
	doc seen-0 10.1.0.3
	wait_until 120 "the server that is back" resolves seen-0 10.1.0.3
	note "the server was away for 5 s, its name server frozen: seen $(ms_since "$start") ms after its death"
	stop db KILL
	sleep 2
	took=$(ms_of stop syncd)
	note "SIGTERM while server and name server are away: $took ms"
	[ "$took" -lt 4000 ] || fail "SIGTERM took $took ms"
	stop dns KILL
	db db 192.0.2.53 --replSet aero
	mongo primary >/dev/null
	start_daemon
	seen_within 90000 "a daemon that starts while the name server is dead, by memory" 10.1.0.4
	equal "it says so" 2 "$(by_memory)"
}

"part_$1"
stop syncd
pass "$1"
