#!/bin/bash
# SPDX-License-Identifier: MIT
# Data that the original left, with every oddity: it loads, what may answer does, the
# rest is refused with a reason, and registration goes on beside it.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/stores.sh
. "${0%/*}/stores.sh"
each_store "$@"
private_ns net
open_store

# getent's ahosts leaves out the family that the machine has no address of.
ip address add 10.99.0.1/32 dev lo
ip address add fd99::1/128 dev lo nodad
data=$top_srcdir/tests/data/original.json
server=("--server=$uri")

# What answers: address, name as the collection has it, aliases.
names='10.0.0.1 web-0
10.0.0.2 web-1 www static
10.0.0.4 web-3 still-here
10.0.1.1 db-master
10.0.1.2 db-slave-1
10.0.1.4 db-slave-3
10.0.2.1 old-0
10.0.2.2 old-1
10.0.2.4 old-3
10.0.2.9 old-8
10.0.2.10 old-9
10.0.2.11 old-10
10.0.3.1 my_app-0 my_alias
10.0.3.3 Upper-0
10.0.4.1 new-0 n
2001:db8::1 new-0 n'
# These alone are beyond what aerostat import takes.
names_odd='10.0.2.7 old-6
10.0.2.8 old-7 good better
10.0.4.2 new-1
10.0.4.5 gap-7'
unknown=(web-2 db-slave-2 old-2 old-4 old-5 test-0 test-1 api.example.com nul-0 list-0
	localhost 10.0.1.3 10.0.1.5 10.0.1.6 10.0.2.5 10.0.3.2 10.0.4.3 10.0.4.4)

load()
{
	if [ "$kind" != lmdb ]; then
		mongo insert servers - <"$data"
		names=$names$'\n'$names_odd
		return
	fi
	# All of a file or nothing of it; the first fault is named.
	refuses 65 aerostat "${server[@]}" import "$data"
	says "$data:7"
	[ ! -e "$test_dir/store/names.mdb" ] ||
		equal "nothing is taken" 0 "$(aerostat "${server[@]}" list --json |
			/usr/bin/python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')"
	/usr/bin/python3 - "$data" >"$test_dir/clean.json" <<'PY'
import ipaddress, json, sys
seen = set()
for line in open(sys.argv[1]):
    doc = json.loads(line)
    name, ip, aliases = doc.get("hostname"), doc.get("ip", ""), doc.get("aliases")
    if not isinstance(name, str) or not name or "." in name or "\0" in name or name in seen:
        continue
    if not isinstance(ip, str) or aliases is not None and not (
            isinstance(aliases, list) and all(isinstance(a, str) and a for a in aliases)):
        continue
    try:
        ipaddress.ip_address(ip or "10.0.0.1")
    except ValueError:
        continue
    if doc.get("reg") == "x":
        continue
    seen.add(name)
    print(line, end="")
PY
	aerostat "${server[@]}" import "$test_dir/clean.json" >"$test_dir/out"
	grep -q "imported $(wc -l <"$test_dir/clean.json") slots" "$test_dir/out" ||
		fail "import: $(cat "$test_dir/out")"
	# Twice is once.
	aerostat "${server[@]}" import - <"$test_dir/clean.json" >"$test_dir/out"
}

hosts()
{
	getent -s hosts:aerostat "$@" | tr -s ' '
}

published()
{
	local address name rest code
	while read -r address name rest; do
		equal "$name" "$address" "$(hosts "$([[ $address == *:* ]] && echo ahostsv6 ||
			echo ahostsv4)" "$name" | awk 'NR == 1 { print $1 }')"
		equal "$address" "$address $name${rest:+ $rest}" "$(hosts hosts "$address")"
		for alias in $rest; do
			[ -n "$(hosts hosts "$alias")" ] || fail "the alias $alias of $name"
		done
	done <<<"$names"
	for name in "${unknown[@]}"; do
		code=0
		getent -s hosts:aerostat hosts "$name" >"$test_dir/out" || code=$?
		equal "$name: $(cat "$test_dir/out")" 2 "$code"
	done
	# The block: the same, in natural order.
	equal "/etc/hosts" "$(sort <<<"$names")" "$(sed -n '/^# AEROSTAT$/,/^# \/AEROSTAT$/p' \
		/etc/hosts | grep -v -e '^#' -e localhost | sort)"
	equal "order" "$(grep -o 'old-[0-9]*' <<<"$names" | sort -V | xargs)" \
		"$(grep -o 'old-[0-9]*' /etc/hosts | xargs)"
}

refusals()
{
	aerostat status >"$test_dir/status" || fail "status: $(cat "$test_dir/status")"
	for name in test-0 test-1 api.example.com old-5; do
		grep -qE "$name.*: .+" "$test_dir/status" ||
			fail "no reason for $name: $(cat "$test_dir/status")"
	done
	sed -n '/^refused/,/^[^ r]/p' "$test_dir/status"
}

