#!/bin/sh
# aicert bundle and verify --bundle: a whole proof in one file, without a store.
. "${top_srcdir:-.}/tests/cli/lib.sh"
new_repo r
echo a >in.txt
spec one.yaml "(cat in.txt; echo MIDWEIGHTS) > mid.txt; mkdir -p d/e; echo 1 > d/x; echo 2 > d/e/y" \
	"{path: in.txt, kind: dataset}" "mid.txt, {path: d/, kind: dataset}"
spec two.yaml "cat mid.txt d/x > out/end.txt; wc -c <mid.txt >out/count" \
	"{path: mid.txt, kind: dataset}, {path: d, kind: dataset}" \
	"{path: out/end.txt, kind: model}, out/count"
spec other.yaml "echo secret > other.txt" "" "other.txt"
ok aicert commit -q -f one.yaml -m one
ok aicert commit -q -f other.yaml -m unrelated
ok aicert commit -q -f two.yaml -m two
ok aicert commit -q -f other.yaml -m later
cp out/end.txt ../end.txt && cp in.txt ../in.txt && cp -R d ../d

# the same proof is the same file, whichever way it was written
ok aicert bundle out/end.txt -o ../m.aicert
out_has "a lineage of 2 certificates"
ok aicert bundle --json -f -o ../m.aicert out/end.txt
out_has '"certificates":2'
aicert bundle -o - out/end.txt >../again 2>../err
ok cmp ../again ../m.aicert
rm -f .aicert/index.db
ok aicert bundle -o ../again2 out/end.txt
ok cmp ../again2 ../m.aicert
# no weights, no later runs
checks=$((checks + 1))
! sed s/echo.MIDWEIGHTS//g ../m.aicert | grep -qa MIDWEIGHTS || die "weights are in the bundle"
same "$(tar tf ../m.aicert | grep -c '^commit/')" 3
same "$(tar tf ../m.aicert | grep -c '^blob/')" 0
# without other runs
ok aicert bundle --no-history -o ../short.aicert out/end.txt
same "$(tar tf ../short.aicert | grep -c '^commit/')" 2
same "$(tar tf ../short.aicert | grep -c '^certificate/')" 2
checks=$((checks + 1))
! grep -qa unrelated ../short.aicert || die "another run is in a bundle without history"
# a run: all that it made
ok aicert bundle -o ../run.aicert HEAD~1
ok grep -qa 'out/count' ../run.aicert

# other tools read it, and write the same again
mkdir ../unpacked
ok tar -C ../unpacked -xf ../m.aicert
ok sh -c 'cd ../unpacked && sha256sum --strict --quiet -c SHA256SUMS'
ok sh -c 'cd ../unpacked && for f in */*; do
	[ "$(sha256sum <"$f" | cut -c1-64)" = "${f#*/}" ] || exit 1; done'
checks=$((checks + 1))
(cd ../unpacked && { echo aicert-bundle.json; LC_ALL=C ls -d -- */*; echo SHA256SUMS; } |
	tar --format=ustar --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=0444 -b1 -cf ../tarred -T -)
cmp ../tarred ../m.aicert || die "tar writes another bundle"

# what cannot be bundled
fails 2 aicert bundle out/end.txt
err_has "-o"
fails 2 aicert bundle -o ../n
fails 3 aicert bundle -o ../m.aicert out/end.txt
err_has "is there already"
fails 3 aicert bundle -o ../n one.yaml
fails 3 aicert bundle -o ../nowhere/n out/end.txt
echo x >>out/count
fails 1 aicert bundle -o ../n out/count
err_has "no run made this content"
[ ! -e ../n ] || die "a bundle that failed was left"
checks=$((checks + 1))
[ -z "$(find .. -maxdepth 1 -name '.*tmp*')" ] || die "litter beside the bundle"

# anywhere, without a store or a repository
mkdir "$scratch/away" && cd "$scratch/away" && mv ../end.txt ../in.txt ../d ../m.aicert ../short.aicert . ||
	exit 99
mv "$scratch/r" "$scratch/gone"
v="aicert verify --bundle m.aicert --min-level simulated"
# shellcheck disable=SC2086
{
ok $v end.txt
out_has "PASS"
out_has "in.txt"
out_has "Made from"
ok $v --json end.txt
out_has '"verdict":"pass"'
out_has '"chain":[{'
same "$(wc -l <../out)" 1
ok $v -v end.txt
out_has quote.signature
ok $v ./../away/end.txt
ok $v d
ok $v d/x
ok $v d/e/y
ok $v d/e
cp end.txt renamed.bin
ok $v renamed.bin
out_has "out/end.txt"
ok aicert verify --bundle short.aicert --min-level simulated end.txt
ok $v --at 2030-01-01 end.txt
out_has 2030
fails 1 aicert verify --bundle m.aicert end.txt
out_has vtpm
fails 1 $v --min-level device end.txt
fails 3 $v in.txt
fails 3 $v nosuchfile
fails 2 $v
fails 2 $v --inputs end.txt
fails 2 $v --all
fails 2 $v --min-level best end.txt
fails 3 aicert verify --bundle nosuchbundle end.txt
fails 2 aicert verify --bundle . end.txt
# the same lineage, level and checks as from the store
aicert -C "$scratch/gone" verify --json --at 2030-01-01 --min-level simulated out/end.txt >store.json
$v --json --at 2030-01-01 end.txt >bundle.json
ok python3 - store.json bundle.json <<'END'
import json, sys
a, b = (json.load(open(p)) for p in sys.argv[1:])
for d in (a, b):
    d.pop("subject")
    d["notes"] = []
assert a == b, (a, b)
END
# changed files: another content of that name is a definite no
cp end.txt kept && echo x >>end.txt
fails 1 $v end.txt
out_has files.outputs
cp kept end.txt
cp d/x mid.txt
fails 1 $v --json mid.txt
out_has files.outputs
echo 3 >d/x
fails 1 $v d/x
fails 1 $v d
}
printf '1\n' >d/x

# every change of the file itself
ok python3 "$source_dir/tests/cli/bundle-flip.py" m.aicert 60 \
	aicert verify --bundle '{}' --min-level simulated end.txt
fails 1 aicert verify --bundle end.txt end.txt
err_has "aicert-bundle(5)"
cat m.aicert m.aicert >twice
fails 1 aicert verify --bundle twice end.txt

# a lineage that is not whole is undecided: the ancestor is left out, honestly resealed
ok python3 "$source_dir/tests/cli/bundle-spoil.py" m.aicert spoilt.aicert drop-ancestor
fails 3 aicert verify --bundle spoilt.aicert --min-level simulated end.txt
out_has "UNDECIDED"
# another certificate's bytes under a name of their own prove nothing
ok python3 "$source_dir/tests/cli/bundle-spoil.py" m.aicert spoilt.aicert edit-certificate
fails 1 aicert verify --bundle spoilt.aicert --min-level simulated end.txt
mv "$scratch/gone" "$scratch/r"
done_testing
