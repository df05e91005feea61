#!/bin/bash
# SPDX-License-Identifier: MIT
# The same storm on the store of one file: registrars killed and frozen at any moment.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/storm_lib.sh
. "$e2e_dir/storm_lib.sh"

# shellcheck disable=SC2046 # words
storm_lmdb $(by_length "--nodes=24 --services=3 --each=4 --seconds=8 --width=5" \
	"--nodes=200 --services=20 --each=20 --seconds=300 --width=16")
pass
