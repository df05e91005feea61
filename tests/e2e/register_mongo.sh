#!/bin/bash
# SPDX-License-Identifier: MIT
# The registrar over a real three-member replica set: indexes, old data, a crowd, a
# primary killed under it, no store at all, a role that may not make indexes.
# shellcheck disable=SC2086 # $register is several words
. "${0%/*}/lib.sh"

start_replica_set >/dev/null
register="aerostat-register --server=$mongo_uri --loglevel=CRITICAL"
web="--service web --instance-id i-0 --ip 10.0.0.1"
db="--service db --type masterful"

# --- indexes, the lines ----------------------------------------------------------------

line=$($register --root="$test_dir/r0" $web --dryrun)
equal "dry run on an empty server" "would create the indexes
dry run: would register web-0 (new) i-0 10.0.0.1" "$line"
equal "it made none" "" "$(mongo indexes servers)"
equal "registered" "web-0 (new) i-0 10.0.0.1" "$($register --root="$test_dir/r0" $web)"
indexes=$(mongo indexes servers)
grep -q aero_instance <<<"$indexes" || fail "no indexes: $indexes"
equal "held" "web-0 (held) i-0 10.0.0.1" "$($register --root="$test_dir/r0" $web)"

$register --root="$test_dir/r1" $db --instance-id i-1 --ip 10.0.0.2 --alias sql >/dev/null
$register --root="$test_dir/r2" $db --instance-id i-2 --ip 10.0.0.3 --alias sql >/dev/null
mongo find servers '{"hostname": "db-slave-1"}' >"$test_dir/slot"
for field in '"service_type": "masterful"' '"instance_id": "i-2"' '"aliases": \["sql"\]' \
	'"reg": ' '"registered_at": '; do
	grep -q "$field" "$test_dir/slot" || fail "no $field: $(cat "$test_dir/slot")"
done
equal "the alias moved" 1 "$(mongo count servers '{"aliases": "sql"}')"
equal "change-over" "db-master i-2" "$($register --root="$test_dir/r2" $db --change-master)"
equal "its op is closed" 1 "$(mongo count control '{"_id": "db", "epoch": 2, "op": null}')"
equal "the two have swapped" 1 \
	"$(mongo count servers '{"hostname": "db-slave-1", "instance_id": "i-1", "ip": "10.0.0.2"}')"

# --- documents of the original ---------------------------------------------------------

mongo insert servers \
	'{"hostname": "old-10", "service": "old", "service_type": "", "instance_id": "", "ip": "", "aliases": null}' \
	'{"hostname": "old-2", "service": "old", "service_type": "", "instance_id": "", "ip": "10.9.9.9", "aliases": null}' \
	'{"hostname": "old-0", "service": "old", "instance_id": "i-old", "ip": "10.2.0.1", "aliases": null}' \
	'{"hostname": "", "service": "old", "service_type": "", "instance_id": "i-less", "ip": "10.2.0.2", "aliases": null}' \
	'{"hostname": "", "service": "old", "service_type": "", "instance_id": "", "ip": "", "aliases": null}' >/dev/null
old="--service old --ip 10.2.0.5"
equal "numeric order" "old-2 (gap) i-n1 10.2.0.5" \
	"$($register --root="$test_dir/o1" $old --instance-id i-n1)"
equal "old without reg" "old-0 (held) i-old 10.2.0.5" \
	"$($register --root="$test_dir/o2" $old --instance-id i-old)"
equal "nameless" "old-10 (gap) i-less 10.2.0.5" \
	"$($register --root="$test_dir/o3" $old --instance-id i-less)"
equal "a hole of old data" "old-1 (gap) i-n2 10.2.0.5" \
	"$($register --root="$test_dir/o4" $old --instance-id i-n2)"

# --- a crowd, and the primary killed under it ------------------------------------------

crowd()
{
	local i
	for ((i = 1; i <= 20; i++)); do
		spawn "$1-$i" $register --root="$test_dir/$1-$i" --service "$1" \
			--type masterful --instance-id "i-$1-$i" --ip "10.1.0.$i"
	done
}
dense()
{
	local i names=
	for ((i = 1; i <= 20; i++)); do
		wait "$(pid_of "$1-$i")" || fail "$1-$i: $(cat "$test_dir/$1-$i.log")"
		rm -f "$test_dir/.pids/$1-$i"
	done
	for ((i = 1; i < 20; i++)); do
		names="$names $1-slave-$i"
	done
	# the driver may say before our main that another left its counters in /dev/shm
	equal "names of $1" "$1-master$names" "$(grep -hv 'mongoc: Falling back to malloc' \
		"$test_dir/$1"-*.log | cut -d ' ' -f 1 | sort -V | xargs)"
	equal "slots of $1" 20 "$(mongo count servers \
		"{\"service\": \"$1\", \"instance_id\": {\"\$ne\": \"\"}}")"
}
crowd quiet
dense quiet
crowd killed
member=$(primary_member)
kill_member "$member"
dense killed
start_member "$member"

# --- no store --------------------------------------------------------------------------

kill_member 0
kill_member 1
refuses 69 $register --root="$test_dir/away" --service web --instance-id i-9 \
	--ip 10.0.0.9 --register-deadline=1
refuses 69 aerostat-register --server=localhost:1 --offline --dryrun --service web
equal "one clear line" 1 "$(wc -l <"$test_dir/refused")"
[ ! -e "$test_dir/away/var/lib/aerostat/identity.json" ] || fail "identity without a name"
# It comes back within the deadline.
spawn late $register --root="$test_dir/late" --service web --instance-id i-late \
	--ip 10.0.0.9 --register-deadline=60
start_member 0
wait "$(pid_of late)" || fail "late: $(cat "$test_dir/late.log")"
rm -f "$test_dir/.pids/late"
equal "late" "web-1 (new) i-late 10.0.0.9" "$(cat "$test_dir/late.log")"

pass
