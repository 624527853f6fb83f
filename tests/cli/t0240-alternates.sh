#!/bin/sh
# Alternates: git-lfs objects, the Hugging Face cache, other stores; verified when used.
. "${top_srcdir:-.}/tests/cli/lib.sh"
unset HF_HOME HF_HUB_CACHE
new_repo r

# have FILE: its bytes come out of cat-file, by its digest
have() {
	checks=$((checks + 1))
	aicert cat-file -p "$(sha256sum <"$1" | cut -c1-64)" 2>../err | cmp -s - "$1" || die "cat-file $1"
}
lacks() { fails 3 aicert cat-file -p "$(sha256sum <"$1" | cut -c1-64)"; }

head -c 300000 /dev/urandom >../lfs.bin
head -c 310000 /dev/urandom >../hub.bin
head -c 320000 /dev/urandom >../other.bin
printf small >../small.txt
lfs=$(sha256sum <../lfs.bin | cut -c1-64)
hub=$(sha256sum <../hub.bin | cut -c1-64)
lacks ../lfs.bin
lacks ../hub.bin

# git-lfs
lfs_dir=.git/lfs/objects/$(echo "$lfs" | cut -c1-2)/$(echo "$lfs" | cut -c3-4)
mkdir -p "$lfs_dir" && cp ../lfs.bin "$lfs_dir/$lfs"
have ../lfs.bin
ok aicert cat-file -s "$lfs"
out_has 300000

# the hub's cache, where it is by default and where the environment says
blobs=huggingface/hub/models--org--name/blobs
mkdir -p "$XDG_CACHE_HOME/$blobs"
cp ../hub.bin "$XDG_CACHE_HOME/$blobs/$hub"
echo x >"$XDG_CACHE_HOME/$blobs/0123456789012345678901234567890123456789"
have ../hub.bin
mkdir -p ../hf/hub/datasets--a--b/blobs
mv "$XDG_CACHE_HOME/$blobs/$hub" ../hf/hub/datasets--a--b/blobs/
lacks ../hub.bin
HF_HOME="$scratch/hf" && export HF_HOME
have ../hub.bin

# another store, named by the user
aicert init ../elsewhere >/dev/null
(cd ../elsewhere && aicert hash-object -w ../other.bin ../small.txt >/dev/null)
lacks ../other.bin
aicert config --user store.alternate "$scratch/elsewhere" || die "config"
have ../other.bin
have ../small.txt

# in a worktree of git: the main work tree's store, and its git-lfs
git commit -q --allow-empty -m x
git worktree add -q ../wt 2>/dev/null || die "git worktree"
printf upper >../upper.txt
aicert hash-object -w ../upper.txt >/dev/null
(
	cd ../wt && aicert init -q || exit 99
	have ../lfs.bin
	have ../upper.txt
	ok aicert config store.alternates false
	lacks ../lfs.bin
	lacks ../upper.txt
	ok aicert config --unset store.alternates
	have ../upper.txt
	# a .git that comes with a work tree, and of which no repository knows, names nothing
	mkdir ../forged && cp .git ../forged/ && cd ../forged && aicert init -q || exit 99
	lacks ../lfs.bin
	lacks ../upper.txt
	[ "$failures" = 0 ]
) || failures=$((failures + 1))
git worktree remove --force ../wt

# off, for one store and for the user
ok aicert config store.alternates false
lacks ../lfs.bin
lacks ../hub.bin
lacks ../other.bin
ok aicert config --unset store.alternates
have ../lfs.bin
aicert config --user store.alternates no || die "config"
lacks ../lfs.bin
# a repository cannot turn on what its user turned off
ok aicert config store.alternates true
lacks ../lfs.bin
aicert config --user --unset store.alternates || die "config"
ok aicert config --unset store.alternates

# a repository names only what lies inside its work tree
aicert config --user --unset store.alternate || die "config"
lacks ../other.bin
for bad in "$scratch/elsewhere" ../elsewhere; do
	ok aicert config store.alternate "$bad"
	lacks ../other.bin
done
ln -s ../elsewhere linked
ok aicert config store.alternate linked
lacks ../other.bin
cp -R ../elsewhere inside
ok aicert config store.alternate inside
have ../other.bin
ok aicert config --unset store.alternate

# verified when used: wrong bytes are not handed out, and nothing of them is kept
cp "$lfs_dir/$lfs" ../good
spoil "$lfs_dir/$lfs" 7
fails 1 aicert cat-file -p "$lfs"
err_has "lfs"
# nor what a link leads to
rm "$lfs_dir/$lfs" && ln -s ../../../../../../lfs.bin "$lfs_dir/$lfs"
lacks ../lfs.bin
rm "$lfs_dir/$lfs" && cp ../good "$lfs_dir/$lfs"

# a commit whose input is in an alternate keeps no second copy, and verifies
cp ../lfs.bin in.bin
spec aicert.yaml "sha256sum in.bin > out.txt" "{path: in.bin, kind: dataset}" "{path: out.txt, kind: file}"
ok aicert commit -m "from an alternate"
out_lacks cannot
checks=$((checks + 1))
[ ! -e ".aicert/objects/$(echo "$lfs" | cut -c1-2)/$(echo "$lfs" | cut -c3-)" ] || die "a second copy"
ok aicert fsck --full
ok aicert verify --inputs --min-level simulated out.txt
# without it the input is "not kept here": no damage
rm -r .git/lfs
ok aicert fsck
out_has "not kept here"

# what is needed and lies in an alternate alone is missed when the alternate is gone
cp ../hub.bin model.bin
ok aicert hash-object -w model.bin
ok aicert tag model "$hub"
checks=$((checks + 1))
[ ! -e ".aicert/objects/$(echo "$hub" | cut -c1-2)/$(echo "$hub" | cut -c3-)" ] || die "a second copy"
ok aicert fsck
ok aicert fsck --full
blob=../hf/hub/datasets--a--b/blobs/$hub
spoil "$blob" 7
ok aicert fsck
fails 1 aicert fsck --full
out_has "$hub"
rm "$blob"
fails 1 aicert fsck
out_has "refs/tags/model"
done_testing
