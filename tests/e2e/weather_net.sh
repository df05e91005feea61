#!/bin/bash
# SPDX-License-Identifier: MIT
# The network to MongoDB: absent, frozen, refused, black-holed; half-open connections and
# partitions of a set of three in namespaces of its own; a slow line; servers that are
# none. Names go on resolving, nothing spins, nothing hangs beyond its deadline.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/net_lib.sh
. "${0%/*}/net_lib.sh"
need_mongod
command -v iptables >/dev/null || skip "no iptables: apt-get install iptables"
[ $# != 0 ] || in_parts absent frozen refused hole none link slow
private_ns net
iptables -L >/dev/null 2>"$test_dir/iptables" || skip "no iptables here: $(cat "$test_dir/iptables")"
# shellcheck source=tests/e2e/syncd_lib.sh
. "$e2e_dir/syncd_lib.sh"

doc()
{
	mongo replace servers "{\"hostname\": \"$1\"}" "{\"hostname\": \"$1\", \"ip\": \"$2\"}"
}
registrar()
{
	spawn "$1" aerostat-register --server="$server" --offline --root="$test_dir/$1" \
		--service=web --instance-id="i-$1" --ip="$2" "${@:3}"
}
# ends NAME CODE: and its last line is the one that says why.
ends()
{
	local code=0
	wait "$(pid_of "$1")" || code=$?
	rm -f "$test_dir/.pids/$1"
	equal "$1: exit; $(tail -n 2 "$test_dir/$1.log")" "$2" "$code"
	[ "$2" = 0 ] || tail -n 1 "$test_dir/$1.log" | grep -q ' ERROR register: .*cannot reach mongodb://' ||
		fail "$1: $(cat "$test_dir/$1.log")"
}

# --- away ------------------------------------------------------------------------------

connects()
{
	iptables -nvxL OUTPUT | awk '/flags:0x17\/0x02/ {print $1; exit}'
}

# The server is away for some time, in this way: the daemon and a waiting registrar rest,
# names resolve; then it is back.
away()
{
	local way=$1 seconds before_c before_w conns lines start slow=0 begun n=0
	seconds=$(by_length 12 300)
	addresses 10.66.0.2
	iptables -I OUTPUT -p tcp --syn --dport 27017
	server=mongodb://10.66.0.2/
	mongo_uri=$server
	db db 10.66.0.2 --replSet aero
	initiate aero 10.66.0.2 10.66.0.2
	mongo primary >/dev/null
	doc web-9 10.1.0.9
	registrar first 10.1.0.1
	ends first 0
	daemon
	wait_until 10 "the stream" status_is mode stream
	begun=$EPOCHREALTIME
	"$way"
	registrar waiting 10.1.0.2 --register-deadline=600
	wait_until 60 "that it is noticed" status_is mode backoff
	note "noticed after $(ms_since "$begun") ms"
	before_c=$(cpu_ticks syncd)
	before_w=$(cpu_ticks waiting)
	conns=$(connects)
	lines=$(($(log_lines syncd) + $(log_lines waiting)))
	start=$EPOCHREALTIME
	while [ "$(ms_since "$start")" -lt $((seconds * 1000)) ]; do
		begun=$EPOCHREALTIME
		resolves web-9 10.1.0.9 || fail "web-9 does not resolve"
		[ "$(ms_since "$begun")" -le "$slow" ] || slow=$(ms_since "$begun")
		n=$((n + 1))
		sleep 0.2
	done
	quiet_since syncd "$before_c" "$way" "$seconds"
	quiet_since waiting "$before_w" "$way" "$seconds"
	conns=$(($(connects) - conns))
	lines=$(($(log_lines syncd) + $(log_lines waiting) - lines))
	note "$n look-ups, the slowest (getent and all) $slow ms; $conns connections tried, $lines lines logged by both in $seconds s"
	# two programs, each tries every half second at most while it waits for a server
	[ "$conns" -le $((seconds * 4 + 8)) ] || fail "$conns connections"
	[ "$lines" -le $((seconds / 2 + 6)) ] || fail "$lines lines"
	begun=$EPOCHREALTIME
	"back_$way"
	mongo primary >/dev/null
	doc seen-0 10.1.0.8
	wait_until 90 "the daemon" resolves seen-0 10.1.0.8
	note "back: followed again after $(ms_since "$begun") ms"
	ends waiting 0
	note "back: the registrar was through after $(ms_since "$begun") ms"
	equal "one slot" 1 "$(mongo count servers '{"instance_id": "i-waiting"}')"
	wait_until 10 "its name" resolves web-1 10.1.0.2
}
frozen()
{
	signal db STOP
}
back_frozen()
{
	signal db CONT
}
refused()
{
	stop db KILL
}
back_refused()
{
	db db 10.66.0.2 --replSet aero
}
hole()
{
	iptables -A INPUT -d 10.66.0.2 -j DROP
	iptables -A INPUT -s 10.66.0.2 -j DROP
}
back_hole()
{
	iptables -F INPUT
}
part_frozen()
{
	away frozen
}
part_refused()
{
	away refused
}
part_hole()
{
	away hole
}

# --- never there -----------------------------------------------------------------------

part_absent()
{
	local begun cpu
	addresses 10.66.0.2
	server=mongodb://10.66.0.2/
	mongo_uri=$server
	begun=$EPOCHREALTIME
	refuses 69 aerostat-syncd --server="$server" --once
	note "--once without a server: 69 after $(ms_since "$begun") ms"
	equal "one line" 1 "$(wc -l <"$test_dir/refused")"
	grep -q "cannot reach mongodb://10.66.0.2/" "$test_dir/refused" || fail "$(cat "$test_dir/refused")"
	spawn syncd aerostat-syncd --server="$server" --poll-interval=1
	begun=$EPOCHREALTIME
	registrar late 10.1.0.1 --register-deadline=8
	ends late 69
	[ "$(ms_since "$begun")" -lt 20000 ] || fail "the deadline passed by $(ms_since "$begun") ms"
	note "a registrar with 8 s: 69 after $(ms_since "$begun") ms, $(log_lines late) lines"
	registrar early 10.1.0.2 --register-deadline=300
	wait_until 30 back-off status_is mode backoff
	cpu=$(cpu_ticks syncd)
	sleep "$(by_length 6 120)"
	quiet_since syncd "$cpu" "never there" "$(by_length 6 120)"
	note "reconnects: $(status_of reconnects)"
	begun=$EPOCHREALTIME
	db db 10.66.0.2
	ends early 0
	note "it came: registered after $(ms_since "$begun") ms"
	wait_until 90 "its name" resolves web-0 10.1.0.2
	note "it came: mirrored after $(ms_since "$begun") ms"
	stop syncd
	# what state.mdb has is published, server or not
	stop db KILL
	rm "$state_dir/hosts.mdb"
	begun=$EPOCHREALTIME
	spawn syncd aerostat-syncd --server="$server" --poll-interval=1
	wait_until 10 "what was known" resolves web-0 10.1.0.2
	note "started without a server: serving after $(ms_since "$begun") ms"
}

# --- servers that are none -------------------------------------------------------------

# bad WHAT ADDRESS: three programs side by side at it.
bad()
{
	spawn "list-$1" aerostat list --server="mongodb://$2/"
	server=mongodb://$2/
	registrar "reg-$1" 10.1.0.1 --register-deadline=4
	spawn "once-$1" aerostat-syncd --server="mongodb://$2/" --once --root="$test_dir/once-$1.d"
}
judged()
{
	local name code
	for name in "list-$1" "reg-$1" "once-$1"; do
		code=0
		wait "$(pid_of "$name")" || code=$?
		rm -f "$test_dir/.pids/$name"
		equal "$name: exit; $(tail -n 1 "$test_dir/$name.log")" 69 "$code"
		# noise may make the driver end its own process; that is said as well
		tail -n 1 "$test_dir/$name.log" | grep -qE 'ERROR .*mongodb://10.66|CRITICAL store: .*is it MongoDB' ||
			fail "$name: $(cat "$test_dir/$name.log")"
		case $name in
		reg-* | *-garbage) ;;
		*) equal "$name: lines" 1 "$(wc -l <"$test_dir/$name.log")" ;;
		esac
	done
	note "$1: $(tail -n 1 "$test_dir/list-$1.log" | sed 's/.*cannot reach [^ ]* //')"
}
part_none()
{
	local begun i
	addresses 10.66.0.{2,3,4,5,6,7,8}
	db db 10.66.0.2 --maxConns 8
	mongo_uri=mongodb://10.66.0.2/
	iptables -t nat -A OUTPUT -m mark ! --mark 7 -d 10.66.0.7 -p tcp --dport 27017 -j DNAT --to 10.66.0.7:27018
	iptables -t nat -A OUTPUT -m mark --mark 7 -d 10.66.0.7 -p tcp --dport 27017 -j DNAT --to 10.66.0.2:27017
	local fakes=/usr/bin/python3\ $e2e_dir/net_fakes.py
	# shellcheck disable=SC2086 # words
	{
		spawn silent $fakes silent 10.66.0.3 27017
		spawn garbage $fakes garbage 10.66.0.4 27017
		spawn full $fakes full 10.66.0.5 27017
		spawn http /usr/bin/python3 -m http.server --bind 10.66.0.6 27017
		spawn relay $fakes relay 10.66.0.7 27018 0 0 0
	}
	for i in 3 4 6; do
		wait_until 20 "the fake at .$i" accepts 10.66.0.$i 27017
	done
	wait_until 20 "the relay" accepts 10.66.0.7 27018
	# The fakes are real enough for real clients.
	mongo_at='mongodb://10.66.0.7/?directConnection=true' mongo ping
	curl -s -o /dev/null --max-time 5 http://10.66.0.6:27017/ || fail "no HTTP there"
	[ "$(curl -s -o /dev/null -w '%{errormsg}' --max-time 1 --http0.9 http://10.66.0.3:27017/)" != "" ] || fail "not silent"
	stop relay KILL
	# shellcheck disable=SC2086 # words
	spawn relay $fakes relay 10.66.0.7 27018 0 0 1
	wait_until 20 "the relay" accepts 10.66.0.7 27018
	# A server that takes no more connections.
	spawn hogs /usr/bin/python3 -c "
import socket, time
held = [socket.create_connection(('10.66.0.2', 27017)) for _ in range(30)]
time.sleep(1000)"
	sleep 1
	begun=$EPOCHREALTIME
	bad silent 10.66.0.3
	bad garbage 10.66.0.4
	bad full 10.66.0.5
	bad http 10.66.0.6
	bad closes 10.66.0.7
	bad crowded 10.66.0.2
	for i in silent garbage full http closes crowded; do
		judged $i
	done
	note "all 18 refused within $(ms_since "$begun") ms"
	[ "$(ms_since "$begun")" -lt 60000 ] || fail "beyond all deadlines"
	# The daemon at the silent one rests too, and ends when told.
	server=mongodb://10.66.0.3/
	spawn syncd aerostat-syncd --server="$server"
	wait_until 20 back-off status_is mode backoff
	i=$(cpu_ticks syncd)
	sleep 5
	quiet_since syncd "$i" "a server that never answers" 5
	i=$(ms_of stop syncd)
	note "SIGTERM at a server that never answers: $i ms"
	[ "$i" -lt 4000 ] || fail "SIGTERM took $i ms"
}

