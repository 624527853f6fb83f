# Shared by the tests that need a file system which shares blocks: on_reflink FILE
# MIB starts the test again with its scratch directory on such a one, a loop mount
# of xfs or btrfs.  Sourced before lib.sh.
on_reflink() {
	[ -z "${AICERT_REFLINK:-}" ] || return 0
	[ "$(id -u)" = 0 ] || { echo "mounting needs root"; exit 77; }
	PATH=$PATH:/usr/sbin:/sbin
	place=$(mktemp -d "${TMPDIR:-/tmp}/aicert-reflink-XXXXXX") || exit 99
	trap 'umount "$place/fs" 2>/dev/null; rm -rf --one-file-system "$place"' EXIT
	trap 'exit 1' INT TERM HUP
	mkdir "$place/fs" && truncate -s "$2M" "$place/disk" || exit 99
	if command -v mkfs.xfs >/dev/null; then
		mkfs.xfs -q -m reflink=1 "$place/disk"
	elif command -v mkfs.btrfs >/dev/null; then
		mkfs.btrfs -q "$place/disk"
	else
		echo "neither mkfs.xfs nor mkfs.btrfs is there"
		exit 77
	fi || exit 99
	mount -o loop "$place/disk" "$place/fs" 2>"$place/why" ||
		{ echo "a loop mount is not possible here: $(cat "$place/why")"; exit 77; }
	AICERT_REFLINK=1 TMPDIR=$place/fs sh "$1"
	exit $?
}
