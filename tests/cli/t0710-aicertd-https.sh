#!/bin/sh
# The daemon on an address: TLS, credentials, who sees which object, uploads that go on,
# runs that wait and survive, the log, limits.  Requests are curl's, as anybody's may be.
. "${top_srcdir:-.}/tests/cli/lib.sh"
command -v curl >/dev/null && command -v openssl >/dev/null || exit 77
trap 'kill $daemons 2>/dev/null; chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
daemons=

# start [OPTION...]: a daemon; its address is in $url, its process in $daemon
start() {
	mkfifo "$scratch/ready" 2>/dev/null
	aicertd --listen 127.0.0.1:0 --token-file "$scratch/tokens" --ready-fd 3 "$@" \
		3>"$scratch/ready" 2>>"$scratch/daemon.log" &
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
# req STATUS USER PATH [CURL-OPTION...]: one request; headers and body are kept.  The
# certificate is checked by its key where $pin has one.
req() {
	want=$1 user=$2 path=$3
	shift 3
	checks=$((checks + 1))
	[ "$user" = - ] || set -- -H "Authorization: Bearer $user-secret" "$@"
	got=$(curl -sk ${pin:+--pinnedpubkey "$pin"} -D "$scratch/headers" -o "$scratch/out" \
		-w '%{http_code}' --max-time 60 "$@" "$url$path") || got="$got (curl: $?)"
	: >"$scratch/err"
	[ "$got" = "$want" ] || die "$user $path $*: status $got, expected $want"
}
header_has() {
	checks=$((checks + 1))
	grep -qi -- "$1" "$scratch/headers" || die "no header $1: $(cat "$scratch/headers")"
}
hash_of() { sha256sum "$1" | cut -d' ' -f1; }
token() { printf %s-secret "$1" | sha256sum | cut -d' ' -f1; }
nonce=$(printf '%064d' 7)

( umask 077; cat >tokens <<END
# who may do what
ada sha256:$(token ada) run
bob sha256:$(token bob) run
eve sha256:$(token eve) read
END
)

# --- what it needs ---
fails 2 aicertd --listen 127.0.0.1:0 --store st
err_has "--token-file"
fails 2 aicertd --listen 127.0.0.1 --store st --token-file tokens
fails 2 aicertd --listen 127.0.0.1:0 --store st --token-file tokens --tpm none
err_has "--tls-cert"
fails 2 aicertd --listen 127.0.0.1:0 --socket x --store st --token-file tokens
chmod 644 tokens
fails 3 aicertd --listen 127.0.0.1:0 --store st --token-file tokens
err_has "0600"
chmod 600 tokens
[ ! -e st ] || die "a store was made by a daemon that did not start"
cat >conf <<END
[daemon]
	listen = 127.0.0.1:0
	store = st
	tokenFile = tokens
END
ok aicertd --config conf --check-config
printf '[daemon]\n\tnonsense = 1\n' >bad
fails 2 aicertd --config bad --check-config
err_has "daemon.nonsense"
printf '[run]\n\tqueue = 65\n' >bad
fails 2 aicertd --config bad --check-config
fails 3 aicertd --config absent --check-config
# every file that is named is read and understood, every text too
checked() { # STATUS WORDS LINE...
	cat conf >bad
	want=$1 words=$2
	shift 2
	printf '%s\n' "$@" >>bad
	fails "$want" aicertd --config bad --check-config
	err_has "$words"
}
for key in listen store tpm tokenFile clientCA; do
	checked 2 "has no value" "[daemon]" "$key ="
done
for key in akChain bootLog; do
	checked 2 "has no value" "[tpm]" "$key ="
done
for address in nonsense 127.0.0.1 127.0.0.1:x 127.0.0.1:65536; do
	checked 2 "$address" "[daemon]" "listen = $address"
done
checked 2 "brackets" "[daemon]" "listen = ::1:8443"
checked 2 "not a TPM we know" "[daemon]" "tpm = bogus:x"
for i in 1 2; do
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout pair$i.key \
		-out pair$i.pem -subj /CN=hub -days 2 2>/dev/null
	chmod 600 pair$i.key
done
echo nothing >nothing
openssl ec -in pair1.key -aes128 -passout pass:x -out locked.key 2>/dev/null
chmod 600 locked.key
cp conf good
printf '%s\n' "[daemon]" "tlsCert = pair1.pem" "tlsKey = pair1.key" "[tpm]" "akChain = pair1.pem" >>good
ok aicertd --config good --check-config
checked 2 "is not the key of the certificate" "[daemon]" "tlsCert = pair1.pem" "tlsKey = pair2.key"
checked 3 "no private key" "[daemon]" "tlsCert = pair1.pem" "tlsKey = locked.key"
checked 3 "pair1.key" "[daemon]" "tlsCert = pair1.key" "tlsKey = pair1.pem"
checked 3 "nowhere" "[daemon]" "clientCA = nowhere"
for value in nowhere nothing; do
	checked 3 "$value" "[tpm]" "akChain = $value"
	checked 3 "$value" "[tpm]" "bootLog = $value"
done
fails 2 aicertd --listen 127.0.0.1:0 --store st --token-file tokens --tls-cert pair1.pem --tls-key pair2.key
err_has "is not the key of the certificate"

# --- TLS, identity ---
start --store st --tpm "embedded:$scratch/tpm"
req 200 - /healthz
out_has ok
req 200 - "/v1/identity?nonce=$nonce"
out_has '"tpm":"embedded"'
# the key that was proved is the key of the channel
spki=$(sed 's/.*"spki":"\([^"]*\)".*/\1/' out)
digest=$(printf %s "$spki" | openssl base64 -d -A | openssl dgst -sha256 -binary | openssl base64 -A)
pin=sha256//$digest
req 200 - /healthz
pin=sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
checks=$((checks + 1))
! curl -sk --pinnedpubkey "$pin" "$url/healthz" >/dev/null || die "another key was taken"
pin=sha256//$digest
checks=$((checks + 1))
! curl -sk --tls-max 1.2 "$url/healthz" >/dev/null || die "TLS 1.2 was taken"
checks=$((checks + 1))
! grep -rq "PRIVATE KEY" "$scratch/st" "$scratch/tpm" || die "a key was written"

# --- credentials ---
req 401 - /v1/runs
header_has '^WWW-Authenticate: Bearer'
header_has '^X-Request-Id: [0-9a-f]\{16\}'
req 401 mallory /v1/runs
req 401 - /v1/runs -H 'Authorization: Basic YWRhOmFkYQ=='
req 401 - /metrics
req 200 ada /metrics
out_has 'aicertd_requests_total{class="400"}'
req 200 ada /v1/runs
req 403 eve /v1/runs
req 404 eve /v1/refs
req 400 - "/healthz%00" --path-as-is
req 400 - "/v1/../healthz" --path-as-is
req 404 - /nothing

# --- objects: sent, fetched, and nobody else's business ---
head -c 300000 /dev/urandom >big
echo small >small
for f in big small; do
	id=$(hash_of $f)
	list="{\"mediaType\":\"application/vnd.aicert.object-list.v1+json\",\"objects\":[\"sha256:$id\"]}"
	req 200 ada /v1/objects/missing -d "$list"
	out_has "$id"
	req 201 ada "/v1/objects/$id" -T $f
	req 200 ada "/v1/objects/$id" -T $f
	req 200 ada /v1/objects/missing -d "$list"
	out_lacks "$id"
	req 200 ada "/v1/objects/$id"
	same "$(hash_of out)" "$id"
	header_has "^ETag: \"$id\""
	req 206 ada "/v1/objects/$id" -r 2-4
	same "$(cat out)" "$(tail -c +3 $f | head -c 3)"
	# bob knows its name: it is missing, like any other
	req 404 bob "/v1/objects/$id"
	mv out denied
	absent=$(printf "%064d" 0)
	req 404 bob "/v1/objects/$absent"
	same "$(sed "s/$id/ID/" denied)" "$(sed "s/$absent/ID/" out)"
	req 404 bob "/v1/objects/$id" -I
	req 401 - "/v1/objects/$id"
	req 200 bob /v1/objects/missing -d "$list"
	out_has "$id"
	# until he sends it, all of it
	req 422 bob "/v1/objects/$id" -T "$source_dir/tests/cli/t0710-aicertd-https.sh"
	req 404 bob "/v1/objects/$id"
done
id=$(hash_of big)
before=$(du -s st/.aicert/objects | cut -f1)
req 201 bob "/v1/objects/$id" -T big
req 200 bob "/v1/objects/$id"
same "$(du -s st/.aicert/objects | cut -f1)" "$before"
req 403 eve "/v1/objects/$id" -T big

# --- an upload that goes on, and is its sender's alone ---
head -c 200000 /dev/urandom >part
id=$(hash_of part)
head -c 150000 part >first
tail -c +150001 part >rest
req 202 ada "/v1/objects/$id" -T first -H "Content-Range: bytes 0-149999/200000"
header_has '^Upload-Offset: 150000'
req 404 ada "/v1/objects/$id" -I
header_has '^Upload-Offset: 150000'
req 404 bob "/v1/objects/$id" -I
checks=$((checks + 1))
! grep -qi '^Upload-Offset' headers || die "bob sees what ada sends"
req 409 bob "/v1/objects/$id" -T rest -H "Content-Range: bytes 150000-199999/200000"
req 409 ada "/v1/objects/$id" -T rest -H "Content-Range: bytes 150001-200000/200001"
header_has '^Upload-Offset: 150000'
for range in "bytes 0-1/1" "bytes 5-4/9" "bytes -1/2" "bytes 0-199999/200000" "lines 0-1/2" "bytes 0-49999/*"; do
	req 400 ada "/v1/objects/$id" -T rest -H "Content-Range: $range"
done
stop
start --store st --tpm "embedded:$scratch/tpm" # what came before is still here
pin=
req 201 ada "/v1/objects/$id" -T rest -H "Content-Range: bytes 150000-199999/200000"
req 200 ada "/v1/objects/$id"
same "$(hash_of out)" "$id"
# a part that takes longer to read again than a client may be silent
stop
printf '[http]\n\tstallTimeout = 1\n[run]\n\tqueuePerPrincipal = 8\n' >slow
start --config slow --store st --tpm "embedded:$scratch/tpm"
mkdir -p st/.aicert/tmp/upload
truncate -s 4G "st/.aicert/tmp/upload/$absent-ada"
req 202 ada "/v1/objects/$absent" -T small -H "Content-Range: bytes 4294967296-4294967301/4294967304"
header_has '^Upload-Offset: 4294967302'
checks=$((checks + 1))
grep "method=PUT path=/v1/objects/$absent" daemon.log | grep -q ' ms=[1-9][0-9][0-9][0-9]' ||
	die "the part was read again too fast for this test: $(grep "PUT path=/v1/objects/$absent" daemon.log)"
rm "st/.aicert/tmp/upload/$absent-ada"
req 411 ada "/v1/objects/$id" -X PUT -H 'Transfer-Encoding: chunked' -d x

# --- a run ---
# request SCRIPT [INPUTS]: the body of POST /v1/runs
request() {
	printf '{"mediaType":"application/vnd.aicert.run-request.v1+json","nonce":"%s","spec":{"command":["sh","-c","%s"],"env":{},"image":"host","imageFile":null,"inputs":[%s],"limits":{"cpuMillis":null,"memoryBytes":null,"shmBytes":null,"timeSeconds":null},"outputs":[{"kind":"file","path":"o","type":"blob"}],"version":1}}' \
		"$nonce" "$1" "${2-}"
}
run() {
	request "$2" "${3-}" >body
	req 201 "$1" /v1/runs --data-binary @body
	id=$(sed 's/.*"run":"\([0-9a-f]*\)".*/\1/' out)
	header_has "^Location: /v1/runs/$id"
}
state() { curl -sk -H "Authorization: Bearer $1-secret" "$url/v1/runs/$2" | sed 's/.*"state":"\([a-z]*\)".*/\1/'; }
await() {
	for _ in $(seq 300); do
		case $(state "$1" "$2") in $3) return ;; esac
		sleep 0.1
	done
	die "run $2 is $(state "$1" "$2"), not $3"
}
run ada 'printf a%sb 1; echo out >o'
first=$id
req 200 ada "/v1/runs/$id/log?follow=1"
same "$(cat out)" a1b
header_has '^Log-Offset: 0'
req 200 ada "/v1/runs/$id/log?offset=1"
same "$(cat out)" 1b
req 200 ada "/v1/runs/$id"
out_has '"state":"done"'
req 200 ada "/v1/runs/$id/certificate"
cp out cert
# what it made is hers: the output, the certificate, the log
out=$(printf 'out\n' | sha256sum | cut -d' ' -f1)
req 200 ada "/v1/objects/$out"
same "$(cat out)" out
req 200 ada "/v1/objects/$(hash_of cert)"
req 404 bob "/v1/objects/$out"
for path in "" /log /certificate; do
	req 404 bob "/v1/runs/$id$path"