# --- a set in namespaces joined by veth ------------------------------------------------

# machines COUNT: 10.66.N.2, each in a network of its own, routed by this one.
machines()
{
	local i
	sysctl -qw net.ipv4.ip_forward=1
	for ((i = 0; i < $1; i++)); do
		spawn "net-$i" unshare -n sleep infinity
		wait_until 10 "network $i" test "$(readlink /proc/self/ns/net)" != "$(readlink "/proc/$(pid_of "net-$i")/ns/net")"
		wait_until 10 "a link to $i" ip link add "v$i" type veth peer name e0 netns "$(pid_of "net-$i")"
		ip address add "10.66.$i.1/24" dev "v$i"
		ip link set "v$i" up
		machine "$i" sh -c "ip link set lo up; ip address add 10.66.$i.2/24 dev e0
			ip link set e0 up; ip route add default via 10.66.$i.1"
	done
}
machine()
{
	local i=$1
	shift
	nsenter -t "$(pid_of "net-$i")" -n -- "$@"
}
# set_of_three: the client is on the router.
set_of_three()
{
	local i
	machines 3
	for i in 0 1 2; do
		mkdir -p "$test_dir/db$i"
		spawn "db$i" nsenter -t "$(pid_of "net-$i")" -n -- "$mongod" --quiet \
			--bind_ip "127.0.0.1,10.66.$i.2" --port 27017 --nounixsocket --dbpath "$test_dir/db$i" \
			--wiredTigerCacheSizeGB 0.25 --oplogSize 64 --replSet aero \
			--setParameter enableTestCommands=1 --setParameter diagnosticDataCollectionEnabled=false
	done
	for i in 0 1 2; do
		wait_until 60 "member $i" accepts "10.66.$i.2" 27017
	done
	initiate aero 10.66.0.2 10.66.0.2 10.66.1.2 10.66.2.2
	mongo_uri="mongodb://10.66.0.2,10.66.1.2,10.66.2.2/?replicaSet=aero"
	mongo primary >/dev/null
}
# primary: the number of the primary.
primary()
{
	mongo primary | cut -d . -f 3
}
# From within a member: not stopped by what stops us.
doc_at()
{
	machine "$1" /usr/bin/python3 "$e2e_dir/mongo.py" "$mongo_uri" replace servers \
		"{\"hostname\": \"$2\"}" "{\"hostname\": \"$2\", \"ip\": \"$3\"}"
}
agree()
{
	aerostat-syncd --server="$server" --dryrun >"$test_dir/dry" 2>&1 || return 1
	grep -q '+0 -0 ~0' "$test_dir/dry"
}
# cut RULE...: and the change that another member sees is timed; the outage in $took.
outage()
{
	local what=$1 bound=$2 other=$3 name=$4 begun=$EPOCHREALTIME cpu
	cpu=$(cpu_ticks syncd)
	sleep 1.5 # what was asked before the cut may still be answered
	doc_at "$other" "$name" 10.3.0.1
	wait_until "$bound" "$what" resolves "$name" 10.3.0.1
	note "$what: a change is seen $(ms_since "$begun") ms after the cut"
	cpu=$(($(cpu_ticks syncd) - cpu))
	[ "$cpu" -le $(($(ms_since "$begun") / 200 + 30)) ] || fail "$what: $cpu ticks of CPU"
}

