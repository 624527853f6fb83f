#!/bin/sh
# Remotes that lie: refused, nothing of it stored, nothing told to others.
. "${top_srcdir:-.}/tests/cli/lib.sh"
command -v openssl >/dev/null && command -v python3 >/dev/null && command -v zstd >/dev/null || exit 77
# at_most KIB: of memory; a sanitizer maps more than there is
at_most() { grep -q __asan_init "$build/aicert" || ulimit -v "$1"; }
. "$source_dir/tests/cli/remote-suite.sh"
trap 'kill $pids 2>/dev/null; chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
pids=

suite_builder
big=$(sha256sum <big | cut -d' ' -f1)
cert=$(aicert log --json -n 1 | grep -o '"subject":{"id":"sha256:[0-9a-f]*' | grep -o '[0-9a-f]\{64\}$')
cd "$scratch"

# nothing_of DIR: the store there has no ref and not one object
nothing_of() {
	checks=$((checks + 1))
	(cd "$1" && [ -z "$(aicert branch)" ] && [ -z "$(aicert log --oneline 2>/dev/null)" ]) ||
		die "$1 has a history"
	rm -rf "$1"
}

# --- a directory ---
(cd builder && aicert push -q "$scratch/good" main)
copy() { rm -rf "$scratch/bad"; cp -a "$scratch/good" "$scratch/bad"; }

copy	# a large object with other bytes: the rest comes
file=bad/objects/$(echo "$big" | cut -c1-2)/$(echo "$big" | cut -c3-)
spoil "$file" 0
fails 3 aicert clone "$scratch/bad" c1
err_has "$big"
(cd c1 && same "$(aicert rev-parse HEAD)" "$second" && fails 3 aicert cat-file -p "$big" && [ "$failures" = 0 ]) ||
	failures=$((failures + 1))
(cd c1 && ok aicert fsck && [ "$failures" = 0 ]) || failures=$((failures + 1))
rm -rf c1

copy	# another database in the place of the small objects
rm bad/objects/small.db*
python3 -c 'import sqlite3; c = sqlite3.connect("bad/objects/small.db"); c.execute("create table objects(id, data)"); c.execute("create view v as select 1"); c.commit()'
fails 3 aicert clone "$scratch/bad" c2
nothing_of c2
copy
rm bad/objects/small.db* && head -c 100000 /dev/urandom >bad/objects/small.db
fails 3 aicert clone "$scratch/bad" c2
nothing_of c2

copy	# refs to nonsense: a missing commit, a blob that is called a commit, garbage
printf 'commit sha256:%064d\n' 7 >bad/refs/heads/main
fails 3 aicert clone "$scratch/bad" c3
err_has 'does not have it'
nothing_of c3
out=$(sha256sum <builder/out | cut -d' ' -f1)
printf 'commit sha256:%s\n' "$out" >bad/refs/heads/main
fails 3 aicert clone "$scratch/bad" c3
nothing_of c3
printf 'commit sha256:%s\n' "$cert" >bad/refs/heads/main
fails 3 aicert clone "$scratch/bad" c3
nothing_of c3
printf 'commit sha256:%s\n' "$second" >bad/refs/heads/main	# one lost branch does not keep others back
printf 'commit sha256:%064d\n' 7 >bad/refs/heads/lost
fails 3 aicert clone "$scratch/bad" c3
(cd c3 && same "$(aicert rev-parse origin/main)" "$second" && fails 3 aicert rev-parse origin/lost &&
	[ "$failures" = 0 ]) || failures=$((failures + 1))
rm -rf c3

copy	# links out of it
rm -rf bad/refs/heads && ln -s /etc bad/refs/heads
aicert clone "$scratch/bad" c4 >"$scratch/out" 2>&1
nothing_of c4

# configuration does not come along, nor does an alternate
copy
printf '[store]\n\talternate = /etc\n[push]\n\tblobs = all\n[runner "local"]\n\turl = https://evil\n' >>bad/config
ok aicert clone -q "$scratch/bad" c5
(cd c5 && fails 1 aicert config push.blobs && [ "$failures" = 0 ]) || failures=$((failures + 1))
rm -rf c5

