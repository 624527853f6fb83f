#!/bin/sh
# S3 beyond the common suite: who signs and with what, servers that lack something, large
# objects in parts, lost links, other bytes.
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/s3-lib.sh"
command -v python3 >/dev/null || { echo "python3 is missing"; exit 77; }
command -v curl >/dev/null || { echo "curl is missing"; exit 77; }

random() { head -c "$1" /dev/zero | openssl enc -aes-128-ctr -K "$2" -iv 00 2>/dev/null; }
keys() { s3_control keys | grep -c "$1"; }

new_repo builder
random 1300000 01 >big.in
spec aicert.yaml 'cp big.in big; echo 1 >small' 'big.in' 'big, small'
ok aicert commit -q -m first
big=$(sha256sum <big | cut -c1-64)

# --- who signs ---
s3_start --session 'token+of/the=session' --log "$scratch/log"
fails 3 aicert push s3://bucket/a main
err_has InvalidToken
fails 3 aicert ls-remote s3://bucket/a
export AWS_SESSION_TOKEN='token+of/the=session'
ok aicert push -q s3://bucket/a main
ok aicert ls-remote s3://bucket/a
fails 3 aicert push s3://nobucket/a main
err_has "no such bucket"
fails 2 aicert push s3://BUCKET/a main
fails 2 aicert push s3://bucket/../a main
fails 2 aicert push 's3://bucket/a?acl' main
fails 3 env AWS_SECRET_ACCESS_KEY=other aicert ls-remote s3://bucket/a
err_has SignatureDoesNotMatch
fails 3 env AWS_REGION=us-east-1 aicert ls-remote s3://bucket/a
err_has "try eu-test-1"
fails 2 env -u AWS_SECRET_ACCESS_KEY aicert ls-remote s3://bucket/a
err_has "one alone"
# nothing of the key is ever said
checks=$((checks + 1))
! grep -q 'secret/with' "$scratch/err" "$scratch/out" || die "the secret is in a message"
# a profile, and its region
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_REGION
mkdir -p "$HOME/.aws"
printf '[default]\naws_access_key_id=WRONG\naws_secret_access_key=WRONG\n[other]\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token=%s\n' \
	AKIDTEST 'secret/with+signs' 'token+of/the=session' >"$HOME/.aws/credentials"
printf '[default]\nregion = us-west-2\n[profile other]\nregion = eu-test-1\ns3 =\n  region = nested\n' >"$HOME/.aws/config"
fails 3 aicert ls-remote s3://bucket/a
ok env AWS_PROFILE=other aicert ls-remote s3://bucket/a
ok aicert config --user s3.bucket.profile other
ok aicert ls-remote s3://bucket/a
fails 2 env AWS_PROFILE=none aicert ls-remote s3://other.bucket/a
err_has "no key for the profile none"
ok aicert config --user --unset s3.bucket.profile
# the machine's role
rm -r "$HOME/.aws"
export AWS_REGION=eu-test-1
fails 3 aicert ls-remote s3://bucket/a
err_has "no key was found"
fails 3 aicert push s3://bucket/a main
err_has "no key was found"
ok env AWS_EC2_METADATA_DISABLED=false AWS_EC2_METADATA_SERVICE_ENDPOINT="$AWS_ENDPOINT_URL_S3" \
	aicert ls-remote s3://bucket/a
fails 2 env AWS_EC2_METADATA_DISABLED=false AWS_EC2_METADATA_SERVICE_ENDPOINT=http://10.0.0.1 \
	aicert ls-remote s3://bucket/a
# whoever has no key reads what is public
s3_start --public
ok aicert push -q s3://bucket/a main
ok env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY aicert clone -q s3://bucket/a ../public
ok aicert -C ../public fsck

# --- settings are the user's alone ---
unset AWS_ENDPOINT_URL_S3
git config -f .aicert/config s3.endpoint "http://127.0.0.1:$s3_port"
git config -f .aicert/config s3.bucket.endpoint "http://127.0.0.1:$s3_port"
fails 3 timeout 60 env HTTPS_PROXY=http://127.0.0.1:1 aicert ls-remote s3://bucket/a
err_has amazonaws.com
checks=$((checks + 1))
aicert config s3.bucket.endpoint http://127.0.0.1 >../out 2>../err && die "a store's file took an endpoint"
ok aicert config --user s3.bucket.endpoint "http://127.0.0.1:$s3_port/"
ok aicert ls-remote s3://bucket/a
fails 2 env AWS_ENDPOINT_URL=http://10.1.2.3:9000 aicert ls-remote s3://other.bucket/a
err_has "plain http"
ok aicert config --user --unset s3.bucket.endpoint
git config -f .aicert/config --remove-section s3
git config -f .aicert/config --remove-section s3.bucket