part_link()
{
	local p o begun i reg
	set_of_three
	server="$mongo_uri&readPreference=primaryPreferred"
	doc web-9 10.1.0.9
	aerostat-register --server="$server" --offline --root="$test_dir/r0" --service=web \
		--instance-id=i-0 --ip=10.1.0.1 --loglevel=ERROR >/dev/null
	daemon
	wait_until 20 "the stream" status_is mode stream
	p=$(primary)
	o=$(((p + 1) % 3))
	# 1. What we send to the primary is lost; then what it sends; then both.
	iptables -A OUTPUT -d "10.66.$p.2" -j DROP
	outage "stream, DROP towards the primary" 60 "$o" cut-1
	iptables -F OUTPUT
	resync
	if [ "$(by_length quick long)" = long ]; then
		iptables -A INPUT -s "10.66.$p.2" -j DROP
		outage "stream, DROP from the primary" 60 "$o" cut-2
		iptables -F INPUT
		resync
	fi
	iptables -A INPUT -s "10.66.$p.2" -j DROP
	iptables -A OUTPUT -d "10.66.$p.2" -j DROP
	outage "stream, DROP both ways to the primary" 60 "$o" cut-3
	# ... and a registration meanwhile waits, and is made once.
	server=$mongo_uri registrar cut 10.1.0.7 --register-deadline=120
	sleep 3
	alive cut || fail "it did not wait: $(cat "$test_dir/cut.log")"
	begun=$EPOCHREALTIME
	iptables -F INPUT
	iptables -F OUTPUT
	ends cut 0
	note "registration begun while the primary was cut off: through $(ms_since "$begun") ms after the mend"
	# 2. In the middle of a registration: from its first write on, answers are lost.
	iptables -A INPUT -s "10.66.$p.2" -m connbytes --connbytes 3000: --connbytes-dir reply --connbytes-mode bytes \
		-j DROP 2>/dev/null && reg=yes
	if [ -n "${reg-}" ]; then
		server=$mongo_uri registrar half 10.1.0.8 --register-deadline=120
		sleep 4
		iptables -F INPUT
		ends half 0
		note "registration with its answers lost on the way: done, once"
	fi
	for i in cut half; do
		[ ! -e "$test_dir/$i.log" ] || equal "slots of i-$i" 1 "$(mongo count servers "{\"instance_id\": \"i-$i\"}")"
	done
	resync
	# 3. A whole reading that loses the line: all of it later, none of it half.
	mongo insert servers - <<<"$(for ((i = 0; i < 3000; i++)); do
		printf '{"hostname": "bulk-%d", "ip": "10.8.%d.%d"}\n' $i $((i / 250)) $((i % 250 + 1))
	done)"
	wait_until 30 "3000 more" resolves bulk-2999 10.8.11.250
	i=$(status_of sync_count)
	iptables -A INPUT -s 10.66.0.0/16 -p tcp --sport 27017 -m length --length 1000: -j DROP
	signal syncd USR1
	sleep 4
	equal "names while a reading hangs" 10.8.11.250 "$(address_of bulk-2999)"
	equal "no resync came of it" "$i" "$(status_of sync_count)"
	begun=$EPOCHREALTIME
	iptables -F INPUT
	wait_until 60 "the reading" status_over sync_count "$i"
	note "FULL with its large packets lost for 4 s: done $(ms_since "$begun") ms after the mend"
	agree || fail "$(cat "$test_dir/dry")"
	# 4. The primary is cut off from the others, not from us.
	if [ "$(by_length quick long)" = long ]; then
		phantom phantom-1 cut-6 "primaryPreferred"
	fi
	stop syncd
	server=$mongo_uri
	daemon
	wait_until 20 "the stream" status_is mode stream
	phantom phantom-0 cut-4 "primary"
	p=$(primary)
	o=$(((p + 1) % 3))
	# 5. Nobody can be reached: it rests, and comes back.
	iptables -A OUTPUT -d 10.66.0.0/16 -j DROP
	wait_until 60 "back-off" status_is mode backoff
	i=$(cpu_ticks syncd)
	sleep 5
	quiet_since syncd "$i" "the whole set in a black hole" 5
	resolves web-9 10.1.0.9 || fail "web-9 does not resolve"
	iptables -F OUTPUT
	outage "the set is back from a black hole" 60 "$o" cut-5
}
# phantom NAME CHANGE WHAT: the primary is cut off from the others, but not from us; what
# it takes alone is no name, now or later, and the daemon follows the new primary.
phantom()
{
	local p o
	p=$(primary)
	o=$(((p + 1) % 3))
	iptables -A FORWARD -i "v$p" -j DROP
	iptables -A FORWARD -o "v$p" -j DROP
	/usr/bin/python3 - "$p" "$1" <<'PY'
import sys, pymongo
c = pymongo.MongoClient("mongodb://10.66.%s.2/?directConnection=true" % sys.argv[1], w=1)
c.aerostat.servers.insert_one({"hostname": sys.argv[2], "ip": "10.9.9.9"})
PY
	outage "stream, the primary cut off from its set, not from us ($3)" 120 "$o" "$2"
	unknown "$1" || fail "a write that no majority had was published"
	iptables -F FORWARD
	sleep 3
	doc "after-$2" 10.3.0.2
	wait_until 60 "after-$2" resolves "after-$2" 10.3.0.2
	unknown "$1" || fail "a write that was rolled back was published"
	equal "rolled back" 0 "$(mongo count servers "{\"hostname\": \"$1\"}")"
	wait_until 20 "the mirror to be the collection" agree
	note "$1: taken with w:1, rolled back, never a name"
}
# The stream stands at the primary again.
resync()
{
	local count
	wait_until 20 "the primary" mongo ping
	count=$(status_of sync_count)
	signal syncd USR1
	wait_until 60 "a resync" status_over sync_count "$count"
	wait_until 20 "the stream" status_is mode stream
}

