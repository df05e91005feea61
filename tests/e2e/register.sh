#!/bin/bash
# SPDX-License-Identifier: MIT
# aerostat-register as users run it: the real system hostname in private namespaces, races,
# exit codes, identity from a metadata service, service from tags and from a program.
# shellcheck disable=SC2086 # $register, $web and $nobody are several words each
. "${0%/*}/lib.sh"
private_ns net

command -v aerostat-register >/dev/null || fail "aerostat-register is not installed"
store=lmdb:$test_dir/names.mdb
register="aerostat-register --server=$store --loglevel=ERROR"

# --- the hostname ----------------------------------------------------------------------

node_new a
node_new b
node_new c

line=$(node a $register --service web --instance-id i-a --ip 10.0.0.1)
equal "line of a" "web-0 (new) i-a 10.0.0.1" "$line"
equal "hostname of a" web-0 "$(node a hostname)"
equal "/etc/hostname of a" web-0 "$(node a cat /etc/hostname)"
equal "mode of /etc/hostname" 644 "$(node a stat -c %a /etc/hostname)"
equal "hostname outside" private "$(hostname)"
node a grep -q '"instance_id" : "i-a"' /var/lib/aerostat/identity.json
equal "mode of identity.json" 644 "$(node a stat -c %a /var/lib/aerostat/identity.json)"
equal "nothing left over" "" "$(node a find /etc /var/lib/aerostat -name '*.tmp')"

# Not touched: set_hostname false, --offline, --dryrun, another root.
node b $register --service web --instance-id i-b --ip 10.0.0.2 --set-hostname=no >/dev/null
equal "set_hostname: false" b "$(node b hostname)"
node b $register --service web --instance-id i-b --ip 10.0.0.2 --offline >/dev/null
equal "--offline" b "$(node b hostname)"
node b $register --service web --instance-id i-b --ip 10.0.0.2 --dryrun >/dev/null
equal "--dryrun" b "$(node b hostname)"
node b $register --service web --instance-id i-b --ip 10.0.0.2 \
	--root="$test_dir/root-b" >/dev/null
equal "another root" b "$(node b hostname)"
[ ! -e "$test_dir/root-b/etc/hostname" ] || fail "hostname written below --root"
# Held, and now it is named.
line=$(node b $register --service web --instance-id i-b --ip 10.0.0.2)
equal "line of b" "web-1 (held) i-b 10.0.0.2" "$line"
equal "hostname of b" web-1 "$(node b hostname)"

# A container bind-mounts /etc/hostname: its text is replaced.
node c sh -c 'cp /etc/hostname /etc/hostname.real &&
	mount --bind /etc/hostname.real /etc/hostname'
node c $register --service db --type masterful --instance-id i-c --ip 10.0.0.3 >/dev/null
equal "bind-mounted /etc/hostname" db-master "$(node c cat /etc/hostname)"
equal "hostname of c" db-master "$(node c hostname)"

# --- two registrars race ---------------------------------------------------------------

for i in 1 2 3 4 5 6 7 8; do
	spawn "race-$i" $register --root="$test_dir/race-$i" --service race \
		--instance-id "i-race-$i" --ip "10.1.0.$i"
done
for i in 1 2 3 4 5 6 7 8; do
	wait "$(pid_of "race-$i")" || fail "racer $i: $(cat "$test_dir/race-$i.log")"
done
equal "names of the race" "race-0 race-1 race-2 race-3 race-4 race-5 race-6 race-7" \
	"$(cat "$test_dir"/race-?.log | cut -d ' ' -f 1 | sort | xargs)"
# On one node the second one is told who the first is. (A metadata service that never
# answers holds it.)
node_spawn a hold aerostat-register --server="$store" --service web \
	--metadata-endpoint=http://127.0.0.1:9
wait_until 5 "the lock" node a sh -c '! flock -n /run/aerostat/register.lock true'
refuses 75 node a $register --service web --instance-id i-a --ip 10.0.0.1
grep -q "pid $(pid_of hold)" "$test_dir/refused" || fail "$(cat "$test_dir/refused")"
stop hold KILL
node a $register --service web --instance-id i-a --ip 10.0.0.1 >/dev/null

