#!/bin/sh
# Remotes: the common suite over a bare git repository, and what only git has.
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/remote-suite.sh"

large=no
remote_new() {
	mkdir -p "$scratch/remotes"
	remote_url=$scratch/remotes/$1.git
	git init -q --bare -b main "$remote_url"
}
remote_suite

done_testing
