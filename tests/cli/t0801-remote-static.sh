#!/bin/sh
# Remotes: the common suite over a directory that a web server could hand out.
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/remote-suite.sh"

large=yes
remote_new() { remote_url=static:$scratch/remotes/$1; mkdir -p "$scratch/remotes"; }
remote_suite

# of many pushes few packs are left, with all that was in them
cd "$scratch/builder" || exit 99
remote_new many
ok aicert remote add many "$remote_url"
i=0
while [ $i -lt 40 ]; do
	echo "$i" >small
	ok aicert tag "t$i" "$(aicert hash-object -w small | cut -d' ' -f1)"
	ok aicert push -q many "t$i"
	i=$((i + 1))
done
checks=$((checks + 1))
[ "$(grep -c '^pack' "$scratch/remotes/many/manifest")" -lt 34 ] || die 'packs are not joined'
[ "$(grep -c '^ref' "$scratch/remotes/many/manifest")" = 40 ] || die 'not all tags are there'
ok aicert push -q many main
ok aicert clone -q "$remote_url" "$scratch/joined"
cd "$scratch/joined"
same "$(aicert tag | wc -l)" 40
ok aicert cat-file -p "$(aicert rev-parse t0)"
same "$(cat "$scratch/out")" 0
ok aicert fsck

done_testing
