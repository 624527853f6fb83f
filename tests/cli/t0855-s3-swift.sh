#!/bin/sh
# Remotes: the common suite over the S3 of OpenStack Swift, which others wrote.  As it is it has
# no conditional writes, and is refused; with them, added in front of it, it is a remote.
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/remote-suite.sh"
. "$source_dir/tests/cli/s3-lib.sh"

s3_swift
new_repo alone
echo one >in
spec aicert.yaml 'cp in out' in out
ok aicert commit -q -m one
fails 3 aicert push s3://bucket/alone main
err_has "refuses conditional writes"
err_has "nothing was pushed"
fails 3 aicert ls-remote s3://bucket/alone
err_has "nothing was pushed there"
fails 3 env AWS_SECRET_ACCESS_KEY=other aicert ls-remote s3://bucket/alone
err_has SignatureDoesNotMatch
fails 3 aicert push s3://none/alone main

s3_swift --conditions
# more than two parts
head -c 40000000 /dev/zero | openssl enc -aes-128-ctr -K 02 -iv 00 2>/dev/null >parts.in
spec aicert.yaml 'cp parts.in parts' parts.in parts
ok aicert commit -q -m parts
ok aicert push -q s3://bucket/parts main
ok aicert clone -q s3://bucket/parts "$scratch/parts"
cd "$scratch/parts" || exit 99
ok aicert checkout HEAD -- parts
ok cmp parts "$scratch/alone/parts"
large=yes
remote_new() { remote_url=s3://bucket/some.prefix/$1; }
remote_suite
same "$(cat "$scratch/s3-err")" ""
s3_stop
done_testing
