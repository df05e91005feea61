#!/bin/bash
# SPDX-License-Identifier: MIT
# Programs of the system look names up through the module: it alone answers here.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/stores.sh
. "${0%/*}/stores.sh"
each_store "$@"
private_ns net
open_store

ip address add 10.77.0.11/32 dev lo
ip address add 10.77.0.12/32 dev lo
ip -6 address add fd77::12/128 dev lo nodad 2>/dev/null || note "no IPv6 here"
server=("--server=$uri" --set-hostname=no --hosts-file=off)
aerostat-register "${server[@]}" --service=web --alias=www --instance-id=i-0000000000000d011 \
	--ip=10.77.0.11 >"$test_dir/out" 2>&1
aerostat-register "${server[@]}" --service=six --instance-id=i-0000000000000d012 \
	--ip=10.77.0.12 --ip6=fd77::12 --root="$test_dir/six" >"$test_dir/out" 2>&1
equal "set_hostname: no" private "$(hostname)"
aerostat --update "${server[@]}" 2>"$test_dir/update" || fail "$(cat "$test_dir/update")"
! grep -q AEROSTAT /etc/hosts || fail "hosts_file: off writes /etc/hosts"
echo 'hosts: aerostat' >>/etc/nsswitch.conf
sed -i '0,/^hosts:/{/^hosts:/d}' /etc/nsswitch.conf

have()
{
	command -v "$1" >/dev/null && return
	note "no $1 here"
	missing="${missing-} $1"
	return 1
}

prints "10.77.0.11 STREAM web-0
10.77.0.11 DGRAM
10.77.0.11 RAW" bash -c 'getent ahosts www | sed "s/ *$//" | tr -s " "'
prints "fd77::12 10.77.0.12" bash -c \
	'getent ahosts six-0 | awk "/STREAM/ { print \$1 }" | sort -r | xargs'
prints "fd77::12 six-0" bash -c 'getent hosts fd77::12 | tr -s " "'
prints "::ffff:10.77.0.11" bash -c 'getent ahostsv6 web-0 | awk "NR == 1 { print \$1 }"'
refuses 2 getent ahosts web-1
# Enumeration.
prints "10.77.0.11 10.77.0.12 fd77::12" bash -c \
	'getent -s hosts:aerostat hosts | awk "{ print \$1 }" | sort -u | xargs'

if have python3; then
	prints "web-0 ['www'] ['10.77.0.11'] web-0 ('web-0', '80') True" python3 -c '
import socket as s
name, aliases, addresses = s.gethostbyname_ex("WWW.")
print(name, aliases, addresses, s.getfqdn("10.77.0.11"),
      s.getnameinfo(("10.77.0.11", 80), s.NI_NUMERICSERV),
      s.getaddrinfo("www", 0, flags=s.AI_CANONNAME)[0][3] == "web-0")'
	refuses 1 python3 -c 'import socket; socket.gethostbyname("web-1")'
	says gaierror
	# From many threads and a fork at once.
	prints "done" python3 -c '
import concurrent.futures as c, os, socket
def ask(i):
    assert socket.gethostbyname("www") == "10.77.0.11"
with c.ThreadPoolExecutor(8) as pool:
    list(pool.map(ask, range(500)))
    child = os.fork()
    if child == 0:
        ask(0)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
print("done")'
fi

if have ping; then
	ping -c 1 -W 2 www >"$test_dir/ping" || fail "$(cat "$test_dir/ping")"
	grep -q '^PING web-0 (10.77.0.11)\|^PING www (10.77.0.11)' "$test_dir/ping" ||
		fail "$(cat "$test_dir/ping")"
	refuses 2 ping -c 1 -W 2 web-1
	# set-user-ID or with capabilities, and another user.
	setpriv --reuid 65534 --regid 65534 --clear-groups ping -c 1 -W 2 www \
		>"$test_dir/ping" 2>&1 || grep -q 'not permitted' "$test_dir/ping" ||
		fail "$(cat "$test_dir/ping")"
fi

if have curl; then
	mkdir "$test_dir/www"
	echo hello >"$test_dir/www/file"
	port=$(free_ports 1)
	spawn httpd /usr/bin/python3 -m http.server --bind 10.77.0.11 \
		--directory "$test_dir/www" "$port"
	wait_until 10 "the web server" bash -c "exec 3<>/dev/tcp/10.77.0.11/$port"
	prints hello curl -s -m 10 "http://www:$port/file"
	prints 10.77.0.11 curl -s -m 10 -o /dev/null -w '%{remote_ip}' "http://web-0:$port/file"
	refuses 6 curl -s -m 10 "http://web-1:$port/file"
fi

sshd=$(command -v sshd || ls /usr/sbin/sshd 2>/dev/null || :)
if have ssh && have ssh-keygen; then
	if [ -z "$sshd" ]; then
		note "no sshd here"
		missing="${missing-} sshd"
		port=2
		ssh -F none -v -o BatchMode=yes -p "$port" www true >"$test_dir/ssh" 2>&1 || :
		grep -q "Connecting to www \[10.77.0.11\] port 2" "$test_dir/ssh" ||
			fail "$(cat "$test_dir/ssh")"
	else
		mkdir -p /run/sshd "$test_dir/ssh.d"
		ssh-keygen -q -t ed25519 -N '' -f "$test_dir/ssh.d/host"
		ssh-keygen -q -t ed25519 -N '' -f "$test_dir/ssh.d/me"
		cp "$test_dir/ssh.d/me.pub" "$test_dir/ssh.d/authorized"
		port=$(free_ports 1)
		spawn sshd "$sshd" -D -e -f /dev/null -p "$port" -h "$test_dir/ssh.d/host" \
			-o ListenAddress=10.77.0.12 -o UsePAM=no -o StrictModes=no \
			-o PidFile=none -o UseDNS=yes -o PermitRootLogin=prohibit-password \
			-o "AuthorizedKeysFile=$test_dir/ssh.d/authorized" -o LogLevel=DEBUG1
		wait_until 10 "sshd" bash -c "exec 3<>/dev/tcp/10.77.0.12/$port"
		there=(ssh -F none -i "$test_dir/ssh.d/me" -o BatchMode=yes -p "$port"
			-o StrictHostKeyChecking=no -o "UserKnownHostsFile=$test_dir/ssh.d/known")
		prints "10.77.0.12" "${there[@]}" -4 -b 10.77.0.11 six-0 \
			'set -- $SSH_CONNECTION; echo $3'
		prints "from web-0" "${there[@]}" -4 -b 10.77.0.11 -o ProxyCommand=none six-0 \
			"getent hosts 10.77.0.11 | awk '{ print \"from \" \$2 }'"
		grep -q 'six-0' "$test_dir/ssh.d/known" || fail "$(cat "$test_dir/ssh.d/known")"
		refuses 255 "${there[@]}" web-1 true
		says 'Could not resolve hostname web-1'
	fi
fi

# Without the mirror nothing of this answers: it was the module.
mv /var/lib/aerostat/hosts.mdb /var/lib/aerostat/away.mdb
refuses 2 getent hosts www
[ -z "${missing-}" ] || note "not seen:$missing"
pass "$test_name $kind"
