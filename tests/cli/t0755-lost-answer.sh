#!/bin/sh
# Whatever becomes of a client around its request for a run, the run can be collected, and is
# made once.
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/runner-lib.sh"
command -v curl >/dev/null || { echo "curl is missing"; exit 77; }

printf '[run]\n\tqueue = 0\n' >"$scratch/conf"
daemon_options="--config $scratch/conf"
start_daemon gpu
ok aicert runner add --min-level simulated --token-file "$scratch/alice.token" gpu "$url"
new_repo repo
echo one >in.txt
spec long.yaml "while ! test -e never; do sleep 0.05; done" in.txt out.txt
spec ok.yaml "cp in.txt out.txt; echo ran" in.txt out.txt
post() { # RUN
	curl -sk -H "Authorization: Bearer $(cat "$scratch/alice.token")" -H "Idempotency-Key: $1" \
		-o "$scratch/answer" -w '%{http_code}' --data-binary @"$scratch/request" "$url/v1/runs"
}
waiting() { grep -q "asking again" "$scratch/client"; }
running() { aicert run list -r gpu | grep -q running; }
records() { find .aicert/runs -type f 2>/dev/null | wc -l; }

# a run that has the machine
aicert commit -q -f long.yaml -r gpu -m long >"$scratch/long" 2>&1 &
long=$!
until_true 30 running
blocker=$(ls .aicert/runs)

# who is told to come back has nothing to collect
fails 3 aicert commit -f ok.yaml -r gpu --wait 0 -m busy
same "$(records)" 1
aicert commit -f ok.yaml -r gpu --wait 600 -m waits >"$scratch/client" 2>&1 &
client=$!
until_true 30 waiting
same "$(records)" 2
kill -INT $client
wait $client
same "$?" 3
same "$(records)" 1
checks=$((checks + 1))
! grep -q "goes on" "$scratch/client" || die "a run goes on that did not begin"

# killed before its request was taken
rm "$scratch/client"
aicert commit -f ok.yaml -r gpu --wait 600 -m "killed while it asked" >"$scratch/client" 2>&1 &
client=$!
until_true 30 waiting
kill -KILL $client
wait $client 2>/dev/null
same "$(records)" 2
run=$(find .aicert/runs -type f ! -name "$blocker" -exec basename {} \;)
fails 3 aicert run attach "$run"
err_has "did not begin there"

# and after it: what the client sent arrived, and the answer found nobody
python3 - ".aicert/runs/$run" >"$scratch/request" <<'END_PYTHON'
import json, sys
record = json.loads(open(sys.argv[1]).read().split("\n")[0])
print(json.dumps({"mediaType": "application/vnd.aicert.run-request.v1+json", "nonce": record["nonce"],
                  "spec": record["spec"]}, sort_keys=True, separators=(",", ":")), end="")
END_PYTHON
same "$(post "$run")" 429
kill $long
wait $long
ok aicert run cancel "$blocker"
idle() { [ "$(post "$run")" = 201 ]; }
until_true 30 idle
same "$(post "$run")" 200
grep -q "\"run\":\"$run\"" "$scratch/answer" || die "another run"
over() { aicert run show "$run" | grep -q "^state *done"; }
until_true 30 over
stop_daemon
start_daemon gpu "${url##*:}"
same "$(post "$run")" 200
same "$(post "$(echo "$run" | tr a-f A-F)")" 400
same "$(post short)" 400
ok aicert run attach "$run"
out_has "ran"
same "$(cat out.txt)" one
same "$(records)" 0
ok aicert log
out_has "killed while it asked"
ok aicert run list -r gpu
same "$(wc -l <"$scratch/out")" 2
done_testing
