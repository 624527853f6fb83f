#!/bin/sh
# aicert init: once, again, elsewhere, never over something.
. "${top_srcdir:-.}/tests/cli/lib.sh"

mkdir a && cd a || exit 99
ok aicert init
out_has "Initialized an empty AICert store"
same "$(cat .aicert/HEAD)" "ref: refs/heads/main"
same "$(cat .aicert/.gitignore)" "*"
find .aicert -type f -exec sha256sum {} + | sort >../before
ok aicert init
out_has "already"
find .aicert -type f -exec sha256sum {} + | sort >../after
same "$(cat ../after)" "$(cat ../before)"
cd ..

ok aicert init new
checks=$((checks + 1))
[ -d new/.aicert ] || die "init DIR"
ok aicert -C a init
ok aicert -C a fsck
out_has "sound"

# inside git the store is invisible to git
git init -q g && cd g || exit 99
ok aicert init
same "$(git status --porcelain)" ""
cd ..

# a file in the way is kept
mkdir f && echo precious >f/.aicert
fails 3 aicert init f
same "$(cat f/.aicert)" precious
# so is a symlink
mkdir l target && ln -s ../target l/.aicert
fails 3 aicert init l
same "$(ls target)" ""
fails 2 aicert init x y

# a store from a newer version is left alone
cp -R a newer
git config -f newer/.aicert/config core.formatversion 99
fails 3 aicert -C newer log
err_has "99"

# a store of another user is refused
if [ "$(id -u)" = 0 ]; then
	cp -R a foreign && chown -R 12345 foreign/.aicert
	fails 3 aicert -C foreign fsck
	err_has "belongs"
fi
done_testing