part_slow()
{
	local begun i
	addresses 10.66.0.2
	db db 10.66.0.2 --replSet aero
	initiate aero 10.66.0.2 10.66.0.2
	mongo_uri='mongodb://10.66.0.2/?directConnection=true'
	mongo primary >/dev/null
	mongo insert servers - <<<"$(for ((i = 0; i < 500; i++)); do
		printf '{"hostname": "bulk-%d", "ip": "10.8.%d.%d"}\n' $i $((i / 250)) $((i % 250 + 1))
	done)"
	server='mongodb://10.66.0.2/?replicaSet=aero'
	if tc qdisc add dev lo root netem delay 200ms rate 256kbit 2>/dev/null; then
		note "slow line: 200 ms each way and 32 kB/s, by netem"
	else
		note "slow line: 200 ms each way and 32 kB/s, by a relay of our own (no netem here)"
		spawn relay /usr/bin/python3 "$e2e_dir/net_fakes.py" relay 127.0.0.1 9999 200 32000 0
		wait_until 20 "the relay" accepts 127.0.0.1 9999
		iptables -t nat -A OUTPUT -d 10.66.0.2 -p tcp --dport 27017 -m mark ! --mark 7 \
			-j DNAT --to 127.0.0.1:9999
	fi
	i=$(ms_of mongo ping)
	begun=$(ms_of eval "mongo count servers >/dev/null")
	note "another client through it: ping $i ms, count $begun ms, connecting included"
	[ "$i" -gt 800 ] || fail "the line is not slow"
	begun=$EPOCHREALTIME
	spawn syncd aerostat-syncd --server="$server"
	wait_until 60 "500 names" resolves bulk-499 10.8.1.250
	note "first sync of 500 names: $(ms_since "$begun") ms"
	begun=$EPOCHREALTIME
	registrar far 10.1.0.1
	ends far 0
	note "registration: $(ms_since "$begun") ms"
	wait_until 20 "its name" resolves web-0 10.1.0.1
	note "registered and mirrored: $(ms_since "$begun") ms"
	sleep "$(by_length 5 60)"
	equal "the stream holds: reconnects" 0 "$(status_of reconnects)"
}

"part_$1"
stop syncd
pass "$1"
