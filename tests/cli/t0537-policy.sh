#!/bin/sh
# The user's policy: what it demands, where it comes from, and that it fails closed.
. "${top_srcdir:-.}/tests/cli/lib.sh"
export TSS2_LOG=all+none
media='"mediaType":"application/vnd.aicert.policy.v1+json"'

new_repo r
"$build/forge-machine" || die "forge-machine"
mkdir -p "$XDG_CONFIG_HOME/aicert/trust"
cp trust.json "$XDG_CONFIG_HOME/aicert/trust/root.json"
ok aicert verify --reference whole.json HEAD
ok aicert verify --json --reference whole.json HEAD
out_has '"policy":null'
run=$(run_id HEAD)

# judged POLICY: of the machine's certificate, by its reference record
judged() {
	printf '%s' "$1" >policy.json
	shift
	aicert verify --policy policy.json --reference whole.json "$@" HEAD
}
ok judged "{$media, \"minLevel\": \"vtpm\", \"images\": [\"base\"], \"akNotBefore\": \"2019-01-01T00:00:00Z\"}" -v
out_has "policy                 pass"
ok judged "{$media, \"minLevel\": \"vtpm\"}" --json
out_has "\"policy\":\"sha256:$(sha256sum policy.json | cut -d' ' -f1)\""
fails 1 judged "{$media, \"minLevel\": \"confidential\"}" --min-level simulated
fails 1 judged "{$media, \"images\": [\"other\"]}"
out_has "FAIL  HEAD: policy ("
fails 1 judged "{$media, \"akNotBefore\": \"2026-01-01T00:00:00Z\"}"
out_has "FAIL  HEAD: policy ("
fails 1 judged "{$media, \"denyRuns\": [\"$run\"]}" --min-level simulated
out_has "run $run"
ok judged "{$media, \"denyRuns\": [\"$(echo "$run" | tr 0-9a-f 1-9a-f0)\"]}"
fails 1 judged "{$media, \"maxAgeDays\": 1}" --at 2027-11-18
ok judged "{$media, \"maxAgeDays\": 1}" --at 2026-11-18T10:00:00Z
# no reference record: no image, whatever the run calls itself
fails 1 aicert verify --min-level simulated --policy policy.json HEAD
printf '{%s, "images": ["base", "unmeasured"]}' "$media" >policy.json
fails 1 aicert verify --min-level simulated --policy policy.json HEAD
out_has "no reference record matches"

# the user's own is always there; --policy stands in its place
printf '{%s, "denyRuns": ["%s"]}' "$media" "$run" >"$XDG_CONFIG_HOME/aicert/policy.json"
fails 1 aicert verify --min-level simulated HEAD
out_has "FAIL  HEAD: policy ("
fails 1 aicert verify --all
out_has "policy: run $run"
ok judged "{$media, \"minLevel\": \"device\"}"
# one that cannot be read is never none
for bad in '' '{' '{}' "{$media}" "{$media, \"minLevel\": \"best\"}" "{$media, \"minLevel\": \"vtpm\", \"x\": 1}"; do
	fails 2 judged "$bad" --min-level simulated
	printf '%s' "$bad" >"$XDG_CONFIG_HOME/aicert/policy.json"
	fails 2 aicert verify --min-level simulated HEAD
	err_has policy.json
done
rm "$XDG_CONFIG_HOME/aicert/policy.json"
mkdir "$XDG_CONFIG_HOME/aicert/policy.json"
fails 3 aicert verify --min-level simulated HEAD
rmdir "$XDG_CONFIG_HOME/aicert/policy.json"
fails 3 aicert verify --policy nosuch.json HEAD
# nothing in a repository is one
printf '{%s, "denyRuns": ["%s"]}' "$media" "$run" >policy.json
cp policy.json .aicert/policy.json
ok aicert verify --min-level simulated HEAD
# what is not judged says so
for check in commit.signature; do
	ok aicert verify --explain $check
	tr '\n' ' ' <"$scratch/out" | grep -q "Not judged by this version" || die "$check"
	ok aicert verify --min-level simulated --json HEAD
	tr '{' '\n' <"$scratch/out" | grep "\"name\":\"$check\"" | grep -q "not judged by this version" || die "$check"
done
done_testing
