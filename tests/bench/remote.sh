#!/bin/sh
# Remotes beside what people would use instead, as ratios of one run: a long history over a git
# remote beside git push and git clone; a large file to a hub and a directory beside curl -T and
# cp; many small objects beside one request for each.  Takes some minutes and 15 GB in $TMPDIR.
. "${top_srcdir:-.}/tests/cli/lib.sh"
command -v openssl >/dev/null && command -v curl >/dev/null || exit 77
trap 'kill $daemons 2>/dev/null; chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
daemons=
commits=${BENCH_COMMITS:-20000} mib=${BENCH_MIB:-2048} small=${BENCH_SMALL:-10000}
golden=$source_dir/tests/data/object/certificate-ok.json

# took COMMAND...: sets $ms
took() {
	sync
	start=$(date +%s%N)
	"$@" >"$scratch/out" 2>"$scratch/err" || { echo "FAILED: $*"; cat "$scratch/out" "$scratch/err"; exit 1; }
	ms=$((($(date +%s%N) - start) / 1000000))
}
# line LABEL OURS THEIRS WANTED
line() {
	awk -v l="$1" -v a="$2" -v b="$3" -v w="$4" \
		'BEGIN { printf "%-52s %7.2f s  %7.2f s  ratio %5.2f (%s)\n", l, a / 1000, b / 1000, a / b, w }'
}

# median FILE: of the numbers in it
median() { sort -n "$1" | sed -n "$((($(wc -l <"$1") + 1) / 2))p"; }

# --- a long history over git ---
new_repo long
"$build/history-store" . "$golden" "$commits" 1 1 || exit 1
# as many git commits, each with a file of the size of commit and certificate together
mkdir "$scratch/peer" && cd "$scratch/peer" && git init -q -b main . || exit 1
python3 - "$scratch/long/.aicert/objects/small.db" "$commits" <<'END' | git fast-import --quiet || exit 1
import sqlite3, sys
out = sys.stdout.buffer
db = sqlite3.connect(sys.argv[1])
n, held = 0, b""
for (data,) in db.execute("SELECT data FROM objects ORDER BY n"):
    held += data
    if b'"mediaType":"application/vnd.aicert.commit.v1+json"' not in data:
        continue
    n += 1
    out.write(b"commit refs/heads/main\ncommitter B <b@localhost> %d +0000\ndata 4\nrun\n\n" % (1700000000 + n))
    out.write(b"M 100644 inline certificate\ndata %d\n" % len(held) + held + b"\n")
    held = b""
END
git config pack.window 0
cd "$scratch" || exit 1
for _ in 1 2 3 4 5; do
	rm -rf ours.git theirs.git long2 peer2 "$XDG_CACHE_HOME/aicert/mailbox"
	git init -q --bare -b main ours.git
	git init -q --bare -b main theirs.git
	cd long || exit 1
	took aicert push -q "git+$scratch/ours.git" main
	echo "$ms" >>"$scratch/push-ours"
	cd ../peer || exit 1
	took git push -q "$scratch/theirs.git" main
	echo "$ms" >>"$scratch/push-git"
	cd .. || exit 1
	rm -rf "$XDG_CACHE_HOME/aicert/mailbox"
	took aicert clone -q "git+$scratch/ours.git" long2
	echo "$ms" >>clone-ours
	took git clone -q --no-checkout "file://$scratch/theirs.git" peer2
	echo "$ms" >>clone-git
done
line "push of $commits commits to a git remote: git push" "$(median push-ours)" "$(median push-git)" "at most 1"
line "clone of $commits commits from it: git clone" "$(median clone-ours)" "$(median clone-git)" "at most 1"
[ "$(cd long2 && aicert rev-parse HEAD)" = "$(cd long && aicert rev-parse HEAD)" ] || { echo "another HEAD"; exit 1; }
rm -rf long2 peer2 peer ours.git theirs.git long "$XDG_CACHE_HOME/aicert/mailbox"

# --- a large file ---
( umask 077
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout hub.key -out hub.pem \
		-subj /CN=hub -addext subjectAltName=IP:127.0.0.1 -days 2 2>/dev/null
	echo ada-secret >token
	echo "ada sha256:$(printf ada-secret | sha256sum | cut -d' ' -f1) write,force" >tokens )
