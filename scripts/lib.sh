# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What scripts/test, scripts/demo and .ci/run share: packages, the build, the counting.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# README.md names the same.
# shellcheck disable=SC2034 # each script uses some
packages_build='build-essential autoconf automake libtool pkg-config libmongoc-dev
	liblmdb-dev libyaml-dev libcurl4-openssl-dev libssl-dev libexpat1-dev libcmocka-dev
	python3 git'
# shellcheck disable=SC2034
packages_test='curl e2fsprogs faketime iproute2 iptables iputils-ping openssh-client openssl
	patch procps python3-pymongo strace supervisor valgrind'
# shellcheck disable=SC2034
packages_lint='clang libclang-rt-14-dev clang-format cppcheck shellcheck mandoc'

say()
{
	echo "==> $*"
}

die()
{
	echo "${0##*/}: $*" >&2
	exit 1
}

# background COMMAND...: as $job, in a process group of its own, which ends with us.
job=
background()
{
	set -m
	"$@" </dev/null &
	job=$!
	set +m
}

end_job()
{
	trap '' HUP INT TERM
	if [ -n "$job" ]; then
		echo "ending what runs ..."
		kill -TERM -- "-$job" 2>/dev/null
		wait
	fi
	exit 130
}
trap end_job HUP INT TERM

# --- packages --------------------------------------------------------------------------

missing_packages()
{
	local package
	for package; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
			echo "$package"
	done
}

# quietly LOG COMMAND...: output to LOG; a line now and then says that it still runs.
quietly()
{
	local log=$1 start=$SECONDS last=0
	shift
	background "$@" >>"$log" 2>&1
	while kill -0 "$job" 2>/dev/null; do
		sleep 0.2
		if ((SECONDS - start >= last + 20)); then
			last=$((SECONDS - start))
			echo "    ... $last s"
		fi
	done
	wait "$job"
}

# A daemon that comes along for the tests (supervisor) is not started on this machine.
apt()
(
	policy=/usr/sbin/policy-rc.d
	if [ ! -e "$policy" ] && [ -w "${policy%/*}" ]; then
		trap 'rm -f "$policy"' EXIT
		trap 'exit 143' HUP INT TERM
		printf '#!/bin/sh\n# Of aerostat/scripts, while it installs packages.\nexit 101\n' \
			>"$policy"
		chmod 755 "$policy"
	fi
	DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"
)

# Another apt holds a lock, or a mirror hiccups: worth a second try.
apt_again()
{
	apt "$@" || { sleep 5 && apt "$@"; } || { sleep 15 && apt "$@"; }
}

# apt_install LOG PACKAGE...: those that are missing. False if it could not be done.
apt_install()
{
	local log=$1 missing
	shift
	command -v dpkg-query >/dev/null || return 1
	missing=$(missing_packages "$@")
	[ -n "$missing" ] || return 0
	# shellcheck disable=SC2086 # words
	set -- $missing
	if [ "$(id -u)" != 0 ]; then
		say "missing packages, and not root. As root: apt-get install $*"
		return 1
	fi
	say "installing $# packages with apt-get: $*"
	mkdir -p "$(dirname "$log")"
	# A fresh machine has no lists yet, an old one stale lists.
	quietly "$log" apt install -y --no-install-recommends "$@" && return 0
	quietly "$log" apt_again update || return 1
	quietly "$log" apt_again install -y --no-install-recommends "$@"
}

# need_build_packages LOG: everything that the build needs, or end.
need_build_packages()
{
	if ! command -v dpkg-query >/dev/null; then
		say "this is no Debian: install the siblings of: $packages_build"
		return 0
	fi
	# shellcheck disable=SC2086 # words
	apt_install "$1" $packages_build ||
		die "these are needed to build: $(missing_packages $packages_build | xargs)
  Remedy: as root, with a network: apt-get update && apt-get install <them>. Log: $1"
}

# --- the build -------------------------------------------------------------------------

# build_tree DIR [CONFIGURE-OPTION...]: configure where needed, make. Log: DIR/build.log.
build_tree()
{
	local dir=$1 start=$SECONDS log
	shift
	mkdir -p "$dir"
	log=$dir/build.log
	: >"$log"
	[ ! -e "$top/config.status" ] ||
		die "$top is configured in place, which bars other builds: make distclean there"
	say "building in ${dir#"$top"/} (log: ${log#"$PWD"/})"
	if [ ! -e "$top/configure" ]; then
		quietly "$log" autoreconf -fi "$top" || build_failed "$log" autoreconf || return 1
	fi
	if [ ! -e "$dir/config.status" ] || [ "$(cat "$dir/.options" 2>/dev/null)" != "$*" ]; then
		quietly "$log" env -C "$dir" "$top/configure" --prefix=/usr --sysconfdir=/etc \
			--localstatedir=/var "$@" || build_failed "$log" configure || return 1
		echo "$*" >"$dir/.options"
	fi
	quietly "$log" make -C "$dir" -j"$(nproc)" all || build_failed "$log" make || return 1
	# Warnings are for whoever works on it, errors for everyone.
	say "built in $((SECONDS - start)) s"
}

