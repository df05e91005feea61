#!/bin/bash
# SPDX-License-Identifier: MIT
# A collection as the original leaves it: --check says what is wrong with it, --repair mends
# it by a plan that it prints, and nobody whose name answers loses it by that. Cut off
# (SIGKILL) after each step, it is run again.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/stores.sh
. "${0%/*}/stores.sh"
each_store "$@"
private_ns net
open_store

server=(aerostatd "--server=$uri" "--root=$test_dir/server" --loglevel=ERROR)

# runs CODE OPTION...: it ends so; its lines are in $test_dir/lines.
runs()
{
	local want=$1 code=0
	shift
	"${server[@]}" "$@" >"$test_dir/lines" 2>"$test_dir/stderr" || code=$?
	[ "$code" = "$want" ] ||
		fail "$*: $code, not $want: $(cat "$test_dir/lines" "$test_dir/stderr")"
}

# line PATTERN: one such line was printed.
line()
{
	grep -q "^$1" "$test_dir/lines" || fail "no '$1': $(cat "$test_dir/lines")"
}

# All documents, as far as each kind of store shows them.
documents()
{
	if [ "$kind" = lmdb ]; then
		aerostat "--server=$uri" --root="$test_dir/cli" list --json
	else
		mongo find servers
	fi
}

# holder NAME: who is in it
holder()
{
	aerostat "--server=$uri" --root="$test_dir/cli" why "$1" --json 2>"$test_dir/stderr" |
		/usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["instance_id"])'
}

# --- what can be mended -----------------------------------------------------------------

# document N NAME SERVICE TYPE ID ADDRESS [MORE]: with an _id that is later than others'
document()
{
	printf '{"_id": {"$oid": "f%023d"}, "hostname": "%s", "service": "%s", "service_type": "%s", "instance_id": "%s", "ip": "%s"%s}\n' \
		"$1" "$2" "$3" "$4" "$5" "$6" "${7:-, \"aliases\": null}"
}

# original ID ADDRESS SERVICE TYPE: a machine that runs the original registers.
original()
{
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$e2e_dir /usr/bin/python3 - "$(sed 's|mongodb://||; s|[,/].*||' <<<"${at:-$mongo_uri}")" "$@" <<'PY'
import sys
from original_client import Original, connect, run
at, *node = sys.argv[1:]
host, port = at.split(":")
servers = connect(host, int(port)).aerostat.servers
run(Original(servers, *node).register())
servers.find_one({"_id": 0})
PY
}

mess()
{
	local put
	if [ "$kind" = lmdb ]; then
		rm -rf "$test_dir/store"
		mkdir "$test_dir/store"
		put=(aerostat "--server=$uri" "--root=$test_dir/cli" import -)
		{
			document 1 web-0 web iterative i-1 10.0.0.1 ', "aliases": ["www", "a"]'
			document 2 web-1 web iterative i-2 10.0.0.2
			document 3 web-2 web iterative i-3 10.0.0.3
			document 4 db-master db masterful i-m 10.0.1.1 ', "epoch": 9'
			document 5 db-slave-1 db masterful i-s 10.0.1.2
		} | "${put[@]}" >"$test_dir/out"
	else
		mongo drop
		[ "$kind" = standalone ] || at=$(mongo primary)
		put=(mongo insert servers -)
		original i-1 10.0.0.1 web iterative
		original i-2 10.0.0.2 web iterative
		original i-3 10.0.0.3 web iterative
		original i-m 10.0.1.1 db masterful
		original i-s 10.0.1.2 db masterful
		mongo update servers '{"hostname": "web-0"}' '{"$set": {"aliases": ["www", "a"]}}' >/dev/null
		mongo update servers '{"hostname": "db-master"}' '{"$set": {"epoch": 9.5}}' >/dev/null
		{
			document 1 web-0 web iterative '' ''
			document 2 web-1 web iterative i-9 10.0.0.9
			document 3 web-7 web iterative i-3 10.0.0.3
			document 4 '' db masterful i-7 10.0.1.7
			document 5 '' db masterful '' ''
			document 6 db-master db masterful i-8 10.0.1.8
			document 7 web-10 web iterative i-10 10.0.0.10 ', "ip6": "fd00::1", "ip6_of": "i-0"'
		} | "${put[@]}" >/dev/null
	fi
	{
		document 8 web-8 '' '' i-6 10.0.0.6
		document 9 web-9 web iterative i-5 10.0.0.5 ', "aliases": ["www", "b"]'
	} | "${put[@]}" >"$test_dir/out"
}

# Who had a name that answers has it, and the others have one by now.
mended()
{
	local name id
	while read -r name id; do
		equal "$name" "$id" "$(holder "$name")"
	done <<'NAMES'
web-0 i-1
web-1 i-2
web-2 i-3
web-8 i-6
web-9 i-5
db-master i-m
db-slave-1 i-s
NAMES
	runs 0 --check
	line '[0-9]* documents: 0 wrong, '
	[ "$kind" != lmdb ] || return 0
	for id in i-7 i-8 i-9 i-10; do
		equal "slots of $id" 1 "$(mongo count servers "{\"instance_id\": \"$id\", \"hostname\": {\"\$gt\": \"\"}}")"
	done
	equal "who is in several, or in none that has a name" 0 "$(mongo count servers '{"hostname": {"$in": ["", null]}}')"
	equal "indexes" "_id_ aero_gap aero_hostname aero_instance" "$(mongo indexes servers | xargs)"
}

