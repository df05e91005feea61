#!/bin/sh
# What enters foreign processes stays small enough to be read in an hour.
cd "${top_srcdir:-.}" || exit 99
lines=$(cat nss/*.[ch] mirror/layout.h mirror/record.[ch] mirror/reader.[ch] | wc -l)
echo "module: $lines lines of 1000"
[ "$lines" -gt 0 ] && [ "$lines" -le 1000 ]
