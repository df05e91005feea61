#!/bin/bash
# SPDX-License-Identifier: MIT
# Who may enter: the roles of doc/mongodb.md do what each program needs and no more; wrong
# passwords, users without rights, a password changed under a daemon.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/net_lib.sh
. "${0%/*}/net_lib.sh"
need_mongod
[ $# != 0 ] || in_parts roles refused
private_ns net
# shellcheck source=tests/e2e/syncd_lib.sh
. "$e2e_dir/syncd_lib.sh"

at=127.0.0.1:27017
(
	umask 077
	head -c 48 /dev/urandom | base64 -w 0 >"$test_dir/key"
)
db db 127.0.0.1 --replSet auth --keyFile "$test_dir/key"
initiate auth 127.0.0.1 127.0.0.1
mongo_uri="mongodb://$at/?directConnection=true"
mongo primary >/dev/null
# The first user may be made from this machine without one.
wait_until 20 "the first user" mongo command '{"createUser": "root", "pwd": "secret", "roles": ["root"]}'
mongo_uri="mongodb://root:secret@$at/?replicaSet=auth"
documented()
{
	/usr/bin/python3 "$e2e_dir/doc_commands.py" "$top_srcdir/doc/mongodb.md" "$mongo_uri" \
		aerostat "$@"
}
documented >"$test_dir/made"
equal "documented roles and users" 10 "$(grep -c '^create\(Role aero\|User aero-\)' "$test_dir/made")"

# as USER: the server file of that user, as the page has it.
as()
{
	(
		umask 077
		echo "mongodb://aero-$1:${2:-change-me-$1}@$at/aerostat?replicaSet=auth" >"$test_dir/server-$1"
	)
	echo "$test_dir/server-$1"
}
registers()
{
	local user=$1
	shift
	aerostat-register --server-file="$(as "$user")" --offline --root="$test_dir/node" \
		--service=db --type=masterful --loglevel=WARNING "$@"
}

repairs()
{
	local user=$1
	shift
	aerostatd --server-file="$(as "$user")" --root="$test_dir/server" --loglevel=WARNING "$@"
}

# some NUMBER COLLECTION QUERY
some()
{
	[ "$(mongo count "$2" "$3")" = "$1" ]
}

# --- each role does its work, and nothing else -----------------------------------------

part_roles()
{
	local user
	refuses 78 registers register --instance-id=i-0 --ip=10.0.0.1
	grep -q 'unique indexes are missing and this user may not make them' "$test_dir/refused" ||
		fail "$(cat "$test_dir/refused")"
	equal "the first node, as aero-admin" "db-master (new) i-1 10.0.0.1" \
		"$(registers admin --instance-id=i-1 --ip=10.0.0.1 2>&1)"
	equal "its indexes" "_id_ aero_gap aero_hostname aero_instance" \
		"$(mongo indexes servers | xargs)"
	# Output and errors together: no warning either.
	equal "a dry run" "dry run: would register db-slave-1 (new) i-2 10.0.0.2" \
		"$(registers register --instance-id=i-2 --ip=10.0.0.2 --dryrun 2>&1)"
	equal "the second, as aero-register" "db-slave-1 (new) i-2 10.0.0.2" \
		"$(registers register --instance-id=i-2 --ip=10.0.0.2 --alias=sql 2>&1)"
	equal "again, with an alias less" "db-slave-1 (held) i-2 10.0.0.2" \
		"$(registers register --instance-id=i-2 --ip=10.0.0.2 2>&1)"
	equal "the third takes the alias" "db-slave-2 (new) i-3 10.0.0.3" \
		"$(registers register --instance-id=i-3 --ip=10.0.0.3 --alias=sql 2>&1)"
	equal "change-over" "db-master i-2" \
		"$(registers register --instance-id=i-2 --ip=10.0.0.2 --change-master 2>&1)"
	aerostat release --server-file="$(as register)" --offline --root="$test_dir/node" \
		--instance-id=i-3 --loglevel=WARNING >"$test_dir/out" 2>&1 || fail "$(cat "$test_dir/out")"
	equal "released" 1 "$(mongo count servers '{"hostname": "db-slave-2", "instance_id": ""}')"
	for user in register admin; do
		slots 1 3 | aerostat import - --server-file="$(as $user)" >"$test_dir/out" 2>&1 ||
			fail "import as $user: $(cat "$test_dir/out")"
	done
	equal "imported" 3 "$(mongo count servers '{"service": "web"}')"
	for user in sync register admin; do
		aerostat list --server-file="$(as $user)" >"$test_dir/out" 2>&1 ||
			fail "list as $user: $(cat "$test_dir/out")"
		grep -q db-master "$test_dir/out" || fail "list as $user: $(cat "$test_dir/out")"
	done
	# The daemon: a snapshot, the stream, a change.
	aerostat-syncd --server-file="$(as sync)" --once --loglevel=WARNING >"$test_dir/out" 2>&1
	equal "an update without a warning" "" "$(cat "$test_dir/out")"
	spawn syncd aerostat-syncd --server-file="$(as sync)"
	wait_until 20 "the stream" status_is mode stream
	mongo update servers '{"hostname": "web-1"}' '{"$set": {"ip": "10.7.7.7"}}' >/dev/null
	wait_until 10 "a change" resolves web-1 10.7.7.7
	mongo update servers '{"hostname": "web-1"}' '{"$set": {"aliases": ["a", "b"]}}' >/dev/null
	wait_until 10 "another" resolves b 10.7.7.7
	mongo update servers '{"hostname": "web-1"}' '{"$set": {"aliases.1": "c"}}' >/dev/null
	wait_until 10 "one that is read again" resolves c 10.7.7.7
	aerostat-syncd --server-file="$(as sync)" --once 2>/dev/null
	equal "resyncs" 1 "$(status_of sync_count)"
	! grep -E 'WARNING|ERROR' "$test_dir/syncd.log" || fail "the daemon lacks something"
	stop syncd
	# Repair: who registers may look; to delete takes a role of its own.
	mongo insert servers '{"hostname": "", "service": "web", "instance_id": "", "ip": ""}'
	for user in register admin repair; do
		repairs $user --check >"$test_dir/out" 2>&1 || fail "check as $user: $(cat "$test_dir/out")"
		grep -q 'to mend: delete the document' "$test_dir/out" || fail "check as $user: $(cat "$test_dir/out")"
	done
	refuses 77 repairs sync --check
	grep -q "collection: 'nodes'}, actions: \['find'\]" "$test_dir/refused" || fail "$(cat "$test_dir/refused")"
	refuses 77 repairs admin --repair
	grep -q "collection: 'servers'}, actions: \['find', 'remove'\]" "$test_dir/refused" ||
		fail "$(cat "$test_dir/refused")"
	equal "nothing was deleted" 1 "$(mongo count servers '{"hostname": ""}')"
	repairs repair --repair >"$test_dir/out" 2>&1 || fail "repair: $(cat "$test_dir/out")"
	equal "deleted" 0 "$(mongo count servers '{"hostname": ""}')"
	equal "in the history" 1 "$(mongo count history '{"event": "repaired", "why": "delete the document"}')"
	# Heartbeats, with the right for them and without: a line, and names all the same.
	mkdir -p "$test_dir/beat/etc"
	aerostat-register --server-file="$(as register)" --root="$test_dir/beat" --service=db \
		--type=masterful --instance-id=i-2 --ip=10.0.0.2 --loglevel=WARNING >/dev/null
	spawn beats aerostat-syncd --server-file="$(as beat)" --root="$test_dir/beat" --heartbeat --lease=3
	wait_until 20 "a heartbeat" some 1 nodes '{"_id": "i-2", "seen_at": {"$type": "date"}, "gen": {"$gte": 1}}'
	equal "of one node" 1 "$(mongo count nodes '{"seen_at": {"$exists": true}}')"
	! grep -E 'WARNING|ERROR' "$test_dir/beats.log" || fail "the heartbeat lacks something"
	stop beats
	spawn refused aerostat-syncd --server-file="$(as sync)" --root="$test_dir/beat" --heartbeat --lease=3
	wait_until 20 "the refusal" grep -q "WARNING heartbeat: .*'nodes'}, actions: \['" "$test_dir/refused.log"
	aerostat status --root="$test_dir/beat" >"$test_dir/out"
	grep -q '^mirror    5 names' "$test_dir/out" || fail "no names: $(cat "$test_dir/out")"
	wait_until 5 "the reason in the status" sh -c "aerostat status --root=$test_dir/beat |
		grep -q '^heartbeat never taken: .*lacks a privilege'"
	stop refused
	equal "warnings of it" 1 "$(grep -c 'WARNING heartbeat' "$test_dir/refused.log")"
	# What is refused says what is missing.
	refuses 77 registers sync --instance-id=i-9 --ip=10.0.0.9
	refuses 77 aerostat import "$top_srcdir/tests/data/slot.jsonl" --server-file="$(as sync)"
	grep -q "collection: 'servers'}, actions: \['" "$test_dir/refused" || fail "$(cat "$test_dir/refused")"
	refuses 77 aerostat-syncd --server-file="$(as register)" --once
	grep -q "'changeStream'" "$test_dir/refused" || fail "$(cat "$test_dir/refused")"
	# Everything else: every action on every collection, against a table.
	/usr/bin/python3 - "$at" >"$test_dir/matrix" <<'PY'
import sys
import pymongo
from pymongo.errors import OperationFailure

F, I, U, D, L, X, S, P = "find insert update delete listIndexes createIndex stream drop".split()
REGISTER = {"servers": {F, I, U, L}, "control": {F, I, U}, "nodes": {F, I, U}}
MAY = {"sync": {"servers": {F, S}}, "register": REGISTER,
       "admin": {**REGISTER, "servers": REGISTER["servers"] | {X}, "history": {F, I}},
       "beat": {"servers": {F, S}, "nodes": {U}},
       "repair": {**REGISTER, "servers": REGISTER["servers"] | {X, D}, "history": {F, I}}}
COLLECTIONS = ["servers", "control", "nodes", "history", "configs", "system.users"]


def allowed(run):
    try:
        run()
    except OperationFailure as err:
        if err.code not in (13, 18):
            raise
        return False
    return True


bad = tried = 0
for user, may in MAY.items():
    client = pymongo.MongoClient("mongodb://aero-%s:change-me-%s@%s/aerostat?replicaSet=auth"
                                 % (user, user, sys.argv[1]))
    for database in ("aerostat", "admin", "local", "test"):
        for name in COLLECTIONS:
            if name == "system.users" and database != "admin":
                continue
            c = client[database][name]
            ops = {
                F: lambda: c.find_one({"hostname": "none"}),
                U: lambda: c.update_one({"hostname": "none"}, {"$set": {"x": 1}}),
                D: lambda: c.delete_one({"hostname": "none"}),
                L: lambda: list(c.list_indexes()),
                X: lambda: c.create_index("hostname", name="aero_hostname", unique=True,
                                          partialFilterExpression={"hostname": {"$gt": ""}}),
                S: lambda: c.watch().close(),
                P: lambda: c.drop(),
                I: lambda: c.insert_one({"_id": "probe-" + user}),
            }
            for op, run in ops.items():
                tried += 1
                want = database == "aerostat" and op in may.get(name, set())
                if allowed(run) != want:
                    bad += 1
                    print("aero-%s: %s on %s.%s: wanted %s" % (user, op, database, name, want))
print("%d tried" % tried)
sys.exit(bad > 0)
PY
	note "actions by user and collection: $(tail -n 1 "$test_dir/matrix")"
}

# --- refused ---------------------------------------------------------------------------

no_secret()
{
	local file
	for file in "$test_dir"/*.log "$test_dir"/refused* /var/lib/aerostat/status.json; do
		[ ! -e "$file" ] || ! grep -qE 'change-me|wrong-one|new-one' "$file" ||
			fail "a password in $file: $(grep -E 'change-me|wrong-one|new-one' "$file")"
	done
	for file in /proc/[0-9]*/cmdline; do
		[ "$(readlink "${file%cmdline}exe" 2>/dev/null)" = "$(command -v aerostat-syncd)" ] || continue
		! tr '\0' ' ' <"$file" | grep -E 'change-me|wrong-one|new-one' >/dev/null || fail "a password in ps"
	done
}

part_refused()
{
	local before cpu lines program words
	registers admin --instance-id=i-1 --ip=10.0.0.1 >/dev/null
	mongo command '{"createUser": "aero-none", "pwd": "change-me-none", "roles": []}' aerostat >/dev/null
	# Who may not enter is told at once, with one line, 77.
	for program in "aerostat-syncd --once" "aerostat list" "aerostat import $top_srcdir/tests/data/slot.jsonl" \
		"aerostat-register --offline --root=$test_dir/node2 --service=web --instance-id=i-5 --ip=10.0.0.5 --register-deadline=20"; do
		for words in "sync wrong-one" "nobody change-me-x" "none change-me-none"; do
			before=$EPOCHREALTIME
			# shellcheck disable=SC2086 # words
			refuses 77 $program --server-file="$(as $words)"
			[ "$(ms_since "$before")" -lt 15000 ] || fail "$program took $(ms_since "$before") ms"
			# the registrar says of the indexes, too, that it may not look at them
			lines=1
			[[ "$program $words" != *register*none* ]] || lines=2
			equal "$program as $words: lines: $(cat "$test_dir/refused"):" "$lines" "$(wc -l <"$test_dir/refused")"
			case $words in
			none*) grep -q "lacks a privilege; it needs" "$test_dir/refused" ;;
			*) grep -q "authentication failed; see user, password and authSource" "$test_dir/refused" ;;
			esac || fail "$program as $words: $(cat "$test_dir/refused")"
			no_secret
		done
	done
	# A URI with a password on the command line works, and is warned of.
	aerostat-syncd --once "--server=$(cat "$(as sync)")" >"$test_dir/warned.log" 2>&1
	equal "a warning" 1 "$(grep -c 'WARNING.*--server-file' "$test_dir/warned.log")"
	no_secret

	# The password changes under the daemon: it serves, says so, asks slowly.
	spawn syncd aerostat-syncd --server-file="$(as sync)"
	wait_until 20 "the stream" status_is mode stream
	mongo command '{"updateUser": "aero-sync", "pwd": "new-one"}' aerostat >/dev/null
	stop db KILL
	db db 127.0.0.1 --replSet auth --keyFile "$test_dir/key"
	wait_until 60 "the refusal" grep -q 'WARNING store: .*authentication failed' "$test_dir/syncd.log"
	wait_until 5 back-off status_is mode backoff
	before=$(status_of reconnects)
	lines=$(log_lines syncd)
	cpu=$(cpu_ticks syncd)
	sleep "$(by_length 8 150)"
	quiet_since syncd "$cpu" "password changed" "$(by_length 8 150)"
	note "attempts in $(by_length 8 150) s: $(($(status_of reconnects) - before)), lines: $(($(log_lines syncd) - lines))"
	[ "$(($(status_of reconnects) - before))" -le "$(by_length 1 4)" ] || fail "too many attempts"
	[ "$(($(log_lines syncd) - lines))" -le "$(by_length 1 4)" ] || fail "too many lines"
	equal "served all the while" 10.0.0.1 "$(address_of db-master)"
	no_secret
	# Mended in the file: SIGHUP reads it.
	as sync new-one >/dev/null
	before=$EPOCHREALTIME
	signal syncd HUP
	wait_until 30 "the stream" status_is mode stream
	note "mended, SIGHUP: following again after $(ms_since "$before") ms"
	mongo update servers '{"hostname": "db-master"}' '{"$set": {"ip": "10.7.7.7"}}' >/dev/null
	wait_until 10 "a change" resolves db-master 10.7.7.7
	# A right is taken away, and given back: nobody tells the daemon.
	mongo command '{"updateUser": "aero-sync", "roles": []}' aerostat >/dev/null
	wait_until 60 "the refusal" grep -q 'WARNING store: .*lacks a privilege' "$test_dir/syncd.log"
	equal "served" 10.7.7.7 "$(address_of db-master)"
	mongo command '{"updateUser": "aero-sync", "roles": ["aeroSync"]}' aerostat >/dev/null
	before=$EPOCHREALTIME
	[ "$(by_length quick long)" = long ] || signal syncd USR1
	wait_until 90 "the stream" status_is mode stream
	note "a right given back, $(by_length SIGUSR1 'nobody told it'): following again after $(ms_since "$before") ms"
	no_secret
	stop syncd
}

"part_$1"
pass "$1"
