#!/bin/sh
# Whoever runs the virtual machine lies to it, or boots something else: what was not
# measured has no effect, and what was is found by its PCR.  All machines here have the same
# devices, so that nothing but the attack tells them from the good one, whose firmware values
# are learnt first.  AICERT_IMAGE_ALL=1 boots each attack by itself.
user_cache=${XDG_CACHE_HOME:-$HOME/.cache}
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/image-lib.sh"
image=$scratch/image
build_image "$image"
efi=$image/aicert-base.efi root=$image/aicert-base.root

# A hibernated system, a disk that shall be encrypted, and strings for whoever listens.
truncate -s 64M "$scratch/hibernated" "$scratch/disk.new"
printf 'S1SUSPEND' | dd of="$scratch/hibernated" bs=1 seek=4086 conv=notrunc 2>/dev/null
evil='{"clientCa":null,"idleSeconds":600,"mediaType":"application/vnd.aicert.runtime-config.v1+json","tokens":[]}'
start() { # NAME [ROOT]
	truncate -s 256M "$scratch/$1.disk"
	boot "$1" "${2:-$root}" \
		-drive "if=none,id=hib,format=raw,readonly=on,file=$scratch/hibernated" \
		-device virtio-blk-pci,drive=hib,serial=swap,romfile= \
		-drive "if=none,id=scratch,format=raw,file=$scratch/$1.disk,cache=unsafe" \
		-device virtio-blk-pci,drive=scratch,serial=aicert-scratch,romfile= \
		-fw_cfg "name=opt/org.aicert/config,string=$(echo "$evil" | sed 's/,/,,/g')" \
		-fw_cfg name=opt/io.systemd.credentials/aicert,string=x \
		-smbios "type=11,value=io.systemd.stub.kernel-cmdline-extra=init=/bin/sh" \
		-smbios "type=11,value=aicert.config=x" ${kernel:-}
}

new_repo repo
marker=$(head -c 48 /dev/urandom | od -A n -t x1 | tr -d ' \n')
echo "$marker" >in.txt
spec aicert.yaml "cat in.txt >out.txt; df . | tail -1" in.txt out.txt
# commit_in NAME: the machine's run becomes HEAD's
commit_in() {
	ok aicert runner add --min-level simulated --token-file "$scratch/token" "$1" "$url"
	rm -f out.txt
	ok aicert commit -r "$1" -m "$1"
}
log_of_head() {
	certificate_of_head >../certificate
	aicert cat-file -p "$(sed -n 's/.*"bootLog":{"digests":{"sha256":"\([0-9a-f]*\)".*/\1/p' ../certificate)" >../boot.log
}

make_esp "$scratch/good.esp" "$efi"
start good
must_be_up
commit_in good
out_has "/dev/"
log_of_head
ok aicert image measure --check ../boot.log "$efi"
ok aicert reference from-certificate --min-level simulated --image "$image/aicert-base.json" HEAD
cp ../out ../records.json
ok aicert verify --min-level simulated --reference ../records.json out.txt
ok python3 - ../certificate ../document <<'END'
import json, sys
request = json.loads(json.load(open(sys.argv[1]))["events"][0]["data"])
assert request["config"]["document"] == open(sys.argv[2]).read(), request["config"]
END
# one run a boot
fails 1 aicert commit -r good -m again
err_has "quote.pcrs: used: the machine must be started again"
# what was on the disk was not in the clear
checks=$((checks + 1))
! grep -qaF "$marker" "$scratch/good.disk" || die "the scratch disk has the input in the clear"
# the same, where the record demands Secure Boot
python3 - ../records.json ../secure.json <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
for r in d["records"]:
    r["platform"] += ", Secure Boot on"
    r["events"] = [{"digest": ("a" * 96)[:len(r["pcrs"]["7"])], "must": "occur", "pcr": 7,
                    "type": "EV_EFI_VARIABLE_AUTHORITY"}]
json.dump(d, open(sys.argv[2], "w"), sort_keys=True, separators=(",", ":"))
END
fails 1 aicert verify --min-level simulated --reference ../secure.json --json out.txt
out_has '"name":"boot.reference","result":"fail"'
good=$qemu # goes off by itself, see the end

