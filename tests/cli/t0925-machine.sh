#!/bin/sh
# The base image booted: what its file predicts is what the machine measures, from an ESP
# and as a kernel, with one and two processors, with Secure Boot off and on.
user_cache=${XDG_CACHE_HOME:-$HOME/.cache} user_directory=$PWD
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/machine-lib.sh"
ok aicert image measure -o "$scratch/parts.json" "$image"
new_repo repo
echo one >in.txt
spec run.yaml "nproc; cat in.txt >out.txt" "in.txt" "out.txt"

# an ESP, two processors
ok aicert runner add two "qemu:$image"
ok aicert commit -f run.yaml -r two -m "two processors"
same "$(head -1 "$scratch/out")" 2
out_has "output out.txt"
[ "$failures" = 0 ] || done_testing # without a boot there is nothing to compare
same "$(cat out.txt)" one
[ -z "$(find "$machines" -mindepth 1 -type d)" ] || die "a machine is left"
predicted --platform qemu-ovmf
out_has "qemu-ovmf, Secure Boot off"
learn "qemu-ovmf, 2 processors, Secure Boot off" "$scratch/two.json"
ok aicert verify --min-level simulated --reference "$scratch/two.json" HEAD
out_has "qemu-ovmf, 2 processors"
out_has "a program of whoever"
ok aicert verify --json --min-level simulated --reference "$scratch/two.json" HEAD
out_has '"level":"simulated"'
for check in boot.log boot.reference quote.start inputs.log outputs.log; do
	grep -o "{[^{}]*\"name\":\"$check\"[^{}]*}" "$scratch/out" | grep -q '"result":"pass"' || die "$check"
done
fails 1 aicert verify --min-level device --reference "$scratch/two.json" HEAD

# known: what the next boot shows is judged against the record before anything is sent
ok aicert reference join "$scratch/parts.json" "$scratch/two.json"
cp "$scratch/out" "$scratch/base.json"
ok aicert reference add "$scratch/base.json"
ok aicert runner check two
out_has "boot.reference    pass"

# one processor is another shape: the image's PCRs are the same, the firmware's are not
ok aicert runner add --processors 1 --memory 1024 one "qemu:$image"
ok aicert commit -q -f run.yaml -r one -m "one processor"
predicted --platform qemu-ovmf
fails 1 aicert verify --min-level simulated --reference "$scratch/two.json" HEAD
out_has "PCR 0"
learn "qemu-ovmf, 1 processor, 1024 MiB, Secure Boot off" "$scratch/one.json"
ok aicert reference join "$scratch/base.json" "$scratch/one.json"
cp "$scratch/out" "$scratch/all.json"
ok aicert verify --min-level simulated --reference "$scratch/all.json" HEAD
ok aicert verify --min-level simulated --reference "$scratch/all.json" HEAD~1

# as QEMU's kernel
hook_qemu <<'END'
esp = [a for a in args if "id=esp" in a][0]
at = args.index(esp)
del args[at - 1:at + 3]
args += ["-kernel", os.environ["PATH"].split(":")[0] + "/../kernel.efi"]
END
cp "$image" "$scratch/kernel.efi"
ok aicert commit -q -f run.yaml -r two -m "as a kernel"
predicted --platform qemu-ovmf-kernel
no_hook

# Secure Boot, with the keys that Debian's ovmf has for trying it
keys=/usr/share/ovmf
if command -v sbsign >/dev/null && [ -r $keys/PkKek-1-snakeoil.key ]; then
	openssl rsa -in $keys/PkKek-1-snakeoil.key -passin pass:snakeoil -out "$scratch/sb.key" 2>/dev/null
	sbsign --key "$scratch/sb.key" --cert $keys/PkKek-1-snakeoil.pem --output "$scratch/signed.efi" "$image" \
		>/dev/null 2>&1 || die "sbsign"
	cp "${image%.efi}.root" "$scratch/signed.root"
	# a signature changes nothing that is measured
	ok aicert image measure -o "$scratch/signed.json" "$scratch/signed.efi"
	cmp -s "$scratch/signed.json" "$scratch/parts.json" || die "signing changed what is measured"
	ok aicert runner add --secure-boot /usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd sb "qemu:$scratch/signed.efi"
	ok aicert commit -q -f run.yaml -r sb -m "Secure Boot"
	predicted --platform qemu-ovmf
	out_has "Secure Boot on"
	learn "qemu-ovmf, 2 processors, Secure Boot on" "$scratch/sb.json"
	ok aicert verify --min-level simulated --reference "$scratch/sb.json" HEAD
	# who demands it on is not content with it off
	fails 1 aicert verify --min-level simulated --reference "$scratch/sb.json" HEAD~3
	out_has "boot.reference"
	out_has "PCR 7"
else
	echo "not tried: Secure Boot (sbsign is missing, or ovmf's keys)"
fi
done_testing
