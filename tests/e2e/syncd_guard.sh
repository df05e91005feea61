#!/bin/bash
# SPDX-License-Identifier: MIT
# What a mistake would empty or freeze the mirror by: the shrink guard and its flag over
# time, reloading onto another store, a state.mdb that is damaged inside.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
private_ns
# shellcheck source=tests/e2e/syncd_lib.sh
. "$e2e_dir/syncd_lib.sh"

# The same slots first to last of both stores, but only three of them have an address.
mkdir "$test_dir/big" "$test_dir/small"
big=lmdb:$test_dir/big/store
small=lmdb:$test_dir/small/store
server=$big
slots 0 19 >"$test_dir/all"
slots 0 2 >"$test_dir/few"
aerostat --server="$big" --loglevel=ERROR import "$test_dir/all" >/dev/null
aerostat --server="$small" --loglevel=ERROR import "$test_dir/few" >/dev/null

# --- a damaged document in state.mdb ---------------------------------------------------

aerostat-syncd --server="$big" --once
/usr/bin/python3 - "$state_dir/state.mdb" <<'PY'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
at = data.find(b"\x02hostname\x00")
assert at > 0
while at >= 0: # the length that each document begins with
    start = data.rfind(b"\x07_id\x00", 0, at) - 4
    data[start:start + 4] = b"\xff\xff\xff\x7f"
    at = data.find(b"\x02hostname\x00", at + 1)
open(sys.argv[1], "r+b").write(data)
PY
daemon
wait_until 5 "a daemon over a damaged state" status_is mode log
register i-01 10.0.1.1
wait_until 5 "a change after that" resolves web-20 10.0.1.1
stop syncd

# --- --accept-shrink is for now, not for a later time ----------------------------------

rm "$state_dir/state.mdb"
echo "server: $big" >/etc/aerostat.conf
spawn syncd aerostat-syncd
wait_until 5 "the mode" status_is mode log
aerostat-syncd --once --accept-shrink
equal "held" 0 "$(status_of shrink_held_since)"
mv "$test_dir/big/store" "$test_dir/big/store.away"
cp "$test_dir/small/store" "$test_dir/big/store"
wait_until 40 "the guard" status_over shrink_held_since 0
resolves web-19 10.0.0.19 || fail "an old --accept-shrink took a small collection"
stop syncd
rm "$test_dir/big/store"
mv "$test_dir/big/store.away" "$test_dir/big/store"
rm -f "$test_dir/big/store-lock" "$state_dir/state.mdb"

# --- the grace begins with the small result, not with an earlier resync ----------------

aerostat-syncd --server="$big" --once --accept-shrink
server=$big daemon --shrink-grace=2
wait_until 5 "the mode" status_is mode log
aerostat-syncd --server="$big" --once
stop syncd
mv "$test_dir/big/store" "$test_dir/big/store.away"
cp "$test_dir/small/store" "$test_dir/big/store"
rm -f "$test_dir/big/store-lock"
sleep 2.5
refuses 1 aerostat-syncd --server="$big" --once --shrink-grace=2
resolves web-19 10.0.0.19 || fail "a small collection was taken at once"
rm "$test_dir/big/store"
mv "$test_dir/big/store.away" "$test_dir/big/store"
rm -f "$test_dir/big/store-lock" "$state_dir/state.mdb"

# --- SIGHUP onto another store while a small result is held ----------------------------

aerostat-syncd --server="$big" --once --accept-shrink
echo "server: $small" >/etc/aerostat.conf
spawn syncd aerostat-syncd --shrink-grace=3
wait_until 5 "the guard" status_over shrink_held_since 0
echo "server: lmdb:$test_dir/none" >/etc/aerostat.conf
signal syncd HUP
wait_until 5 "the other store" grep -q 'reload: done' "$test_dir/syncd.log"
sleep 4
resolves web-19 10.0.0.19 || fail "names went with a store that was never reached"
stop syncd

# --- SIGHUP with a server_file ---------------------------------------------------------

rm -f "$state_dir/state.mdb"
echo "$big" >"$test_dir/server"
chmod 600 "$test_dir/server"
echo "server_file: $test_dir/server" >/etc/aerostat.conf
spawn syncd aerostat-syncd
wait_until 5 "the mode" status_is mode log
aerostat-syncd --once --accept-shrink
echo 'domain: cluster.internal' >>/etc/aerostat.conf
signal syncd HUP
wait_until 5 "the domain" resolves web-1.cluster.internal 10.0.0.1
wait_until 5 "it in /etc/hosts" in_hosts web-1.cluster.internal 10.0.0.1
stop syncd
pass
