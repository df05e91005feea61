#!/bin/bash
# SPDX-License-Identifier: MIT
# Who may include whom, and what may not enter foreign processes at all.
set -euo pipefail

top=${top_srcdir:-$(cd "$(dirname "$0")/.." && pwd)}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# folder: the folders it may include.
rules='
mirror: mirror
nss: nss mirror
lib: lib
legacy: legacy lib
register: register lib
server: server lib register
syncd: syncd lib mirror legacy register
cli: cli lib mirror register legacy syncd server
'
# The code that runs in every process that looks a name up.
foreign='nss/*.[ch] mirror/layout.h mirror/record.[ch] mirror/reader.[ch]'
forbidden='#include <(mongoc|bson|lmdb|yaml|curl|syslog|assert)|\b(assert|abort|exit|_exit|getenv|secure_getenv|malloc|calloc|realloc|strdup|strndup|asprintf|printf|fprintf|perror|syslog|mmap|pthread_(mutex|rwlock|once|key|create|cond|spin)[a-z_]*|getaddrinfo|gethostbyname)[[:space:]]*\('

# layers ROOT: print each breach; fail if there is one.
layers()
{
	local line folder allowed file inner bad=0
	while read -r line; do
		[ -n "$line" ] || continue
		folder=${line%%:*}
		allowed=" ${line#*: } "
		for file in "$1/$folder"/*.[ch]; do
			[ -e "$file" ] || continue
			while IFS= read -r inner; do
				case $inner in
				config.h) continue ;;
				*/*) [[ $allowed != *" ${inner%%/*} "* ]] || continue ;;
				esac
				echo "${file#"$1"/}: includes \"$inner\"; may include: config.h$allowed"
				bad=1
			done < <(sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' \
				"$file")
		done
	done <<<"$rules"
	return "$bad"
}

# The comments of a C file blanked, its lines kept.
code()
{
	python3 - "$1" <<'PY'
import re, sys
text = open(sys.argv[1]).read()
print(re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", "", m.group()), text, flags=re.S))
PY
}

clean()
{
	local file bad=0
	# shellcheck disable=SC2086 # patterns
	for file in $(cd "$1" && ls -d $foreign 2>/dev/null); do
		if code "$1/$file" | grep -nE "$forbidden" | sed "s|^|$file:|" | grep .; then
			echo "$file: runs in foreign processes, where none of this may be"
			bad=1
		fi
	done
	return "$bad"
}

# A file in a folder without a rule would escape them all.
known()
{
	local folder bad=0
	for folder in "$1"/*/; do
		folder=$(basename "$folder")
		case $folder in
		tests | fuzz | bench | doc | dist | debian | scripts | m4) continue ;;
		esac
		ls "$1/$folder"/*.[ch] >/dev/null 2>&1 || continue
		[ ! -e "$1/$folder/config.status" ] || continue
		grep -q "^$folder: " <<<"$rules" || {
			echo "$folder/: has no rule in tests/check_layers.sh"
			bad=1
		}
	done
	return "$bad"
}

# must_fail CHECK FILE LINE WORD: a breach put in on purpose is found.
must_fail()
{
	local out
	rm -rf "$tmp/tree"
	mkdir -p "$tmp/tree/$(dirname "$2")"
	printf '%s\n' "$3" >"$tmp/tree/$2"
	if out=$("$1" "$tmp/tree"); then
		echo "FAIL: '$3' in $2 was not noticed"
		exit 1
	fi
	[[ $out == *"$4"* ]] || {
		echo "FAIL: '$3' in $2 was reported as: $out"
		exit 1
	}
}

may_stay()
{
	local out
	rm -rf "$tmp/tree"
	mkdir -p "$tmp/tree/$(dirname "$2")"
	printf '%s\n' "$3" >"$tmp/tree/$2"
	out=$("$1" "$tmp/tree") || {
		echo "FAIL: '$3' in $2 was refused: $out"
		exit 1
	}
}

must_fail layers nss/x.c '#include "lib/err.h"' 'nss/x.c: includes "lib/err.h"'
must_fail layers mirror/x.h '# include "lib/err.h"' lib/err.h
must_fail layers lib/x.c '#include "mirror/layout.h"' mirror/layout.h
must_fail layers legacy/x.c '#include "register/pick.h"' register/pick.h
must_fail layers cli/x.c '#include "nss/answer.h"' nss/answer.h
must_fail layers lib/x.c '#include "err.h"' err.h
must_fail clean mirror/reader.c 'p = malloc(3);' 'mirror/reader.c:1:'
must_fail clean nss/x.c 'pthread_mutex_lock(&m);' pthread
may_stay clean nss/x.c 'pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);'
must_fail known other/x.c 'int x;' other/
may_stay layers syncd/x.c '#include "mirror/publish.h"'
may_stay clean mirror/publish.c 'p = malloc(3);'
may_stay clean nss/x.c '/* no malloc() here */'

bad=0
layers "$top" || bad=1
clean "$top" || bad=1
known "$top" || bad=1
[ "$bad" = 0 ] || {
	echo "FAIL: see the layers of doc/ARCHITECTURE.md"
	exit 1
}
echo "PASS: the layers hold"
