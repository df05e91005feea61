#!/bin/bash
# SPDX-License-Identifier: MIT
# Many nodes at once on a set of three that is killed, frozen, stepped down and loses
# replies: an observer sees every version of the collections, and no invariant of
# doc/naming.md broken.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/storm_lib.sh
. "$e2e_dir/storm_lib.sh"

# shellcheck disable=SC2046 # words
storm_mongo $(by_length "--nodes=24 --services=3 --each=4 --seconds=14 --width=5" \
	"--nodes=200 --services=20 --each=20 --seconds=600 --width=16")
pass
