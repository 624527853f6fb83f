#!/bin/sh
# Trust entries: those of the installation are what they say, the user's own.
. "${top_srcdir:-.}/tests/cli/lib.sh"
command -v openssl >/dev/null || { echo "openssl is missing"; exit 77; }
own=$XDG_CONFIG_HOME/aicert/trust

# --- the shipped entries: read from a user's directory, so that nothing need be installed ---
mkdir -p "$own"
cp "$source_dir"/share/trust/*.json "$own"
ok aicert trust list --json
ok python3 - "$source_dir/share/trust" <<'P'
import base64, glob, hashlib, json, os, sys
wanted = {
    'azure-vtpm-root-2023': ('ak', 'vtpm', 'e6c596b17f8ffefba5c300f714cfb1260c6028704ecf7becc4ab5018efb00e95'),
    'azure-global-vtpm-ca-01': ('intermediate', None, 'a2daccd149cd2eadb82045d3cd24336699a0b2d4e50237a76448d107896cf8c7'),
    'azure-global-vtpm-ca-03': ('intermediate', None, 'fd7c92dabce4dcec9feaa30f8b087ada0598413189182152b881f5564064a29c'),
    'gcp-ek-ak-root': ('ak', 'vtpm', '594759594b9b61524f6c8ef668f7177f7b9066bc0674f2f49fe9e052be78beb2'),
    'gcp-ek-ak-intermediate-v3': ('intermediate', None, 'c84de8116dfaf5a908f21e810487791f5437e206d00ad8025050cca6bd2ff627'),
    'gcp-tpm-ek-root-1': ('ak', 'vtpm', '9bd5285f8fb18502a7947e621ffd470266f49fcd3b73e19a190f690ad32a7caf'),
    'gcp-tpm-ek-intermediate-2': ('intermediate', None, '5d8dbcf8c8053dd8ffad711b6219355032b7122c34cac0f90ccb49def69ec504'),
    'gcp-tpm-ek-intermediate-3': ('intermediate', None, '7132b6ea71101f6c51bb58f98c3798c19b65be510eca0344318900510b593178'),
    'amd-ark-milan': ('snp', 'confidential', '69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd'),
    'amd-ark-genoa': ('snp', 'confidential', '4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1'),
    'amd-ask-milan': ('intermediate', None, '67d303bd3905fd38db8b20e0793699870e7fa612eaad5dec358293fd8c0bac1b'),
    'amd-ask-genoa': ('intermediate', None, '5464738c1546aed5f2cecf1dc98c5c960a92e8913238a61711bc90ec6e828521'),
    'amd-ask-turin': ('intermediate', None, '5b77ef5fe7a7a004fd9032668fba9d0fda22f88c4442069a479636a6ae3b3185'),
    'amd-ark-turin': ('snp', 'confidential', '1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a'),
}
found = {}
for path in glob.glob(sys.argv[1] + '/*.json'):
    j = json.load(open(path))
    assert os.path.basename(path) == j['name'] + '.json', path
    digest = hashlib.sha256(base64.b64decode(j['certificate'])).hexdigest()
    assert digest == j['fingerprint'] and j['source'], path
    found[j['name']] = (j['purpose'], j['grants'], digest)
assert found == wanted, set(found.items()) ^ set(wanted.items())
P
# every intermediate leads to a root of the list
for pair in azure-global-vtpm-ca-01:azure-vtpm-root-2023 azure-global-vtpm-ca-03:azure-vtpm-root-2023 \
	gcp-ek-ak-intermediate-v3:gcp-ek-ak-root gcp-tpm-ek-intermediate-2:gcp-tpm-ek-root-1 \
	gcp-tpm-ek-intermediate-3:gcp-tpm-ek-root-1 amd-ask-milan:amd-ark-milan \
	amd-ask-genoa:amd-ark-genoa amd-ask-turin:amd-ark-turin; do
	for n in "${pair%:*}" "${pair#*:}"; do
		python3 -c 'import base64,json,sys; sys.stdout.buffer.write(base64.b64decode(json.load(open(sys.argv[1]))["certificate"]))' \
			"$own/$n.json" | openssl x509 -inform DER -out "$n.pem"
	done
	ok openssl verify -attime 1750000000 -CAfile "${pair#*:}.pem" "${pair%:*}.pem"
done
ok aicert trust show azure-vtpm-root-2023
out_has e6c596b17f8ffefba5c300f714cfb1260c6028704ecf7becc4ab5018efb00e95
out_has "AKs from       2025-08-12T00:00:00Z"
ok aicert trust show amd-ark-milan
out_has "no report passes"
ok aicert trust show --json gcp-ek-ak-root
out_has '"origin":"user"'
rm -r "$own"

# --- the user's own ---
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -subj /CN=lab \
	-days 100 -out lab.pem 2>/dev/null || exit 99
openssl x509 -in lab.pem -outform DER -out lab.der
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k2key.pem -subj /CN=lab2 \
	-days 100 -addext keyUsage=critical,keyCertSign -out k2.pem 2>/dev/null || exit 99
ok aicert trust
out_lacks lab
ok aicert trust add --purpose ak --grants device --ak-not-before 2026-01-01 --source "our lab" our-lab lab.pem
out_has "$(openssl x509 -in lab.pem -noout -fingerprint -sha256 | sed 's/.*=//; s/://g' | tr A-F a-f)"
ok aicert trust list
out_has our-lab; out_has device; out_has user
same "$(stat -c %a "$own/our-lab.json")" 600
ok aicert trust show our-lab
out_has "our lab"; out_has "CN=lab"
fails 3 aicert trust add --purpose ak --grants device our-lab lab.pem
fails 3 aicert trust add --purpose ak --grants device again lab.der
err_has "the same certificate and purpose"
ok aicert trust add --purpose intermediate second lab.der
ok aicert trust list --json
out_has '"grants":null'
hex=$(printf '%096d' 1)
ok aicert trust add --purpose snp --grants confidential --launch "idkey:$hex" --launch "measurement:$hex" chip lab.pem
ok aicert trust show chip
out_has "2 pinned"
ok aicert trust remove chip
# what the certificate is, and what this version makes of the purpose
for extensions in "subjectAltName=DNS:x" "keyUsage=critical,digitalSignature" "keyUsage=critical,keyEncipherment"; do
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k3key.pem -subj /CN=leaf \
		-days 100 -addext basicConstraints=CA:FALSE -addext "$extensions" -out k3.pem 2>/dev/null || exit 99
	cp k3.pem "k3-${extensions##*[:,]}.pem"
done
fails 2 aicert trust add --purpose ak --grants vtpm leaf k3-x.pem
err_has "neither a CA's certificate nor an attestation key's"
fails 2 aicert trust add --purpose ak --grants vtpm leaf k3-keyEncipherment.pem
ok aicert trust add --purpose ak --grants device leaf k3-digitalSignature.pem
err_has "vouches for its own key alone"
ok aicert trust remove leaf
fails 2 aicert trust add --purpose snp --grants confidential leaf k3-digitalSignature.pem
fails 2 aicert trust add --purpose intermediate leaf k3-digitalSignature.pem
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k4key.pem -subj /CN=lab4 \
	-days 100 -addext keyUsage=critical,cRLSign -out k4.pem 2>/dev/null || exit 99
fails 2 aicert trust add --purpose ak --grants device lab4 k4.pem
for purpose in ek tdx log author; do
	ok aicert trust add --purpose $purpose --grants device unused k2.pem
	err_has "decides nothing by entries of purpose $purpose"
	ok aicert trust remove unused
done
ok aicert trust add --purpose ak --grants device usual k2.pem
same "$(cat "$scratch/err")" ""
ok aicert trust remove usual
# what an entry asks of AK certificates
ok aicert trust add --purpose ak --grants vtpm --require-eku 2.23.133.8.3 --forbid-eku 2.23.133.8.1 purposes k2.pem
ok aicert trust show purposes
out_has "must have      purpose 2.23.133.8.3"; out_has "must lack      purpose 2.23.133.8.1"
ok aicert trust show --json purposes
out_has '"leaf":{"forbidden":["2.23.133.8.1"],"required":["2.23.133.8.3"]}'
ok aicert trust remove purposes
fails 2 aicert trust add --purpose ak --grants vtpm --require-eku serverAuth purposes k2.pem
fails 2 aicert trust add --purpose tsa --grants vtpm --require-eku 2.23.133.8.3 purposes k2.pem
ok aicert trust remove second
ok aicert trust remove our-lab
same "$(ls "$own")" ""
fails 3 aicert trust remove our-lab
fails 3 aicert trust show our-lab
fails 3 aicert trust disable our-lab
fails 3 aicert trust remove ../../x

# --- usage, and what is no entry ---
fails 2 aicert trust grow
err_has "trust: no such action: grow (list, show, add, remove, disable, enable;"
fails 2 aicert trust add --purpose ak --grants device lab
fails 2 aicert trust add --grants device lab lab.pem
fails 2 aicert trust add --purpose all --grants device lab lab.pem
fails 2 aicert trust add --purpose ak lab lab.pem
fails 2 aicert trust add --purpose ak --grants god lab lab.pem
fails 2 aicert trust add --purpose intermediate --grants device lab lab.pem
fails 2 aicert trust add --purpose ak --grants device --launch "idkey:$hex" lab lab.pem
fails 2 aicert trust add --purpose ak --grants device --not-after soon lab lab.pem
fails 2 aicert trust add --purpose ak --grants device ../lab lab.pem
fails 2 aicert trust add --purpose ak --grants device Lab lab.pem
fails 3 aicert trust add --purpose ak --grants device lab k.pem
fails 3 aicert trust add --purpose ak --grants device lab missing.pem
fails 3 aicert trust add --purpose ak --grants device --not-after 2001-01-01 lab lab.pem
fails 3 aicert trust add --purpose ek --grants device --ak-not-before 2001-01-01 lab lab.pem
cat lab.pem lab.pem >two.pem
fails 3 aicert trust add --purpose ak --grants device lab two.pem
same "$(ls "$own")" ""
# a damaged entry is an error, never passed over
echo '{}' >"$own/x.json"
fails 3 aicert trust list
err_has x.json
done_testing
