#!/bin/sh
# Remotes: the common suite over a directory, and what only directories have.
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/remote-suite.sh"

large=yes
remote_new() { remote_url=$scratch/remotes/$1; mkdir -p "$scratch/remotes"; }
remote_suite

done_testing
