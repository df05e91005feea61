#!/bin/bash
# SPDX-License-Identifier: MIT
# Exit codes, messages and dry runs, as a user's script depends on them.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/stores.sh
. "${0%/*}/stores.sh"
each_store "$@"
private_ns net

nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
me=(--service=web --instance-id=i-0000000000000c001 --ip=10.0.0.7)
far=--server=127.0.0.1:1

# One line on standard error, in the form of the log.
one_line()
{
	equal "lines of $(cat "$test_dir/refused")" 1 "$(wc -l <"$test_dir/refused")"
	says '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z? ERROR '
}

# --- what no store has a part in -------------------------------------------------------

usage_errors()
{
	refuses 64 aerostat lokup web-0
	says lookup
	one_line
	refuses 64 aerostat --sevrer=x --update
	says -- '--server'
	one_line
	refuses 64 aerostat-register --instanceid i-1
	says -- '--instance-id'
	refuses 64 aerostat-syncd --onse
	says -- '--once'
	refuses 64 aerostat-register word
	refuses 64 aerostat-syncd word
	refuses 64 aerostat
	refuses 64 aerostat --server
	refuses 64 aerostat --port=many lookup x
	says -- '--port'
	refuses 64 aerostat --poll-interval=0 lookup x
	refuses 64 aerostat --poll-interval 3601 lookup x
	refuses 64 aerostat --loglevel=loud lookup x
	refuses 64 aerostat lookup
	refuses 64 aerostat lookup a b
	refuses 64 aerostat list --format=yaml
	refuses 64 aerostat $'loo\nkup' x
	one_line
}

helps()
{
	local program
	for program in aerostat aerostat-register aerostat-syncd; do
		prints "$program 2.0.0" "$program" --version
		"$program" --help >"$test_dir/help" 2>"$test_dir/stderr"
		[ ! -s "$test_dir/stderr" ] || fail "$program --help writes to standard error"
		for word in --server --loglevel --legacy-updater --dryrun --offline --help; do
			grep -q -e "$word" "$test_dir/help" || fail "$program --help: no $word"
		done
		! awk 'length > 80 { exit 1 }' "$test_dir/help" && fail "$program --help is too wide"
	done
	aerostat -h >"$test_dir/help"
	for word in --register --change-master --update --daemon --update-configs --configs \
		lookup list status release import; do
		grep -q -e "$word" "$test_dir/help" || fail "aerostat -h: no $word"
	done
}

# Its log under journald: a level that it reads, no time.
journal()
{
	: >"$test_dir/journal"
	JOURNAL_STREAM=$(stat -c %d:%i "$test_dir/journal") \
		aerostat lokup 2>"$test_dir/journal" || :
	grep -qE '^<3>[^0-9]' "$test_dir/journal" || fail "journald: $(cat "$test_dir/journal")"
}

config_errors()
{
	printf 'port: 27017\nservr: x\n' >/etc/aerostat.conf
	refuses 78 aerostat-register --dryrun --offline
	says '/etc/aerostat.conf:2'
	says "'server'"
	one_line
	refuses 78 aerostat-syncd --once
	printf 'server: [\n' >/etc/aerostat.conf
	refuses 78 aerostat --update
	says '/etc/aerostat.conf:[0-9]'
	printf '\n\nport: many\n' >/etc/aerostat.conf
	refuses 78 aerostat --update
	says '/etc/aerostat.conf:3'
	refuses 78 aerostat --check-config
	printf 'hosts_file: some\n' >/etc/aerostat.conf
	refuses 78 aerostat --check-config
	says hosts_file
	printf 'server: lmdb:/x\npoll_interval: 3600\nzones: [a.example, b.example]\n' \
		>/etc/aerostat.conf
	aerostat --check-config >"$test_dir/out" || fail "--check-config: a right file"
	rm /etc/aerostat.conf
	refuses 78 env AEROSTAT_PORT=many aerostat-register --dryrun --offline
	says AEROSTAT_PORT
}

# info TEXT CODE PATTERN
info()
{
	printf '%b' "$1" >/etc/aerostat_info
	refuses "$2" aerostat-register --offline --dryrun "--server=lmdb:$test_dir/info.mdb"
	says "$3"
}

