#!/bin/bash
# SPDX-License-Identifier: MIT
# The sync daemon over an embedded store: what its users and its service manager see.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
private_ns
# shellcheck source=tests/e2e/syncd_lib.sh
. "$e2e_dir/syncd_lib.sh"

store=$test_dir/store
server=lmdb:$store

# --- once ------------------------------------------------------------------------------

refuses 69 aerostat-syncd --server="$server" --once
equal "lines of an unreachable store" 1 "$(wc -l <"$test_dir/refused")"
register i-01 10.0.0.1 --alias=first
register i-02 10.0.0.2
printf '10.9.9.9 mine\n' >>/etc/hosts
aerostat --server="$server" --dryrun --offline --update >"$test_dir/dry"
grep -qx '+10.0.0.1 web-0 first' "$test_dir/dry" || fail "no diff"
equal "dry run" "dry run: 2 names, +2 -0 ~0, nothing written" "$(tail -n 1 "$test_dir/dry")"
[ ! -e "$state_dir/hosts.mdb" ] || fail "the dry run wrote"
aerostat-syncd --server="$server" --once
resolves web-0 10.0.0.1 || fail "web-0"
resolves first 10.0.0.1 || fail "alias"
in_hosts web-1 10.0.0.2 || fail "/etc/hosts"
in_hosts mine 10.9.9.9 || fail "the user's line"
equal "permissions of state.mdb" 600 "$(stat -c %a "$state_dir/state.mdb")"
equal "permissions of hosts.mdb" 644 "$(stat -c %a "$state_dir/hosts.mdb")"
aerostat-syncd --server="$server" --dryrun >"$test_dir/dry"
equal "dry run, in sync" "dry run: 2 names, +0 -0 ~0, nothing written" "$(cat "$test_dir/dry")"

# --- the daemon: ready, second writers, changes ----------------------------------------

/usr/bin/python3 - "$test_dir/notify" >"$test_dir/notified" <<'PY' &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    print(s.recv(4096).decode(), flush=True)
PY
wait_until 5 "the notify socket" test -S "$test_dir/notify"
NOTIFY_SOCKET=$test_dir/notify WATCHDOG_USEC=1000000 daemon
wait_until 5 READY=1 grep -qx READY=1 "$test_dir/notified"
wait_until 5 WATCHDOG=1 grep -qx WATCHDOG=1 "$test_dir/notified"
wait_until 5 "the mode" status_is mode log
refuses 75 aerostat-syncd --server="$server"
grep -q "pid $(pid_of syncd)" "$test_dir/refused" || fail "no pid: $(cat "$test_dir/refused")"
before=$(status_of sync_count)
aerostat-syncd --server="$server" --once
status_over sync_count "$before" || fail "no resync by the daemon"
register i-03 10.0.0.3
within 1500 resolves web-2 10.0.0.3
note "from registered to seen: $took ms"
wait_until 5 "/etc/hosts" in_hosts web-2 10.0.0.3

signal syncd STOP
refuses 75 aerostat-syncd --server="$server" --once
signal syncd CONT

# --- signals ---------------------------------------------------------------------------

before=$(status_of sync_count)
signal syncd USR1
wait_until 5 "a resync" status_over sync_count "$before"
echo 'domain: cluster.internal' >/etc/aerostat.conf
signal syncd HUP
wait_until 5 "the domain" resolves web-1.cluster.internal 10.0.0.2
resolves web-1 10.0.0.2 || fail "the short name"
wait_until 5 "the full name in /etc/hosts" in_hosts web-1.cluster.internal 10.0.0.2
echo 'domain: [' >/etc/aerostat.conf
signal syncd HUP
wait_until 5 "words about it" grep -q 'reload: .*going on as before' "$test_dir/syncd.log"
resolves web-1.cluster.internal 10.0.0.2 || fail "after a bad configuration"
rm /etc/aerostat.conf
signal syncd HUP
wait_until 5 "no domain" unknown web-1.cluster.internal

# --- kill -9 ---------------------------------------------------------------------------

