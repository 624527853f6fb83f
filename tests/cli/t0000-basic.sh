#!/bin/sh
# The program itself: usage, version, help, wrong words.
. "${top_srcdir:-.}/tests/cli/lib.sh"

fails 2 aicert
ok aicert --help
out_has "usage: aicert"
out_has "  hardware-check  judge"
out_has "  init            make"
ok aicert help
ok aicert --version
out_has "aicert "
ok aicert version
fails 2 aicert nonsense
err_has "no such command: nonsense"
fails 2 aicert help nonsense
fails 2 aicert -C
fails 3 aicert -C /nonexistent log
err_has "/nonexistent"

# every command explains itself, also outside a store
for command in $(aicert help | awk '/^  [a-z]/ { print $1 }' | grep -v -e version -e help); do
	ok aicert "$command" --help
	out_has "usage: aicert $command"
	ok aicert help "$command"
	fails 2 aicert "$command" --no-such-option
	err_has "no-such-option"
done

# outside a store commands say so
for command in log status fsck "show HEAD" "verify HEAD" "rev-parse HEAD"; do
	# shellcheck disable=SC2086
	fails 3 aicert $command
	err_has ".aicert"
done

# output that cannot be written is not success
if [ -e /dev/full ]; then
	checks=$((checks + 1))
	aicert help >/dev/full 2>err
	[ $? = 3 ] || die "help >/dev/full"
fi
done_testing
