#!/bin/sh
# store.ingest=reference: large files stay where they lie, and promises are checked.
. "${top_srcdir:-.}/tests/cli/lib.sh"
new_repo r
unset HF_HOME HF_HUB_CACHE

object() { id=$(sha256sum <"$1" | cut -c1-64); echo ".aicert/objects/$(echo "$id" | cut -c1-2)/$(echo "$id" | cut -c3-)"; }

fails 2 sh -c 'aicert config store.ingest nonsense && aicert hash-object -w .git/config'
ok aicert config store.ingest reference
mkdir data
head -c 400000 /dev/urandom >data/big.bin
head -c 500000 /dev/urandom >other.bin
printf small >data/small
big=$(sha256sum <data/big.bin | cut -c1-64)
other=$(sha256sum <other.bin | cut -c1-64)

# no second copy of a large file; small ones are kept in the store
spec aicert.yaml "sha256sum data/big.bin other.bin > sums" \
	"{path: data/, kind: dataset}, {path: other.bin, kind: dataset}" "{path: sums, kind: file}"
ok aicert commit -m "by reference"
checks=$((checks + 1))
{ [ ! -e "$(object data/big.bin)" ] && [ ! -e "$(object other.bin)" ]; } || die "a second copy"
ok aicert cat-file -s "$big"
out_has 400000
aicert cat-file -p "$big" | cmp - data/big.bin || die "the bytes of a reference"
ok aicert status
out_has "nothing differs"
ok aicert fsck
out_lacks "not kept"
ok aicert fsck --full
out_has sound
ok aicert verify --inputs --min-level simulated sums
# the same again: nothing is copied either
ok aicert commit -m "again"
checks=$((checks + 1))
[ ! -e "$(object other.bin)" ] || die "a second copy"

# --rehash distrusts what the file system says: bytes that changed although nothing of the
# recorded numbers did
head -c 300000 /dev/urandom >lone.bin
ok aicert hash-object -w lone.bin
cp lone.bin ../lone.bin
spoil lone.bin 2000
ok python3 -c "
import os, sqlite3
st = os.stat('lone.bin')
db = sqlite3.connect('.aicert/in-place.db')
n = db.execute('UPDATE files SET mtime=?, ctime=?, inode=? WHERE path=?',
    (st.st_mtime_ns, st.st_ctime_ns, st.st_ino, 'lone.bin')).rowcount
db.commit()
assert n > 0"
ok aicert status
out_lacks "Referenced file changed"
ok aicert status --rehash
out_has "Referenced file changed: lone.bin"
out_has "is lost"
cp ../lone.bin lone.bin
ok aicert status --rehash
out_lacks "Referenced file changed"
# and reads each byte once, also of a file that is an input and a promise
if can_trace; then
	ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" strace -f -qq -y -e trace=read,pread64 \
		-o ../trace aicert status --rehash >../out || die "strace"
	for file in lone.bin other.bin data/big.bin; do
		same "$(grep "/r/$file>" ../trace | sed 's/.*= //' | awk '{ n += $1 } END { print n + 0 }')" \
			"$(stat -c %s $file)"
	done
fi

# times alone are no change: it is read, and believed
touch data/big.bin
ok aicert fsck
out_has sound
ok aicert status
out_lacks "Referenced file changed"

# overwritten: status and fsck tell; an input that is lost is no damage
cp data/big.bin ../big.bin
spoil data/big.bin 1000
ok aicert status
out_has "Referenced file changed: data/big.bin"
out_has "is lost"
fails 1 aicert cat-file -p "$big"
err_has "data/big.bin"
fails 1 aicert fsck
out_has "data/big.bin"
out_has "touches: input data/big.bin of certificate"
# good bytes from elsewhere
lfs=.git/lfs/objects/$(echo "$big" | cut -c1-2)/$(echo "$big" | cut -c3-4)
mkdir -p "$lfs" && cp ../big.bin "$lfs/$big"
ok aicert status
out_has "kept elsewhere"
ok aicert fsck --full
ok aicert cat-file -s "$big"
rm -r .git/lfs
# put back: all is well again
cp ../big.bin data/big.bin
ok aicert status
out_lacks "Referenced file changed"
ok aicert fsck
# gone
rm other.bin
ok aicert status
out_has "missing   input   other.bin"
out_has "Referenced file changed: other.bin"
ok aicert fsck
out_has "$other"
fails 3 aicert cat-file -p "$other"

# the only copy of what a run used is not replaced: not by checkout, and not by a run
new_repo only
ok aicert config store.ingest reference
head -c 200000 /dev/urandom >data.bin
spec aicert.yaml "head -c 5 data.bin >out.txt" "{path: data.bin, kind: dataset}" "out.txt"
ok aicert commit -q -m one
first=$(sha256sum data.bin | cut -c1-64)
mkdir old && mv data.bin old/v1 && ok aicert hash-object -w old/v1
head -c 200000 /dev/urandom >data.bin && cp data.bin ../second.bin
ok aicert commit -q -m two
fails 3 aicert checkout --inputs HEAD~1 data.bin
ok cmp data.bin ../second.bin
ok aicert fsck --full
spec gen.yaml "head -c 100000 /dev/urandom >data.bin" "" "{path: data.bin, kind: dataset}"
ok aicert commit -q -f gen.yaml -m gen
err_has data.bin.orig
ok cmp data.bin.orig ../second.bin
same "$(sha256sum <old/v1 | cut -c1-64)" "$first"
cd ../r

# a name that leads out of the work tree, by a link, is not followed
cp ../big.bin ../outside && rm data/big.bin && ln -s ../../outside data/big.bin
fails 3 aicert cat-file -p "$big"
rm data/big.bin && cp ../big.bin data/big.bin
# nor one that a hostile store names
cp -R ../r ../hostile && cd ../hostile || exit 99
python3 - "$big" <<'PYTHON' || die "python3"
import sqlite3, sys
d = sqlite3.connect(".aicert/in-place.db")
d.execute("UPDATE files SET path=? WHERE id=?", ("../outside", bytes.fromhex(sys.argv[1])))
d.commit()
PYTHON
fails 3 aicert cat-file -p "$big"
fails 1 aicert fsck
out_has "in-place.db"
cd ../r || exit 99

# gc drops the record of what nothing needs, never the file
head -c 600000 /dev/urandom >unused.bin
unused=$(sha256sum <unused.bin | cut -c1-64)
ok aicert hash-object -w unused.bin
ok aicert cat-file -s "$unused"
ok aicert gc
fails 3 aicert cat-file -s "$unused"
ok aicert cat-file -s "$big"
same "$(sha256sum <unused.bin | cut -c1-64)" "$unused"

# what lies outside of the work tree is copied
head -c 450000 /dev/urandom >../far.bin
ok aicert hash-object -w ../far.bin
checks=$((checks + 1))
[ -e "$(object ../far.bin)" ] || die "what lies outside is not copied"
ok aicert fsck
done_testing
