#!/bin/sh
# Remotes: the common suite over a directory, and what only directories have.
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/remote-suite.sh"

large=yes
remote_new() { remote_url=$scratch/remotes/$1; mkdir -p "$scratch/remotes"; }
remote_suite

# a store in a directory is one that can be checked, also where contents were left out
for name in main lost; do
	mkdir -p "$scratch/look/$name"
	cp -a "$scratch/remotes/$name" "$scratch/look/$name/.aicert"
	cd "$scratch/look/$name"
	ok aicert fsck
	ok aicert gc
done
# somebody's own store: what he works on is not moved
cd "$scratch/builder"
fails 3 aicert push --force "$scratch/copy" side:main
err_has 'current branch'
ok aicert push "$scratch/copy" main:refs/heads/from-builder
same "$(in_dir copy aicert rev-parse from-builder)" "$(aicert rev-parse main)"
# what has been fetched once is not fetched again, and what is damaged here is replaced
cd "$scratch/copy"
ok aicert fetch --blobs
out_has 'already'
# another user's directory is hostile
if [ "$(id -u)" = 0 ]; then
	cp -a "$scratch/remotes/main" "$scratch/theirs" && chown -R nobody "$scratch/theirs"
	fails 3 aicert ls-remote "$scratch/theirs"
	err_has 'belongs to user'
fi

done_testing