done
req 404 bob "/v1/runs/$id" -X DELETE
req 200 bob /v1/runs
out_lacks "$id"
# an input that bob names without having sent it
small=$(hash_of small)
input='{"digests":{"sha256":"'$small'"},"ignored":null,"kind":"file","license":null,"madeBy":null,"origin":"declared","path":"i","size":6,"source":null,"type":"blob"}'
request 'cat i >o' "$input" >body
req 422 bob /v1/runs --data-binary @body
out_has "send it first"
# nor inside a tree that he made up
printf 'aicert tree 1\n100644 6 %s f\n' "$small" >tree
tree=$(hash_of tree)
req 201 bob "/v1/objects/$tree" -T tree
request 'cat i/f >o' "$(printf %s "$input" | sed "s/$small/$tree/; s/blob/tree/")" >body
req 422 bob /v1/runs --data-binary @body
out_has "$small"

# --- runs wait, are cancelled, and survive the daemon ---
forever='echo begun; while ! test -e never; do sleep 0.05; done'
run ada "$forever"
busy=$id
await ada "$busy" running
req 200 - "/v1/identity?nonce=$nonce" # also now
run bob 'echo two >o'
second=$id
req 200 bob "/v1/runs/$second"
out_has '"position":1'
run bob 'echo three >o'
third=$id
req 202 bob "/v1/runs/$third" -X DELETE
out_has '"state":"cancelled"'
for _ in 1 2 3 4 5 6 7; do
	run bob 'echo more >o'
	waiting=$id
