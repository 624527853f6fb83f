#!/bin/sh
# The daemon without a TPM: refs with compare-and-swap, what they open to whom.
. "${top_srcdir:-.}/tests/cli/lib.sh"
command -v curl >/dev/null && command -v openssl >/dev/null || exit 77
trap 'kill $daemons 2>/dev/null; chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
daemons=

start() {
	mkfifo "$scratch/ready" 2>/dev/null
	aicertd --config "$scratch/conf" --ready-fd 3 3>"$scratch/ready" 2>>"$scratch/daemon.log" &
	daemon=$!
	daemons="$daemons $daemon"
	read -r line <"$scratch/ready"
	url=${line#aicertd: listening on }
	case $url in https://*) ;; *) die "the daemon says: $line" ;; esac
}
stop() {
	kill -TERM "$daemon"
	wait "$daemon"
	same $? 0
}
# req STATUS USER PATH [CURL-OPTION...]
req() {
	want=$1 user=$2 path=$3
	shift 3
	checks=$((checks + 1))
	[ "$user" = - ] || set -- -H "Authorization: Bearer $user-secret" "$@"
	got=$(curl -s --cacert "$scratch/hub.pem" --resolve "hub:${url##*:}:127.0.0.1" \
		-D "$scratch/headers" -o "$scratch/out" -w '%{http_code}' --max-time 60 "$@" \
		"https://hub:${url##*:}$path") || got="$got (curl: $?)"
	: >"$scratch/err"
	[ "$got" = "$want" ] || die "$user $path $*: status $got, expected $want"
}
header_has() {
	checks=$((checks + 1))
	grep -qi -- "$1" "$scratch/headers" || die "no header $1: $(cat "$scratch/headers")"
}
until_there() {
	for _ in $(seq 100); do
		[ -e "$1" ] && return
		sleep 0.05
	done
	die "$1 does not come"
}
token() { printf %s-secret "$1" | sha256sum | cut -d' ' -f1; }
# ref NAME ID: a ref document in $scratch/ref
ref() {
	printf '{"mediaType":"application/vnd.aicert.ref.v1+json","name":"%s","object":{"id":"sha256:%s","type":"commit"}}' \
		"$1" "$2" >"$scratch/ref"
}
# contents USER COMMIT: sends what its run made, which the hub does not ask for; and no input
# that is not an output too
contents() {
	certificate=$(aicert cat-file -p "$2" | sed 's/.*"subject":{"id":"sha256:\([0-9a-f]*\)".*/\1/')
	aicert cat-file -p "$certificate" >"$scratch/certificate" || return
	for made in $(grep -o '[0-9a-f]\{64\}' "$scratch/certificate" | sort -u); do
		[ "$made" != "${input-}" ] && aicert cat-file -p "$made" >"$scratch/object" 2>/dev/null || continue
		curl -sk -o /dev/null -H "Authorization: Bearer $1-secret" -T "$scratch/object" "$url/v1/objects/$made"
	done
}
# push USER NAME ID CONDITION...: sends what the hub says it lacks until it takes the ref
push() {
	who=$1 name=$2 commit=$3
	shift 3
	contents "$who" "$commit"
	ref "$name" "$commit"
	sent=0
	while [ $sent -lt 50 ]; do
		status=$(curl -sk -o "$scratch/out" -w '%{http_code}' -H "Authorization: Bearer $who-secret" "$@" \
			-X PUT --data-binary @"$scratch/ref" "$url/v1/$name")
		lacks=$(grep -o '[0-9a-f]\{64\} is not here' "$scratch/out" | cut -d' ' -f1)
		[ "$status" = 422 ] && [ -n "$lacks" ] || break
		aicert cat-file -p "$lacks" >"$scratch/object" || break
		req 201 "$who" "/v1/objects/$lacks" -T "$scratch/object"
		sent=$((sent + 1))
	done
}

( umask 077; cat >tokens <<END
ada sha256:$(token ada) write
bob sha256:$(token bob) read
eve sha256:$(token eve) write,force
run sha256:$(token run) run
END
)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout hub.key -out hub.pem \
	-subj /CN=hub -addext subjectAltName=DNS:hub -days 2 2>/dev/null
chmod 600 hub.key
cat >conf <<END
[daemon]
	listen = 127.0.0.1:0
	store = $scratch/hub
	tpm = none
	tokenFile = $scratch/tokens
	tlsCert = $scratch/hub.pem
	tlsKey = $scratch/hub.key
END
ok aicertd --config conf --check-config
chmod 644 hub.key
fails 3 aicertd --config conf --check-config
err_has "closed to others"
chmod 600 hub.key

# a history of two commits, and one beside it
new_repo repo
echo one >in
spec aicert.yaml 'cat in >out' in out
ok aicert commit -m first
first=$(aicert rev-parse HEAD)
output=$(sha256sum out | cut -d' ' -f1)
echo two >in
ok aicert commit -m second
second=$(aicert rev-parse HEAD)
ok aicert branch other "$first"
# two with an input that is not an output
echo three >in
spec aicert.yaml 'wc -c <in >out' in out
ok aicert commit -m third
third=$(aicert rev-parse HEAD)
input=$(sha256sum in | cut -d' ' -f1)
spec aicert.yaml 'wc -l <in >out' in out
ok aicert commit -m fourth
fourth=$(aicert rev-parse HEAD)
# and one of another history
new_repo beside
echo beside >in
spec aicert.yaml 'cat in >out' in out
ok aicert commit -m beside
beside=$(aicert rev-parse HEAD)
cd "$scratch/repo"

start
# without a public ref nobody learns anything
req 200 - /healthz
req 404 - "/v1/identity?nonce=$(printf '%064d' 1)"
req 401 - /v1/refs
req 401 - /v1/refs/heads/main
req 401 - "/v1/objects/$first"
req 200 bob /v1/refs
out_has '"refs":[]'
req 404 bob /v1/refs/heads/main
req 403 run /v1/refs
req 404 run "/v1/runs/$first"
req 404 run /v1/runs -d '{}'

# --- compare and swap, forward only ---
ref refs/heads/main "$first"
req 403 bob /v1/refs/heads/main -X PUT --data-binary @"$scratch/ref" -H 'If-None-Match: *'
req 428 ada /v1/refs/heads/main -X PUT --data-binary @"$scratch/ref"
req 422 ada /v1/refs/heads/main -X PUT --data-binary @"$scratch/ref" -H 'If-None-Match: *'
out_has "send it first"
req 400 ada /v1/refs/heads/main -X PUT --data-binary @"$scratch/ref" -H 'If-None-Match: x'
req 412 ada /v1/refs/heads/main -X PUT --data-binary @"$scratch/ref" -H "If-Match: \"$first\""
req 422 ada /v1/refs/heads/other -X PUT --data-binary @"$scratch/ref" -H 'If-None-Match: *'
req 400 ada /v1/refs/heads/x..y -X PUT --data-binary @"$scratch/ref" -H 'If-None-Match: *'
# contents need not be there; those that are there are read with the ref
aicert cat-file -p "$output" >"$scratch/object"
req 201 ada "/v1/objects/$output" -T "$scratch/object"
push ada refs/heads/main "$first" -H 'If-None-Match: *'
same "$status" 201
[ "$sent" -gt 1 ] || die "only $sent objects were asked for"
req 200 bob /v1/refs/heads/main
header_has "^ETag: \"$first\""
same "$(cat "$scratch/out")" "$(cat "$scratch/ref")"
push ada refs/heads/main "$first" -H 'If-None-Match: *'
same "$status" 412
push ada refs/heads/main "$second" -H "If-Match: \"$second\""
same "$status" 412
push ada refs/heads/main "$second" -H "If-Match: \"$first\""
same "$status" 200
push ada refs/heads/main "$first" -H "If-Match: \"$second\""
same "$status" 409
push ada refs/heads/main "$first" -H "If-Match: \"$second\"" -H 'Aicert-Force: true'
same "$status" 403
push eve refs/heads/main "$first" -H "If-Match: \"$second\""
same "$status" 409

# --- what a ref reaches is read by who may read refs, and by nobody else ---
req 200 bob "/v1/objects/$output"
same "$(cat "$scratch/out")" one
req 200 bob "/v1/objects/$second"
req 404 run "/v1/objects/$output"
req 401 - "/v1/objects/$output"
list="{\"mediaType\":\"application/vnd.aicert.object-list.v1+json\",\"objects\":[\"sha256:$output\",\"sha256:$first\"]}"
req 200 bob /v1/objects/missing -d "$list"
out_lacks "$output"
req 200 run /v1/objects/missing -d "$list"
out_has "$output"
# an object that no ref reaches is its sender's
echo private >private
private=$(sha256sum private | cut -d' ' -f1)
req 201 ada "/v1/objects/$private" -T private
req 404 bob "/v1/objects/$private"
req 404 eve "/v1/objects/$private"
# and a commit about it by somebody else does not open it
commit=$(aicert cat-file -p "$first" | sed 's/"parents":\[[^]]*\]/"parents":[]/;
	s/"subject":{"id":"sha256:[0-9a-f]*"/"subject":{"id":"sha256:'"$private"'"/')
printf %s "$commit" >"$scratch/commit"
forged=$(sha256sum "$scratch/commit" | cut -d' ' -f1)
req 201 eve "/v1/objects/$forged" -T "$scratch/commit"
ref refs/heads/forged "$forged"
req 422 eve /v1/refs/heads/forged -X PUT --data-binary @"$scratch/ref" -H 'If-None-Match: *'
out_has "$private"
req 404 eve "/v1/objects/$private"

# --- public read is a right on a ref ---
stop
printf '[hub]\n\tpublic = refs/heads/open\n' >>"$scratch/conf"
start
req 401 - /v1/refs
push ada refs/heads/open "$first" -H 'If-None-Match: *'
same "$status" 201
req 200 - /v1/refs
out_has refs/heads/open
out_lacks refs/heads/main
req 200 - /v1/refs/heads/open
req 401 - /v1/refs/heads/main
# who has another right sees what everybody sees
req 200 run /v1/refs
out_has refs/heads/open
out_lacks refs/heads/main
req 200 run /v1/refs/heads/open
req 403 run /v1/refs/heads/main
req 403 run /v1/refs/heads/none
req 200 run "/v1/objects/$output"
req 404 run "/v1/objects/$second"
req 200 - "/v1/objects/$output"
req 200 - "/v1/objects/$first"
req 401 - "/v1/objects/$second"
req 401 - "/v1/objects/$private"
req 401 - /v1/objects/missing -d "$list"
req 401 - "/v1/objects/$output" -T out
req 405 - "/v1/objects/$output" -X DELETE
# who no longer may is told so at once, and after a restart too
req 403 ada /v1/refs/heads/open -X DELETE -H "If-Match: \"$first\""
req 412 eve /v1/refs/heads/open -X DELETE -H "If-Match: \"$second\""
req 204 eve /v1/refs/heads/open -X DELETE -H "If-Match: \"$first\""
req 401 - "/v1/objects/$output"
req 200 bob "/v1/objects/$output"
push eve refs/heads/main "$first" -H "If-Match: \"$second\"" -H 'Aicert-Force: true'
same "$status" 200
req 404 bob "/v1/objects/$second"
req 200 ada "/v1/objects/$second"

# what is wanted many times is looked for once
for times in 1 50000; do
	python3 -c 'import json, sys
print(json.dumps({"have": [], "mediaType": "application/vnd.aicert.history-request.v1+json",
    "want": ["sha256:" + sys.argv[1]] * int(sys.argv[2])}, separators=(",", ":")), end="")' \
		"$second" $times >../wanted
	req 200 ada /v1/history -H 'Content-Type: application/json' --data-binary @../wanted
	cp ../out ../wanted.$times
done
out_has "$second"
ok cmp ../wanted.1 ../wanted.50000
stop
start
req 404 bob "/v1/objects/$second"
req 200 bob "/v1/objects/$first"

# a push that is refused opens nothing
push ada refs/heads/open "$first" -H 'If-None-Match: *'
same "$status" 201
req 401 - "/v1/objects/$beside"
cd "$scratch/beside"
push ada refs/heads/open "$beside" -H "If-Match: \"$first\""
same "$status" 409
req 401 - "/v1/objects/$beside"
cd "$scratch/repo"
# an input that was not sent with a public ref stays closed when it comes with another
push ada refs/heads/open "$third" -H "If-Match: \"$first\""
same "$status" 200
req 201 ada "/v1/objects/$input" -T "$scratch/repo/in"
push ada refs/heads/closed "$fourth" -H 'If-None-Match: *'
same "$status" 201
req 200 - "/v1/objects/$third"
req 200 bob "/v1/objects/$input"
req 401 - "/v1/objects/$input"
stop
start
req 200 - "/v1/objects/$third"
req 200 bob "/v1/objects/$input"
req 401 - "/v1/objects/$input"

# --- what is refused leaves nothing behind: neither a mark that opens, nor one that proves ---
typed() {
	ref "$1" "$2"
	sed -i 's/"type":"commit"/"type":"'"$3"'"/' "$scratch/ref"
}
put() { # STATUS NAME [CURL-OPTION...]
	put_status=$1 put_name=$2
	shift 2
	req "$put_status" ada "/v1/$put_name" -X PUT --data-binary @"$scratch/ref" "$@"
}
echo hidden >"$scratch/hidden"
hidden=$(sha256sum "$scratch/hidden" | cut -d' ' -f1)
req 201 ada "/v1/objects/$hidden" -T "$scratch/hidden"
req 401 - "/v1/objects/$hidden"
typed refs/heads/open/x "$hidden" blob
put 400 refs/heads/open/x -H 'If-None-Match: *' # a branch names a commit
req 401 - "/v1/objects/$hidden"
req 404 bob "/v1/objects/$hidden"
# the lines for two more public refs
stop
printf '\tpublic = refs/tags/\n' >>"$scratch/conf"
start
# a ref above it
typed refs/tags/above "$first" commit
put 201 refs/tags/above -H 'If-None-Match: *'
typed refs/tags/above/beneath "$hidden" blob
put 409 refs/tags/above/beneath -H 'If-None-Match: *'
req 401 - "/v1/objects/$hidden"
# the disk says no
logs=$scratch/hub/.aicert/logs/refs/tags
mkdir -p "$logs/io"
typed refs/tags/io "$hidden" blob
put 500 refs/tags/io -H 'If-None-Match: *'
req 401 - "/v1/objects/$hidden"
req 404 - /v1/refs/tags/io
rmdir "$logs/io"
# moved by another program between the look and the lock
tags=$scratch/hub/.aicert/refs/tags
( flock 9; : >"$scratch/locked"; sleep 1.5
  printf 'blob sha256:%s\n' "$output" >"$tags/moved"; rm "$tags/moved.lock" ) 9>"$tags/moved.lock" &
until_there "$scratch/locked"
typed refs/tags/moved "$hidden" blob
put 412 refs/tags/moved -H 'If-None-Match: *'
wait $!
req 401 - "/v1/objects/$hidden"
req 404 bob "/v1/objects/$hidden"
# and the same push, when nothing is in its way, opens it
rm "$tags/moved"
put 201 refs/tags/moved -H 'If-None-Match: *'
req 200 - "/v1/objects/$hidden"
# an object that was proved as a blob is no commit
for as in tree certificate evidence commit; do
	typed refs/tags/poison "$hidden" $as
	put 422 refs/tags/poison -H 'If-None-Match: *'
done
typed refs/heads/poison "$hidden" commit
put 422 refs/heads/poison -H 'If-None-Match: *'
# nor a parent: the history would have a hole
printf %s "$(aicert cat-file -p "$first" | sed 's/"parents":\[[^]]*\]/"parents":["sha256:'"$hidden"'"]/')" \
	>"$scratch/commit"
forged=$(sha256sum "$scratch/commit" | cut -d' ' -f1)
req 201 ada "/v1/objects/$forged" -T "$scratch/commit"
typed refs/heads/poison "$forged" commit
put 422 refs/heads/poison -H 'If-None-Match: *'
# a ref that is damaged closes itself, and nothing else
printf 'commit sha256:%s\n' "$hidden" >"$scratch/hub/.aicert/refs/heads/broken"
echo nonsense >"$scratch/hub/.aicert/refs/heads/worse"
stop
start
grep -q "ref=refs/heads/broken state=closed error=" "$scratch/daemon.log" || die "it is not in the log"
grep -q "ref=refs/heads/worse state=closed error=" "$scratch/daemon.log" || die "it is not in the log"
req 200 - "/v1/objects/$third"
req 200 bob "/v1/objects/$input"
req 401 - "/v1/objects/$input"
req 204 eve /v1/refs/tags/above -X DELETE -H "If-Match: \"$first\""
req 204 eve /v1/refs/heads/broken -X DELETE -H "If-Match: \"$hidden\""
rm "$scratch/hub/.aicert/refs/heads/worse"

# --- of several that write at once exactly one wins ---
ref "refs/heads/race" "$first"
for i in 1 2 3 4 5 6; do
	curl -sk -o /dev/null -w '%{http_code}\n' -H 'Authorization: Bearer ada-secret' -H 'If-None-Match: *' \
		-X PUT --data-binary @"$scratch/ref" "$url/v1/refs/heads/race" >"$scratch/race$i" &
	races="${races-} $!"
done
wait $races
same "$(cat "$scratch"/race? | sort | tr '\n' ' ')" "201 412 412 412 412 412 "
stop
cd "$scratch/hub" && ok aicert fsck
done_testing
