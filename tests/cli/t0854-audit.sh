#!/bin/sh
# aicert audit: certificates, history that only grew, what git has, what nobody proves.
. "${top_srcdir:-.}/tests/cli/lib.sh"
a="aicert audit --min-level simulated"
# of nothing nothing is proved
new_repo nothing
fails 3 aicert verify -a
err_has "no ref"
fails 3 $a
out_has "undecided: 0 certificates"
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

# an ancestor that no commit names is judged too, and is not to be missing
cp -R .aicert ../whole.aicert
one=$(aicert rev-parse HEAD~1)
aicert cat-file -p HEAD | sed 's/"parents":\[[^]]*\]/"parents":[]/' >alone
alone=$(aicert hash-object -w alone | cut -c1-64)
sed -i "s/$(aicert rev-parse HEAD)/$alone/" .aicert/refs/heads/main
same "$(aicert log --oneline | wc -l)" 1
ok aicert verify -a --min-level simulated
out_has "2 certificates: 2 pass"
ok $a
first=$(aicert cat-file -p "$one" | sed 's/.*"subject":{"id":"sha256:\([0-9a-f]*\)".*/\1/')
python3 -c 'import sqlite3, sys
d = sqlite3.connect(".aicert/objects/small.db")
assert d.execute("DELETE FROM objects WHERE id=?", (bytes.fromhex(sys.argv[1]),)).rowcount == 1
d.commit()' "$first"
fails 3 aicert verify -a --min-level simulated
out_has "missing certificate"
fails 3 $a
rm -rf .aicert alone && mv ../whole.aicert .aicert

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
out_has ", 1 failed run"
out_lacks "failed runs"

# from a remote: fetched, and only what is new
ok aicert push -q "$scratch/remote" main
cd "$scratch" && ok aicert clone -q --no-blobs "$scratch/remote" c && cd c
ok $a origin
out_has "2 certificates: 2 pass"
spec ../b/three.yaml "wc -l <model.bin >three.txt" "{path: model.bin, kind: model}" "three.txt"
ok aicert -C ../b commit -q -f three.yaml -m three
ok aicert -C ../b push -q "$scratch/remote" main
ok $a --since "$two" origin
out_has "1 certificate: 1 pass"
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

# in place of a file, or of a directory that outputs lie in: what leads elsewhere
before=$(git rev-parse HEAD)
git rm -q --cached model.bin && rm model.bin && mkdir assets && echo evil >assets/x.dat
ln -s assets/x.dat model.bin && ln -s assets/x.dat other.safetensors
git add -A . && git commit -qm links
fails 1 aicert audit --min-level simulated
out_has "uncovered  model.bin: a symbolic link"
out_has "uncovered  other.safetensors: a symbolic link"
git reset -q --hard "$before"
git rm -rq --cached ckpt && rm -rf ckpt && git update-index --add --cacheinfo "160000,$before,ckpt"
git commit -qm submodule
fails 1 aicert audit --min-level simulated
out_has "uncovered  ckpt: a submodule"
git reset -q --hard "$before"
# but a link that an output directory has at that path
spec links.yaml "mkdir -p deep/run; echo 1 >deep/run/a; ln -s a deep/run/latest" "" "{path: deep/run/, kind: checkpoint}"
ok aicert commit -q -f links.yaml -m links
git add deep links.yaml && git commit -qm deep
ok aicert audit --min-level simulated
ln -sf b deep/run/latest && git commit -qam elsewhere
fails 1 aicert audit --min-level simulated
out_has "uncovered  deep/run/latest"
git reset -q --hard HEAD~1
mv deep/run/a deep/run/b && ln -sf a deep/run/c && git add -A . && git commit -qm moved
fails 1 aicert audit --min-level simulated
out_has "uncovered  deep/run/c"
out_lacks "deep/run/b"
git reset -q --hard HEAD~1
git rm -rq --cached deep && rm -rf deep && ln -s assets deep && git add deep && git commit -qm above
fails 1 aicert audit --min-level simulated
out_has "uncovered  deep: a symbolic link"
git reset -q --hard HEAD~1

