#!/bin/sh
# A TPM that cannot be reset between runs: one run a boot, and what to do is said.
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/runner-lib.sh"
command -v swtpm >/dev/null && command -v curl >/dev/null || { echo "skipped: swtpm or curl is missing"; exit 77; }

mkdir "$scratch/sw"
swtpm socket --tpm2 --tpmstate dir="$scratch/sw" --server type=unixio,path="$scratch/sw/sock" \
	--ctrl type=unixio,path="$scratch/sw/sock.ctrl" --flags not-need-init,startup-clear 2>/dev/null &
daemons=$!
until_true 20 test -S "$scratch/sw/sock"
tpm="swtpm:path=$scratch/sw/sock" start_daemon gpu
aicert runner add --min-level simulated --token-file "$scratch/alice.token" gpu "$url" >"$scratch/out"
new_repo repo
echo one >in.txt
spec once.yaml "cp in.txt once.txt" "in.txt" "once.txt"
spec twice.yaml "cp in.txt twice.txt" "in.txt" "twice.txt"
ok aicert commit -q -f once.yaml -r gpu -m once
ok aicert verify --min-level simulated once.txt
# on the wire: 409, whoever asks and whatever for
auth="Authorization: Bearer $(cat "$scratch/alice.token")"
printf '{"mediaType":"application/vnd.aicert.run-request.v1+json","nonce":"%064d","spec":{"command":["true"],"env":{},"image":"host","imageFile":null,"inputs":[],"limits":{"cpuMillis":null,"memoryBytes":null,"shmBytes":null,"timeSeconds":null},"outputs":[],"version":1}}' 1 >"$scratch/body"
again() {
	same "$(curl -sk -o "$scratch/out" -w '%{http_code}' -H "$auth" --data-binary @"$scratch/body" \
		"$url/v1/runs")" 409
	out_has "restart the machine"
}
again
# the client looks at the identity first: PCR 14 and 15 are not zero
fails 1 aicert runner check gpu
fails 1 aicert commit -q -f twice.yaml -r gpu -m twice
err_has "quote.pcrs"
err_has "the machine must be started again"
[ -z "$(ls .aicert/runs 2>/dev/null)" ] || die "a record of a run that was refused"
stop_daemon
tpm="swtpm:path=$scratch/sw/sock" start_daemon gpu "${url##*:}"
again
fails 1 aicert commit -q -f twice.yaml -r gpu -m "the daemon's restart is none of the machine"
done_testing
