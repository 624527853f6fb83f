#!/bin/sh
# Branches, tags and revisions.
. "${top_srcdir:-.}/tests/cli/lib.sh"
new_repo r
fails 3 aicert log
err_has "no commits yet on branch main"
fails 3 aicert verify HEAD
spec aicert.yaml "date +%N > out.txt" "" "out.txt"
ok aicert commit -q -m one
one=$(aicert rev-parse HEAD)
ok aicert commit -q -m two
two=$(aicert rev-parse HEAD)
ok aicert tag v1 HEAD~1
ok aicert branch side
ok aicert branch
same "$(awk '/^\*/ { print $3 }' ../out)" main
out_has "side"
same "$(aicert rev-parse v1)" "$one"
same "$(aicert rev-parse side)" "$two"
same "$(aicert rev-parse side~1)" "$one"
same "$(aicert rev-parse "$(echo "$one" | cut -c1-12)")" "$one"
fails 3 aicert tag v1
ok aicert tag -f v1
same "$(aicert rev-parse v1)" "$two"
fails 3 aicert branch -d main
ok aicert branch -s side
ok aicert commit -q -m "on side"
same "$(aicert rev-parse main)" "$two"
same "$(aicert rev-parse side~1)" "$two"
fails 3 aicert branch -s nosuch
ok aicert branch -s main
# nothing else has the commit on side
fails 3 aicert branch -d side
ok aicert branch -d -f side
ok aicert branch side
fails 2 aicert branch -- -x
fails 2 aicert tag HEAD
fails 2 aicert tag deadbeefdeadbeef
ok aicert branch -d side
fails 3 aicert rev-parse side
fails 2 aicert tag "../x"
fails 2 aicert branch "a..b"
fails 3 aicert rev-parse HEAD~7
ok aicert log v1
out_has "tag v1"
done_testing
