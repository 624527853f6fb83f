#!/bin/sh
# verify --legacy: what attestations of the original AICert are worth.
. "${top_srcdir:-.}/tests/cli/lib.sh"
corpus=${AICERT_CORPUS:-$source_dir/../shared/corpus}
"$build/forge-legacy" . || exit 99
mkdir -p "$XDG_CONFIG_HOME/aicert/trust"
trust() { cp "$1" "$XDG_CONFIG_HOME/aicert/trust/root.json"; }

# legacy FILE OPTIONS...: always a no, at a time when the chain is good
legacy() { fails 1 aicert verify --legacy --at 2025-11-23 "$@"; }

trust first.trust
legacy first.json
out_has "FAIL  first.json (legacy, no assurance)"
out_has "pass  ak.chain"
out_has "pass  quote.signature"
out_has "pass  quote.pcrs"
out_has "FAIL  quote.binding: no nonce"
out_has "FAIL  inputs.log: the log replays to PCR 16, which any program can reset"
out_has "FAIL  outputs.log"
out_has "FAIL  envelope.signature"
out_has "Claimed, not proved: output weights.bin"
out_lacks "PASS"
legacy first.json --at 2040-01-02
out_has "FAIL  ak.chain"

legacy second.json
out_has "FAIL  ak.chain: the chain ends at no pinned root"
trust second.trust
legacy second.json
out_has "pass  ak.chain"
out_has "skip  inputs.log: the log replays to PCR 14"
out_has "skip  outputs.log: the log replays to PCR 8"
out_has "generation 2"

trust wrong.trust
legacy wrong.json
out_has "FAIL  ak.chain"
out_has "skip  ak.key: nobody vouches for it"
out_has "pass  quote.signature"

# one document
legacy first.json --json
python3 - "$scratch/out" <<'END' || die "the document"
import json, sys
v = json.load(open(sys.argv[1]))
assert v["verdict"] == "fail" and v["level"] is None and v["generation"] == 1
assert v["mode"] == "legacy, no assurance"
results = {c["name"]: c["result"] for c in v["checks"]}
passed = {n for n, r in results.items() if r == "pass"}
assert passed <= {"ak.chain", "ak.key", "quote.structure", "quote.signature", "quote.pcrs"}, passed
assert {"quote.binding", "quote.start", "inputs.log", "outputs.log", "run.exit",
        "envelope.statement", "envelope.signature"} <= {n for n, r in results.items() if r == "fail"}
END

# a value, an event or the quote changed
sed 's/\\"make\\"/\\"fake\\"/' first.json >event.json
cmp -s first.json event.json && die "the event was not changed"
legacy event.json
out_has "FAIL  inputs.log: the log replays to no PCR of the quote"
python3 - <<'END'
import base64, json
v = json.load(open("first.json"))
q = v["remote_attestation"]["quote"]
def flip(name, at):
    data = bytearray(base64.b64decode(q[name]["base64"]))
    data[at] ^= 1
    w = json.loads(json.dumps(v))
    w["remote_attestation"]["quote"][name]["base64"] = base64.b64encode(data).decode()
    json.dump(w, open(name + ".json", "w"))
flip("message", -1)
flip("signature", -1)
flip("pcr", 140 + 2 + 66 * 3)
END
legacy message.json
out_has "FAIL  quote.signature"
legacy signature.json
out_has "FAIL  quote.signature"
legacy pcr.json
out_has "FAIL  quote.pcrs"

# no evidence at all
echo '{"model": "m", "certified": true}' >bom.json
legacy bom.json
out_has "a claim without any evidence"
out_lacks "pass"
head -c 1000 first.json >cut.json
legacy cut.json
out_lacks "pass"
: >empty.json
legacy empty.json
legacy bom.json --json
out_has '"generation":null'
fails 3 aicert verify --legacy nosuch.json
fails 2 aicert verify --legacy
fails 2 aicert verify --legacy first.json second.json

if [ -f "$corpus/mithril-security_aicert/attestation_sample.json" ]; then
	legacy "$corpus/mithril-security_aicert/attestation_sample.json" --at 2023-08-15
	out_has "FAIL  ak.chain"
	out_has "pass  quote.signature"
	out_has "FAIL  quote.binding: no nonce"
	out_has "FAIL  inputs.log: the log replays to PCR 16"
	out_has "output helloworld"
	legacy "$corpus/mithril-security_aicert/client_tests_bom.json"
	out_has "a claim without any evidence"
fi
done_testing