build_failed()
{
	# The first errors say why, the last lines only that.
	grep -nE 'error:|: error |undefined reference' "$1" | head -n 8 | grep . ||
		tail -n 15 "$1"
	echo "$2 failed. The whole log: $1"
	return 1
}

# --- counting --------------------------------------------------------------------------
# $results has a line for each test: RESULT<TAB>PHASE<TAB>NAME<TAB>LOG<TAB>RERUN.

result()
{
	printf '%s\t%s\t%s\t%s\t%s\n' "$@" >>"${results:?}"
}

# make_tests PHASE DIR TARGET VARIABLE: a make target that runs the automake tests that
# VARIABLE lists; lines as they end, results from their .trs files, logs kept in
# DIR/results/PHASE.
make_tests()
{
	local phase=$1 dir=$2 target=$3 keep=$2/results/$1 rerun code trs name outcome
	rerun="make -C $dir $target"
	rm -rf "$keep"
	mkdir -p "$keep"
	: >"$keep/make.log"
	find "$dir/tests" "$dir/fuzz" -name '*.trs' -delete 2>/dev/null
	say "$phase: make $target (log: ${keep#"$PWD"/}/make.log)"
	background make -C "$dir" -j"$(nproc)" "$target" >"$keep/make.log" 2>&1
	follow "$job" "$keep/make.log"
	wait "$job"
	code=$?
	while IFS= read -r trs; do
		name=${trs#"$dir"/}
		name=${name%.trs}
		cp "${trs%.trs}.log" "$keep/${name//\//-}.log" 2>/dev/null
		while read -r _ outcome _; do
			result "$outcome" "$phase" "$name" "$keep/${name//\//-}.log" \
				"$rerun $4=$name$([ -e "$top/$name.sh" ] && echo .sh)"
		done < <(grep '^:test-result:' "$trs")
	done < <(find "$dir/tests" "$dir/fuzz" -name '*.trs' 2>/dev/null | sort)
	# make may fail before it runs any test.
	if [ "$code" != 0 ] && ! cut -f 1,2 "$results" | grep -E "^(FAIL|ERROR|XPASS)	$phase\$" >/dev/null; then
		build_failed "$keep/make.log" "make $target" || :
		result FAIL "$phase" "make $target" "$keep/make.log" "$rerun"
	fi
}

# Show the test driver's lines while the process lives.
follow()
{
	tail -n +1 -f --pid="$1" -s 0.2 "$2" 2>/dev/null |
		grep --line-buffered -E '^(PASS|FAIL|SKIP|XFAIL|XPASS|ERROR): ' | sed -u 's/^/    /'
}

# step PHASE LOG COMMAND...: anything else that passes or fails, counted as one.
step()
{
	local phase=$1 log=$2 start=$SECONDS
	shift 2
	mkdir -p "$(dirname "$log")"
	: >"$log"
	say "$phase (log: ${log#"$PWD"/})"
	if quietly "$log" "$@"; then
		echo "    PASS: $phase, $((SECONDS - start)) s"
		result PASS "$phase" "$phase" "$log" "$*"
	else
		tail -n 15 "$log"
		echo "    FAIL: $phase"
		result FAIL "$phase" "$phase" "$log" "$*"
	fi
}

# The names that are not well, then the counts; false if anything failed.
summary()
{
	local outcome phase name log rerun passed=0 failed=0 skipped=0
	echo
	while IFS=$'\t' read -r outcome phase name log rerun; do
		case $outcome in
		PASS | XFAIL)
			passed=$((passed + 1))
			continue
			;;
		SKIP)
			skipped=$((skipped + 1))
			echo "SKIP $phase: $name: $(grep -h -m 1 '^SKIP' "$log" 2>/dev/null |
				sed 's/^SKIP:* *//')"
			;;
		*)
			failed=$((failed + 1))
			echo "FAIL $phase: $name"
			grep -hE '^(FAIL|SKIP)|^\[  FAILED|: error: |^\[   LINE|ERROR: |assert' \
				"$log" 2>/dev/null | head -n 5 | cut -c 1-200 | sed 's/^/       /'
			echo "       log: $log"
			echo "       again: $rerun"
			;;
		esac
	done <"$results"
	[ "$skipped" = 0 ] || echo "A skipped test had not what it needs here; its line says what."
	[ "$failed" != 0 ] || [ "$passed" != 0 ] || {
		echo "no test ran"
		failed=1
	}
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
}
