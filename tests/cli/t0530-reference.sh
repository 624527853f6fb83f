#!/bin/sh
# Reference records: kept, learnt, and what verify makes of them.
. "${top_srcdir:-.}/tests/cli/lib.sh"
seeds="$source_dir/tests/data/fuzz/reference"
export TSS2_LOG=all+none

new_repo r
# --- the user's directory ---
ok aicert reference list
same "$(cat ../out)" ""
ok aicert reference add "$seeds/whole" base
ok aicert reference list
out_has "base  user  base 1  whole  sha256  a"
out_has "base  user  base 1  whole  sha384  b"
fails 3 aicert reference add "$seeds/whole" base
err_has "already"
ok aicert reference show base
out_has "whole record, bank sha256"
out_has "any: a reason"
out_has "must not occur in PCR 12"
ok aicert reference show --json base
same "$(cat ../out)" "$(cat "$seeds/whole")"
ok aicert reference show "$seeds/parts"
out_has "firmware record"
ok aicert reference remove base
fails 3 aicert reference remove base
fails 3 aicert reference show base
fails 2 aicert reference add "$seeds/whole" ../base
fails 2 aicert reference add "$seeds/whole" .base
ok aicert reference list
list=$(cat "$scratch/out")
ok aicert reference
same "$(cat "$scratch/out")" "$list"
fails 2 aicert reference forget
err_has "reference: no such action: forget (list, show, add,"
printf '{"records":[]}' >bad.json
fails 2 aicert reference add bad.json
fails 2 aicert reference show bad.json
fails 2 aicert verify --reference bad.json HEAD
# a final newline does no harm, anything else does
{ cat "$seeds/whole"; echo; } >newline.json
ok aicert reference add newline.json
ok aicert reference remove newline
{ cat "$seeds/whole"; echo; echo; } >newlines.json
fails 2 aicert reference add newlines.json

# --- a machine ---
"$build/forge-machine" || die "forge-machine"
# nobody vouches for the AK, and the image is not known
fails 1 aicert verify HEAD
ok aicert verify --min-level simulated HEAD
mkdir -p "$XDG_CONFIG_HOME/aicert/trust"
cp trust.json "$XDG_CONFIG_HOME/aicert/trust/root.json"
fails 1 aicert verify HEAD
# says TEXT: it is in what the last command printed, however the lines break
says() { checks=$((checks + 1)); tr '\n' ' ' <"$scratch/out" | grep -qF -- "$1" || die "lacks: $1"; }
ok aicert verify --min-level simulated HEAD
says "ran on an image that no reference record knows between"
out_has "image        -   its boot log fits"
ok aicert verify --reference whole.json HEAD
out_has vtpm
says "ran on the image base 1 on any between"
out_has "image        ok  base 1 on any"
out_lacks "no reference record"
ok aicert verify --json --reference whole.json HEAD
out_has '"found":"base 1 on any"'
out_lacks '"reference":null'
# what was asked for has to match, at every level
fails 1 aicert verify --min-level simulated --reference "$seeds/whole" HEAD
out_has boot.reference
ok aicert verify --reference "$seeds/whole" --reference whole.json HEAD
fails 1 aicert verify --min-level simulated --reference image.json HEAD
fails 3 aicert verify --reference nowhere.json HEAD

# learnt: not without a level, then as parts, then whole
rm "$XDG_CONFIG_HOME/aicert/trust/root.json"
fails 1 aicert reference from-certificate HEAD
err_has "simulated at most"
ok aicert reference from-certificate --min-level simulated HEAD
cp trust.json "$XDG_CONFIG_HOME/aicert/trust/root.json"
ok aicert reference from-certificate HEAD
cp ../out firmware.json
ok aicert reference show firmware.json
out_has "learnt from certificate"
out_lacks "   4  "
out_lacks "  10  "
fails 1 aicert verify --min-level simulated --reference firmware.json HEAD
ok aicert reference from-certificate --image image.json --platform "this host" HEAD
cp ../out learnt.json
ok aicert verify --reference learnt.json HEAD
ok aicert reference add learnt.json
ok aicert verify HEAD
out_has vtpm
ok aicert reference remove learnt
fails 1 aicert verify HEAD
# a bank cannot be made of nothing, and a repository supplies no records
mkdir -p references .aicert/references && cp whole.json references/ && cp whole.json .aicert/references/
fails 1 aicert verify HEAD
rm -r references .aicert/references

# --- another command line on the same machine ---
cp image.json ../image.json && cp whole.json ../whole.json && cp learnt.json ../learnt.json
cp trust.json "$XDG_CONFIG_HOME/aicert/trust/first.json"
sed -i 's/"name":"root"/"name":"first"/' "$XDG_CONFIG_HOME/aicert/trust/first.json"
"$build/forge-machine" other || die "forge-machine other"
cp trust.json "$XDG_CONFIG_HOME/aicert/trust/root.json"
fails 1 aicert verify --reference ../whole.json HEAD
out_has boot.reference
out_has "PCR 9"
out_lacks "PCR 4"
fails 1 aicert reference from-certificate --image ../image.json HEAD
err_has "not of the image base 1: PCR 9"
ok aicert verify --reference ../whole.json HEAD~1

# --- a run on the embedded TPM teaches nothing ---
echo a >in.txt
spec aicert.yaml "cat in.txt > out.txt" "{path: in.txt, kind: dataset}" out.txt
ok aicert commit -q -m run
fails 1 aicert reference from-certificate --min-level simulated HEAD
err_has "firmware measured nothing"
ok aicert verify --min-level simulated out.txt
fails 1 aicert verify --min-level simulated --reference ../whole.json out.txt
out_has boot.reference
done_testing
