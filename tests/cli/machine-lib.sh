# Shared by the tests that boot the real base image: $AICERT_IMAGE names the directory
# where image/build left it.  QEMU and swtpm are reached through programs of the test's
# own, which an attack may hook.  Sourced after lib.sh.
image=${AICERT_IMAGE:-}/aicert-base.efi
[ -n "${AICERT_IMAGE:-}" ] || { echo "AICERT_IMAGE names no directory with a base image"; exit 77; }
for file in "$image" "${image%.efi}.root" /usr/share/OVMF/OVMF_CODE_4M.fd; do
	[ -r "$file" ] || { echo "$file is missing"; exit 77; }
done
for tool in qemu-system-x86_64 swtpm mformat python3 objcopy; do
	command -v "$tool" >/dev/null || { echo "$tool is missing"; exit 77; }
done
case $image in /*) ;; *) image=$PWD_BEFORE/$image ;; esac

machines=$XDG_DATA_HOME/aicert/machines
mkdir -p "$scratch/bin"
for program in qemu-system-x86_64 swtpm; do
	printf '#!/bin/sh\n[ -e %s/%s.hook ] || exec %s "$@"\nexec python3 %s/%s.hook %s "$@"\n' "$scratch/bin" \
		"$program" "$(command -v $program)" "$scratch/bin" "$program" "$(command -v $program)" \
		>"$scratch/bin/$program"
	chmod 755 "$scratch/bin/$program"
done
PATH=$scratch/bin:$PATH
trap 'chmod -R u+w "$scratch" 2>/dev/null; rm -rf "$scratch"' EXIT

# hook_qemu: a hook from stdin, Python that changes the list `args`
hook_qemu() {
	{
		echo 'import os, sys, subprocess'
		echo 'args = sys.argv[1:]'
		echo 'def replace(old, new):'
		echo '    global args'
		echo '    assert any(old in a for a in args), old'
		echo '    args = [a.replace(old, new) for a in args]'
		cat
		echo 'os.execv(args[0], args)'
	} >"$scratch/bin/qemu-system-x86_64.hook"
}
no_hook() { rm -f "$scratch/bin"/*.hook; }

# boot_log REV FILE: the boot log of a run's certificate
boot_log() {
	aicert cat-file -p "$(aicert show "$1" | sed -n 's/^certificate  *\([0-9a-f]*\)$/\1/p' | head -1)" |
		python3 -c 'import json, sys; print(json.load(sys.stdin)["attestations"][0]["bootLog"]["digests"]["sha256"])' |
		xargs aicert cat-file -p >"$2"
}
# learn PLATFORM FILE: a whole record of HEAD's machine
learn() {
	ok aicert reference from-certificate --min-level simulated --image "$scratch/parts.json" \
		--platform "$1" HEAD
	cp "$scratch/out" "$2"
}
# boots as predicted: the log of HEAD
predicted() {
	boot_log HEAD "$scratch/boot.log"
	ok aicert image measure --check "$scratch/boot.log" "$@" "$image"
}
