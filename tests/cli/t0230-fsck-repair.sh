#!/bin/sh
# aicert fsck: says what is lost and what it touches, repairs from good bytes.
. "${top_srcdir:-.}/tests/cli/lib.sh"
new_repo r

# object FILE: the path of its object in the store
object() {
	id=$(sha256sum <"$1" | cut -c1-64)
	echo ".aicert/objects/$(echo "$id" | cut -c1-2)/$(echo "$id" | cut -c3-)"
}

head -c 200000 /dev/urandom >in.bin
spec aicert.yaml "mkdir -p out/deep; cat in.bin in.bin > out/deep/b; cat in.bin > out/a" \
	"{path: in.bin, kind: dataset}" "{path: out/, kind: model}"
ok aicert commit -m "a model"
certificate=$(aicert cat-file -p HEAD | sed 's/.*"subject":{"id":"sha256:\([0-9a-f]*\)".*/\1/')
ok aicert fsck
out_has "sound"
out_has "objects"
ok aicert fsck -j 1
ok aicert fsck --full --repair
out_lacks repaired
fails 2 aicert fsck -j 1000
fails 2 aicert fsck x

# damage: named, with the certificate and the path that it touches
large=$(object out/deep/b)
spoil "$large" 100
fails 1 aicert fsck
out_has "$(basename "$large")"
out_has "touches: output out/deep/b of certificate $certificate"
fails 1 aicert fsck --repair
out_has "damage: "
out_lacks "repaired: "
checks=$((checks + 1))
[ ! -e .aicert/quarantine ] || [ -z "$(ls .aicert/quarantine)" ] || die "evidence moved for nothing"
before=$(sha256sum <"$large")
fails 1 aicert fsck --repair
same "$(sha256sum <"$large")" "$before"

# good bytes in an alternate: repaired, the damaged ones are kept
id=$(sha256sum <out/deep/b | cut -c1-64)
lfs=.git/lfs/objects/$(echo "$id" | cut -c1-2)/$(echo "$id" | cut -c3-4)
mkdir -p "$lfs" && cp out/deep/b "$lfs/$id"
ok aicert fsck --repair
out_has "repaired: object $id: from"
out_has ".git/lfs"
out_has "sound"
same "$(sha256sum <"$large" | cut -c1-64)" "$id"
same "$(sha256sum <".aicert/quarantine/$id")" "$before"
ok aicert fsck
out_lacks damage
out_lacks litter
rm -r .git/lfs

# twice: the first evidence is not overwritten
spoil "$large" 100
mkdir -p "$lfs" && cp out/deep/b "$lfs/$id"
ok aicert fsck --repair
same "$(ls .aicert/quarantine | wc -l)" 2

# bad bytes in an alternate repair nothing
rm -r .git/lfs && mkdir -p "$lfs" && cp out/deep/b "$lfs/$id" && spoil "$large" 100 && spoil "$lfs/$id" 100
fails 1 aicert fsck --repair
out_lacks "repaired: object"
rm -r .git/lfs

# an object that is gone
mv "$large" ../saved
fails 1 aicert fsck
out_has "missing"
out_has "touches: output out/deep/b of certificate $certificate"
mkdir -p "$lfs" && cp out/deep/b "$lfs/$id"
ok aicert fsck
ok aicert fsck --full
rm -r .git/lfs
aicert hash-object -w out/deep/b >/dev/null
ok aicert fsck

# a small object
small=$(aicert rev-parse HEAD)
cp .aicert/objects/small.db ../good.db
small_row "$small" "UPDATE objects SET data=CAST('other' AS BLOB) WHERE id=?"
fails 1 aicert fsck
out_has "$small"
mkdir -p "$lfs" ".git/lfs/objects/$(echo "$small" | cut -c1-2)/$(echo "$small" | cut -c3-4)"
python3 - "$small" <<'PYTHON' || die "python3"
import sqlite3, sys
i = sys.argv[1]
data, = sqlite3.connect("../good.db").execute("SELECT data FROM objects WHERE id=?", (bytes.fromhex(i),)).fetchone()
open(".git/lfs/objects/%s/%s/%s" % (i[:2], i[2:4], i), "wb").write(data)
PYTHON
ok aicert fsck --repair
out_has "repaired: object $small"
same "$(cat ".aicert/quarantine/$small")" other
rm -r .git/lfs
ok aicert fsck

# the index is a cache
ok aicert trace out/a
if [ -e .aicert/index.db ]; then
	printf garbage-garbage-garbage | dd of=.aicert/index.db bs=1 conv=notrunc 2>/dev/null
	ok aicert fsck
	out_has "litter: "
	out_has "cache"
	ok aicert fsck --repair
	out_has "thrown away"
	ok aicert fsck
	out_lacks litter
fi

# what every writer locks
rm -f .aicert/gate
mkdir .aicert/gate
fails 1 aicert fsck
out_has "gate: not a regular file"
echo new >new
fails 3 aicert hash-object -w new
ok aicert fsck --repair
out_has "repaired: gate"
ok aicert hash-object -w new

# refs and reflogs
echo torn >>.aicert/logs/refs/heads/main
ok aicert fsck
out_has "1 lines do not parse"
echo garbage >.aicert/refs/heads/bad
fails 1 aicert fsck
out_has refs/heads/bad

# a store that cannot be written is looked at, not repaired
if [ "$(id -u)" != 0 ]; then
	chmod a-w .aicert
	fails 3 aicert fsck --repair
	chmod u+w .aicert
fi
done_testing
