#!/bin/sh
# A runner over HTTPS: the registry, credentials, a whole commit, detaching,
# what survives the client and the daemon.
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/runner-lib.sh"
config=$XDG_CONFIG_HOME/aicert/config
start_daemon gpu
port=${url##*:}

# the registry
ok aicert runner
out_has "local"
fails 2 aicert runner nonsense
err_has "runner: no such action: nonsense (add, list, remove, check, reap;"
fails 2 aicert run nonsense
err_has "run: no such action: nonsense (list, show, attach, cancel, log;"
fails 2 aicert runner add gpu
fails 2 aicert runner add local "$url"
fails 2 aicert runner add "../x" "$url"
for bad in http://127.0.0.1:1 "$url/path" https://user@127.0.0.1:1 ftp://h 127.0.0.1:1 azure:x; do
	fails 2 aicert runner add --min-level simulated gpu "$bad"
done
fails 2 aicert runner add --min-level nonsense gpu "$url"
fails 2 aicert runner add --ak-name 000b12 gpu "$url"
fails 2 aicert runner add --client-cert "$scratch/tokens" gpu "$url"
fails 2 aicert runner check nobody
fails 2 aicert runner remove nobody
fails 2 aicert runner list --ak-name x
fails 1 aicert runner add --token-file "$scratch/alice.token" gpu "$url"
err_has "nothing was recorded"
err_has "vtpm is required"
[ ! -e "$config" ] || die "a refused runner left a record"
other=000b00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
fails 1 aicert runner add --min-level simulated --ak-name $other gpu "$url"
err_has "another machine"
ok aicert runner add --min-level simulated --token-file "$scratch/alice.token" gpu "$url/"
out_has "recorded on first use"
fails 3 aicert runner add --min-level simulated gpu "$url"
err_has "there already"
ok aicert runner list --json
name=$(sed -n 's/.*"akName":"\([0-9a-f]*\)".*/\1/p' "$scratch/out")
same "${#name}" 68
out_has "\"url\":\"$url\""
out_has '{"akFrom":null,"akName":null,"minLevel":"simulated","name":"local","url":null}'
ok aicert runner add --min-level simulated --ak-name "$name" given "$url"
out_has "the one that was given"
ok aicert runner list
out_has "given"
ok aicert runner remove given
fails 2 aicert runner check given
ok aicert runner check gpu
same "$(grep -c ' $' "$scratch/out")" 0
out_has "quote.binding     pass"
out_has "AK $name"
ok aicert runner check --json gpu
out_has '"verdict":"pass"'
checks=$((checks + 1))
! grep -q "$(cat "$scratch/alice.token")" "$config" || die "the configuration holds a token"

# a repository names no runner
new_repo repo
printf '[runner "evil"]\n\turl = %s\n\takName = %s\n\tminLevel = simulated\n' "$url" "$name" \
	>>.aicert/config
fails 2 aicert runner check evil
fails 2 aicert commit -r evil -m x
err_has "no such runner"
git config user.name "Test Author"
aicert config --unset runner.evil.url 2>/dev/null
sed -i '/runner "evil"/,$d' .aicert/config

# credentials
echo one >in.txt
mkdir dir && echo two >dir/two && ln -s two dir/link
spec ok.yaml "cat in.txt dir/two; cat in.txt dir/two >out.txt; mkdir -p out/sub; cp dir/two out/sub" \
	"in.txt, dir" "out.txt, {path: out/, kind: model}"
chmod 644 "$scratch/alice.token"
fails 3 aicert commit -f ok.yaml -r gpu -m remote
err_has "chmod 600"
chmod 600 "$scratch/alice.token"
ok aicert runner add --min-level simulated anonymous "$url"
fails 3 aicert commit -f ok.yaml -r anonymous -m remote
fails 3 env AICERT_TOKEN=wrong aicert commit -f ok.yaml -r anonymous -m remote
fails 2 env AICERT_TOKEN="with space" aicert commit -f ok.yaml -r anonymous -m remote
ok env AICERT_TOKEN="$(cat "$scratch/alice.token")" aicert run list -r anonymous
# the variable is for runners without a token of their own
ok env AICERT_TOKEN=of-another-runner aicert run list -r gpu
checks=$((checks + 1))
! grep -q "$(cat "$scratch/alice.token")" "$scratch/gpu.log" || die "the daemon logged a token"

# a commit
ok aicert commit -f ok.yaml -r gpu -m "on the other machine"
out_has "one"
out_has "output out.txt"
same "$(cat out.txt)" "$(printf 'one\ntwo')"
same "$(cat out/sub/two)" two
ok aicert verify --min-level simulated --inputs out.txt
ok aicert verify --min-level simulated out
fails 1 aicert verify out.txt
ok aicert fsck
[ -z "$(ls .aicert/runs)" ] || die "a finished run left a record"
ok aicert run
same "$(cat "$scratch/out")" ""
ok aicert run list -r gpu
out_has "done"
id=$(cut -c1-64 "$scratch/out" | head -1)
ok aicert run log -r gpu "$id"
same "$(cat "$scratch/out")" "$(printf 'one\ntwo')"
ok aicert run show -r gpu "$id"
out_has "state        done"
fails 2 aicert run show -r gpu "$(echo "$id" | cut -c1-12)"
fails 3 aicert run show "$id"
fails 2 aicert run show short

# nothing is sent twice
before=$(grep -c 'method=PUT' "$scratch/gpu.log")
ok aicert commit -q -f ok.yaml -r gpu -m again
same "$(grep -c 'method=PUT' "$scratch/gpu.log")" "$before"

# a run that fails
spec bad.yaml "echo oh; exit 7" "in.txt" "never.txt"
fails 1 aicert commit -f bad.yaml -r gpu -m bad
err_has "exited with code 7"
ok aicert log --failed
out_has "exited 7"
[ -z "$(ls .aicert/runs)" ] || die "a failed run left a record"

# Ctrl-C detaches; the run goes on; attach commits it
spec slow.yaml "echo begun; sleep 2; cp in.txt slow.txt; echo ended" "in.txt" "slow.txt"
rm -f "$scratch/slow.out"
aicert commit -f slow.yaml -r gpu -m slow >"$scratch/slow.out" 2>"$scratch/slow.err" &
client=$!
until_true 20 grep -q begun "$scratch/slow.out"
kill -INT $client
wait $client
same $? 3
grep -q "aicert run attach" "$scratch/slow.err" || die "no hint: $(cat "$scratch/slow.err")"
[ ! -e slow.txt ] || die "outputs of a run that was not judged"
id=$(sed -n 's/.*aicert run attach \([0-9a-f]*\).*/\1/p' "$scratch/slow.err")
ok aicert run list
out_has "$id  gpu"
ok aicert run show "$id"
ok aicert run attach "$id"
out_has "begun"
out_has "ended"
same "$(cat slow.txt)" one
ok aicert log --oneline
out_has "slow"
fails 3 aicert run attach "$id"

# a client that is killed
rm -f "$scratch/slow.out"
aicert commit -f slow.yaml -r gpu -m killed >"$scratch/slow.out" 2>"$scratch/slow.err" &
client=$!
until_true 20 grep -q begun "$scratch/slow.out"
kill -KILL $client
wait $client 2>/dev/null
id=$(ls .aicert/runs)
ok aicert run log "$id"
ok aicert run attach -q "$id"
ok aicert log --oneline
out_has "killed"

# cancelled from elsewhere
spec long.yaml "echo begun; sleep 100" "in.txt" "long.txt"
rm -f "$scratch/slow.out"
aicert commit -f long.yaml -r gpu -m long >"$scratch/slow.out" 2>"$scratch/slow.err" &
client=$!
until_true 20 grep -q begun "$scratch/slow.out"
id=$(ls .aicert/runs)
ok aicert run cancel "$id"
wait $client
same $? 1
[ -z "$(ls .aicert/runs)" ] || die "a cancelled run left a record"

# the daemon ends under a run: it says so, the objects stay, another commit does it
rm -f "$scratch/slow.out"
aicert commit -f long.yaml -r gpu -m long >"$scratch/slow.out" 2>&1 &
client=$!
until_true 20 grep -q begun "$scratch/slow.out"
stop_daemon KILL
start_daemon gpu "$port"
wait $client
same $? 1
grep -q "interrupted" "$scratch/slow.out" || die "no word of it: $(cat "$scratch/slow.out")"
grep -q "identified again" "$scratch/slow.out" || die "the new key was not told of"
[ -z "$(ls .aicert/runs)" ] || die "an interrupted run left a record"
ok aicert commit -f ok.yaml -r gpu -m "after the restart"
ok aicert fsck

# a client certificate in the place of a token: asked for by a daemon with --client-ca,
# known by its key
make_key ca
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=carol \
	-keyout "$scratch/carol.key" -out "$scratch/carol.csr" 2>/dev/null
chmod 600 "$scratch/carol.key"
openssl x509 -req -in "$scratch/carol.csr" -CA "$scratch/ca.pem" -CAkey "$scratch/ca.key" -days 2 \
	-out "$scratch/carol.pem" 2>/dev/null
stop_daemon
daemon_options="--client-ca $scratch/ca.pem" start_daemon gpu "$port"
ok aicert runner add --min-level simulated --client-cert "$scratch/carol.pem" \
	--client-key "$scratch/carol.key" carol "$url"
fails 3 aicert commit -q -f ok.yaml -r carol -m "a stranger's certificate"
spki=$(openssl pkey -in "$scratch/carol.key" -pubout -outform DER | sha256sum | cut -d' ' -f1)
echo "carol spki:$spki run" >>"$scratch/tokens"
ok aicert commit -q -f ok.yaml -r carol -m "by certificate"
ok aicert run list -r carol
checks=$((checks + 1))
grep -q "principal=carol method=POST path=/v1/runs" "$scratch/gpu.log" || die "not as carol"
chmod 644 "$scratch/carol.key"
fails 3 aicert run list -r carol
err_has "chmod 600"

# another TPM is another machine
stop_daemon
rm -rf "$scratch/gpu.tpm"
start_daemon gpu "$port"
fails 1 aicert runner check gpu
err_has "remove the runner"
fails 1 aicert commit -f ok.yaml -r gpu -m other
err_has "another machine"
stop_daemon
fails 3 aicert runner check gpu
fails 3 aicert commit -f ok.yaml -r gpu -m nobody

done_testing
