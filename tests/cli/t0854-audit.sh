#!/bin/sh
# aicert audit: certificates, history that only grew, what git has, what nobody proves.
. "${top_srcdir:-.}/tests/cli/lib.sh"
a="aicert audit --min-level simulated"
new_repo b
printf 'one\n' >in.txt
spec one.yaml "sort in.txt >mid.txt; mkdir ckpt; echo 1 >ckpt/a" "{path: in.txt, kind: dataset}" \
	"mid.txt, {path: ckpt/, kind: checkpoint}"
spec two.yaml "wc -c <mid.txt >model.bin" "{path: mid.txt, kind: dataset}" "{path: model.bin, kind: model}"
ok aicert commit -q -f one.yaml -m one
ok aicert commit -q -f two.yaml -m two
two=$(aicert rev-parse HEAD)
git add in.txt one.yaml two.yaml mid.txt ckpt model.bin && git commit -qm files
# shellcheck disable=SC2086
{
ok $a
out_has "2 certificates: 2 pass"
out_has "in.txt (dataset"
out_lacks "mid.txt (dataset"
fails 1 aicert audit
out_has "vtpm is required"
fails 2 aicert audit --min-level best
fails 2 aicert audit a b

# a line a document, the summary last
ok sh -c "$a --json >../out.json"
ok python3 - ../out.json <<'END'
import json, sys
docs = [json.loads(l) for l in open(sys.argv[1])]
assert [d["kind"] for d in docs] == ["certificate", "origin", "certificate", "summary"] or \
    sorted(d["kind"] for d in docs) == ["certificate", "certificate", "origin", "summary"], docs
assert docs[-1]["kind"] == "summary" and docs[-1]["verdict"] == "pass", docs[-1]
assert all(d["verdict"] == "pass" for d in docs if d["kind"] == "certificate")
origin = [d for d in docs if d["kind"] == "origin"][0]
assert origin["path"] == "in.txt" and origin["digests"]["sha256"]
END

# what is committed to git under the name of an output, or looks like weights
echo 99 >model.bin && echo 2 >ckpt/a && echo w >stray.safetensors && echo x >other.txt
git add -A . && git commit -qm changed
fails 1 $a
out_has "uncovered  model.bin"
out_has "uncovered  ckpt/a"
out_has "uncovered  stray.safetensors"
out_lacks other.txt
# the work tree does not matter, only what git has
git revert --no-edit HEAD >/dev/null && echo 99 >model.bin
ok $a
git checkout -q model.bin
# a pointer of git-lfs stands for its file
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %s\n' \
	"$(sha256sum <model.bin | cut -c1-64)" "$(wc -c <model.bin)" >lfs.safetensors
git add lfs.safetensors && git commit -qm lfs
ok $a
sed -i 's/oid sha256:../oid sha256:00/' lfs.safetensors
git commit -qam "another oid"
fails 1 $a
out_has "uncovered  lfs.safetensors"
git rm -q lfs.safetensors && git commit -qm gone

# failed runs are told, and are no finding
spec bad.yaml "exit 3" "" "none"
aicert commit -q -f bad.yaml -m bad >/dev/null 2>&1
ok $a
out_has "failedRun"
out_has "1 failed runs"

# from a remote: fetched, and only what is new
ok aicert push -q "$scratch/remote" main
cd "$scratch" && ok aicert clone -q --no-blobs "$scratch/remote" c && cd c
ok $a origin
out_has "2 certificates: 2 pass"
spec ../b/three.yaml "wc -l <model.bin >three.txt" "{path: model.bin, kind: model}" "three.txt"
ok aicert -C ../b commit -q -f three.yaml -m three
ok aicert -C ../b push -q "$scratch/remote" main
ok $a --since "$two" origin
out_has "1 certificates: 1 pass"
ok $a "$scratch/remote"
out_has "3 certificates: 3 pass"
fails 3 $a "$scratch/nowhere"
fails 2 $a nosuchremote
fails 3 $a --since 0123456 origin

# what was there is gone: said now, and again later, until somebody has looked
three=$(aicert -C ../b rev-parse HEAD)
ok aicert -C ../b branch side "$two"
ok aicert -C ../b push -q --force "$scratch/remote" side:main
fails 1 $a origin
out_has "rewritten"
out_has "$(printf %.12s "$three")"
fails 1 $a origin
out_has "rewritten"
fails 1 $a
fails 1 $a --json origin
out_has '"rewritten":1'
fails 1 $a --since "$three" origin
out_has "is not part of the history any more"
ok $a --since "$two" origin

# a certificate that is damaged
ok aicert -C ../b push -q --force "$scratch/remote" main:main
cd ../b
cp -R .aicert ../kept.aicert
python3 "$source_dir/examples/flip-certificate.py"
fails 1 $a
out_has object.id
rm -rf .aicert && cp -R ../kept.aicert .aicert
ok $a
}

# no answer comes from the stat cache: one that lies changes nothing
ok aicert status -f two.yaml
find "$XDG_CACHE_HOME" -type f | while read -r f; do
	sed -i "s/$(sha256sum <model.bin | cut -c1-10)/0000000000/g" "$f"
done
echo 7 >model.bin && git commit -qam seven
fails 1 aicert audit --min-level simulated
out_has "uncovered  model.bin"

# the hook and the workflow of examples/
git revert --no-edit HEAD >/dev/null
ok aicert config --user verify.minlevel simulated
git init -q --bare ../origin.git && git remote add there ../origin.git
cp "$source_dir/examples/pre-push" .git/hooks/pre-push && chmod +x .git/hooks/pre-push
ok git push -q there HEAD:refs/heads/main
echo 8 >model.bin && git commit -qam eight
fails 1 git push -q there HEAD:refs/heads/main
same "$(git -C ../origin.git rev-parse main)" "$(git rev-parse HEAD~1)"
done_testing