slots 3 60 >"$test_dir/some"
aerostat --server="$server" --loglevel=ERROR import "$test_dir/some" >/dev/null
stop syncd KILL
slots 61 90 >"$test_dir/more"
aerostat --server="$server" --loglevel=ERROR import "$test_dir/more" >/dev/null
resolves web-1 10.0.0.2 || fail "names while the daemon is dead"
daemon
wait_until 5 "what came meanwhile" resolves web-90 10.0.0.90
for i in 3 45 60 61 89; do
	resolves "web-$i" "10.0.0.$i" || fail "web-$i after kill -9"
done
equal "resyncs: it went on from where it was" 0 "$(status_of sync_count)"
wait_until 5 "names" status_is names 91

# --- the store goes and comes ----------------------------------------------------------

mv "$store" "$store.away"
wait_until 15 back-off status_is mode backoff
[ -n "$(status_of error)" ] || fail "no error in the status"
resolves web-1 10.0.0.2 || fail "names while the store is away"
mv "$store.away" "$store"
wait_until 40 "the store again" status_is mode log
equal error "" "$(status_of error)"
register i-0100 10.0.1.0
wait_until 5 "a change after that" resolves web-91 10.0.1.0

# --- idle ------------------------------------------------------------------------------

sleep 0.5
before=$(cpu_ticks syncd)
sleep 3
after=$(cpu_ticks syncd)
note "CPU of 3 idle seconds: $((after - before))0 ms"
[ $((after - before)) -le 3 ] || fail "an idle daemon works: $((after - before)) ticks in 3 s"

took=$(ms_of stop syncd)
[ "$took" -lt 2000 ] || fail "SIGTERM took $took ms"
note "SIGTERM: $took ms"
equal mode stopped "$(status_of mode)"
daemon
stop syncd INT
equal "exit of SIGINT" 0 "$exit_code"

# --- the shrink guard ------------------------------------------------------------------

mkdir "$test_dir/small"
small=lmdb:$test_dir/small/store
slots 0 2 >"$test_dir/few"
aerostat --server="$small" --loglevel=ERROR import "$test_dir/few" >/dev/null
refuses 1 aerostat-syncd --server="$small" --dryrun
refuses 1 aerostat-syncd --server="$small" --once
grep -q -- --accept-shrink "$test_dir/refused" || fail "no remedy"
resolves web-90 10.0.0.90 || fail "held, but gone"
server=$small daemon
wait_until 5 "the guard" status_over shrink_held_since 0
resolves web-90 10.0.0.90 || fail "held by the daemon, but gone"
stop syncd KILL
server=$small daemon
wait_until 5 "the guard after a restart" status_over shrink_held_since 0
resolves web-90 10.0.0.90 || fail "held by the daemon started again, but gone"
aerostat-syncd --server="$small" --once --accept-shrink
wait_until 5 "it to be taken" unknown web-90
resolves web-2 10.0.0.2 || fail "what is left"
equal "held" 0 "$(status_of shrink_held_since)"
stop syncd
# small sets may shrink to nothing
for i in 0 1 2; do
	printf '{"hostname":"web-%d","service":"web","service_type":"iterative","instance_id":"","ip":"","aliases":null}\n' "$i"
done >"$test_dir/none"
aerostat --server="$small" --loglevel=ERROR import "$test_dir/none" >/dev/null
aerostat-syncd --server="$small" --once
unknown web-2 || fail "a gap answers"

# --- /etc/hosts that cannot be written -------------------------------------------------

aerostat-syncd --server="$server" --once
cp /etc/hosts "$test_dir/hosts"
printf '# AEROSTAT\n10.0.0.1 web-0\n' >/etc/hosts
register i-0200 10.0.2.0
refuses 78 aerostat-syncd --server="$server" --dryrun
refuses 78 aerostat-syncd --server="$server" --once
resolves web-92 10.0.2.0 || fail "look-ups stop with /etc/hosts"
aerostat-syncd --server="$server" --once --repair-hosts
in_hosts web-92 10.0.2.0 || fail "repair"
mount --bind "$test_dir/hosts" /etc/hosts
mount -o remount,bind,ro /etc/hosts
register i-0201 10.0.2.1
refuses 77 aerostat-syncd --server="$server" --once
resolves web-93 10.0.2.1 || fail "look-ups stop with a read-only /etc/hosts"
umount /etc/hosts
aerostat-syncd --server="$server" --once --hosts-file=self --instance-id=i-0201
equal "hosts_file self" "10.0.2.1 web-93" "$(grep web- /etc/hosts)"

