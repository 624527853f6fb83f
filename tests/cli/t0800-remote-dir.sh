#!/bin/sh
# Remotes: the common suite over a directory, and what only directories have.
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/remote-suite.sh"

large=yes
remote_new() { remote_url=$scratch/remotes/$1; mkdir -p "$scratch/remotes"; }
remote_suite

# on the way there: killed in the middle of a large object, gone on with
if can_trace; then
	cd "$scratch/huge"
	remote_new cut
	cut_off aicert push "$remote_url" main
	same "$(wc -c <"$remote_url/tmp/fetch/$huge")" 10240000
	same "$(find "$remote_url/objects" -size +1000000c)" ""
	same "$(aicert ls-remote "$remote_url")" ""
	rest_of "$huge" 24000000 "$remote_url" aicert push "$remote_url" main
	# what is left is other bytes: all of it comes again
	remote_new spoilt
	cut_off aicert push "$remote_url" main
	spoil "$remote_url/tmp/fetch/$huge" 5000000
	ok aicert push "$remote_url" main
	# another process is at it: everybody gets there
	remote_new busy
	cut_off aicert push "$remote_url" main
	ok flock "$remote_url/tmp/fetch/$huge" aicert push "$remote_url" main
	rm "$remote_url/tmp/fetch/$huge"
	for name in cut spoilt busy; do
		mkdir -p "$scratch/look/$name"
		cp -a "$scratch/remotes/$name" "$scratch/look/$name/.aicert"
		cd "$scratch/look/$name"
		ok aicert fsck
		ok aicert cat-file -s "$huge"
	done
	checks=$((checks + 1))
	[ ! -e "$scratch/remotes/cut/tmp/fetch" ] || die 'something is left in tmp/fetch'
fi

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
fails 2 aicert remote nonsense
err_has 'remote: no such action: nonsense (add, set-url, rename, remove, show, list;'
ok aicert remote show --json there
out_has "{\"id\":\"sha256:$(aicert rev-parse refs/remotes/there/main)\",\"name\":\"main\"}"
out_has '"name":"there","url":'
# what is not here is a slip of who typed it, what is not there is not
fails 2 aicert push "$scratch/copy" typo
err_has 'no such branch or tag'
fails 2 aicert push "$scratch/copy" typo:refs/heads/main
fails 2 aicert push typo main
fails 2 aicert fetch typo
fails 2 aicert ls-remote typo
fails 3 aicert fetch "$scratch/copy" typo
err_has 'the remote has no such branch or tag'
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

# a clone of what is not there does not stand in the way of the right one
cd "$scratch" || exit 99
fails 3 aicert clone "$scratch/nowhere" again
ok aicert clone -q "$main_url" again
fails 3 aicert clone "$scratch/nowhere" again
err_has "there is a store already"
done_testing
