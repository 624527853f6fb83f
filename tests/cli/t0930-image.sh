#!/bin/sh
# The base image: built from locked packages, booted for a run, and proved by its reference
# records, which were computed from the files alone.
user_cache=${XDG_CACHE_HOME:-$HOME/.cache}
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/image-lib.sh"
image=$scratch/image
build_image "$image"

# its contents: every file has an origin, and there is no way in but the daemon
checks=$((checks + 2))
! grep -vE '^(stub|initrd|root) /[^ ]* [0-7]{6} [0-9]+ (-|->[^ ]*|[0-9a-f]{64}) [^ ]+$' "$image/aicert-base.manifest" ||
	die "the manifest"
! grep -E '^[a-z]+ /usr/s?bin/(getty|agetty|login|su|sulogin|sshd?|passwd|dpkg|apt|rpm|telnetd?|vi|init|udhcpd|httpd|nc) ' \
	"$image/aicert-base.manifest" || die "a program that the image must not have"
same "$(grep -c ' /usr/bin/aicertd ' "$image/aicert-base.manifest")" 1
same "$(grep -c 'fw_cfg' "$image/aicert-base.manifest")" 0
ok aicert reference show "$image/aicert-base.json"
out_has "image     aicert-base "
command_line=$(python3 - "$image/aicert-base.efi" <<'END'
import struct, sys
d = open(sys.argv[1], "rb").read()
pe, = struct.unpack_from("<I", d, 60)
n, size = struct.unpack_from("<H12xH", d, pe + 6)
for i in range(n):
    name, length, _, _, at = struct.unpack_from("<8sIIII", d, pe + 24 + size + 40 * i)
    if name.rstrip(b"\0") == b".cmdline":
        print(d[at:at + length].decode())
END
)
for word in nohibernate noresume lockdown=confidentiality module.sig_enforce=1 panic=-1 ro; do
	checks=$((checks + 1))
	case " $command_line " in *" $word "*) ;; *) die "the command line has no $word: $command_line" ;; esac
done
verity=$(echo "$command_line" | sed -n 's/.* aicert\.root=\([0-9a-f]\{64\}\) .*/\1/p')

# a run in it
ok aicert runner add --accelerator tcg vm "qemu:$image/aicert-base.efi"
new_repo repo
printf 'b\na\n' >in.txt
# and tries what would put another kernel, or other code, in the place of what was measured
cat >attack.c <<'END'
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>
#define TRY(name, call) (errno = 0, printf(name ": %s\n", (call) >= 0 ? "DONE" : strerror(errno)))
int main(void)
{
	TRY("kexec_load", syscall(SYS_kexec_load, 0, 0, 0, 0));
	TRY("kexec_file_load", syscall(SYS_kexec_file_load, open("/proc/self/exe", O_RDONLY), -1, 1, "", 0));
	TRY("reboot to it", syscall(SYS_reboot, 0xfee1dead, 672274793, 0x45584543, 0));
	TRY("init_module", syscall(SYS_init_module, "", 0, ""));
	TRY("bpf", syscall(SYS_bpf, 0, "", 0));
	TRY("/dev/mem", open("/dev/mem", O_RDWR));
	TRY("/dev/kmem", open("/dev/kmem", O_RDWR));
	TRY("/dev/tpm0", open("/dev/tpm0", O_RDWR));
	TRY("suspend to disk", open("/sys/power/state", O_WRONLY));
	return 0;
}
END
ok ${CC:-cc} -static -o attack attack.c
cat >aicert.yaml <<'END'
version: 1
image: host
command:
  - sh
  - -c
  - "sort in.txt >out.txt; cp attack run; chmod +x run; ./run; cd /proc/sys/kernel;
    for f in kexec_load_disabled modules_disabled sysrq core_pattern; do echo $f $(cat $f); done;
    echo lines of swaps $(wc -l </proc/swaps); id -u"
inputs: [in.txt, attack]
outputs: [out.txt]
END
ok aicert commit -r vm -m "in the image"
out_lacks ": DONE"
same "$(grep -c '^/dev/tpm0: \|^kexec_load: \|^kexec_file_load: ' "$scratch/out")" 3
for line in "kexec_load_disabled 1" "modules_disabled 1" "sysrq 0" "core_pattern /dev/null" "lines of swaps 1" \
	65534; do
	out_has "$line"
done
same "$(cat out.txt)" "a
b"
certificate_of_head >../certificate
ok python3 - ../certificate "$verity" <<'END'
import json, sys
events = [json.loads(e["data"]) for e in json.load(open(sys.argv[1]))["events"]]
assert events[0]["image"]["name"] == "aicert-base", events[0]["image"]
assert json.loads(events[0]["config"]["document"])["tokens"], events[0]["config"]
assert events[0]["tpm"] == "device" and events[1]["verity"] == sys.argv[2], events[1]
END

# what it measured is what was predicted
log=$(sed -n 's/.*"bootLog":{"digests":{"sha256":"\([0-9a-f]*\)".*/\1/p' ../certificate)
ok sh -c "aicert cat-file -p $log >../boot.log"
ok aicert image measure --check ../boot.log "$image/aicert-base.efi"
ovmf=$(dpkg-query -W -f '${Version}' ovmf 2>/dev/null)
if grep -q "OVMF $ovmf\"" "$image/aicert-base.json"; then
	cp "$image/aicert-base.json" ../records.json
else # another firmware than that whose values are in the tree: they are learnt
	echo "no records for the firmware $ovmf: learnt from this boot"
	ok aicert reference from-certificate --min-level simulated --image "$image/aicert-base.json" HEAD
	cp ../out ../records.json
fi
ok aicert verify --min-level simulated --reference ../records.json --json out.txt
for check in boot.log boot.reference quote.signature inputs.log outputs.log; do
	checks=$((checks + 1))
	grep -qE "\"name\":\"$check\",\"result\":\"pass\"" ../out || die "$check: $(cat ../out)"
done

# the record of another image, or of another firmware, is none for this one
python3 - ../records.json ../other.json <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
for r in d["records"]:
    if "11" in r["pcrs"]:
        r["pcrs"]["11"] = r["pcrs"]["11"][::-1]
json.dump(d, open(sys.argv[2], "w"), sort_keys=True, separators=(",", ":"))
END
fails 1 aicert verify --min-level simulated --reference ../other.json out.txt
done_testing