info_errors()
{
	refuses 78 aerostat-register --offline --dryrun "--server=lmdb:$test_dir/info.mdb"
	says /etc/aerostat_info
	one_line
	info '' 78 '/etc/aerostat_info:[0-9]'
	info '# nothing\n\n' 78 '/etc/aerostat_info:[0-9]'
	info '#\n\nwe_b\n' 78 '/etc/aerostat_info:3'
	info 'web iterative bad..alias\n' 78 '/etc/aerostat_info:1'
	info 'web ../x\n' 0 'WARNING'
	info '\t WEB\titerative  a\tb \n' 0 \
		'^dry run: would register web-0 \(new\) test-instance 127\.0\.0\.1 aliases a,b$'
	# The documented spelling, only when the other is not there.
	echo 'db masterful' >/etc/aerosat_info
	info 'web\n' 0 'register web-0 '
	rm /etc/aerostat_info
	refuses 0 aerostat-register --offline --dryrun "--server=lmdb:$test_dir/info.mdb"
	says '^dry run: would register db-master \(new\) test-instance 127\.0\.0\.1$'
	rm /etc/aerosat_info
	refuses 78 aerostat-register --offline --dryrun --info=/etc/none
	says /etc/none
	echo other >"$test_dir/info"
	refuses 0 env "AEROSTAT_INFO=$test_dir/info" aerostat-register --offline --dryrun \
		"--server=lmdb:$test_dir/info.mdb"
	says 'register other-0 '
	# Neither needed nor read with --service.
	echo '!' >/etc/aerostat_info
	refuses 0 aerostat-register --offline --dryrun "--server=lmdb:$test_dir/info.mdb" \
		--service web --type=
	says 'register web-0 '
	rm /etc/aerostat_info
	[ ! -e "$test_dir/info.mdb" ] || fail "a dry run makes the store"
}

# registers WANTED-HOSTNAME [ENVIRONMENT...] -- OPTION...: what a dry run says.
registers()
{
	local wanted=$1 environment=()
	shift
	while [ "$1" != -- ]; do
		environment+=("$1")
		shift
	done
	shift
	refuses 0 env "${environment[@]}" aerostat-register --dryrun --offline "$@"
	says "would register $wanted-0 "
}

precedence()
{
	local store=--server=lmdb:$test_dir/precedence.mdb
	printf 'service: from-file\nserver: "lmdb:%s"\n' "$test_dir/precedence.mdb" \
		>/etc/aerostat.conf
	registers from-file --
	registers from-env AEROSTAT_SERVICE=from-env --
	registers from-flag AEROSTAT_SERVICE=from-env -- --service from-flag
	registers from-flag AEROSTAT_SERVICE=from-env -- --service=from-flag
	rm /etc/aerostat.conf
	registers web AEROSTAT_SERVICE=web AEROSTAT_INSTANCE_ID=i-5 -- "$store"
	says ' i-5 '
	registers web AEROSTAT_ALIAS=a,b -- "$store" --service web --ip 10.1.2.3
	says ' 10\.1\.2\.3 aliases a,b$'
	registers web -- --server "lmdb:$test_dir/precedence.mdb" --service web \
		--alias a --alias b
	says 'aliases a,b$'
	# The address of an offline node is the one that its default route starts from.
	ip address add 10.55.0.9/24 dev lo
	ip route add default dev lo src 10.55.0.9
	registers web -- "$store" --service web
	says ' test-instance 10\.55\.0\.9$'
	ip route delete default
}

unreachable()
{
	local at=$SECONDS secret='mongodb://user:s3cret@127.0.0.1:1/'
	refuses 69 "${nobody[@]}" aerostat --server=localhost --dryrun --offline --update
	one_line
	echo web >/etc/aerostat_info
	refuses 69 "${nobody[@]}" aerostat --server=localhost --dryrun --offline --register
	one_line
	refuses 69 aerostat-register "$far" --register-deadline=1 "${me[@]}"
	refuses 69 aerostat-syncd "$far" --once
	says '127\.0\.0\.1:1'
	((SECONDS - at < 50)) || fail "to find no store took $((SECONDS - at)) s"
	refuses 69 aerostat-register "--server=$secret" --dryrun "${me[@]}"
	says_not s3cret
	equal "warnings of a password" 1 "$(grep -c WARNING "$test_dir/refused")"
	printf '%s\n' "$secret" >"$test_dir/secret"
	refuses 69 aerostat-register "--server-file=$test_dir/secret" --dryrun "${me[@]}"
	says_not s3cret
	says_not WARNING
	refuses 69 aerostat-register --metadata-endpoint=http://127.0.0.1:1 \
		--register-deadline=1 --service web "--server=lmdb:$test_dir/none.mdb"
	refuses 69 aerostat lookup web-0
	rm -rf /etc/aerostat_info
}

