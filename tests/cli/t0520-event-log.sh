#!/bin/sh
# aicert event-log over logs made here, and over the corpus where it is.
. "${top_srcdir:-.}/tests/cli/lib.sh"
seeds="$source_dir/tests/data/fuzz/event-log"

# python: the value of an expression over the document j
j() { python3 -c 'import json,sys; j=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' ../out "$1"; }

mkdir w && cd w || exit 99
ok aicert event-log "$seeds/agile"
out_has "EV_EFI_ACTION"
out_has "Calling EFI Application from Boot Option"
out_has "PCRs of bank sha384"
out_has "DIGEST DIFFERS"
ok aicert event-log --json "$seeds/agile"
same "$(wc -l <../out)" 1
same "$(j 'j["format"]')" crypto-agile
same "$(j 'j["startupLocality"]')" 3
same "$(j 'sorted(j["pcrs"])')" "['sha256', 'sha384']"
same "$(j 'j["trailing"]')" None
# PCR 3 is a separator alone: a constant
same "$(j 'j["pcrs"]["sha256"]["3"]')" \
	3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969
same "$(j '"10" in j["pcrs"]["sha256"]')" False
same "$(j '[e["digestMatches"] for e in j["events"]].count(False)')" 1
same "$(j 'j["events"][0]["type"], j["events"][0]["digestMatches"]')" "('EV_NO_ACTION', None)"
# replayed by another program
same "$(python3 - ../out <<'P'
import hashlib, json, sys
j = json.load(open(sys.argv[1]))
bad = 0
for bank in j["pcrs"]:
    pcrs = {}
    for e in j["events"]:
        if e["type"] == "EV_NO_ACTION":
            continue
        d = bytes.fromhex(e["digests"][bank])
        start = bytes(len(d) - 1) + bytes([3 if e["pcr"] == 0 else 0])
        pcrs[e["pcr"]] = hashlib.new(bank, pcrs.get(e["pcr"], start) + d).digest()
    bad += {str(k): v.hex() for k, v in pcrs.items()} != j["pcrs"][bank]
print(bad)
P
)" 0

# what securityfs gives: a file whose size is said to be 0
ok sh -c "aicert event-log --json /dev/stdin <'$seeds/agile'"
cat "$seeds/agile" | fails 0 aicert event-log /dev/stdin

ok aicert event-log --json "$seeds/sha1"
same "$(j 'j["format"]')" sha1
same "$(j 'sorted(j["pcrs"])')" "['sha1']"

# after the end marker
{ cat "$seeds/agile"; printf '\377\377\377\377\377\377\377\377hidden'; } >marked
ok aicert event-log marked
same "$(grep -c ' $' "$scratch/out")" 0
out_has "14 bytes follow"
out_has "not padding"
ok aicert event-log --json marked
same "$(j 'j["trailing"]["size"], j["trailing"]["padding"]')" "(14, False)"

# a bank nobody knows, of one byte, in the last event: no more of it is shown than there is
python3 - >odd <<'P'
import struct, sys
spec = b"Spec ID Event03\0" + bytes(4) + bytes([0, 2, 0, 2]) + struct.pack("<IHHB", 1, 0x7777, 1, 0)
log = struct.pack("<II20sI", 0, 3, bytes(20), len(spec)) + spec
log += struct.pack("<IIIHBI", 5, 5, 1, 0x7777, 0xab, 0)
sys.stdout.buffer.write(log)
P
ok aicert event-log odd
same "$(sed -n 's/.*EV_ACTION/EV_ACTION/p' "$scratch/out")" "EV_ACTION                           ab"
ok aicert event-log --json odd
same "$(j 'j["events"][0]["digests"]')" "{'0x7777': 'ab'}"

# malformed: exit 1 and where
size=$(wc -c <"$seeds/agile")
head -c $((size - 1)) "$seeds/agile" >cut
fails 1 aicert event-log cut
err_has "byte offset"
: >empty
fails 1 aicert event-log empty
err_has "byte offset 0"
{ printf '\001'; tail -c +2 "$seeds/agile"; } >ccel
fails 1 aicert event-log ccel
err_has "not a TPM log"
fails 3 aicert event-log nowhere
fails 2 aicert event-log
fails 2 aicert event-log cut empty

corpus=${AICERT_CORPUS:-$source_dir/../shared/corpus}
expected=$corpus/google_go-tpm-tools/eventlogs/expected_pcrs_known.json
if [ -f "$expected" ]; then
	logs=0
	for log in $(python3 -c 'import json,sys
for v in json.load(open(sys.argv[1])).values(): print(v["log"])' "$expected"); do
		[ -f "$corpus/google_go-tpm-tools/$log" ] || continue
		logs=$((logs + 1))
		ok aicert event-log --json "$corpus/google_go-tpm-tools/$log"
		same "$(python3 - "$expected" ../out "$log" <<'P'
import json, sys
want = [v for v in json.load(open(sys.argv[1])).values() if v["log"] == sys.argv[3]][0]["pcrs"]
got = json.load(open(sys.argv[2]))["pcrs"]
print([b for b in want if any(got[b].get(p) != v for p, v in want[b].items())])
P
)" "[]"
	done
	checks=$((checks + 1))
	[ "$logs" -gt 0 ] || die "no log of the corpus was read"
else
	echo "the corpus is not here: its logs were not read"
fi
done_testing
