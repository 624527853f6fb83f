#!/bin/sh
# aicert push to a directory: what is seen there is whole, whatever happened on the way.
. "${top_srcdir:-.}/tests/fault/lib.sh"
new_repo template
spec aicert.yaml "cat in.txt > out.txt; head -c 100000 /dev/urandom > big.bin" in.txt "out.txt, big.bin"
echo 1 >in.txt
aicert commit -q -m one && aicert push -q "$PWD/remote" main || exit 99
head=$(aicert rev-parse HEAD)
echo 2 >in.txt
aicert commit -q -m two || exit 99
tip=$(aicert rev-parse HEAD)

push() { aicert push -q "$PWD/remote" main; }
# of the remote, as others see it
there() { aicert ls-remote "$PWD/remote" | grep refs/heads/main | cut -c1-64; }
whole() {
	rm -rf ../seen && aicert clone -q "$PWD/remote" ../seen && (cd ../seen && aicert fsck >/dev/null)
}
# and the remote is a store as any other: its own gc removes what was left there
cleans() {
	rm -rf ../look && mkdir ../look && mv remote ../look/.aicert &&
		(cd ../look && aicert fsck && aicert gc) >/dev/null && mv ../look/.aicert remote
}
acknowledged() { { [ "$(there)" = "$head" ] || [ "$(there)" = "$tip" ]; } && whole && cleans; }
complete() { [ "$(there)" = "$tip" ] && whole; }
every_fault push "open create write fsync rename unlink malloc"
done_testing
