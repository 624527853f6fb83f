#!/bin/sh
# quote-check: quotes made here with openssl alone, then those of the corpus.
. "${top_srcdir:-.}/tests/cli/lib.sh"
source_corpus=${AICERT_CORPUS:-$source_dir/../shared/corpus}
command -v openssl >/dev/null || { echo "openssl is missing"; exit 77; }

# hex on stdin to bytes
unhex() { python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))'; }
hex_of() { od -An -v -tx1 "$1" | tr -d ' \n'; }
size_of() { printf '%04x' $((${#1} / 2)); }

# attest NONCE SELECTION DIGEST [TYPE [MAGIC]]: hex of a TPMS_ATTEST
name=000b$(printf '%064d' 7)
attest() {
	printf '%s%s0022%s%s%s%s%s%s%s%s' "${5:-ff544347}" "${4:-8018}" "$name" "$(size_of "$1")" "$1" \
		"0000000000001000" "00000002" "0000000001" "0020240125001200" "$2$(size_of "$3")$3"
}
# digest BANKHASH FILE
digest() { openssl dgst "-$1" -r "$2" | cut -d' ' -f1; }
# quote NONCE SELECTION DIGEST [TYPE [MAGIC]]: q.bin, and q.sig by ak.key
quote() {
	attest "$@" | unhex >q.bin
	openssl dgst -sha256 -sign ak.key -out q.raw q.bin
	{ printf '0014000b0100'; hex_of q.raw; } | unhex >q.sig
}
check() { aicert quote-check --attest q.bin --signature q.sig "$@"; }
# refused CHECK WORDS ARGUMENTS...: exit 1, and the check's JSON says so
refused() {
	check=$1 words=$2
	shift 2
	fails 1 check "$@" --json
	checks=$((checks + 1))
	tr '{' '\n' <"$scratch/out" | grep "\"name\":\"$check\",\"result\":\"fail\"" | grep -q -- "$words" ||
		die "$check does not fail with $words: $*"
}
# result CHECK RESULT: of the last JSON
result() { out_has "\"name\":\"$1\",\"result\":\"$2\""; }

cat >ext.cnf <<'X'
[req]
distinguished_name = dn
prompt = no
[dn]
CN = ak
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[ak]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
[san]
keyUsage = critical,digitalSignature
subjectAltName = critical,dirName:dn
[ek]
keyUsage = critical,keyEncipherment
extendedKeyUsage = 2.23.133.8.1
[oldgce]
keyUsage = critical,digitalSignature
extendedKeyUsage = 2.23.133.8.1
[tsa]
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[none]
basicConstraints = CA:FALSE
X
# certificate EXT SUBJECT OUT [DAYS]: of ak.key, by the intermediate
certificate() {
	openssl req -new -key ak.key -subj "$2" -config ext.cnf -out ak.csr 2>/dev/null &&
		openssl x509 -req -in ak.csr -CA middle.pem -CAkey middle.key -set_serial 0x77 -days "${4:-3650}" \
			-extfile ext.cnf -extensions "$1" -sha256 -out "$3" 2>/dev/null || exit 99
}
{
	openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out ak.key
	openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out weak.key
	openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3 -out e3.key
	for k in root other middle ec; do
		openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $k.key
	done
	openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out ec384.key
	for k in ak weak e3 ec ec384 other; do openssl pkey -in $k.key -pubout -out $k.pub; done
	for k in root other; do
		openssl req -x509 -new -key $k.key -subj "/CN=$k" -days 3650 -config ext.cnf -extensions ca -out $k.pem
	done
	openssl req -new -key middle.key -subj /CN=middle -config ext.cnf -out middle.csr
	openssl x509 -req -in middle.csr -CA root.pem -CAkey root.key -set_serial 0x55 -days 3650 \
		-extfile ext.cnf -extensions ca -sha256 -out middle.pem
} 2>/dev/null || exit 99
certificate ak /CN=ak leaf.pem
cat leaf.pem middle.pem >chain.pem

# --- a good quote, and what it takes ---
zeros=$(printf '%064d' 0)
head -c 768 /dev/zero >values
all=000000010''00b03ffffff
d=$(digest sha256 values)
{
	printf '{"sha256":{'
	for i in $(seq 0 23); do
		[ "$i" = 0 ] || printf ,
		printf '"%s":"%s"' "$i" "$zeros"
	done
	printf '}}'
} >pcrs.json
quote 00ff "$all" "$d"
ok check --key ak.pub --nonce 00ff --pcrs pcrs.json --json
result quote.structure pass; result quote.signature pass; result quote.binding pass
result quote.pcrs pass; result ak.chain skip; result ak.key pass; result boot.log skip
out_has '"verdict":"pass"'; out_has '"level":null'; out_has '"required":null'; out_has '"chain":[]'
out_lacks run.exit
# values in upper case, as other programs print them
python3 -c '
values = [bytes([0xa0 + i]) * 32 for i in range(24)]
open("mixed", "wb").write(b"".join(values))
print("{\"sha256\":{" + ",".join("\"%d\":\"%s\"" % (i, v.hex().upper() if i % 2 else v.hex())
    for i, v in enumerate(values)) + "}}")' >mixed.json
quote 00ff "$all" "$(digest sha256 mixed)"
ok check --key ak.pub --nonce 00ff --pcrs mixed.json --json
result quote.pcrs pass
# a bank that we do not know is no reason to look at none
sed 's/^{/{"sm3_256":{"0":"AA"},/' mixed.json >sm3.json
ok check --key ak.pub --nonce 00ff --pcrs sm3.json --json
result quote.pcrs pass; out_has "passed over: sm3_256"
sed 's/sha256/sha265/' mixed.json >typing.json
refused quote.pcrs "not given" --key ak.pub --nonce 00ff --pcrs typing.json
quote 00ff "$all" "$d"
ok check --key ak.pub --nonce 00FF
out_has "PASS  q.bin"; out_has "nobody vouches"
ok check --chain chain.pem --root root.pem --nonce 00ff --require sha256:0,23 --json
result ak.chain pass; result ak.key pass
ok check --chain chain.pem --root other.pem --root root.pem --any-nonce
cat other.pem root.pem >roots.pem
ok check --chain chain.pem --root roots.pem --any-nonce
cat chain.pem root.pem >with-root.pem
ok check --chain with-root.pem --root root.pem --any-nonce
ok aicert quote-check --attest q.bin --signature q.raw --signature-format rsassa-sha256 --key ak.pub --any-nonce

# --- usage ---
fails 2 check --key ak.pub --nonce 00ff --nonce 00ff
err_has "--nonce is given twice"
fails 2 check --key ak.pub --nonce=00 --nonce=00ff
fails 2 aicert quote-check --attest q.bin --key ak.pub
fails 2 check
fails 2 check --key ak.pub --chain chain.pem --any-nonce
fails 2 check --key ak.pub --root root.pem --any-nonce
fails 2 check --key ak.pub --nonce 00ff --any-nonce
fails 2 check --key ak.pub --nonce 0
fails 2 check --key ak.pub --nonce ''
fails 2 check --key ak.pub --nonce zz
fails 2 check --key ak.pub --any-nonce --signature-format guess
for r in sha256 sha256: sha256:24 sha256:00 sha256:1, sha256:,1 sha256:1x md5:0 sha256:1,,2; do
	fails 2 check --key ak.pub --any-nonce --require "$r"
done
fails 2 check --chain chain.pem --at tomorrow --any-nonce
fails 3 check --key missing.pub --any-nonce
fails 3 check --chain chain.pem --root ext.cnf --any-nonce
fails 3 check --chain leaf.pem --root middle.pem --any-nonce
err_has 'not signed by itself'

# --- the nonce ---
fails 3 check --key ak.pub --json
out_has '"verdict":"undecided"'
for n in 00fe 00 00ff00 ff00; do refused quote.binding 00ff --key ak.pub --nonce $n; done

# --- keys and chains ---
refused quote.signature "curve" --key other.pub --any-nonce
refused ak.key 'RSA key of 1024' --key weak.pub --any-nonce
refused ak.key 'exponent' --key e3.pub --any-nonce
cat ak.pub other.pub >two.pub
refused ak.key 'more than one' --key two.pub --any-nonce
refused ak.key 'block CERTIFICATE' --key leaf.pem --any-nonce
refused ak.chain 'block PUBLIC KEY' --chain ak.pub --any-nonce
refused ak.chain 'no pinned root' --chain chain.pem --root other.pem --any-nonce
refused ak.chain 'no pinned root' --chain with-root.pem --root other.pem --any-nonce
refused ak.chain 'no pinned root' --chain with-root.pem --any-nonce
refused ak.chain 'no pinned root' --chain leaf.pem --root root.pem --any-nonce
python3 - root.pem <<'P' >damaged.pem || exit 99
import base64, sys
der = bytearray(base64.b64decode("".join(open(sys.argv[1]).read().split("-----")[2].split())))
der[der.index(b"root") + 3] ^= 1  # the issuer
print("-----BEGIN CERTIFICATE-----", base64.encodebytes(bytes(der)).decode().strip(),
      "-----END CERTIFICATE-----", sep="\n")
P
fails 3 check --chain chain.pem --root damaged.pem --any-nonce
err_has 'not signed by itself'
cat with-root.pem root.pem >root-twice.pem
refused ak.chain 'there twice' --chain root-twice.pem --root root.pem --any-nonce
cat middle.pem leaf.pem >backwards.pem
refused ak.key 'a CA' --chain backwards.pem --root root.pem --any-nonce
refused ak.chain 'expired' --chain chain.pem --root root.pem --any-nonce --at 2051-01-01
refused ak.chain 'not yet valid' --chain chain.pem --root root.pem --any-nonce --at 1999-01-01
{ sed '$d' leaf.pem; echo AAAA; tail -1 leaf.pem; } >tail.pem
openssl x509 -in leaf.pem -outform DER >leaf.der
printf '\0\0\0' >>leaf.der
{ echo "-----BEGIN CERTIFICATE-----"; openssl base64 -in leaf.der; echo "-----END CERTIFICATE-----"
  cat middle.pem; } >trailing.pem
refused ak.chain 'bytes after its end' --chain trailing.pem --root root.pem --any-nonce
{ echo "Bag Attributes"; echo "  friendlyName: ak"; cat leaf.pem; echo; echo "a word"; cat middle.pem; } >text.pem
ok check --chain text.pem --root root.pem --any-nonce
for e in san oldgce; do
	[ $e = san ] && subject=/ || subject=/CN=x
	certificate $e "$subject" $e.pem
	cat $e.pem middle.pem >c.pem
	ok check --chain c.pem --root root.pem --any-nonce
done
for e in "ek encryption" "tsa servers" "none no.keyUsage" "ca a.CA"; do
	certificate "${e% *}" /CN=x c1.pem
	cat c1.pem middle.pem >c.pem
	refused ak.key "${e#* }" --chain c.pem --root root.pem --any-nonce
done

# another issue of the pinned root, of the same key
openssl req -x509 -new -key root.key -subj /CN=root -days 30 -config ext.cnf -extensions ca -out again.pem 2>/dev/null
cat chain.pem again.pem >reissued.pem
ok check --chain reissued.pem --root root.pem --any-nonce
cat chain.pem other.pem >foreign.pem
refused ak.chain . --chain foreign.pem --root root.pem --any-nonce
# a CA whose key is of another kind; a leaf whose key is no point
{
	openssl genpkey -quiet -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:2048 -out dsa.par
	openssl genpkey -quiet -paramfile dsa.par -out dsa.key
	openssl req -new -key dsa.key -subj /CN=dsa -config ext.cnf -out dsa.csr
	openssl x509 -req -in dsa.csr -CA root.pem -CAkey root.key -days 30 -extfile ext.cnf -extensions ca -out dsa.pem
	openssl req -new -key ak.key -subj /CN=ak -config ext.cnf -out ak.csr
	openssl x509 -req -in ak.csr -CA dsa.pem -CAkey dsa.key -days 30 -extfile ext.cnf -extensions ak -sha256 -out c1.pem
} 2>/dev/null || exit 99
cat c1.pem dsa.pem >c.pem
refused ak.chain 'neither RSA' --chain c.pem --root root.pem --any-nonce
{ echo "-----BEGIN PUBLIC KEY-----"; echo 3019301306072a8648ce3d020106082a8648ce3d03010703020000 | unhex | openssl base64
  echo "-----END PUBLIC KEY-----"; } >nowhere.pub
fails 1 check --key nowhere.pub --any-nonce --json
result ak.key fail

# --- files are what they are named, and may be pipes ---
mkfifo pipe
{ sleep 0.3 && cat q.bin >pipe; } &
ok aicert quote-check --attest pipe --signature q.sig --key ak.pub --any-nonce
odd=$(printf 'q\377.bin')
cp q.bin "$odd"
ok aicert quote-check --attest "$odd" --signature q.sig --key ak.pub --any-nonce --json
out_has 'xff.bin","time"'

# --- revocation lists: counted when given, never asked for ---
mkdir ca && : >ca/index && echo 01 >ca/number
cat >ca.cnf <<'X'
[ca]
default_ca = d
[d]
database = ca/index
crlnumber = ca/number
default_md = sha256
X
# list CA [ARGUMENTS...]: a CRL in crl.pem
list() {
	signer=$1
	shift
	openssl ca -config ca.cnf -gencrl -cert "$signer.pem" -keyfile "$signer.key" -out crl.pem "$@" 2>/dev/null || exit 99
}
with_crl() { check --chain chain.pem --root root.pem --any-nonce --json "$@"; }
list middle -crldays 30
cp crl.pem clean-leaf.pem
ok with_crl --crl crl.pem
out_has 'certificate 1 of the chain: no revocation list of its issuer'
list root -crldays 30
openssl crl -in crl.pem -outform DER -out clean-middle.der
ok with_crl --crl clean-leaf.pem --crl clean-middle.der
out_has 'No certificate of the chain is revoked'
printf 'R\t361231235959Z\t250101000000Z\t77\tunknown\t/CN=ak\n' >ca/index
list middle -crldays 30
cp crl.pem revoked.pem
refused ak.chain 'certificate 0 of the chain: revoked' --chain chain.pem --root root.pem --any-nonce --crl revoked.pem
refused ak.chain 'certificate 0 of the chain: revoked' --chain chain.pem --root root.pem --any-nonce \
	--crl clean-leaf.pem --crl revoked.pem
# stale: not shown to be good; what it revokes stays revoked
: >ca/index
list middle -crl_lastupdate 20200101000000Z -crl_nextupdate 20200201000000Z
ok with_crl --crl crl.pem
out_has 'not of this time'
printf 'R\t361231235959Z\t200101000000Z\t77\tunknown\t/CN=ak\n' >ca/index
list middle -crl_lastupdate 20200101000000Z -crl_nextupdate 20200201000000Z
refused ak.chain 'revoked' --chain chain.pem --root root.pem --any-nonce --crl crl.pem
# a part of a list, or what was added to one, says of nobody that he is not; of who is in it, that he is
cat >>ca.cnf <<'X'
[delta]
2.5.29.27 = critical,DER:02:01:01
[part]
issuingDistributionPoint = critical,@point
[point]
fullname = URI:http://lists.test/7
X
for e in delta part; do
	printf 'R\t361231235959Z\t250101000000Z\t77\tunknown\t/CN=ak\n' >ca/index
	list middle -crldays 30 -crlexts $e
	refused ak.chain 'certificate 0 of the chain: revoked' --chain chain.pem --root root.pem --any-nonce --crl crl.pem
	: >ca/index
	list middle -crldays 30 -crlexts $e
	ok with_crl --crl crl.pem
	out_has 'does not count'
done
# an intermediate; a list of another key with the CA's name; what is no list
printf 'R\t361231235959Z\t250101000000Z\t55\tunknown\t/CN=middle\n' >ca/index
list root -crldays 30
refused ak.chain 'certificate 1 of the chain: revoked' --chain chain.pem --root root.pem --any-nonce --crl crl.pem
openssl req -x509 -new -key other.key -subj /CN=root -days 30 -config ext.cnf -extensions ca -out forged.pem
cp other.key forged.key
list forged -crldays 30
ok with_crl --crl crl.pem
out_has 'does not count'
refused ak.chain 'revocation list' --chain chain.pem --root root.pem --any-nonce --crl leaf.pem
refused ak.chain 'revocation list' --chain chain.pem --root root.pem --any-nonce --crl q.bin
fails 2 check --key ak.pub --any-nonce --crl crl.pem
fails 3 with_crl --crl missing.crl

# --- intermediates that are fetched, only when asked ---
openssl x509 -in middle.pem -outform DER -out middle.crt
cat >serve.py <<'P'
import http.server, os, sys
class H(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *a):
        open('asked', 'a').write(self.path + '\n')
s = http.server.HTTPServer(('127.0.0.1', 0), H)
open('port.tmp', 'w').write(str(s.server_address[1]))
os.rename('port.tmp', 'port')
s.serve_forever()
P
python3 serve.py 2>/dev/null &
server=$!
trap 'kill $server 2>/dev/null; chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
while [ ! -f port ]; do sleep 0.05; done
for file in middle.crt root.pem leaf.pem gone.crt; do
	printf '[aia-%s]\nkeyUsage = critical,digitalSignature\nauthorityInfoAccess = caIssuers;URI:http://127.0.0.1:%s/%s\n' \
		"${file%.*}" "$(cat port)" "$file" >>ext.cnf
	certificate "aia-${file%.*}" /CN=ak "aia-${file%.*}.pem"
done
refused ak.chain 'no pinned root' --chain aia-middle.pem --root root.pem --any-nonce
same "$(cat asked 2>/dev/null)" ""
ok check --chain aia-middle.pem --root root.pem --any-nonce --fetch-aia
same "$(cat asked)" /middle.crt
refused ak.chain 'no pinned root' --chain aia-middle.pem --root other.pem --any-nonce --fetch-aia
refused ak.chain 'no pinned root' --chain aia-root.pem --root other.pem --any-nonce --fetch-aia
refused ak.chain 'no pinned root' --chain aia-leaf.pem --root root.pem --any-nonce --fetch-aia
refused ak.chain 'no pinned root' --chain aia-gone.pem --root root.pem --any-nonce --fetch-aia
kill $server
fails 3 check --chain aia-middle.pem --root root.pem --any-nonce --fetch-aia

# --- the structure: all of these are well signed ---
bank=$all
for t in 8017 8019 801a 8014 8015 8016 801c; do
	quote 00ff "$all" "$d" $t
	refused quote.structure "type 0x$t" --key ak.pub --nonce 00ff
done
quote 00ff "$all" "$d" 8018 00544347
refused quote.structure magic --key ak.pub --nonce 00ff
quote 00ff 00000000 "$d"
refused quote.structure 'no PCR' --key ak.pub --nonce 00ff
quote 00ff 00000001000b03000000 "$d"
refused quote.structure 'no PCR' --key ak.pub --nonce 00ff
quote 00ff 00000002000b03ffffff000b03ffffff "$d"
refused quote.structure twice --key ak.pub --nonce 00ff
quote 00ff 00000001000b04ffffff00 "$d"
refused quote.structure '4 bytes' --key ak.pub --nonce 00ff
quote 00ff 00000001000403ffffff "$d"
refused quote.structure 'only the SHA-1 bank' --key ak.pub --nonce 00ff
quote 00ff 00000001001203ffffff "$d"
refused quote.structure 'bank 0x0012' --key ak.pub --nonce 00ff
quote 00ff "$all" "$(digest sha384 values)"
refused quote.structure '48 bytes' --key ak.pub --nonce 00ff
quote 00ff "$all" "${d}00"
refused quote.structure '33 bytes' --key ak.pub --nonce 00ff
quote 00ff 00000001000b03ff0000 "$(head -c 256 values >v8; digest sha256 v8)"
ok check --key ak.pub --nonce 00ff --require sha256:0,7 --pcrs pcrs.json --json
result quote.pcrs pass; out_has "not proven"
refused quote.structure 'sha256:8 is not quoted' --key ak.pub --nonce 00ff --require sha256:7,8
refused quote.structure 'sha384:0 is not quoted' --key ak.pub --nonce 00ff --require sha384:0
refused quote.structure 'SHA-1' --key ak.pub --nonce 00ff --require sha1:0
{ attest 00ff "$all" "$d"; printf 00; } | unhex >q.bin
openssl dgst -sha256 -sign ak.key -out q.raw q.bin
{ printf '0014000b0100'; hex_of q.raw; } | unhex >q.sig
refused quote.structure '1 bytes after' --key ak.pub --nonce 00ff

# --- several banks in one quote, in its order; the digest in the signature's hash ---
head -c 1152 /dev/zero >v384
{ sed 's/}}$/},/' pcrs.json; printf '"sha384":{'
  for i in $(seq 0 23); do [ "$i" = 0 ] || printf ,; printf '"%s":"%s"' "$i" "$(printf '%096d' 0)"; done
  printf '}}'; } >both.json
cat v384 values >vboth
quote 00ff 00000002000c03ffffff000b03ffffff "$(digest sha256 vboth)"
ok check --key ak.pub --nonce 00ff --pcrs both.json
refused quote.pcrs 'sha384:0, whose value' --key ak.pub --nonce 00ff --pcrs pcrs.json

# --- signatures of every kind ---
attest 00ff "$all" "$d" | unhex >q.bin
try() { aicert quote-check --attest q.bin --signature s --signature-format "$1" --key "$2" --any-nonce --json; }
openssl dgst -sha256 -sign ak.key -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:-1 -out s q.bin
ok try rsapss-sha256 ak.pub
fails 1 try rsassa-sha256 ak.pub
fails 1 try rsapss-sha384 ak.pub
openssl dgst -sha256 -sign ec.key -out s q.bin
ok try ecdsa-sha256-der ec.pub
fails 1 try ecdsa-sha256-der other.pub
fails 1 try tpmt ec.pub
printf '\0' >>s
fails 1 try ecdsa-sha256-der ec.pub
for h in 384 512; do
	attest 00ff "$all" "$(digest sha$h values)" | unhex >q.bin
	openssl dgst -sha$h -sign ec384.key -out s q.bin
	ok try ecdsa-sha$h-der ec384.pub
	openssl dgst -sha$h -sign ak.key -out s q.bin
	ok try rsassa-sha$h ak.pub
	fails 1 try rsassa-sha256 ak.pub
done
attest 00ff "$all" "$(digest sha1 values)" | unhex >q.bin
openssl dgst -sha1 -sign ak.key -out s q.bin
fails 1 try rsassa-sha1 ak.pub
out_has 'signed with SHA-1'
{ printf '001400040100'; hex_of s; } | unhex >s.tpmt
mv s.tpmt s
fails 1 try tpmt ak.pub
out_has 'signed with SHA-1'

# --- PCR values ---
quote 00ff "$all" "$d"
sed 's/"7":"0/"7":"1/' pcrs.json >wrong.json
refused quote.pcrs 'pcrDigest is not' --key ak.pub --nonce 00ff --pcrs wrong.json
for bad in '{' '[]' '{"sha256":{"24":"00"}}' '{"sha256":{"00":"00"}}' '{"sha256":{"0":"00"}}' \
	'{"sha256":[]}' '{"md5":{}}' '{"sha256":{},"sha256":{}}' '{"sha256":{"0":1}}'; do
	printf '%s' "$bad" >bad.json
	refused quote.pcrs . --key ak.pub --nonce 00ff --pcrs bad.json
done

# --- boot logs ---
printf 'no log at all, but more than thirty-two bytes of text' >log
refused boot.log . --key ak.pub --nonce 00ff --pcrs pcrs.json --event-log log
: >log
refused boot.log . --key ak.pub --nonce 00ff --pcrs pcrs.json --event-log log
agile=$source_dir/tests/data/fuzz/event-log/agile
refused boot.log . --key ak.pub --nonce 00ff --pcrs pcrs.json --event-log "$agile"
fails 3 check --key ak.pub --nonce 00ff --event-log "$agile" --json
result boot.log skip
refused boot.log 'SHA-1 bank alone' --key ak.pub --nonce 00ff --pcrs pcrs.json \
	--event-log "$source_dir/tests/data/fuzz/event-log/sha1"

# of several logs one has to fit, wherever it stands; a machine that booted as "agile" says
aicert event-log --json "$agile" | python3 -c '
import json, sys
log = json.load(sys.stdin)["pcrs"]["sha256"]
values = [log.get(str(i), "00" * 32) for i in range(24)]
open("values", "wb").write(bytes.fromhex("".join(values)))
json.dump({"sha256": {str(i): v for i, v in enumerate(values)}}, open("booted.json", "w"))'
quote 00ff "$all" "$(digest sha256 values)"
ok check --key ak.pub --nonce 00ff --pcrs booted.json --event-log "$agile" --json
out_has "1 event of the boot log has a payload that is not what was measured" # the seed's own
# the same digests with other words in an event
python3 - "$agile" words.log <<'END' || die "no separator to rewrite"
import struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
at = data.rfind(struct.pack("<I", 4) + bytes(4))  # a separator's payload of four zeros
assert at > 0
data[at + 4:at + 8] = b"evil"
open(sys.argv[2], "wb").write(data)
END
ok check --key ak.pub --nonce 00ff --pcrs booted.json --event-log words.log --json
out_has '2 events of the boot log have payloads that are not what was measured'
# what it says of other PCRs is not looked at, and that is said
python3 - "$agile" more.log <<'END'
import struct, sys
data = open(sys.argv[1], "rb").read()
banks = [struct.unpack_from("<HH", data, 60 + 4 * i) for i in range(struct.unpack_from("<I", data, 56)[0])]
event = struct.pack("<III", 14, 13, len(banks)) + b"".join(struct.pack("<H", b) + bytes(n) for b, n in banks)
open(sys.argv[2], "wb").write(data + event + struct.pack("<I", 4) + b"lie\0")
END
ok check --key ak.pub --nonce 00ff --pcrs booted.json --event-log more.log --json
out_has "events of PCR 14 were not compared"
other=$source_dir/tests/data/fuzz/event-log/hcrtm
for logs in "$agile" "$agile $other" "$other $agile" "log $other $agile"; do
	set --
	for log in $logs; do set -- "$@" --event-log "$log"; done
	ok check --key ak.pub --nonce 00ff --pcrs booted.json --json "$@"
	result boot.log pass
done
refused boot.log . --key ak.pub --nonce 00ff --pcrs booted.json --event-log "$other" --event-log log
fails 3 check --key ak.pub --nonce 00ff --pcrs booted.json --event-log "$other" --event-log absent
quote 00ff "$all" "$d"

# --- no byte of the evidence can be changed or left out ---
for file in q.bin q.sig; do
	cp $file whole
	n=$(wc -c <whole)
	for i in $(seq 0 5 $((n - 1))) $((n - 1)); do
		b=$(od -An -tu1 -j "$i" -N 1 whole)
		{ head -c "$i" whole; printf "\\$(printf %o $((b ^ 1)))"; tail -c +$((i + 2)) whole; } >$file
		fails 1 check --key ak.pub --any-nonce
		head -c "$i" whole >$file
		fails 1 check --key ak.pub --any-nonce
	done
	mv whole $file
done
ok check --key ak.pub --any-nonce

# --- quotes of real machines, with their right answers ---
if [ ! -d "$source_corpus/quotes" ]; then
	echo "no corpus of real quotes here"
	done_testing
fi
ok python3 - "$source_corpus/quotes" <<'P'
import glob, json, os, subprocess, sys
bad = count = 0
for path in sorted(glob.glob(sys.argv[1] + '/*/case*.json')):
    case = json.load(open(path))
    run = subprocess.run(['aicert', 'quote-check'] + case['args'] + ['--json'],
                         cwd=os.path.dirname(path), capture_output=True, text=True)
    exits = case['exit'] if isinstance(case['exit'], list) else [case['exit']]
    found = {}
    if run.stdout:
        found = {c['name']: c['result'] for c in json.loads(run.stdout)['checks']}
    wrong = run.returncode not in exits
    if run.returncode == 1:
        wrong |= any(found.get(c) != 'fail' for c in case['fail'])
    if run.returncode == 0:
        wrong |= any(found.get(c) != 'pass' for c in case.get('pass', []))
        wrong |= 'fail' in found.values()
    count += 1
    if wrong:
        bad += 1
        print(case['id'], case['what'], 'exit', run.returncode, 'wanted', case['exit'], found)
print(count, 'cases,', bad, 'answered wrongly')
sys.exit(bad > 0 or count < 14)
P
done_testing