not_permitted()
{
	umount /run/aerostat 2>/dev/null || :
	rm -rf /run/aerostat
	refuses 77 "${nobody[@]}" aerostat-register "$far" "${me[@]}"
	refuses 77 "${nobody[@]}" aerostat --update "$far"
	refuses 77 "${nobody[@]}" aerostat release "$far"
	mkdir /run/aerostat
	refuses 77 "${nobody[@]}" aerostat-register "$far" "${me[@]}"
	refuses 77 "${nobody[@]}" aerostat-syncd "$far"
	aerostat-register "--server=lmdb:$test_dir/names.mdb" "${me[@]}" >"$test_dir/out" 2>&1
	prints 600 stat -c %a "$test_dir/names.mdb"
	chmod 755 "$test_dir"
	refuses 77 "${nobody[@]}" aerostat-register --dryrun "${me[@]}" \
		"--server=lmdb:$test_dir/names.mdb"
	aerostat "--server=lmdb:$test_dir/names.mdb" release >"$test_dir/out" 2>&1
	hostname private
}

held()
{
	spawn holder aerostat-register "$far" --register-deadline=60 "${me[@]}"
	wait_until 5 "the lock" grep -qx "$(pid_of holder)" /run/aerostat/register.lock
	refuses 75 aerostat-register "$far" "${me[@]}"
	says "\\b$(pid_of holder)\\b"
	one_line
	# A dry run takes no lock.
	refuses 0 aerostat-register --dryrun "--server=lmdb:$test_dir/none.mdb" "${me[@]}"
	stop holder
}

bad_records()
{
	local good
	good=$(slot web-0 i-1 10.0.0.1)
	printf '%s\n{"hostname": \n' "$good" >"$test_dir/records"
	refuses 65 aerostat "--server=lmdb:$test_dir/import.mdb" import "$test_dir/records"
	says "$test_dir/records:2"
	one_line
	printf '%s\n' "${good/web-0/localhost}" >"$test_dir/records"
	refuses 65 aerostat "--server=lmdb:$test_dir/import.mdb" import "$test_dir/records"
	says localhost
	printf '%s\n' "${good/10.0.0.1/10.0.0.256}" >"$test_dir/records"
	refuses 65 aerostat "--server=lmdb:$test_dir/import.mdb" import - <"$test_dir/records"
	refuses 65 aerostat-register "--server=lmdb:$test_dir/import.mdb" --service=web \
		--instance-id=i-1 --ip=10.0.0.256
	for address in 0.0.0.0 127.0.0.1 224.0.0.1 169.254.1.1 fe80::1 ::1; do
		refuses 65 aerostat-register "--server=lmdb:$test_dir/import.mdb" --service=web \
			--instance-id=i-1 "--ip=$address"
	done
}

# --- what is seen with every store -----------------------------------------------------

# (LMDB counts its readers in PATH-lock, also those that only look.)
everything()
{
	find /etc /var/lib /run/aerostat "$test_dir/store" -name '*-lock' -o \
		-printf '%p %s %T@ %C@\n' 2>/dev/null | sort || :
	[ "$kind" = lmdb ] || /usr/bin/python3 -c 'import pymongo, sys
client = pymongo.MongoClient(sys.argv[1])
for name in sorted(set(client.list_database_names()) - {"admin", "config", "local"}):
    for coll in sorted(client[name].list_collection_names()):
        print(name, coll, *sorted(client[name][coll].index_information()))
        print(*client[name][coll].find().sort("_id", 1), sep="\n")' "$mongo_uri"
}