# what git has not is no "nothing to see", and hides nothing after it
blob=$(git rev-parse HEAD:ckpt/a)
echo w >zz.safetensors && git add zz.safetensors && git commit -qm after
mv ".git/objects/$(echo "$blob" | cut -c1-2)/$(echo "$blob" | cut -c3-)" ../blob
fails 1 aicert audit --min-level simulated
out_has "missing    ckpt/a"
out_has "uncovered  zz.safetensors"
git reset -q --soft HEAD~1 && git rm -q --cached zz.safetensors && rm zz.safetensors
fails 3 aicert audit --min-level simulated
out_has "missing    ckpt/a"
mv ../blob ".git/objects/$(echo "$blob" | cut -c1-2)/$(echo "$blob" | cut -c3-)"
ok aicert audit --min-level simulated
top=$(git rev-parse HEAD^{tree})
mv ".git/objects/$(echo "$top" | cut -c1-2)/$(echo "$top" | cut -c3-)" ../tree
fails 3 aicert audit --min-level simulated
out_has "missing    HEAD"
mv ../tree ".git/objects/$(echo "$top" | cut -c1-2)/$(echo "$top" | cut -c3-)"
# a file too large to be read is not read
head -c 1100000000 /dev/zero | git hash-object -w --stdin >../huge
git update-index --add --cacheinfo "100644,$(cat ../huge),huge.safetensors" && git commit -qm huge
fails 3 aicert audit --min-level simulated
out_has "missing    huge.safetensors"
out_has "1100000000 bytes"
git reset -q --soft HEAD~1 && git rm -q --cached huge.safetensors

# the user's policy counts here as it does in verify
ok aicert config --user verify.minlevel simulated
policy=$XDG_CONFIG_HOME/aicert/policy.json
ok aicert audit
printf '{' >"$policy"
fails 2 aicert audit
err_has policy.json
run=$(run_id HEAD)
printf '{"denyRuns":["%s"],"mediaType":"application/vnd.aicert.policy.v1+json"}' "$run" >"$policy"
fails 1 aicert audit
out_has "policy"
fails 1 aicert verify -a
mv "$policy" ../policy.json
ok aicert audit
fails 1 aicert audit --policy ../policy.json

# with a remote, only certificates of its history cover files, whatever is here besides
ok aicert remote add origin "$scratch/remote"
ok aicert push -q --force origin main
ok aicert audit origin
spec evil.yaml "echo evil >model.bin" "" "{path: model.bin, kind: model}"
main=$(aicert rev-parse HEAD)
ok aicert commit -q -f evil.yaml -m evil
git commit -qam evil
ok aicert audit
fails 1 aicert audit origin
out_has "uncovered  model.bin"
# an index that says that main reaches it
ok aicert branch evil HEAD
ok aicert trace model.bin
ok aicert branch -s evil
ok aicert branch -f main "$main"
ok aicert branch -s main
evil=$(aicert rev-parse evil)
ok aicert branch -d -f evil
fails 1 aicert audit
out_has "uncovered  model.bin"
python3 - "${main#sha256:}" "${evil#sha256:}" <<'END'
import sqlite3, sys
d = sqlite3.connect(".aicert/index.db")
main, evil = (bytes.fromhex(x) for x in sys.argv[1:])
chain, pos = d.execute("SELECT chain, pos FROM commits WHERE id=?", (main,)).fetchone()
assert d.execute("SELECT count(*) FROM commits WHERE id=?", (evil,)).fetchone() == (1,)
d.execute("UPDATE commits SET pos=-1 WHERE id=?", (evil,))
d.execute("DELETE FROM commits WHERE chain=? AND pos=?", (chain, pos + 1))
d.execute("UPDATE commits SET pos=? WHERE id=?", (pos + 1, main))
d.execute("UPDATE commits SET chain=?, pos=? WHERE id=?", (chain, pos, evil))
d.commit()
END
fails 1 aicert audit
out_has "uncovered  model.bin"
git reset -q --hard HEAD~1

# branches and tags that the remote had, and has no more
ok aicert tag v1
ok aicert branch old "$two"
spec side.yaml "echo side >side.txt" "" "side.txt"
ok aicert branch aside
ok aicert branch -s aside
ok aicert commit -q -f side.yaml -m side
ok aicert branch -s main
ok aicert push -q origin v1 old aside
cd "$scratch" && ok aicert clone -q --no-blobs "$scratch/remote" d && cd d
ok aicert audit origin
rm "$scratch/remote/refs/heads/old"
ok aicert audit origin
rm "$scratch/remote/refs/heads/aside"
fails 1 aicert audit origin
out_has "rewritten  refs/remotes/origin/aside: is gone there"
out_lacks "origin/old"
rm "$scratch/remote/refs/tags/v1"
fails 1 aicert audit origin
out_has "rewritten  refs/tags/v1: is gone there"
ok aicert tag -d v1
fails 1 aicert audit origin
out_lacks "v1"
find "$scratch/remote/refs" -type f -exec rm {} +
fails 1 aicert audit origin
out_has "refs/remotes/origin/main: is gone there"
cd ../b

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
git init -q --bare ../origin.git && git remote add there ../origin.git
cp "$source_dir/examples/pre-push" .git/hooks/pre-push && chmod +x .git/hooks/pre-push
ok git push -q there HEAD:refs/heads/main
echo 8 >model.bin && git commit -qam eight
fails 1 git push -q there HEAD:refs/heads/main
same "$(git -C ../origin.git rev-parse main)" "$(git rev-parse HEAD~1)"
done_testing
