#!/bin/sh
# The three training runs of demo.sh, each in a virtual machine that boots the base image,
# from a root file system with python3 and numpy; then the proof of every boot.
# usage: demo-vm.sh DIR IMAGE-DIRECTORY ROOTFS     (aicert in PATH; DIR is made anew;
# IMAGE-DIRECTORY is what image/build, ROOTFS what examples/rootfs/build made)
# STEPS: of training (20): an emulated machine is 10 to 25 times slower than this one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
demo=${1:?usage: demo-vm.sh DIR IMAGE-DIRECTORY ROOTFS}
image=$(cd "${2:?}" && pwd)
rootfs=${3:?}
steps=${STEPS:-20}

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() { printf '$ %s\n' "$*"; "$@"; }

rm -rf "$demo"
mkdir -p "$demo/repo/data" "$demo/repo/stages" "$demo/home"
cp "$rootfs" "$demo/repo/rootfs.tar.zst"
export HOME="$demo/home" XDG_DATA_HOME="$demo/home/data" XDG_CONFIG_HOME="$demo/home/config" \
	XDG_CACHE_HOME="$demo/home/cache"
cp -R "$here/names/code" "$demo/repo"
head -n 20000 /usr/share/dict/american-english >"$demo/repo/data/words.txt"
gzip -dc /usr/share/dict/propernames.gz >"$demo/repo/data/names.txt"
for stage in prepare pretrain finetune; do
	sed -e 's/^image: host$/image: rootfs:rootfs.tar.zst/' \
		-e "s/^env: {\(.*\)}\$/env: {\1, STEPS: \"$steps\"}/" "$here/names/stages/$stage.yaml" \
		>"$demo/repo/stages/$stage.yaml"
done
cd "$demo/repo"
git init -q -b main
git config user.name "AICert demo"
git config user.email "demo@localhost"
echo /rootfs.tar.zst >.gitignore
git add .
git commit -qm "stages of a small language model"

say "1. A machine for each run, and three runs"
run aicert init
run aicert runner add vm "qemu:$image/aicert-base.efi"
run aicert commit -r vm -f stages/prepare.yaml -m "prepare: clean and split the word list"
run aicert commit -r vm -f stages/pretrain.yaml -m "pretrain: a model of English words"
run aicert commit -r vm -f stages/finetune.yaml -m "finetune: proper names"

say "2. The lineage, verified: every boot, every input, every output"
records=$image/aicert-base.json
if ! aicert verify --min-level simulated --reference "$records" model.safetensors >/dev/null; then
	echo "no records for this firmware: its values are learnt from this boot"
	aicert reference from-certificate --min-level simulated --image "$records" HEAD >"$demo/records.json"
	records=$demo/records.json
fi
run aicert verify --inputs --min-level simulated --reference "$records" model.safetensors
run aicert trace model.safetensors
