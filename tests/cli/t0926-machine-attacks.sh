#!/bin/sh
# Whoever runs the base image tries to run something else, or to say something else of it:
# each attempt is refused, and the check is named.
user_cache=${XDG_CACHE_HOME:-$HOME/.cache} user_directory=$PWD
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/machine-lib.sh"
command -v curl >/dev/null || { echo "curl is missing"; exit 77; }
ok aicert image measure --platform qemu-ovmf --platform qemu-ovmf-kernel -o "$scratch/parts.json" "$image"
new_repo repo
echo one >in.txt
spec run.yaml "cp in.txt out.txt; echo ran" "in.txt" "out.txt"

# the honest machine, with everything that QEMU can tell a guest without being measured
hook_qemu <<'END'
args += ["-fw_cfg", "name=opt/aicert/runtime-config,string={\"tokens\":[\"eve\"]}",
         "-fw_cfg", "name=opt/io.systemd.credentials/aicert.tokens,string=eve",
         "-smbios", "type=11,value=io.systemd.credential:aicert.tokens=eve",
         "-smbios", "type=11,value=io.systemd.stub.kernel-cmdline-extra=init=/bin/sh",
         "-smbios", "type=1,serial=aicert.root=0"]
END
ok aicert runner add vm "qemu:$image"
ok aicert commit -q -f run.yaml -r vm -m "told many things"
[ "$failures" = 0 ] || done_testing # without a boot there is nothing to attack
predicted --platform qemu-ovmf
aicert cat-file -p "$(aicert show HEAD | sed -n 's/^certificate  *\([0-9a-f]*\)$/\1/p' | head -1)" |
	python3 -c 'import json, sys; print(json.load(sys.stdin)["events"][0]["data"])' >"$scratch/run_request"
checks=$((checks + 1))
grep -q '"client sha256:' "$scratch/run_request" && ! grep -q '["=]eve[\\"]' "$scratch/run_request" ||
	die "the machine listened: $(cat "$scratch/run_request")"
no_hook
ok aicert commit -q -f run.yaml -r vm -m "honest"
learn "qemu-ovmf, 2 processors, Secure Boot off" "$scratch/base.json"
ok aicert verify --min-level simulated --reference "$scratch/base.json" HEAD
ok aicert verify --min-level simulated --reference "$scratch/base.json" HEAD~1

# refused PCR...: HEAD's machine is not the image, and these registers say so
refused() {
	fails 1 aicert verify --json --min-level simulated --reference "$scratch/base.json" HEAD
	grep -o '{[^{}]*"name":"boot.reference"[^{}]*}' "$scratch/out" >"$scratch/check"
	for pcr in "$@"; do
		checks=$((checks + 1))
		grep -q "\"result\":\"fail\"" "$scratch/check" && grep -q "PCR $pcr " "$scratch/check" ||
			die "PCR $pcr: $(cat "$scratch/check")"
	done
	boot_log HEAD "$scratch/boot.log"
	fails 1 aicert image measure --check "$scratch/boot.log" "$image"
}

# forge NAME: a runner of that name whose image tests/cli/forge-uki.py has changed
forge() {
	ln -s "${image%.efi}.root" "$scratch/$1.root"
	python3 "$source_dir/tests/cli/forge-uki.py" "$1" "$image" "$scratch/$1.efi" || die "forge $1"
	ok aicert runner add "$1" "qemu:$scratch/$1.efi"
}

# another command line
forge cmdline
ok aicert commit -q -f run.yaml -r cmdline -m "another command line"
refused 4 9 11
out_has "DIFFERS        the kernel's command line"

# another initramfs
forge initrd
ok aicert commit -q -f run.yaml -r initrd -m "another initramfs"
refused 4 9 11
out_has "DIFFERS        the kernel's initramfs"

# one byte of the root file system: it does not come up
cp "$image" "$scratch/root.efi"
cp "${image%.efi}.root" "$scratch/root.root"
spoil "$scratch/root.root" 40
ok aicert runner add root "qemu:$scratch/root.efi"
fails 3 aicert commit -q -f run.yaml -r root -m "another root file system"
err_has "the machine ended before it answered"

