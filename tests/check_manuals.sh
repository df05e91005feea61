#!/bin/sh
# Every key of the option table stands in aerostat.conf(5), every one of its tags in the
# table, and every flag that a manual page names is one.
set -eu
cd "${top_srcdir:-.}"
failed=0
keys=$(sed -n 's/^\t\(STR\|INT\|BOOL\|ENUM\|LIST\)(\([a-z0-9_]*\),.*/\2/p' lib/conf_table.c)
flags=$(sed -n 's/^\t\(FLAG(\|{\)"\([a-z0-9_]*\)",.*/\2/p' lib/conf_table.c)
tags=$(sed -n '/^\.It Ic/s/^\.It Ic//p' doc/aerostat.conf.5 |
    sed 's/Pq [^ ]*//g; s/Ic//g; s/,/ /g')

has() { # has WORD LIST
    printf '%s\n' "$2" | tr -s ' ' '\n' | grep -x -- "$1" >/dev/null
}

[ "$(printf '%s\n' "$keys" | wc -l)" -gt 30 ] || { echo "the table was not understood"; exit 1; }
for key in $keys; do
    has "$key" "$tags" || { echo "aerostat.conf.5 lacks $key"; failed=1; }
done
for tag in $tags; do
    case $tag in [0-9]* | Pq) continue ;; esac
    has "$tag" "$keys" || { echo "aerostat.conf.5 names $tag, which is no key"; failed=1; }
done
for flag in $(sed -n 's/.*Fl -\([a-z][a-z0-9-]*\).*/\1/p' doc/*.[58] | tr - _ | sort -u); do
    has "$flag" "$keys $flags" || { echo "a manual page names --$flag, which is no flag"; failed=1; }
done
exit $failed
