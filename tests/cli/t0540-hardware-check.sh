#!/bin/sh
# hardware-check: a processor of our own making, then the corpus' real reports.
. "${top_srcdir:-.}/tests/cli/lib.sh"
corpus=${AICERT_CORPUS:-$source_dir/../shared/corpus}
mkdir milan turin other
"$build/forge-hardware" milan && "$build/forge-hardware" turin turin &&
	"$build/forge-hardware" other || exit 99

repeat() { i=0; while [ $i -lt 48 ]; do printf %s "$1"; i=$((i + 1)); done; }
id=idkey:$(repeat 1d)
measurement=measurement:$(repeat 4d)

# check DIR REPORT FORMAT OPTIONS...: with the right chain and root of DIR
check() {
	d=$1 report=$2 format=$3
	shift 3
	aicert hardware-check --report "$d/$report" --format "$format" --vcek "$d/vcek.der" \
		--chain "$d/ask.pem" --root "$d/ark.pem" --at 2026-11-23 "$@"
}
ok_check() { ok check "$@"; out_has "PASS  "; }
# no_check PART TEXT OPTIONS...
no_check() {
	part=$1 text=$2
	shift 2
	fails 1 check "$@"
	out_has "FAIL  $part"
	out_has "$text"
}

for d in milan turin; do
	ok_check $d hcl.bin hcl --launch $id --ak $d/ak.pem
	ok_check $d hcl.bin hcl --launch $measurement
	out_has "was given"
	ok_check $d report.bin snp --launch idkey:$(repeat 00 | sed 's/0$/1/') --launch $id
	no_check launch "not who emulates the TPM" $d hcl.bin hcl --ak $d/ak.pem
	no_check launch "idkey:1d1d" $d hcl.bin hcl --launch measurement:$(repeat 1d)
	no_check policy "debugging allowed" $d debug.bin hcl --launch $id
	no_check report "Intel TDX" $d tdx.bin hcl --launch $id
	no_check ak "another key" $d hcl.bin hcl --launch $id --ak other/ak.pem
	no_check report "" $d hcl.bin snp --launch $id
	no_check report "" $d report.bin hcl --launch $id
	no_check chain "not yet valid" $d hcl.bin hcl --launch $id --at 2019-12-31
	no_check chain "expired" $d hcl.bin hcl --launch $id --at 2040-01-02
done

# patch levels
ok_check milan hcl.bin hcl --launch $id --min-tcb bootloader=4,tee=0,snp=24,microcode=219
ok_check turin hcl.bin hcl --launch $id --min-tcb fmc=1,microcode=72
no_check tcb "microcode=219" milan hcl.bin hcl --launch $id --min-tcb microcode=220
no_check tcb "fmc=2" turin hcl.bin hcl --launch $id --min-tcb fmc=2
no_check tcb "" milan hcl.bin hcl --launch $id --min-tcb fmc=1

# what a bare report must have been asked for
data=$(od -An -v -tx1 -j 80 -N 64 milan/report.bin | tr -d ' \n')
ok_check milan report.bin snp --launch $id --report-data "$data"
no_check binding "" milan report.bin snp --launch $id --report-data "${data%?}1"

# every part of another machine in the place of ours
for file in vcek.der ask.pem ark.pem hcl.bin; do
	rm -rf mixed && cp -r milan mixed && cp other/$file mixed/$file
	fails 1 check mixed hcl.bin hcl --launch $id --ak milan/ak.pem
done
# another product's key
rm -rf mixed && cp -r turin mixed && cp milan/hcl.bin mixed/hcl.bin
no_check vcek "another chip" mixed hcl.bin hcl --launch $id

# the chain as it comes: one file, with or without its root, PEM or DER
cat milan/vcek.pem milan/ask.pem >all.pem
ok aicert hardware-check --report milan/hcl.bin --format hcl --chain all.pem --root milan/ark.pem \
	--launch $id --at 2026-11-23
cat milan/ark.pem >>all.pem
ok aicert hardware-check --report milan/hcl.bin --format hcl --vcek all.pem --root milan/ark.pem \
	--launch $id --at 2026-11-23
