#!/bin/bash
# SPDX-License-Identifier: MIT
# Sourced first by every end-to-end test:
#
#	. "${0%/*}/lib.sh"
#	private_ns net          # optional: own mounts, host name, processes, network
#	start_replica_set       # optional: $mongo_uri
#	...
#	pass
#
# A command that fails ends the test. What a test needs and cannot have: skip WHY.
# Whatever was started through spawn, and $test_dir, is gone when the test ends.
# AEROSTAT_TEST_STRICT=1: a skip is a failure. AEROSTAT_TEST_LONG=1: the long form. AEROSTAT_TEST_KEEP=1: $test_dir stays.
# shellcheck disable=SC2034 # variables set here are for the tests

set -euE -o pipefail
umask 022

e2e_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
test_name=$(basename "$0" .sh)
test_script=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
test_args=("$@")
top_srcdir=${top_srcdir:-$(cd "$e2e_dir/../.." && pwd)}
if [ -z "${top_builddir-}" ]; then
	top_builddir=$top_srcdir/build
	[ ! -e "$PWD/config.status" ] || top_builddir=$PWD
fi
export top_srcdir top_builddir
mongo_uri=
exit_code=

# --- outcome ---------------------------------------------------------------------------

note()
{
	echo "# $*"
}

pass()
{
	echo "PASS: ${*:-$test_name}"
	exit 0
}

fail()
{
	trap - ERR
	echo "FAIL: $*" >&2
	exit 1
}

skip()
{
	trap - ERR
	echo "SKIP: $*" >&2
	[ "${AEROSTAT_TEST_STRICT-}" != 1 ] || exit 99
	exit 77
}

# The one skip that strict runs allow: there is no Go here.
skip_go()
{
	trap - ERR
	echo "SKIP: $*" >&2
	exit 77
}

# by_length QUICK LONG: the second under AEROSTAT_TEST_LONG=1 (make check-long).
by_length()
{
	if [ "${AEROSTAT_TEST_LONG-}" = 1 ]; then
		echo "$2"
	else
		echo "$1"
	fi
}

# equal WHAT WANTED GOT
equal()
{
	[ "$2" = "$3" ] || fail "$1: wanted '$2', got '$3'"
}

# refuses CODE COMMAND...: it must end with exactly that code. Output in $test_dir/refused.
refuses()
{
	local code=$1 got=0
	shift
	"$@" >"$test_dir/refused" 2>&1 || got=$?
	[ "$got" = "$code" ] || fail "$*: exit $got, wanted $code: $(cat "$test_dir/refused")"
}

# wait_until SECONDS WHAT COMMAND...: until COMMAND succeeds, asked every 50 ms.
wait_until()
{
	local end what=$2
	end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
	shift 2
	until "$@" >/dev/null 2>&1; do
		((${EPOCHREALTIME/[.,]/} < end)) || fail "waited in vain for: $what"
		sleep 0.05
	done
}

# --- processes -------------------------------------------------------------------------

# spawn NAME COMMAND...: in the background, both outputs to $test_dir/NAME.log.
spawn()
{
	local name=$1
	shift
	"$@" </dev/null >>"$test_dir/$name.log" 2>&1 &
	echo "$!" >"$test_dir/.pids/$name"
}

pid_of()
{
	cat "$test_dir/.pids/$1"
}

# A zombie is no longer alive, whoever has to reap it.
pid_alive()
{
	local state
	state=$(sed -n 's/^State:[[:space:]]*//p' "/proc/$1/status" 2>/dev/null) || return 1
	case $state in
	'' | [ZX]*) return 1 ;;
	esac
}

alive()
{
	pid_alive "$(pid_of "$1")"
}

gone()
{
	! alive "$1"
}

signal()
{
	kill "-$2" "$(pid_of "$1")"
}

# Is it still the child that spawn made? The number of one that ended by itself may belong
# to a stranger by now, in a test that runs beside this one.
is_child()
{
	# $$ in a subshell is the shell that spawned, too
	grep -qxE "PPid:[[:space:]]*($$|$BASHPID)" "/proc/$1/status" 2>/dev/null
}

# stop NAME [SIGNAL]: and wait until it is gone; its exit code in $exit_code. Nothing if
# it was never started. (The braces hold back what bash says of killed jobs.)
stop()
{
	local pid
	[ -e "$test_dir/.pids/$1" ] || return 0
	pid=$(pid_of "$1")
	exit_code=0
	{
		if is_child "$pid"; then
			kill "-${2:-TERM}" "$pid" || :
			e2e_await_end "$pid" || fail "$1 does not end with SIG${2:-TERM}" 2>&3
		fi
		wait "$pid" || exit_code=$?
	} 3>&2 2>/dev/null
	rm -f "$test_dir/.pids/$1"
}