runs 64 --check --repair
runs "$([ "$kind" = lmdb ] && echo 0 || echo 1)" --check
mess
documents >"$test_dir/before"
runs 1 --check
line 'wrong web-[09] .* aliases: www is an alias of web-[09], too, which answers; to mend: '
line 'wrong web-8 .* service: none; to mend: set the field right'
line 'wrong db-master .* epoch: '
line 'said web-3 - hostname: no slot of this number'
force=
if [ "$kind" != lmdb ]; then
	line 'wrong web-0 f00000000000000000000001 hostname: .*; to mend: delete the document'
	line 'wrong web-1 f00000000000000000000002 .*; to mend: take the hostname off'
	line 'wrong web-7 f00000000000000000000003 instance_id: i-3 is in web-2, too; to mend: make'
	line 'wrong - f00000000000000000000004 hostname: no hostname for i-7; to mend: register'
	line 'said - f00000000000000000000005 hostname: .*; to mend: delete the document'
	line 'wrong db-master f00000000000000000000006 hostname: .*; to mend: take the hostname off'
	line 'said web-10 f00000000000000000000007 ip6: of another occupant'
	line 'wrong - - indexes: '
	# Five of them take something away: more than the guard lets go at once.
	runs 1 --repair --dryrun
	line 'wrong web-0 f00000000000000000000001 .*; held: delete the document'
	grep -q '5 names and documents of 14 would go at once, the guard lets 3' "$test_dir/stderr" ||
		fail "$(cat "$test_dir/stderr")"
	force=--force
fi
# shellcheck disable=SC2086 # none or one
runs 0 --repair --dryrun $force
line 'wrong web-8 .*; would: set the field right'
line 'dry run: .* would be mended, 0 held, nothing written'
equal "a plan changes nothing" "$(cat "$test_dir/before")" "$(documents)"

# shellcheck disable=SC2086
runs 0 --repair $force
line 'wrong web-8 .*; will: set the field right'
line 'done web-8 [^ ]*: set the field right'
line '[0-9]* documents: 0 wrong, [0-9]* worth knowing; [0-9]* mended, 0 held'
[ "$kind" = lmdb ] || line 'done - f00000000000000000000004: register the instance as a newcomer: db-slave-[23]'
mended
aerostat "--server=$uri" --root="$test_dir/cli" history web-8 >"$test_dir/lines"
line '.* web-8 i-6 was mended by aerostatd --repair: set the field right'
documents >"$test_dir/before"
runs 0 --repair
line '.*; 0 mended, 0 held'
equal "nothing is done twice" "$(cat "$test_dir/before")" "$(documents)"

# --- cut off after each step ----------------------------------------------------------------

mess
cut=0
for i in {1..60}; do
	mkfifo "$test_dir/pipe$i"
	# shellcheck disable=SC2086
	"${server[@]}" --repair $force >"$test_dir/pipe$i" 2>"$test_dir/stderr" &
	pid=$!
	if grep -m 1 '^done' "$test_dir/pipe$i" >"$test_dir/lines"; then
		kill -KILL "$pid" 2>/dev/null && cut=$((cut + 1))
	fi
	code=0
	wait "$pid" 2>/dev/null || code=$?
	[ "$code" != 0 ] || break
	[ "$code" = 137 ] || [ "$code" = 141 ] || fail "a run ended with $code: $(cat "$test_dir/stderr")"
done
note "runs that were cut off: $cut"
[ "$cut" -ge 3 ] || fail "only $cut runs were cut off"
equal "the last one had nothing to do" 0 "$code"
mended

# --- while others register ------------------------------------------------------------------

mess
# A newcomer that goes without indexes takes a second web-0 that is blank, and answers then.
[ "$kind" = lmdb ] || mongo delete servers '{"_id": {"$oid": "f00000000000000000000001"}}' >/dev/null
for i in {1..6}; do
	spawn "new-$i" aerostat-register "--server=$uri" --root="$test_dir/new-$i" --service=web \
		--instance-id="i-new$i" --ip="10.0.7.$i" --no-indexes
done
# What they move under it, it says, and looks at again.
code=0
# shellcheck disable=SC2086
"${server[@]}" --repair $force >"$test_dir/lines" 2>"$test_dir/stderr" || code=$?
[ "$code" -le 1 ] || fail "beside others: $code: $(cat "$test_dir/lines" "$test_dir/stderr")"
note "beside others: $(tail -n 1 "$test_dir/lines")"
for i in {1..6}; do
	wait "$(pid_of "new-$i")" || fail "i-new$i: $(cat "$test_dir/new-$i.log")"
	rm "$test_dir/.pids/new-$i"
done
# shellcheck disable=SC2086
runs 0 --repair $force
mended
for i in {1..6}; do
	equal "i-new$i" "i-new$i" "$(holder "i-new$i")"
done

# --- every oddity of the original's data: what is left is a person's -----------------------

if [ "$kind" != lmdb ]; then
	mongo drop
	mongo insert servers - <"$top_srcdir/tests/data/original.json"
	runs 1 --check
	line '34 documents: 15 wrong, 16 worth knowing'
	code=0
	"${server[@]}" --check --json >"$test_dir/json" 2>/dev/null || code=$?
	equal "JSON" "1 31" "$code $(/usr/bin/python3 -c 'import json, sys
print(len(json.load(open(sys.argv[1]))))' "$test_dir/json")"
	runs 1 --repair --force
	! grep -q '^wrong.*; held' "$test_dir/lines" || fail "$(cat "$test_dir/lines")"
	runs 1 --check
	equal "what is left" "- -
- -
api.example.com hostname
old-2 ip
old-5 ip
test-0 ip" "$(sed -n 's/^wrong \([^ ]*\) [^ ]* \([^ ]*\): .*; by hand: .*/\1 \2/p' "$test_dir/lines")"
fi
pass "$test_name $kind"