fails 3 aicert hardware-check --report milan/hcl.bin --format hcl --vcek milan/vcek.pem \
	--chain milan/ask.pem --root milan/ask.pem --launch $id --at 2026-11-23
err_has 'not signed by itself'
# a root inside the chain is believed by nobody
fails 1 aicert hardware-check --report milan/hcl.bin --format hcl --vcek all.pem \
	--root other/ark.pem --launch $id --at 2026-11-23
out_has "FAIL  chain"
fails 1 aicert hardware-check --report milan/hcl.bin --format hcl --vcek all.pem --launch $id
fails 1 aicert hardware-check --report milan/hcl.bin --format hcl --vcek milan/vcek.der \
	--root milan/ark.pem --launch $id

# one document
ok check milan hcl.bin hcl --launch $id --json
python3 - "$scratch/out" <<'END' || die "the document"
import json, sys
v = json.load(open(sys.argv[1]))
assert v["verdict"] == "pass" and v["level"] is None, v["verdict"]
assert [(c["name"], c["result"]) for c in v["checks"]] == [("hardware.report", "pass")], v["checks"]
parts = {p["name"]: p["result"] for p in v["parts"]}
assert list(parts) == ["report", "chain", "vcek", "signature", "policy", "binding", "ak", "launch",
                       "tcb"], parts
assert parts.pop("ak") == "skip" and set(parts.values()) == {"pass"}, parts
r = v["report"]
assert r["idKeyDigest"] == "1d" * 48 and r["measurement"] == "4d" * 48 and r["vmpl"] == 0
assert r["tcb"]["reported"] == {"bootloader": 4, "tee": 0, "snp": 24, "microcode": 219}
assert r["policy"] == "0x3001f" and r["product"] == "Milan" and v["time"] == "2026-11-23T00:00:00Z"
END
python3 -c 'import base64, json, sys
spki = base64.b64encode(base64.b64decode(json.load(open(sys.argv[1]))["ak"]["spki"])).decode()
pem = "".join(l.strip() for l in open(sys.argv[2]) if l[0] != "-")
sys.exit(spki != pem)' "$scratch/out" milan/ak.pem || die "the key of the report"
fails 1 check milan hcl.bin hcl --json
out_has '"result":"fail"'

# a trust entry in the place of --root, --launch and --min-tcb
entry() {
	mkdir -p "$XDG_CONFIG_HOME/aicert/trust"
	python3 - milan/ark.pem "$1" "$2" >"$XDG_CONFIG_HOME/aicert/trust/ark.json" <<'END'
import json, sys
der = "".join(l.strip() for l in open(sys.argv[1]) if l[0] != "-")
print(json.dumps({"certificate": der, "grants": "confidential",
    "launch": [{"idKeyDigest": sys.argv[2] * 48}],
    "mediaType": "application/vnd.aicert.trust.v1+json",
    "minimumTcb": {"bootloader": 4, "microcode": int(sys.argv[3]), "snp": 24, "tee": 0},
    "name": "our ARK", "notAfter": "2040-01-01T00:00:00Z", "notBefore": "2020-01-01T00:00:00Z",
    "purpose": "snp"}, sort_keys=True, separators=(",", ":")), end="")
END
}
set -- aicert hardware-check --report milan/hcl.bin --format hcl --vcek milan/vcek.der \
	--chain milan/ask.pem --at 2026-11-23