# dry COMMAND...: exit 0, and nothing anywhere is another than it was; $out.
dry()
{
	local before code=0
	before=$(everything)
	out=$("$@" 2>"$test_dir/stderr") || code=$?
	[ "$code" = 0 ] || fail "$*: exit $code: $(cat "$test_dir/stderr")"
	[ "$before" = "$(everything)" ] ||
		fail "$* writes: $(diff <(echo "$before") <(everything))"
	while read -r line; do
		[[ $line != 'dry run: '* ]] || grep -qF "$line" "$test_dir/stderr" ||
			fail "$*: '$line' is not in the log"
	done <<<"$out"
}

no_indexes='would create the indexes'
empty_store()
{
	[ "$kind" != lmdb ] || no_indexes=
	[ ! -e /var/lib/aerostat/hosts.mdb ] || fail "there is a mirror"
	rmdir /var/lib/aerostat
	# The workstation lines, by anyone, without a folder of ours.
	echo 'web iterative www' >/etc/aerostat_info
	for run in "" root; do
		local as=("${nobody[@]}")
		[ -z "$run" ] || as=()
		[ "$kind$run" != lmdb ] || continue # names.mdb is root's
		dry "${as[@]}" aerostat "${server[@]}" --dryrun --offline --register
		equal "$* (register)" "${no_indexes:+$no_indexes
}dry run: would register web-0 (new) test-instance 127.0.0.1 aliases www" "$out"
		# There is no store file yet, so nothing to mirror.
		[ "$kind" != lmdb ] || continue
		dry "${as[@]}" aerostat "${server[@]}" --dryrun --offline --update
		equal "$* (update)" '--- /etc/hosts
+++ /etc/hosts.new
@@
 127.0.0.1 localhost
+# AEROSTAT
+::1 localhost ip6-localhost
+# /AEROSTAT
dry run: 0 names, +0 -0 ~0, nothing written' "$(sed 's/^@@ .*/@@/' <<<"$out")"
	done
	rm /etc/aerostat_info
	mkdir /var/lib/aerostat
}

with_names()
{
	local id=i-0000000000000c00
	prints "db-master (new) ${id}1 10.0.0.1" aerostat-register "${server[@]}" --service=db \
		--type=masterful "--instance-id=${id}1" --ip=10.0.0.1
	prints "db-slave-1 (new) ${id}2 10.0.0.2" aerostat-register "${server[@]}" --service=db \
		--type=masterful "--instance-id=${id}2" --ip=10.0.0.2 --root="$test_dir/two"
	dry aerostat-register "${server[@]}" --dryrun --service=db --type=masterful \
		"--instance-id=${id}3" --ip=10.0.0.3
	equal "dry run" "dry run: would register db-slave-2 (new) ${id}3 10.0.0.3" "$out"
	dry aerostat-register "${server[@]}" --dryrun --service=db --type=masterful \
		"--instance-id=${id}2" --ip=10.0.0.2
	equal "dry run" "dry run: would register db-slave-1 (held) ${id}2 10.0.0.2" "$out"
	dry aerostat "${server[@]}" --dryrun --change-master --service=db --type=masterful \
		"--instance-id=${id}2"
	equal "dry run" "dry run: would make ${id}2 db-master (now ${id}1), ${id}1 db-slave-1" \
		"$out"
	refuses 1 aerostat "${server[@]}" --dryrun --change-master --service=web \
		"--instance-id=${id}2"
	says 'not masterful'
	refuses 1 aerostat "${server[@]}" --dryrun --change-master --service=db \
		--type=masterful "--instance-id=${id}9"
	refuses 0 aerostat "${server[@]}" --change-master --service=db --type=masterful \
		"--instance-id=${id}1"
	refuses 1 aerostat "${server[@]}" --register --service=web "--instance-id=${id}1" \
		--ip=10.0.0.1
	says 'this node is db-master; release it first'
}