# --- a bucket ---
(cd builder && aicert push -q "static:$scratch/bucket" main)
bucket() { rm -rf "$scratch/bad"; cp -a "$scratch/bucket" "$scratch/bad"; }
bucket
sed -i 's|^ref refs/heads/main|ref refs/heads/../../../x|' bad/manifest
fails 1 aicert clone "static:$scratch/bad" c6
nothing_of c6
bucket
sed -i 's|^pack \([0-9a-f]*\)|pack ../../../../../etc/passwd|' bad/manifest
fails 3 aicert clone "static:$scratch/bad" c6
nothing_of c6
bucket
for p in bad/packs/*.idx; do	# other bytes under the ids, well packed
	python3 - "$p" <<'END' | zstd -q -f -o "${p%.idx}"
import sys
head = open(sys.argv[1], "rb").read()
total = sum(int(line.split()[1]) for line in head.split(b"\n")[2:-1])
sys.stdout.buffer.write(head + b"x" * total)
END
done
fails 3 aicert clone "static:$scratch/bad" c6
err_has 'other bytes'
rm -rf c6
bucket
for p in bad/packs/*.idx; do	# a bomb: 1 GiB in a pack that should be short
	head -c 1073741824 /dev/zero | zstd -q -f -o "${p%.idx}"
done
(at_most 1000000; aicert clone "static:$scratch/bad" c6 >"$scratch/out" 2>"$scratch/err"; echo $? >"$scratch/status")
same "$(cat "$scratch/status")" 3
err_has 'expands to more'
nothing_of c6
bucket
head -c 40000000 /dev/zero | tr '\0' a >bad/manifest	# longer than any manifest
fails 3 aicert clone "static:$scratch/bad" c6
nothing_of c6
bucket
ln -sf /etc/passwd bad/manifest
fails 3 aicert clone "static:$scratch/bad" c6
nothing_of c6

# --- a git repository ---
git init -q --bare g.git
(cd builder && aicert push -q "$scratch/g.git" main)
tip=$(git -C g.git rev-parse refs/aicert/store)
git_bad() { rm -rf bad.git; cp -a g.git bad.git; rm -rf "$XDG_CACHE_HOME/aicert/mailbox"; }
# ref that is a blob; a link in the tree; a manifest that inflates to 1 GiB
git_bad
git -C bad.git update-ref refs/aicert/store "$(echo hello | git -C bad.git hash-object -w --stdin)"
fails 1 aicert clone "$scratch/bad.git" c7
nothing_of c7
with_manifest() { # MODE BLOB
	tree=$( (git -C bad.git ls-tree "$tip" | grep -v manifest; printf '%s blob %s\tmanifest\n' "$1" "$2") |
		git -C bad.git mktree)
	git -C bad.git update-ref refs/aicert/store "$(git -C bad.git -c user.name=x -c user.email=x commit-tree -m x "$tree")"
}
git_bad
with_manifest 120000 "$(printf /etc/passwd | git -C bad.git hash-object -w --stdin)"
fails 3 aicert clone "$scratch/bad.git" c7
nothing_of c7
git_bad
with_manifest 100644 "$(head -c 1073741824 /dev/zero | git -C bad.git -c core.bigFileThreshold=1g hash-object -w --stdin)"
before=$(date +%s)
(at_most 2000000; aicert clone "$scratch/bad.git" c7 >"$scratch/out" 2>"$scratch/err"; echo $? >"$scratch/status")
same "$(cat "$scratch/status")" 3
err_has 'are taken'
nothing_of c7
# 100,000 refs beside ours
git_bad
python3 - "$tip" <<'END'
import sys
with open("bad.git/packed-refs", "a") as f:
    for i in range(100000):
        f.write("%s refs/heads/x%06d\n" % (sys.argv[1], i))
END
ok aicert clone -q "$scratch/bad.git" c7
checks=$((checks + 1))
[ $(($(date +%s) - before)) -lt 60 ] || die 'hostile git repositories take too long'
[ "$(find "$XDG_CACHE_HOME/aicert/mailbox" -path '*refs*' -type f | wc -l)" -lt 10 ] || die 'refs of others were taken'
rm -rf c7
# no hook of a repository, no program in an url or option
git_bad
mkdir -p bad.git/hooks
for hook in pre-receive post-checkout update reference-transaction; do
	printf '#!/bin/sh\ntouch %s/hooked\n' "$scratch" >"bad.git/hooks/$hook" && chmod +x "bad.git/hooks/$hook"
done
ok aicert clone -q "$scratch/bad.git" c7
checks=$((checks + 1))
[ ! -e "$scratch/hooked" ] || die 'a hook ran'
rm -rf c7
fails 3 aicert clone "ext::sh -c touch% $scratch/ext" c7
fails 3 aicert clone "git+ext::sh -c touch% $scratch/ext" c7
fails 2 aicert clone -- "--upload-pack=touch $scratch/ext" c7
fails 3 aicert clone "git+-u$scratch/ext" c7
checks=$((checks + 1))
[ ! -e "$scratch/ext" ] || die 'a program was run'
rm -rf c7
# what git itself was told about another repository does not matter
GIT_DIR=$scratch/nowhere GIT_WORK_TREE=/ ok aicert clone -q "$scratch/g.git" c7
rm -rf c7

# --- a hub ---
( umask 077; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout web.key -out web.pem \
	-subj /CN=web -addext subjectAltName=IP:127.0.0.1 -days 2 2>/dev/null; echo secret-token >token )
server() {
	mkdir -p "$1/www"
	python3 "$source_dir/tests/cli/hostile-web.py" "$scratch/$1" web.pem web.key 2>"$1/err" &
	pids="$pids $!"
	tries=0
	while [ ! -s "$1/port" ] && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
	port=$(cat "$1/port")
}
server other
other=https://127.0.0.1:$port
server web
web=https://127.0.0.1:$port
hostile() { # STATUS MODE...: a clone that must fail so
	status=$1
	shift
	echo "$@" >web/mode
	fails "$status" aicert clone --token-file token --ca web.pem "$web" c8
	nothing_of c8
}
hostile 1 endless
hostile 1 names
hostile 1 escape
hostile 1 blobs "$out"
hostile 1 twice "$second"
hostile 3 wrong "$second"
hostile 3 long "$second"
hostile 1 redirect "$other"
hostile 1 redirect "http://127.0.0.1:1"
checks=$((checks + 1))
[ ! -s other/requests ] || die "the token's server sent us elsewhere, and we went: $(cat other/requests)"
grep -q secret-token web/requests || die 'the token was not sent to its own server'
# the same host on another port is another server
rm -f other/requests
fails 3 aicert clone --ca web.pem "$other" c8
checks=$((checks + 1))
! grep -q secret-token other/requests || die 'a token went to another port'
rm -rf c8

done_testing