fails 1 "$@" --launch $id
out_has "FAIL  chain"
entry 1d 219
ok "$@"
ok "$@" --json
out_lacks '"trust":null'
fails 1 "$@" --launch idkey:$(repeat ff)
fails 1 "$@" --root other/ark.pem --launch $id
entry 1d 220
fails 1 "$@"
out_has "FAIL  tcb"
entry ff 0
fails 1 "$@"
out_has "FAIL  launch"
# an ASK that nobody handed over may be an entry too
ask_entry() {
	python3 - "$1" >"$XDG_CONFIG_HOME/aicert/trust/ask.json" <<'END'
import json, sys
der = "".join(l.strip() for l in open(sys.argv[1]) if l[0] != "-")
print(json.dumps({"certificate": der, "grants": None,
    "mediaType": "application/vnd.aicert.trust.v1+json", "name": "our ASK",
    "notAfter": "2040-01-01T00:00:00Z", "notBefore": "2020-01-01T00:00:00Z",
    "purpose": "intermediate"}, sort_keys=True, separators=(",", ":")), end="")
END
}
entry 1d 219
set -- aicert hardware-check --report milan/hcl.bin --format hcl --vcek milan/vcek.der --at 2026-11-23
fails 1 "$@"
out_has "FAIL  chain"
ask_entry milan/ask.pem
ok "$@"
fails 1 "$@" --root milan/ark.pem --launch $id
ask_entry other/ask.pem
fails 1 "$@"
out_has "FAIL  chain"
rm -r "$XDG_CONFIG_HOME/aicert"

# one flipped bit anywhere, sampled; cut short
for at in 0 4 8 12 16 40 112 144 300 800 880 1000 1150 1216 1220 1228 1232 1240 1300 1600; do
	python3 - milan/hcl.bin flipped.bin $at <<'END'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[int(sys.argv[3])] ^= 0x10
open(sys.argv[2], "wb").write(data)
END
	cp flipped.bin milan/flipped.bin
	fails 1 check milan flipped.bin hcl --launch $id
done
head -c 1000 milan/hcl.bin >milan/cut.bin
no_check report "1000 bytes" milan cut.bin hcl --launch $id
: >milan/empty.bin
no_check report "0 bytes" milan empty.bin hcl --launch $id

# evidence that is no certificate is damage, a definite no: every byte of a header, then samples
damaged() {
	checks=$((checks + 1))
	aicert hardware-check --report milan/hcl.bin --format hcl "$@" --root milan/ark.pem \
		--launch $id --at 2026-11-23 >"$scratch/out" 2>"$scratch/err"
	[ $? = 1 ] && grep -q "^FAIL  chain\|  FAIL  chain" "$scratch/out" || die "not refused by the chain: $*"
}
size=$(wc -c <milan/vcek.der)
for at in $(seq 0 40) $(seq 60 37 $((size - 1))); do
	python3 -c 'import sys
data = bytearray(open("milan/vcek.der", "rb").read())
data[int(sys.argv[1])] ^= 1 << (int(sys.argv[1]) % 8)
open("flipped.der", "wb").write(data)' "$at"
	damaged --vcek flipped.der --chain milan/ask.pem
done
head -c 100 milan/vcek.der >cut.der
damaged --vcek cut.der --chain milan/ask.pem
: >empty.der
damaged --vcek empty.der --chain milan/ask.pem
sed '5s/^./!/' milan/vcek.pem >damaged.pem
damaged --vcek damaged.pem --chain milan/ask.pem
damaged --vcek milan/vcek.der --chain damaged.pem
damaged --vcek milan/ak.pem --chain milan/ask.pem
fails 3 aicert hardware-check --report milan/hcl.bin --format hcl --vcek nosuch.der \
	--chain milan/ask.pem --root milan/ark.pem --launch $id

# usage, and what cannot be looked at
fails 2 aicert hardware-check
fails 2 aicert hardware-check --report milan/hcl.bin --vcek milan/vcek.der
fails 2 check milan hcl.bin tdx --launch $id
fails 2 check milan hcl.bin hcl --launch 00
fails 2 check milan hcl.bin hcl --launch idkey:$(repeat 00)
fails 2 check milan hcl.bin hcl --launch $id --min-tcb microcode
fails 2 check milan hcl.bin hcl --launch $id --min-tcb microcode=256
fails 2 check milan hcl.bin hcl --launch $id --min-tcb ""
fails 2 check milan hcl.bin hcl --launch $id --min-tcb microcode=219,microcode=0
fails 2 check milan hcl.bin hcl --launch $id --at yesterday
fails 2 check milan hcl.bin hcl --launch $id --report-data "$data"
fails 2 check milan report.bin snp --launch $id --report-data 00
fails 2 check milan report.bin snp --launch $id --ak milan/ak.pem
fails 2 check milan hcl.bin hcl --launch $id extra
fails 3 check milan nosuch.bin hcl --launch $id
fails 3 check milan hcl.bin hcl --launch $id --ak nosuch.pem
fails 3 check milan hcl.bin hcl --launch $id --ak milan/hcl.bin