# --- no root ---------------------------------------------------------------------------

if setpriv --reuid=65534 --clear-groups true 2>/dev/null; then
	refuses 77 setpriv --reuid=65534 --clear-groups "$(command -v aerostat-syncd)" \
		--server="$server" --once
	mkdir -m 755 /run/copy
	cp "$store" /run/copy/store
	chmod 644 /run/copy/store
	setpriv --reuid=65534 --clear-groups "$(command -v aerostat-syncd)" \
		--server=lmdb:/run/copy/store --dryrun --offline >"$test_dir/dry"
	equal "unprivileged dry run" "dry run: 94 names, +0 -0 ~0, nothing written" \
		"$(tail -n 1 "$test_dir/dry")"
fi

# --- a store that is not there yet, another one by SIGHUP, nscd ------------------------

mkdir -p /run/fake /run/nscd "$test_dir/new"
: >/run/nscd/socket
printf '#!/bin/sh\necho "$*" >>/run/fake/told\n' >/run/fake/nscd
chmod +x /run/fake/nscd
echo "server: lmdb:$test_dir/new/store" >/etc/aerostat.conf
spawn syncd env PATH="/run/fake:$PATH" aerostat-syncd
wait_until 10 back-off status_is mode backoff
resolves web-92 10.0.2.0 || fail "the names of the last store"
server=lmdb:$test_dir/new/store register i-0400 10.0.4.0
aerostat-syncd --once --accept-shrink
wait_until 15 "the first name of a new store" resolves web-0 10.0.4.0
wait_until 5 "nscd to be told" grep -qx -- '-i hosts' /run/fake/told
echo "server: $server" >/etc/aerostat.conf
signal syncd HUP
wait_until 10 "the other store" resolves web-92 10.0.2.0
equal server "$server" "$(status_of server)"
stop syncd
rm /etc/aerostat.conf /run/nscd/socket

# --- the legacy updater ----------------------------------------------------------------

cat >/run/updater <<'SH'
#!/bin/sh
[ ! -e /run/slow ] || sleep 3
[ ! -e /run/broken ] || exit 5
echo "10.8.8.$(cat /run/number) old-host" >"$AEROSTAT_LEGACY"
SH
chmod +x /run/updater
echo 1 >/run/number
: >/run/broken
cp /etc/hosts "$test_dir/hosts"
refuses 1 aerostat-syncd --server="$server" --once --legacy-updater=/run/updater
cmp /etc/hosts "$test_dir/hosts" || fail "a failed updater changed /etc/hosts"
rm /run/broken
aerostat-syncd --server="$server" --once --legacy-updater=/run/updater
equal "the first line" "10.8.8.1 old-host" "$(head -n 1 /etc/hosts)"
in_hosts web-93 10.0.2.1 || fail "our block with legacy data"
cmp "$test_dir/hosts" /etc/hosts.before-aerostat || fail "no copy of the first take-over"
echo 2 >/run/number
: >/run/slow
daemon --legacy-updater=/run/updater --legacy-interval=2
register i-0300 10.0.3.0
within 1500 resolves web-94 10.0.3.0
wait_until 10 "the new legacy data" in_hosts old-host 10.8.8.2
in_hosts web-94 10.0.3.0 || fail "our block beside it"
rm /run/slow
: >/run/broken
echo 3 >/run/number
register i-0301 10.0.3.1
wait_until 5 "a change with a broken updater" in_hosts web-95 10.0.3.1
in_hosts old-host 10.8.8.2 || fail "the last good legacy data"
rm /run/broken
wait_until 10 "the mended updater" in_hosts old-host 10.8.8.3
took=$(ms_of stop syncd)
[ "$took" -lt 2000 ] || fail "SIGTERM with an updater took $took ms"
pass
