#!/bin/bash
# SPDX-License-Identifier: MIT
# aerostatd while its keys change: a role's, by the metadata service, and those of a file.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

start_replica_set >/dev/null
/usr/bin/python3 "$e2e_dir/aerostatd_keys.py" "$mongo_uri" "$test_dir" "$top_srcdir/tests" \
	"$(by_length quick long)" || fail "see above"
pass