updates()
{
	dry aerostat "${server[@]}" --dryrun --update
	equal "dry update" '--- /etc/hosts
+++ /etc/hosts.new
@@
 127.0.0.1 localhost
+# AEROSTAT
+::1 localhost ip6-localhost
+10.0.0.1 db-master
+10.0.0.2 db-slave-1
+# /AEROSTAT
dry run: 2 names, +2 -0 ~0, nothing written' "$(sed 's/^@@ .*/@@/' <<<"$out")"
	refuses 0 aerostat "${server[@]}" --update
	dry aerostat "${server[@]}" --dryrun --update
	equal "dry update" 'dry run: 2 names, +0 -0 ~0, nothing written' "$out"
	put_document "$(slot web-0 i-0000000000000c009 10.0.0.9)"
	prints "db-slave-1 (held) i-0000000000000c002 10.0.0.22" aerostat-register \
		"${server[@]}" --service=db --type=masterful --root="$test_dir/two" \
		--instance-id=i-0000000000000c002 --ip=10.0.0.22
	dry aerostat-syncd "${server[@]}" --once --dryrun
	equal "dry update" '--- /etc/hosts
+++ /etc/hosts.new
@@
 # AEROSTAT
 ::1 localhost ip6-localhost
 10.0.0.1 db-master
-10.0.0.2 db-slave-1
+10.0.0.22 db-slave-1
+10.0.0.9 web-0
 # /AEROSTAT
dry run: 3 names, +1 -0 ~1, nothing written' "$(sed -e 's/^@@ .*/@@/' \
		-e '/^ 127.0.0.1 localhost$/d' <<<"$out")"
	refuses 1 aerostat lookup web-0
	# Actions run in one call, in their order.
	printf 'app\n' >/etc/aerostat_info
	refuses 0 aerostat "${server[@]}" --update --register --instance-id=i-0000000000000c010 \
		--ip=10.0.0.10
	refuses 0 aerostat lookup app-0
	says '10\.0\.0\.10'

	# A block without an end.
	printf '127.0.0.1 localhost\n# AEROSTAT\n10.0.0.1 x\n' >/etc/hosts
	refuses 78 aerostat "${server[@]}" --update
	says '/etc/hosts:2|line 2'
	refuses 0 aerostat "${server[@]}" --update --repair-hosts
	equal "the repaired file" "# /AEROSTAT" "$(tail -n 1 /etc/hosts)"

	# A legacy updater that fails: nothing is written.
	cp /etc/hosts "$test_dir/hosts.before"
	refuses 1 aerostat "${server[@]}" --update --legacy-updater=/bin/false
	cmp /etc/hosts "$test_dir/hosts.before"
}

dead_node()
{
	[ "$kind" != lmdb ] || return 0
	mongo insert nodes '{"_id": "i-0000000000000c0dd", "gen": {"$numberLong": "3"},
		"dead": {"why": "terminated", "at": {"$date": "2026-01-01T00:00:00Z"}}}'
	refuses 75 aerostat-register "${server[@]}" --service=web --ip=10.0.0.13 \
		--instance-id=i-0000000000000c0dd --register-deadline=3
	says 'i-0000000000000c0dd|dead'
	# Data with twins: the indexes cannot be, so it is refused, with what to do.
	mongo drop
	mongo insert servers "$(slot web-0 i-1 10.0.0.1)" "$(slot web-0 i-2 10.0.0.2)"
	refuses 78 aerostat-register "${server[@]}" --service=web --ip=10.0.0.13 \
		--instance-id=i-0000000000000c0de
	says 'aerostatd --check'
}

if [ "$kind" = lmdb ]; then
	usage_errors
	helps
	journal
	config_errors
	info_errors
	precedence
	unreachable
	not_permitted
	held
	bad_records
fi
open_at_home()
{
	case $kind in
	standalone)
		need_mongod
		start_mongod mongod-0 27017
		wait_until 30 "mongod" mongod_up mongod-0 27017
		mongo_uri=mongodb://127.0.0.1:27017/
		server=(--server=localhost)
		;;
	set)
		# Any member will do: the set is discovered and followed.
		open_store
		local other=$(($(primary_member) == 0 ? 1 : 0))
		server=(--server "127.0.0.1:$(head -n 1 "$test_dir/mongod-$other.args")")
		;;
	lmdb)
		open_store
		server=("--server=$uri")
		;;
	esac
}
open_at_home
empty_store
with_names
updates
dead_node
pass "$test_name $kind"