done
request 'echo x >o' >body
req 429 bob /v1/runs --data-binary @body
header_has '^Retry-After: [1-9]'
# a client that goes away in the middle of the log ends nothing
curl -sk --max-time 1 -H 'Authorization: Bearer ada-secret' "$url/v1/runs/$busy/log?follow=1" >log
same "$(cat log)" begun
same "$(state ada "$busy")" running
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null
start --store st --tpm "embedded:$scratch/tpm"
req 200 ada "/v1/runs/$busy"
out_has '"state":"interrupted"'
req 200 ada "/v1/runs/$busy/log"
same "$(cat out)" begun
req 409 ada "/v1/runs/$busy/certificate"
req 200 ada "/v1/runs/$first/certificate"
same "$(hash_of out)" "$(hash_of cert)"
req 200 ada "/v1/runs/$first/log"
same "$(cat out)" a1b
same "$(state bob "$third")" cancelled
await bob "$second" done
await bob "$waiting" done
req 200 bob /v1/runs
same "$(grep -o '"run":"' out | wc -l)" 9
# cancelled while it runs: there is a certificate that says so
run ada "$forever"
await ada "$id" running
req 202 ada "/v1/runs/$id" -X DELETE
await ada "$id" cancelled
req 200 ada "/v1/runs/$id/certificate"
stop