e2e_await_end()
{
	local turns
	for ((turns = 0; turns < 300; turns++)); do
		pid_alive "$1" || return 0
		sleep 0.05
	done
	return 1
}

# free_ports COUNT: below the range that outgoing connections use.
free_ports()
{
	/usr/bin/python3 - "$1" <<'PY'
import random, socket, sys
held = []
while len(held) < int(sys.argv[1]):
    s = socket.socket()
    try:
        s.bind(("127.0.0.1", random.randrange(15000, 32000)))
        held.append(s)
    except OSError:
        s.close()
print(*[s.getsockname()[1] for s in held])
PY
}

# --- setting up and clearing away ------------------------------------------------------

# A failure is read in the log of the test alone. mongod says too much to show all.
e2e_show_logs()
{
	local file
	for file in "$test_dir"/*.log; do
		[ -s "$file" ] || continue
		echo "--- the end of ${file##*/}"
		case $file in
		*/mongod-*) grep -E '"s":"[WEF]"' "$file" | grep -v startupWarn | tail -n 5 ;;
		*) tail -n 25 "$file" ;;
		esac | cut -c 1-300
	done
}

e2e_cleanup()
{
	local code=$? file pid
	trap - EXIT ERR HUP INT TERM
	set +e
	# A script's own last act, within its namespace if it has one.
	if declare -F at_exit >/dev/null; then
		at_exit
	fi
	case $code in
	0 | 77 | 129 | 130 | 143) ;;
	*) [ -n "$e2e_outside" ] || e2e_show_logs >&2 ;;
	esac
	# In a namespace of its own, pid 1's end takes the rest along.
	[ -z "$e2e_inside" ] || exit "$code"
	# It may have a last act to do; its first process is the child of the one we know.
	if [ -n "$e2e_outside" ]; then
		pid=$(cat "/proc/$e2e_outside/task/$e2e_outside/children" 2>/dev/null)
		if [ -n "$pid" ] && kill -TERM "$pid" 2>/dev/null; then
			e2e_await_end "$e2e_outside"
		fi
	fi
	for file in "$test_dir"/.pids/*; do
		[ ! -e "$file" ] || stop "${file##*/}" KILL
	done
	if [ "${AEROSTAT_TEST_KEEP-}" = 1 ]; then
		echo "kept: $test_dir" >&2
	else
		rm -rf "$test_dir"
	fi
	exit "$code"
}

e2e_error()
{
	echo "FAIL: ${BASH_SOURCE[1]##*/}:$1: '$2' ended with $3" >&2
}

# Within private_ns: the folder of the test. Outside of it: the namespace's process.
e2e_inside=${AERO_E2E_INSIDE-}
e2e_outside=
unset AERO_E2E_INSIDE
if [ -n "$e2e_inside" ]; then
	test_dir=$e2e_inside
else
	test_dir=$(mktemp -d "${TMPDIR:-/tmp}/aerostat-e2e-$test_name.XXXXXX")
	mkdir "$test_dir/.pids"
fi
trap e2e_cleanup EXIT
trap 'e2e_error "$LINENO" "$BASH_COMMAND" "$?"' ERR
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# The programs as `make install` lays them down (check-e2e makes it once for all tests).
stage=${AERO_STAGE:-$top_builddir/stage}
if [ -z "${AERO_STAGE-}" ] && [ -e "$top_builddir/Makefile" ] && [ -z "$e2e_inside" ]; then
	make -s -C "$top_builddir" stage >"$test_dir/stage.out" 2>&1 ||
		fail "make stage: $(tail -n 5 "$test_dir/stage.out")"
fi
e2e_bins()
{
	find "$1" -type d \( -name bin -o -name sbin \) -printf '%p:' 2>/dev/null || :
}
PATH=$(e2e_bins "$stage")$PATH
export PATH
# The environment of whoever runs the tests must not steer what is tested.
for variable in "${!AEROSTAT_@}"; do
	[[ $variable == AEROSTAT_TEST_* ]] || unset "$variable"
done
unset MONGO_DB mongo_at

# --- namespaces ------------------------------------------------------------------------

# private_dir PARENT STORE NAME...: PARENT becomes a private copy of the folder list of
# PARENT, its sub-folders as they are, but with empty PARENT/NAMEs of our own.
private_dir()
{
	local parent=$1 store=$2 entry name
	shift 2
	mkdir -p "$store"
	for entry in "$parent"/*; do
		name=${entry##*/}
		if [[ " $* " == *" $name "* ]] || [ ! -d "$entry" ] || [ -L "$entry" ]; then
			continue
		fi
		mkdir "$store/$name"
		mount --rbind "$entry" "$store/$name"
	done
	for name; do
		mkdir "$store/$name"
	done
	mount --rbind "$store" "$parent"
}

