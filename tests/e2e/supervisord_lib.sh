# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the tests of the supervisord snippets, after lib.sh and private_ns.

conf=$test_dir/supervisord.conf

ctl()
{
	# its exit code tells of states, not of failures
	/usr/bin/supervisorctl -c "$conf" "$@" || :
}

# state_is PROGRAM STATE
state_is()
{
	grep -q "^$1  *$2 " <<<"$(ctl status "$1")"
}

# snippet FILE PROGRAM: of dist/, as it is, but for where the program is.
snippet()
{
	mkdir -p "$test_dir/conf.d"
	sed "s|/usr/sbin/$2|$(command -v "$2")|" "$top_srcdir/dist/$1" >"$test_dir/conf.d/$1"
	grep -q "^command=/.*/$2$" "$test_dir/conf.d/$1" || fail "$1 does not start $2"
}

# start_supervisord: with these, and the machine's logs in a folder of our own.
start_supervisord()
{
	cat >"$conf" <<INI
[unix_http_server]
file=$test_dir/sock
[supervisord]
logfile=/dev/null
pidfile=$test_dir/supervisord.pid
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://$test_dir/sock
[include]
files=$test_dir/conf.d/*.conf
INI
	mountpoint -q /var/log || mount -t tmpfs aerostat-logs /var/log
	spawn supervisord /usr/bin/supervisord -n -c "$conf"
}

# stops_in_time PROGRAM: within 4 s, by itself, with exit status 0.
stops_in_time()
{
	local start=$EPOCHREALTIME took
	ctl stop "$1" >/dev/null
	took=$(((${EPOCHREALTIME/[.,]/} - ${start/[.,]/}) / 1000))
	state_is "$1" STOPPED || fail "not stopped: $(ctl status)"
	[ "$took" -lt 4000 ] || fail "stopping $1 took $took ms"
	grep "stopped: $1 (" "$test_dir/supervisord.log" | tail -n 1 | grep -q 'exit status 0' ||
		fail "no clean end: $(tail -n 3 "$test_dir/supervisord.log")"
	note "$1 stopped in $took ms"
}

ended()
{
	state_is "$1" FATAL || state_is "$1" EXITED
}

# given_up PROGRAM WORD: what is started with a wrong configuration ends with 78, WORD in
# its log, and is not started for ever: at most six times where it ends within a second.
given_up()
{
	local before starts
	before=$(grep -c "spawned: '$1'" "$test_dir/supervisord.log")
	ctl start "$1" >/dev/null 2>&1
	wait_until 40 "$1 to be given up" ended "$1"
	starts=$(($(grep -c "spawned: '$1'" "$test_dir/supervisord.log") - before))
	[ "$starts" -le 6 ] || fail "$starts starts of $1"
	grep -q "exited: $1 (exit status 78" "$test_dir/supervisord.log" ||
		fail "a wrong configuration is taken"
	grep -q "$2" "/var/log/$1.log" || fail "no words about it"
	note "$1: $(ctl status "$1" | awk '{print $2}') after $starts starts"
}