# --- guessing ---
start --store st --tpm "embedded:$scratch/tpm"
for i in 1 2 3 4 5 6 7 8 9 10; do
	req 401 "guess$i" /v1/runs
done
req 429 guess11 /v1/runs
header_has '^Retry-After: [1-9]'
req 429 ada /v1/runs
req 200 - /healthz
checks=$((checks + 1))
! grep -q "secret" daemon.log || die "a token is in the log"
checks=$((checks + 1))
grep -q 'principal=ada method=GET path=/v1/runs status=200' daemon.log || die "no line of a request"
stop

# --- a token that is taken out of the file is out at once ---
start --store st --tpm "embedded:$scratch/tpm"
req 200 bob /v1/runs
grep -v bob tokens >fewer
cat fewer >tokens
req 401 bob /v1/runs
req 200 ada /v1/runs
stop

# --- client certificates ---
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem \
	-subj /CN=ca -days 2 2>/dev/null
for who in carol dave; do
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $who.key -out $who.csr \
		-subj /CN=$who 2>/dev/null
	openssl x509 -req -in $who.csr -CA ca.pem -CAkey ca.key -days 2 -out $who.pem 2>/dev/null
done
openssl req -x509 -new -key carol.key -out self.pem -subj /CN=carol -days 2
openssl x509 -in carol.pem -noout -pubkey | openssl pkey -pubin -outform DER >carol.spki
echo "carol spki:$(hash_of carol.spki) run" >>tokens
start --store st --tpm "embedded:$scratch/tpm" --client-ca ca.pem
req 200 - /v1/runs --cert carol.pem --key carol.key
req 401 - /v1/runs --cert dave.pem --key dave.key
req 401 - /v1/runs --cert self.pem --key carol.key
req 401 - /v1/runs
req 200 ada /v1/runs
stop

ok aicertd --version
done_testing
