# Shared by the tests that boot the base image through the provider; sourced after lib.sh,
# with $user_cache from before it.  The image is built, or $AICERT_IMAGE names the directory
# where it is.  QEMU and swtpm are reached through programs of the test's own, which an
# attack may hook.
. "$source_dir/tests/cli/image-lib.sh"
command -v objcopy >/dev/null || { echo "objcopy is missing (binutils)"; exit 77; }
if [ -n "${AICERT_IMAGE:-}" ]; then
	case $AICERT_IMAGE in /*) ;; *) AICERT_IMAGE=$user_directory/$AICERT_IMAGE ;; esac
else
	AICERT_IMAGE=$scratch/image
	build_image "$AICERT_IMAGE"
fi
image=$AICERT_IMAGE/aicert-base.efi

machines=$XDG_DATA_HOME/aicert/machines
mkdir -p "$scratch/bin"
for program in qemu-system-x86_64 swtpm; do
	printf '#!/bin/sh\n[ -e %s/%s.hook ] || exec %s "$@"\nexec python3 %s/%s.hook %s "$@"\n' "$scratch/bin" \
		"$program" "$(command -v $program)" "$scratch/bin" "$program" "$(command -v $program)" \
		>"$scratch/bin/$program"
	chmod 755 "$scratch/bin/$program"
done
PATH=$scratch/bin:$PATH

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