# real machines
if [ -d "$corpus/virtee_sev" ]; then
	trustee=$corpus/confidential-containers_trustee/deps/verifier/test_data/az-snp-vtpm
	kinvolk=$corpus/kinvolk_azure-cvm-tooling/test
	root=$corpus/virtee_sev/src/certs/snp/builtin/milan/ark.pem
	azure=0356215882a825279a85b300b0b742931d113bf7e32dde2e50ffde7ec743ca49
	azure=idkey:${azure}1ecdd7f336dc28a6e0b2bb57af7a44a3
	python3 - "$trustee" <<'END' || exit 99
import base64, json, sys
v0 = json.load(open(sys.argv[1] + "/evidence-v0.json"))
open("v0.bin", "wb").write(bytes(v0["report"]))
open("v0.pem", "w").write(v0["vcek"])
v1 = json.load(open(sys.argv[1] + "/evidence-v1.json"))
open("v1.bin", "wb").write(base64.urlsafe_b64decode(v1["hcl_report"] + "=="))
open("v1.der", "wb").write(base64.urlsafe_b64decode(v1["vcek"] + "=="))
END
	ask=$corpus/virtee_sev/src/certs/snp/builtin/milan/ask.pem
	for v in v0:v0.pem v1:v1.der; do
		set -- aicert hardware-check --report "${v%:*}.bin" --format hcl --vcek "${v#*:}" \
			--chain "$ask" --root "$root"
		fails 1 "$@"
		out_has "FAIL  launch"
		launch=$(sed -n 's/.*found *\(idkey:[0-9a-f]*\) .*/\1/p' "$scratch/out")
		ok "$@" --launch "$launch" --ak "$corpus/quotes/d1-azure-cvm-${v%:*}/key.pem"
		fails 1 "$@" --launch "$launch" --ak "$corpus/quotes/d1-azure-cvm-${v%:*}/other-key.pem"
		out_has "FAIL  ak"
		fails 1 "$@" --launch "$launch" --ak "$kinvolk/akpub.pem"
		out_has "FAIL  ak"
		fails 1 aicert hardware-check --report "${v%:*}.bin" --format hcl --chain \
			"$kinvolk/certs.pem" --root "$root" --launch "$launch"
	done
	# what the machines had was the VCEK alone; the installation has the rest
	mkdir -p "$XDG_CONFIG_HOME/aicert/trust"
	cp "$source_dir"/share/trust/amd-*.json "$XDG_CONFIG_HOME/aicert/trust"
	for v in v0:v0.pem v1:v1.der; do
		set -- aicert hardware-check --report "${v%:*}.bin" --format hcl --vcek "${v#*:}"
		fails 1 "$@"
		out_has "FAIL  launch"
		launch=$(sed -n 's/.*found *\(idkey:[0-9a-f]*\) .*/\1/p' "$scratch/out")
		ok "$@" --launch "$launch" --ak "$corpus/quotes/d1-azure-cvm-${v%:*}/key.pem"
	done
	rm -r "$XDG_CONFIG_HOME/aicert"
	ok aicert hardware-check --report "$trustee/hcl-report.bin" --format hcl --chain \
		"$trustee/vcek.pem" --root "$root" --launch $azure
	fails 1 aicert hardware-check --report "$kinvolk/hcl-report-snp.bin" --format hcl --chain \
		"$kinvolk/certs.pem" --root "$root" --launch $azure
	fails 1 aicert hardware-check --report "$kinvolk/hcl-report-tdx.bin" --format hcl --chain \
		"$kinvolk/certs.pem" --root "$root" --launch $azure
	out_has "Intel TDX"
fi
done_testing
