#!/bin/sh
# aicert gc: removes what nothing reaches, keeps the rest, also beside a commit.
. "${top_srcdir:-.}/tests/cli/lib.sh"
new_repo r

# nothing to do
ok aicert gc
out_has "Removed 0 objects"
fails 2 aicert gc extra

# what was put and never committed goes; dry runs and litter
head -c 300000 /dev/urandom >large
printf small >small
ok aicert hash-object -w large small
large=$(cut -c1-64 ../out | head -1)
small=$(cut -c1-64 ../out | tail -1)
touch .aicert/tmp/object-left
ok aicert gc -n
out_has "would remove $large"
out_has "would remove $small"
out_has "would remove tmp/object-left"
ok aicert cat-file -s "$large"
ok aicert gc
out_has "removed $large"
out_has "Removed 2 objects"
fails 3 aicert cat-file -s "$large"
fails 3 aicert cat-file -s "$small"
checks=$((checks + 1))
[ ! -e .aicert/tmp/object-left ] || die "litter is left"
ok aicert fsck
out_lacks litter

# inputs, outputs and logs of committed runs stay, of branches that are gone they go
head -c 200000 /dev/urandom >in.bin
spec aicert.yaml "cp in.bin out.bin; echo said" "{path: in.bin, kind: dataset}" "{path: out.bin, kind: model}"
ok aicert commit -m "kept"
spec other.yaml "cat in.bin in.bin > other.bin" "{path: in.bin, kind: dataset}" \
	"{path: other.bin, kind: model}"
ok aicert branch side
ok aicert commit -f other.yaml -m "on main"
other=$(sha256sum <other.bin | cut -c1-64)
in=$(sha256sum <in.bin | cut -c1-64)
ok aicert gc -q
out_has "Removed 0 objects"
ok aicert cat-file -s "$in"
ok aicert verify --min-level simulated out.bin
ok aicert fsck
out_has sound

# a gc beside a commit: what the commit put and relies on stays
head -c 400000 /dev/urandom >late.bin
spec late.yaml "echo started; sleep 3; cat late.bin late.bin > late.out" "{path: late.bin, kind: dataset}" \
	"{path: late.out, kind: model}"
aicert commit -f late.yaml -m "late" >../late.log 2>&1 &
commit=$!
n=0
until grep -q started ../late.log || [ $n -gt 300 ]; do sleep 0.1; n=$((n + 1)); done
while kill -0 $commit 2>/dev/null; do
	checks=$((checks + 1))
	aicert gc -q >../out 2>../err || { die "gc beside a commit"; break; }
done
wait $commit
same $? 0
ok aicert fsck
out_has sound
ok aicert verify --min-level simulated late.out
late=$(sha256sum <late.bin | cut -c1-64)
ok aicert cat-file -s "$late"
same "$(ls .aicert/tmp)" ""

# a branch that is deleted and was not pushed: its certificate and output stay, unless told
spec side.yaml "cat in.bin in.bin in.bin > side.bin" "{path: in.bin, kind: dataset}" \
	"{path: side.bin, kind: model}"
ok aicert commit -f side.yaml -m "to be dropped"
ok aicert cat-file -p HEAD
certificate=$(grep -o '"subject":{[^}]*}' ../out | grep -o '[0-9a-f]\{64\}')
dropped=$(aicert rev-parse HEAD)
dropped_out=$(sha256sum <side.bin | cut -c1-64)
ok aicert branch gone
ok aicert branch -f gone HEAD~1
ok aicert branch -d gone
rm -r .aicert/logs
printf 'commit sha256:%s\n' "$(aicert rev-parse HEAD~1)" >.aicert/refs/heads/main
ok aicert gc
out_has "Removed 0 objects"
for id in "$certificate" "$dropped" "$dropped_out"; do ok aicert cat-file -s "$id"; done
ok aicert gc -n --prune-unpushed
for id in "$certificate" "$dropped" "$dropped_out"; do out_has "would remove $id"; done
out_lacks "$other"
ok aicert gc --prune-unpushed
for id in "$certificate" "$dropped" "$dropped_out"; do fails 3 aicert cat-file -s "$id"; done
ok aicert cat-file -s "$other"
ok aicert cat-file -s "$late"
ok aicert fsck --repair
out_has "sound"

# --prune-inputs: the input goes, outputs and history stay
ok aicert gc --prune-inputs
out_has "removed $late"
fails 3 aicert cat-file -s "$late"
ok aicert cat-file -s "$other"
ok aicert fsck
out_has "not kept here"

# the file of small objects becomes shorter
mkdir many
i=0
while [ $i -lt 600 ]; do head -c 5000 /dev/urandom >many/$i; i=$((i + 1)); done
ok aicert hash-object -w many
before=$(stat -c %s .aicert/objects/small.db)
ok aicert gc -q
out_has "had "
after=$(stat -c %s .aicert/objects/small.db)
checks=$((checks + 1))
[ "$after" -lt $((before / 3)) ] || die "small.db has $after of $before bytes"
ok aicert fsck

# in a damaged store nothing is removed
ok aicert hash-object -w small
cp -R ../r ../damaged && cd ../damaged || exit 99
echo garbage >.aicert/refs/heads/bad
fails 1 aicert gc
err_has "nothing was removed"
err_has "fsck"
ok aicert cat-file -s "$small"

# what a reflog names and cannot be read names things that must be kept
new_repo unread
mkdir d && for i in 1 2 3; do echo "file $i" >d/$i; done
tree=$(aicert hash-object -w d | cut -c1-64)
echo other >other && blob=$(aicert hash-object -w other | cut -c1-64)
ok aicert tag t "$tree"
ok aicert tag -f t "$blob"
cp -R .aicert ../whole
python3 -c 'import sqlite3, sys
d = sqlite3.connect(".aicert/objects/small.db")
data = d.execute("SELECT data FROM objects WHERE id=?", (bytes.fromhex(sys.argv[1]),)).fetchone()[0]
data = data[:-2] + bytes([data[-2] ^ 1]) + data[-1:]
d.execute("UPDATE objects SET data=? WHERE id=?", (data, bytes.fromhex(sys.argv[1])))
d.commit()' "$tree"
fails 1 aicert fsck
fails 1 aicert gc
err_has "nothing was removed"
rm -rf .aicert && mv ../whole .aicert
ok aicert gc
ok aicert cat-file -p "$(sha256sum <d/2 | cut -c1-64)"
done_testing