# --- servers without conditional writes ---
for how in --ignore-conditions --refuse-conditions; do
	s3_start $how
	fails 3 aicert push s3://bucket/a main
	err_has "conditional writes"
	same "$(keys .)" 1
	same "$(keys a/probe)" 1
done

# --- later, and lost answers ---
s3_start --log "$scratch/log"
s3_control later?4
ok aicert push -q s3://bucket/b main
same "$(keys "b/objects/$big")" 1
s3_control drop?1
ok aicert commit -q -m second
ok aicert push -q s3://bucket/b main
s3_control drop?1
ok aicert clone -q s3://bucket/b ../dropped
ok aicert -C ../dropped fsck
ok sh -c "aicert -C ../dropped cat-file -p $big | cmp - big"
same "$(grep -c "^GET /bucket/b/objects/$big 206" "$scratch/log")" 1

# --- other bytes ---
s3_control "swap?$big"
checks=$((checks + 1))
aicert clone -q s3://bucket/b ../swapped >"$scratch/out" 2>"$scratch/err" && die "other bytes were taken"
err_has "other bytes"
fails 3 aicert -C ../swapped cat-file -s "$big"
same "$(find ../swapped/.aicert/tmp -type f | wc -l)" 0
s3_control "swap?$big"

# --- in parts, killed and gone on with ---
random 90000000 02 >big.in
ok aicert commit -q -m huge
huge=$(sha256sum <big | cut -c1-64)
s3_control parts?3
aicert push -q --blobs all s3://bucket/b main >/dev/null 2>&1 &
for _ in $(seq 200); do
	[ "$(s3_control uploads)" != '1 3' ] || break
	sleep 0.01
done
kill -9 $! && wait $! 2>/dev/null
sleep 0.5
s3_control parts?0
same "$(s3_control uploads)" '1 3'
same "$(keys "b/objects/$huge")" 0
: >"$scratch/log"
ok aicert push -q --blobs all s3://bucket/b main
same "$(s3_control uploads)" "0 0"
same "$(keys "b/objects/$huge 90000000")" 1
same "$(grep -c 'PUT.*partNumber' "$scratch/log")" 3
rm -rf ../dropped && ok aicert clone -q s3://bucket/b ../whole
ok aicert -C ../whole checkout HEAD -- big
ok cmp ../whole/big big
# who may not see what is under way begins anew; no part is held in memory
s3_start --no-uploads
ok python3 -c '
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
' aicert push -q --blobs all s3://bucket/c main
checks=$((checks + 1))
grep -q __asan_init "$build/aicert" || [ "$(cat "$scratch/out")" -lt 65536 ] || die "parts are held in memory"
same "$(keys "c/objects/$huge 90000000")" 1

# --- damage here does not get there ---
s3_start
file=.aicert/objects/$(printf %.2s "$huge")/$(printf %s "$huge" | cut -c3-)
spoil "$file" 50000000
aicert push -q --blobs all s3://bucket/d main >"$scratch/out" 2>"$scratch/err"
same "$(keys "d/objects/$huge")" 0
same "$(s3_control uploads)" "0 0"
file=.aicert/objects/$(printf %.2s "$big")/$(printf %s "$big" | cut -c3-)
spoil "$file" 5000
aicert push -q --blobs all s3://bucket/e main >"$scratch/out" 2>"$scratch/err"
same "$(keys "e/objects/$big")" 0
err_has "$big"

# --- many: listed, not asked for one by one ---
new_repo many
mkdir in
i=0
while [ $i -lt 70 ]; do
	random 1060000 "$(printf %032x $((i + 16)))" >in/$i
	i=$((i + 1))
done
spec aicert.yaml 'cp -r in out' '{path: in/, kind: dataset}' '{path: out/, kind: dataset}'
ok aicert commit -q -m many
s3_start --log "$scratch/log"
ok aicert push -q s3://bucket/m main
ok aicert push -q s3://bucket/m main:refs/heads/again
same "$(keys m/objects/)" 70
checks=$((checks + 1))
[ "$(grep -c '^HEAD' "$scratch/log")" -lt 5 ] || die "asked for one by one"
s3_start --no-list --log "$scratch/log"
ok aicert push -q s3://bucket/m main
same "$(keys m/objects/)" 70
s3_stop
done_testing
