# Checks that are not tests of the programs.
lint:
	cd '$(srcdir)' && scripts/lint

format:
	cd '$(srcdir)' && scripts/lint --list-c | xargs clang-format -i

coverage:
	'$(abs_top_srcdir)/scripts/coverage' '$(abs_top_srcdir)'
.PHONY: lint format coverage
