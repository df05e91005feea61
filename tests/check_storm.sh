#!/bin/bash
# SPDX-License-Identifier: MIT
# The observer of the storms finds each broken invariant, and calls nothing broken that is
# right.
exec env PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 \
	"${top_srcdir:-$(dirname "$0")/..}/tests/e2e/storm_check_test.py"
