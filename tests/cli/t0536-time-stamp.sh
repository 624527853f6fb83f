#!/bin/sh
# Time stamps by an authority of openssl's: what they prove, and what they do not.
. "${top_srcdir:-.}/tests/cli/lib.sh"
command -v openssl >/dev/null || { echo "openssl is missing"; exit 77; }
export TSS2_LOG=all+none

cat >tsa.cnf <<'X'
[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[tsa]
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[service]
serial = serial
default_policy = 1.2.3.4
digests = sha256,sha512
signer_digest = sha256
ess_cert_id_alg = sha256
X
for name in root other; do
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $name.key -subj /CN=$name \
		-days 100 -config tsa.cnf -extensions ca -out $name.pem 2>/dev/null || exit 99
done
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tsa.key -subj /CN=authority \
	-config tsa.cnf -out tsa.csr 2>/dev/null &&
	openssl x509 -req -in tsa.csr -CA root.pem -CAkey root.key -set_serial 5 -days 100 -extfile tsa.cnf \
		-extensions tsa -out tsa.pem 2>/dev/null || exit 99
echo 01 >serial
# stamp FILE OUT [DIGEST [OPTIONS]]
stamp() {
	in=$1 out=$2 alg=${3:-sha256}
	shift 2
	[ $# = 0 ] || shift
	openssl ts -query -data "$in" -"$alg" -cert -out q.tsq 2>/dev/null &&
		openssl ts -reply -config tsa.cnf -section service -queryfile q.tsq -signer tsa.pem -inkey tsa.key \
			-out "$out" "$@" 2>/dev/null || die "openssl ts"
}

new_repo r
echo hello >in.txt
spec aicert.yaml "tr a-z A-Z < in.txt > out.txt" "{path: in.txt, kind: dataset}" "out.txt"
ok aicert commit -q -m one
cd .. || exit 99
(cd r && aicert cat-file -p HEAD | sed 's/.*"subject":{"id":"sha256:\([0-9a-f]*\)".*/\1/' |
	xargs aicert cat-file -p) >certificate
stamp certificate good.tsr
stamp certificate token.tst sha256 -token_out
stamp certificate wide.tsr sha512
stamp serial another.tsr
cd r || exit 99
check() { aicert verify --min-level simulated "$@" HEAD; }

ok check -v
out_has "no time stamp was given"
ok check -v --time-stamp ../good.tsr
out_has "no trust entry of purpose tsa"
ok aicert trust add --purpose tsa --grants simulated times ../root.pem
for file in good.tsr token.tst; do
	ok check -v --time-stamp ../$file
	out_has "by the word of times"
	ok check --json --time-stamp ../$file
	out_has '"timeSource":"evidence"'
done
ok check --json --at 2027-01-01 --time-stamp ../good.tsr
out_has '"timeSource":"--at"'
# of something else, or of another digest; cut, changed
for file in another.tsr wide.tsr; do
	fails 1 check --time-stamp ../$file
	out_has "FAIL  HEAD: time.proof ("
done
head -c 300 ../good.tsr >../cut.tsr
fails 1 check --time-stamp ../cut.tsr
{ cat ../good.tsr; echo; } >../more.tsr
fails 1 check --time-stamp ../more.tsr
: >../empty.tsr
fails 1 check --time-stamp ../empty.tsr
# by somebody else's word
ok aicert trust remove times
ok aicert trust add --purpose tsa --grants simulated others ../other.pem
fails 1 check --time-stamp ../good.tsr
ok aicert trust remove others
# a root of attestation keys is none of time stamps
ok aicert trust add --purpose ak --grants device keys ../root.pem
ok check -v --time-stamp ../good.tsr
out_has "no trust entry of purpose tsa"
fails 2 aicert verify --all --time-stamp ../good.tsr
fails 2 check --time-stamp ../good.tsr --time-stamp ../token.tst
fails 3 check --time-stamp nosuch.tsr
done_testing
