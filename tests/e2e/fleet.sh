#!/bin/bash
# SPDX-License-Identifier: MIT
# aerostatd on a real replica set and a simulated EC2 that checks signatures (moto): a
# fleet of 50, of which the dead give up their names, and nothing else takes one.
# shellcheck disable=SC2086 # $server is several words
. "${0%/*}/lib.sh"

moto_python=$("$top_srcdir/scripts/moto" ${AEROSTAT_TEST_NO_DOWNLOAD:+--cached} \
	2>"$test_dir/need") || skip "no moto: $(tail -n 1 "$test_dir/need")"
start_replica_set >/dev/null
keyfile=$test_dir/keys
passes=$(by_length 3 20)

# start_moto: nothing is enforced until it is told to
start_moto()
{
	port=$(free_ports 1)
	endpoint=http://127.0.0.1:$port
	INITIAL_NO_AUTH_ACTION_COUNT=1000 spawn moto "$moto_python" -m moto.server \
		-H 127.0.0.1 -p "$port"
	wait_until 60 "moto on port $port" bash -c "exec 3<>/dev/tcp/127.0.0.1/$port"
}

fleet()
{
	"$moto_python" "$e2e_dir/fleet.py" "$endpoint" "$keyfile" "$@"
}

# once CODE [OPTION...]: one pass that ends so
once()
{
	local want=$1 code=0
	shift
	aerostatd --server="$mongo_uri" --root="$test_dir/server" --once --grace=0 \
		--endpoint="$endpoint" --regions=us-east-1 --credentials-file="$keyfile" "$@" \
		>"$test_dir/out" 2>"$test_dir/log" || code=$?
	[ "$code" = "$want" ] || fail "a pass ended with $code, not $want: $(cat "$test_dir/log")"
}

# name_all FILE: each line's instance registers; prints their names
name_all()
{
	local id ip
	while read -r id ip; do
		aerostat-register --server="$mongo_uri" --root="$test_dir/roots/$id" \
			--loglevel=CRITICAL --service=web --instance-id="$id" --ip="$ip" |
			cut -d ' ' -f 1
	done <"$1" | sort
}

# slots: who is called what
slots()
{
	mongo find servers '{"instance_id": {"$gt": ""}}' |
		sed 's/.*"hostname": "\([^"]*\)".*"instance_id": "\([^"]*\)".*/\1 \2/' | sort
}

unchanged()
{
	equal "$1" "$(cat "$test_dir/before")" "$(slots)"
}

# --- 50 instances have names ---------------------------------------------------------------

start_moto
fleet keys allow fleet >"$test_dir/good"
fleet keys deny stranger >"$test_dir/denied"
fleet run us-east-1 50 >"$test_dir/fifty"
install -m 600 "$test_dir/good" "$keyfile"
fleet enforce
name_all "$test_dir/fifty" >"$test_dir/names"
slots >"$test_dir/before"
equal "slots" 50 "$(wc -l <"$test_dir/before")"
once 0
unchanged "all live"

# --- five end: their names are free, and filled again ----------------------------------------

mapfile -t dead < <(cut -d ' ' -f 1 "$test_dir/fifty" | sed -n '3p;11p;20p;37p;50p')
fleet terminate us-east-1 "${dead[@]}"
printf '%s\n' "${dead[@]}" >"$test_dir/dead"
for _ in 1 2 3; do once 0; done
equal "exactly the others are left" "$(grep -vFf "$test_dir/dead" "$test_dir/before")" "$(slots)"
fleet run us-east-1 5 >"$test_dir/five"
equal "the names are filled again" \
	"$(grep -Ff "$test_dir/dead" "$test_dir/before" | cut -d ' ' -f 1 | sort)" \
	"$(name_all "$test_dir/five")"
slots >"$test_dir/before"
equal "slots again" 50 "$(wc -l <"$test_dir/before")"
once 0
unchanged "the new live"

# --- keys that are not good -------------------------------------------------------------------

sed 's/ .*/ wrong/' "$test_dir/good" >"$test_dir/wrong"
chmod 600 "$test_dir/wrong" "$test_dir/denied"
for _ in 1 2 3; do once 78 --credentials-file="$test_dir/wrong"; done
for _ in 1 2 3; do once 77 --credentials-file="$test_dir/denied"; done
unchanged "after wrong keys"

# --- the wrong region: empty, then with 40 others -----------------------------------------------

for ((i = 0; i < passes; i++)); do once 0 --regions=us-west-2; done
unchanged "after an empty region"
fleet run us-west-2 40 >/dev/null
for ((i = 0; i < passes; i++)); do once 0 --regions=us-west-2; done
unchanged "after a region of others"

# --- no answer: nobody dies; each pass asks for some 20 s ----------------------------------------

stop moto
outage=$(by_length 1 3)
for ((i = 0; i < outage; i++)); do once 69; done
unchanged "after an outage"

# --- most are not listed: held --------------------------------------------------------------------

# Another simulated EC2, ours: it lists ten, and boto3 reads it as it was told.
spawn scripted /usr/bin/python3 "$top_srcdir/tests/ec2_server.py" good "$test_dir/asked" 10
port_told() { [ -s "$test_dir/scripted.log" ]; }
wait_until 20 "the port of ec2_server.py" port_told
endpoint=http://127.0.0.1:$(head -n 1 "$test_dir/scripted.log")
keyfile=$test_dir/scripted-keys
(umask 077 && echo 'AKIATEST secret/test+key' >"$keyfile")
states=(running running stopped terminated pending)
for ((i = 0; i < 54; i++)); do
	printf 'i-0%016x %s 10.0.0.%d\n' "$i" "${states[i % 5]}" "$i"
done >"$test_dir/told"
fleet listed us-east-1 >"$test_dir/listed"
equal "what boto3 reads" "$(head -n 10 "$test_dir/told")" "$(cat "$test_dir/listed")"
mongo drop >/dev/null
rm -rf "$test_dir/server"
# 50 names: 6 that live, 44 that are not listed; those it calls ended have none.
sed '3,4d;8,9d' "$test_dir/told" | cut -d ' ' -f 1,3 >"$test_dir/most"
name_all "$test_dir/most" >/dev/null
slots >"$test_dir/before"
equal "slots of the other" 50 "$(wc -l <"$test_dir/before")"
once 0
once 0
for _ in 1 2 3; do once 1; done
grep -q '44 of 50 names would go at once' "$test_dir/log" || fail "$(cat "$test_dir/log")"
unchanged "held"
pass