# private_files DIR [HOSTNAME]: own /etc, /var/lib/aerostat and /run, in memory, mounted
# at DIR too. A rename over /etc/hosts must work, so all of /etc is a copy, not the files
# alone. With private_keep_names set, the machine's own names are kept, for its servers.
private_files()
{
	mkdir -p "$1"
	mount -t tmpfs -o mode=0755 aerostat-private "$1"
	mkdir "$1/etc"
	cp -a /etc/. "$1/etc/" 2>/dev/null || :
	rm -f "$1"/etc/hosts.* "$1"/etc/aerostat* "$1/etc/hostname"
	echo "${2:-private}" >"$1/etc/hostname"
	sed -i '/^hosts:/d' "$1/etc/nsswitch.conf"
	if [ -n "${private_keep_names-}" ]; then
		echo 'hosts: files aerostat dns' >>"$1/etc/nsswitch.conf"
	else
		printf '127.0.0.1 localhost\n' >"$1/etc/hosts"
		echo 'hosts: files aerostat' >>"$1/etc/nsswitch.conf"
	fi
	mount --bind "$1/etc" /etc
	hostname "${2:-private}"
	private_dir /var/lib "$1/lib" aerostat
	# nscd's socket would let another process, outside, answer.
	private_dir /run "$1/run" aerostat nscd
}

# private_stage: the programs and the module of $stage where any user may run them, and
# the module where every program finds it: LD_LIBRARY_PATH would not reach setuid ones.
private_stage()
{
	mkdir -p /run/aerostat-stage
	[ ! -d "$stage" ] || cp -a "$stage/." /run/aerostat-stage/
	chmod -R go+rX /run/aerostat-stage
	PATH=$(e2e_bins /run/aerostat-stage)$PATH
	[ ! -d /var/cache/ldconfig ] || mount -t tmpfs -o mode=0700 none /var/cache/ldconfig
	find /run/aerostat-stage -name 'lib*.so*' -printf '%h\n' | sort -u \
		>/etc/ld.so.conf.d/000-aerostat.conf
	/sbin/ldconfig -X
}

# private_ns [net]: run the test again from its start, alone in mount, UTS and process
# namespaces (and a network with lo only), with files as private_files says.
private_ns()
{
	local flags=(-m -u -p -f --kill-child --mount-proc --propagation private) code=0
	if [ -n "$e2e_inside" ]; then
		[ "${1-}" != net ] || ip link set lo up
		private_files "$test_dir/private"
		private_stage
		# libmongoc keeps counters there, named by process id: ours begin at 1.
		[ ! -d /dev/shm ] || mount -t tmpfs -o mode=1777 none /dev/shm
		return 0
	fi
	if [ "${1-}" = net ]; then
		command -v ip >/dev/null || skip "no ip command: apt-get install iproute2"
		flags+=(-n)
	fi
	[ "$(id -u)" = 0 ] || flags+=(-r)
	unshare "${flags[@]}" mount -t tmpfs none /mnt 2>"$test_dir/unshare.err" ||
		skip "no private namespaces here: $(cat "$test_dir/unshare.err")"
	AERO_E2E_INSIDE=$test_dir AERO_STAGE=$stage unshare "${flags[@]}" \
		"$BASH" "$test_script" ${test_args[@]+"${test_args[@]}"} &
	e2e_outside=$!
	echo "$!" >"$test_dir/.pids/namespace"
	wait "$!" || code=$?
	trap - ERR
	exit "$code"
}

# node_new NAME [ADDRESS]: one more machine within private_ns: own mounts and host name,
# own private_files; with ADDRESS, that on lo.
node_new()
{
	[ -z "${2-}" ] || ip address add "$2" dev lo
	mkdir -p "$test_dir/nodes/$1"
	spawn "node-$1" unshare -m -u --propagation private "$BASH" -euc "
		private_keep_names=${private_keep_names-}
		$(declare -f private_dir private_files)
		private_files '$test_dir/nodes/$1' '$1'
		: >'$test_dir/.ready-$1'
		exec sleep infinity"
	wait_until 15 "the files of node $1" test -e "$test_dir/.ready-$1"
}

# node NAME COMMAND...: run it there (-r: the root of a chroot is not that of its mounts).
node()
{
	local name=$1
	shift
	nsenter -t "$(pid_of "node-$name")" -m -u -r -- "$@"
}

# node_spawn NODE NAME COMMAND...: as spawn, on that node; the pid is COMMAND's own.
node_spawn()
{
	local node=$1 name=$2
	shift 2
	spawn "$name" nsenter -t "$(pid_of "node-$node")" -m -u -r -- "$@"
}

# --- certificates ----------------------------------------------------------------------

pki=$test_dir/pki
e2e_key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)

