#!/bin/bash
# SPDX-License-Identifier: MIT
# aerostat as a person uses it, with the embedded store and with MongoDB: import, register,
# list in every format (read back by the programs that they are for), release; then from
# the mirror that an update made.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

aerostat=$top_builddir/aerostat
[ -x "$aerostat" ] || fail "$aerostat is missing: make builds it"
root=$test_dir/root
mkdir -p "$root/etc" "$root/var/lib/aerostat"

a()
{
	"$aerostat" --root="$root" "$@"
}

# python CODE TEXT: true of the JSON text j.
holds()
{
	printf '%s' "$2" | python3 -c "import json, sys
j = json.load(sys.stdin)
assert ($1), j" || fail "not true: $1"
}

cat >"$test_dir/fleet.json" <<'JSON'
{"_id":{"$oid":"507f1f77bcf86cd799439011"},"hostname":"web-10","service":"web","service_type":"iterative","instance_id":"i-10","ip":"10.0.0.10","aliases":null}
{"hostname":"web-2","service":"web","service_type":"iterative","instance_id":"i-2","ip":"10.0.0.2","ip6":"fd00::2","aliases":["www","api"]}
{"hostname":"web-3","service":"web","service_type":"iterative","instance_id":"","ip":"","aliases":[]}
{"hostname":"printer","service":"","service_type":"","instance_id":"","ip":"10.0.9.9"}
JSON
{
	cat "$test_dir/fleet.json"
	echo '{"hostname":"web-4"'
} >"$test_dir/bad.json"

# The whole round over one store.
round()
{
	local store=--server=$1 me
	note "$1: import"
	equal "dry run" "dry run: 4 slots, nothing written" \
		"$(a "$store" --dryrun import "$test_dir/fleet.json" | tail -n 1)"
	refuses 1 a "$store" list web
	a "$store" import - <"$test_dir/fleet.json"
	refuses 65 a "$store" import "$test_dir/bad.json"
	grep -q 'bad.json:5: no JSON' "$test_dir/refused" || fail "$(cat "$test_dir/refused")"

	note "formats"
	equal "hosts" "10.0.9.9 printer
10.0.0.2 web-2 www api
fd00::2 web-2 www api
10.0.0.10 web-10" "$(a "$store" list --format=hosts)"
	equal "table" "web-2 web iterative i-2 10.0.0.2,fd00::2 www,api
web-3 web iterative (gap) - -
web-10 web iterative i-10 10.0.0.10 -" \
		"$(a "$store" list web | tail -n +2 | tr -s ' ')"
	holds '[h["name"] for h in j] == ["printer", "web-2", "web-3", "web-10"]' \
		"$(a "$store" list --json)"
	holds 'j[1] == {"targets": ["10.0.0.10"], "labels": {"instance": "web-10",
		"service": "web", "service_type": "iterative", "instance_id": "i-10"}}' \
		"$(a "$store" list web --format=prometheus-sd)"
	equal "ansible" "printer ansible_host=10.0.9.9

[web]
web-2 ansible_host=10.0.0.2
web-10 ansible_host=10.0.0.10" "$(a "$store" list --format=ansible)"
	if command -v ssh >/dev/null; then
		a "$store" list --format=ssh >"$test_dir/ssh"
		equal "ssh" "hostname 10.0.0.2" \
			"$(ssh -T -G -F "$test_dir/ssh" www 2>/dev/null | grep '^hostname ')"
	fi

	note "register and release"
	me=(--offline --service=web --instance-id=i-me --ip=10.0.0.77)
	equal "dry run" "dry run: would register web-3 (gap) i-me 10.0.0.77" \
		"$(a "$store" --dryrun --register "${me[@]}" | tail -n 1)"
	equal "register" "web-3 (gap) i-me 10.0.0.77" \
		"$(a "$store" --register "${me[@]}")"
	equal "listed" "10.0.0.77 web-3" \
		"$(a "$store" list --format=hosts | grep web-3)"
	a "$store" release "${me[@]}"
	equal "released" 0 "$(a "$store" list --format=hosts | grep -c web-3 || :)"
}

round "lmdb:$test_dir/names.mdb"
start_standalone
round "$mongo_uri"
mongo insert servers '{"hostname": "old-1", "service": "old", "service_type": "iterative",
	"instance_id": "i-old", "ip": "10.0.8.1", "aliases": null}'
equal "put in by another client" "10.0.8.1 old-1" \
	"$(a "--server=$mongo_uri" list old --format=hosts)"

note "a store that is away"
refuses 69 a --server="mongodb://me:secret@127.0.0.1:1/" list
! grep -q secret "$test_dir/refused" || fail "$(cat "$test_dir/refused")"
grep -q 'WARNING.*--server-file' "$test_dir/refused" || fail "$(cat "$test_dir/refused")"

note "without a mirror"
refuses 69 a lookup web-2
refuses 69 a status
grep -q 'mirror    none' "$test_dir/refused" || fail "$(cat "$test_dir/refused")"

