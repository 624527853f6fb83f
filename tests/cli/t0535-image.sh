#!/bin/sh
# What an image's boot measures: predicted, compared with logs, composed with what is
# learnt of a firmware into whole records.
. "${top_srcdir:-.}/tests/cli/lib.sh"
export TSS2_LOG=all+none
new_repo r
"$build/forge-machine" uki || die "forge-machine"

fails 2 aicert image
fails 2 aicert image forget
err_has "image: no such action: forget (measure;"
fails 2 aicert image forget image.efi
fails 2 aicert image measure
fails 2 aicert image measure --platform vax image.efi
fails 2 aicert image measure --secure-boot maybe image.efi
fails 3 aicert image measure nowhere.efi
fails 2 aicert image measure boot.log
err_has "does not begin as a PE file"
head -c 3000 image.efi >short.efi
fails 2 aicert image measure short.efi

# the document
ok aicert image measure image.efi
cp ../out parts.json
ok aicert reference show parts.json
out_has "image     a base 7"
out_has "commit    unknown"
out_has "packages  unknown"
out_has "image record, bank sha384, platform: qemu-ovmf, Secure Boot on"
out_has "platform: azure-trusted-launch, Secure Boot off"
out_has "  12  0000000000000000000000000000000000000000000000000000000000000000"
ok aicert image measure --platform qemu-ovmf --secure-boot off -o one.json image.efi
same "$(cat ../out)" ""
ok aicert reference show one.json
same "$(grep -c ' record, ' ../out)" 2
echo busybox 1.35 abc >packages.lock
git add packages.lock && git commit -qm lock
ok aicert image measure --platform gce --name other --version 2 --lock packages.lock -o lock.json image.efi
ok aicert reference show lock.json
out_has "image     other 2"
out_has "commit    $(git rev-parse HEAD)"
out_has "packages  sha256:$(sha256sum packages.lock | cut -d' ' -f1)"
cp packages.lock ../outside.lock
ok aicert image measure --lock ../outside.lock -o lock.json image.efi
ok aicert reference show lock.json
out_has "commit    unknown"
fails 3 aicert image measure --name "$(printf 'a\tb')" image.efi

# the log of a boot
ok aicert image measure --check boot.log image.efi
out_has "qemu-ovmf, Secure Boot off, bank sha"
out_has ": 0 of"
out_has "the kernel's command line"
fails 1 aicert image measure --check boot.log --secure-boot on image.efi
out_has "NOT PREDICTED"
fails 1 aicert image measure --check boot.log --platform qemu-ovmf-kernel image.efi
out_has "MISSING"
fails 1 aicert image measure --check image.efi image.efi
fails 3 aicert image measure --check nowhere image.efi

# out of parts and a boot: whole records, which the boot matches
fails 1 aicert reference from-certificate --image parts.json HEAD
err_has "simulated at most"
ok aicert reference from-certificate --min-level simulated --image parts.json \
	--platform "qemu-ovmf, 1 processor, Secure Boot off" HEAD
cp ../out off.json
ok aicert reference show off.json
same "$(grep -c 'whole record' ../out)" 2
ok aicert verify --min-level simulated --reference off.json HEAD
out_has "qemu-ovmf, 1 processor, Secure Boot off"

# Secure Boot on: other parts of the same document fit; the record of off does not
"$build/forge-machine" uki-secure-boot || die "forge-machine"
ok aicert image measure --check boot.log image.efi
out_has "Secure Boot on"
fails 1 aicert verify --min-level simulated --reference off.json HEAD
out_has "boot.reference"
out_has "PCR 7"
ok aicert reference from-certificate --min-level simulated --image parts.json \
	--platform "qemu-ovmf, 1 processor, Secure Boot on" HEAD
cp ../out on.json
ok aicert reference join parts.json off.json on.json
cp ../out base.json
for at in HEAD HEAD~1; do
	ok aicert verify --min-level simulated --reference base.json $at
done
ok aicert reference from-certificate --min-level simulated --image base.json HEAD
fails 3 aicert reference join off.json nowhere.json
fails 3 aicert reference join off.json one.json lock.json
err_has "different images"
# a record that demands Secure Boot is not satisfied without
fails 1 aicert verify --min-level simulated --reference on.json HEAD~1
out_has "PCR 7"

# another command line, credentials beside the image
"$build/forge-machine" uki-other || die "forge-machine"
fails 1 aicert image measure --check boot.log image.efi
out_has "DIFFERS        the kernel's command line"
fails 1 aicert verify --min-level simulated --reference base.json HEAD
out_has "boot.reference"
out_has "PCR 9"
fails 1 aicert reference from-certificate --min-level simulated --image base.json HEAD
err_has "not of the image a base 7"
"$build/forge-machine" uki-credentials || die "forge-machine"
fails 1 aicert image measure --check boot.log image.efi
out_has "PCR 12: load options, or credentials beside the image"
fails 1 aicert verify --min-level simulated --reference base.json HEAD
out_has "PCR 12"
done_testing