# register WANTED SERVICE TYPE ID ADDRESS [OPTION...]
register()
{
	local wanted=$1 got
	got=$(aerostat-register "${server[@]}" --root="$test_dir/$4" --register-deadline=5 \
		--service="$2" --type="$3" --instance-id="$4" --ip="$5" "${@:6}" \
		2>"$test_dir/stderr") || fail "register $*: $(cat "$test_dir/stderr")"
	[[ $got =~ ^$wanted' '$4' '$5$ ]] || fail "wanted '$wanted', got '$got'"
}

resolves()
{
	[ "$(getent -s hosts:aerostat hosts "$1" | awk '{ print $1 }')" = "$2" ]
}

load
spawn syncd aerostat-syncd "${server[@]}" --poll-interval=1
wait_until 20 "the names" resolves web-0 10.0.0.1
wait_until 5 "/etc/hosts" grep -q web-3 /etc/hosts
published
[ "$kind" = lmdb ] || refusals

if [ "$kind" != lmdb ]; then
	# With twins there can be no index: refused, with what to do; nothing was written.
	before=$(mongo find servers)
	refuses 78 aerostat-register "${server[@]}" --service=web --instance-id=i-000000aa \
		--ip=10.0.9.1 --root="$test_dir/none"
	says 'aerostatd --check'
	says -- '--no-indexes'
	equal "documents" "$before" "$(mongo find servers)"
	# Forced, it goes on.
	register 'web-2 \(gap\)' web '' i-000000aa 10.0.9.1 --no-indexes
	# As a person does it; `aerostatd --repair` is in repair.sh.
	for twin in 500000000000000000000009 50000000000000000000000a \
		50000000000000000000000b 500000000000000000000016; do
		mongo delete servers "{\"_id\": {\"\$oid\": \"$twin\"}}" >/dev/null
	done
else
	register 'web-2 \(gap\)' web '' i-000000aa 10.0.9.1
fi

# A gap is a blank instance_id, whatever its address; then the next number.
register 'web-3 \(gap\)' web '' i-000000ab 10.0.9.2
register 'web-4 \(new\)' web '' i-000000ac 10.0.9.3 --alias=static
# A hole in old numbers is filled.
register 'db-slave-2 \((gap|new)\)' db masterful i-000000ad 10.0.9.4
# Those that are there already keep their names, without service_type or not.
register 'db-master \(held\)' db masterful i-00000005 10.0.1.1
register 'old-0 \(held\)' old '' i-0000000c 10.0.2.1
register 'old-8 \(held\)' old '' i-00000014 10.0.2.9
# instance_id null is a gap; a document without a name is none.
register 'old-10 \(gap\)' old '' i-000000ae 10.0.9.7
# A name that is needed, in a document without a service: said at once.
refuses 1 aerostat-register "${server[@]}" --root="$test_dir/i-000000b0" --service=old \
	--instance-id=i-000000b0 --ip=10.0.9.5
says 'old-3'
if [ "$kind" = lmdb ]; then
	put_document "$(slot old-3 i-0000000f 10.0.2.4)"
else
	mongo update servers '{"hostname": "old-3"}' '{"$set": {"service": "old"}}' >/dev/null
fi
register 'old-4 \((gap|new)\)' old '' i-000000b0 10.0.9.5
if [ "$kind" != lmdb ]; then
	equal "what the original kept beside" 1 \
		"$(mongo count servers '{"hostname": "old-8", "note": "kept", "keywords.a": 2}')"
	# The original's half-done swap: the node gets a name, and has one document.
	register 'db-slave-4 \((gap|new)\)' db masterful i-00000007 10.0.1.3
	equal "documents of i-00000007" 1 \
		"$(mongo count servers '{"instance_id": "i-00000007"}')"
	# Aliases that are taken over from odd lists: only these go.
	register 'web-5 \(new\)' web '' i-000000af 10.0.9.6 --alias=good --alias=one
	equal "the rest of an odd list" 1 "$(mongo count servers \
		'{"hostname": "old-7", "aliases": [5, null, "better"]}')"
	wait_until 20 "the alias good" resolves good 10.0.9.6
	wait_until 20 "the alias better" resolves better 10.0.2.8
	wait_until 20 "db-slave-4" resolves db-slave-4 10.0.1.3
	indexes=$(mongo indexes servers)
	for index in aero_gap aero_hostname aero_instance; do
		grep -qx "$index" <<<"$indexes" || fail "no index $index: $indexes"
	done
fi
wait_until 20 "old-4" resolves old-4 10.0.9.5
wait_until 20 "web-4" resolves web-4 10.0.9.3
wait_until 20 "the alias static" resolves static 10.0.9.3
wait_until 20 "the alias www" resolves www 10.0.0.2
wait_until 20 "db-slave-2" resolves db-slave-2 10.0.9.4
resolves db-master 10.0.1.1 || fail "db-master moved"
stop syncd
equal "SIGTERM" 0 "$exit_code"
pass "$test_name $kind"
