#!/bin/sh
# Three attested training runs, their proof, and four attempts to cheat.
# usage: demo.sh DIR     (aicert and aicertd in PATH; DIR is made anew)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
demo=${1:?usage: demo.sh DIR}

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() { printf '$ %s\n' "$*"; "$@"; }
# A command that must say no: exit status 1, and the check named in its answer.
refused() {
	check=$1
	shift
	printf '$ %s\n' "$*"
	"$@" >"$demo/answer" 2>&1 && status=0 || status=$?
	cat "$demo/answer"
	if [ "$status" != 1 ] || ! grep -q "$check" "$demo/answer"; then
		echo "demo: expected exit status 1 and the check $check, got $status" >&2
		exit 1
	fi
	echo "(exit status 1, as it must be)"
}

rm -rf "$demo"
mkdir -p "$demo/repo/data" "$demo/home"
# the TPM's state and the settings stay inside DIR
export HOME="$demo/home" XDG_DATA_HOME="$demo/home/data" XDG_CONFIG_HOME="$demo/home/config" \
	XDG_CACHE_HOME="$demo/home/cache"
cp -R "$here/names/code" "$here/names/stages" "$demo/repo"
cp /usr/share/dict/american-english "$demo/repo/data/words.txt"
gzip -dc /usr/share/dict/propernames.gz >"$demo/repo/data/names.txt"
cd "$demo/repo"
git init -q -b main
git config user.name "AICert demo"
git config user.email "demo@localhost"
git add .
git commit -qm "stages of a small language model"

say "1. A store, and three attested runs"
run aicert init
run aicert commit -f stages/prepare.yaml -m "prepare: clean and split the word list"
run aicert commit -f stages/pretrain.yaml -m "pretrain: a model of English words"
run aicert commit -f stages/finetune.yaml -m "finetune: proper names"

say "2. The history"
run aicert log --oneline
run aicert show HEAD

say "3. A byte of the weights is changed"
cp model.safetensors kept
printf X | dd of=model.safetensors bs=1 seek=5000 conv=notrunc status=none
refused files.outputs aicert verify --min-level simulated model.safetensors
mv kept model.safetensors

say "4. A byte of the certificate is changed"
cp -R .aicert kept
python3 "$here/flip-certificate.py"
refused object.id aicert verify --min-level simulated HEAD
rm -rf .aicert
mv kept .aicert

say "5. An input is replaced"
cp data/names.txt kept
echo Mallory >>data/names.txt
refused files.inputs aicert verify --inputs --min-level simulated model.safetensors
mv kept data/names.txt

say "6. More is demanded than a simulated TPM can give"
refused vtpm aicert verify model.safetensors

say "7. The lineage, verified: every run, every input, every output"
run aicert verify --inputs --min-level simulated model.safetensors
run aicert trace model.safetensors
