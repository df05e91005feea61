#!/bin/bash
# SPDX-License-Identifier: MIT
# Every source file is named in doc/ARCHITECTURE.md, so that the page cannot die; x.[ch]
# and x.{c,h} name both. And every file that the page names is there.
set -euo pipefail

top=${top_srcdir:-$(cd "$(dirname "$0")/.." && pwd)}
page=${1:-$top/doc/ARCHITECTURE.md}
folders='mirror nss lib register legacy syncd server cli tests fuzz bench scripts dist'

names=$(python3 - "$page" <<'PY'
import re, sys
text = open(sys.argv[1]).read()
# Written as `dir/file`, or as a bare name; two at once as x.[ch] or x.{c,h}.
for word in re.findall(r"[A-Za-z0-9_./-]+(?:\[[a-z]+\]|\{[a-z,]+\})?", text):
    m = re.match(r"(.*\.)(?:\[([a-z]+)\]|\{([a-z,]+)\})$", word)
    if m:
        for end in (m.group(2) or m.group(3).replace(",", "")):
            print(m.group(1) + end)
    else:
        print(word.rstrip("."))
PY
)
missing=0
while IFS= read -r file; do
	grep -qxF -e "$file" <<<"$names" && continue
	echo "not in doc/ARCHITECTURE.md: $file"
	missing=$((missing + 1))
done < <(cd "$top" && for folder in $folders; do
	[ ! -d "$folder" ] || find "$folder" -type f ! -path '*/corpus/*' ! -path '*/data/*' \
		! -path '*/__pycache__/*' ! -path '*/.libs/*' ! -path '*/.deps/*' \
		\( -name '*.[ch]' -o -name '*.sh' -o -name '*.py' -o -path 'scripts/*' \
		-o -path 'dist/*' -o -name '*.map' \) ! -name local.mk
done | sort)
stale=0
while IFS= read -r name; do
	[ -e "$top/$name" ] && continue
	echo "in doc/ARCHITECTURE.md, but not there: $name"
	stale=$((stale + 1))
done < <(grep -E "^(${folders// /|})/.*\.(c|h|sh|py)$" <<<"$names" | sort -u)
if [ "$missing" != 0 ] || [ "$stale" != 0 ]; then
	echo "FAIL: $missing files are not named, $stale names have no file"
	exit 1
fi
echo "PASS: every file is named"