# authority NAME: $pki/NAME.pem, with $pki/NAME.key.
authority()
{
	mkdir -p "$pki"
	openssl req -x509 "${e2e_key[@]}" -keyout "$pki/$1.key" -out "$pki/$1.pem" \
		-subj "/O=authority/CN=$1" -days 2 2>/dev/null
}

# certificate NAME AUTHORITY SUBJECT NAMES DAYS: $pki/NAME.pem, with its key.
certificate()
{
	openssl req "${e2e_key[@]}" -keyout "$pki/$1.key" -out "$pki/$1.csr" -subj "$3" 2>/dev/null
	echo "${4:+subjectAltName=$4}" >"$pki/$1.ext"
	openssl x509 -req -in "$pki/$1.csr" -CA "$pki/$2.pem" -CAkey "$pki/$2.key" \
		-CAcreateserial -days "$5" -out "$pki/$1.crt" -extfile "$pki/$1.ext" 2>/dev/null
	cat "$pki/$1.crt" "$pki/$1.key" >"$pki/$1.new"
	mv "$pki/$1.new" "$pki/$1.pem"
}

# --- mongod ----------------------------------------------------------------------------

mongo()
{
	/usr/bin/python3 "$e2e_dir/mongo.py" "${mongo_at:-$mongo_uri}" "$@"
}

# scripts/test has tried to download one: no test tries again.
mongod_path()
{
	"$top_srcdir/scripts/mongod" ${AEROSTAT_TEST_NO_DOWNLOAD:+--cached}
}

# need_mongod: $mongod and the client, or skip.
need_mongod()
{
	local err=$test_dir/need
	[ -z "${mongod-}" ] || return 0
	/usr/bin/python3 -c 'import pymongo' 2>"$err" ||
		skip "no pymongo: apt-get install python3-pymongo"
	mongod=$(mongod_path 2>"$err") || skip "no mongod: $(tail -n 2 "$err" | tr '\n' ' ')"
}

# start_mongod NAME PORT [OPTION...]
start_mongod()
{
	local name=$1 port=$2
	shift 2
	mkdir -p "$test_dir/$name"
	printf '%s\n' "$port" "$@" >"$test_dir/$name.args"
	spawn "$name" "$mongod" --bind_ip 127.0.0.1 --port "$port" --nounixsocket \
		--dbpath "$test_dir/$name" --wiredTigerCacheSizeGB 0.25 --oplogSize 64 \
		--setParameter enableTestCommands=1 \
		--setParameter diagnosticDataCollectionEnabled=false "$@"
}

# Answers, or is gone (then another process had taken the port).
mongod_up()
{
	gone "$1" || bash -c "exec 3<>/dev/tcp/127.0.0.1/$2" 2>/dev/null
}

# start_standalone: $mongo_uri, printed as well.
start_standalone()
{
	local port
	need_mongod
	port=$(free_ports 1)
	start_mongod mongod-0 "$port" "$@"
	wait_until 30 "mongod on port $port" mongod_up mongod-0 "$port"
	alive mongod-0 || fail "mongod did not start"
	mongo_uri=mongodb://127.0.0.1:$port/
	echo "$mongo_uri"
}

# start_replica_set [OPTION...]: three members, a primary in 2-3 s; $mongo_uri, printed.
start_replica_set()
{
	local i=0 port ports hosts=
	need_mongod
	ports=$(free_ports 3)
	for port in $ports; do
		start_mongod "mongod-$i" "$port" --replSet aero "$@"
		hosts=$hosts,127.0.0.1:$port
		i=$((i + 1))
	done
	i=0
	for port in $ports; do
		wait_until 30 "mongod on port $port" mongod_up "mongod-$i" "$port"
		alive "mongod-$i" || fail "mongod-$i did not start"
		i=$((i + 1))
	done
	mongo_uri="mongodb://${hosts#,}/?replicaSet=aero"
	# shellcheck disable=SC2086 # three words
	mongo_at="mongodb://127.0.0.1:${ports%% *}/?directConnection=true" \
		mongo init aero $ports >/dev/null
	echo "$mongo_uri"
}

# primary_member: the number of the member that is primary; waits for one.
primary_member()
{
	local port
	port=$(mongo primary)
	port=${port##*:}
	grep -lx "$port" "$test_dir"/mongod-*.args | sed 's/.*mongod-\([0-9]*\).args/\1/'
}

# stop_member NUMBER [SIGNAL], kill_member NUMBER, start_member NUMBER (as it was).
stop_member()
{
	stop "mongod-$1" "${2:-TERM}"
}

kill_member()
{
	stop_member "$1" KILL
}

start_member()
{
	local args
	mapfile -t args <"$test_dir/mongod-$1.args"
	start_mongod "mongod-$1" "${args[@]}"
	wait_until 30 "mongod-$1" mongod_up "mongod-$1" "${args[0]}"
}
