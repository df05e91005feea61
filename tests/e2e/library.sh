#!/bin/bash
# SPDX-License-Identifier: MIT
# libaerostat as another program uses it: built against what is installed, with
# pkg-config, asking a real server and an embedded store; and what the library leaves alone.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
command -v pkg-config >/dev/null || skip "no pkg-config"

so=$(find "$stage" -name 'libaerostat.so.0')
pc=$(find "$stage" -name aerostat.pc)
[ -n "$so" ] && [ -n "$pc" ] || fail "the library is not installed"
if nm -D --undefined-only "$so" | grep -E '__(asan|ubsan|tsan)_' >/dev/null; then
	skip "a build with sanitizers"
fi
export PKG_CONFIG_PATH=${pc%/*} PKG_CONFIG_SYSROOT_DIR=$stage
export LD_LIBRARY_PATH=${so%/*}

note "the binary"
equal "exports" "aerostat_check_master aerostat_connect aerostat_connect_client \
aerostat_disconnect aerostat_error aerostat_get_hostname aerostat_get_master \
aerostat_hostname_exists aerostat_node" \
	"$(nm -D --defined-only "$so" | awk '$2 == "T" { print $3 }' | sed 's/@.*//' |
		LC_ALL=C sort | xargs)"
equal "nothing else" "" "$(nm -D --defined-only "$so" | awk '$2 !~ /[TA]/ { print $3 }')"
equal "soname" libaerostat.so.0 \
	"$(readelf -d "$so" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')"

note "the example"
build()
{
	local out=$1
	shift
	# shellcheck disable=SC2046 # words
	"${CC:-cc}" -std=c11 -Wall -Wextra -Werror -o "$out" "$@" \
		$(pkg-config --cflags --libs aerostat) 2>"$test_dir/cc.err" ||
		fail "$(cat "$test_dir/cc.err")"
}
build "$test_dir/ask" "$top_srcdir/dist/ask.c"
start_standalone
for id in 0 1; do
	aerostat --register --offline --server="$mongo_uri" --root="$test_dir/node-$id" \
		--service=db --type=masterful --instance-id="i-$id" --ip="10.0.0.$id" >/dev/null
done
ask()
{
	AEROSTAT_ROOT=$test_dir/none "$test_dir/ask" "$@"
}
slots()
{
	equal "master" "db-master db 10.0.0.0
master i-0 10.0.0.0 epoch $2 (itself)" "$(ask "$1" i-0)"
	equal "slave" "db-slave-1 db 10.0.0.1
master i-0 10.0.0.0 epoch $2" "$(ask "$1" i-1)"
	refuses 1 ask "$1" i-9
	grep -q "ask: nothing found for 'i-9'" "$test_dir/refused" ||
		fail "$(cat "$test_dir/refused")"
}
slots "$mongo_uri" 1
cat >"$test_dir/fleet" <<'JSON'
{"hostname":"db-master","service":"db","service_type":"masterful","instance_id":"i-0","ip":"10.0.0.0"}
{"hostname":"db-slave-1","service":"db","service_type":"masterful","instance_id":"i-1","ip":"10.0.0.1"}
JSON
aerostat --server="lmdb:$test_dir/names" import "$test_dir/fleet" >/dev/null
slots "lmdb:$test_dir/names" 0
refuses 69 ask 127.0.0.1:1 i-0
refuses 78 ask "mongodb://a@b@c/" i-0
refuses 64 ask "$mongo_uri" ""

note "a client of the caller's, its signals and its log"
cat >"$test_dir/own.c" <<'C'
#include <aerostat.h>
#include <mongoc/mongoc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static void mine(int signal)
{
	(void)signal;
}

static unsigned lines;

static void my_log(mongoc_log_level_t level, const char *domain, const char *text, void *data)
{
	(void)level, (void)domain, (void)text, (void)data;
	lines++;
}

int main(int argc, char *argv[])
{
	struct aerostat *a = NULL, *b = NULL;
	struct aerostat_host host;
	struct sigaction now;
	mongoc_client_t *client;
	bson_t ping = BSON_INITIALIZER;

	(void)argc;
	(void)signal(SIGABRT, mine);
	mongoc_log_set_handler(my_log, NULL);
	mongoc_init();
	client = mongoc_client_new(argv[1]);
	if (aerostat_connect(argv[1], &b) != 0 || aerostat_hostname_exists(b, "db-master") != 0)
		return 1;
	aerostat_disconnect(b);
	if (aerostat_connect_client(client, NULL, &a) != AEROSTAT_OK ||
		aerostat_hostname_exists(a, "db-master") != AEROSTAT_OK ||
		aerostat_hostname_exists(a, "db-9") != AEROSTAT_NO ||
		aerostat_check_master(a, "i-0") != AEROSTAT_OK ||
		aerostat_check_master(a, "i-1") != AEROSTAT_NO ||
		aerostat_get_master(a, "db", &host) != AEROSTAT_OK ||
		strcmp(host.instance_id, "i-0") != 0 || host.epoch != 1 ||
		aerostat_get_master(a, "web", &host) != AEROSTAT_NO)
		return 2;
	aerostat_disconnect(a);
	aerostat_disconnect(NULL);
	/* Still the caller's. */
	BSON_APPEND_INT32(&ping, "ping", 1);
	if (!mongoc_client_command_simple(client, "admin", &ping, NULL, NULL, NULL))
		return 3;
	if (sigaction(SIGABRT, NULL, &now) != 0 || now.sa_handler != mine)
		return 4;
	lines = 0;
	MONGOC_WARNING("a line of the caller's");
	mongoc_client_destroy(client);
	bson_destroy(&ping);
	mongoc_cleanup();
	return lines == 1 ? 0 : 5;
}
C
# shellcheck disable=SC2046 # words
build "$test_dir/own" -D_GNU_SOURCE "$test_dir/own.c" $(PKG_CONFIG_SYSROOT_DIR='' pkg-config --cflags --libs libmongoc-1.0)
code=0
AEROSTAT_ROOT=$test_dir/none "$test_dir/own" "$mongo_uri" 2>"$test_dir/own.err" || code=$?
equal "its own client" "0 " "$code $(cat "$test_dir/own.err")"
pass
