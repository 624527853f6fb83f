#!/bin/sh
# fsck --repair: what nobody on this machine has comes from a remote.
. "${top_srcdir:-.}/tests/cli/lib.sh"
unset HF_HOME HF_HUB_CACHE
new_repo r
head -c 300000 /dev/urandom >in.bin
spec aicert.yaml "cat in.bin in.bin > out.bin; cat in.bin > out.small; truncate -s 90 out.small" \
	"{path: in.bin, kind: dataset}" "{path: out.bin, kind: model}, {path: out.small, kind: file}"
ok aicert commit -q -m one
out=$(sha256sum <out.bin | cut -c1-64)
small=$(sha256sum <out.small | cut -c1-64)
certificate=$(aicert cat-file -p HEAD | grep -o '"subject":{[^}]*}' | grep -o '[0-9a-f]\{64\}')
file=.aicert/objects/$(echo "$out" | cut -c1-2)/$(echo "$out" | cut -c3-)
sql() { python3 -c "import sqlite3, sys; d = sqlite3.connect('.aicert/objects/small.db'); d.execute(sys.argv[1]); d.commit()" "$1"; }
ok aicert remote add backup "$scratch/backup"
ok aicert push backup main
ok aicert fsck
out_has sound

# a large object damaged, a small one lost, the certificate damaged
damage() {
	chmod u+w "$file" && printf DAMAGED. | dd of="$file" bs=1 seek=500 conv=notrunc 2>/dev/null
	before=$(sha256sum <"$file" | cut -c1-64)
	ok sql "DELETE FROM objects WHERE id=x'$small'"
	ok sql "UPDATE objects SET data=x'00' WHERE id=x'$certificate'"
}
damage
fails 1 aicert fsck
out_has "$(echo "$out" | cut -c3-)"
ok aicert fsck --repair
out_has "repaired: object $out: from a remote"
out_has "repaired: object $small: from a remote"
out_has "repaired: object $certificate: from a remote"
out_has sound
same "$(sha256sum <"$file" | cut -c1-64)" "$out"
same "$(sha256sum <".aicert/quarantine/$out" | cut -c1-64)" "$before"
ok aicert fsck
ok aicert verify --min-level simulated out.small
ok aicert verify --min-level simulated HEAD
same "$(ls .aicert/tmp)" ""

# a remote that is damaged itself, or lies, repairs nothing
damage
cp -R ../backup ../whole
theirs=$(find "$scratch/backup" -path "*objects/$(echo "$out" | cut -c1-2)/*" -type f)
chmod u+w "$theirs" && cp "$file" "$theirs"
fails 1 aicert fsck --repair
out_has "damage: "
out_lacks "repaired: object $out"
out_has "repaired: object $certificate: from a remote"
out_lacks "litter: "
same "$(sha256sum <"$file" | cut -c1-64)" "$before"
# one that is not there is told, and the next is asked
rm -rf ../backup
ok aicert remote add second "$scratch/whole"
ok aicert fsck --repair
err_has "backup: "
out_has "repaired: object $out: from a remote"
ok aicert fsck
# without --repair no remote is opened
chmod u+w "$file" && printf DAMAGED. | dd of="$file" bs=1 seek=500 conv=notrunc 2>/dev/null
mv ../whole ../away
fails 1 aicert fsck
checks=$((checks + 1))
! grep -q second ../err || die "fsck asked a remote"
done_testing