# refused NAME PCR...: up it comes, and its proof is refused for these PCRs
refused() {
	name=$1
	shift
	must_be_up
	commit_in "$name"
	power_off
	log_of_head
	fails 1 aicert verify --min-level simulated --reference ../records.json --json out.txt
	out_has '"name":"boot.reference","result":"fail"'
	fails 1 aicert image measure --check ../boot.log "$efi"
	for pcr in "$@"; do
		checks=$((checks + 1))
		grep -qE "^ *$pcr .*(NOT PREDICTED|ADDED|DIFFERS|MISSING)" ../out || die "$name: PCR $pcr"
	done
}

# one byte of the root file system
python3 - "$root" "$scratch/flipped.root" <<'END'
import struct, sys
d = bytearray(open(sys.argv[1], "rb").read())
d[struct.unpack_from("<Q", d, 64)[0] + 10] ^= 1
open(sys.argv[2], "wb").write(d)
END
make_esp "$scratch/flipped.esp" "$efi"
start flipped "$scratch/flipped.root"
checks=$((checks + 2))
! is_up || die "it comes up with a changed root file system"
wait "$qemu"
tr -d '\000' <"$scratch/flipped.console" | grep -qaiE 'corrupt|verity' || { die "no word of the change" && console; }

# another command line; beside the image a credential and a system extension
sed 's/ loglevel=4 / loglevel=5 /' "$efi" >"$scratch/line.efi"
cmp -s "$efi" "$scratch/line.efi" && die "the command line is as it was"
echo secret >"$scratch/x.cred"
echo extension >"$scratch/y.raw"
if [ -z "${AICERT_IMAGE_ALL:-}" ]; then
	make_esp "$scratch/three.esp" "$scratch/line.efi" "$scratch/x.cred" "$scratch/y.raw"
	start three
	refused three 4 9 11 12 13
else
	make_esp "$scratch/line.esp" "$scratch/line.efi"
	start line
	refused line 4 9 11
	make_esp "$scratch/credential.esp" "$efi" "$scratch/x.cred"
	start credential
	refused credential 12
	make_esp "$scratch/extension.esp" "$efi" "$scratch/y.raw"
	start extension
	refused extension 13
	kernel="-kernel $efi -append loglevel=5" # load options
	start options
	refused options 12
	kernel=
	# a shell on the console
	cp -R "$source_dir/image" "$scratch/tree.image"
	mkdir "$scratch/tree"
	mv "$scratch/tree.image" "$scratch/tree/image"
	cp -R "$source_dir/src" "$source_dir/store" "$source_dir/configure.ac" "$scratch/tree"
	sed -i 's|^bb setsid /usr/bin/aicertd|while :; do bb sh -i; done </dev/ttyS0 >/dev/ttyS0 2>\&1 \&\n&|' \
		"$scratch/tree/image/start"
	build_image "$scratch/shell" "$scratch/tree"
	make_esp "$scratch/shell.esp" "$scratch/shell/aicert-base.efi"
	start shell "$scratch/shell/aicert-base.root"
	refused shell 4 9 11
fi

# an initramfs that extends PCR 14 before aicertd could
mkdir "$scratch/initrd"
extend='printf "\\200\\002\\000\\000\\000\\101\\000\\000\\001\\202\\000\\000\\000\\016\\000\\000\\000\\011\\100\\000\\000\\011\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\013\\001\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000" >/dev/tpm0'
awk -v line="$extend" '{ print } /mount -t devtmpfs/ { print line }' "$source_dir/image/init" >"$scratch/initrd/init"
python3 - "$source_dir" "$scratch/initrd/init" >"$scratch/initrd/cpio" <<'END'
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1] + "/image")
import cpio
sys.stdout.buffer.write(cpio.archive([("init", 0o100755, open(sys.argv[2], "rb").read())], 0))
END
ok python3 "$source_dir/tests/cli/change-uki.py" "$source_dir" "$efi" "$scratch/extend.efi" ".initrd+=$scratch/initrd/cpio"
make_esp "$scratch/extend.esp" "$scratch/extend.efi"
start extend
must_be_up
fails 1 aicert runner add --min-level simulated --token-file "$scratch/token" extend "$url"
err_has "quote.pcrs"
power_off

# the good machine, whose run was fetched, has gone off
left=120
while kill -0 "$good" 2>/dev/null && [ $left -gt 0 ]; do
	left=$((left - 1))
	sleep 0.5
done
wait "$good"
same $? 0
checks=$((checks + 1))
tr -d '\000' <"$scratch/good.console" | grep -qa 'aicertd ended with status 0, turning off' || die "the good machine's end"
done_testing
