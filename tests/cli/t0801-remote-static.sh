#!/bin/sh
# Remotes: the common suite over a directory that a web server could hand out.
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/remote-suite.sh"

large=yes
remote_new() { remote_url=static:$scratch/remotes/$1; mkdir -p "$scratch/remotes"; }
remote_suite

done_testing
