#!/bin/sh
# A daemon that is told who may come by one document: it is measured, whole, as is what
# the machine says of its image; and the daemon ends when there is nothing more to do.
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/runner-lib.sh"

document() { # IDLE
	printf '{"clientCa":null,"idleSeconds":%s,"mediaType":"application/vnd.aicert.runtime-config.v1+json","tokens":["%s"]}' \
		"$1" "$(cat "$scratch/tokens")" >"$scratch/document"
}
config() {
	printf '[daemon]\n\tlisten = 127.0.0.1:0\n\tstore = %s\n\ttpm = embedded:%s\n\truntimeConfig = %s\n%s' \
		"$scratch/vm.store" "$scratch/vm.tpm" "$scratch/document" "$1" >"$scratch/config"
}
hash=$(printf '%064d' 5)
image="[image]
	name = aicert-base
	version = 7
	verity = $hash
"

# what is not exactly such a document starts nothing
document 900
config "$image"
printf '\n' >>"$scratch/document"
fails 3 aicertd --config "$scratch/config" --check-config
err_has "document"
document 9
fails 3 aicertd --config "$scratch/config" --check-config
err_has idleSeconds
document 10
ok aicertd --config "$scratch/config" --check-config
fails 2 aicertd --config "$scratch/config" --token-file "$scratch/tokens"
err_has "--runtime-config takes the place"
config "[image]
	name = aicert-base
"
fails 2 aicertd --config "$scratch/config"
err_has "belong together"

config "$image"
mkfifo "$scratch/ready"
aicertd --config "$scratch/config" --ready-fd 3 3>"$scratch/ready" 2>"$scratch/vm.log" &
daemon=$! daemons=$!
read -r line <"$scratch/ready"
url=${line#aicertd: listening on }
new_repo work
ok aicert runner add --token-file "$scratch/alice.token" --min-level simulated vm "$url"
printf 'a word\n' >in.txt
spec aicert.yaml "cat in.txt > out.txt" in.txt out.txt
ok aicert commit -r vm -m one
ok aicert cat-file -p "$(aicert rev-parse HEAD)"
ok aicert cat-file -p "$(sed 's/.*"subject":{"id":"sha256:\([0-9a-f]*\).*/\1/' "$scratch/out")"
cp "$scratch/out" certificate
ok python3 - "$scratch/document" "$hash" certificate <<'END'
import json, sys
document, verity, certificate = open(sys.argv[1]).read(), sys.argv[2], json.load(open(sys.argv[3]))
events = [json.loads(e["data"]) for e in certificate["events"]]
request, image = events[0], events[1]
assert request["config"]["document"] == document, request["config"]
assert request["image"] == {"name": "aicert-base", "version": "7"}, request["image"]
assert image["verity"] == verity, image
END
# its certificate and outputs were fetched: ten quiet seconds are the end of it
checks=$((checks + 1))
until_true 30 sh -c "! kill -0 $daemon"
wait "$daemon"
same $? 0
done_testing
