#!/bin/sh
# The base image and disks that the provider does not give it: a scratch disk, which holds
# noise when the machine is off, and a hibernated system, which is not woken.  Then it turns
# itself off.  AICERT_IMAGE_ALL=1 also boots an image that was built with a shell.
user_cache=${XDG_CACHE_HOME:-$HOME/.cache}
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/image-lib.sh"
image=$scratch/image
build_image "$image"
efi=$image/aicert-base.efi

truncate -s 64M "$scratch/hibernated"
printf 'S1SUSPEND' | dd of="$scratch/hibernated" bs=1 seek=4086 conv=notrunc 2>/dev/null
start() { # NAME IMAGE-DIRECTORY
	make_esp "$scratch/$1.esp" "$2/aicert-base.efi"
	truncate -s 256M "$scratch/$1.disk"
	boot "$1" "$2/aicert-base.root" \
		-drive "if=none,id=hib,format=raw,readonly=on,file=$scratch/hibernated" \
		-device virtio-blk-pci,drive=hib,serial=swap,romfile= \
		-drive "if=none,id=scratch,format=raw,file=$scratch/$1.disk,cache=unsafe" \
		-device virtio-blk-pci,drive=scratch,serial=aicert-scratch,romfile=
	must_be_up
	ok aicert runner add --min-level simulated --token-file "$scratch/token" "$1" "$url"
}
log_of_head() {
	certificate_of_head >../certificate
	aicert cat-file -p "$(sed -n 's/.*"bootLog":{"digests":{"sha256":"\([0-9a-f]*\)".*/\1/p' ../certificate)" >../boot.log
}

new_repo repo
marker=$(head -c 48 /dev/urandom | od -A n -t x1 | tr -d ' \n')
for i in 1 2 3 4 5 6 7 8; do echo "$marker"; done >in.txt
# in a root file system of its own, which is unpacked there
digest=$(sed -n 's/^busybox-static [^ ]* \([0-9a-f]*\) .*/\1/p' "${lock:?}")
mkdir -p ../tree/bin
dpkg-deb --fsys-tarfile "$user_cache/aicert/debs/$digest.deb" | tar -xO ./bin/busybox >../tree/bin/busybox || exit 99
chmod 755 ../tree/bin/busybox
for applet in sh cat df tail; do
	ln -s busybox ../tree/bin/$applet
done
echo x >"../tree/$(printf 'na\303\257ve')"
tar -C ../tree -cf rootfs.tar .
spec aicert.yaml "cat in.txt >out.txt; df . | tail -1; cat /proc/sys/kernel/random/boot_id /proc/swaps /na*" in.txt out.txt
sed -i 's/^image: host/image: rootfs:rootfs.tar/' aicert.yaml
start good "$image"
good=$qemu
ok aicert commit -r good -m "with a disk"
out_has "/dev/"
checks=$((checks + 2))
[ "$(grep -c . ../out)" -gt 3 ] && ! grep -q 'partition' ../out || die "it swaps"
! grep -qaF "$marker" "$scratch/good.disk" || die "the scratch disk has the input in the clear"
[ "$(head -c 67108864 "$scratch/good.disk" | tr -d '\0' | head -c 4096 | wc -c)" = 4096 ] ||
	die "nothing was written to the scratch disk"
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

# a shell on the console, for whoever looks at it: another root file system, so another
# root hash, so another command line
if [ -n "${AICERT_IMAGE_ALL:-}" ]; then
	mkdir "$scratch/source"
	for part in image src store configure.ac; do
		cp -R "$source_dir/$part" "$scratch/source"
	done
	sed -i 's|^bb setsid /usr/bin/aicertd|while :; do bb sh -i; done </dev/ttyS0 >/dev/ttyS0 2>\&1 \&\n&|' \
		"$scratch/source/image/start"
	same "$(grep -c 'bb sh -i; done </dev/ttyS0' "$scratch/source/image/start")" 1
	build_image "$scratch/shell" "$scratch/source"
	start shell "$scratch/shell"
	rm -f out.txt
	ok aicert commit -r shell -m "with a shell"
	power_off
	fails 1 aicert verify --json --min-level simulated --reference ../records.json out.txt
	for pcr in 4 9 11; do
		checks=$((checks + 1))
		grep -o '{[^{}]*"name":"boot.reference","result":"fail"[^{}]*}' ../out | grep -q "PCR $pcr " ||
			die "PCR $pcr: $(cat ../out)"
	done
	log_of_head
	fails 1 aicert image measure --check ../boot.log "$efi"
fi

# the good machine, whose run was fetched, goes off
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
