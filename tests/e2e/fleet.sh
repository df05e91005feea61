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
	pass_with "$@" --regions=us-east-1 --credentials-file="$keyfile"
}

# pass_with CODE OPTION...: the same without keys; beside=NAME for one beside others
beside=
pass_with()
{
	local want=$1 code=0
	shift
	aerostatd --server="$mongo_uri" --root="$test_dir/server$beside" --once --grace=0 \
		--endpoint="$endpoint" "$@" >"$test_dir/out" 2>"$test_dir/log$beside" || code=$?
	[ "$code" = "$want" ] ||
		fail "a pass ended with $code, not $want: $(cat "$test_dir/log$beside")"
}

# name_all FILE: each line's instance registers, eight at a time; prints their names
name_all()
{
	# shellcheck disable=SC2016 # the inner shell's
	xargs -P 8 -L 1 "$BASH" -c 'aerostat-register --server="$0" --root="$1/$2" \
		--loglevel=CRITICAL --service=web --instance-id="$2" --ip="$3"' \
		"$mongo_uri" "$test_dir/roots" <"$1" >"$test_dir/named"
	cut -d ' ' -f 1 "$test_dir/named" | sort
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
for _ in 1 2 3; do keyfile=$test_dir/wrong once 78; done
for _ in 1 2 3; do keyfile=$test_dir/denied once 77; done
unchanged "after wrong keys"

# --- keys of a session: good, then with the token of another --------------------------------

session=$(fleet session)
read -r id secret token <<<"$session"
other=$(fleet session)
session_pass()
{
	AWS_ACCESS_KEY_ID=$id AWS_SECRET_ACCESS_KEY=$secret AWS_SESSION_TOKEN=$2 \
		pass_with "$1" --regions=us-east-1
}
session_pass 0 "$token"
for _ in 1 2 3; do session_pass 78 "${other##* }"; done
grep -q 'AuthFailure (401)' "$test_dir/log" || fail "$(cat "$test_dir/log")"
unchanged "after a wrong session"

# --- the wrong region: empty, then with 40 others -----------------------------------------------

for ((i = 0; i < passes; i++)); do pass_with 0 --regions=us-west-2 --credentials-file="$keyfile"; done
unchanged "after an empty region"
fleet run us-west-2 40 >/dev/null
for ((i = 0; i < passes; i++)); do pass_with 0 --regions=us-west-2 --credentials-file="$keyfile"; done
unchanged "after a region of others"

# --- no answer: nobody dies; each pass asks for some 20 s ----------------------------------------

stop moto
outage=$(by_length 1 3)
(
	beside=-outage
	for ((i = 0; i < outage; i++)); do once 69; done
) &
outage=$!

# --- most are not listed: held --------------------------------------------------------------------

# Another simulated EC2, ours: it lists ten, and boto3 reads it as it was told.
spawn scripted /usr/bin/python3 "$top_srcdir/tests/ec2_server.py" good "$test_dir/asked" 10 \
	--control="$test_dir"
port_told() { [ -s "$test_dir/scripted.log" ]; }
wait_until 20 "the port of ec2_server.py" port_told
endpoint=http://127.0.0.1:$(head -n 1 "$test_dir/scripted.log")
keyfile=$test_dir/scripted-keys
(umask 077 && echo 'AKIATEST secret/test+key' >"$keyfile")
# moto's sessions do not expire; this one's has.
echo '{"keys": {"ASIAOVER": false}}' >"$test_dir/over.json"
id=ASIAOVER secret=over
for _ in 1 2 3; do endpoint=$endpoint/over session_pass 78 over; done
grep -q 'ExpiredToken (400): the keys have expired' "$test_dir/log" || fail "$(cat "$test_dir/log")"
unchanged "after an expired session"
wait "$outage" || fail "the outage, see above"
unchanged "after an outage"
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