printf '[daemon]\n\tlisten = 127.0.0.1:0\n\tstore = %s\n\ttpm = none\n\ttokenFile = %s\n\ttlsCert = %s\n\ttlsKey = %s\n' \
	"$scratch/hub" "$scratch/tokens" "$scratch/hub.pem" "$scratch/hub.key" >conf
mkfifo ready
aicertd --config conf --ready-fd 3 3>ready 2>daemon.log &
daemons=$!
read -r url <ready
url=${url#aicertd: listening on }
new_repo large
head -c "${mib}M" /dev/zero | openssl enc -aes-128-ctr -K 00 -iv 00 2>/dev/null >big.in
spec aicert.yaml 'cp big.in big' big.in big
aicert commit -q -m large || exit 1
aicert remote add --token-file "$scratch/token" --ca "$scratch/hub.pem" hub "$url"
took aicert push -q hub main
ours=$ms
head -c "${mib}M" /dev/zero | openssl enc -aes-128-ctr -K 01 -iv 00 2>/dev/null >"$scratch/other"
id=$(sha256sum "$scratch/other" | cut -d' ' -f1)
took curl -sf --cacert "$scratch/hub.pem" -H 'Authorization: Bearer ada-secret' -T "$scratch/other" \
	"$url/v1/objects/$id"
line "push of $mib MiB to a hub: curl -T" "$ours" "$ms" "at most 1.25"
# of the same object, which the hub has in memory for both
fetch="curl -sf --cacert '$scratch/hub.pem' -H 'Authorization: Bearer ada-secret' \
	'$url/v1/objects/$(sha256sum big | cut -d' ' -f1)'"
sh -c "$fetch -o /dev/null"
took aicert clone -q "$url" "$scratch/large2"
ours=$ms
took sh -c "$fetch -o '$scratch/copy' && sync '$scratch/copy'"
line "clone of $mib MiB from a hub: curl -o, synced" "$ours" "$ms" "at most 1.25"
rm -rf "$scratch/large2" "$scratch/copy"
took aicert push -q "$scratch/dir.aicert" main
ours=$ms
took sh -c "cp '$scratch/other' '$scratch/copy' && sync '$scratch/copy'"
line "push of $mib MiB to a directory: cp, synced" "$ours" "$ms" "at most 1.25"
rm -rf "$scratch/copy" "$scratch/dir.aicert"
# to S3 as the tests have it, with the same program behind both
. "$source_dir/tests/cli/s3-lib.sh"
s3_start
took aicert push -q s3://bucket/large main
ours=$ms
took curl -sf --aws-sigv4 aws:amz:eu-test-1:s3 --user "AKIDTEST:$AWS_SECRET_ACCESS_KEY" -T "$scratch/other" \
	-H "x-amz-content-sha256: $id" "$AWS_ENDPOINT_URL_S3/bucket/other"
line "push of $mib MiB to S3: curl -T" "$ours" "$ms" "at most 1.25"
s3_stop
rm -rf "$scratch/other"

# --- many small objects ---
new_repo many
mkdir files
python3 -c "
import sys
for i in range($small):
    open('files/%05d' % i, 'w').write('file %d\n' % i * 20)"
spec aicert.yaml 'cp -r files copies' '{path: files/}' '{path: copies/}'
aicert commit -q -m many || exit 1
took aicert push -q "$url" "main:refs/heads/many"
ours=$ms
# the same number of requests over one connection, from four processes
python3 - "$small" "$url" >urls <<'END'
import hashlib, sys
for i in range(int(sys.argv[1])):
    body = b"other %d\n" % i * 20
    name = "body/%05d" % i
    print("next\nurl = %s/v1/objects/%s\nupload-file = %s\noutput = /dev/null" % (
        sys.argv[2], hashlib.sha256(body).hexdigest(), name))
END
mkdir body
python3 -c "
for i in range($small):
    open('body/%05d' % i, 'w').write('other %d\n' % i * 20)"
split -n l/4 urls part- && sed -i '/^next$/d' part-*
python3 - <<'END'
import glob
lines = open("urls").read().split("next\n")[1:]
head = 'header = "Authorization: Bearer ada-secret"\n'
for k in range(4):
    with open("part-%d" % k, "w") as f:
        f.write("next\n".join(head + 'cacert = "../hub.pem"\nsilent\n' + l for l in lines[k::4]))
END
took sh -c 'for k in 0 1 2 3; do curl -K part-$k & done; wait'
line "push of $small small objects to a hub: a request each" "$ours" "$ms" "at most 0.2"
