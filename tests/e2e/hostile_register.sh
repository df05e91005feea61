#!/bin/bash
# SPDX-License-Identifier: MIT
# The registrar, change-over and release beside documents from hell of their own service:
# the right name or a clear refusal, and never round in circles until the deadline.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

start_replica_set >/dev/null
/usr/bin/python3 "$e2e_dir/hostile_register.py" "$mongo_uri" "$test_dir/roots" ||
	fail "hostile_register.py"
pass