# credentials and a system extension beside the image
hook_qemu <<'END'
open("x", "w").write("secret")
# it may be started twice, with and without KVM
subprocess.call(["mmd", "-i", "esp.img", "::/loader", "::/loader/credentials",
                 "::/EFI/BOOT/BOOTX64.EFI.extra.d"])
subprocess.check_call(["mcopy", "-o", "-i", "esp.img", "x", "::/loader/credentials/aicert.cred"])
subprocess.check_call(["mcopy", "-o", "-i", "esp.img", "x", "::/EFI/BOOT/BOOTX64.EFI.extra.d/more.raw"])
END
ok aicert commit -q -f run.yaml -r vm -m "files beside the image"
refused 9 12 13
out_has "PCR 12: load options, or credentials beside the image"
out_has "PCR 13: system extensions beside the image"

# load options
hook_qemu <<'END'
esp = [a for a in args if "id=esp" in a][0]
at = args.index(esp)
del args[at - 1:at + 3]
here = os.environ["PATH"].split(":")[0]
args += ["-kernel", here + "/../kernel.efi", "-append", open(here + "/../options").read()]
END
cp "$image" "$scratch/kernel.efi"
objcopy -O binary -j .cmdline "$image" "$scratch/options"
printf ' systemd.extra=1' >>"$scratch/options"
ok aicert commit -q -f run.yaml -r vm -m "load options"
refused 4 9 12
no_hook

# PCR 14 is used before the daemon is there
cp "$source_dir/tests/cli/extend-pcr.py" "$scratch/bin/swtpm.hook"
fails 1 aicert commit -q -f run.yaml -r vm -m "measured before"
err_has "quote.pcrs: used: the machine must be started again"
no_hook

# a second run on the same boot, by somebody whom the machine lets in
echo 0123456789abcdef0123456789abcdef >"$scratch/eve.token"
chmod 600 "$scratch/eve.token"
hook_qemu <<'END'
import hashlib, json
token = b"0123456789abcdef0123456789abcdef"
document = json.loads(open("config.img").read().rstrip("\0"))
document["tokens"][1:] = ["eve sha256:%s run" % hashlib.sha256(token).hexdigest()]
text = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
open("config.img", "wb").write(text + b"\0" * (-len(text) % 512))
port = [a for a in args if "hostfwd" in a][0].split("127.0.0.1:")[1].split("-")[0]
open(os.environ["PATH"].split(":")[0] + "/../port", "w").write(port)
END
spec slow.yaml "echo begun; sleep 15; cp in.txt out.txt" "in.txt" "out.txt"
aicert commit -f slow.yaml -r vm -m first >"$scratch/first.out" 2>"$scratch/first.err" &
first=$!
tries=600
while ! grep -q begun "$scratch/first.out" && [ $tries -gt 0 ]; do
	tries=$((tries - 1))
	sleep 0.2
done
url=https://127.0.0.1:$(cat "$scratch/port")
fails 1 aicert runner add --min-level simulated --token-file "$scratch/eve.token" again "$url"
err_has "used: the machine must be started again"
python3 -c '
import json, sys
spec = json.load(sys.stdin)["spec"]
spec["inputs"] = []
print(json.dumps({"mediaType": "application/vnd.aicert.run-request.v1+json", "nonce": "11" * 32,
                  "spec": spec}, sort_keys=True, separators=(",", ":")), end="")' <"$scratch/run_request" >"$scratch/request"
same "$(curl -sk -o "$scratch/answer" -w '%{http_code}' -H "Authorization: Bearer $(cat "$scratch/eve.token")" \
	-H "Content-Type: application/json" --data-binary "@$scratch/request" "$url/v1/runs")" 409
grep -q "one run a boot" "$scratch/answer" || die "$(cat "$scratch/answer")"
wait $first
same $? 0
no_hook
[ -z "$(find "$machines" -mindepth 1 -type d)" ] || die "a machine is left"
done_testing
