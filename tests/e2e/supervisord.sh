#!/bin/bash
# SPDX-License-Identifier: MIT
# dist/supervisord.conf under a real supervisord: starts, restarts after kill -9, stops
# cleanly, and is given up where the configuration is wrong.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
[ -x /usr/bin/supervisord ] || skip "no supervisord: apt-get install supervisor"
private_ns
# shellcheck source=tests/e2e/syncd_lib.sh
. "$e2e_dir/syncd_lib.sh"
# shellcheck source=tests/e2e/supervisord_lib.sh
. "$e2e_dir/supervisord_lib.sh"

store=$test_dir/store
server=lmdb:$store

# dist/aerostat.conf is read as it is, and says nothing yet
cp "$top_srcdir/dist/aerostat.conf" /etc/aerostat.conf
aerostat-syncd --check-config >/dev/null
echo "server: $server" >>/etc/aerostat.conf
register i-01 10.0.0.1

snippet supervisord.conf aerostat-syncd
start_supervisord
wait_until 20 "the daemon to run" state_is aerostat-syncd RUNNING
wait_until 10 "its first name" resolves web-0 10.0.0.1
pid=$(ctl pid aerostat-syncd)
equal "its own pid" "$pid" "$(status_of pid)"

kill -KILL "$pid"
register i-02 10.0.0.2
wait_until 20 "it to run again" state_is aerostat-syncd RUNNING
wait_until 10 "what came meanwhile" resolves web-1 10.0.0.2
[ "$(ctl pid aerostat-syncd)" != "$pid" ] || fail "the same pid after kill -9"

stops_in_time aerostat-syncd
resolves web-1 10.0.0.2 || fail "names without the daemon"

echo 'no_such_key: 1' >>/etc/aerostat.conf
given_up aerostat-syncd no_such_key
pass
