#!/bin/bash
# SPDX-License-Identifier: MIT
# dist/supervisord.conf under a real supervisord: starts, restarts after kill -9, stops
# cleanly, and does not spin where the configuration is wrong.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
[ -x /usr/bin/supervisord ] || skip "no supervisord: apt-get install supervisor"
private_ns
# shellcheck source=tests/e2e/syncd_lib.sh
. "$e2e_dir/syncd_lib.sh"

store=$test_dir/store
server=lmdb:$store
conf=$test_dir/supervisord.conf

ctl()
{
	# its exit code tells of states, not of failures
	/usr/bin/supervisorctl -c "$conf" "$@" || :
}

state_is()
{
	grep -q "^aerostat-syncd  *$1 " <<<"$(ctl status aerostat-syncd)"
}

mkdir "$test_dir/conf.d"
# The snippet as it is, but for where the programs and the log are.
sed -e "s|/usr/sbin/aerostat-syncd|$(command -v aerostat-syncd)|" \
	-e "s|/var/log/|$test_dir/|" "$top_srcdir/dist/supervisord.conf" \
	>"$test_dir/conf.d/aerostat.conf"
grep -q "^command=/.*/aerostat-syncd$" "$test_dir/conf.d/aerostat.conf" ||
	fail "the snippet does not start aerostat-syncd"
cat >"$conf" <<INI
[unix_http_server]
file=$test_dir/sock
[supervisord]
logfile=$test_dir/supervisord.log
pidfile=$test_dir/supervisord.pid
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://$test_dir/sock
[include]
files=$test_dir/conf.d/*.conf
INI
# dist/aerostat.conf is read as it is, and says nothing yet
cp "$top_srcdir/dist/aerostat.conf" /etc/aerostat.conf
aerostat-syncd --check-config >/dev/null
echo "server: $server" >>/etc/aerostat.conf
register i-01 10.0.0.1

spawn supervisord /usr/bin/supervisord -n -c "$conf"
wait_until 20 "the daemon to run" state_is RUNNING
wait_until 10 "its first name" resolves web-0 10.0.0.1
pid=$(ctl pid aerostat-syncd)
equal "its own pid" "$pid" "$(status_of pid)"

kill -KILL "$pid"
register i-02 10.0.0.2
wait_until 20 "it to run again" state_is RUNNING
wait_until 10 "what came meanwhile" resolves web-1 10.0.0.2
[ "$(ctl pid aerostat-syncd)" != "$pid" ] || fail "the same pid after kill -9"

start=$EPOCHREALTIME
ctl stop aerostat-syncd >/dev/null
took=$(((${EPOCHREALTIME/[.,]/} - ${start/[.,]/}) / 1000))
state_is STOPPED || fail "not stopped: $(ctl status)"
[ "$took" -lt 4000 ] || fail "stopping took $took ms"
grep -q 'stopped: aerostat-syncd (exit status 0)' "$test_dir/supervisord.log" ||
	fail "no clean end: $(tail -n 3 "$test_dir/supervisord.log")"
resolves web-1 10.0.0.2 || fail "names without the daemon"

echo 'no_such_key: 1' >>/etc/aerostat.conf
ctl start aerostat-syncd >/dev/null 2>&1
sleep 2
grep -q 'exit status 78' "$test_dir/supervisord.log" || fail "a wrong key is taken"
grep -q no_such_key "$test_dir/aerostat-syncd.log" || fail "no words about it"
pass
