#!/bin/bash
# SPDX-License-Identifier: MIT
# aerostat as a person uses it, on one machine with the embedded store: import, register,
# list in every format (read back by the programs that they are for), release.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

aerostat=$top_builddir/aerostat
[ -x "$aerostat" ] || fail "$aerostat is missing: make builds it"
root=$test_dir/root
store=--server=lmdb:$test_dir/names.mdb
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
assert $1, j" || fail "not true: $1"
}

note "import"
cat >"$test_dir/fleet.json" <<'JSON'
{"_id":{"$oid":"507f1f77bcf86cd799439011"},"hostname":"web-10","service":"web","service_type":"iterative","instance_id":"i-10","ip":"10.0.0.10","aliases":null}
{"hostname":"web-2","service":"web","service_type":"iterative","instance_id":"i-2","ip":"10.0.0.2","ip6":"fd00::2","aliases":["www","api"]}
{"hostname":"web-3","service":"web","service_type":"iterative","instance_id":"","ip":"","aliases":[]}
{"hostname":"printer","service":"","service_type":"","instance_id":"","ip":"10.0.9.9"}
JSON
equal "dry run" "dry run: 4 slots, nothing written" \
	"$(a "$store" --dryrun import "$test_dir/fleet.json" | tail -n 1)"
refuses 1 a "$store" list web
a "$store" import - <"$test_dir/fleet.json"
echo '{"hostname":"web-4"' >>"$test_dir/fleet.json"
refuses 65 a "$store" import "$test_dir/fleet.json"
grep -q 'fleet.json:5: no JSON' "$test_dir/refused" || fail "$(cat "$test_dir/refused")"

note "formats"
equal "hosts" "10.0.9.9 printer
10.0.0.2 web-2 www api
fd00::2 web-2 www api
10.0.0.10 web-10" "$(a "$store" list --format=hosts)"
equal "table" "web-2 web iterative i-2 10.0.0.2,fd00::2 www,api
web-3 web iterative (gap) - -
web-10 web iterative i-10 10.0.0.10 -" "$(a "$store" list web | tail -n +2 | tr -s ' ')"
holds '[h["name"] for h in j] == ["printer", "web-2", "web-3", "web-10"]' \
	"$(a "$store" list --json)"
holds 'j[1] == {"targets": ["10.0.0.10"], "labels": {"instance": "web-10", "service":
	"web", "service_type": "iterative", "instance_id": "i-10"}}' \
	"$(a "$store" list web --format=prometheus-sd)"
equal "ansible" "printer ansible_host=10.0.9.9

[web]
web-2 ansible_host=10.0.0.2
web-10 ansible_host=10.0.0.10" "$(a "$store" list --format=ansible)"
if command -v ssh >/dev/null; then
	a "$store" list --format=ssh >"$test_dir/ssh"
	equal "ssh" "hostname 10.0.0.2" "$(ssh -G -F "$test_dir/ssh" www | grep '^hostname ')"
fi

note "register and release"
me=(--offline --service=web --instance-id=i-me --ip=10.0.0.77)
equal "dry run" "dry run: would register web-3 (gap) i-me 10.0.0.77" \
	"$(a "$store" --dryrun --register "${me[@]}")"
equal "register" "web-3 (gap) i-me 10.0.0.77" "$(a "$store" --register "${me[@]}")"
equal "listed" "10.0.0.77 web-3" "$(a "$store" list --format=hosts | grep web-3)"
a "$store" release "${me[@]}"
equal "released" 0 "$(a "$store" list --format=hosts | grep -c web-3 || :)"

note "without mirror, store or words"
refuses 69 a lookup web-2
refuses 69 a status
refuses 64 a
refuses 64 a lokup web-2
grep -q "did you mean 'lookup'" "$test_dir/refused" || fail "$(cat "$test_dir/refused")"
equal "version" "aerostat 2.0.0" "$(a --version)"
printf 'sever: x\n' >"$root/etc/aerostat.conf"
refuses 78 a list
grep -q "aerostat.conf:1:1: unknown key \"sever\"; did you mean 'server'" \
	"$test_dir/refused" || fail "$(cat "$test_dir/refused")"
pass
