#!/bin/bash
# SPDX-License-Identifier: MIT
# doc/migration.md: its commands, as they stand there, on a node among originals.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
private_ns net
start_replica_set >/dev/null
page=$top_srcdir/doc/migration.md

# block SECTION N: the Nth block of commands of a section.
block()
{
	/usr/bin/python3 - "$page" "$1" "$2" <<'PY'
import re, sys
text = open(sys.argv[1], encoding="utf-8").read()
section = re.split(r"^## %s\. " % sys.argv[2], text, flags=re.M)[1].split("\n## ")[0]
print(re.findall(r"^```(?:js|sh)\n(.*?)^```$", section, re.M | re.S)[int(sys.argv[3]) - 1], end="")
PY
}

# js SECTION N: in the database, as mongosh would.
js()
{
	local text
	text=$(block "$1" "$2")
	text=${text#db.runCommand(}
	mongo command "${text%)}" aerostat
}

# sh SECTION N [CODE]: with our server in the place of the page's; output in $test_dir/out.
sh()
{
	local code=0
	block "$1" "$2" | sed "s|mongodb://db-1,db-2,db-3/?replicaSet=names|$mongo_uri|" \
		>"$test_dir/block"
	"$BASH" -eu "$test_dir/block" >"$test_dir/out" 2>"$test_dir/err" || code=$?
	[ "$code" = "${3:-0}" ] ||
		fail "$(cat "$test_dir/block"): $code: $(cat "$test_dir/out" "$test_dir/err")"
}

has()
{
	grep -qF -e "$1" "$test_dir/out" || fail "no '$1' in: $(cat "$test_dir/out")"
}

# original ACTION ID ADDRESS SERVICE TYPE: a machine that runs the original.
original()
{
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$e2e_dir /usr/bin/python3 - "$(mongo primary)" "$@" <<'PY'
import sys
from original_client import Original, connect, run
at, action, *node = sys.argv[1:]
host, port = at.split(":")
servers = connect(host, int(port)).aerostat.servers
run(getattr(Original(servers, *node), action)())
servers.find_one({"_id": 0})
PY
}

slots()
{
	mongo find servers | /usr/bin/python3 -c 'import json, sys
for line in sys.stdin:
    doc = json.loads(line)
    print("%s=%s" % (doc["hostname"] or "", doc["instance_id"]))' | xargs
}

document()
{
	printf '{"hostname": "%s", "service": "%s", "service_type": "%s", "instance_id": "%s", "ip": "%s", "aliases": null}' "$@"
}

original register i-1 10.0.0.1 web iterative
original register i-2 10.0.0.2 web iterative
original register i-m 10.0.0.8 db masterful
original register i-0nameless 10.0.0.9 db masterful
mongo insert servers "$(document web-0 web iterative i-0gone 10.0.0.99)" \
	"$(document '' web iterative '' '')"
printf '127.0.0.1 localhost\n192.0.2.1 mine\n# AEROSTAT\n127.0.0.1 localhost\n10.0.0.1 web-0\n# /AEROSTAT\n' \
	>/etc/hosts
echo 'web iterative www' >/etc/aerostat_info
export AEROSTAT_INSTANCE_ID=i-1 AEROSTAT_IP=10.0.0.1

# 1. the data
sh 1 1 1
grep -q '^wrong web-0 .* hostname: .* has it too, and answers; to mend: ' "$test_dir/out" ||
	fail "$(cat "$test_dir/out")"
js 1 2 >"$test_dir/out"
has '"n": 1'
before=$(slots)
sh 1 3
has 'hides the others from the original; would: delete the document'
has 'would: make them'
equal "a plan changes nothing" "$before" "$(slots)"
sh 1 4
has '0 wrong, 0 worth knowing; 2 mended, 0 held'
equal "what is left" "db-master=i-m db-slave-1=i-0nameless web-0=i-1 web-1=i-2" "$(slots)"
sh 1 1

# 2. a look
cp /etc/hosts "$test_dir/hosts"
sh 2 1
has "would register web-0 (held) i-1 10.0.0.1 aliases www"
has "+10.0.0.8 db-master"
cmp /etc/hosts "$test_dir/hosts" || fail "a dry run wrote /etc/hosts"

# 3. the node
sh 3 1
has "web-0 (held) i-1 10.0.0.1"
equal "its hostname" web-0 "$(hostname)"
grep -qx '192.0.2.1 mine' /etc/hosts || fail "a line of /etc/hosts is gone"
equal "blocks" 1 "$(grep -cx '# AEROSTAT' /etc/hosts)"
spawn syncd aerostat --update --daemon
wait_until 20 "the daemon" aerostat status
sh 3 2
has web-0
has db-slave-1
equal "by the module" 10.0.0.8 "$(getent -s hosts:aerostat hosts db-master | cut -d ' ' -f 1)"

# 5. both: an original's change-over, after which its old master has no name
original register i-3 10.0.0.3 db masterful
original change_master i-0nameless 10.0.0.9 db masterful
original change_master i-3 10.0.0.3 db masterful
sh 5 1
mongo update servers '{"instance_id": "i-0nameless"}' '{"$set": {"hostname": ""}}' >/dev/null
sh 5 2
has "i-0nameless 10.0.0.9"
name=$(cut -d ' ' -f 1 "$test_dir/out")
wait_until 20 "$name" test "$(getent hosts "$name" | awk '{ print $1 }')" = 10.0.0.9
equal "what is held twice" "" "$(slots | tr ' ' '\n' | sed 's/.*=//' | grep . | sort | uniq -d)"

# 6. and back
stop syncd
sh 6 1
grep -q '^hosts:.*aerostat' /etc/nsswitch.conf && fail "still in nsswitch.conf"
equal "hosts.legacy" '127.0.0.1 localhost
192.0.2.1 mine' "$(cat /etc/hosts.legacy)"
before=$(slots)
original register i-1 10.0.0.1 web iterative
equal "the original has its name" "$before" "$(slots)"
original register i-4 10.0.0.4 web iterative
equal "and goes on" 1 "$(mongo count servers '{"hostname": "web-2", "instance_id": "i-4"}')"
pass
