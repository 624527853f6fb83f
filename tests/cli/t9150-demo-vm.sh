#!/bin/sh
# The demo's three runs in virtual machines, from a root file system that is built twice and
# is the same.  Takes minutes: only with AICERT_IMAGE_ALL=1 (make check-full).
user_cache=${XDG_CACHE_HOME:-$HOME/.cache}
. "${top_srcdir:-.}/tests/cli/lib.sh"
[ -n "${AICERT_IMAGE_ALL:-}" ] || { echo "three boots of an emulated machine: AICERT_IMAGE_ALL=1"; exit 77; }
. "$source_dir/tests/cli/image-lib.sh"
for need in /usr/share/dict/american-english /usr/share/dict/propernames.gz; do
	[ -e $need ] || { echo "$need is missing (wamerican, miscfiles)"; exit 77; }
done
for tool in mmdebstrap zstd; do
	command -v $tool >/dev/null || { echo "$tool is missing"; exit 77; }
done
build_image "$scratch/image"
rootfs() { XDG_CACHE_HOME=$user_cache "$source_dir/examples/rootfs/build" -o "$1"; }
if ! rootfs "$scratch/rootfs.tar.zst" >"$scratch/out" 2>"$scratch/err"; then
	grep -q -- --update-lock "$scratch/err" && { tail -1 "$scratch/err"; exit 77; }
	die "the root file system" && done_testing
fi
ok env TZ=Asia/Tokyo XDG_CACHE_HOME="$user_cache" sh -c "umask 077; cd /; '$source_dir/examples/rootfs/build' -o '$scratch/again'"
checks=$((checks + 1))
cmp "$scratch/rootfs.tar.zst" "$scratch/again" || die "the root file system differs when it is built again"
ok env STEPS=10 "$source_dir/examples/demo-vm.sh" "$scratch/demo" "$scratch/image" "$scratch/rootfs.tar.zst"
out_has "PASS"
out_has "aicert-base"
out_has "words.txt"
done_testing
