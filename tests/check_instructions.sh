#!/bin/bash
# SPDX-License-Identifier: MIT
# How many instructions and system calls a look-up costs within the module and what it
# calls of libc, by callgrind, against those kept in tests/data/instructions: 3 % more
# instructions may be, not one system call.
# `make update-instructions` writes the counts of this build there, after a change that is
# worth its price.
set -euo pipefail
top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/.." && pwd)}
top_builddir=${top_builddir:-$PWD}
kept=$top_srcdir/tests/data/instructions
room=3
calls=1000

skip()
{
	echo "SKIP: $*"
	[ "${AEROSTAT_TEST_STRICT-}" != 1 ] || exit 99
	exit 77
}

module=$top_builddir/tests/.libs/libnss_aerostat_test.so.2
driver=$top_builddir/tests/instructions
for flag in ${CFLAGS--g -O2}; do
	case $flag in
	-g* | -O2) ;;
	*) skip "counts are kept for CFLAGS='-g -O2', and this build has '$CFLAGS'" ;;
	esac
done
case " ${CFLAGS--g -O2} " in
*" -O2 "*) ;;
*) skip "counts are kept for CFLAGS='-g -O2', and this build has '$CFLAGS'" ;;
esac
symbols=$(nm -D --undefined-only "$module")
! grep -Eq '__(gcov|llvm|asan|ubsan|tsan|msan)' <<<"$symbols" ||
	skip "a build with sanitizers or coverage"
grep -q __stack_chk_fail <<<"$symbols" || skip "a build without hardening"
valgrind=$(command -v valgrind) || skip "no valgrind: apt-get install valgrind"
# The compiler by its family and version, such as gcc-12.
family=gcc
# shellcheck disable=SC2086 # CC may be words
version=$(${CC:-cc} -dumpversion)
# shellcheck disable=SC2086
! ${CC:-cc} --version | grep clang >/dev/null || family=clang
build="$family-${version%%.*} $(uname -m)"

dir=$(mktemp -d "${TMPDIR:-/tmp}/aerostat-instructions-XXXXXX")
trap 'rm -rf "$dir"' EXIT

# How libc compares and copies depends on where in a page the stack is: the same environment
# and the same arguments everywhere; which functions it takes, on the processor: those that
# every processor has. (Valgrind 3.19 cannot read clang's debug information.)
plainest=glibc.cpu.hwcaps=-AVX,-AVX2,-AVX_Fast_Unaligned_Load,-AVX512F,-ERMS,-FSRM,-SSSE3
objcopy --strip-debug "$driver" "$dir/driver"
objcopy --strip-debug "$module" "$dir/module"
count() # KIND NAMES: instructions and system calls of one look-up
{
	local entry=_nss_aerostat_gethostbyname3_r
	[ "$1" != reverse ] || entry=_nss_aerostat_gethostbyaddr2_r
	env -i -C "$dir" PATH=/usr/bin:/bin GLIBC_TUNABLES="$plainest" \
		"$valgrind" --tool=callgrind --callgrind-out-file=/dev/null \
		--toggle-collect="$entry" --collect-systime=yes \
		./driver ./module "./$2.mdb" "$1" "$2" "$calls" >"$dir/log" 2>&1 &&
		sed -n 's/.*Collected : *//p' "$dir/log" |
		awk -v n="$calls" '{ printf "%d %d\n", $1 / n, $2 / n; exit $1 == 0 }' || {
		cat "$dir/log" >&2
		return 1
	}
}

for names in 10 10000; do
	awk -v n="$names" 'BEGIN { for (i = 0; i < n; i++)
		printf "web-%d 10.0.%d.%d www%d app%d\n", i, i / 256, i % 256, i, i }' |
		"$top_builddir/tests/publish_tool" "$dir/$names.mdb"
done
bad=0
: >"$dir/new"
for names in 10 10000; do
	for kind in hit miss reverse; do
		count "$kind" "$names" >"$dir/now"
		read -r now now_calls <"$dir/now"
		echo "$build $kind $names $now $now_calls" >>"$dir/new"
		awk -v key="$build $kind $names" \
			'$1 " " $2 " " $3 " " $4 == key { print $5, $6 }' "$kept" >"$dir/was"
		was='' was_calls=''
		read -r was was_calls <"$dir/was" || :
		verdict=ok
		if [ -z "$was" ]; then
			verdict="none kept"
			bad=2
		elif ((now * 100 > was * (100 + room) || now_calls > was_calls)); then
			verdict="TOO MANY"
			bad=1
		elif ((now * 100 < was * (100 - room) || now_calls < was_calls)); then
			verdict="fewer: make update-instructions"
		fi
		echo "$build: $kind among $names names: $now instructions, kept ${was:--};" \
			"$now_calls system calls, kept ${was_calls:--}: $verdict"
	done
done
if [ "${1-}" = --update ]; then
	grep -v "^$build " "$kept" >"$dir/kept" || :
	cat "$dir/new" >>"$dir/kept"
	{
		grep '^#' "$dir/kept"
		grep -v '^#' "$dir/kept" | LC_ALL=C sort -s -k 1,2
	} >"$dir/sorted"
	cp "$dir/sorted" "$kept"
	echo "written: $kept"
	exit 0
fi
[ "$bad" != 2 ] || skip "no counts are kept for $build: make update-instructions there"
exit "$bad"
