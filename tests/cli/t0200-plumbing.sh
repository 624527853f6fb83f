#!/bin/sh
# hash-object, cat-file, ls-tree, rev-parse: ids as sha256sum prints them.
. "${top_srcdir:-.}/tests/cli/lib.sh"
new_repo r

printf hello >small
head -c 300000 /dev/urandom >large
mkdir -p d/sub d/empty && printf x >d/x && chmod +x d/x && ln -s x d/link && printf y >"d/sub/a b%"

small=$(sha256sum <small | cut -c1-64)
large=$(sha256sum <large | cut -c1-64)
ok aicert hash-object small large
same "$(cat ../out)" "$small  small
$large  large"
fails 3 aicert cat-file -p "$small"
err_has "$(echo "$small" | cut -c1-7)"
ok aicert hash-object -w small large d
ok aicert cat-file -p "$small"
same "$(cat ../out)" hello
aicert cat-file -p "$large" | cmp - large || die "large object differs"
ok aicert cat-file -s "$large"
out_has 300000
ok aicert cat-file -t "$small"
out_has blob
checks=$((checks + 1))
[ "$(sha256sum <".aicert/objects/$(echo "$large" | cut -c1-2)/$(echo "$large" | cut -c3-)")" = \
	"$large  -" ] || die "a large object is a plain file"

tree=$(aicert hash-object d | cut -c1-64)
same "$(aicert cat-file -p "$tree" | sha256sum | cut -c1-64)" "$tree"
same "$(aicert cat-file -p "$tree" | head -1)" "aicert tree 1"
ok aicert cat-file -t "$tree"
out_has tree
ok aicert ls-tree "$tree"
out_has "120000"
out_has "100755"
ok aicert ls-tree -r "$tree"
out_has "sub/a b%"
fails 2 aicert ls-tree "$small"
ok aicert rev-parse "$(echo "$large" | cut -c1-10)"
same "$(cat ../out)" "$large"
fails 3 aicert rev-parse "$(echo "$large" | cut -c1-6)"
fails 3 aicert rev-parse nonsense
fails 2 aicert cat-file "$small"
fails 2 aicert cat-file -p -t "$small"

# what is not a file or directory is refused by name
mkfifo pipe
fails 3 aicert hash-object pipe
err_has pipe
mkdir withfifo && mkfifo withfifo/p
fails 3 aicert hash-object withfifo
err_has p
ln -s small symlink
fails 3 aicert hash-object symlink
mkdir -p inner/.git && touch inner/.git/x
fails 3 aicert hash-object inner
err_has .git
mkdir -p inner/store && cp -R .aicert inner/store/
fails 3 aicert hash-object inner/store
err_has "a store inside"
fails 3 aicert hash-object absent
err_has absent
# by the name that was typed, also out of the work tree and beneath it
fails 3 aicert hash-object /dev/null
err_has "/dev/null: neither"
mkdir -p "$scratch/aside/in" && mkfifo "$scratch/aside/in/p"
fails 3 aicert hash-object ../aside
err_has "../aside/in/p: "
ok aicert fsck
done_testing
