#!/bin/sh
# aicert verify and trace over a chain of two runs, honest and tampered with.
. "${top_srcdir:-.}/tests/cli/lib.sh"
new_repo r
echo a >in.txt
spec one.yaml "cat in.txt > mid.txt; mkdir d; echo 1 > d/x; echo 2 > d/y" \
	"{path: in.txt, kind: dataset}" "mid.txt, {path: d/, kind: dataset}"
spec two.yaml "cat mid.txt d/x > end.txt" \
	"{path: mid.txt, kind: dataset}, {path: d, kind: dataset}" "{path: end.txt, kind: model}"
ok aicert commit -q -f one.yaml -m one
ok aicert commit -q -f two.yaml -m two

v="aicert verify --min-level simulated"
# shellcheck disable=SC2086
{
ok $v end.txt
out_has simulated
out_has "in.txt"
ok $v HEAD
ok $v HEAD~1
ok $v mid.txt
ok $v d
ok $v d/x
ok $v --inputs end.txt
ok $v --json end.txt
out_has '"verdict":"pass"'
out_has '"level":"simulated"'
same "$(wc -l <../out)" 1
fails 1 aicert verify end.txt
out_has vtpm
fails 1 aicert verify --min-level device end.txt
fails 2 aicert verify --min-level best end.txt
fails 2 aicert verify --at yesterday end.txt
ok $v --at 2030-01-01 end.txt
out_has 2030
# neither content nor path is known
echo z >unknown
fails 3 $v unknown
fails 3 $v nosuchrev
ok aicert trace end.txt
out_has mid.txt
out_has in.txt
ok aicert trace HEAD

# a copy under another name, or outside the work tree, has the same proof
cp end.txt ../elsewhere
ok $v ../elsewhere

# another output of the run does not stand in for a file of that name
cp end.txt ../kept && cp d/x mid.txt
fails 1 $v mid.txt
out_has files.outputs
aicert cat-file -p "$(aicert hash-object ../kept | cut -c1-64)" >/dev/null || die "end.txt lost"
cat in.txt >mid.txt
cp d/x copy
ok $v copy
out_has "output d"
# an older version is told from the newer
cp end.txt old.txt && echo b >in.txt
ok aicert commit -q -f one.yaml -m one-again
ok aicert commit -q -f two.yaml -m two-again
cp end.txt ../new.txt && cp old.txt end.txt
ok $v end.txt
out_has Superseded
cp ../new.txt end.txt
ok $v end.txt
out_lacks Superseded

# names cannot draw on the terminal
evil=$(printf 'z\r\033[2KPASS')
cp end.txt "$evil" && echo x >>"$evil"
aicert verify "$evil" >../out 2>../err
out_lacks "$(printf '\033')"
checks=$((checks + 1))
! grep -q "$(printf '\033')" ../err || die "escape sequence on stderr"

# the user's configuration may set the level, a repository may not
ok aicert config --user verify.minlevel simulated
ok aicert verify end.txt
ok aicert config --user verify.minlevel nonsense
fails 2 aicert verify end.txt
err_has "$XDG_CONFIG_HOME/aicert/config: verify.minLevel: nonsense: no claim level"
ok aicert config --user --unset verify.minlevel
git config -f .aicert/config verify.minlevel simulated
fails 1 aicert verify end.txt
git config -f .aicert/config --unset verify.minlevel
checks=$((checks + 1))
aicert config verify.minlevel simulated >../out 2>../err && die "a store's file took verify.minlevel"

# tampering
cp end.txt ../kept && echo x >>end.txt
fails 1 $v end.txt
out_has files.outputs
cp ../kept end.txt
cp mid.txt ../kept && echo x >>mid.txt
ok $v end.txt
fails 1 $v --inputs end.txt
out_has files.inputs
rm mid.txt
fails 1 $v --inputs end.txt
cp ../kept mid.txt
echo extra >d/z
fails 1 $v d
rm d/z
ok $v d
cp -R .aicert ../kept.aicert
python3 "$source_dir/examples/flip-certificate.py"
fails 1 $v HEAD
out_has object.id
fails 1 aicert fsck
rm -rf .aicert && cp -R ../kept.aicert .aicert

# the index is a cache
rm -f .aicert/index.db
ok $v end.txt
ok aicert trace end.txt
}
# the whole history, one a line
ok aicert verify --all --min-level simulated
out_has "certificates: "
same "$(grep -c '^PASS ' "$scratch/out")" "$(aicert log --oneline | wc -l)"
ok sh -c 'aicert verify --all --min-level simulated --json | python3 -c "
import json, sys
for line in sys.stdin:
    assert json.loads(line)[\"verdict\"] == \"pass\""'
fails 1 aicert verify --all
fails 2 aicert verify --all --inputs

# a file that is no revocation list is not one that revokes nothing
head -c 100 /dev/zero >no.crl
echo words >words.crl
for crl in no.crl words.crl; do
	fails 2 aicert verify --min-level simulated --crl $crl HEAD
	err_has "--crl $crl"
	fails 2 aicert audit --min-level simulated --crl $crl
done

# in words
ok aicert verify --explain quote.binding
out_has "replay"
fails 2 aicert verify --explain quote
err_has "quote.binding"

# what two runs of a lineage had is listed once
new_repo shared
echo a >in.txt
spec one.yaml "cat in.txt > mid.txt" "{path: in.txt, kind: dataset}" "mid.txt"
spec two.yaml "cat in.txt mid.txt > end.txt" "{path: in.txt, kind: dataset}, mid.txt" "end.txt"
ok aicert commit -q -f one.yaml -m one
ok aicert commit -q -f two.yaml -m two
ok aicert verify --min-level simulated end.txt
out_has "Inputs whose origin no certificate proves:"
same "$(grep -c '^  in.txt (dataset, sha256:' ../out)" 1
done_testing