note "with one"
lmdb=--server=lmdb:$test_dir/names.mdb
printf '10.9.9.9 web-10\n' >"$root/etc/hosts"
a "$lmdb" --dryrun --update >"$test_dir/diff"
grep -q '^+10.0.0.2 web-2 www api$' "$test_dir/diff" || fail "$(cat "$test_dir/diff")"
refuses 69 a lookup web-2
a "$lmdb" --update
equal "by name" "10.0.0.2 web-2 www api
fd00::2 web-2 www api" "$(a lookup WWW.)"
equal "by address" "10.0.9.9 printer" "$(a lookup 10.0.9.9)"
refuses 1 a lookup web-3
refuses 1 a lookup www.example.com
holds 'j["canonical"] == "web-2" and j["addresses"] == ["10.0.0.2", "fd00::2"]' \
	"$(a lookup --json www)"
equal "list" "printer web-2 web-10" "$(a list | awk 'NR > 1 { print $1 }' | xargs)"
equal "service" "[web]
web-2 ansible_host=10.0.0.2
web-10 ansible_host=10.0.0.10" "$(a list web --format=ansible)"
holds 'j["mirror"] and not j["daemon"] and j["names"] == 3 and 0 <= j["age"] < 60 and
	j["shadowed"] == [{"name": "web-10", "line": 1}] and j["error"] == ""' \
	"$(a status --json)"
a status >"$test_dir/status"
grep -q '"web-10": line 1' "$test_dir/status" || fail "$(cat "$test_dir/status")"
rm "$test_dir/names.mdb"
equal "without the store" "10.0.0.10 web-10" "$(a lookup web-10)"

note "the workstation lines, by a user without rights"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$test_dir"
	mkdir -p "$test_dir/empty/etc"
	cp "$aerostat" "$test_dir/aerostat"
	nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups "$test_dir/aerostat"
		--server="$mongo_uri" --dryrun --offline --root="$test_dir/empty")
	equal "update" "dry run: 4 names" "$("${nobody[@]}" --update | tail -n 1 | cut -d, -f1)"
	equal "register" "dry run: would register web-3 (gap) test-instance 192.0.2.9" \
		"$("${nobody[@]}" --register --service=web --ip=192.0.2.9 | tail -n 1)"
	equal "files of a dry run" "" "$(find "$test_dir/empty" -type f)"
fi

note "nsswitch"
mkdir -p "$root/etc/alt"
printf 'passwd:\tfiles\nhosts:\tfiles dns # mine\n' >"$root/etc/alt/nsswitch"
ln -s /etc/alt/nsswitch "$root/etc/nsswitch.conf"
chmod 640 "$root/etc/alt/nsswitch"
cp "$root/etc/alt/nsswitch" "$test_dir/nsswitch"
equal "dry run" "--- /etc/nsswitch.conf
+++ /etc/nsswitch.conf.new
@@ -1,2 +1,2 @@
 passwd:	files
-hosts:	files dns # mine
+hosts:	files aerostat dns # mine
dry run: nothing written" "$(a --dryrun nsswitch --enable)"
cmp "$root/etc/alt/nsswitch" "$test_dir/nsswitch"
equal "enable" "/etc/nsswitch.conf: enabled" "$(a nsswitch --enable)"
equal "enable again" "/etc/nsswitch.conf: already enabled" "$(a nsswitch --enable)"
equal "its line" "hosts:	files aerostat dns # mine" "$(tail -n 1 "$root/etc/alt/nsswitch")"
equal "mode" 640 "$(stat -c %a "$root/etc/alt/nsswitch")"
[ -L "$root/etc/nsswitch.conf" ] || fail "the link is gone"
equal "disable" "/etc/nsswitch.conf: disabled" "$(a nsswitch --disable)"
cmp "$root/etc/alt/nsswitch" "$test_dir/nsswitch"
equal "disable again" "/etc/nsswitch.conf: already disabled" "$(a nsswitch --disable)"
printf 'hosts: files [a\n' >"$root/etc/alt/nsswitch"
refuses 78 a nsswitch --enable
grep -q 'nsswitch: line 1: a \[ without' "$test_dir/refused" || fail "$(cat "$test_dir/refused")"
equal "left-overs" "" "$(find "$root" -name '*.tmp')"
rm -r "$root/etc/nsswitch.conf" "$root/etc/alt"
a nsswitch --enable >/dev/null
equal "where there was none" "hosts: files aerostat dns" \
	"$(sed 's/ #.*//' "$root/etc/nsswitch.conf")"

note "wrong words"
refuses 64 a
refuses 64 a lokup web-2
grep -q "did you mean 'lookup'" "$test_dir/refused" || fail "$(cat "$test_dir/refused")"
equal "version" "aerostat 2.0.0" "$(a --version)"
printf 'sever: x\n' >"$root/etc/aerostat.conf"
refuses 78 a list
grep -q "aerostat.conf:1:1: unknown key \"sever\"; did you mean 'server'" \
	"$test_dir/refused" || fail "$(cat "$test_dir/refused")"
pass
