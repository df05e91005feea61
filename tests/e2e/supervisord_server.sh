#!/bin/bash
# SPDX-License-Identifier: MIT
# dist/supervisord-aerostatd.conf, and dist/supervisord.conf beside it, under a real
# supervisord: the server and a node on one machine, with a real mongod and a scripted EC2.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
[ -x /usr/bin/supervisord ] || skip "no supervisord: apt-get install supervisor"
need_mongod
private_ns
# shellcheck source=tests/e2e/syncd_lib.sh
. "$e2e_dir/syncd_lib.sh"
# shellcheck source=tests/e2e/supervisord_lib.sh
. "$e2e_dir/supervisord_lib.sh"

start_replica_set >/dev/null
server=$mongo_uri

# ec2 MODE [ID...]: what it does from now on; these have ended.
ec2()
{
	local mode=$1 n state fleet=
	shift
	for n in 0 1 2 3; do
		state=running
		[[ " $* " != *" $n "* ]] || state=terminated
		fleet="$fleet${fleet:+, }\"i-0000000$n\": \"$state\""
	done
	echo "{\"mode\": \"$mode\", \"fleet\": {$fleet}}" >"$test_dir/control/ec2.new"
	mv "$test_dir/control/ec2.new" "$test_dir/control/ec2.json"
}

mkdir "$test_dir/control"
ec2 good
spawn ec2 /usr/bin/python3 "$top_srcdir/tests/ec2_server.py" good "$test_dir/asked" 0 \
	--control="$test_dir/control"
wait_until 20 "the port of ec2_server.py" test -s "$test_dir/ec2.log"
echo "server: $server" >/etc/aerostat.conf
cat >/etc/aerostatd.conf <<YAML
server: $server
regions: us-east-1
endpoint: http://127.0.0.1:$(head -n 1 "$test_dir/ec2.log")/ec2
credentials_file: /etc/aerostat-keys
poll: 3600
YAML
(umask 077 && echo 'AKIATEST secret/test+key' >/etc/aerostat-keys)
aerostatd --check-config >/dev/null
for n in 0 1 2 3; do
	register "i-0000000$n" "10.0.0.$((n + 1))"
done

passes()
{
	[ "$(grep -c 'pass: done' /var/log/aerostatd.log)" -ge "$1" ]
}

# next_pass: asked for, and done.
next_pass()
{
	local n
	n=$(grep -c 'pass: done' /var/log/aerostatd.log)
	ctl signal HUP aerostatd >/dev/null
	wait_until 20 "a pass when asked" passes $((n + 1))
}

# --- both run; who ended resolves no more ------------------------------------------------

snippet supervisord.conf aerostat-syncd
snippet supervisord-aerostatd.conf aerostatd
start_supervisord
for program in aerostatd aerostat-syncd; do
	wait_until 20 "$program to run" state_is $program RUNNING
done
wait_until 20 "its first pass" passes 1
for n in 0 1 2 3; do
	wait_until 10 "web-$n" resolves "web-$n" "10.0.0.$((n + 1))"
done
ec2 good 1
next_pass
wait_until 10 "web-1 to go" unknown web-1
resolves web-0 10.0.0.1 || fail "web-0 is gone"

# --- killed, restarted, stopped ------------------------------------------------------------

pid=$(ctl pid aerostatd)
ec2 good 1 2
kill -KILL "$pid"
another() { state_is aerostatd RUNNING && [ "$(ctl pid aerostatd)" != "$1" ]; }
wait_until 20 "it to run again" another "$pid"
wait_until 20 "web-2 to go" unknown web-2
pid=$(ctl pid aerostatd)
start=$EPOCHREALTIME
ctl restart aerostatd >/dev/null
another "$pid" || fail "not restarted: $(ctl status)"
note "restarted in $(((${EPOCHREALTIME/[.,]/} - ${start/[.,]/}) / 1000)) ms"
asked() { [ "$(wc -l <"$test_dir/asked")" -gt "$1" ]; }
ec2 silent
n=$(wc -l <"$test_dir/asked")
ctl signal HUP aerostatd >/dev/null
wait_until 20 "a request without an answer" asked "$n"
stops_in_time aerostatd
stops_in_time aerostat-syncd
resolves web-0 10.0.0.1 || fail "names without the daemons"
ec2 good 1 2
ctl start aerostatd aerostat-syncd >/dev/null

# --- supervisord itself is killed: the next one's daemons wait for the old ones -------------

for program in aerostatd aerostat-syncd; do
	wait_until 20 "$program to run" state_is $program RUNNING
	ctl pid $program >"$test_dir/old-$program"
done
alone() { [ "$(pgrep -x "$2")" = "$1" ]; } # a second one may be about to end
stop supervisord KILL
for program in aerostatd aerostat-syncd; do
	pid_alive "$(cat "$test_dir/old-$program")" || fail "$program ended with supervisord"
done
rm -f "$test_dir/sock" "$test_dir/supervisord.pid"
start_supervisord
for program in aerostatd aerostat-syncd; do
	old=$(cat "$test_dir/old-$program")
	wait_until 20 "words of $program" grep -q \
		"another daemon runs already, pid $old; stop it first" "/var/log/$program.log"
	wait_until 5 "$old alone" alone "$old" "$program"
	kill -TERM "$old"
	wait_until 20 "$program to take over" state_is $program RUNNING
	wait_until 5 "one $program" alone "$(ctl pid $program)" "$program"
done
grep -q 'exited: aerostatd (exit status 75' "$test_dir/supervisord.log" || fail "not 75"
aerostatd --once >/dev/null 2>&1 || fail "a pass by hand beside the daemon"

# --- a wrong configuration -------------------------------------------------------------------

stops_in_time aerostatd
chmod 644 /etc/aerostat-keys
given_up aerostatd 'others than its owner may use it'
chmod 600 /etc/aerostat-keys
ctl start aerostatd >/dev/null
state_is aerostatd RUNNING || fail "mended, but $(ctl status)"
ec2 good 1 2 3
next_pass
wait_until 10 "web-3 to go" unknown web-3
resolves web-0 10.0.0.1 || fail "web-0 is gone"
pass
