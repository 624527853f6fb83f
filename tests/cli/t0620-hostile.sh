#!/bin/sh
# A store made by an enemy: links planted in it, bytes changed. Nothing outside
# is touched, damage heals, fsck says what is there.
. "${top_srcdir:-.}/tests/cli/lib.sh"
new_repo r
spec aicert.yaml "echo x > out.txt" "" "out.txt"
ok aicert commit -q -m one
head -c 75000 /dev/urandom | base64 -w 0 >large
head -c 75000 /dev/urandom | base64 -w 0 >wrong
ok aicert hash-object -w --no-cache large
id=$(sha256sum <large | cut -c1-64)
ab=$(echo "$id" | cut -c1-2)
object=.aicert/objects/$ab/$(echo "$id" | cut -c3-)

# what the links lead to; outside is the same before and after each command
mkdir -p "$scratch/outside/d"
echo "ssh-ed25519 key" >"$scratch/outside/d/authorized_keys"
printf '[core]\n\tformatversion = 1\n' >"$scratch/outside/config"
echo "ref: refs/heads/main" >"$scratch/outside/HEAD"
outside() { (cd "$scratch/outside" && find . -printf '%p %y %s\n' | sort && find . -type f -exec sha256sum {} +) | sha256sum; }
before=$(outside)
untouched() { same "$(outside)" "$before"; }
sound() { ok aicert fsck; out_has "The store is sound."; out_lacks "damage:"; }
damaged() { fails 1 aicert fsck; out_has "damage: $1"; }
sound

# wrong bytes of the right length: told by fsck and readers, put right
chmod u+w "$object" && cp wrong "$object" && chmod a-w "$object"
damaged ""
out_has "$ab/"
fails 1 aicert cat-file -p "$id"
err_has "does not have its digest"
ok aicert hash-object -w --no-cache large
aicert cat-file -p "$id" | cmp - large || die "the object did not heal"
sound

# a link in the place of the object
rm -f "$object" && ln -s "$scratch/r/large" "$object"
damaged ""
ok aicert hash-object -w --no-cache large
checks=$((checks + 1))
[ -f "$object" ] && [ ! -L "$object" ] || die "the link is still there"
cmp "$object" large || die "the object did not heal"
sound

# a link in the place of the directory: nothing is written behind it
mv ".aicert/objects/$ab" kept && ln -s "$scratch/outside/d" ".aicert/objects/$ab"
ok aicert fsck
out_has "litter: objects/$ab"
fails 3 aicert hash-object -w --no-cache large
err_has "symbolic link"
untouched
rm ".aicert/objects/$ab" && mv kept ".aicert/objects/$ab"
sound

# the logs lead outside: the branch goes, what is outside stays
ok aicert branch d/authorized_keys
mv .aicert/logs/refs/heads kept && ln -s "$scratch/outside" .aicert/logs/refs/heads
fails 1 aicert fsck
out_has "symbolic link"
aicert branch -d d/authorized_keys >../out 2>&1
untouched
fails 3 aicert branch d/authorized_keys
untouched
rm .aicert/logs/refs/heads && mv kept .aicert/logs/refs/heads
rm -rf .aicert/logs/refs/heads/d
sound

# HEAD and config
mv .aicert/HEAD kept && ln -s "$scratch/outside/HEAD" .aicert/HEAD
damaged "HEAD"
fails 3 aicert log
untouched
rm .aicert/HEAD && mv kept .aicert/HEAD
mv .aicert/config kept && ln -s "$scratch/outside/config" .aicert/config
fails 3 aicert fsck
err_has config
fails 3 aicert config log.date iso
untouched
rm .aicert/config && mv kept .aicert/config
sound
done_testing
