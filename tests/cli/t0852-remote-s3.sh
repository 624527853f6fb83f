#!/bin/sh
# Remotes: the common suite over S3, against a server that checks every signature.
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/remote-suite.sh"
. "$source_dir/tests/cli/s3-lib.sh"
command -v python3 >/dev/null || { echo "python3 is missing"; exit 77; }
command -v curl >/dev/null || { echo "curl is missing"; exit 77; }

s3_start --log "$scratch/s3-log"
large=yes
remote_new() { remote_url=s3://bucket/some.prefix/$1; }
remote_suite
checks=$((checks + 1))
! grep -v ' \(200\|204\|206\|404\|412\) *$' "$scratch/s3-log" || die "requests that were refused"
same "$(cat "$scratch/s3-err")" ""
s3_stop
done_testing
