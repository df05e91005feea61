#!/bin/bash
# SPDX-License-Identifier: MIT
# Fail points for every class of error, on the daemon and on the registrar: the rows are
# in weather_errors.py.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
private_ns

start_replica_set
/usr/bin/python3 "$e2e_dir/weather_errors.py" "$mongo_uri" "$test_dir" "${1-all}" ||
	fail "see above"
pass