# --- identity from a program of the user's ---------------------------------------------

node_new vm
cat >"$test_dir/who" <<'END'
#!/bin/sh
echo '{"instance_id": "vm-7", "ip": "10.7.0.7", "ip6": "fd00:0::7"}'
END
chmod 755 "$test_dir/who"
line=$(node vm $register --service vm --identity-command="$test_dir/who")
equal "identity_command" "vm-0 (new) vm-7 10.7.0.7 fd00::7" "$line"
equal "hostname of vm" vm-0 "$(node vm hostname)"

# --- identity from the metadata service ------------------------------------------------

node_new d
spawn imds /usr/bin/python3 -u "$top_srcdir/tests/imds_server.py" v2
wait_until 10 "the metadata service" test -s "$test_dir/imds.log"
endpoint=http://127.0.0.1:$(head -n 1 "$test_dir/imds.log")
echo "web iterative www" | node d tee /etc/aerostat_info >/dev/null
line=$(node d env http_proxy=http://127.0.0.1:1 $register --metadata-endpoint="$endpoint")
equal "by metadata" "web-2 (new) i-0123456789abcdef0 10.1.2.3" "$line"
line=$(node d env AWS_EC2_METADATA_SERVICE_ENDPOINT="$endpoint" $register --dryrun)
equal "dry run by metadata" \
	"dry run: would register web-2 (held) i-0123456789abcdef0 10.1.2.3 aliases www" "$line"

# --- what it runs, from tags and from a program: no aerostat_info ------------------------

tagged=lmdb:$test_dir/tagged.mdb
imds()
{
	spawn "imds-$1" /usr/bin/python3 -u "$top_srcdir/tests/imds_server.py" v2 \
		"$test_dir/requests-$1" "$2"
	wait_until 10 "the metadata service" test -s "$test_dir/imds-$1.log"
	echo "http://127.0.0.1:$(head -n 1 "$test_dir/imds-$1.log")"
}

node_new t
with_tags=$(imds tags '{"Name": "x", "aerostat-service": "Cache",
	"aerostat-type": "masterful", "aerostat-aliases": "kv, Memo"}')
node t tee /etc/aerostat.conf >/dev/null <<END
server: $tagged
info_source: tags
metadata_endpoint: $with_tags
END
node t test ! -e /etc/aerostat_info || fail "there is an aerostat_info"
line=$(node t aerostat-register --dryrun 2>"$test_dir/log")
equal "dry run by tags" "dry run: would register cache-master (new) i-0123456789abcdef0 \
10.1.2.3 aliases kv,memo" "$line"
grep -q 'service: cache (masterful) from tag aerostat-service' "$test_dir/log" ||
	fail "where the service is from: $(cat "$test_dir/log")"
line=$(node t aerostat-register)
equal "by tags" "cache-master (new) i-0123456789abcdef0 10.1.2.3" "$line"
equal "hostname by tags" cache-master "$(node t hostname)"
if command -v aerostat >/dev/null; then
	node t aerostat status >"$test_dir/status" 2>&1 || : # there is no mirror
	grep -qxF 'service   "cache", "masterful", from "tag aerostat-service"' \
		"$test_dir/status" || fail "status: $(cat "$test_dir/status")"
	line=$(node t aerostat --change-master)
	equal "change-over by tags" "cache-master i-0123456789abcdef0" "$line"
fi
# A file does not count then.
echo "web" | node t tee /etc/aerostat_info >/dev/null
line=$(node t aerostat-register)
equal "by tags again" "cache-master (held) i-0123456789abcdef0 10.1.2.3" "$line"
! grep -v -e ' token$' -e '^PUT' "$test_dir/requests-tags" || fail "that was version 1"

node_new u
cat >"$test_dir/whole" <<'END'
#!/bin/sh
echo run >>"${0%/*}/whole-runs"
echo '{"instance_id": "vm-8", "ip": "10.7.0.8", "service": "queue", "aliases": ["mq"]}'
END
chmod 755 "$test_dir/whole"
line=$(node u aerostat-register --server="$tagged" --identity-command="$test_dir/whole" \
	--dryrun 2>"$test_dir/log")
equal "dry run by a program" \
	"dry run: would register queue-0 (new) vm-8 10.7.0.8 aliases mq" "$line"
equal "runs of the program" 1 "$(wc -l <"$test_dir/whole-runs")"
line=$(node u aerostat-register --server="$tagged" --identity-command="$test_dir/whole")
equal "by a program" "queue-0 (new) vm-8 10.7.0.8" "$line"
equal "hostname by a program" queue-0 "$(node u hostname)"
node u grep -q '"service_from" : "identity_command"' /var/lib/aerostat/identity.json

# refused_with CODE WORDS OPTION...
refused_with()
{
	local code=$1 words=$2
	shift 2
	refuses "$code" aerostat-register --server="$tagged" --info-source=tags "$@"
	grep -qF -- "$words" "$test_dir/refused" || fail "$words: $(cat "$test_dir/refused")"
}
refused_with 78 '--instance-metadata-tags enabled' --metadata-endpoint="$endpoint"
refused_with 78 "no tag aerostat-service, but 'Aerostat-service'" \
	--metadata-endpoint="$(imds case '{"Aerostat-service": "web"}')"
refused_with 78 "tag aerostat-service: service 'we_b'" \
	--metadata-endpoint="$(imds bad '{"aerostat-service": "we_b"}')"
refused_with 78 'give --service' --offline
refused_with 69 'metadata service' --metadata-endpoint=http://127.0.0.1:9 --dryrun

# --- change-over -----------------------------------------------------------------------

node_new e
node e $register --service db --type masterful --instance-id i-e --ip 10.0.0.5 >/dev/null
equal "hostname of e" db-slave-1 "$(node e hostname)"
# Its id comes from identity.json.
line=$(node e $register --service db --type masterful --change-master)
equal "change-over" "db-master i-e" "$line"
equal "hostname of the new master" db-master "$(node e hostname)"
node e grep -q '"hostname" : "db-master"' /var/lib/aerostat/identity.json
# For another instance from here, neither hostname nor identity.json are ours to change.
line=$(node a $register --service db --type masterful --change-master --instance-id i-c)
equal "change-over by another" "db-master i-c" "$line"
equal "hostname of a" web-0 "$(node a hostname)"

# --- release ---------------------------------------------------------------------------

if command -v aerostat >/dev/null; then
	line=$(node a aerostat --server="$store" --loglevel=ERROR release)
	equal "release" "released web-0 i-a" "$line"
	node a test ! -e /var/lib/aerostat/identity.json || fail "identity.json is there"
	line=$($register --root="$test_dir/next" --service web --instance-id i-n --ip 10.0.0.9)
	equal "the gap is filled" "web-0 (gap) i-n 10.0.0.9" "$line"
fi

# --- exit codes ------------------------------------------------------------------------

web="--service web --instance-id i-x --ip 10.0.0.7"
refuses 1 $register --service db --instance-id i-b --ip 10.0.0.2
refuses 1 $register --service web --instance-id i-b --change-master
refuses 64 $register $web --no-such-flag
refuses 64 $register $web word
refuses 65 $register --service web --instance-id i-x --ip 10.0.0.777
refuses 65 $register --service web --instance-id i-x --ip 127.0.0.1
refuses 78 $register --instance-id i-x --ip 10.0.0.7
refuses 78 $register --service we_b --instance-id i-x --ip 10.0.0.7
refuses 78 $register --service web --identity-command=/bin/true
refuses 69 $register --service web --identity-command=/bin/false
refuses 69 $register --service web --dryrun --metadata-endpoint=http://127.0.0.1:9
refuses 69 $register --service web --register-deadline=1 \
	--metadata-endpoint=http://127.0.0.1:9
refuses 78 env AWS_EC2_METADATA_DISABLED=true $register --service web
chmod 0755 "$test_dir"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
	refuses 77 $nobody $register $web --root=/nowhere
	# A dry run needs neither root nor our folders.
	chmod 0666 "$test_dir"/names.mdb* # the store of one machine is root's otherwise
	line=$($nobody $register $web --dryrun)
	equal "dry run as nobody" "dry run: would register web-3 (new) i-x 10.0.0.7" "$line"
fi

pass
